//! Tables in kubectl's manner: upper-case heads, left-aligned, three blanks between columns, one record a line.
//!
//! No cell is empty (`<none>`, `?`), no cell but the last column's has a blank, nothing is cut or wrapped when piped.
//! On a terminal the last column is cut first, then columns go in the order that the screen names, and under
//! [`RECORD_BELOW`] columns each record becomes `KEY: value` lines.

use super::paint::{Role, Span, paint};
use super::text;

/// Between two columns.
const GAP: usize = 3;

/// On terminals narrower than this, records become `KEY: value` lines.
pub const RECORD_BELOW: usize = 60;

/// The last column is not cut below this while another column can go instead: less says nothing.
const LAST_AT_LEAST: usize = 20;

/// Where a too long text is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// At its end.
    End,
    /// In its middle: owners, paths.
    Middle,
}

/// When a column is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Always,
    OnlyWide,
    NeverWide,
    /// Only once the columns of this narrow rank are gone.
    Instead(u8),
}

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    head: &'static str,
    shown: Shown,
    narrow: Option<u8>,
    at_most: Option<usize>,
    cut: Cut,
}

impl Column {
    /// A column that stays on every terminal.
    pub const fn new(head: &'static str) -> Self {
        Self {
            head,
            shown: Shown::Always,
            narrow: None,
            at_most: None,
            cut: Cut::End,
        }
    }

    /// Its head.
    pub const fn head(&self) -> &'static str {
        self.head
    }

    /// Only with `-o wide`.
    #[must_use]
    pub const fn wide(mut self) -> Self {
        self.shown = Shown::OnlyWide;
        self
    }

    /// Not with `-o wide`.
    #[must_use]
    pub const fn not_wide(mut self) -> Self {
        self.shown = Shown::NeverWide;
        self
    }

    /// Goes from a narrow terminal; lower ranks go first, equal ones together.
    #[must_use]
    pub const fn narrow(mut self, rank: u8) -> Self {
        self.narrow = Some(rank);
        self
    }

    /// Comes once the columns of this rank are gone.
    #[must_use]
    pub const fn instead_of(mut self, rank: u8) -> Self {
        self.shown = Shown::Instead(rank);
        self
    }

    /// On a terminal, cells are cut to so many columns.
    #[must_use]
    pub const fn at_most(mut self, columns: usize, cut: Cut) -> Self {
        self.at_most = Some(columns);
        self.cut = cut;
        self
    }
}

/// What a text is drawn on.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Columns of the terminal; `None` is a pipe or `-o wide`: nothing is cut.
    pub width: Option<usize>,
    /// `-o wide`.
    pub wide: bool,
    /// Print heads.
    pub heads: bool,
    /// The terminal shows UTF-8.
    pub utf8: bool,
    /// Colours.
    pub color: bool,
}

impl Frame {
    /// A pipe: no colour, nothing cut.
    pub const PIPE: Self = Self {
        width: None,
        wide: false,
        heads: true,
        utf8: true,
        color: false,
    };

    /// A colourless terminal of so many columns.
    pub const fn terminal(columns: usize) -> Self {
        Self {
            width: Some(columns),
            ..Self::PIPE
        }
    }
}

/// A table: every row has as many cells as there are columns.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Span>>,
}

/// A table made ready: the chosen columns with their widths, the cells cut.
struct Layout {
    /// Head and width of each chosen column.
    columns: Vec<(&'static str, usize)>,
    /// The cells of the chosen columns.
    rows: Vec<Vec<(String, Role)>>,
}

impl Table {
    /// An empty table.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row. Missing cells are `<none>`; superfluous ones are dropped.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Span>) {
        let mut cells: Vec<Span> = cells.into_iter().collect();
        cells.resize_with(self.columns.len(), Span::none);
        self.rows.push(cells);
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// No rows?
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text; every line ends with a line end. One pass over the cells for each set of columns tried.
    pub fn render(&self, frame: &Frame) -> String {
        let layout = self.lay_out(frame);
        match frame.width {
            Some(columns) if columns < RECORD_BELOW && !frame.wide => layout.records(frame),
            _ => layout.lines(frame),
        }
    }

