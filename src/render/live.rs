//! The live view of a run as a value: events folded into counters, and the counters into lines.
//!
//! | decisions (here) | effects ([`progress`](super::progress)) |
//! |---|---|
//! | event → [`LiveView`], [`LiveView::lines`] at a time and width | drawing the lines at most four times a second |

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::document::line_text;
use super::paint::Span;
use super::table::{Column, Cut, Frame, Table};
use super::text;
use crate::domain::fleet::natural_order;
use crate::domain::ids::{ClusterName, ReleaseId};
use crate::domain::run_event::{Event, What};

/// More clusters than this, and those that are done fold into one line.
const CLUSTERS_SHOWN: usize = 12;

/// Releases in hand that are named.
const IN_HAND_SHOWN: usize = 3;

/// A counter of releases and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Progress {
    ended: u64,
    releases: u64,
    writes: u64,
    writes_planned: u64,
}

/// Why a cluster does not go at full speed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Brake {
    word: &'static str,
    why: String,
    until: Option<Timestamp>,
}

#[derive(Debug, Clone, Default)]
struct Cluster {
    progress: Progress,
    started: Option<Timestamp>,
    brake: Option<Brake>,
    troubles: u64,
}

/// Where a run is, as its events tell.
#[derive(Debug, Clone, Default)]
pub struct LiveView {
    fleet: String,
    run: String,
    total: Progress,
    waves: BTreeMap<u32, Progress>,
    wave: Option<(u32, String)>,
    clusters: BTreeMap<ClusterName, Cluster>,
    in_hand: BTreeSet<ReleaseId>,
    waiting: Option<Brake>,
    undone: u64,
    handed_back: u64,
    stuck: u64,
    stopping: bool,
}

impl LiveView {
    /// A run of which nothing is known yet.
    pub fn new(fleet: impl Into<String>, run: impl Into<String>) -> Self {
        Self {
            fleet: fleet.into(),
            run: run.into(),
            ..Self::default()
        }
    }

    /// Folds one event in.
    pub fn apply(&mut self, event: &Event) {
        if !matches!(event.what, What::Waiting { .. }) {
            self.waiting = None;
        }
        match &event.what {
            What::RunStarted { waves, .. } => {
                for share in waves {
                    let planned = Progress {
                        releases: u64::from(share.releases),
                        writes_planned: u64::from(share.writes),
                        ..Progress::default()
                    };
                    self.total.releases += planned.releases;
                    self.total.writes_planned += planned.writes_planned;
                    self.waves.insert(share.of, planned);
                }
            }
            What::WaveStarted { name, clusters } => {
                self.wave = event.wave.map(|number| (number, name.clone()));
                self.clusters.clear();
                for share in clusters {
                    let cluster = Cluster {
                        progress: Progress {
                            releases: u64::from(share.releases),
                            writes_planned: u64::from(share.writes),
                            ..Progress::default()
                        },
                        ..Cluster::default()
                    };
                    self.clusters.insert(share.of.clone(), cluster);
                }
            }
            What::ReleaseStarted { release, .. } => {
                self.in_hand.insert(release.clone());
                let cluster = self.clusters.entry(release.cluster.clone()).or_default();
                cluster.started.get_or_insert(event.time);
                if cluster
                    .brake
                    .as_ref()
                    .is_some_and(|brake| brake.word == "Waiting")
                {
                    cluster.brake = None;
                }
            }
            What::ReleaseMigrated {
                release, writes, ..
            } => self.ended(event, release, *writes, false),
            What::ReleaseUndone {
                release, writes, ..
            } => {
                self.undone += 1;
                self.ended(event, release, *writes, true);
            }
            What::ReleaseHandedBack { release, .. } | What::ReleaseMovedOn { release, .. } => {
                self.handed_back += 1;
                self.ended(event, release, 0, false);
            }
            What::ReleaseStuck { release, .. } => {
                self.stuck += 1;
                self.ended(event, release, 0, true);
            }
            What::Waiting { why, until } => self.brake(event, "Waiting", why, *until),
            What::Throttled {
                why,
                writes_per_second,
                until,
            } => {
                let why = format!("{why}; {writes_per_second:.1} writes/s");
                self.brake(event, "Slowed", &why, *until);
            }
            What::Stopping { .. } => self.stopping = true,
            What::Fenced { by } => {
                self.brake(event, "LockHeld", &format!("taken over by {by}"), None);
            }
            What::LockSwept { .. }
            | What::BudgetSpent { .. }
            | What::WaveDone { .. }
            | What::RunComplete { .. } => {}
        }
    }

