//! `[limits]`: how hard clusters may be pressed.

use std::ops::RangeInclusive;

use crate::toml_file::problem::Problems;
use crate::toml_file::read::Section;
use crate::toml_file::shape::Shape;

/// `[limits]`
pub const LIMITS: Shape = Shape {
    section: "limits",
    now: &[
        "writes_per_second",
        "cluster_writes_per_second",
        "in_flight",
    ],
    later: &[],
};

/// Limits taken: 0 would never end, and more than this is a typing error, not a pace an API server grants one client.
pub const LIMIT_BOUNDS: RangeInclusive<u32> = 1..=10_000;

/// What is said about limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LimitsRead {
    /// Writes per second of the whole fleet.
    pub writes_per_second: Option<u32>,
    /// Writes per second of a cluster without limits of its own.
    pub cluster_writes_per_second: Option<u32>,
    /// Releases in flight of such a cluster.
    pub in_flight: Option<u32>,
}

/// Reads `[limits]`.
pub fn limits(top: &Section<'_>, problems: &mut Problems) -> LimitsRead {
    let Some(section) = top
        .get("limits")
        .and_then(|it| it.section(&LIMITS, problems))
    else {
        return LimitsRead::default();
    };
    let mut number = |key: &str| section.get(key)?.number(problems, &LIMIT_BOUNDS);
    LimitsRead {
        writes_per_second: number("writes_per_second"),
        cluster_writes_per_second: number("cluster_writes_per_second"),
        in_flight: number("in_flight"),
    }
}
