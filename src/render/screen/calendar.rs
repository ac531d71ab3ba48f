//! A plan's calendar as text: a row a wave, a column a day (or several days, if there are many), freezes, the deadline.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::domain::plan::{Plan, Wave};
use crate::render::text;

/// Columns of days, from wide to narrow: with the names before them a row stays under 110, 80 and 60 columns.
const MOST_COLUMNS: [i64; 3] = [84, 60, 35];

/// Longest name before a row.
const LONGEST_NAME: usize = 22;

/// Rows of waves: more are no picture any more, and the table above has them all.
const MOST_ROWS: usize = 60;

/// Columns between two dates of the head.
const HEAD_STEP: i64 = 7;

/// The same lines in several widths, the widest first; none if no wave has a start.
pub fn drawings(plan: &Plan) -> Vec<Vec<String>> {
    let widths = MOST_COLUMNS.into_iter();
    widths.filter_map(|most| lines(plan, most)).collect()
}

/// The lines, head first and the meaning of the marks last.
fn lines(plan: &Plan, most: i64) -> Option<Vec<String>> {
    let grid = Grid::of(plan, most)?;
    let shown = &plan.waves[..plan.waves.len().min(MOST_ROWS)];
    let names: Vec<String> = shown
        .iter()
        .map(|wave| {
            let name = format!("{} {}", wave.number, wave.name);
            text::cut_end(&name, LONGEST_NAME, false)
        })
        .collect();
    let freezes = &plan.metadata.settings.freezes;
    let freeze_name = |name: &str| text::cut_end(name, LONGEST_NAME, false);
    let longest = names.iter().map(|it| text::width(it));
    let longest = longest
        .chain(freezes.keys().map(|it| text::width(&freeze_name(it))))
        .max();
    let room = longest.unwrap_or(0).max("deadline".len()) + 1;
    let row = |name: &str, cells: &[char]| {
        let cells: String = cells.iter().collect();
        let pad = " ".repeat(room.saturating_sub(text::width(name)));
        format!("{name}{pad}{cells}").trim_end().to_owned()
    };
    let mut lines = vec![format!("{:room$}{}", "", grid.head())];
    for (wave, name) in shown.iter().zip(&names) {
        lines.push(row(name, &grid.wave(plan, wave)));
    }
    if plan.waves.len() > shown.len() {
        lines.push(format!("... {} waves more", plan.waves.len() - shown.len()));
    }
    for (name, freeze) in freezes {
        let mut cells = grid.blank();
        grid.fill(&mut cells, freeze.from, freeze.to, 'x');
        if cells.contains(&'x') {
            lines.push(row(&freeze_name(name), &cells));
        }
    }
    let deadline = plan.metadata.deadline;
    let mut cells = grid.blank();
    grid.fill(&mut cells, deadline, deadline, '|');
    lines.push(row("deadline", &cells));
    let unit = match grid.per {
        1 => "a day".to_owned(),
        days => format!("{days} days"),
    };
    lines.push(format!("{unit} (UTC): # writes  . soak  - waits"));
    lines.push(format!("? waits for approval  x freeze  | {deadline}"));
    Some(lines)
}

/// Days on a line.
struct Grid {
    first: Date,
    /// Columns.
    columns: i64,
    /// Days of a column.
    per: i64,
}

impl Grid {
    fn of(plan: &Plan, most: i64) -> Option<Self> {
        let starts = plan.waves.iter().filter_map(|wave| wave.starts).min()?;
        let first = day(starts.min(plan.metadata.made_at));
        let last = plan.waves.iter().filter_map(Wave::soaked).map(day).max();
        let last = last.unwrap_or(first).max(plan.metadata.deadline);
        let days = between(first, last) + 1;
        let per = up(days, most).max(1);
        Some(Self {
            first,
            columns: up(days, per),
            per,
        })
    }

    fn blank(&self) -> Vec<char> {
        (0..self.columns).map(|_| ' ').collect()
    }