    fn ended(&mut self, event: &Event, release: &ReleaseId, writes: u32, trouble: bool) {
        self.in_hand.remove(release);
        let cluster = self.clusters.entry(release.cluster.clone()).or_default();
        cluster.troubles += u64::from(trouble);
        let wave = event.wave.and_then(|number| self.waves.get_mut(&number));
        for progress in [Some(&mut self.total), wave, Some(&mut cluster.progress)]
            .into_iter()
            .flatten()
        {
            progress.ended += 1;
            progress.writes += u64::from(writes);
        }
    }

    fn brake(&mut self, event: &Event, word: &'static str, why: &str, until: Option<Timestamp>) {
        let brake = Brake {
            word,
            why: why.to_owned(),
            until,
        };
        match &event.cluster {
            Some(name) => self.clusters.entry(name.clone()).or_default().brake = Some(brake),
            None => self.waiting = Some(brake),
        }
    }

    /// What the run does now, for a heartbeat.
    pub fn words(&self) -> String {
        if let Some(waiting) = &self.waiting {
            return brake_text(waiting);
        }
        let braked = self.clusters.iter().find_map(|(name, cluster)| {
            let brake = cluster.brake.as_ref()?;
            (cluster.progress.ended < cluster.progress.releases)
                .then(|| format!("; {name}: {}", brake_text(brake)))
        });
        format!(
            "{} of {} ended, {} in hand{}",
            text::count(self.total.ended),
            text::counted(self.total.releases, "release"),
            self.in_hand.len(),
            braked.unwrap_or_default(),
        )
    }

    /// The wave that the run is in.
    pub fn wave_number(&self) -> Option<u32> {
        self.wave.as_ref().map(|(number, _)| *number)
    }

    /// The view as lines without line ends, none wider than the frame.
    pub fn lines(&self, now: Timestamp, frame: &Frame) -> Vec<String> {
        let width = frame.width.unwrap_or(usize::MAX);
        let mut lines = vec![
            self.head(now),
            self.bar(width, frame.utf8),
            self.wave_line(),
        ];
        let mut out: Vec<String> = lines
            .drain(..)
            .map(|line| text::cut_end(&line, width, frame.utf8))
            .collect();
        if let Some(waiting) = &self.waiting {
            out.push(painted(
                &[
                    Span::state(waiting.word),
                    Span::plain(format!(" {}", waiting_rest(waiting))),
                ],
                frame,
            ));
        } else if !self.clusters.is_empty() {
            let (table, folded) = self.table(now);
            out.extend(table.render(frame).lines().map(str::to_owned));
            if folded > 0 {
                out.push(format!("{folded} more clusters are done"));
            }
        }
        let last = [
            self.in_hand_line(),
            format!(
                "so far   undone {}   handed back {}   stuck {}",
                self.undone, self.handed_back, self.stuck
            ),
            if self.stopping {
                "Stopping: the releases in hand are finished first. Ctrl-C again stops now; both are resumable.".to_owned()
            } else {
                format!(
                    "Ctrl-C finishes the releases in hand and stops, twice stops now; then: refit resume {}",
                    self.run
                )
            },
        ];
        out.extend(
            last.iter()
                .map(|line| text::cut_end(&text::one_line(line), width, frame.utf8)),
        );
        out
    }

    fn head(&self, now: Timestamp) -> String {
        let wave = match &self.wave {
            Some((number, name)) => format!("wave {number} of {} {name}", self.waves.len()),
            None => "before the first wave".to_owned(),
        };
        format!(
            "{}  {}  {wave}  {}  {} of {}",
            self.fleet,
            self.run,
            text::time(now),
            text::count(self.total.ended),
            text::counted(self.total.releases, "release"),
        )
    }

