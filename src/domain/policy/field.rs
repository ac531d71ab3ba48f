//! Patterns over field paths: `.spec.replicas`, `.metadata.labels.*`, `.spec.**.containers[name=app].image`.
//!
//! A pattern matches a field and everything below it. Within a step `*` stands for any text; `[*]` is any item of a
//! list, `[name=app]` the items with this key (further keys may follow in the path), `["x"]` or `[="x"]` an item by its
//! value; `**` is any number of steps, none too.

use globset::{GlobBuilder, GlobMatcher};

/// Longest pattern taken, in bytes: paths of real objects are well below.
const MAX_PATTERN_BYTES: usize = 1_024;

/// A text that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{pattern}\" is no field path: {reason}")]
pub struct PatternInvalid {
    /// As it stands in fleet.toml.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

/// A pattern, ready to be asked.
#[derive(Debug, Clone)]
pub struct FieldPattern {
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
enum Step {
    AnyDepth,
    Field(GlobMatcher),
    AnyItem,
    Keys(Vec<(String, GlobMatcher)>),
    Value(GlobMatcher),
}

/// One step of a path's text. A name that holds a dot is more than one: pattern and path are cut alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    Field(&'a str),
    /// What stands between the brackets.
    Item(&'a str),
}

impl FieldPattern {
    /// Reads a pattern.
    pub fn new(pattern: &str) -> Result<Self, PatternInvalid> {
        let invalid = |reason: &str| PatternInvalid {
            pattern: pattern.to_owned(),
            reason: reason.to_owned(),
        };
        if pattern.len() > MAX_PATTERN_BYTES {
            return Err(invalid("it is too long"));
        }
        if !pattern.starts_with('.') {
            return Err(invalid("it begins with a dot, like .spec.replicas"));
        }
        let pieces = cut(pattern).ok_or_else(|| invalid("a bracket is not closed"))?;
        let steps = pieces
            .into_iter()
            .map(|piece| match piece {
                Piece::Field("") => Err("a step is empty".to_owned()),
                Piece::Field("**") => Ok(Step::AnyDepth),
                Piece::Field(name) => glob(name).map(Step::Field),
                Piece::Item("*") => Ok(Step::AnyItem),
                Piece::Item(inner) => item(inner),
            })
            .collect::<Result<_, String>>()
            .map_err(|reason| invalid(&reason))?;
        Ok(Self { steps })
    }

    /// Is the field of this path, or one above it, meant? O(steps of the pattern × steps of the path).
    pub fn matches(&self, path: &str) -> bool {
        let Some(pieces) = cut(path) else {
            return false;
        };
        let end = self.steps.len();
        let mut at = vec![false; end + 1];
        at[0] = true;
        self.skip(&mut at);
        for piece in pieces {
            if at[end] {
                return true;
            }
            let mut next = vec![false; end + 1];
            for (place, step) in self.steps.iter().enumerate() {
                if at[place] {
                    if matches!(step, Step::AnyDepth) {
                        next[place] = true;
                    } else if step.takes(piece) {
                        next[place + 1] = true;
                    }
                }
            }
            self.skip(&mut next);
            at = next;
        }
        at[end]
    }

    /// `**` may stand for nothing.
    fn skip(&self, at: &mut [bool]) {
        for (place, step) in self.steps.iter().enumerate() {
            if at[place] && matches!(step, Step::AnyDepth) {
                at[place + 1] = true;
            }
        }
    }
}

impl Step {
    fn takes(&self, piece: Piece<'_>) -> bool {
        match (self, piece) {
            (Self::Field(glob), Piece::Field(name)) => glob.is_match(name),
            (Self::AnyItem, Piece::Item(_)) => true,
            (Self::Keys(wanted), Piece::Item(inner)) => {
                let Some(keys) = keys(inner) else {
                    return false;
                };
                wanted.iter().all(|(name, glob)| {
                    let found = keys.iter().find(|(key, _)| key == name);
                    found.is_some_and(|(_, value)| glob.is_match(value))
                })
            }
            (Self::Value(glob), Piece::Item(inner)) => {
                let value = inner.strip_prefix('=').unwrap_or(inner);
                keys(inner).is_none() && glob.is_match(unquoted(value))
            }
            _ => false,
        }
    }
}

fn glob(text: &str) -> Result<GlobMatcher, String> {
    GlobBuilder::new(text)
        .literal_separator(false)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| error.kind().to_string())
}

fn item(inner: &str) -> Result<Step, String> {
    if inner.is_empty() {
        return Err("write [*] for every item, or [name=VALUE]".to_owned());
    }
    match keys(inner) {
        Some(keys) => keys
            .into_iter()
            .map(|(name, value)| Ok((name, glob(&value)?)))
            .collect::<Result<_, String>>()
            .map(Step::Keys),
        None => glob(&unquoted(inner.strip_prefix('=').unwrap_or(inner))).map(Step::Value),
    }
}

/// `name="app",port=80` in names and values; `None` if it is no list of keys.
fn keys(inner: &str) -> Option<Vec<(String, String)>> {
    split(inner)
        .into_iter()
        .map(|part| {
            let (name, value) = part.split_once('=')?;
            let name = name.trim();
            (!name.is_empty() && !name.starts_with('"'))
                .then(|| (name.to_owned(), unquoted(value.trim())))
        })
        .collect()
}

/// At commas outside of quotes.
fn split(inner: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                parts.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    parts
}

/// A value without its quotes; the escapes that paths have in practice are `\"` and `\\`.
fn unquoted(value: &str) -> String {
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => value.to_owned(),
    }
}