    /// Dates, one in so many columns.
    fn head(&self) -> String {
        let mut head = String::new();
        let mut date = self.first;
        for _ in 0..up(self.columns, HEAD_STEP) {
            head.push_str(&format!("{:7}", date.strftime("%b%d").to_string()));
            let step = SignedDuration::from_hours(24 * self.per * HEAD_STEP);
            date = date.saturating_add(step);
        }
        head.trim_end().to_owned()
    }

    /// Marks the days from one to another, the last included.
    fn fill(&self, cells: &mut [char], from: Date, to: Date, mark: char) {
        let (from, to) = (between(self.first, from), between(self.first, to));
        let last = to.div_euclid(self.per).min(self.columns);
        for column in from.div_euclid(self.per)..=last {
            if let Some(cell) = usize::try_from(column)
                .ok()
                .and_then(|it| cells.get_mut(it))
            {
                *cell = mark;
            }
        }
    }

    /// What happens later in time is drawn over what happens before it; writing over everything.
    fn wave(&self, plan: &Plan, wave: &Wave) -> Vec<char> {
        let mut cells = self.blank();
        let Some(starts) = wave.starts else {
            return cells;
        };
        let ends = wave.ends.unwrap_or(starts);
        let ready = plan.ready(wave).min(starts);
        if !wave.waits_for.is_empty() {
            self.fill(&mut cells, day(ready), day(starts), '-');
        }
        if let Some(wait) = wave.waits_for.iter().find(|it| it.kind == "approval") {
            let until = wait.until.unwrap_or(ready).min(starts);
            self.fill(&mut cells, day(ready), day(until), '?');
        }
        if let Some(soaked) = wave.soaked().filter(|_| wave.soak > 0) {
            self.fill(&mut cells, day(ends), day(soaked), '.');
        }
        self.fill(&mut cells, day(starts), day(ends), '-');
        if wave.spans.is_empty() {
            self.fill(&mut cells, day(starts), day(ends), '#');
        }
        for span in &wave.spans {
            self.fill(&mut cells, day(span.from), day(span.to), '#');
        }
        cells
    }
}

/// Division that rounds up, of numbers above 0.
const fn up(number: i64, by: i64) -> i64 {
    (number + by - 1) / by
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

fn between(from: Date, to: Date) -> i64 {
    let days = from.duration_until(to).as_hours() / 24;
    days.max(-1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::screen::plan::tests::dated;

    #[test]
    fn a_row_a_wave() {
        let [made, narrow, slim] = &drawings(&dated())[..] else {
            panic!("three widths");
        };
        assert!(
            made[0].starts_with("         Nov23  Nov30  Dec07"),
            "{made:#?}"
        );
        assert_eq!(made[1], "1 canary -#..");
        assert_eq!(made[2], "2 wave-2    ??-#.");
        assert_eq!(
            made[3],
            format!("year-end {}{}", " ".repeat(24), "x".repeat(19))
        );
        assert_eq!(made[4], format!("deadline {}|", " ".repeat(79)));
        assert_eq!(made[5], "a day (UTC): # writes  . soak  - waits");
        for (lines, most) in [(made, 110), (narrow, 80), (slim, 60)] {
            assert!(lines.iter().all(|line| line.len() < most), "{lines:#?}");
            assert_eq!(lines.len(), made.len());
        }
        assert_eq!(narrow[5], "2 days (UTC): # writes  . soak  - waits");
        assert_eq!(narrow[2], "2 wave-2  ??#");
    }

    #[test]
    fn many_days_share_a_column_and_no_start_is_no_picture() {
        let mut plan = dated();
        plan.metadata.deadline = "2028-02-10".parse().unwrap();
        let wide = &drawings(&plan)[0];
        assert!(wide.iter().all(|line| line.len() < 110));
        assert!(wide[wide.len() - 2].starts_with("6 days"), "{wide:#?}");
        plan.waves.iter_mut().for_each(|wave| wave.starts = None);
        assert!(drawings(&plan).is_empty());
    }
}