    /// Chooses columns until they fit.
    fn lay_out(&self, frame: &Frame) -> Layout {
        let mut ranks: Vec<u8> = self
            .columns
            .iter()
            .filter_map(|column| column.narrow)
            .collect();
        ranks.sort_unstable();
        ranks.dedup();
        let limit = frame
            .width
            .filter(|&columns| columns >= RECORD_BELOW && !frame.wide);
        let mut gone = Vec::new();
        loop {
            let chosen = self.chosen(frame, &gone);
            let mut layout = self.measure(frame, &chosen);
            let Some(limit) = limit else { return layout };
            let rest: usize = layout
                .columns
                .iter()
                .rev()
                .skip(1)
                .map(|(_, width)| width + GAP)
                .sum();
            let last = layout.columns.last().map_or(0, |(_, width)| *width);
            let room = limit.saturating_sub(rest);
            if last <= room {
                return layout;
            }
            let next = ranks.iter().find(|rank| !gone.contains(*rank));
            match next {
                Some(rank) if room < last.min(LAST_AT_LEAST) => gone.push(*rank),
                _ => {
                    let cut = chosen
                        .last()
                        .and_then(|&place| self.columns.get(place))
                        .map_or(Cut::End, |column| column.cut);
                    layout.cut_last(room, cut, frame.utf8);
                    return layout;
                }
            }
        }
    }

    fn chosen(&self, frame: &Frame, gone: &[u8]) -> Vec<usize> {
        let is_chosen = |column: &Column| {
            let here = match column.shown {
                Shown::Always => true,
                Shown::OnlyWide => frame.wide,
                Shown::NeverWide => !frame.wide,
                Shown::Instead(rank) => gone.contains(&rank),
            };
            here && column.narrow.is_none_or(|rank| !gone.contains(&rank))
        };
        (0..self.columns.len())
            .filter(|&place| is_chosen(&self.columns[place]))
            .collect()
    }

    fn measure(&self, frame: &Frame, chosen: &[usize]) -> Layout {
        let cuts = frame.width.is_some() && !frame.wide;
        let last = chosen.last().copied();
        let fit = |place: usize, span: &Span| {
            let cell = text::cell(&span.text, Some(place) == last);
            match self.columns[place].at_most {
                Some(columns) if cuts => match self.columns[place].cut {
                    Cut::End => text::cut_end(&cell, columns, frame.utf8),
                    Cut::Middle => text::cut_middle(&cell, columns, frame.utf8),
                },
                _ => cell,
            }
        };
        let rows: Vec<Vec<(String, Role)>> = self
            .rows
            .iter()
            .map(|row| {
                chosen
                    .iter()
                    .map(|&place| (fit(place, &row[place]), row[place].role))
                    .collect()
            })
            .collect();
        let columns = chosen
            .iter()
            .enumerate()
            .map(|(at, &place)| {
                let head = self.columns[place].head;
                let widest = rows.iter().map(|row| text::width(&row[at].0)).max();
                let head_width = if frame.heads { text::width(head) } else { 0 };
                (head, widest.unwrap_or(0).max(head_width))
            })
            .collect();
        Layout { columns, rows }
    }
}

impl Layout {
    /// Cuts the last column to its room, but never below its head.
    fn cut_last(&mut self, room: usize, cut: Cut, utf8: bool) {
        let Some((head, width)) = self.columns.last_mut() else {
            return;
        };
        let room = room.max(text::width(head)).max(1);
        *width = (*width).min(room);
        for (cell, _) in self.rows.iter_mut().filter_map(|row| row.last_mut()) {
            *cell = match cut {
                Cut::End => text::cut_end(cell, room, utf8),
                Cut::Middle => text::cut_middle(cell, room, utf8),
            };
        }
    }

    fn lines(&self, frame: &Frame) -> String {
        let mut out = String::new();
        if frame.heads {
            let heads = self.columns.iter().map(|(head, _)| (*head, Role::Strong));
            self.line(heads, frame, &mut out);
        }
        for row in &self.rows {
            let cells = row.iter().map(|(cell, role)| (cell.as_str(), *role));
            self.line(cells, frame, &mut out);
        }
        out
    }

    fn line<'a>(
        &self,
        cells: impl Iterator<Item = (&'a str, Role)>,
        frame: &Frame,
        out: &mut String,
    ) {
        let end = self.columns.len().saturating_sub(1);
        for (place, ((cell, role), (_, width))) in cells.zip(&self.columns).enumerate() {
            out.push_str(&paint(cell, role, frame.color));
            if place < end {
                let pad = (width + GAP).saturating_sub(text::width(cell));
                out.extend(std::iter::repeat_n(' ', pad));
            }
        }
        out.push('\n');
    }

