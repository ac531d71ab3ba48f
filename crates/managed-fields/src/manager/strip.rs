//! Fields that are never in a managed entry, because the server sets them or they name the object.

use std::sync::LazyLock;

use crate::path::Path;
use crate::set::FieldSet;

static NOBODYS: LazyLock<FieldSet> = LazyLock::new(|| {
    let metadata = [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ];
    let mut set = FieldSet::new();
    let roots = ["apiVersion", "kind", "metadata"].map(|name| Path::of_fields([name]));
    for path in roots
        .into_iter()
        .chain(metadata.map(|name| Path::of_fields(["metadata", name])))
    {
        // Two elements are not too deep.
        let _ = set.insert(&path);
    }
    set
});

/// The set without those fields.
pub(super) fn strip(fields: &FieldSet) -> FieldSet {
    fields.difference(&NOBODYS)
}
