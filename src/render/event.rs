//! Events in words: one line each where there is no terminal, and as NDJSON.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::screen::run::{side_words, totals_text};
use super::{API_VERSION, text};
use crate::domain::run_event::{Event, What};

/// Width of column TIME.
const TIME: usize = 20;
/// Width of column WAVE: `<none>`.
const WAVE: usize = 6;
/// Width of column EVENT: the longest word.
const WORD: usize = 17;

/// The plain form: fixed columns, nothing rewritten.
#[derive(Debug, Clone, Copy)]
pub struct PlainLog {
    cluster: usize,
}

impl PlainLog {
    /// For a run over these clusters: their longest name is the width of column CLUSTER.
    pub fn new<'a>(clusters: impl IntoIterator<Item = &'a str>) -> Self {
        let widest = clusters.into_iter().map(text::width).max().unwrap_or(0);
        Self {
            cluster: widest.max("CLUSTER".len()),
        }
    }

    /// The heads, with a line end.
    pub fn heads(self) -> String {
        self.line("TIME", "WAVE", "CLUSTER", "EVENT", "DETAIL")
    }

    /// An event, with a line end.
    pub fn event(self, event: &Event) -> String {
        let wave = event
            .wave
            .map_or_else(|| "<none>".to_owned(), |wave| wave.to_string());
        self.line(
            &text::time(event.time),
            &wave,
            event
                .cluster
                .as_ref()
                .map_or("<all>", |cluster| cluster.as_str()),
            event.what.word(),
            &message(&event.what),
        )
    }

    /// A heartbeat: the run lives, and this is what it does or waits for.
    pub fn heartbeat(
        self,
        now: Timestamp,
        wave: Option<u32>,
        cluster: Option<&str>,
        words: &str,
    ) -> String {
        let wave = wave.map_or_else(|| "<none>".to_owned(), |wave| wave.to_string());
        self.line(
            &text::time(now),
            &wave,
            cluster.unwrap_or("<all>"),
            "Heartbeat",
            words,
        )
    }

    fn line(self, time: &str, wave: &str, cluster: &str, word: &str, detail: &str) -> String {
        let cluster = text::cell(cluster, false);
        let pad = self.cluster.saturating_sub(text::width(&cluster));
        format!(
            "{time:<TIME$}   {wave:<WAVE$}   {cluster}{}   {word:<WORD$}   {}\n",
            " ".repeat(pad),
            text::cell(detail, true),
        )
    }
}

/// An event as one line of NDJSON, with a line end.
pub fn ndjson(event: &Event) -> String {
    let mut value = json!(event);
    if let Value::Object(map) = &mut value {
        map.insert("apiVersion".to_owned(), json!(API_VERSION));
        map.insert("kind".to_owned(), json!("Event"));
        map.insert("message".to_owned(), json!(message(&event.what)));
    }
    format!("{value}\n")
}

fn seconds(seconds: f64) -> String {
    text::duration(
        SignedDuration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(SignedDuration::MAX),
    )
}

