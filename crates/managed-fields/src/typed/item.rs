//! Names the items of associative lists.

use std::cmp::Ordering;

use serde_json::Value;

use crate::path::{KeyField, PathElement};
use crate::schema::{List, Relationship, Resolved, Schema};
use crate::{gotext, value};

/// What selects an item in its list, borrowed from the item and the schema's defaults: a walk names each item several
/// times, and few of the names end up in a set. The order is that of [`PathElement`].
#[derive(Clone, Debug)]
pub(super) enum Name<'v> {
    /// By the one key field of the list.
    One([(&'v str, &'v Value); 1]),
    /// By several key fields, sorted by name.
    Several(Vec<(&'v str, &'v Value)>),
    /// By its value.
    Itself(&'v Value),
}

impl<'v> Name<'v> {
    fn fields(&self) -> &[(&'v str, &'v Value)] {
        match self {
            Self::One(field) => field,
            Self::Several(fields) => fields,
            Self::Itself(_) => &[],
        }
    }

    /// The path element.
    pub fn element(&self) -> PathElement {
        let field = |(name, value): &(&str, &Value)| KeyField {
            name: (*name).into(),
            value: (*value).clone(),
        };
        match self {
            Self::One([only]) => PathElement::Key(field(only).into()),
            Self::Several(fields) => PathElement::Key(fields.iter().map(field).collect()),
            Self::Itself(value) => PathElement::value((*value).clone()),
        }
    }
}

impl Ord for Name<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Itself(l), Self::Itself(r)) => value::compare(l, r),
            // Keys come before values.
            (Self::Itself(_), _) => Ordering::Greater,
            (_, Self::Itself(_)) => Ordering::Less,
            (l, r) => {
                let (left, right) = (l.fields(), r.fields());
                let differs = left.iter().zip(right).map(|((l, left), (r, right))| {
                    l.cmp(r).then_with(|| value::compare(left, right))
                });
                (differs.into_iter().find(|order| order.is_ne()))
                    .unwrap_or_else(|| left.len().cmp(&right.len()))
            }
        }
    }
}

impl PartialOrd for Name<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Name<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Name<'_> {}

/// Whether two items have one name.
pub(super) fn has_duplicates(items: &[(Name<'_>, &Value)]) -> bool {
    let mut names: Vec<&Name<'_>> = items.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names
        .windows(2)
        .any(|pair| matches!(pair, [l, r] if l == r))
}

/// The name of `item` in its list, or why there is none.
pub(super) fn name<'v>(
    schema: &'v Schema,
    resolved: Resolved<'v>,
    list: &'v List,
    item: &'v Value,
) -> Result<Name<'v>, String> {
    if resolved.list_relationship() != Relationship::Associative {
        return Err("invalid indexing of non-associative list".to_owned());
    }
    if list.keys.is_empty() {
        of_set(item)
    } else {
        of_map_list(schema, list, item)
    }
}

fn of_map_list<'v>(
    schema: &'v Schema,
    list: &'v List,
    item: &'v Value,
) -> Result<Name<'v>, String> {
    let item = match item {
        Value::Null => {
            return Err("associative list with keys may not have a null element".to_owned());
        }
        Value::Object(item) => item,
        _ => return Err("associative list with keys may not have non-map elements".to_owned()),
    };
    let field = |name: &'v String| match item.get(name) {
        Some(value) => Ok(Some((name.as_str(), value))),
        // A key that is absent and has no default is part of the name by not being there.
        None => match default_of(schema, list, name) {
            Ok(default) => Ok(default.map(|value| (name.as_str(), value))),
            Err(why) => Err(format!("couldn't find default value for {name}: {why}")),
        },
    };
    if let [only] = list.keys.as_slice()
        && let Some(field) = field(only)?
    {
        return Ok(Name::One([field]));
    }
    let mut fields = Vec::with_capacity(list.keys.len());
    for name in &list.keys {
        fields.extend(field(name)?);
    }
    if fields.is_empty() {
        let names: Vec<String> = list.keys.iter().map(|name| gotext::quote(name)).collect();
        return Err(format!(
            "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
            names.join(" ")
        ));
    }
    fields.sort_by_key(|(name, _)| *name);
    Ok(Name::Several(fields))
}

fn default_of<'v>(
    schema: &'v Schema,
    list: &'v List,
    name: &str,
) -> Result<Option<&'v Value>, &'static str> {
    let resolved = schema
        .resolve(&list.element)
        .ok_or("invalid elementType for list")?;
    let map = resolved
        .map()
        .ok_or("associative list may not have non-map types")?;
    Ok(map
        .fields
        .get(name)
        .and_then(|field| field.default.as_ref()))
}

fn of_set(item: &Value) -> Result<Name<'_>, String> {
    match item {
        Value::Object(_) => {
            Err("associative list without keys has an element that's a map type".to_owned())
        }
        Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
        Value::Null => {
            Err("associative list without keys has an element that's an explicit null".to_owned())
        }
        scalar => Ok(Name::Itself(scalar)),
    }
}
