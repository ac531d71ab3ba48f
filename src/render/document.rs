//! A screen as a value: what goes to stdout in each format, and what goes to stderr beside it.

use std::cmp::Ordering;

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::format::{self, Format, YamlError};
use super::items::{ITEMS, Row, Whole};
use super::next::Next;
use super::paint::{Span, paint};
use super::table::{Column, Frame, Table};
use super::tree::Tree;
use super::{API_VERSION, text};
use crate::domain::fleet::natural_order;

/// A part of the text form.
#[derive(Debug, Clone)]
enum Block {
    Line(Vec<Span>),
    Table(Table),
    Tree(Tree),
    Listing(Vec<Column>),
    /// The same drawing in several widths, the widest first.
    Drawing(Vec<Vec<String>>),
}

/// One record of a listing: a row of its table, an item of its JSON, a name.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// The cells.
    pub cells: Vec<Span>,
    /// The JSON item; `Null` for a row that is no item (a cluster that could not be read).
    pub json: Value,
    /// The name for `-o name`, in the form that every verb takes.
    pub name: Option<String>,
    /// Only with `-o wide`; the JSON always has it.
    pub only_wide: bool,
}

/// A screen: one value with its text form, its JSON form and its notes.
#[derive(Debug, Clone)]
pub struct Document {
    kind: &'static str,
    json: Map<String, Value>,
    blocks: Vec<Block>,
    records: Vec<Row>,
    names: Vec<String>,
    picture: Option<String>,
    totals: Vec<Vec<Span>>,
    warnings: Vec<String>,
    next: Vec<(Next, String)>,
}

/// Both streams.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Printed {
    /// Data.
    pub stdout: String,
    /// Totals, warnings, next commands.
    pub stderr: String,
}

/// A document cannot be printed as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrintError {
    /// `--sort-by` names nothing.
    #[error(
        "nothing to sort by: \"{key}\" is neither a head ({heads}) nor a path of the JSON item"
    )]
    NoSuchKey {
        /// What was asked for.
        key: String,
        /// The heads there are.
        heads: String,
    },
    /// This screen has no picture.
    #[error("there is no picture of this: only refit graph draws")]
    NoPicture,
    /// YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
}

impl Document {
    /// A document of a kind, such as `ReleaseList`.
    pub fn new(kind: &'static str) -> Self {
        Self {
            kind,
            json: Map::new(),
            blocks: Vec::new(),
            records: Vec::new(),
            names: Vec::new(),
            picture: None,
            totals: Vec::new(),
            warnings: Vec::new(),
            next: Vec::new(),
        }
    }

