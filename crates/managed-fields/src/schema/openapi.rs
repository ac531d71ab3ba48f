//! Reads schemas from OpenAPI v3 documents as the API server publishes them under `/openapi/v3/<group-version>`.
//!
//! The rules are those of `k8s.io/kube-openapi/pkg/schemaconv`, which the server itself uses.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map as Object, Value};

use super::{
    Atom, Field, Kind, List, Map, Relationship, Scalar, Schema, TypeRef, UNTYPED_ATOMIC,
    UNTYPED_DEDUCED,
};
use crate::MAX_DEPTH;

/// Two types that the server reads in its own way, whatever their schema says.
const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const RAW_EXTENSION: &str = "io.k8s.apimachinery.pkg.runtime.RawExtension";

/// Something in a type's schema that the server refuses too.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{type_name}: {message}")]
pub struct Fault {
    /// The type it was found in.
    pub type_name: String,
    /// What is wrong.
    pub message: String,
}

/// A document that is no OpenAPI v3 document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the document is not OpenAPI v3: it has no components.schemas object")]
pub struct OpenApiError;

impl Schema {
    /// Reads the types of one or more OpenAPI v3 documents. Of two types with one name the later document's counts.
    ///
    /// A fault in one type does not hide the others: see [`Schema::faults_of`]. Linear in the documents' size.
    ///
    /// ```
    /// use managed_fields::schema::{Kind, Schema};
    /// use serde_json::json;
    ///
    /// let document = json!({"components": {"schemas": {"dev.example.Box": {
    ///     "type": "object",
    ///     "properties": {
    ///         "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
    ///         "sizes": {"type": "array", "items": {"type": "integer"}, "x-kubernetes-list-type": "set"},
    ///     },
    ///     "x-kubernetes-group-version-kind": [{"group": "example.dev", "version": "v1", "kind": "Box"}],
    /// }}}});
    /// let schema = Schema::from_openapi([&document])?;
    /// assert!(schema.knows(&Kind::new("example.dev/v1", "Box")));
    /// # Ok::<(), managed_fields::schema::OpenApiError>(())
    /// ```
    pub fn from_openapi<'a>(
        documents: impl IntoIterator<Item = &'a Value>,
    ) -> Result<Self, OpenApiError> {
        let mut models: BTreeMap<&str, &Value> = BTreeMap::new();
        for document in documents {
            let schemas = match document
                .get("components")
                .map(|components| components.get("schemas"))
            {
                Some(Some(Value::Object(schemas))) => schemas,
                // Documents without any type exist: /openapi/v3/version.
                Some(None) | None if document.get("openapi").is_some() => continue,
                _ => return Err(OpenApiError),
            };
            models.extend(schemas.iter().map(|(name, model)| (name.as_str(), model)));
        }
        let mut schema = Self::default();
        for (name, model) in models {
            schema.add_model(name, model);
        }
        schema.add_common_types();
        Ok(schema)
    }

    fn add_model(&mut self, name: &str, model: &Value) {
        let name: Arc<str> = name.into();
        if let Some(list) = model
            .get("x-kubernetes-group-version-kind")
            .and_then(Value::as_array)
        {
            for entry in list {
                let text = |field| entry.get(field).and_then(Value::as_str);
                if let (Some(group), Some(version), Some(kind)) =
                    (text("group"), text("version"), text("kind"))
                    && !kind.is_empty()
                {
                    let kind = Kind {
                        group: group.to_owned(),
                        version: version.to_owned(),
                        kind: kind.to_owned(),
                    };
                    self.kinds.insert(kind, Arc::clone(&name));
                }
            }
        }
        if model.get("$ref").is_some() {
            return;
        }
        let mut reader = Reader {
            type_name: &name,
            faults: Vec::new(),
        };
        let atom = match &*name {
            QUANTITY => Atom {
                scalar: Some(Scalar::Untyped),
                ..Atom::default()
            },
            RAW_EXTENSION => untyped_atomic(),
            _ => reader.atom(model, false, 0),
        };
        let faults = reader.faults;
        if !faults.is_empty() {
            self.faults.insert(Arc::clone(&name), faults);
        }
        self.types.insert(name, Arc::new(atom));
    }
}

fn untyped_atomic() -> Atom {
    let mut schema = Schema::default();
    schema.add_common_types();
    schema
        .types
        .get(UNTYPED_ATOMIC)
        .map(|atom| Atom::clone(atom))
        .unwrap_or_default()
}

