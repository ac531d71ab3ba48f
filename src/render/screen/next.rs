//! `refit shadow --manifest`: Helm's next upgrade with a given manifest, release by release.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::plan::outcome_word;
use super::shadow::{fields_argument, object_name, release_columns, took, value};
use crate::domain::fleet::release_order;
use crate::domain::ids::ClusterName;
use crate::domain::shadow::{NextObject, NextOutcome, NextUpgrade, ReleaseOutcome};
use crate::render::{Column, Cut, Document, Next, Record, Role, Span, Table, text};

/// Rows of fields in the text form; the JSON and `refit fields` have all.
const FIELDS_SHOWN: usize = 200;

/// What the screen shows.
#[derive(Debug, Clone)]
pub struct NextScreen<'a> {
    /// The fleet's name.
    pub fleet: &'a str,
    /// The manifest's file.
    pub manifest: &'a str,
    /// The saved inventory that was looked at; `None`: the clusters were.
    pub from: Option<String>,
    /// Its hooks, which are not forecast.
    pub hooks: usize,
    /// When the reading began.
    pub taken_at: Timestamp,
    /// A row each.
    pub upgrades: &'a [NextUpgrade],
    /// Clusters that were not read, and why.
    pub unread: &'a BTreeMap<ClusterName, String>,
    /// Clusters in scope.
    pub clusters: usize,
    /// Dry runs sent.
    pub dry_runs: u64,
    /// How long it took.
    pub took: SignedDuration,
    /// refit's version.
    pub tool: &'a str,
}

impl NextScreen<'_> {
    /// A row a release, then a row a field in the way: kind `UpgradeForecastList`.
    pub fn document(&self) -> Document {
        let mut sorted: Vec<&NextUpgrade> = self.upgrades.iter().collect();
        sorted.sort_by(|a, b| {
            let outcomes = a.outcome.cmp(&b.outcome);
            outcomes.then_with(|| release_order(&a.release, &b.release))
        });
        let untold = sorted.iter().filter(|it| it.is_untold()).count() as u64;
        let held = sorted.iter().filter(|it| it.is_held()).count() as u64 - untold;
        let outcomes = [
            ReleaseOutcome::Blocked,
            ReleaseOutcome::NeedsChoice,
            ReleaseOutcome::Ready,
        ];
        let outcomes: BTreeMap<&str, usize> = outcomes
            .iter()
            .map(|outcome| {
                let of = sorted.iter().filter(|it| it.outcome == *outcome).count();
                (outcome_word(*outcome), of)
            })
            .collect();
        let count = |of: fn(&NextObject) -> usize| {
            let objects = sorted.iter().flat_map(|it| &it.objects);
            objects.map(of).sum::<usize>() as u64
        };
        let of_word = |word: &str| {
            let objects = sorted.iter().flat_map(|it| &it.objects);
            objects.filter(|it| it.outcome.word() == word).count() as u64
        };
        let conflicts = count(|it| it.conflicts.len());
        let mut document = Document::new("UpgradeForecastList")
            .field(
                "metadata",
                json!({
                    "fleet": self.fleet, "takenAt": text::time(self.taken_at), "tool": self.tool,
                    "manifest": self.manifest,
                }),
            )
            .field(
                "summary",
                json!({
                    "releases": sorted.len(), "outcomes": outcomes, "objects": count(|_| 1), "conflicts": conflicts,
                    "drops": count(|it| it.drops.len()), "created": of_word("Created"), "deleted": of_word("Deleted"),
                    "kept": of_word("Kept"), "invalid": of_word("Invalid"), "unknown": of_word("Unknown"), "hooks": self.hooks,
                }),
            )
            .field("dryRuns", json!(self.dry_runs))
            .field("unread", json!(self.unread))
            .listing(columns(), sorted.iter().copied().map(record));
        let fields = fields(&sorted);
        if !fields.is_empty() {
            document = document.gap().table(fields);
        }
        document = document.total([Span::plain(format!(
            "{} of {} would fail{}: {}, {} invalid; {} created, {} deleted; {}, {}, 0 writes.",
            text::count(held),
            text::counted(sorted.len() as u64, "upgrade"),
            match untold {
                0 => String::new(),
                some => format!(", {} cannot be told", text::count(some)),
            },
            text::counted(conflicts, "conflict"),
            text::count(of_word("Invalid")),
            text::count(of_word("Created")),
            text::count(of_word("Deleted")),
            text::counted(self.clusters as u64, "cluster"),
            took(self.from.as_deref(), self.taken_at, self.took),
        ))]);
        if self.from.is_some() {
            document = document.total([Span::plain(
                "Of values of Secrets a saved inventory holds digests: they count as changed.",
            )]);
        }
        let client_side = sorted.iter().filter(|it| !it.server_side).count() as u64;
        if client_side > 0 {
            document = document.total([Span::plain(format!(
                "{} still on client-side apply: this is what helm upgrade --server-side=true would meet there.",
                text::counted(client_side, "release")
            ))]);
        }
        if self.hooks > 0 {
            document = document.total([Span::plain(format!(
                "{} of the manifest not forecast.",
                text::counted(self.hooks as u64, "hook")
            ))]);
        }
        for (cluster, why) in self.unread {
            document = document.warning(format!("{cluster} not read: {why}"));
        }
        let owned = sorted.iter().find_map(|release| {
            let object = release.objects.iter().find(|it| !it.conflicts.is_empty())?;
            Some(fields_argument(&release.release.cluster, &object.object))
        });
        match owned {
            Some(object) => document.next(Next::Fields { object }, "who owns what of it"),
            None => document,
        }
    }

    /// Would anything fail, or was anything not read?
    pub fn has_findings(&self) -> bool {
        !self.unread.is_empty() || self.upgrades.iter().any(NextUpgrade::is_held)
    }
}

