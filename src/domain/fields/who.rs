//! Which field does a person mean?
//!
//! A path's text cannot be parsed back (names are not escaped), so what was typed is compared with the texts of the
//! paths that there are. A leading dot may be missing, quotes may (shells eat them), and the names of key fields may:
//! `spec.containers[app].image` is `.spec.containers[name="app"].image`.

use super::{FieldOwners, Node};

/// The answer to "who owns it?".
#[derive(Debug, Clone, PartialEq)]
pub enum Who<'a> {
    /// These nodes are meant, and somebody owns them; one, unless a short form fits several.
    Owned(Vec<&'a Node>),
    /// Nobody owns it.
    Nobody(Near<'a>),
}

/// What is owned near a path that nobody owns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Near<'a> {
    /// The field that it is a part of: owned as a whole if its list or map is atomic.
    pub above: Option<&'a Node>,
    /// The nodes of that name, if only what is below them is owned.
    pub below: Vec<&'a Node>,
}

impl FieldOwners {
    /// Who owns the field that `typed` means. O(owned fields).
    pub fn who(&self, typed: &str) -> Who<'_> {
        let wanted = plain(typed);
        let nodes = self.nodes();
        // What the server writes goes before what a person may write for it.
        let exact: Vec<&Node> = nodes
            .iter()
            .copied()
            .filter(|it| it.path == typed)
            .collect();
        let meant: Vec<&Node> = if exact.is_empty() {
            let fits = |it: &&Node| plain(&it.path) == wanted || short(&it.path) == wanted;
            nodes.iter().copied().filter(fits).collect()
        } else {
            exact
        };
        let (owned, below): (Vec<&Node>, Vec<&Node>) =
            meant.into_iter().partition(|node| !node.owners.is_empty());
        if !owned.is_empty() {
            return Who::Owned(owned);
        }
        let above = nodes.iter().copied().rfind(|node| {
            let rest = [plain(&node.path), short(&node.path)];
            let rest = rest.iter().find_map(|path| wanted.strip_prefix(&**path));
            node.is_field() && rest.is_some_and(|rest| rest.starts_with(['.', '[']))
        });
        Who::Nobody(Near { above, below })
    }
}

/// A path without quotes, with its leading dot.
fn plain(path: &str) -> String {
    let path = path.trim().replace('"', "");
    if path.starts_with(['.', '[']) {
        path
    } else {
        format!(".{path}")
    }
}

/// A path with only the values of keys: `[app]` for `[name="app"]`, `[80,TCP]`.
fn short(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some((before, bracket)) = rest.split_once('[') {
        let (inside, after) = bracket.split_once(']').unwrap_or((bracket, ""));
        let values = inside
            .split(',')
            .map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
        let values: Vec<&str> = values.collect();
        out.push_str(&format!("{before}[{}]", values.join(",")));
        rest = after;
    }
    out.push_str(rest);
    plain(&out)
}