    fn bar(&self, width: usize, utf8: bool) -> String {
        const WIDEST: usize = 100;
        let share = text::percent(self.total.ended, self.total.releases);
        let room = width.min(WIDEST).saturating_sub(text::width(&share) + 2);
        let filled = match self.total.releases {
            0 => 0,
            all => {
                let room = u64::try_from(room).unwrap_or(u64::MAX);
                usize::try_from(self.total.ended.min(all) * room / all).unwrap_or(0)
            }
        };
        let (full, empty) = if utf8 { ("█", "░") } else { ("#", ".") };
        format!(
            "{}{}  {share}",
            full.repeat(filled),
            empty.repeat(room - filled)
        )
    }

    fn wave_line(&self) -> String {
        let parts: Vec<String> = self
            .waves
            .iter()
            .map(|(number, progress)| format!("{number}: {}/{}", progress.ended, progress.releases))
            .collect();
        parts.join("   ")
    }

    fn in_hand_line(&self) -> String {
        let mut names: Vec<String> = self
            .in_hand
            .iter()
            .take(IN_HAND_SHOWN)
            .map(ToString::to_string)
            .collect();
        if self.in_hand.len() > IN_HAND_SHOWN {
            names.push(format!("{} more", self.in_hand.len() - IN_HAND_SHOWN));
        }
        let words = if names.is_empty() {
            "<none>".to_owned()
        } else {
            names.join(", ")
        };
        format!("in hand  {words}")
    }

    /// Problems, braked, running, done; and how many of the done are left out.
    fn table(&self, now: Timestamp) -> (Table, usize) {
        let mut table = Table::new([
            Column::new("CLUSTER").at_most(24, Cut::Middle),
            Column::new("STATE"),
            Column::new("RELEASES"),
            Column::new("WRITES").narrow(2),
            Column::new("RATE").narrow(3),
            Column::new("ETA").narrow(1),
            Column::new("WHY"),
        ]);
        let mut rows: Vec<(&ClusterName, &Cluster, &'static str)> = self
            .clusters
            .iter()
            .map(|(name, cluster)| (name, cluster, cluster.state()))
            .collect();
        rows.sort_by(|(a, _, x), (b, _, y)| {
            rank(x)
                .cmp(&rank(y))
                .then_with(|| natural_order(a.as_str(), b.as_str()))
        });
        let done = rows.iter().filter(|(_, _, state)| *state == "Done").count();
        let folded = if rows.len() > CLUSTERS_SHOWN { done } else { 0 };
        for (name, cluster, state) in rows {
            if folded > 0 && state == "Done" {
                continue;
            }
            let progress = &cluster.progress;
            let rate = cluster.rate(now);
            let left = progress.writes_planned.saturating_sub(progress.writes);
            let why = match (&cluster.brake, state) {
                (_, "Done") | (None, _) => None,
                (Some(brake), _) => Some(waiting_rest(brake)),
            };
            table.row([
                Span::plain(name.as_str()),
                Span::state(state),
                Span::plain(format!("{}/{}", progress.ended, progress.releases)),
                Span::plain(format!("{}/{}", progress.writes, progress.writes_planned)),
                Span::plain(format!("{rate:.1}/s")),
                Span::or_none((state != "Done").then(|| eta(left, rate)).flatten()),
                Span::or_none(why),
            ]);
        }
        (table, folded)
    }
}

impl Cluster {
    fn state(&self) -> &'static str {
        if self.progress.ended >= self.progress.releases {
            "Done"
        } else if let Some(brake) = &self.brake {
            brake.word
        } else if self.started.is_some() {
            "Running"
        } else {
            "Queued"
        }
    }

    /// Writes per second since the first release.
    fn rate(&self, now: Timestamp) -> f64 {
        let seconds = self
            .started
            .map_or(0.0, |since| now.duration_since(since).as_secs_f64());
        // Counts of writes are far below 2^32: the conversion is exact.
        let writes = f64::from(u32::try_from(self.progress.writes).unwrap_or(u32::MAX));
        if seconds < 1.0 {
            writes
        } else {
            writes / seconds
        }
    }
}

fn rank(state: &str) -> u8 {
    match state {
        "LockHeld" => 0,
        "Slowed" => 1,
        "Waiting" => 2,
        "Running" => 3,
        "Queued" => 4,
        _ => 5,
    }
}

