//! Helm's next upgrade of releases with a manifest that is at hand: what it would meet. Zero writes.
//!
//! Records and objects of the named releases are read, one GET an object, and the rest is computed. The server is asked, by
//! a dry run under Helm's own name, where it alone can tell and where that name owns by Apply already; a client-side entry
//! would stand in its own way there. Of a saved fleet such objects stay unknown.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::join_all;
use serde_json::Value;

use super::bounded::bounded;
use super::chain::chain;
use super::inventory::Scope;
use super::plan::Planned;
use super::records::{self, Loaded, RecordFault, ReleaseRecords};
use super::shadow::{Library, ManifestObject, Objects, ObjectsError, Schemas, objects};
use crate::cluster::{self, ErrorKind, Reader, Rehearser};
use crate::domain::ids::{ClusterName, ReleaseId, Revision};
use crate::domain::object::{LiveObject, ObjectRef};
use crate::domain::release::ChartRef;
use crate::domain::shadow::offline::{NextInput, next};
use crate::domain::shadow::{
    Conflict, NextFacts, NextObject, NextOutcome, NextUpgrade, judge_next, refuses_import,
};
use crate::helm::manifest::{self, ManifestError};
use crate::helm::{ApplyMethod, Record};

/// Why nothing is said of a Secret of a saved fleet that others own values of.
const HIDDEN_VALUES: &str = "others own values of this Secret, and a saved inventory holds none: whether they are equal, the cluster itself can tell";

/// A rendered manifest, as `helm template` prints it.
#[derive(Debug, Clone)]
pub struct Rendered {
    text: String,
    /// Objects that Helm applies.
    pub objects: usize,
    /// Hooks: Helm runs them apart, they are not forecast.
    pub hooks: usize,
}

impl Rendered {
    /// Reads it: the same dialect and rules as a stored manifest's. The error says in which document.
    pub fn read(text: String) -> Result<Self, ManifestError> {
        let all = manifest::objects(&text)?;
        let hooks = all.iter().filter(|it| is_hook(&it.body)).count();
        Ok(Self {
            objects: all.len() - hooks,
            hooks,
            text,
        })
    }
}

fn is_hook(body: &Value) -> bool {
    body.pointer("/metadata/annotations/helm.sh~1hook")
        .is_some()
}

/// What a forecast of upgrades needs beside clusters.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// Where records are.
    pub scope: &'a Scope,
    /// The name that Helm applies under.
    pub manager: &'a str,
    /// What will be applied.
    pub rendered: &'a Rendered,
    /// The fleet is a saved one: its server cannot be asked, and digests stand for the values of its Secrets.
    pub saved: bool,
    /// Which releases.
    pub wanted: &'a (dyn Fn(&ReleaseId) -> bool + Send + Sync),
}

/// The forecasts.
#[derive(Debug, Default)]
pub struct Foretold {
    /// A row a release.
    pub upgrades: Vec<NextUpgrade>,
    /// Clusters that were not read, and why.
    pub unread: Vec<(ClusterName, String)>,
    /// Dry runs sent.
    pub dry_runs: u64,
}

/// Forecasts the next upgrade of every wanted release, clusters side by side. Cancel safe.
pub async fn foretell(clusters: &[Planned], means: Means<'_>) -> Foretold {
    let library = Arc::<Library>::default();
    let all = clusters.iter().map(|cluster| one(cluster, means, &library));
    let mut told = Foretold::default();
    for (cluster, found) in clusters.iter().zip(join_all(all).await) {
        match found {
            Ok(found) => {
                told.upgrades.extend(found.upgrades);
                told.dry_runs += found.dry_runs;
            }
            Err(why) => told.unread.push((cluster.name.clone(), why)),
        }
    }
    told
}

