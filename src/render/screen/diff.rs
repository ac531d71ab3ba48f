//! `refit diff`, `plan --refresh` and `plan --what-if`: what differs between two plans.

use serde_json::{Value, json};

use crate::domain::plan::{
    Change, Place, Plan, PlanDiff, Relaxation, RelaxationChange, WaveChange, WaveFacts,
};
use crate::domain::shadow::ReleaseOutcome;
use crate::render::screen::plan::outcome_word;
use crate::render::{Column, Cut, Document, Role, Span, Table, text};

/// Releases that a comparison shows on a screen; `-o json` and `-o wide` have all of them.
const SHOWN_RELEASES: usize = 40;

/// Two plans and what differs.
#[derive(Debug, Clone, Copy)]
pub struct DiffScreen<'a> {
    /// Name of the earlier one: a file, or `now`.
    pub before_name: &'a str,
    /// The earlier plan.
    pub before: &'a Plan,
    /// Name of the later one.
    pub after_name: &'a str,
    /// The later plan.
    pub after: &'a Plan,
    /// What differs.
    pub diff: &'a PlanDiff,
    /// Show every release, however many.
    pub all: bool,
}

/// The word of a change.
pub const fn change_word(change: Change) -> &'static str {
    match change {
        Change::New => "new",
        Change::Gone => "gone",
        Change::Moved => "moved",
        Change::Held => "held",
        Change::Freed => "freed",
        Change::Done => "done",
        Change::SlidBack => "slid-back",
        Change::Changed => "changed",
    }
}

impl DiffScreen<'_> {
    /// The comparison: kind `PlanDiff`.
    pub fn document(&self) -> Document {
        let diff = self.diff;
        let mut document = Document::new("PlanDiff")
            .field(
                "metadata",
                json!({"before": label(self.before), "after": label(self.after)}),
            )
            .field("equal", diff.is_empty())
            .fields_of(diff)
            .table(self.plans())
            .names(diff.releases.iter().map(|it| it.release.to_string()));
        if !diff.waves.is_empty() {
            document = document.gap().table(waves(&diff.waves));
        }
        if !diff.settings.is_empty() {
            document = document.gap().table(self.settings());
        }
        if !diff.relaxations.is_empty() {
            document = document.gap().table(relaxations(&diff.relaxations));
        }
        if !diff.releases.is_empty() {
            document = document.gap().table(self.releases());
            let more = diff.releases.len().saturating_sub(SHOWN_RELEASES);
            if more > 0 && !self.all {
                document = document.text(format!(
                    "and {} more: -o wide, or -o json",
                    text::counted(u64::try_from(more).unwrap_or(u64::MAX), "release")
                ));
            }
        }
        for change in &diff.clusters {
            document = document.warning(match (&change.before, &change.after) {
                (None, Some(why)) => format!(
                    "{} was read for {} and not for {}: {why}",
                    change.cluster, self.before_name, self.after_name
                ),
                _ => format!(
                    "{} was not read for {} and is for {}",
                    change.cluster, self.before_name, self.after_name
                ),
            });
        }
        document = document.gap();
        if let Some(moved) = self.finish() {
            document = document.text(moved);
        }
        document.line([Span::plain(self.verdict())])
    }

    /// How the end moves: `Done 2027-01-15T02:00Z -> 2027-01-07T02:00Z, 8 days earlier.`
    fn finish(&self) -> Option<String> {
        let (before, after) = (self.diff.before.finish, self.diff.after.finish);
        if before == after {
            return None;
        }
        let end = |at: Option<jiff::Timestamp>| at.map_or_else(|| "never".to_owned(), text::minute);
        let by = match (before, after) {
            (Some(was), Some(is)) => format!(", {}", apart(was, is)),
            _ => String::new(),
        };
        Some(format!("Done {} -> {}{by}.", end(before), end(after)))
    }

    /// One line that says it all.
    fn verdict(&self) -> String {
        if self.diff.is_empty() {
            return "Both plans do the same.".to_owned();
        }
        let counts: Vec<String> = Change::ALL
            .into_iter()
            .filter_map(|change| match self.diff.count(change) {
                0 => None,
                count => Some(format!("{count} {}", change_word(change))),
            })
            .collect();
        let releases = if counts.is_empty() {
            "every release stands where it stood".to_owned()
        } else {
            format!("releases: {}", counts.join(", "))
        };
        format!(
            "Differences: {releases}; {}, {}.",
            text::counted(text::len(&self.diff.waves), "wave"),
            text::counted(text::len(&self.diff.settings), "setting"),
        )
    }

    /// One row a plan.
    fn plans(&self) -> Table {
        let mut table = Table::new([
            Column::new("PLAN").at_most(32, Cut::Middle),
            Column::new("DIGEST").narrow(1),
            Column::new("MADE").narrow(2),
            Column::new("WAVES"),
            Column::new("MIGRATE"),
            Column::new("HELD"),
            Column::new("WRITES").narrow(3),
            Column::new("FINISH"),
            Column::new("SLACK"),
            Column::new("LATE"),
        ]);
        for (name, plan, totals) in [
            (self.before_name, self.before, &self.diff.before),
            (self.after_name, self.after, &self.diff.after),
        ] {
            let summary = &plan.summary;
            table.row([
                Span::with(name, Role::Strong),
                Span::plain(text::short_digest(plan.metadata.digest.as_str())),
                Span::plain(text::minute(plan.metadata.made_at)),
                Span::plain(plan.waves.len().to_string()),
                Span::plain(summary.migrate.to_string()),
                Span::plain((summary.needs_choice + summary.blocked).to_string()),
                Span::plain(summary.writes.to_string()),
                Span::or_none(totals.finish.map(text::minute)),
                slack(totals.slack_days),
                Span::bad_count(totals.late, totals.late.to_string()),
            ]);
        }
        table
    }

    fn settings(&self) -> Table {
        let mut table = Table::new([
            Column::new("SETTING"),
            Column::new("BEFORE"),
            Column::new("AFTER"),
        ]);
        for change in &self.diff.settings {
            table.row([
                Span::plain(&change.setting),
                Span::plain(value(change.before.as_ref())),
                Span::plain(value(change.after.as_ref())),
            ]);
        }
        table
    }

    fn releases(&self) -> Table {
        let mut table = Table::new([
            Column::new("RELEASE"),
            Column::new("CHANGE"),
            Column::new("BEFORE"),
            Column::new("AFTER"),
            Column::new("FACTS").narrow(1),
        ]);
        let shown = if self.all {
            self.diff.releases.len()
        } else {
            SHOWN_RELEASES
        };
        for change in self.diff.releases.iter().take(shown) {
            table.row([
                Span::plain(change.release.to_string()),
                Span::with(change_word(change.change), role(change.change)),
                Span::plain(place(change.before.as_ref())),
                Span::plain(place(change.after.as_ref())),
                Span::or_none(Some(change.facts.join(", "))),
            ]);
        }
        table
    }
}