/// Cuts a path's text into steps; `None` if a bracket stays open.
fn cut(path: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = path;
    while let Some(first) = rest.bytes().next() {
        if first == b'[' {
            let end = closing(rest)?;
            pieces.push(Piece::Item(rest.get(1..end)?));
            rest = rest.get(end + 1..)?;
        } else {
            let name = rest.strip_prefix('.').unwrap_or(rest);
            let end = name.find(['.', '[']).unwrap_or(name.len());
            pieces.push(Piece::Field(&name[..end]));
            rest = &name[end..];
        }
    }
    Some(pieces)
}

/// Where the bracket that opens the text is closed, quotes heeded.
fn closing(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b']' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// The list items that a path goes through, outermost first, each as a path's text.
pub(super) fn items_of(path: &str) -> Vec<&str> {
    let Some(pieces) = cut(path) else {
        return Vec::new();
    };
    let mut end = 0;
    let mut items = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Field(name) => end += name.len() + 1,
            Piece::Item(inner) => {
                end += inner.len() + 2;
                items.extend(path.get(..end));
            }
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        FieldPattern::new(pattern).unwrap().matches(path)
    }

    const IMAGE: &str = ".spec.template.spec.containers[name=\"app\"].image";

    #[test]
    fn a_pattern_takes_the_field_and_what_is_below() {
        for pattern in [
            IMAGE,
            ".spec",
            ".spec.template.spec.containers[*].image",
            ".spec.template.spec.containers[name=app].image",
            ".spec.template.spec.containers[name=a*].*",
            ".**.image",
            ".spec.**.containers[*]",
            ".*.template",
        ] {
            assert!(matches(pattern, IMAGE), "{pattern}");
        }
        for pattern in [
            ".spec.replicas",
            ".spe",
            ".image",
            ".spec.template.spec.containers[name=web].image",
            ".spec.template.spec.containers[image=app].image",
            ".spec.template.spec.containers.app.image",
            ".spec.template.spec.containers[*].image.tag",
            ".**.tag",
        ] {
            assert!(!matches(pattern, IMAGE), "{pattern}");
        }
    }

    #[test]
    fn keys_values_and_names_with_dots() {
        let port = ".spec.ports[port=80,protocol=\"TCP\"].nodePort";
        assert!(matches(".spec.ports[port=80]", port));
        assert!(matches(
            ".spec.ports[protocol=\"TCP\",port=80].nodePort",
            port
        ));
        assert!(!matches(".spec.ports[port=8]", port));
        let finalizer = ".metadata.finalizers[=\"a.b/c\"]";
        assert!(matches(".metadata.finalizers[=\"a.b/c\"]", finalizer));
        assert!(matches(".metadata.finalizers[\"a.*\"]", finalizer));
        assert!(!matches(".metadata.finalizers[name=x]", finalizer));
        let annotation = ".metadata.annotations.meta.helm.sh/release-name";
        assert!(matches(".metadata.annotations.*", annotation));
        assert!(matches(annotation, annotation));
        assert!(matches(".a[name=\"x,y]\"].b", ".a[name=\"x,y]\"].b"));
    }

    #[test]
    fn what_is_no_path_is_told() {
        for bad in ["", "spec.replicas", ".", ".spec..x", ".a[", ".a[]", ".a.{b"] {
            assert!(FieldPattern::new(bad).is_err(), "{bad}");
        }
        assert!(FieldPattern::new(&format!(".{}", "a".repeat(1_025))).is_err());
    }

    #[test]
    fn items_are_the_prefixes_that_end_in_a_bracket() {
        assert_eq!(
            items_of(".spec.containers[name=\"a\"].env[name=\"B\"].value"),
            [
                ".spec.containers[name=\"a\"]",
                ".spec.containers[name=\"a\"].env[name=\"B\"]"
            ]
        );
        assert!(items_of(".spec.replicas").is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_answered(pattern in "[.a*\\[\\]=\",{}é]{0,16}", path in "[.a\\[\\]=\",é]{0,16}") {
            if let Ok(pattern) = FieldPattern::new(&pattern) {
                pattern.matches(&path);
            }
            items_of(&path);
        }

        #[test]
        fn a_path_matches_itself_and_its_prefixes(
            steps in prop::collection::vec(prop::sample::select(vec![".a", ".b", "[name=\"x\"]", "[=\"v\"]", "[port=1]"]), 1..6),
        ) {
            let path = format!(".r{}", steps.concat());
            let mut prefix = ".r".to_owned();
            prop_assert!(matches(&prefix, &path));
            for step in steps {
                prefix.push_str(step);
                prop_assert!(matches(&prefix, &path), "{} {}", prefix, path);
            }
            let more = format!("{path}.more");
            prop_assert!(!matches(&more, &path));
        }
    }
}
