//! Every value that holds, with its origin: what `refit config view` shows.

use toml::de::{DeTable, DeValue};

use super::WHAT_IF;
use super::defaults::{DEFAULTS, DEFAULTS_FILE};
use crate::toml_file::{Problems, Source, parse};

/// A value that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// `limits.writes_per_second`; of lists of tables with their place, from 0: `clusters.0.contexts`.
    pub key: String,
    /// As TOML writes it, on one line.
    pub value: String,
    /// `default`, `--what-if`, or `FILE:LINE`.
    pub origin: String,
}

/// All leaves of the merged table, by key.
pub(super) fn values(root: &DeTable<'_>, source: &Source<'_>) -> Vec<Setting> {
    let mut found = Vec::new();
    table("", root, source, &mut found);
    found
}

/// What holds where nothing is said.
pub fn default_values() -> Vec<Setting> {
    let root = parse(DEFAULTS, 0, &mut Problems::default());
    values(&root, &Source::new(DEFAULTS_FILE, DEFAULTS))
}

fn table(path: &str, table: &DeTable<'_>, source: &Source<'_>, found: &mut Vec<Setting>) {
    let dot = if path.is_empty() { "" } else { "." };
    for (key, value) in table {
        let path = format!("{path}{dot}{}", quoted(key.get_ref()));
        leaf(&path, value.get_ref(), value.span(), source, found);
    }
}

fn leaf(
    path: &str,
    value: &DeValue<'_>,
    span: std::ops::Range<usize>,
    source: &Source<'_>,
    found: &mut Vec<Setting>,
) {
    match value {
        DeValue::Table(inner) => table(path, inner, source, found),
        DeValue::Array(items) if items.iter().any(|item| item.get_ref().is_table()) => {
            for (at, item) in items.iter().enumerate() {
                leaf(
                    &format!("{path}.{at}"),
                    item.get_ref(),
                    item.span(),
                    source,
                    found,
                );
            }
        }
        _ => {
            let text = source.text(&span).unwrap_or("");
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            found.push(Setting {
                key: path.to_owned(),
                value: line,
                origin: match source.file(span.start) {
                    DEFAULTS_FILE => "default".to_owned(),
                    WHAT_IF => WHAT_IF.to_owned(),
                    file => format!("{file}:{}", source.place(span.start).0),
                },
            });
        }
    }
}

/// A key as TOML writes it.
fn quoted(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !key.is_empty() && key.chars().all(bare) {
        key.to_owned()
    } else {
        format!("{key:?}")
    }
}