struct Reader<'a> {
    type_name: &'a str,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, message: impl Into<String>) {
        self.faults.push(Fault {
            type_name: self.type_name.to_owned(),
            message: message.into(),
        });
    }

    /// `preserve` says whether unknown fields are kept here: set by this schema or one around it, references start afresh.
    fn atom(&mut self, model: &Value, preserve: bool, depth: usize) -> Atom {
        let none = Object::new();
        let model = match model {
            Value::Object(model) => model,
            _ => &none,
        };
        if depth > MAX_DEPTH {
            self.fault(format!("deeper than {MAX_DEPTH} schemas"));
            return Atom::default();
        }
        let preserve = preserve
            || model.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
        let type_name = match model.get("type") {
            Some(Value::Array(types)) => types.first().and_then(Value::as_str),
            other => other.and_then(Value::as_str),
        };
        match type_name.unwrap_or_default() {
            // No type is any type.
            "" => Atom {
                scalar: Some(Scalar::Untyped),
                list: Some(self.list(model, false, preserve, depth)),
                map: Some(self.map(model, preserve, depth)),
            },
            "object" => Atom {
                map: Some(self.map(model, preserve, depth)),
                ..Atom::default()
            },
            "array" => Atom {
                list: Some(self.list(model, true, preserve, depth)),
                ..Atom::default()
            },
            "integer" | "number" => Atom {
                scalar: Some(Scalar::Numeric),
                ..Atom::default()
            },
            "boolean" => Atom {
                scalar: Some(Scalar::Boolean),
                ..Atom::default()
            },
            "string" => {
                let scalar = match model.get("format").and_then(Value::as_str) {
                    None | Some("" | "byte") => Scalar::String,
                    Some(_) => Scalar::Untyped,
                };
                Atom {
                    scalar: Some(scalar),
                    ..Atom::default()
                }
            }
            other => {
                self.fault(format!("unrecognized type: '{other}'"));
                Atom {
                    scalar: Some(Scalar::Untyped),
                    ..Atom::default()
                }
            }
        }
    }

    fn type_ref(&mut self, model: &Value, preserve: bool, depth: usize) -> TypeRef {
        let reference = |model: &Value| {
            model
                .get("$ref")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let mut target = reference(model);
        if target.is_empty()
            && let Some([wrapped]) = model
                .get("allOf")
                .and_then(Value::as_array)
                .map(Vec::as_slice)
        {
            target = reference(wrapped);
        }
        let name = target.rsplit('/').next().unwrap_or_default();
        if name.is_empty() {
            return TypeRef::Inline(Arc::new(self.atom(model, preserve, depth + 1)));
        }
        let relationship = model
            .as_object()
            .and_then(|model| self.map_relationship(model));
        TypeRef::Named {
            name: name.into(),
            relationship,
        }
    }

    fn map(&mut self, model: &Object<String, Value>, preserve: bool, depth: usize) -> Map {
        let none = Object::new();
        let properties = model
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&none);
        let required = model.get("required").and_then(Value::as_array);
        let mut fields = BTreeMap::new();
        for (name, property) in properties {
            let type_ref = self.type_ref(property, preserve, depth);
            let default = property
                .get("default")
                .filter(|default| !default.is_null())
                .cloned();
            let field = Field {
                type_ref,
                default,
                required: required.is_some_and(|names| names.iter().any(|it| it == name)),
            };
            fields.insert(Arc::from(name.as_str()), field);
        }
        let element = match model.get("additionalProperties") {
            None | Some(Value::Null) if preserve || fields.is_empty() => {
                TypeRef::named(UNTYPED_DEDUCED)
            }
            None | Some(Value::Null | Value::Bool(false)) => TypeRef::Undeclared,
            Some(Value::Bool(true)) => TypeRef::named(UNTYPED_DEDUCED),
            Some(schema) => self.type_ref(schema, preserve, depth),
        };
        let relationship = self
            .map_relationship(model)
            .unwrap_or(Relationship::Separable);
        Map {
            fields,
            element,
            relationship,
        }
    }

    fn list(
        &mut self,
        model: &Object<String, Value>,
        typed: bool,
        preserve: bool,
        depth: usize,
    ) -> List {
        let (relationship, keys) = self.list_relationship(model);
        let element = match model.get("items") {
            Some(items @ Value::Object(_)) => self.type_ref(items, preserve, depth),
            Some(Value::Array(_)) => {
                self.fault("structural schema arrays must have exactly one member subtype");
                TypeRef::named(UNTYPED_DEDUCED)
            }
            _ => {
                if typed {
                    self.fault("`items` must be specified on arrays");
                }
                TypeRef::named(UNTYPED_ATOMIC)
            }
        };
        List {
            element,
            relationship,
            keys,
        }
    }

    fn map_relationship(&mut self, model: &Object<String, Value>) -> Option<Relationship> {
        match model.get("x-kubernetes-map-type")?.as_str() {
            Some("atomic") => Some(Relationship::Atomic),
            Some("granular") => Some(Relationship::Separable),
            other => {
                self.fault(format!("unknown map type {}", other.unwrap_or_default()));
                None
            }
        }
    }

    fn list_relationship(&mut self, model: &Object<String, Value>) -> (Relationship, Vec<String>) {
        if let Some(list_type) = model.get("x-kubernetes-list-type") {
            return match list_type.as_str() {
                Some("atomic") => (Relationship::Atomic, Vec::new()),
                Some("set") => (Relationship::Associative, Vec::new()),
                Some("map") => {
                    let keys = model
                        .get("x-kubernetes-list-map-keys")
                        .and_then(Value::as_array);
                    if keys.is_none() {
                        self.fault("missing map keys");
                    }
                    let names = keys
                        .into_iter()
                        .flatten()
                        .filter_map(Value::as_str)
                        .map(str::to_owned);
                    (Relationship::Associative, names.collect())
                }
                other => {
                    self.fault(format!("unknown list type {}", other.unwrap_or_default()));
                    (Relationship::Atomic, Vec::new())
                }
            };
        }
        match model.get("x-kubernetes-patch-strategy").map(Value::as_str) {
            None | Some(Some("retainKeys")) => (Relationship::Atomic, Vec::new()),
            Some(Some("merge" | "merge,retainKeys")) => {
                match model.get("x-kubernetes-patch-merge-key").map(Value::as_str) {
                    // A merge strategy without a key is that of a set.
                    None => (Relationship::Associative, Vec::new()),
                    Some(Some(key)) => (Relationship::Associative, vec![key.to_owned()]),
                    Some(None) => {
                        self.fault("uninterpreted merge key");
                        (Relationship::Associative, Vec::new())
                    }
                }
            }
            Some(other) => {
                self.fault(format!(
                    "unknown patch strategy {}",
                    other.unwrap_or_default()
                ));
                (Relationship::Atomic, Vec::new())
            }
        }
    }
}
