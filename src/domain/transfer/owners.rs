//! Whose entry is it?

use managed_fields::{ManagedFieldsEntry, PathElement};

use crate::domain::fleet::ManagerMatcher;

/// The server's name for what it found on an object that had no managedFields when it was first applied.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// Is this entry Helm's own: canonical manager or alias, main resource only?
///
/// `before-first-apply` counts where it holds Helm's annotation: then Helm wrote what it stands for (rule R9).
pub fn is_own(entry: &ManagedFieldsEntry, managers: &ManagerMatcher) -> bool {
    entry.subresource().is_empty()
        && (managers.own(entry.manager()).is_some()
            || (entry.manager() == BEFORE_FIRST_APPLY && holds_helm_annotation(entry)))
}

fn holds_helm_annotation(entry: &ManagedFieldsEntry) -> bool {
    let path = ["metadata", "annotations", "meta.helm.sh/release-name"].map(PathElement::field);
    entry.fields().has(&path)
}

/// An owner as people read it: `kubectl/scale` for a subresource, `helm` else.
pub fn describe(entry: &ManagedFieldsEntry) -> String {
    match entry.subresource() {
        "" => entry.manager().to_owned(),
        subresource => format!("{}/{subresource}", entry.manager()),
    }
}