    /// A JSON field beside `apiVersion` and `kind`: `metadata`, `summary`, `items`, ….
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.json.insert(name.to_owned(), value.into());
        self
    }

    /// All fields of a serialized value, which must be an object.
    #[must_use]
    pub fn fields_of(mut self, value: &impl serde::Serialize) -> Self {
        if let Ok(Value::Object(map)) = serde_json::to_value(value) {
            self.json.extend(map);
        }
        self
    }

    /// A line of the text form.
    #[must_use]
    pub fn line(mut self, spans: impl Into<Vec<Span>>) -> Self {
        self.blocks.push(Block::Line(spans.into()));
        self
    }

    /// A plain line of the text form.
    #[must_use]
    pub fn text(self, line: impl Into<String>) -> Self {
        self.line([Span::plain(line)])
    }

    /// An empty line.
    #[must_use]
    pub fn gap(self) -> Self {
        self.line([])
    }

    /// A table of the text form.
    #[must_use]
    pub fn table(mut self, table: Table) -> Self {
        self.blocks.push(Block::Table(table));
        self
    }

    /// A tree of the text form; a table when piped.
    #[must_use]
    pub fn tree(mut self, tree: Tree) -> Self {
        self.blocks.push(Block::Tree(tree));
        self
    }

    /// A drawing of plain lines in several widths, the widest first: the first that fits is shown, the widest in a pipe. None
    /// is broken at a blank: one that never fits is cut.
    #[must_use]
    pub fn drawing(mut self, widths: Vec<Vec<String>>) -> Self {
        self.blocks.push(Block::Drawing(widths));
        self
    }

    /// The records of a list: its table here in the text form, its `items`, its names. Once a document.
    /// Records that are made one by one are not held as trees.
    #[must_use]
    pub fn listing(
        mut self,
        columns: Vec<Column>,
        records: impl IntoIterator<Item = Record>,
    ) -> Self {
        self.blocks.push(Block::Listing(columns));
        self.records = records.into_iter().map(Row::from).collect();
        self
    }

    /// Names for `-o name` of a document that is no listing.
    #[must_use]
    pub fn names(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.names.extend(names);
        self
    }

    /// The text for the formats that draw.
    #[must_use]
    pub fn picture(mut self, text: String) -> Self {
        self.picture = Some(text);
        self
    }

    /// A line of totals, for stderr.
    #[must_use]
    pub fn total(mut self, spans: impl Into<Vec<Span>>) -> Self {
        self.totals.push(spans.into());
        self
    }

    /// A warning, for stderr in every format.
    #[must_use]
    pub fn warning(mut self, words: impl Into<String>) -> Self {
        self.warnings.push(words.into());
        self
    }

    /// A next command, with words beside it (may be empty).
    #[must_use]
    pub fn next(mut self, next: Next, beside: impl Into<String>) -> Self {
        self.next.push((next, beside.into()));
        self
    }

    /// The JSON form. Memory: all of it as a tree; [`Self::json_text`] takes less.
    pub fn to_json(&self) -> Value {
        let mut map = self.fields();
        if self.is_listing() {
            let items = self.records.iter().map(Row::json);
            let items = items.filter(|item| !item.is_null()).collect();
            map.insert(ITEMS.to_owned(), Value::Array(items));
        }
        Value::Object(map)
    }

    /// The JSON form as text, indented, with a line end. Memory: the text, and one item.
    pub fn json_text(&self) -> String {
        if !self.is_listing() {
            return format::json(&self.fields());
        }
        let mut fields = self.fields();
        fields.insert(ITEMS.to_owned(), Value::Null);
        format::json(&Whole {
            fields,
            rows: &self.records,
        })
    }

    /// All but the items of a listing.
    fn fields(&self) -> Map<String, Value> {
        let mut map = self.json.clone();
        map.insert("apiVersion".to_owned(), json!(API_VERSION));
        map.insert("kind".to_owned(), json!(self.kind));
        map
    }

    fn is_listing(&self) -> bool {
        self.columns().is_some()
    }

    fn columns(&self) -> Option<&[Column]> {
        self.blocks.iter().find_map(|block| match block {
            Block::Listing(columns) => Some(columns.as_slice()),
            Block::Line(_) | Block::Table(_) | Block::Tree(_) | Block::Drawing(_) => None,
        })
    }

    /// Sorts the records by a column's head or by a path of the JSON items. Stable.
    fn sorted(&self, key: &str) -> Result<Self, PrintError> {
        let columns = self.columns().unwrap_or_default();
        let head = key.to_ascii_uppercase();
        let mut sorted = self.clone();
        if let Some(place) = columns.iter().position(|column| column.head() == head) {
            let cell = |record: &Row| {
                let span = record.cells.get(place);
                span.map_or_else(String::new, |span| span.text.clone())
            };
            sorted
                .records
                .sort_by(|a, b| natural_order(&cell(a), &cell(b)));
            return Ok(sorted);
        }
        let mut keyed: Vec<(Value, Row)> = sorted
            .records
            .into_iter()
            .map(|row| (at_path(&row.json(), key).clone(), row))
            .collect();
        if keyed.iter().any(|(value, _)| !value.is_null()) {
            keyed.sort_by(|a, b| compare(&a.0, &b.0));
        } else if !self.records.is_empty() || !self.is_listing() {
            let heads: Vec<&str> = columns.iter().map(Column::head).collect();
            return Err(PrintError::NoSuchKey {
                key: key.to_owned(),
                heads: heads.join(", "),
            });
        }
        sorted.records = keyed.into_iter().map(|(_, row)| row).collect();
        Ok(sorted)
    }

    /// Both streams. For programs, totals and next commands stay away; warnings do not.
    pub fn print(
        &self,
        form: Format,
        sort_by: Option<&str>,
        stdout: &Frame,
        stderr: &Frame,
    ) -> Result<Printed, PrintError> {
        let sorted;
        let document = match sort_by {
            Some(key) => {
                sorted = self.sorted(key)?;
                &sorted
            }
            None => self,
        };
        let data = match form {
            Format::Json => document.json_text(),
            Format::Yaml => format::yaml(&document.to_json())?,
            Format::Name => document.names_text(),
            Format::Dot | Format::Svg => document.picture.clone().ok_or(PrintError::NoPicture)?,
            Format::Table | Format::Wide => document.blocks_text(stdout),
        };
        Ok(Printed {
            stdout: data,
            stderr: self.notes(form, stderr),
        })
    }

    fn names_text(&self) -> String {
        let listed = self
            .records
            .iter()
            .filter_map(|record| record.name.as_ref());
        let lines = listed.chain(&self.names).map(|name| text::one_line(name));
        lines.flat_map(|line| [line, "\n".to_owned()]).collect()
    }

    fn blocks_text(&self, frame: &Frame) -> String {
        self.blocks
            .iter()
            .map(|block| match block {
                Block::Line(spans) => line_text(spans, frame),
                Block::Table(table) => table.render(frame),
                Block::Tree(tree) => tree.render(frame),
                Block::Drawing(widths) => drawn(widths, frame),
                Block::Listing(columns) => {
                    let mut table = Table::new(columns.iter().cloned());
                    let shown = |record: &&Row| frame.wide || !record.only_wide;
                    for record in self.records.iter().filter(shown) {
                        table.row(record.cells.iter().cloned());
                    }
                    // Rows that only wide shows: heads alone would say that there is nothing.
                    if table.is_empty() && !self.records.is_empty() {
                        String::new()
                    } else {
                        table.render(frame)
                    }
                }
            })
            .collect()
    }

    fn notes(&self, form: Format, frame: &Frame) -> String {
        let mut out = String::new();
        if !form.is_machine() {
            for total in &self.totals {
                out.push_str(&line_text(total, frame));
            }
        }
        for warning in &self.warnings {
            let label = paint("warning:", super::Role::Attention, frame.color);
            let _ = writeln!(out, "{label} {}", text::one_line(warning));
        }
        if !form.is_machine() {
            out.push_str(&next_text(&self.next));
        }
        out
    }
}