async fn one(
    cluster: &Planned,
    means: Means<'_>,
    library: &Arc<Library>,
) -> Result<Foretold, String> {
    let (reader, rehearser) = cluster.reader.as_ref().map_err(Clone::clone)?;
    let words = |error: cluster::Error| chain(&error);
    let mut releases = Vec::new();
    for scope in &means.scope.records() {
        let all = records::list(reader.as_ref(), &cluster.name, means.scope.driver, scope).await;
        let all = all.map_err(words)?;
        releases.extend(all.into_iter().filter(|it| (means.wanted)(&it.id)));
    }
    let looks = Looks {
        reader: reader.as_ref(),
        rehearser: rehearser.as_ref(),
        schemas: Schemas::new(Arc::clone(library)),
        means,
    };
    let looks = &looks;
    let mut forecasts = Vec::new();
    for release in &releases {
        forecasts.push(async move { looks.release(release).await }.boxed());
    }
    let limit = cluster.limits.in_flight.max(1) as usize;
    let mut told = Foretold::default();
    for found in bounded(limit, forecasts).await {
        let (upgrade, dry_runs) = found.map_err(words)?;
        told.upgrades.extend(upgrade);
        told.dry_runs += dry_runs;
    }
    Ok(told)
}

struct Looks<'a> {
    reader: &'a dyn Reader,
    rehearser: &'a dyn Rehearser,
    schemas: Schemas,
    means: Means<'a>,
}

/// What an upgrade of one release starts from.
struct Before<'a> {
    release: &'a ReleaseId,
    objects: &'a [ManifestObject],
    upgrades_csa: bool,
}

