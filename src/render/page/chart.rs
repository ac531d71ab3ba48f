//! The calendar as places in a picture: a row a wave, time from left to right. Units are those of the picture.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::domain::plan::{Plan, Wave};
use crate::render::text;

/// Width of the picture.
const WIDTH: i64 = 1_000;

/// Where time begins: names of waves stand before.
const LEFT: i64 = 150;

/// Where time ends: half of the last date stands behind.
const RIGHT: i64 = 980;

/// First row.
const TOP: i64 = 24;

/// From row to row.
const ROW: i64 = 22;

/// Rows: more are no picture any more, and the table has them all.
const MOST_ROWS: usize = 80;

/// Characters of a wave's name that fit before the first day.
const NAME: usize = 22;

/// Dates of the head at most: more would run into each other.
const TICKS: i64 = 12;

/// Days between two dates of the head: the first of these that leaves few enough.
const STEPS: [i64; 8] = [1, 2, 7, 14, 28, 91, 182, 364];

/// Narrowest bar that is seen.
const THIN: i64 = 3;

const DAY: i64 = 86_400;

/// The picture.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    width: i64,
    height: i64,
    top: i64,
    bottom: i64,
    rows_height: i64,
    /// What it shows, for those who do not see it.
    label: String,
    ticks: Vec<Tick>,
    freezes: Vec<Freeze>,
    rows: Vec<Row>,
    deadline: i64,
    /// What is not in it.
    more: Option<String>,
}

#[derive(Debug, Serialize)]
struct Tick {
    x: i64,
    name: String,
}

#[derive(Debug, Serialize)]
struct Freeze {
    x: i64,
    width: i64,
    middle: i64,
    name: String,
    title: String,
}

#[derive(Debug, Serialize)]
struct Row {
    y: i64,
    name: String,
    title: String,
    wait: Option<Bar>,
    soak: Option<Bar>,
    spans: Vec<Bar>,
    approval: Option<i64>,
}

#[derive(Debug, Serialize)]
struct Bar {
    x: i64,
    to: i64,
    width: i64,
}

/// Time from left to right.
struct Scale {
    from: i64,
    to: i64,
}

impl Scale {
    fn x(&self, at: i64) -> i64 {
        let at = at.clamp(self.from, self.to);
        LEFT + (at - self.from) * (RIGHT - LEFT) / (self.to - self.from).max(1)
    }

    fn at(&self, at: Timestamp) -> i64 {
        self.x(at.as_second())
    }

    fn bar(&self, from: Timestamp, to: Timestamp) -> Bar {
        let (x, to) = (self.at(from), self.at(to));
        Bar {
            x,
            to,
            width: (to - x).max(THIN),
        }
    }
}

/// The last second of a day, in UTC.
fn end_of(date: jiff::civil::Date) -> i64 {
    start_of(date) + DAY
}

fn start_of(date: jiff::civil::Date) -> i64 {
    let start = date.to_zoned(TimeZone::UTC);
    start.map_or(0, |it| it.timestamp().as_second())
}

/// The picture of a plan; `None` if no wave has a start.
pub(super) fn chart(plan: &Plan) -> Option<Chart> {
    let first = plan.waves.iter().filter_map(|wave| wave.starts).min()?;
    let from = first.min(plan.metadata.made_at).as_second();
    let deadline = end_of(plan.metadata.deadline);
    let last = plan.waves.iter().filter_map(Wave::soaked).max();
    let last = last.map_or(deadline, Timestamp::as_second).max(deadline);
    let scale = Scale {
        from: from - from.rem_euclid(DAY),
        to: last,
    };
    let shown = &plan.waves[..plan.waves.len().min(MOST_ROWS)];
    let count = i64::try_from(shown.len()).unwrap_or(i64::MAX);
    let bottom = TOP + count * ROW;
    let rows = shown.iter().zip(0..);
    let rows = rows.map(|(wave, at)| row(plan, wave, TOP + at * ROW, &scale));
    let hidden = plan.waves.len() - shown.len();
    Some(Chart {
        width: WIDTH,
        height: bottom + 34,
        top: TOP,
        bottom,
        rows_height: bottom - TOP,
        label: format!(
            "{} from {} on, one below the other; the table of waves has the same in words",
            text::counted(text::len(&plan.waves), "wave"),
            text::minute(first),
        ),
        ticks: ticks(&scale),
        freezes: freezes(plan, &scale),
        rows: rows.collect(),
        deadline: scale.x(deadline),
        more: (hidden > 0).then(|| format!("{hidden} more waves are in the table only.")),
    })
}

fn ticks(scale: &Scale) -> Vec<Tick> {
    let days = (scale.to - scale.from) / DAY + 1;
    let step = STEPS.into_iter().find(|step| days / step <= TICKS);
    let step = step.unwrap_or(days / TICKS + 1);
    (0..=days / step)
        .map(|number| scale.from + number * step * DAY)
        .filter(|at| *at <= scale.to)
        .filter_map(|at| {
            let date = Timestamp::from_second(at).ok()?.to_zoned(TimeZone::UTC);
            Some(Tick {
                x: scale.x(at),
                name: date.strftime("%b %-d").to_string(),
            })
        })
        .collect()
}

fn freezes(plan: &Plan, scale: &Scale) -> Vec<Freeze> {
    let freezes = plan.metadata.settings.freezes.iter();
    freezes
        .filter_map(|(name, freeze)| {
            let (from, to) = (start_of(freeze.from), end_of(freeze.to));
            if to < scale.from || from > scale.to {
                return None;
            }
            let (x, end) = (scale.x(from), scale.x(to));
            Some(Freeze {
                x,
                width: (end - x).max(THIN),
                middle: i64::midpoint(x, end),
                name: name.clone(),
                title: format!("freeze {name}: {} to {}", freeze.from, freeze.to),
            })
        })
        .collect()
}

fn row(plan: &Plan, wave: &Wave, y: i64, scale: &Scale) -> Row {
    let name = text::cut_end(&format!("{} {}", wave.number, wave.name), NAME, true);
    let mut row = Row {
        y,
        name,
        title: format!("wave {} {}: no start", wave.number, wave.name),
        wait: None,
        soak: None,
        spans: Vec::new(),
        approval: None,
    };
    let Some(starts) = wave.starts else {
        return row;
    };
    let ends = wave.ends.unwrap_or(starts);
    let ready = plan.ready(wave).min(starts);
    row.title = format!(
        "wave {} {}: starts {}, written {}",
        wave.number,
        wave.name,
        text::minute(starts),
        text::minute(ends)
    );
    // Long waves rest between windows: that is waiting too.
    let from = if wave.waits_for.is_empty() {
        starts
    } else {
        ready
    };
    let to = wave.spans.last().map_or(starts, |it| it.from);
    row.wait = (from < to).then(|| scale.bar(from, to));
    if wave.approval {
        row.approval = Some(scale.at(ready).max(LEFT + 6));
    }
    if let Some(soaked) = wave.soaked().filter(|_| wave.soak > 0) {
        row.title = format!("{}, watched until {}", row.title, text::minute(soaked));
        row.soak = Some(scale.bar(ends, soaked));
    }
    if wave.spans.is_empty() {
        row.spans.push(scale.bar(starts, ends));
    }
    row.spans
        .extend(wave.spans.iter().map(|it| scale.bar(it.from, it.to)));
    row
}