/// What would make the plans sooner.
fn relaxations(changes: &[RelaxationChange]) -> Table {
    let mut table = Table::new(["DONE-BEFORE", "DONE-AFTER", "SOONER"].map(Column::new));
    let done = |it: &Option<Relaxation>| {
        let told = it
            .as_ref()
            .map(|it| format!("{}({}d)", it.done, it.gain_days));
        Span::or_none(told)
    };
    for it in changes {
        table.row([
            done(&it.before),
            done(&it.after),
            Span::plain(it.change.join(" and ")),
        ]);
    }
    table
}

/// `26d`, or `-7d` for a missed deadline.
fn slack(days: Option<i32>) -> Span {
    match days {
        None => Span::none(),
        Some(days) if days < 0 => Span::with(format!("{days}d"), Role::Bad),
        Some(days) => Span::plain(format!("{days}d")),
    }
}

const fn role(change: Change) -> Role {
    match change {
        Change::Held | Change::SlidBack | Change::Gone => Role::Attention,
        Change::Done | Change::Freed => Role::Good,
        Change::New | Change::Moved | Change::Changed => Role::Plain,
    }
}

fn label(plan: &Plan) -> Value {
    json!({
        "fleet": plan.metadata.fleet,
        "digest": plan.metadata.digest,
        "madeAt": plan.metadata.made_at,
        "tool": plan.metadata.tool,
    })
}

/// `3/pilot`, `Blocked/pending-upgrade`, `Done`.
fn place(place: Option<&Place>) -> String {
    match place {
        None => String::new(),
        Some(Place::Wave { number, name }) => format!("{number}/{name}"),
        Some(Place::Held { outcome, cause }) => held(*outcome, cause),
        Some(Place::Done) => outcome_word(ReleaseOutcome::Done).to_owned(),
    }
}

fn held(outcome: ReleaseOutcome, cause: &str) -> String {
    format!("{}/{cause}", outcome_word(outcome))
}

