//! Which keys fleet.toml has: now, and in a later refit.

use crate::toml_file::{Shape, settings};

/// The file itself.
pub(super) const TOP: Shape = Shape {
    section: "",
    now: &[
        "fleet", "clusters", "limits", "waves", "undo", "plan", "windows", "freezes", "budget",
        "gates", "peers", "risk", "cost", "depends", "graph", "policy", "audit", "seal",
    ],
    later: &["redact", "plugins"],
};
/// `[fleet]`
pub(super) const FLEET: Shape = Shape {
    section: "fleet",
    now: &[
        "name", "deadline", "timezone", "manager", "aliases", "state", "playbook", "mode",
    ],
    later: &[],
};
/// `[[clusters]]`
pub(super) const CLUSTERS: Shape = Shape {
    section: "clusters",
    now: &[
        "name",
        "context",
        "contexts",
        "kubeconfig",
        "labels",
        "limits",
        "windows",
        "timezone",
        "tenant",
    ],
    later: &[],
};
/// `limits` of one of `[[clusters]]`
pub(super) const CLUSTER_LIMITS: Shape = Shape {
    section: "clusters.limits",
    now: &["writes_per_second", "in_flight"],
    later: &[],
};
/// `clusters.NAME` of `--what-if`
pub(super) const CLUSTER_WHAT_IF: Shape = Shape {
    section: "clusters.NAME",
    now: &["limits", "windows", "timezone"],
    later: &[],
};
/// `[seal]`
pub(super) const SEAL: Shape = Shape {
    section: "seal",
    now: &["key_file"],
    later: &[],
};
/// `[undo]`
pub(super) const UNDO: Shape = Shape {
    section: "undo",
    now: &["dwell"],
    later: &[],
};
/// `[[policy]]`
pub(super) const POLICY: Shape = Shape {
    section: "policy",
    now: &[
        "kind",
        "field",
        "owner",
        "namespace",
        "labels",
        "chart",
        "conflict",
        "drop",
        "why",
    ],
    later: &[],
};

/// `[[depends]]`
pub(super) const DEPENDS: Shape = Shape {
    section: "depends",
    now: &["release", "on"],
    later: &[],
};
/// `[graph]`
pub(super) const GRAPH: Shape = Shape {
    section: "graph",
    now: &["cut_inferred"],
    later: &[],
};
/// `[audit]`
pub(super) const AUDIT: Shape = Shape {
    section: "audit",
    now: &["expect"],
    later: &[],
};

/// `[plan]`
pub(super) const PLAN: Shape = Shape {
    section: "plan",
    now: &["start_within"],
    later: &[],
};

/// Every section.
pub(super) const ALL: &[&Shape] = &[
    &TOP,
    &FLEET,
    &CLUSTERS,
    &CLUSTER_LIMITS,
    &settings::LIMITS,
    &SEAL,
    &UNDO,
    &PLAN,
    &settings::WAVES,
    &settings::STAGES,
    &settings::CANARY,
    &settings::PEERS,
    &settings::RISK,
    &settings::WEIGHTS,
    &settings::COST,
    &settings::WINDOWS,
    &settings::FREEZES,
    &settings::GATES,
    &settings::BUDGET,
    &DEPENDS,
    &GRAPH,
    &POLICY,
    &AUDIT,
];
