//! Live objects as compressed text: a small part of what their trees take, while they wait to be looked at (ADR 17).

use serde_json::json;

use crate::domain::object::LiveObject;
pub(super) use crate::helm::packed::{Packed, Packer};

/// All of an object.
pub(super) fn whole(live: &LiveObject) -> String {
    live.json.to_string()
}

/// What names an object and who owns what of it; no value.
pub(super) fn head(live: &LiveObject) -> String {
    json!({
        "apiVersion": live.json.get("apiVersion"),
        "kind": live.json.get("kind"),
        "metadata": live.json.get("metadata"),
    })
    .to_string()
}

/// An object as it was packed. `None` cannot be; who gets it all the same reads the object anew.
pub(super) fn unpack(packed: &Packed) -> Option<LiveObject> {
    LiveObject::new(serde_json::from_str(&packed.unpack()?).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_comes_back_whole_or_its_head() {
        let json = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "data": {"half": 0.1, "big": 1e300, "text": "ü\u{2028}\""},
            "metadata": {"name": "one", "namespace": "shop", "uid": "u", "resourceVersion": "7", "managedFields": [{"f": {}}]},
        });
        let live = LiveObject::new(json).unwrap();
        let mut packer = Packer::default();
        assert_eq!(unpack(&packer.pack(whole(&live))), Some(live.clone()));
        let head = unpack(&packer.pack(head(&live))).unwrap();
        assert_eq!(head.managed_fields(), live.managed_fields());
        assert_eq!(head.json.get("data"), None);
    }
}