/// The widest drawing that fits.
fn drawn(widths: &[Vec<String>], frame: &Frame) -> String {
    let room = frame.width.unwrap_or(usize::MAX);
    let fits = |lines: &&Vec<String>| lines.iter().all(|line| text::width(line) <= room);
    let lines = widths.iter().find(fits).or(widths.last());
    let lines = lines.into_iter().flatten();
    lines
        .flat_map(|line| {
            let line = text::cut_end(&text::one_line(line), room, frame.utf8);
            [line, "\n".to_owned()]
        })
        .collect()
}

/// `Next:` lines, the words beside the commands in one column.
pub fn next_text(next: &[(Next, String)]) -> String {
    let commands: Vec<String> = next.iter().map(|(next, _)| next.command()).collect();
    let widest = commands
        .iter()
        .map(|command| text::width(command))
        .max()
        .unwrap_or(0);
    let mut out = String::new();
    for (row, (command, (_, beside))) in commands.iter().zip(next).enumerate() {
        let label = if row == 0 { "Next:" } else { "" };
        let line = if beside.is_empty() {
            format!("{label:<6}{command}")
        } else {
            let pad = widest.saturating_sub(text::width(command)) + 3;
            format!("{label:<6}{command}{}{beside}", " ".repeat(pad))
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// A line of spans with a line end; on a terminal, broken at blanks where it is too long.
pub fn line_text(spans: &[Span], frame: &Frame) -> String {
    let texts: Vec<String> = spans
        .iter()
        .map(|span| text::one_line(&span.text))
        .collect();
    let (places, indent) = match frame.width {
        Some(columns) => text::breaks(&texts.concat(), columns),
        None => (Vec::new(), 0),
    };
    let hang = format!("\n{}", " ".repeat(indent));
    let mut start = 0;
    let mut line = String::new();
    for (span, piece) in spans.iter().zip(texts) {
        let end = start + piece.len();
        let mut broken = piece;
        for place in places
            .iter()
            .rev()
            .filter(|place| (start..end).contains(*place))
        {
            broken.replace_range(place - start..=place - start, &hang);
        }
        line.push_str(&paint(&broken, span.role, frame.color));
        start = end;
    }
    line.push('\n');
    line
}

/// The value at a path: `.chart.version`, `{.chart.version}`; `Null` if there is none.
fn at_path<'a>(item: &'a Value, path: &str) -> &'a Value {
    path.trim_start_matches('{')
        .trim_end_matches('}')
        .split('.')
        .filter(|part| !part.is_empty())
        .try_fold(item, |value, part| value.get(part))
        .unwrap_or(&Value::Null)
}

/// Absent values first, then numbers by size, texts in natural order.
fn compare(left: &Value, right: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) | Value::Object(_) => 4,
    };
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a
            .as_f64()
            .unwrap_or(0.0)
            .total_cmp(&b.as_f64().unwrap_or(0.0)),
        (Value::String(a), Value::String(b)) => natural_order(a, b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Array(a), Value::Array(b)) => a.len().cmp(&b.len()),
        _ => rank(left).cmp(&rank(right)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let records = [("eu-10", 9), ("eu-2", 31), ("ap-1", 14)].map(|(name, revision)| Record {
            cells: vec![Span::plain(name), Span::plain(revision.to_string())],
            json: json!({"name": name, "chart": {"revision": revision}}),
            name: Some(name.to_owned()),
            only_wide: false,
        });
        Document::new("ThingList")
            .listing(vec![Column::new("NAME"), Column::new("REV")], records)
            .total([Span::plain("3 things, 0 writes.")])
            .warning("one is odd")
            .next(Next::Audit, "who owns what")
            .next(Next::StatusAll, "")
    }

    fn print(form: Format, sort_by: Option<&str>) -> Printed {
        document()
            .print(form, sort_by, &Frame::PIPE, &Frame::PIPE)
            .unwrap()
    }

    #[test]
    fn a_document_is_written_item_by_item_as_it_would_be_whole() {
        let item = |json| Record {
            json,
            ..Record::default()
        };
        let listing = |items: Vec<Value>| {
            Document::new("ThingList")
                .field("zone", json!({"b": [1.5, "ü\n"], "a": []}))
                .listing(vec![Column::new("NAME")], items.into_iter().map(item))
        };
        for document in [
            document(),
            listing(Vec::new()),
            listing(vec![
                json!({"z": {"k": [{}]}, "a": 1e300}),
                Value::Null,
                json!([]),
            ]),
            Document::new("Thing").field("items", json!([1])),
        ] {
            assert_eq!(document.json_text(), format::json(&document.to_json()));
        }
    }

    #[test]
    fn each_format_has_its_streams() {
        let table = print(Format::Table, None);
        assert_eq!(
            table.stdout,
            "NAME    REV\neu-10   9\neu-2    31\nap-1    14\n"
        );
        assert_eq!(
            table.stderr,
            "3 things, 0 writes.\nwarning: one is odd\n\
             Next: refit audit    who owns what\n      refit status\n"
        );
        let json: Value = serde_json::from_str(&print(Format::Json, None).stdout).unwrap();
        assert_eq!(json["apiVersion"], "refit.dev/v1");
        assert_eq!(json["kind"], "ThingList");
        assert_eq!(print(Format::Json, None).stderr, "warning: one is odd\n");
        assert!(
            print(Format::Yaml, None)
                .stdout
                .contains("kind: ThingList\n")
        );
        assert_eq!(print(Format::Name, None).stdout, "eu-10\neu-2\nap-1\n");
    }

    #[test]
    fn sorting_moves_rows_items_and_names_together() {
        for key in ["REV", "rev", ".chart.revision", "{.chart.revision}"] {
            assert_eq!(print(Format::Name, Some(key)).stdout, "eu-10\nap-1\neu-2\n");
        }
        assert_eq!(
            print(Format::Name, Some("NAME")).stdout,
            "ap-1\neu-2\neu-10\n"
        );
        let json: Value = serde_json::from_str(&print(Format::Json, Some("REV")).stdout).unwrap();
        assert_eq!(json["items"][0]["name"], "eu-10");
        assert!(
            print(Format::Table, Some("NAME"))
                .stdout
                .starts_with("NAME    REV\nap-1")
        );
        let error = document()
            .print(Format::Table, Some(".nope"), &Frame::PIPE, &Frame::PIPE)
            .unwrap_err();
        assert!(error.to_string().contains("NAME, REV"));
    }
}