fn eta(left: u64, rate: f64) -> Option<String> {
    if rate <= 0.0 {
        return None;
    }
    let left = f64::from(u32::try_from(left).unwrap_or(u32::MAX));
    SignedDuration::try_from_secs_f64(left / rate)
        .ok()
        .map(text::duration)
}

fn waiting_rest(brake: &Brake) -> String {
    match brake.until {
        Some(until) => format!("{}, until {}", brake.why, text::time(until)),
        None => brake.why.clone(),
    }
}

fn brake_text(brake: &Brake) -> String {
    format!("{}: {}", brake.word, waiting_rest(brake))
}

fn painted(spans: &[Span], frame: &Frame) -> String {
    let spare = frame.width.unwrap_or(usize::MAX);
    let mut used = 0;
    let cut: Vec<Span> = spans
        .iter()
        .map(|span| {
            let line = text::cut_end(
                &text::one_line(&span.text),
                spare.saturating_sub(used),
                frame.utf8,
            );
            used += text::width(&line);
            Span::with(line, span.role)
        })
        .collect();
    line_text(&cut, frame).trim_end_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> LiveView {
        let mut view = LiveView::new("acme", "run-7k3f");
        for event in crate::render::event::tests::all() {
            if matches!(event.what, What::Waiting { .. }) {
                continue;
            }
            view.apply(&event);
        }
        view
    }

    #[test]
    fn the_frame() {
        let mut view = view();
        view.apply(&Event {
            cluster: Some("dev-1".into()),
            seq: 20,
            ..crate::render::event::tests::all().remove(2)
        });
        view.apply(&Event {
            cluster: Some("stage-us".into()),
            seq: 21,
            ..crate::render::event::tests::all().remove(9)
        });
        let now = "2026-11-25T08:01:08Z".parse().unwrap();
        let lines = view.lines(now, &Frame::terminal(110));
        assert_eq!(
            lines.join("\n"),
            "\
acme  run-7k3f  wave 2 of 1 non-prod  2026-11-25T08:01:08Z  5 of 114 releases
████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  4.4%
2: 5/114
CLUSTER    STATE     RELEASES   WRITES   RATE    ETA      WHY
stage-us   Waiting   0/54       0/628    0.0/s   <none>   the undo's lock dwells, until 2026-11-25T08:02:00Z
dev-1      Running   5/60       16/800   2.0/s   6m32s    <none>
in hand  dev-1/shop/web
so far   undone 1   handed back 2   stuck 1
Stopping: the releases in hand are finished first. Ctrl-C again stops now; both are resumable."
        );
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let view = view();
        let now = "2026-11-25T08:01:08Z".parse().unwrap();
        for columns in 60..130 {
            for line in view.lines(now, &Frame::terminal(columns)) {
                assert!(text::width(&line) <= columns, "{columns}: {line}");
            }
        }
    }

    #[test]
    fn many_done_clusters_fold() {
        let mut view = LiveView::new("acme", "run-1");
        let share = |number: u32| crate::domain::run_event::Share {
            of: ClusterName::new(format!("eu-{number}")),
            releases: u32::from(number == 7),
            writes: 4,
        };
        view.apply(&Event {
            time: "2026-11-25T08:01:00Z".parse().unwrap(),
            run: "run-1".into(),
            seq: 1,
            wave: Some(1),
            cluster: None,
            what: What::WaveStarted {
                name: "canary".into(),
                clusters: (1..=14).map(share).collect(),
            },
        });
        let lines = view.lines(
            "2026-11-25T08:01:08Z".parse().unwrap(),
            &Frame::terminal(100),
        );
        assert!(
            lines.contains(&"13 more clusters are done".to_owned()),
            "{lines:?}"
        );
        assert!(lines.iter().any(|line| line.starts_with("eu-7 ")));
    }

    #[test]
    fn a_heartbeat_says_why() {
        let mut view = view();
        assert_eq!(view.words(), "5 of 114 releases ended, 0 in hand");
        view.apply(&crate::render::event::tests::all().remove(9));
        assert_eq!(
            view.words(),
            "Waiting: the undo's lock dwells, until 2026-11-25T08:02:00Z"
        );
    }
}
