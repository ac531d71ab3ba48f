//! Path elements and paths: how one field of an object is named.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde_json::Value;
use smol_str::SmolStr;

use crate::{gotext, value};

/// One step of a path: exactly one of the four ways to select a child.
///
/// The order is the server's: names, then keys, then values, then indexes. An integer and a float of the same
/// numerical value are the same key: `metadata.managedFields` knows only floats, objects have integers.
#[derive(Clone, Debug)]
pub enum PathElement {
    /// A key of a map or a field of a struct; `f:name` in `fieldsV1`, `.name` in text.
    Field(SmolStr),
    /// The item of a list of maps which has these key fields; `k:{…}`, `[name="web"]`.
    Key(Key),
    /// The item of a list of scalars which has this value; `v:…`, `[="web"]`.
    Value(Arc<Value>),
    /// The item of a list at this position; `i:0`, `[0]`. Modern servers write none.
    Index(i64),
}

/// The key fields of a list item, sorted by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(Arc<[KeyField]>);

/// One key field of a list item.
#[derive(Clone, Debug)]
pub struct KeyField {
    /// The name of the field.
    pub name: SmolStr,
    /// Its value, a scalar in anything a server wrote.
    pub value: Value,
}

impl PathElement {
    /// The element of a field or map key.
    pub fn field(name: impl Into<SmolStr>) -> Self {
        Self::Field(name.into())
    }

    /// The element of a list item with these key fields, in any order.
    pub fn key(fields: impl IntoIterator<Item = (impl Into<SmolStr>, impl Into<Value>)>) -> Self {
        Self::Key(
            fields
                .into_iter()
                .map(|(name, value)| KeyField {
                    name: name.into(),
                    value: value.into(),
                })
                .collect(),
        )
    }

    /// The element of a list item with this value.
    pub fn value(value: impl Into<Value>) -> Self {
        Self::Value(Arc::new(value.into()))
    }

    /// The field's name, if this element is one.
    pub fn as_field(&self) -> Option<&str> {
        match self {
            Self::Field(name) => Some(name),
            _ => None,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Field(_) => 0,
            Self::Key(_) => 1,
            Self::Value(_) => 2,
            Self::Index(_) => 3,
        }
    }
}

impl Ord for PathElement {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Field(l), Self::Field(r)) => l.cmp(r),
            (Self::Key(l), Self::Key(r)) => l.cmp(r),
            (Self::Value(l), Self::Value(r)) => value::compare(l, r),
            (Self::Index(l), Self::Index(r)) => l.cmp(r),
            (l, r) => l.rank().cmp(&r.rank()),
        }
    }
}

impl PartialOrd for PathElement {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for PathElement {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for PathElement {}

impl Ord for KeyField {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name
            .cmp(&other.name)
            .then_with(|| value::compare(&self.value, &other.value))
    }
}

impl PartialOrd for KeyField {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for KeyField {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for KeyField {}

impl From<KeyField> for Key {
    fn from(only: KeyField) -> Self {
        Self(Arc::new([only]))
    }
}

impl FromIterator<KeyField> for Key {
    /// Sorts by name; fields of one name keep their order.
    fn from_iter<I: IntoIterator<Item = KeyField>>(fields: I) -> Self {
        let mut fields: Vec<KeyField> = fields.into_iter().collect();
        fields.sort_by(|l, r| l.name.cmp(&r.name));
        Self(fields.into())
    }
}

impl Deref for Key {
    type Target = [KeyField];

    fn deref(&self) -> &[KeyField] {
        &self.0
    }
}

/// As the server prints it: `.name` without escapes, `[k1=v1,k2=v2]`, `[=v]`, `[i]`; strings quoted as Go's `%q` does.
impl fmt::Display for PathElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(fields) => {
                f.write_str("[")?;
                for (i, field) in fields.iter().enumerate() {
                    let comma = if i > 0 { "," } else { "" };
                    write!(
                        f,
                        "{comma}{}={}",
                        field.name,
                        gotext::display_value(&field.value)
                    )?;
                }
                f.write_str("]")
            }
            Self::Value(value) => write!(f, "[={}]", gotext::display_value(value)),
            Self::Index(i) => write!(f, "[{i}]"),
        }
    }
}

/// How to get from an object to one of its fields: a list of [`PathElement`]s.
///
/// Its text is the one in the server's conflict messages. It is meant for reading and comparing and cannot be
/// parsed back: names are not escaped, so `.metadata.annotations.a.b` may be one key or two.
///
/// ```
/// use managed_fields::{Path, PathElement};
///
/// let mut path = Path::of_fields(["spec", "containers"]);
/// path.push(PathElement::key([("name", "web")]));
/// path.push(PathElement::field("image"));
/// assert_eq!(path.to_string(), r#".spec.containers[name="web"].image"#);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<PathElement>);

impl Path {
    /// The path of the object itself.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// A path of field names only.
    pub fn of_fields<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().map(PathElement::field).collect()
    }

    /// Appends one step.
    pub fn push(&mut self, element: PathElement) {
        self.0.push(element);
    }

    /// Takes the last step off.
    pub fn pop(&mut self) -> Option<PathElement> {
        self.0.pop()
    }

    /// Whether this path is `prefix` or lies below it.
    pub fn starts_with(&self, prefix: &[PathElement]) -> bool {
        self.0.starts_with(prefix)
    }
}

impl Deref for Path {
    type Target = [PathElement];

    fn deref(&self) -> &[PathElement] {
        &self.0
    }
}

impl FromIterator<PathElement> for Path {
    fn from_iter<I: IntoIterator<Item = PathElement>>(elements: I) -> Self {
        Self(elements.into_iter().collect())
    }
}

impl From<Vec<PathElement>> for Path {
    fn from(elements: Vec<PathElement>) -> Self {
        Self(elements)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|element| element.fmt(f))
    }
}
