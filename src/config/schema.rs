//! Which keys there are: now, and in a later refit.

/// What a section may hold.
pub(super) struct Shape {
    /// `limits`, `clusters.limits`; empty for the file itself.
    pub(super) section: &'static str,
    /// Keys that this refit reads.
    pub(super) now: &'static [&'static str],
    /// Keys of later work: refused, and not as typing errors.
    pub(super) later: &'static [&'static str],
}

/// The file itself.
pub(super) const TOP: Shape = Shape {
    section: "",
    now: &[
        "fleet", "clusters", "limits", "waves", "undo", "depends", "graph", "policy", "audit",
    ],
    later: &[
        "windows", "freezes", "budget", "redact", "gates", "plugins", "peers",
    ],
};
/// `[fleet]`
pub(super) const FLEET: Shape = Shape {
    section: "fleet",
    now: &[
        "name", "deadline", "timezone", "manager", "aliases", "state",
    ],
    later: &["playbook"],
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
    ],
    later: &["windows", "timezone", "tenant"],
};
/// `limits` of one of `[[clusters]]`
pub(super) const CLUSTER_LIMITS: Shape = Shape {
    section: "clusters.limits",
    now: &["writes_per_second", "in_flight"],
    later: &[],
};
/// `[limits]`
pub(super) const LIMITS: Shape = Shape {
    section: "limits",
    now: &["writes_per_second", "in_flight"],
    later: &[],
};
/// `[waves]`
pub(super) const WAVES: Shape = Shape {
    section: "waves",
    now: &["sizes"],
    later: &["caps", "soak", "approve", "gates"],
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

/// Every section.
pub(super) const ALL: [&Shape; 11] = [
    &TOP,
    &FLEET,
    &CLUSTERS,
    &CLUSTER_LIMITS,
    &LIMITS,
    &WAVES,
    &UNDO,
    &DEPENDS,
    &GRAPH,
    &POLICY,
    &AUDIT,
];

/// Likeness from which a guess is worth printing: `writes_per_sec` is 0.82 of `writes_per_second`.
const LIKE: f64 = 0.6;

impl Shape {
    /// What an unknown key may have been meant to be.
    pub(super) fn hint(&self, key: &str) -> String {
        let plain = key.to_lowercase().replace('-', "_");
        let here = self.now.iter().chain(self.later).copied();
        if let Some(guess) = closest(&plain, here) {
            return format!("did you mean {guess}?");
        }
        let home = ALL.into_iter().find(|shape| shape.now.contains(&&*plain));
        match home {
            Some(shape) if matches!(shape.section, "clusters" | "depends" | "policy") => {
                format!("it belongs under [[{}]]", shape.section)
            }
            Some(shape) if shape.section.is_empty() => {
                format!("[{plain}] is a section of its own")
            }
            Some(shape) => format!("it belongs under [{}]", shape.section),
            None => format!("there are {}", self.now.join(", ")),
        }
    }
}

/// The most similar word, if any is similar.
pub(super) fn closest<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    words
        .map(|other| (strsim::normalized_damerau_levenshtein(word, other), other))
        .filter(|(likeness, _)| *likeness >= LIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, other)| other)
}
