//! Types as a reader sees them: to walk a value beside its schema.

use serde_json::Value;

use super::{Atom, Kind, Schema, TypeRef};

/// The type of one value of an object. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct TypeView<'s> {
    schema: &'s Schema,
    name: Option<&'s str>,
    atom: Option<&'s Atom>,
}

/// The type of what stands under a key.
#[derive(Clone, Copy, Debug)]
pub struct FieldView<'s> {
    /// Its type.
    pub view: TypeView<'s>,
    /// A field of a struct; else a key of a map, or nothing that the schema names.
    pub declared: bool,
    /// What the schema says stands there if nothing is given.
    pub default: Option<&'s Value>,
}

impl Schema {
    /// The type of a kind's objects; `None` if the schema does not describe it.
    ///
    /// ```
    /// use managed_fields::schema::{Kind, Schema};
    /// use serde_json::json;
    ///
    /// let document = json!({"components": {"schemas": {
    ///     "dev.Size": {"type": "string", "format": "size"},
    ///     "dev.Box": {
    ///         "type": "object",
    ///         "properties": {"size": {"$ref": "#/components/schemas/dev.Size"}, "lid": {"type": "boolean", "default": true}},
    ///         "x-kubernetes-group-version-kind": [{"group": "dev", "version": "v1", "kind": "Box"}],
    ///     },
    /// }}});
    /// let schema = Schema::from_openapi([&document])?;
    /// let object = schema.view(&Kind::new("dev/v1", "Box")).unwrap();
    /// assert_eq!(object.field("size").view.name(), Some("dev.Size"));
    /// assert_eq!(object.field("lid").default, Some(&json!(true)));
    /// assert!(!object.field("other").declared);
    /// # Ok::<(), managed_fields::schema::OpenApiError>(())
    /// ```
    pub fn view(&self, kind: &Kind) -> Option<TypeView<'_>> {
        let name = self.kinds.get(kind)?;
        Some(TypeView {
            schema: self,
            name: Some(name),
            atom: self.types.get(name).map(AsRef::as_ref),
        })
    }
}

impl<'s> TypeView<'s> {
    /// The model's name, such as `io.k8s.api.core.v1.PodSpec`; `None` if the type is written where it is used.
    pub fn name(self) -> Option<&'s str> {
        self.name
    }

    /// Whether the type has fields of its own; else it is a map, a list, a scalar, or unknown.
    pub fn is_struct(self) -> bool {
        self.atom
            .and_then(|atom| atom.map.as_ref())
            .is_some_and(|map| !map.fields.is_empty())
    }

    /// The type of what stands under a key.
    pub fn field(self, key: &str) -> FieldView<'s> {
        let Some(map) = self.atom.and_then(|atom| atom.map.as_ref()) else {
            return FieldView {
                view: self.unknown(),
                declared: false,
                default: None,
            };
        };
        match map.fields.get(key) {
            Some(field) => FieldView {
                view: self.of(&field.type_ref),
                declared: true,
                default: field.default.as_ref(),
            },
            None => FieldView {
                view: self.of(&map.element),
                declared: false,
                default: None,
            },
        }
    }

    /// The type of a list's items.
    #[must_use]
    pub fn item(self) -> Self {
        match self.atom.and_then(|atom| atom.list.as_ref()) {
            Some(list) => self.of(&list.element),
            None => self.unknown(),
        }
    }

    fn unknown(self) -> Self {
        Self {
            schema: self.schema,
            name: None,
            atom: None,
        }
    }

    fn of(self, type_ref: &'s TypeRef) -> Self {
        let (name, atom) = match type_ref {
            TypeRef::Undeclared => (None, None),
            TypeRef::Inline(atom) => (None, Some(atom.as_ref())),
            TypeRef::Named { name, .. } => (
                Some(name.as_ref()),
                self.schema.types.get(name).map(AsRef::as_ref),
            ),
        };
        Self {
            schema: self.schema,
            name,
            atom,
        }
    }
}