    fn records(&self, frame: &Frame) -> String {
        let keys = self.columns.iter().map(|(head, _)| text::width(head)).max();
        let keys = keys.unwrap_or(0) + 2;
        let mut out = String::new();
        for (number, row) in self.rows.iter().enumerate() {
            if number > 0 {
                out.push('\n');
            }
            for ((head, _), (cell, role)) in self.columns.iter().zip(row) {
                let key = format!("{head}:");
                out.push_str(&paint(&key, Role::Strong, frame.color));
                out.extend(std::iter::repeat_n(
                    ' ',
                    keys.saturating_sub(text::width(&key)),
                ));
                out.push_str(&paint(cell, *role, frame.color));
                out.push('\n');
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn releases() -> Table {
        let mut table = Table::new([
            Column::new("CLUSTER"),
            Column::new("RELEASE"),
            Column::new("REV").narrow(1),
            Column::new("REASON").wide(),
            Column::new("MANAGERS").at_most(12, Cut::End).narrow(2),
            Column::new("WHY"),
        ]);
        table.row([
            Span::plain("eu-1"),
            Span::plain("checkout"),
            Span::plain("14"),
            Span::none(),
            Span::plain("helm-controller"),
            Span::plain("a field is owned by kubectl edit"),
        ]);
        table.row([
            Span::plain("edge-1"),
            Span::unread(),
            Span::unread(),
            Span::plain("token expired"),
            Span::plain(""),
        ]);
        table
    }

    #[test]
    fn a_pipe_gets_everything() {
        assert_eq!(
            releases().render(&Frame::PIPE),
            "CLUSTER   RELEASE    REV   MANAGERS          WHY\n\
             eu-1      checkout   14    helm-controller   a field is owned by kubectl edit\n\
             edge-1    ?          ?     <none>            <none>\n"
        );
    }

    #[test]
    fn wide_has_all_columns_and_one_word_cells() {
        let wide = Frame {
            wide: true,
            ..Frame::PIPE
        };
        let text = releases().render(&wide);
        assert!(text.contains("token_expired"), "{text}");
    }

    #[test]
    fn a_terminal_cuts_the_last_column_then_drops_some() {
        assert_eq!(
            releases().render(&Frame::terminal(66)),
            "CLUSTER   RELEASE    REV   MANAGERS       WHY\n\
             eu-1      checkout   14    helm-contro…   a field is owned by kub…\n\
             edge-1    ?          ?     <none>         <none>\n"
        );
        assert_eq!(
            releases().render(&Frame::terminal(60)),
            "CLUSTER   RELEASE    MANAGERS       WHY\n\
             eu-1      checkout   helm-contro…   a field is owned by kub…\n\
             edge-1    ?          <none>         <none>\n"
        );
    }

    #[test]
    fn a_narrow_terminal_gets_records() {
        let text = releases().render(&Frame::terminal(40));
        assert!(
            text.starts_with("CLUSTER:  eu-1\nRELEASE:  checkout\nREV:      14\n"),
            "{text}"
        );
        assert!(text.contains("\n\nCLUSTER:  edge-1\n"), "{text}");
    }

    #[test]
    fn columns_join_when_others_go() {
        let mut table = Table::new([
            Column::new("CLUSTER"),
            Column::new("ALIAS").narrow(1),
            Column::new("FOREIGN").narrow(1),
            Column::new("OTHER").instead_of(1),
            Column::new("OUTLIERS"),
        ]);
        let long = "x".repeat(60);
        table.row(["eu-1", "1", "2", "3", &long].map(Span::plain));
        assert!(
            table
                .render(&Frame::PIPE)
                .starts_with("CLUSTER   ALIAS   FOREIGN   OUTLIERS\n")
        );
        let narrow = Frame::terminal(60);
        assert!(
            table
                .render(&narrow)
                .starts_with("CLUSTER   ALIAS   FOREIGN   OUTLIERS\n")
        );
        let mut wider = table.clone();
        wider.row(["a-cluster-with-a-long-name-here", "1", "2", "3", &long].map(Span::plain));
        assert!(
            wider
                .render(&narrow)
                .starts_with("CLUSTER                           OTHER   OUTLIERS\n"),
            "{}",
            wider.render(&narrow)
        );
    }

    #[test]
    fn colour_changes_no_column() {
        let mut table = Table::new([Column::new("STATE"), Column::new("WHY")]);
        table.row([Span::state("Blocked"), Span::plain("x")]);
        let frame = Frame {
            color: true,
            ..Frame::PIPE
        };
        let text = table.render(&frame);
        let bare = text
            .replace("\u{1b}[1m", "")
            .replace("\u{1b}[31m", "")
            .replace("\u{1b}[0m", "");
        assert_eq!(bare, table.render(&Frame::PIPE));
    }

    /// A table of two to five columns, some of which may go.
    fn any_table() -> impl Strategy<Value = Table> {
        const HEADS: [&str; 5] = ["CLUSTER", "NAMESPACE", "REV", "STATE", "WHY"];
        (
            2usize..=5,
            proptest::collection::vec(proptest::collection::vec(any::<String>(), 5), 0..6),
        )
            .prop_map(|(count, rows)| {
                let columns = HEADS[5 - count..].iter().enumerate().map(|(place, head)| {
                    let column = Column::new(head);
                    if place > 0 && place + 1 < count {
                        column.narrow(u8::try_from(place).unwrap())
                    } else {
                        column
                    }
                });
                let mut table = Table::new(columns);
                for row in rows {
                    table.row(row.into_iter().take(count).map(Span::plain));
                }
                table
            })
    }

    /// Cells of a line, by the display columns at which the heads start.
    fn cells<'a>(head: &str, line: &'a str) -> Vec<&'a str> {
        let mut starts = Vec::new();
        let mut before = ' ';
        for (place, c) in head.chars().enumerate() {
            if before == ' ' && c != ' ' {
                starts.push(place);
            }
            before = c;
        }
        let at_column = |column: usize| {
            let mut used = 0;
            for (byte, c) in line.char_indices() {
                if used >= column
                    && text::width(&line[byte..]) + column <= text::width(line).max(used)
                {
                    return byte;
                }
                used += text::width(&c.to_string());
            }
            line.len()
        };
        let mut found = Vec::new();
        for (place, start) in starts.iter().enumerate() {
            let from = at_column(*start);
            let to = starts
                .get(place + 1)
                .map_or(line.len(), |next| at_column(*next));
            found.push(&line[from..to.max(from)]);
        }
        found
    }

    proptest! {
        #[test]
        fn piped_tables_are_whole(table in any_table()) {
            let text = table.render(&Frame::PIPE);
            let lines: Vec<&str> = text.lines().collect();
            prop_assert_eq!(lines.len(), table.len() + 1);
            for (row, line) in table.rows.iter().zip(&lines[1..]) {
                prop_assert!(!line.ends_with(' '));
                let words: Vec<&str> = line.split("   ").filter(|word| !word.is_empty()).collect();
                prop_assert!(words.len() >= row.len(), "{:?}", line);
                let last = row.len() - 1;
                for (place, span) in row.iter().enumerate() {
                    let cell = text::cell(&span.text, place == last);
                    prop_assert!(line.contains(&cell), "{:?} is cut in {:?}", cell, line);
                }
            }
        }

        #[test]
        fn columns_line_up(rows in proptest::collection::vec(("[a-z]{0,9}", "[0-9é漢]{0,4}", "[a-z ]{0,9}"), 1..6)) {
            let mut table = Table::new([Column::new("ONE"), Column::new("TWO"), Column::new("THREE")]);
            for (one, two, three) in &rows {
                table.row([one, two, three].map(Span::plain));
            }
            let text = table.render(&Frame::PIPE);
            let head = text.lines().next().unwrap();
            for (line, (one, two, three)) in text.lines().skip(1).zip(&rows) {
                let found: Vec<String> = cells(head, line).iter().map(|cell| cell.trim_end().to_owned()).collect();
                let wanted = [text::cell(one, false), text::cell(two, false), text::cell(three, true)];
                prop_assert_eq!(found, wanted);
            }
        }

        #[test]
        fn a_terminal_is_not_overrun(table in any_table(), columns in 60usize..140) {
            let room = Frame::terminal(columns);
            let text = table.render(&room);
            let first = table.columns[0].head;
            let widest = table.rows.iter().map(|row| text::width(&text::cell(&row[0].text, false))).max().unwrap_or(0);
            let least = widest.max(text::width(first)) + GAP + text::width("WHY").max(1);
            for line in text.lines() {
                prop_assert!(text::width(line) <= columns.max(least), "{} > {}: {:?}", text::width(line), columns, line);
            }
        }

        #[test]
        fn no_escape_gets_through(table in any_table()) {
            let text = table.render(&Frame::PIPE);
            prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
        }
    }
}
