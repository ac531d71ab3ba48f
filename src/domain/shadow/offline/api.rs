//! What a cluster publishes of one group-version: its OpenAPI v3 document, prepared.

use std::collections::{BTreeMap, BTreeSet};

use managed_fields::manager::reset;
use managed_fields::schema::{Kind, OpenApiError, TypeView};
use managed_fields::{FieldManager, FieldSet, PathElement, Schema};
use serde_json::Value;

use crate::domain::shadow::object::is_built_in_group;

/// A group-version as its cluster publishes it. Prepared once, used for every object of the group-version.
#[derive(Debug, Clone)]
pub struct Api {
    version: String,
    schema: Schema,
    /// Kinds whose main resource leaves some fields alone, such as `status`.
    resets: BTreeMap<String, FieldSet>,
    /// The models of custom resources, for what a field-set schema does not hold: which fields may be null.
    models: BTreeMap<String, Value>,
}

/// A document that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// It is no OpenAPI v3 document.
    #[error(transparent)]
    OpenApi(#[from] OpenApiError),
}

/// The endpoint of one kind.
pub(super) struct Endpoint<'a> {
    pub(super) manager: FieldManager<'a>,
    /// Top-level fields that an apply does not set.
    pub(super) reset: Vec<String>,
    pub(super) view: TypeView<'a>,
    /// The model of a custom resource.
    pub(super) model: Option<&'a Value>,
}

impl Api {
    /// Prepares the document of `/openapi/v3/apis/<group>/<version>` (`/openapi/v3/api/v1` for the core group).
    /// Linear in the document's size.
    pub fn read(api_version: &str, document: &Value) -> Result<Self, ApiError> {
        let schema = Schema::from_openapi([document])?;
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let mut api = Self {
            version: api_version.to_owned(),
            resets: BTreeMap::new(),
            models: BTreeMap::new(),
            schema,
        };
        let with_status = kinds_with_status(document);
        let kinds = api.schema.kinds();
        for kind in kinds.filter(|kind| kind.api_version() == api_version) {
            let fields = reset::of_builtin(kind, "").or_else(|| {
                let custom = reset::of_custom_resource(api_version, "").remove(api_version);
                custom.filter(|_| with_status.contains(kind.kind.as_str()))
            });
            if let Some(fields) = fields {
                api.resets.insert(kind.kind.clone(), fields);
            }
        }
        if !is_built_in_group(group) {
            api.models = models(document, api_version);
        }
        Ok(api)
    }

    /// The group-version.
    pub fn api_version(&self) -> &str {
        &self.version
    }

    /// `None` if there is no schema of the kind, or one that the server itself does not use.
    pub(super) fn endpoint(&self, kind: &str) -> Option<Endpoint<'_>> {
        let named = Kind::new(&self.version, kind);
        let view = self.schema.view(&named)?;
        if !self.schema.faults_of(&named).is_empty() {
            return None;
        }
        let fields = self.resets.get(kind);
        let manager = FieldManager::new(&self.schema, named, "").with_reset(
            fields
                .map(|fields| (self.version.clone(), fields.clone()))
                .into_iter()
                .collect(),
        );
        let reset = fields.into_iter().flat_map(FieldSet::members);
        Some(Endpoint {
            manager,
            reset: reset
                .filter_map(PathElement::as_field)
                .map(str::to_owned)
                .collect(),
            view,
            model: self.models.get(kind),
        })
    }
}

/// Kinds that have the status subresource, by the document's paths.
fn kinds_with_status(document: &Value) -> BTreeSet<&str> {
    let paths = document.get("paths").and_then(Value::as_object);
    let mut kinds = BTreeSet::new();
    for (path, item) in paths.into_iter().flatten() {
        if !path.ends_with("}/status") {
            continue;
        }
        let operations = item.as_object().into_iter().flatten();
        kinds.extend(operations.filter_map(|(_, operation)| {
            operation
                .pointer("/x-kubernetes-group-version-kind/kind")
                .and_then(Value::as_str)
        }));
    }
    kinds
}

/// Models by kind.
fn models(document: &Value, api_version: &str) -> BTreeMap<String, Value> {
    let schemas = document
        .pointer("/components/schemas")
        .and_then(Value::as_object);
    let mut models = BTreeMap::new();
    for model in schemas.into_iter().flatten().map(|(_, model)| model) {
        let kinds = model
            .get("x-kubernetes-group-version-kind")
            .and_then(Value::as_array);
        for named in kinds.into_iter().flatten() {
            let text = |key| named.get(key).and_then(Value::as_str).unwrap_or_default();
            let kind = Kind {
                group: text("group").to_owned(),
                version: text("version").to_owned(),
                kind: text("kind").to_owned(),
            };
            if kind.api_version() == api_version {
                models.insert(kind.kind, model.clone());
            }
        }
    }
    models
}