impl Looks<'_> {
    /// `None`: the release went away meanwhile.
    async fn release(
        &self,
        release: &ReleaseRecords,
    ) -> cluster::Result<(Option<NextUpgrade>, u64)> {
        let Some(head) = release.last() else {
            return Ok((None, 0));
        };
        let last = match release.load(self.reader, head).await {
            Ok(last) => last,
            Err(RecordFault::Cluster(error)) => return Err(error),
            Err(RecordFault::Gone(_)) => return Ok((None, 0)),
            Err(error) => return Ok((Some(unreadable(release, head.revision, &error)), 0)),
        };
        let deployed = match release.deployed() {
            Some(deployed) if deployed.revision != head.revision => {
                match release.load(self.reader, deployed).await {
                    Ok(loaded) => Some(loaded),
                    Err(RecordFault::Cluster(error)) => return Err(error),
                    Err(error) => return Ok((Some(unreadable(release, head.revision, &error)), 0)),
                }
            }
            _ => None,
        };
        let current = deployed.as_ref().unwrap_or(&last);
        let facts = facts(release, &last);
        let (objects, dry_runs) = match self.manifests(current).await? {
            Ok((old, new)) => {
                let before = Before {
                    release: &release.id,
                    objects: &old.served,
                    // Helm looks at the deployed revision here, not at the last one.
                    upgrades_csa: current.record.apply_method != Some(ApplyMethod::ServerSide),
                };
                self.objects(&before, &new).await?
            }
            Err(reason) => {
                let mut made = judge_next(facts, Vec::new());
                made.outcome = crate::domain::shadow::ReleaseOutcome::Blocked;
                made.reasons.push(crate::domain::shadow::Reason {
                    cause: "unreadable-record".to_owned(),
                    object: None,
                    detail: reason,
                });
                return Ok((Some(made), 0));
            }
        };
        Ok((Some(judge_next(facts, objects)), dry_runs))
    }

    /// The objects of the stored manifest, and of the new one as this release would apply it.
    async fn manifests(
        &self,
        current: &Loaded,
    ) -> cluster::Result<Result<(Objects, Objects), String>> {
        let mut rendered: Record = current.record.clone();
        rendered.manifest.clone_from(&self.means.rendered.text);
        let mut both = Vec::new();
        for record in [&current.record, &rendered] {
            match objects(self.reader, record).await {
                Ok(found) => both.push(found),
                Err(ObjectsError::Cluster(error)) => return Err(error),
                Err(error) => return Ok(Err(chain(&error))),
            }
        }
        let new = both.pop().unwrap_or_default();
        let old = both.pop().unwrap_or_default();
        Ok(Ok((old, without_hooks(new))))
    }

    async fn objects(
        &self,
        before: &Before<'_>,
        new: &Objects,
    ) -> cluster::Result<(Vec<NextObject>, u64)> {
        let mut made = Vec::new();
        let mut dry_runs = 0;
        for unserved in &new.unserved {
            let reason = format!(
                "{} is not served by the cluster",
                unserved.object.api_version
            );
            made.push(NextObject::plain(
                unserved.object.clone(),
                NextOutcome::Invalid { reason },
            ));
        }
        for wanted in &new.served {
            made.push(self.object(before, wanted, &mut dry_runs).await?);
        }
        // Helm tells old and new objects apart without their versions.
        let stays: BTreeSet<_> = new
            .served
            .iter()
            .map(|it| &it.object)
            .chain(new.unserved.iter().map(|it| &it.object))
            .map(ObjectRef::key)
            .collect();
        for old in before.objects {
            if stays.contains(&old.object.key()) {
                continue;
            }
            let Some(live) = self.reader.object(&old.object).await? else {
                continue;
            };
            // To the letter, as an upgrade compares (helm pkg/kube/client.go); only an uninstall trims the word.
            let keeps = live
                .json
                .pointer("/metadata/annotations/helm.sh~1resource-policy")
                .is_some_and(|policy| policy == "keep");
            let outcome = if keeps {
                NextOutcome::Kept
            } else {
                NextOutcome::Deleted
            };
            made.push(NextObject::plain(old.object.clone(), outcome));
        }
        Ok((made, dry_runs))
    }

    async fn object(
        &self,
        before: &Before<'_>,
        wanted: &ManifestObject,
        dry_runs: &mut u64,
    ) -> cluster::Result<NextObject> {
        let object = &wanted.object;
        let plain = |outcome| NextObject::plain(object.clone(), outcome);
        let live = match self.reader.object(object).await {
            Ok(live) => live,
            Err(error) if error.kind == ErrorKind::Forbidden || error.is_fault() => {
                return Ok(plain(NextOutcome::Unknown {
                    reason: chain(&error),
                }));
            }
            Err(error) => return Err(error),
        };
        // Helm asks whose it is where the old manifest does not have it, at this very version.
        let is_new = !before.objects.iter().any(|old| old.object == *object);
        if let Some(live) = live.as_ref().filter(|_| is_new)
            && let Some(reason) = refuses_import(&live.json, before.release)
        {
            return Ok(plain(NextOutcome::Invalid { reason }));
        }
        let api = match self.schemas.api(self.reader, &object.api_version).await {
            Err(error) if error.is_fault() => Err(chain(&error)),
            api => api?,
        };
        let unknown = match api {
            Ok(api) => {
                let input = NextInput {
                    object,
                    body: &wanted.body,
                    live: live.as_ref(),
                    api: &api,
                    manager: self.means.manager,
                    upgrades_csa: before.upgrades_csa,
                };
                match next(&input) {
                    Ok(told) if self.means.saved && turns_on_secret_values(&told) => {
                        let reason = HIDDEN_VALUES.to_owned();
                        return Ok(plain(NextOutcome::Unknown { reason }));
                    }
                    Ok(told) => return Ok(told),
                    Err(unknown) => unknown.reason,
                }
            }
            Err(why) => why,
        };
        let Some(live) = live else {
            return Ok(plain(NextOutcome::Created));
        };
        if self.means.saved || owns_by_update(&live, self.means.manager) {
            return Ok(plain(NextOutcome::Unknown { reason: unknown }));
        }
        *dry_runs += 1;
        self.ask(wanted, &live).await
    }

    /// The very request that Helm will send, as a dry run.
    async fn ask(&self, wanted: &ManifestObject, live: &LiveObject) -> cluster::Result<NextObject> {
        let object = &wanted.object;
        let answer = self
            .rehearser
            .rehearse_apply(object, &wanted.body, self.means.manager, false)
            .await;
        let mut made = NextObject::plain(object.clone(), NextOutcome::Unchanged);
        match answer {
            Ok(applied) => {
                made.changes = crate::domain::object::changed_paths(&live.json, &applied);
                if !made.changes.is_empty() {
                    made.outcome = NextOutcome::Changed;
                }
            }
            Err(error) => {
                made.outcome = match error.kind {
                    ErrorKind::FieldConflict(conflicts) => {
                        made.conflicts = conflicts
                            .into_iter()
                            .map(|it| Conflict {
                                owner: owner_in(&it.message),
                                field: it.field,
                                since: None,
                                theirs: None,
                                ours: None,
                            })
                            .collect();
                        NextOutcome::Conflict
                    }
                    ErrorKind::Invalid => NextOutcome::Invalid {
                        reason: error.message,
                    },
                    ErrorKind::Forbidden | ErrorKind::Server => NextOutcome::Unknown {
                        reason: error.message,
                    },
                    _ => return Err(error),
                };
            }
        }
        Ok(made)
    }
}