/// A value as JSON writes it, texts without quotes.
fn value(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn waves(changes: &[WaveChange]) -> Table {
    let mut table = Table::new([
        Column::new("WAVE"),
        Column::new("NUMBER"),
        Column::new("RELEASES"),
        Column::new("CAME"),
        Column::new("LEFT"),
        Column::new("WRITES").narrow(1),
        Column::new("STARTS"),
    ]);
    for change in changes {
        let both = |of: fn(&WaveFacts) -> u64| {
            let was = change.before.as_ref().map(of);
            let is = change.after.as_ref().map(of);
            match (was, is) {
                (Some(was), Some(is)) if was == is => is.to_string(),
                (Some(was), Some(is)) => format!("{was}->{is}"),
                (None, Some(is)) => format!("+{is}"),
                (Some(was), None) => format!("-{was}"),
                (None, None) => String::new(),
            }
        };
        table.row([
            Span::with(&change.name, Role::Strong),
            Span::plain(both(|it| u64::from(it.number))),
            Span::plain(both(|it| u64::from(it.releases))),
            Span::plain(change.came.to_string()),
            Span::plain(change.left.to_string()),
            Span::plain(both(|it| it.writes)),
            Span::or_none(starts(change)),
        ]);
    }
    table
}

/// `2026-12-08T14:00Z`, or two of them with an arrow.
fn starts(change: &WaveChange) -> Option<String> {
    let of = |facts: &Option<WaveFacts>| facts.as_ref().and_then(|it| it.starts).map(text::minute);
    match (of(&change.before), of(&change.after)) {
        (Some(was), Some(is)) if was != is => Some(format!("{was} -> {is}")),
        (was, is) => is.or(was),
    }
}

/// How far an end moved, to the nearest: thirteen days less some seconds of writing are thirteen days to people.
fn apart(was: jiff::Timestamp, is: jiff::Timestamp) -> String {
    let seconds = is.duration_since(was).as_secs().unsigned_abs();
    let far = match (seconds + 1_800) / 3_600 {
        _ if seconds < 3_600 => "less than an hour".to_owned(),
        few @ ..48 => text::counted(few, "hour"),
        many => text::counted(many / 24, "day"),
    };
    let way = if is < was { "earlier" } else { "later" };
    format!("{far} {way}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::screen::plan::tests::dated;
    use crate::render::{Format, Frame};

    #[test]
    fn seconds_of_writing_do_not_cost_a_day() {
        let told = |was: &str, is: &str| apart(was.parse().unwrap(), is.parse().unwrap());
        let was = "2026-12-16T08:00:09Z";
        assert_eq!(told(was, "2026-12-03T08:00:12Z"), "13 days earlier");
        assert_eq!(told(was, "2026-12-17T08:00:01Z"), "24 hours later");
        assert_eq!(told(was, "2026-12-16T08:59:00Z"), "less than an hour later");
    }

    #[test]
    fn a_later_end_is_told() {
        let before = dated();
        let mut after = dated();
        let calendar = after.calendar.as_mut().unwrap();
        calendar.done = Some("2027-02-14T02:00:00Z".parse().unwrap());
        calendar.slack_days = Some(-4);
        calendar.late = vec![crate::domain::plan::Late {
            wave: 2,
            releases: 2,
            clusters: vec!["eu-2".into()],
            done: calendar.done,
        }];
        after.waves[1].starts = Some("2026-12-29T01:00:00Z".parse().unwrap());
        after.relaxations = vec![Relaxation {
            change: vec!["soak.prod 72h -> 48h".into()],
            done: "2027-02-06".parse().unwrap(),
            gain_days: 8,
            in_time: true,
        }];
        let diff = PlanDiff::of(&before, &after);
        let screen = DiffScreen {
            before_name: "a.json",
            before: &before,
            after_name: "b.json",
            after: &after,
            diff: &diff,
            all: false,
        };
        let printed = screen
            .document()
            .print(Format::Table, None, &Frame::PIPE, &Frame::PIPE)
            .unwrap();
        assert_eq!(
            printed.stdout,
            "\
PLAN     DIGEST            MADE                WAVES   MIGRATE   HELD   WRITES   FINISH              SLACK   LATE
a.json   sha256:9f31c2a4   2026-11-23T10:31Z   2       3         3      41       2027-01-15T02:00Z   26d     0
b.json   sha256:9f31c2a4   2026-11-23T10:31Z   2       3         3      41       2027-02-14T02:00Z   -4d     2

WAVE     NUMBER   RELEASES   CAME   LEFT   WRITES   STARTS
wave-2   2        2          0      0      29       2026-11-29T01:00Z -> 2026-12-29T01:00Z

DONE-BEFORE   DONE-AFTER       SOONER
<none>        2027-02-06(8d)   soak.prod 72h -> 48h

Done 2027-01-15T02:00Z -> 2027-02-14T02:00Z, 30 days later.
Differences: every release stands where it stood; 1 wave, 0 settings.
"
        );
    }
}
