//! Order inside a run: a release begins when those that it needs are migrated, and not at all if they never will be.
//!
//! Nobody waits in a circle: the plan has every release after those that it needs, each cluster begins its releases in the
//! plan's order, and so the first release of a wave that is not at its end waits for nobody.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch;

use crate::domain::ids::{ClusterName, ReleaseId};
use crate::domain::plan::{Plan, PlannedRelease};
use crate::domain::run::Outcome;

/// How a release stands towards those that need it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// Migrated.
    Done,
    /// This plan will not migrate it.
    Never(String),
    /// It may be migrated when the run is gone on with.
    Later(String),
}

/// May a release begin?
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All that it needs is migrated.
    Go,
    /// It is handed back.
    Never(String),
    /// It stays as it is, for the next time.
    Later(String),
}

/// Ends of all releases that others need.
pub(super) struct Needs<'a> {
    ends: BTreeMap<&'a ReleaseId, watch::Sender<Option<End>>>,
}

impl<'a> Needs<'a> {
    /// `todo` are the releases that this process works on, on clusters for which `reachable` says yes; `earlier` is what came
    /// of releases before.
    pub(super) fn of(
        plan: &'a Plan,
        todo: &BTreeSet<ReleaseId>,
        earlier: &BTreeMap<ReleaseId, Outcome>,
        reachable: &dyn Fn(&ClusterName) -> bool,
    ) -> Self {
        let releases = plan.waves.iter().flat_map(|wave| &wave.releases);
        let needed = releases.flat_map(|planned| &planned.needs);
        let mut ends = BTreeMap::new();
        for release in needed {
            ends.entry(release).or_insert_with(|| {
                let end = if todo.contains(release) && reachable(&release.cluster) {
                    None
                } else {
                    let end = earlier
                        .get(release)
                        .map(|outcome| end(release, Some(outcome)));
                    Some(end.unwrap_or_else(|| {
                        End::Later(format!(
                            "it needs {release}, which is not part of this call"
                        ))
                    }))
                };
                watch::Sender::new(end)
            });
        }
        Self { ends }
    }

    /// Waits until all that the release needs has ended. Cancel-safe.
    pub(super) async fn wait(&self, planned: &PlannedRelease) -> Verdict {
        let mut later = None;
        for need in &planned.needs {
            let Some(sender) = self.ends.get(need) else {
                continue;
            };
            let mut receiver = sender.subscribe();
            let end = receiver.wait_for(Option::is_some).await;
            match end.ok().and_then(|end| end.clone()) {
                Some(End::Done) => {}
                Some(End::Never(why)) => return Verdict::Never(why),
                Some(End::Later(why)) => later = Some(why),
                // The sender lives as long as this.
                None => later = Some(format!("it needs {need}, whose end is not known")),
            }
        }
        later.map_or(Verdict::Go, Verdict::Later)
    }

    /// Says how a release ended; none: it was not begun, or is left open.
    pub(super) fn ended(&self, release: &ReleaseId, outcome: Option<&Outcome>) {
        if let Some(sender) = self.ends.get(release) {
            sender.send_replace(Some(end(release, outcome)));
        }
    }
}

fn end(release: &ReleaseId, outcome: Option<&Outcome>) -> End {
    let why = |what: &str| format!("it needs {release}, which {what}");
    match outcome {
        Some(Outcome::Done) => End::Done,
        Some(outcome @ (Outcome::Stale { .. } | Outcome::Held { .. })) => {
            End::Never(why(&format!("was handed back ({})", outcome.word())))
        }
        Some(Outcome::MovedOn { .. }) => End::Never(why("somebody else went on with")),
        Some(Outcome::Undone { .. }) => End::Later(why("was put back")),
        Some(Outcome::Busy { .. }) => End::Later(why("somebody holds")),
        Some(Outcome::Stuck { .. }) => End::Later(why("is stuck")),
        None => End::Later(why("is not migrated yet")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn id(name: &str) -> ReleaseId {
        format!("eu-1/shop/{name}").parse().unwrap()
    }

    fn planned(name: &str, needs: &[&str]) -> PlannedRelease {
        let json = serde_json::json!({
            "release": id(name).to_string(),
            "chart": {"name": "web", "version": "1"},
            "driver": "secret",
            "revision": 1,
            "recordUid": "u",
            "objects": 1,
            "writes": 4,
            "reason": "test",
            "needs": needs.iter().map(|need| id(need).to_string()).collect::<Vec<_>>(),
        });
        serde_json::from_value(json).unwrap()
    }

    fn needs<'a>(names: &'a [ReleaseId], known: &[(&str, Outcome)]) -> Needs<'a> {
        let ends = names.iter().map(|name| (name, watch::Sender::new(None)));
        let needs = Needs {
            ends: ends.collect(),
        };
        for (name, outcome) in known {
            needs.ended(&id(name), Some(outcome));
        }
        needs
    }

    #[tokio::test(start_paused = true)]
    async fn a_release_waits_for_all_that_it_needs() {
        let names = [id("a"), id("b")];
        let needs = needs(&names, &[("a", Outcome::Done)]);
        let web = planned("web", &["a", "b"]);
        let early = tokio::time::timeout(Duration::from_secs(3_600), needs.wait(&web)).await;
        assert!(early.is_err(), "{early:?}");
        needs.ended(&id("b"), Some(&Outcome::Done));
        assert_eq!(needs.wait(&web).await, Verdict::Go);
        assert_eq!(needs.wait(&planned("free", &[])).await, Verdict::Go);
    }

    #[tokio::test]
    async fn what_is_handed_back_takes_its_dependents_along() {
        let names = [id("a"), id("b")];
        let web = planned("web", &["a", "b"]);
        let undone = Outcome::Undone {
            why: "x".to_owned(),
        };
        let held = Outcome::Held {
            why: "x".to_owned(),
        };
        let both = needs(&names, &[("a", undone.clone()), ("b", held)]);
        let Verdict::Never(why) = both.wait(&web).await else {
            panic!("it may begin");
        };
        assert_eq!(why, "it needs eu-1/shop/b, which was handed back (Held)");
        let one = needs(&names, &[("a", undone), ("b", Outcome::Done)]);
        assert!(matches!(one.wait(&web).await, Verdict::Later(_)));
    }
}