fn columns() -> Vec<Column> {
    let mut columns = release_columns();
    columns.extend([
        Column::new("CONFLICTS"),
        Column::new("CHANGED").narrow(3),
        Column::new("NEW"),
        Column::new("DELETED"),
        Column::new("DROPS").narrow(2),
        Column::new("CAUSE"),
    ]);
    columns
}

fn record(upgrade: &NextUpgrade) -> Record {
    let release = &upgrade.release;
    let of = |word: &str| {
        let objects = upgrade.objects.iter();
        let count = objects.filter(|it| it.outcome.word() == word).count();
        Span::plain(count.to_string())
    };
    let conflicts: usize = upgrade.objects.iter().map(|it| it.conflicts.len()).sum();
    let drops: usize = upgrade.objects.iter().map(|it| it.drops.len()).sum();
    let mut causes: Vec<&str> = upgrade.reasons.iter().map(|it| &*it.cause).collect();
    causes.dedup();
    let cause = match causes.as_slice() {
        [] => None,
        [only] => Some((*only).to_owned()),
        [first, more @ ..] => Some(format!("{first} (+{})", more.len())),
    };
    Record {
        cells: vec![
            Span::plain(release.cluster.as_str()),
            Span::plain(release.namespace.as_str()),
            Span::plain(release.name.as_str()),
            Span::plain(format!("{}/{}", release.namespace, release.name)),
            Span::plain(format!("{}-{}", upgrade.chart.name, upgrade.chart.version)),
            Span::plain(upgrade.revision.to_string()),
            Span::state(outcome_word(upgrade.outcome)),
            Span::plain(upgrade.objects.len().to_string()),
            Span::bad_count(
                u32::try_from(conflicts).unwrap_or(u32::MAX),
                conflicts.to_string(),
            ),
            of("Changed"),
            of("Created"),
            of("Deleted"),
            Span::plain(drops.to_string()),
            Span::or_none(cause),
        ],
        json: json!(upgrade),
        name: Some(release.to_string()),
        only_wide: false,
    }
}

