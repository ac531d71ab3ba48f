//! Helm's next upgrade of a release: what a server-side apply of another manifest would meet.
//!
//! Here are the words and the verdict; [`super::offline::next`] computes one object's part.

use serde::{Deserialize, Serialize};

use super::{Conflict, Reason, ReleaseOutcome};
use crate::domain::ids::{ReleaseId, Revision};
use crate::domain::object::ObjectRef;
use crate::domain::release::ChartRef;

/// What becomes of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum NextOutcome {
    /// Applied, and nothing but ownership changes.
    Unchanged,
    /// Applied, and values change.
    Changed,
    /// The apply is a 409: others own fields that would change.
    Conflict,
    /// Not on the cluster: Helm creates it.
    Created,
    /// In the old manifest and not in the new one: Helm deletes it.
    Deleted,
    /// The same, but the live object's `helm.sh/resource-policy: keep` holds it.
    Kept,
    /// The server or Helm refuses it.
    Invalid {
        /// In their words, as far as they are known.
        reason: String,
    },
    /// Only the upgrade itself can tell.
    Unknown {
        /// Why.
        reason: String,
    },
}

impl NextOutcome {
    /// Its word, as in JSON.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Unchanged => "Unchanged",
            Self::Changed => "Changed",
            Self::Conflict => "Conflict",
            Self::Created => "Created",
            Self::Deleted => "Deleted",
            Self::Kept => "Kept",
            Self::Invalid { .. } => "Invalid",
            Self::Unknown { .. } => "Unknown",
        }
    }
}

/// One object of the next upgrade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NextObject {
    /// Which.
    pub object: ObjectRef,
    /// What becomes of it.
    pub outcome: NextOutcome,
    /// Fields of others that would change: the causes of the 409.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
    /// Paths whose values change if nothing is in conflict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// Fields that Helm owns, the new manifest does not name, and the apply deletes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drops: Vec<String>,
}

impl NextObject {
    /// An object of which nothing more is to be said.
    pub const fn plain(object: ObjectRef, outcome: NextOutcome) -> Self {
        Self {
            object,
            outcome,
            conflicts: Vec::new(),
            changes: Vec::new(),
            drops: Vec::new(),
        }
    }
}

/// Cause of a release with an object that cannot be foretold.
const UNKNOWN: &str = "unknown";

/// What is known of a release before its objects are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextFacts {
    /// Which.
    pub release: ReleaseId,
    /// The last revision's chart.
    pub chart: ChartRef,
    /// The last revision.
    pub revision: Revision,
    /// Its status, as Helm writes it.
    pub last_status: String,
    /// Is a revision deployed?
    pub has_deployed: bool,
    /// Does the last revision say `ssa`? Else Helm stays client-side unless it is told.
    pub server_side: bool,
}

/// The forecast of a release's next upgrade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NextUpgrade {
    /// Which.
    pub release: ReleaseId,
    /// Its chart today.
    pub chart: ChartRef,
    /// The last revision.
    pub revision: Revision,
    /// Does the last revision say `ssa`?
    pub server_side: bool,
    /// `Ready`: it passes. `NeedsChoice`: it fails on conflicts, or only it can tell. `Blocked`: it is refused.
    pub outcome: ReleaseOutcome,
    /// Why, gravest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Its objects: those of the new manifest in Helm's install order, then those that go.
    pub objects: Vec<NextObject>,
}

impl NextUpgrade {
    /// Anything in the way?
    pub fn is_held(&self) -> bool {
        self.outcome != ReleaseOutcome::Ready
    }

    /// Is nothing in the way but what only the upgrade itself can tell?
    pub fn is_untold(&self) -> bool {
        self.is_held() && self.reasons.iter().all(|reason| reason.cause == UNKNOWN)
    }
}

/// The verdict on a release's next upgrade.
pub fn judge_next(facts: NextFacts, objects: Vec<NextObject>) -> NextUpgrade {
    let reason = |cause: &str, object: Option<&ObjectRef>, detail: String| Reason {
        cause: cause.to_owned(),
        object: object.cloned(),
        detail,
    };
    let mut blocked = Vec::new();
    let mut choices = Vec::new();
    let status = &facts.last_status;
    if status.starts_with("pending-") || status == "uninstalling" {
        let detail = format!("the last revision is {status}: Helm refuses another operation");
        blocked.push(reason(status, None, detail));
    } else if !facts.has_deployed {
        let detail =
            format!("no revision is deployed (the last is {status}): Helm refuses to upgrade");
        blocked.push(reason("no-deployed-revision", None, detail));
    }
    for it in &objects {
        let about = Some(&it.object);
        match &it.outcome {
            NextOutcome::Invalid { reason: words } => {
                blocked.push(reason("invalid-manifest", about, words.clone()));
            }
            NextOutcome::Conflict => {
                let mut owners: Vec<&str> = it.conflicts.iter().map(|it| &*it.owner).collect();
                owners.sort_unstable();
                owners.dedup();
                let detail = format!("the upgrade meets a 409 with {}", owners.join(", "));
                choices.push(reason("active-conflict", about, detail));
            }
            NextOutcome::Unknown { reason: words } => {
                choices.push(reason(UNKNOWN, about, words.clone()));
            }
            _ => {}
        }
    }
    let outcome = match (blocked.is_empty(), choices.is_empty()) {
        (false, _) => ReleaseOutcome::Blocked,
        (true, false) => ReleaseOutcome::NeedsChoice,
        (true, true) => ReleaseOutcome::Ready,
    };
    blocked.extend(choices);
    NextUpgrade {
        release: facts.release,
        chart: facts.chart,
        revision: facts.revision,
        server_side: facts.server_side,
        outcome,
        reasons: blocked,
        objects,
    }
}

