//! Schemas: how each field of an object merges, as far as field ownership must know.
//!
//! `mod` holds the types, `openapi` reads them from a cluster's OpenAPI v3 documents, `kind` names kinds, `zero` knows what
//! a new object says already, `view` is for readers who walk a value beside its type.

mod kind;
mod openapi;
mod view;
mod zero;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value;

pub use kind::Kind;
pub use openapi::{Fault, OpenApiError};
pub use view::{FieldView, TypeView};

/// The name of the type of anything that is owned as one whole.
pub(crate) const UNTYPED_ATOMIC: &str = "__untyped_atomic_";
/// The name of the type whose maps are owned key by key, and whose lists are owned as a whole.
pub(crate) const UNTYPED_DEDUCED: &str = "__untyped_deduced_";

/// The types of one or more API groups, and which kinds they describe.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// Looked up by name for every struct and list item, and the names are long and much alike: so no ordered map.
    types: HashMap<Arc<str>, Arc<Atom>>,
    kinds: BTreeMap<Kind, Arc<str>>,
    faults: BTreeMap<Arc<str>, Vec<Fault>>,
    deduced: bool,
}

/// What a value may be: any of the three that are there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Atom {
    pub scalar: Option<Scalar>,
    pub list: Option<List>,
    pub map: Option<Map>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    Numeric,
    String,
    Boolean,
    /// Any of the three.
    Untyped,
}

/// How the parts of a list or map belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relationship {
    /// One whole with one owner.
    Atomic,
    /// A list whose items are told apart by their keys or values.
    Associative,
    /// A map or struct whose fields are owned one by one.
    Separable,
}

#[derive(Clone, Debug)]
pub(crate) struct List {
    pub element: TypeRef,
    pub relationship: Relationship,
    /// Names of the key fields of an associative list of maps; empty for a set.
    pub keys: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Map {
    pub fields: BTreeMap<Arc<str>, Field>,
    /// The type of keys that are not among the fields.
    pub element: TypeRef,
    pub relationship: Relationship,
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub type_ref: TypeRef,
    pub default: Option<Value>,
    pub required: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum TypeRef {
    /// No type: such a field is not allowed.
    Undeclared,
    Inline(Arc<Atom>),
    Named {
        name: Arc<str>,
        /// Takes the place of the relationship of the type's map or, if it is no map, of its list.
        relationship: Option<Relationship>,
    },
}

impl TypeRef {
    pub(crate) fn is_declared(&self) -> bool {
        !matches!(self, Self::Undeclared)
    }

    /// How the server names the type in an error.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Named { name, .. } => name,
            _ => "inlined",
        }
    }

    fn named(name: &str) -> Self {
        Self::Named {
            name: name.into(),
            relationship: None,
        }
    }
}

/// A type with the override of the reference that led to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resolved<'a> {
    atom: &'a Atom,
    relationship: Option<Relationship>,
}

impl<'a> Resolved<'a> {
    pub(crate) fn scalar(self) -> Option<Scalar> {
        self.atom.scalar
    }

    pub(crate) fn list(self) -> Option<&'a List> {
        self.atom.list.as_ref()
    }

    pub(crate) fn map(self) -> Option<&'a Map> {
        self.atom.map.as_ref()
    }

    pub(crate) fn map_is_atomic(self) -> bool {
        self.relationship.or(self.map().map(|map| map.relationship)) == Some(Relationship::Atomic)
    }

    pub(crate) fn list_relationship(self) -> Relationship {
        let own = self
            .list()
            .map_or(Relationship::Atomic, |list| list.relationship);
        if self.atom.map.is_some() {
            own
        } else {
            self.relationship.unwrap_or(own)
        }
    }
}

impl Map {
    /// The type of a key, and whether it is a declared field.
    pub(crate) fn type_of(&self, key: &str) -> (&TypeRef, bool) {
        match self.fields.get(key) {
            Some(field) => (&field.type_ref, true),
            None => (&self.element, false),
        }
    }
}