/// What is in the way, and what goes, field by field and object by object.
fn fields(sorted: &[&NextUpgrade]) -> Table {
    let mut table = Table::new([
        Column::new("RELEASE"),
        Column::new("OBJECT"),
        Column::new("TYPE"),
        Column::new("FIELD").at_most(30, Cut::Middle),
        Column::new("OWNER").at_most(22, Cut::Middle),
        Column::new("SINCE").wide(),
        Column::new("DETAIL"),
    ]);
    let mut rows: Vec<[Span; 7]> = Vec::new();
    for upgrade in sorted {
        let release = || Span::plain(upgrade.release.to_string());
        let about = upgrade.reasons.iter().filter(|it| it.object.is_none());
        for reason in about {
            let kind = Span::with(&*reason.cause, Role::Attention);
            let none = Span::none;
            rows.push([
                release(),
                none(),
                kind,
                none(),
                none(),
                none(),
                Span::plain(&reason.detail),
            ]);
        }
        for it in &upgrade.objects {
            let mut row = |kind: Span, field: Span, owner: Span, since: Span, detail: Span| {
                let object = Span::plain(object_name(&it.object));
                rows.push([release(), object, kind, field, owner, since, detail]);
            };
            let none = Span::none;
            for conflict in &it.conflicts {
                row(
                    Span::with("conflict", Role::Attention),
                    Span::plain(&conflict.field),
                    Span::plain(&conflict.owner),
                    Span::or_none(conflict.since.map(text::time)),
                    Span::plain(format!(
                        "{} -> {}",
                        value(conflict.theirs.as_deref()),
                        value(conflict.ours.as_deref())
                    )),
                );
            }
            for field in &it.drops {
                let field = Span::plain(field);
                row(
                    Span::plain("drop"),
                    field,
                    Span::plain("ours"),
                    none(),
                    Span::plain("deleted"),
                );
            }
            let plain = |words: &str| Span::plain(words);
            match &it.outcome {
                NextOutcome::Invalid { reason } => {
                    row(
                        Span::with("invalid", Role::Bad),
                        none(),
                        none(),
                        none(),
                        plain(reason),
                    );
                }
                NextOutcome::Unknown { reason } => {
                    row(
                        Span::with("unknown", Role::Attention),
                        none(),
                        none(),
                        none(),
                        plain(reason),
                    );
                }
                NextOutcome::Created => row(plain("new"), none(), none(), none(), plain("created")),
                NextOutcome::Deleted => {
                    let words = plain("deleted: the new manifest has it no more");
                    row(plain("deleted"), none(), none(), none(), words);
                }
                NextOutcome::Kept => {
                    let words = plain("stays by helm.sh/resource-policy, and leaves the release");
                    row(plain("kept"), none(), none(), none(), words);
                }
                NextOutcome::Unchanged | NextOutcome::Changed | NextOutcome::Conflict => {}
            }
        }
    }
    for row in rows.into_iter().take(FIELDS_SHOWN) {
        table.row(row);
    }
    table
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::ids::Revision;
    use crate::domain::object::ObjectRef;
    use crate::domain::release::ChartRef;
    use crate::domain::shadow::{Conflict, NextFacts, judge_next};
    use crate::render::{Format, Frame};

    fn object(kind: &str, name: &str, outcome: NextOutcome) -> NextObject {
        let object = ObjectRef {
            api_version: "apps/v1".into(),
            kind: kind.into(),
            namespace: Some("shop".into()),
            name: name.into(),
        };
        NextObject::plain(object, outcome)
    }

    fn upgrade(release: &str, server_side: bool, objects: Vec<NextObject>) -> NextUpgrade {
        let facts = NextFacts {
            release: release.parse().unwrap(),
            chart: ChartRef {
                name: "checkout".into(),
                version: "3.4.0".into(),
            },
            revision: Revision(14),
            last_status: "deployed".into(),
            has_deployed: true,
            server_side,
        };
        judge_next(facts, objects)
    }

    /// Two releases: one that passes, one that does not.
    pub(crate) fn acme() -> Vec<NextUpgrade> {
        let mut web = object("Deployment", "checkout", NextOutcome::Conflict);
        web.conflicts = vec![Conflict {
            field: ".spec.replicas".into(),
            owner: "kube-controller-manager/scale".into(),
            since: Some("2026-11-22T15:09:31Z".parse().unwrap()),
            theirs: Some("7".into()),
            ours: Some("4".into()),
        }];
        let mut drop = object("ConfigMap", "settings", NextOutcome::Changed);
        drop.drops = vec![".data.old".into()];
        vec![
            upgrade(
                "eu-2/shop/checkout",
                true,
                vec![object("Deployment", "checkout", NextOutcome::Changed)],
            ),
            upgrade(
                "eu-1/shop/checkout",
                false,
                vec![web, drop, object("Service", "old", NextOutcome::Deleted)],
            ),
        ]
    }

    #[test]
    fn what_fails_comes_first_and_each_field_has_a_row() {
        let upgrades = acme();
        let screen = NextScreen {
            fleet: "acme",
            manifest: "next.yaml",
            hooks: 1,
            taken_at: "2026-11-23T10:00:00Z".parse().unwrap(),
            upgrades: &upgrades,
            unread: &BTreeMap::new(),
            clusters: 2,
            dry_runs: 0,
            took: SignedDuration::from_millis(400),
            from: None,
            tool: "0.1.0",
        };
        assert!(screen.has_findings());
        let printed = screen
            .document()
            .print(Format::Table, None, &Frame::PIPE, &Frame::PIPE)
            .unwrap();
        assert_eq!(
            printed.stdout,
            "\
CLUSTER   NAMESPACE   RELEASE    OUTCOME       OBJECTS   CONFLICTS   CHANGED   NEW   DELETED   DROPS   CAUSE
eu-1      shop        checkout   NeedsChoice   3         1           1         0     1         1       active-conflict
eu-2      shop        checkout   Ready         1         0           1         0     0         0       <none>

RELEASE              OBJECT                TYPE       FIELD            OWNER                           DETAIL
eu-1/shop/checkout   deployment/checkout   conflict   .spec.replicas   kube-controller-manager/scale   7 -> 4
eu-1/shop/checkout   configmap/settings    drop       .data.old        ours                            deleted
eu-1/shop/checkout   service/old           deleted    <none>           <none>                          deleted: the new manifest has it no more
"
        );
        assert_eq!(
            printed.stderr,
            "\
1 of 2 upgrades would fail: 1 conflict, 0 invalid; 0 created, 1 deleted; 2 clusters, 0.4s, 0 writes.
1 release still on client-side apply: this is what helm upgrade --server-side=true would meet there.
1 hook of the manifest not forecast.
Next: refit fields eu-1/shop/deployment/checkout   who owns what of it
"
        );
    }

    #[test]
    fn what_cannot_be_told_is_no_failure_and_the_file_is_named() {
        let unknown = NextOutcome::Unknown {
            reason: "only its name is there".into(),
        };
        let mut upgrades = acme();
        upgrades.push(upgrade(
            "eu-3/shop/checkout",
            true,
            vec![object("ConfigMap", "ca", unknown)],
        ));
        let screen = NextScreen {
            fleet: "acme",
            manifest: "next.yaml",
            hooks: 0,
            taken_at: "2026-11-23T10:00:00Z".parse().unwrap(),
            upgrades: &upgrades,
            unread: &BTreeMap::new(),
            clusters: 3,
            dry_runs: 0,
            took: SignedDuration::from_millis(400),
            from: Some("acme.inv.json".into()),
            tool: "0.1.0",
        };
        assert_eq!(screen.document().to_json()["summary"]["unknown"], 1);
        let printed = screen
            .document()
            .print(Format::Table, None, &Frame::PIPE, &Frame::PIPE)
            .unwrap();
        let lines: Vec<&str> = printed.stderr.lines().take(2).collect();
        assert_eq!(
            lines,
            [
                "1 of 3 upgrades would fail, 1 cannot be told: 1 conflict, 0 invalid; 0 created, 1 deleted; 3 clusters, from acme.inv.json of 2026-11-23T10:00Z, 0.4s, 0 writes.",
                "Of values of Secrets a saved inventory holds digests: they count as changed.",
            ]
        );
    }
}