/// Two owners of a value conflict unless they wish the same: of a Secret in a saved fleet only digests are known.
fn turns_on_secret_values(told: &NextObject) -> bool {
    let of_values = |it: &Conflict| {
        [".data", ".stringData"]
            .iter()
            .any(|of| it.field.starts_with(of))
    };
    told.object.kind == "Secret"
        && told.object.group().is_empty()
        && told.conflicts.iter().any(of_values)
}

/// `hpa/scale` of `conflict with "hpa" with subresource "scale" using apps/v1`.
fn owner_in(message: &str) -> String {
    let mut quoted = message.split('"').skip(1).step_by(2);
    match (quoted.next(), quoted.next()) {
        (Some(manager), Some(subresource)) => format!("{manager}/{subresource}"),
        (Some(manager), None) => manager.to_owned(),
        _ => message.to_owned(),
    }
}

fn owns_by_update(live: &LiveObject, manager: &str) -> bool {
    live.managed_fields().iter().any(|entry| {
        entry.get("manager").is_some_and(|it| it == manager)
            && entry.get("operation").is_some_and(|it| it == "Update")
            && entry.get("subresource").is_none_or(|it| it == "")
    })
}

fn without_hooks(mut objects: Objects) -> Objects {
    objects.served.retain(|it| !is_hook(&it.body));
    objects
}

fn facts(release: &ReleaseRecords, last: &Loaded) -> NextFacts {
    let chart = last.record.chart.clone().unwrap_or_default();
    NextFacts {
        release: release.id.clone(),
        chart: ChartRef {
            name: chart.name,
            version: chart.version,
        },
        revision: Revision(last.record.revision),
        last_status: last.record.status.to_string(),
        has_deployed: release.deployed().is_some(),
        server_side: last.record.apply_method == Some(ApplyMethod::ServerSide),
    }
}

fn unreadable(release: &ReleaseRecords, revision: Revision, error: &RecordFault) -> NextUpgrade {
    NextUpgrade {
        release: release.id.clone(),
        chart: ChartRef {
            name: "unknown".to_owned(),
            version: "0".to_owned(),
        },
        revision,
        server_side: false,
        outcome: crate::domain::shadow::ReleaseOutcome::Blocked,
        reasons: vec![crate::domain::shadow::Reason {
            cause: "unreadable-record".to_owned(),
            object: None,
            detail: chain(error),
        }],
        objects: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_are_counted_apart_and_faults_have_a_place() {
        let text = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n---\nkind: Job\napiVersion: batch/v1\n\
                    metadata:\n  name: b\n  annotations: {\"helm.sh/hook\": pre-upgrade}\n";
        let read = Rendered::read(text.to_owned()).unwrap();
        assert_eq!((read.objects, read.hooks), (1, 1));
        let error = Rendered::read("a: 1\n---\n\tb: [\n".to_owned()).unwrap_err();
        assert!(error.to_string().contains("document"), "{error}");
    }

    #[test]
    fn only_shared_values_of_secrets_turn_on_what_is_hidden() {
        let told = |kind: &str, field: &str| {
            let object = ObjectRef {
                api_version: "v1".to_owned(),
                kind: kind.to_owned(),
                namespace: None,
                name: "a".to_owned(),
            };
            let conflict = Conflict {
                field: field.to_owned(),
                owner: "rotator".to_owned(),
                since: None,
                theirs: None,
                ours: None,
            };
            let mut told = NextObject::plain(object, NextOutcome::Conflict);
            told.conflicts.push(conflict);
            turns_on_secret_values(&told)
        };
        assert!(told("Secret", ".data.password"));
        assert!(told("Secret", ".stringData.password"));
        assert!(!told("Secret", ".metadata.labels.app"));
        assert!(!told("ConfigMap", ".data.password"));
    }

    #[test]
    fn owners_are_read_out_of_the_servers_words() {
        let words = "conflict with \"hpa\" with subresource \"scale\" using apps/v1 at 2026-11-22T10:00:00Z";
        assert_eq!(owner_in(words), "hpa/scale");
        assert_eq!(owner_in("conflict with \"kubectl\" using v1"), "kubectl");
    }
}
