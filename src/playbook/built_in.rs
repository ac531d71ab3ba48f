//! The playbooks that are part of refit.

/// Name and text of each, the usual one first.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("canary", include_str!("../../playbooks/canary.toml")),
    ("cautious", include_str!("../../playbooks/cautious.toml")),
    ("deadline", include_str!("../../playbooks/deadline.toml")),
    (
        "single-cluster",
        include_str!("../../playbooks/single-cluster.toml"),
    ),
    ("rollback", include_str!("../../playbooks/rollback.toml")),
];

/// Files of the folder that are no playbooks: other parts of refit read them.
pub(super) const NOT_PLAYBOOKS: &[&str] = &["defaults", "triage"];
