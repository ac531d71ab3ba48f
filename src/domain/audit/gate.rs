//! Gates: what a fleet must be for a check to pass.

use std::collections::{BTreeMap, BTreeSet};

use super::groups::number;
use super::{
    AuditedRelease, Capture, Gate, GateFinding, GateResult, Ownership, ReleaseFacts, SlidBack,
};
use crate::domain::ids::ReleaseId;
use crate::domain::release::DrivenBy;

/// Name of the gate that asks for one manager everywhere.
pub const ONE_MANAGER: &str = "one-manager";

/// Every release under the canonical manager's server-side apply, and none that left it. Releases of expected drivers
/// are not asked. What could not be read does not pass.
pub(super) fn one_manager(
    capture: &Capture,
    expect: &BTreeSet<DrivenBy>,
    releases: &[AuditedRelease],
    slid_back: &[SlidBack],
) -> Gate {
    let slid: BTreeMap<&ReleaseId, &SlidBack> =
        slid_back.iter().map(|it| (&it.release, it)).collect();
    let facts: BTreeMap<&ReleaseId, &ReleaseFacts> = capture
        .releases
        .iter()
        .map(|it| (&it.release, it))
        .collect();
    let name = &capture.managers.canonical;
    let (expected, asked): (Vec<_>, Vec<_>) = releases
        .iter()
        .partition(|it| it.driven_by.is_some_and(|driver| expect.contains(&driver)));
    let findings: Vec<GateFinding> = asked
        .into_iter()
        .filter_map(|it| {
            let why = if let Some(slid) = slid.get(&it.release) {
                format!("slid back: {}", slid.evidence)
            } else {
                let driver = it
                    .driven_by
                    .map_or_else(String::new, |driver| format!(", driven by {driver}"));
                let on = match it.objects {
                    0 => String::new(),
                    1 => " on 1 object".to_owned(),
                    objects => format!(" on {objects} objects"),
                };
                match it.ownership {
                    Ownership::Apply => return None,
                    Ownership::Unowned => format!("nobody owns Helm's fields{on}{driver}"),
                    Ownership::Update => format!("{name}/Update{on}{driver}"),
                    Ownership::Alias => format!("an older name of {name}{on}{driver}"),
                    Ownership::Foreign => format!("another applier{on}{driver}"),
                    Ownership::Unknown => {
                        let facts = facts.get(&it.release);
                        let why = facts.and_then(|it| it.unread.as_deref()).unwrap_or("?");
                        format!("not read: {why}")
                    }
                }
            };
            Some(GateFinding {
                release: it.release.clone(),
                ownership: it.ownership,
                slid_back: slid.contains_key(&it.release),
                why,
            })
        })
        .collect();
    let unread: Vec<_> = capture
        .clusters
        .iter()
        .filter(|(_, unreachable)| unreachable.is_some())
        .map(|(cluster, _)| cluster.clone())
        .collect();
    let result = if findings.is_empty() && unread.is_empty() {
        GateResult::Pass
    } else {
        GateResult::Fail
    };
    Gate {
        name: ONE_MANAGER.to_owned(),
        result,
        releases: findings,
        unread,
        expected: number(expected.len()),
    }
}
