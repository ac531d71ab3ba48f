//! What would set a held release free.

use crate::domain::shadow::{Reason, ReleaseOutcome};

/// In words, for the gravest reason.
pub(super) fn until(outcome: ReleaseOutcome, reasons: &[Reason]) -> String {
    let Some(gravest) = reasons.first() else {
        return String::new();
    };
    match gravest.cause.as_str() {
        "driven-elsewhere" => "changed over there, by whoever drives it",
        "foreign-applier" => "the other tool lets go of its objects",
        "pending-install" | "pending-upgrade" | "pending-rollback" | "uninstalling" => {
            "the helm operation ends, or its lock is cleared"
        }
        "no-deployed-revision" => "a helm upgrade or rollback ends well",
        "latest-failed" => "you decide which revision counts (refit triage)",
        "shared-object" => "one of the releases gives the object up",
        "invalid-manifest" => "a chart fix: server-side apply refuses the manifest",
        "being-deleted" => "the deletion ends",
        "admission" => "the webhook or policy lets the change of ownership pass",
        "unreadable-record" => "its record reads again",
        "dependency-held" => "its dependency is set free",
        _ if outcome == ReleaseOutcome::NeedsChoice => "you answer its question (refit triage)",
        _ => "what blocks it is gone",
    }
    .to_owned()
}
