//! What the server makes of a merged object before it stores it: Go drops zero values, defaults are filled in, quantities
//! get their normal form, `stringData` becomes `data`.
//!
//! Ownership was computed before that, on the values as they were sent. So this decides one thing only: whether
//! what the apply changes in text changes anything in effect. Where the tables do not tell, the walk says so.

mod secret;
mod trail;

use managed_fields::schema::{FieldView, TypeView};
use managed_fields::value;
use serde_json::{Map, Value};

use self::trail::Trail;
use super::tables::{is_default, is_pointer, zero_is_absent};
use crate::domain::object::{ObjectRef, same_quantity};
use crate::domain::shadow::defaults::is_defaulted;
use crate::domain::shadow::is_custom_resource;

const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";

/// Brings `applied`, merged of live object and manifest, to what the server would store. The answer is a doubt: the first
/// field of which that cannot be told. Linear in the sizes of both.
pub(super) fn settle(
    object: &ObjectRef,
    applied: &mut Value,
    live: &Value,
    view: TypeView<'_>,
) -> Option<String> {
    if object.kind == "Secret" && object.group().is_empty() {
        secret::expand(applied);
    }
    let mut walk = Walk {
        built_in: !is_custom_resource(object),
        kind: if object.group().is_empty() {
            object.kind.as_str()
        } else {
            ""
        },
        path: Trail::default(),
        doubt: None,
    };
    walk.value(applied, live, view);
    walk.doubt
        .map(|field| format!("what the server makes of {field} depends on more than its schema"))
}

struct Walk<'a> {
    built_in: bool,
    /// The kind, if it is one of the core group.
    kind: &'a str,
    path: Trail,
    doubt: Option<String>,
}

impl Walk<'_> {
    fn doubt(&mut self) {
        if self.doubt.is_none() {
            self.doubt = Some(self.path.text().to_owned());
        }
    }

    fn value(&mut self, applied: &mut Value, live: &Value, view: TypeView<'_>) {
        match (applied, live) {
            (Value::Object(applied), Value::Object(live)) => self.map(applied, live, view),
            (Value::Array(applied), Value::Array(live)) if applied.len() == live.len() => {
                let item = view.item();
                for (index, (applied, live)) in applied.iter_mut().zip(live).enumerate() {
                    self.path.index(index);
                    self.value(applied, live, item);
                    self.path.back();
                }
            }
            // Go writes a nil slice as null where it may not leave it out.
            (applied, Value::Null) if self.built_in && is_empty(applied) => *applied = Value::Null,
            (Value::Object(_) | Value::Array(_), _) => {}
            (applied, live) => {
                if self.is_same(applied, live, view) {
                    applied.clone_from(live);
                }
            }
        }
    }

    fn map(
        &mut self,
        applied: &mut Map<String, Value>,
        live: &Map<String, Value>,
        view: TypeView<'_>,
    ) {
        let mut gone = Vec::new();
        for (key, value) in applied.iter_mut() {
            let field = view.field(key);
            self.path.field(key);
            let goes = match live.get(key) {
                Some(live) if is_zero(value) && !self.is_same(value, live, field.view) => {
                    self.zero(key, value, live, &field, view)
                }
                Some(live) => {
                    self.value(value, live, field.view);
                    false
                }
                None => self.vanishes(key, value, &field, view),
            };
            if goes {
                gone.push(key.clone());
            }
            self.path.back();
        }
        for key in gone {
            applied.remove(&key);
        }
        for (key, value) in live {
            if applied.contains_key(key) || self.is_managed_fields(key) {
                continue;
            }
            self.path.field(key);
            let field = view.field(key);
            if self.comes_back(key, value, &field) {
                applied.insert(key.clone(), value.clone());
            } else if self.built_in {
                self.doubt();
            }
            self.path.back();
        }
    }

    /// The live object has them, the merged one lost them on the way here.
    fn is_managed_fields(&self, key: &str) -> bool {
        key == "managedFields" && self.path.len() == 1
    }

    /// Two scalars that differ in text: are they the same to the server?
    fn is_same(&self, applied: &Value, live: &Value, view: TypeView<'_>) -> bool {
        if value::equals(applied, live) {
            return true;
        }
        if view.name() == Some(QUANTITY) {
            return same_quantity(applied, live);
        }
        match (applied, live) {
            (Value::String(applied), Value::String(live)) if self.is_bytes() => {
                secret::same_bytes(applied, live)
            }
            _ => false,
        }
    }

    /// Fields that hold bytes: their base64 is written anew.
    fn is_bytes(&self) -> bool {
        if self.path.len() == 2 {
            return match self.kind {
                "Secret" => self.path.first() == ".data",
                "ConfigMap" => self.path.first() == ".binaryData",
                _ => false,
            };
        }
        self.built_in && self.path.last() == ".caBundle"
    }

    /// `null`, `""`, `0` or `false` where something else stands: is it set, does it stand for what the server fills in,
    /// or does it take the field away (true)?
    fn zero(
        &mut self,
        key: &str,
        applied: &mut Value,
        live: &Value,
        field: &FieldView<'_>,
        owner: TypeView<'_>,
    ) -> bool {
        if !self.built_in {
            if applied.is_null() && field.default.is_some() {
                self.doubt();
            }
            return false;
        }
        if !field.declared {
            // A value of a map, such as an empty label.
            return false;
        }
        let is_kept = self.kind == "Service"
            && matches!(key, "clusterIP" | "nodePort" | "healthCheckNodePort");
        if is_kept || is_default(key, live) {
            applied.clone_from(live);
            return false;
        }
        if !applied.is_null() && is_pointer(key) {
            return false;
        }
        let is_absent = applied.is_null() || zero_is_absent(owner.name(), key);
        if is_absent && !is_defaulted(key) {
            return true;
        }
        self.doubt();
        false
    }

    /// Added by the manifest: does Go leave it out again?
    fn vanishes(
        &mut self,
        key: &str,
        applied: &Value,
        field: &FieldView<'_>,
        owner: TypeView<'_>,
    ) -> bool {
        if !self.built_in {
            if applied.is_null() {
                self.doubt();
            }
            return false;
        }
        if !field.declared {
            if applied.is_null() {
                self.doubt();
            }
            return false;
        }
        match applied {
            Value::Null => true,
            Value::Array(items) => items.is_empty(),
            // An empty map is left out; an empty struct behind a pointer stays.
            Value::Object(map) => map.is_empty() && !field.view.is_struct(),
            value if !is_zero(value) => false,
            _ if zero_is_absent(owner.name(), key) => true,
            // A pointer to a zero value is stored: somebody took it away.
            _ if is_pointer(key) => false,
            _ => {
                self.doubt();
                false
            }
        }
    }

    /// Inside an atomic value: live has it and the manifest does not. Would the server fill it in?
    fn comes_back(&mut self, key: &str, live: &Value, field: &FieldView<'_>) -> bool {
        if field.default == Some(live) {
            return true;
        }
        if !self.built_in {
            return false;
        }
        match live {
            Value::Object(map) if !map.is_empty() => map.iter().all(|(key, value)| {
                let inner = field.view.field(key);
                self.comes_back(key, value, &inner)
            }),
            Value::Object(_) => field.default.is_some(),
            value => is_default(key, value),
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        _ => false,
    }
}
