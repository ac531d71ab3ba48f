//! Releases that were on server-side apply and left it again: what a Helm 3 in a forgotten pipeline does.

use super::class::{of_entry, owners};
use super::{Ownership, RecordFacts, ReleaseFacts, SlidBack};
use crate::domain::fleet::ManagerMatcher;

/// What records say that Helm wrote through server-side apply.
const SSA: &str = "ssa";

/// Is the newest revision not `ssa`, though an older one is? A lock of refit's own, or of a Helm under way, is
/// `pending-*` and has not written anything that counts.
pub(super) fn slid_back(release: &ReleaseFacts, ours: &ManagerMatcher) -> Option<SlidBack> {
    let written = |record: &&RecordFacts| !record.status.starts_with("pending-");
    let records = release.records.iter().filter(written);
    let newest = records.clone().max_by_key(|record| record.revision)?;
    let is_ssa = |record: &&RecordFacts| record.apply_method.as_deref() == Some(SSA);
    if is_ssa(&newest) {
        return None;
    }
    let last_ssa = records
        .filter(is_ssa)
        .max_by_key(|record| record.revision)?;
    let at = newest.at.as_ref();
    let of = at.map_or_else(String::new, |at| format!(" of {at}"));
    let says = match newest.apply_method.as_deref() {
        None | Some("") => "records no apply method: Helm 3 wrote it",
        Some("csa") => "records csa: Helm 4 wrote it with client-side apply",
        Some(_) => "records an apply method that refit does not know",
    };
    let mixed = release.objects.iter().filter(|object| {
        let says = |class| owners(object).any(|entry| of_entry(entry, ours) == Some(class));
        says(Ownership::Apply) && says(Ownership::Update)
    });
    let mixed = match mixed.count() {
        0 => String::new(),
        count => {
            let name = ours.canonical();
            let plural = if count == 1 { "" } else { "s" };
            format!("; {name}/Apply and {name}/Update stand side by side on {count} object{plural}")
        }
    };
    Some(SlidBack {
        release: release.release.clone(),
        revision: newest.revision,
        at: newest.at.clone(),
        evidence: format!(
            "revision {}{of} {says}; revision {} was ssa{mixed}",
            newest.revision, last_ssa.revision
        ),
    })
}
