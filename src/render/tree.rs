//! A tree on a terminal, a table of full paths when piped: the same records twice.

use super::paint::{Role, Span, paint};
use super::table::{Frame, RECORD_BELOW, Table};
use super::text;

/// Between two columns.
const GAP: usize = 3;

/// A step to the right.
const INDENT: usize = 2;

/// Values are cut to so many columns on a terminal: enough for an image's tag, an address, a quantity.
const VALUE_AT_MOST: usize = 28;

/// Below this a value says nothing.
const VALUE_AT_LEAST: usize = 12;

/// A cell is not cut below this.
const CELL_AT_LEAST: usize = 24;

/// Names give room below this only after values are gone.
const NAME_AT_LEAST: usize = 20;

/// A line of the tree.
#[derive(Debug, Clone)]
pub struct TreeRow {
    /// How deep, from 0.
    pub depth: usize,
    /// The step's name.
    pub name: String,
    /// Its value; goes first on a narrow terminal.
    pub value: Option<Span>,
    /// What stands beside it, in columns: owners first.
    pub cells: Vec<Span>,
}

/// A tree with its flat form.
#[derive(Debug, Clone)]
pub struct Tree {
    /// The line above it; not in the flat form, where each line is a record.
    pub title: String,
    /// Its lines, parents first.
    pub rows: Vec<TreeRow>,
    /// The same for a pipe, `-o wide` and terminals too narrow for a tree.
    pub flat: Table,
}

impl Tree {
    /// As text; every line ends with a line end. Nothing is cut in the flat form.
    pub fn render(&self, frame: &Frame) -> String {
        match frame.width {
            Some(columns) if columns >= RECORD_BELOW && !frame.wide => self.lines(columns, frame),
            _ => self.flat.render(frame),
        }
    }

    fn lines(&self, columns: usize, frame: &Frame) -> String {
        let widest = |of: &dyn Fn(&TreeRow) -> usize| self.rows.iter().map(of).max().unwrap_or(0);
        let cells = self
            .rows
            .iter()
            .map(|row| row.cells.len())
            .max()
            .unwrap_or(0);
        let mut beside: Vec<usize> = (0..cells)
            .map(|at| widest(&|row| row.cells.get(at).map_or(0, |cell| width_of(&cell.text))))
            .collect();
        // Only rows with cells need their names in a column: a branch has the line to itself.
        let names = widest(&|row| {
            if row.cells.is_empty() {
                0
            } else {
                row.depth * INDENT + width_of(&row.name)
            }
        });
        let mut room = room_beside(columns, &beside);
        // Where names would say nothing any more, the longest cells give room to them.
        if room < names.min(NAME_AT_LEAST)
            && let Some(longest) = beside.iter_mut().max_by_key(|width| **width)
            && *longest > CELL_AT_LEAST
        {
            let missing = names.min(columns * 2 / 5).saturating_sub(room);
            *longest = longest.saturating_sub(missing).max(CELL_AT_LEAST);
            room = room_beside(columns, &beside);
        }
        let values = widest(&|row| {
            row.value
                .as_ref()
                .map_or(0, |it| width_of(&it.text).min(VALUE_AT_MOST))
        });
        // Names go before values, as long as a value still says something.
        let values = values.min(room.saturating_sub(names + GAP).max(VALUE_AT_LEAST));
        let with_values = values > 0 && names.min(NAME_AT_LEAST) + GAP + values <= room;
        let value_room = if with_values { values + GAP } else { 0 };
        let names = names.min(room.saturating_sub(value_room)).max(1);
        let title = text::cut_end(&text::one_line(&self.title), columns, frame.utf8);
        let mut out = format!("{}\n", paint(&title, Role::Strong, frame.color));
        for row in &self.rows {
            let indent = (row.depth * INDENT).min(columns / 2);
            let mut line = " ".repeat(indent);
            let name = text::one_line(&row.name);
            if row.cells.is_empty() {
                line.push_str(&text::cut_middle(&name, columns - indent, frame.utf8));
                out.push_str(&line);
                out.push('\n');
                continue;
            }
            let name = text::cut_middle(&name, names.saturating_sub(indent).max(1), frame.utf8);
            let mut at = indent + text::width(&name);
            line.push_str(&name);
            let mut column = names + GAP;
            let value = row.value.as_ref().filter(|_| with_values);
            let mut put = |span: &Span, column: usize, most: usize| {
                let shown = text::cut_end(&text::one_line(&span.text), most, frame.utf8);
                line.extend(std::iter::repeat_n(' ', column.saturating_sub(at).max(1)));
                line.push_str(&paint(&shown, span.role, frame.color));
                at = column.max(at + 1) + text::width(&shown);
            };
            if let Some(value) = value {
                put(value, column, values);
            }
            column += value_room;
            for (cell, width) in row.cells.iter().zip(&beside) {
                if !cell.text.is_empty() {
                    put(cell, column, *width);
                }
                column += width + GAP;
            }
            out.push_str(&line);
            out.push('\n');
        }
        out
    }
}

/// Columns left of the cells.
fn room_beside(columns: usize, beside: &[usize]) -> usize {
    columns.saturating_sub(beside.iter().map(|width| width + GAP).sum())
}

fn width_of(text: &str) -> usize {
    text::width(&text::one_line(text))
}