/// What makes Helm refuse to take a live object into a release that did not have it: `None` if it is the release's own by
/// label and annotations (upstream helm v4 `pkg/action/validate.go`).
pub fn refuses_import(live: &serde_json::Value, release: &ReleaseId) -> Option<String> {
    let at = |pointer: &str| live.pointer(pointer).and_then(serde_json::Value::as_str);
    let marks = [
        (
            "label",
            "app.kubernetes.io/managed-by",
            at("/metadata/labels/app.kubernetes.io~1managed-by"),
            "Helm",
        ),
        (
            "annotation",
            "meta.helm.sh/release-name",
            at("/metadata/annotations/meta.helm.sh~1release-name"),
            release.name.as_str(),
        ),
        (
            "annotation",
            "meta.helm.sh/release-namespace",
            at("/metadata/annotations/meta.helm.sh~1release-namespace"),
            release.namespace.as_str(),
        ),
    ];
    let wrong: Vec<String> = marks
        .into_iter()
        .filter(|(_, _, found, wanted)| *found != Some(wanted))
        .map(|(sort, key, found, wanted)| match found {
            Some(found) => format!("{sort} {key} is \"{found}\", not \"{wanted}\""),
            None => format!("{sort} {key} is missing, must be \"{wanted}\""),
        })
        .collect();
    (!wrong.is_empty()).then(|| {
        format!(
            "exists and cannot be imported into the release: {}",
            wrong.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts(status: &str) -> NextFacts {
        NextFacts {
            release: "eu-1/shop/web".parse().unwrap(),
            chart: ChartRef {
                name: "web".into(),
                version: "1.0.0".into(),
            },
            revision: Revision(3),
            last_status: status.into(),
            has_deployed: status == "deployed",
            server_side: false,
        }
    }

    fn object(outcome: NextOutcome) -> NextObject {
        let object = ObjectRef {
            api_version: "v1".into(),
            kind: "ConfigMap".into(),
            namespace: Some("shop".into()),
            name: "a".into(),
        };
        NextObject::plain(object, outcome)
    }

    #[test]
    fn the_gravest_wins_and_comes_first() {
        let words = |facts, outcomes: Vec<NextOutcome>| {
            let made = judge_next(facts, outcomes.into_iter().map(object).collect());
            let causes: Vec<String> = made.reasons.iter().map(|it| it.cause.clone()).collect();
            (made.outcome, causes.join(" "))
        };
        let refused = || NextOutcome::Invalid {
            reason: "no".into(),
        };
        let unknown = NextOutcome::Unknown { reason: "?".into() };
        assert_eq!(
            words(
                facts("deployed"),
                vec![
                    NextOutcome::Changed,
                    NextOutcome::Created,
                    NextOutcome::Deleted
                ]
            ),
            (ReleaseOutcome::Ready, String::new())
        );
        assert_eq!(
            words(facts("deployed"), vec![NextOutcome::Conflict, unknown]),
            (
                ReleaseOutcome::NeedsChoice,
                "active-conflict unknown".into()
            )
        );
        assert_eq!(
            words(facts("deployed"), vec![NextOutcome::Conflict, refused()]),
            (
                ReleaseOutcome::Blocked,
                "invalid-manifest active-conflict".into()
            )
        );
        assert_eq!(
            words(facts("pending-upgrade"), vec![]),
            (ReleaseOutcome::Blocked, "pending-upgrade".into())
        );
        assert_eq!(
            words(facts("failed"), vec![]),
            (ReleaseOutcome::Blocked, "no-deployed-revision".into())
        );
    }

    #[test]
    fn only_the_releases_own_object_may_be_imported() {
        let release: ReleaseId = "eu-1/shop/web".parse().unwrap();
        let mut live = json!({"metadata": {
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
            "annotations": {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop"},
        }});
        assert_eq!(refuses_import(&live, &release), None);
        live["metadata"]["annotations"]["meta.helm.sh/release-name"] = json!("other");
        let words = refuses_import(&live, &release).unwrap();
        assert!(
            words.contains("release-name is \"other\", not \"web\""),
            "{words}"
        );
        let words = refuses_import(&json!({}), &release).unwrap();
        assert!(words.contains("managed-by is missing"), "{words}");
    }
}