impl Schema {
    /// The schema that the server uses for a kind it has no usable schema of: every list is owned as a whole, every
    /// map key by key. It knows every kind.
    pub fn deduced() -> Self {
        let mut schema = Self {
            deduced: true,
            ..Self::default()
        };
        schema.add_common_types();
        schema
    }

    /// Whether the schema describes this kind.
    pub fn knows(&self, kind: &Kind) -> bool {
        self.type_of(kind).is_some()
    }

    /// The kinds that the schema describes.
    pub fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.keys()
    }

    /// What is wrong with the types that this kind needs; empty if all is well.
    ///
    /// For a custom resource with such faults the server falls back to [`Schema::deduced`].
    /// Linear in the size of the kind's types.
    pub fn faults_of(&self, kind: &Kind) -> Vec<&Fault> {
        let mut seen = std::collections::BTreeSet::new();
        let mut todo: Vec<&str> = self
            .kinds
            .get(kind)
            .map(|name| &**name)
            .into_iter()
            .collect();
        let mut faults = Vec::new();
        if self.faults.is_empty() {
            return faults;
        }
        while let Some(name) = todo.pop() {
            if seen.insert(name) {
                faults.extend(self.faults.get(name).into_iter().flatten());
                if let Some(atom) = self.types.get(name) {
                    atom.references(&mut todo);
                }
            }
        }
        faults
    }

    pub(crate) fn type_of(&self, kind: &Kind) -> Option<TypeRef> {
        if self.deduced {
            return Some(TypeRef::named(UNTYPED_DEDUCED));
        }
        self.kinds.get(kind).map(|name| TypeRef::Named {
            name: Arc::clone(name),
            relationship: None,
        })
    }

    /// The type behind a reference; `None` if there is none, or if it has a relationship to override and no list or map.
    pub(crate) fn resolve<'a>(&'a self, type_ref: &'a TypeRef) -> Option<Resolved<'a>> {
        static NOTHING: Atom = Atom {
            scalar: None,
            list: None,
            map: None,
        };
        match type_ref {
            TypeRef::Undeclared => Some(Resolved {
                atom: &NOTHING,
                relationship: None,
            }),
            TypeRef::Inline(atom) => Some(Resolved {
                atom,
                relationship: None,
            }),
            TypeRef::Named { name, relationship } => {
                let atom: &Atom = self.types.get(name)?;
                let overridable = atom.map.is_some() || atom.list.is_some();
                (relationship.is_none() || overridable).then_some(Resolved {
                    atom,
                    relationship: *relationship,
                })
            }
        }
    }

    fn add_common_types(&mut self) {
        let atomic = Atom {
            scalar: Some(Scalar::Untyped),
            list: Some(List {
                element: TypeRef::named(UNTYPED_ATOMIC),
                relationship: Relationship::Atomic,
                keys: Vec::new(),
            }),
            map: Some(Map {
                fields: BTreeMap::new(),
                element: TypeRef::named(UNTYPED_ATOMIC),
                relationship: Relationship::Atomic,
            }),
        };
        let deduced = Atom {
            map: Some(Map {
                fields: BTreeMap::new(),
                element: TypeRef::named(UNTYPED_DEDUCED),
                relationship: Relationship::Separable,
            }),
            ..atomic.clone()
        };
        self.types.insert(UNTYPED_ATOMIC.into(), Arc::new(atomic));
        self.types.insert(UNTYPED_DEDUCED.into(), Arc::new(deduced));
    }
}

impl Atom {
    fn references<'a>(&'a self, out: &mut Vec<&'a str>) {
        let elements = self
            .list
            .iter()
            .map(|list| &list.element)
            .chain(self.map.iter().map(|map| &map.element));
        let fields = self
            .map
            .iter()
            .flat_map(|map| map.fields.values().map(|field| &field.type_ref));
        for type_ref in elements.chain(fields) {
            match type_ref {
                TypeRef::Undeclared => {}
                TypeRef::Named { name, .. } => out.push(name),
                TypeRef::Inline(atom) => atom.references(out),
            }
        }
    }
}
