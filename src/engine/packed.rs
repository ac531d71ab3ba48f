//! An object as text: a tenth of what its tree takes, while it waits to be looked at (ADR 17).

use serde_json::{Value, json};

use crate::domain::object::LiveObject;

/// A live object, or its metadata, as compact JSON.
#[derive(Debug)]
pub(super) struct Packed(Box<str>);

impl Packed {
    /// All of it.
    pub(super) fn of(live: &LiveObject) -> Self {
        Self::text(&live.json)
    }

    /// What names it and who owns what of it; no value.
    pub(super) fn head(live: &LiveObject) -> Self {
        Self::text(&json!({
            "apiVersion": live.json.get("apiVersion"),
            "kind": live.json.get("kind"),
            "metadata": live.json.get("metadata"),
        }))
    }

    fn text(json: &Value) -> Self {
        Self(json.to_string().into_boxed_str())
    }

    /// `None` cannot be: the text was written here.
    pub(super) fn unpack(&self) -> Option<LiveObject> {
        LiveObject::new(serde_json::from_str(&self.0).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back_as_it_was() {
        let json = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "data": {"half": 0.1, "big": 1e300, "text": "ü\u{2028}\""},
            "metadata": {"name": "one", "namespace": "shop", "uid": "u", "resourceVersion": "7", "managedFields": [{"f": {}}]},
        });
        let live = LiveObject::new(json).unwrap();
        assert_eq!(Packed::of(&live).unpack(), Some(live.clone()));
        let head = Packed::head(&live).unpack().unwrap();
        assert_eq!(head.managed_fields(), live.managed_fields());
        assert_eq!(head.json.get("data"), None);
    }
}