/// What happened, in words; releases without their cluster, which stands beside it.
pub fn message(what: &What) -> String {
    let name =
        |release: &crate::domain::ids::ReleaseId| format!("{}/{}", release.namespace, release.name);
    match what {
        What::RunStarted {
            plan,
            resumed,
            waves,
        } => format!(
            "{} of plan {}: {} in {}, {}",
            if *resumed { "goes on" } else { "start" },
            text::short_digest(plan.as_str()),
            text::counted(
                waves.iter().map(|it| u64::from(it.releases)).sum::<u64>(),
                "release"
            ),
            text::counted(text::len(waves), "wave"),
            text::counted(
                waves.iter().map(|it| u64::from(it.writes)).sum::<u64>(),
                "write"
            ),
        ),
        What::WaveStarted { name, clusters } => format!(
            "{name}: {}, {}, {}",
            text::counted(
                clusters
                    .iter()
                    .map(|it| u64::from(it.releases))
                    .sum::<u64>(),
                "release"
            ),
            text::counted(text::len(clusters), "cluster"),
            text::counted(
                clusters.iter().map(|it| u64::from(it.writes)).sum::<u64>(),
                "write"
            ),
        ),
        What::ReleaseStarted { release, objects } => {
            format!("{}: {}", name(release), text::counted(*objects, "object"))
        }
        What::ReleaseMigrated {
            release,
            objects,
            revision,
            writes,
            seconds: took,
        } => format!(
            "{}: {}, {}, {}, revision {revision}",
            name(release),
            text::counted(*objects, "object"),
            text::counted(*writes, "write"),
            seconds(*took)
        ),
        What::ReleaseHandedBack {
            release,
            outcome,
            why,
        } => {
            format!("{}: {outcome}, nothing done: {why}", name(release))
        }
        What::ReleaseUndone {
            release,
            why,
            writes,
            seconds: took,
        } => format!(
            "{}: put back as it was ({}, {}): {why}",
            name(release),
            text::counted(*writes, "write"),
            seconds(*took)
        ),
        What::ReleaseMovedOn {
            release,
            why,
            settled,
        } => {
            let rest = if *settled { "" } else { "; not settled yet" };
            format!("{}: {why}{rest}", name(release))
        }
        What::ReleaseStuck { release, why, side } => {
            format!("{}: {why}; {}", name(release), side_words(*side))
        }
        What::LockSwept { release } => format!("{}: a late lock was removed", name(release)),
        What::Waiting { why, until } => match until {
            Some(until) => format!("{why}, until {}", text::time(*until)),
            None => why.clone(),
        },
        What::Throttled {
            why,
            writes_per_second,
            until,
        } => {
            let until = until.map_or_else(String::new, |at| {
                format!(", faster again {}", text::time(at))
            });
            format!("{why}: {writes_per_second:.1} writes/s from now on{until}")
        }
        What::BudgetSpent {
            budget,
            allowed,
            counted,
            then,
        } => {
            format!("{budget}: {allowed} allowed, {counted} {budget}; {then}")
        }
        What::WaveDone {
            totals,
            seconds: took,
        } => {
            format!("{} in {}", totals_text(totals), seconds(*took))
        }
        What::Fenced { by } => format!("taken over by {by}: this process writes here no more"),
        What::Stopping { in_hand } => {
            format!(
                "asked to stop: finishing {} in hand",
                text::counted(*in_hand, "release")
            )
        }
        What::RunComplete { state, totals } => format!("{}: {}", state.word(), totals_text(totals)),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::ids::Revision;
    use crate::domain::report::{RunState, Totals};
    use crate::domain::run::Side;
    use crate::domain::run_event::Share;

    /// One event of each kind, in the order of a run.
    pub(crate) fn all() -> Vec<Event> {
        let release: crate::domain::ids::ReleaseId = "dev-1/shop/web".parse().unwrap();
        let totals = Totals {
            migrated: 23,
            undone: 4,
            open: 87,
            ..Totals::default()
        };
        let until = Some("2026-11-25T08:02:00Z".parse().unwrap());
        let whats = vec![
            What::RunStarted {
                plan: "9f31c2a4d8".into(),
                resumed: false,
                waves: vec![Share {
                    of: 2,
                    releases: 114,
                    writes: 1428,
                }],
            },
            What::WaveStarted {
                name: "non-prod".into(),
                clusters: vec![
                    Share {
                        of: "dev-1".into(),
                        releases: 60,
                        writes: 800,
                    },
                    Share {
                        of: "stage-us".into(),
                        releases: 54,
                        writes: 628,
                    },
                ],
            },
            What::ReleaseStarted {
                release: release.clone(),
                objects: 9,
            },
            What::ReleaseMigrated {
                release: release.clone(),
                objects: 9,
                revision: Revision(32),
                writes: 12,
                seconds: 3.12,
            },
            What::ReleaseHandedBack {
                release: release.clone(),
                outcome: "Held".into(),
                why: "driven by flux".into(),
            },
            What::ReleaseUndone {
                release: release.clone(),
                why: "Deployment/web refused by a webhook".into(),
                writes: 4,
                seconds: 1.0,
            },
            What::ReleaseMovedOn {
                release: release.clone(),
                why: "upgraded by Helm 4".into(),
                settled: false,
            },
            What::ReleaseStuck {
                release: release.clone(),
                why: "forbidden: patch secrets".into(),
                side: Side::Between,
            },
            What::LockSwept { release },
            What::Waiting {
                why: "the undo's lock dwells".into(),
                until,
            },
            What::Throttled {
                why: "3 x 429 from the server".into(),
                writes_per_second: 2.1,
                until,
            },
            What::BudgetSpent {
                budget: "undone".into(),
                allowed: 3,
                counted: 4,
                then: "stop".into(),
            },
            What::WaveDone {
                totals,
                seconds: 84.0,
            },
            What::Fenced {
                by: "ada@bastion-2".into(),
            },
            What::Stopping { in_hand: 2 },
            What::RunComplete {
                state: RunState::Stopped,
                totals,
            },
        ];
        whats
            .into_iter()
            .zip(1..)
            .map(|(what, seq)| Event {
                time: "2026-11-25T08:01:00Z".parse().unwrap(),
                run: "run-7k3f".into(),
                seq,
                wave: (!matches!(what, What::RunStarted { .. } | What::RunComplete { .. }))
                    .then_some(2),
                cluster: what.release().map(|release| release.cluster.clone()),
                what,
            })
            .collect()
    }

    #[test]
    fn the_plain_form() {
        let log = PlainLog::new(["dev-1", "stage-us"]);
        let text: String = std::iter::once(log.heads())
            .chain(all().iter().map(|event| log.event(event)))
            .collect();
        assert_eq!(
            text,
            "\
TIME                   WAVE     CLUSTER    EVENT               DETAIL
2026-11-25T08:01:00Z   <none>   <all>      RunStarted          start of plan sha256:9f31c2a4: 114 releases in 1 wave, 1,428 writes
2026-11-25T08:01:00Z   2        <all>      WaveStarted         non-prod: 114 releases, 2 clusters, 1,428 writes
2026-11-25T08:01:00Z   2        dev-1      ReleaseStarted      shop/web: 9 objects
2026-11-25T08:01:00Z   2        dev-1      ReleaseMigrated     shop/web: 9 objects, 12 writes, 3.1s, revision 32
2026-11-25T08:01:00Z   2        dev-1      ReleaseHandedBack   shop/web: Held, nothing done: driven by flux
2026-11-25T08:01:00Z   2        dev-1      ReleaseUndone       shop/web: put back as it was (4 writes, 1.0s): Deployment/web refused by a webhook
2026-11-25T08:01:00Z   2        dev-1      ReleaseMovedOn      shop/web: upgraded by Helm 4; not settled yet
2026-11-25T08:01:00Z   2        dev-1      ReleaseStuck        shop/web: forbidden: patch secrets; partly moved, its record says client-side apply
2026-11-25T08:01:00Z   2        dev-1      LockSwept           shop/web: a late lock was removed
2026-11-25T08:01:00Z   2        <all>      Waiting             the undo's lock dwells, until 2026-11-25T08:02:00Z
2026-11-25T08:01:00Z   2        <all>      Throttled           3 x 429 from the server: 2.1 writes/s from now on, faster again 2026-11-25T08:02:00Z
2026-11-25T08:01:00Z   2        <all>      BudgetSpent         undone: 3 allowed, 4 undone; stop
2026-11-25T08:01:00Z   2        <all>      WaveDone            23 migrated, 0 handed back, 4 undone, 87 not finished in 1m24s
2026-11-25T08:01:00Z   2        <all>      Fenced              taken over by ada@bastion-2: this process writes here no more
2026-11-25T08:01:00Z   2        <all>      Stopping            asked to stop: finishing 2 releases in hand
2026-11-25T08:01:00Z   <none>   <all>      RunComplete         Stopped: 23 migrated, 0 handed back, 4 undone, 87 not finished
"
        );
    }

    #[test]
    fn ndjson_is_one_document_a_line_and_reads_back() {
        for event in all() {
            let line = ndjson(&event);
            assert_eq!(line.matches('\n').count(), 1);
            let value: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(value["kind"], "Event");
            assert_eq!(value["reason"], event.what.word());
            assert!(!value["message"].as_str().unwrap().is_empty());
            assert_eq!(serde_json::from_value::<Event>(value).unwrap(), event);
        }
    }

    #[test]
    fn a_foreign_message_stays_on_its_line() {
        let mut event = all().remove(4);
        event.what = What::Waiting {
            why: "a\nb\u{1b}[2J".into(),
            until: None,
        };
        let line = PlainLog::new([]).event(&event);
        assert_eq!(line.matches('\n').count(), 1);
        assert!(!line.contains('\u{1b}'));
    }
}
