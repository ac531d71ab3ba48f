//! Which part of `src/` may name which part, and which outside crate.

use super::names::census;
use super::tree::{shown, within};

/// A place, and the other places that it may name. A place always may name itself.
///
/// Whoever is listed nowhere on a right side is named by nobody. A place of two segments is a place of its own: `cluster`
/// on the right means the traits of `cluster`, and not `cluster::kube`.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("cluster", &["domain"]),
    ("cluster::kube", &["cluster", "domain"]),
    ("cluster::twin", &["cluster", "domain", "helm"]),
    ("helm", &["domain"]),
    ("store", &["domain"]),
    ("store::sql", &["store", "domain"]),
    ("toml_file", &["domain"]),
    ("config", &["domain", "toml_file"]),
    ("render", &["domain"]),
    ("scan", &["domain", "helm"]),
    ("plugin", &["domain"]),
    ("playbook", &["domain", "toml_file"]),
    ("engine", &["domain", "helm", "cluster", "store", "plugin"]),
    (
        "cli",
        &[
            "domain",
            "engine",
            "cluster",
            "store",
            "config",
            "playbook",
            "scan",
            "render",
            "cli::wire",
        ],
    ),
    (
        "cli::wire",
        &[
            "cli",
            "domain",
            "engine",
            "cluster",
            "cluster::kube",
            "cluster::twin",
            "store",
            "store::sql",
            "store::lock::RunLock",
            "config",
            "plugin",
        ],
    ),
    ("main", &["cli"]),
];

/// Items that are places though no module: adapters that stand among their traits.
const ITEMS: &[&str] = &["store::lock::RunLock"];

/// Outside crates that belong to one corner, with the corner. A crate that is not listed may be named anywhere
/// (`crates/domain-alone` holds the list of what the pure core may use).
const CORNERS: &[(&str, &[&str])] = &[
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("flate2", &["helm"]),
    ("governor", &["engine"]),
    ("granit_parser", &["helm"]),
    ("http", &["cluster::kube"]),
    ("hyper_util", &["cluster::kube"]),
    ("indicatif", &["render", "cli"]),
    ("k8s_openapi", &["cluster::kube"]),
    ("kube", &["cluster::kube"]),
    ("minijinja", &["playbook", "render::page"]),
    ("petgraph", &["domain"]),
    ("rustls", &["cluster::kube"]),
    ("sqlx", &["store::sql"]),
    ("tracing_subscriber", &["cli"]),
    ("zstd", &["helm", "store", "engine::run"]),
];

/// The longest place that a path lies in.
fn place(path: &[String]) -> Option<&'static str> {
    MAY_IMPORT
        .iter()
        .map(|(place, _)| *place)
        .chain(ITEMS.iter().copied())
        .filter(|place| within(path, place))
        .max_by_key(|place| place.len())
}

#[test]
fn imports_follow_the_table() {
    let mut broken = Vec::new();
    for file in &census().files {
        let Some(from) = place(&file.module) else {
            if file.module.is_empty() {
                continue;
            }
            broken.push(format!(
                "{}: `{}` is in no row of MAY_IMPORT: give it one",
                file.path,
                shown(&file.module)
            ));
            continue;
        };
        let (_, allowed) = MAY_IMPORT[MAY_IMPORT
            .iter()
            .position(|(place, _)| *place == from)
            .expect("an item is not a module")];
        for (name, path) in file.inside() {
            // `pub(crate)`, and links to the crate's root.
            let Some(to) = place(path) else { continue };
            if to != from && !allowed.contains(&to) && !own_item(&file.module, to) {
                broken.push(format!(
                    "{}:{}: `{from}` may not import `crate::{}`; it may import {}",
                    file.path,
                    name.line,
                    path.join("::"),
                    if allowed.is_empty() {
                        "nothing of this crate".to_owned()
                    } else {
                        allowed.join(", ")
                    }
                ));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "{} imports break the rule:\n{}\nMove the code, or change MAY_IMPORT in {} and say why in docs/architecture.md.",
        broken.len(),
        broken.join("\n"),
        file!()
    );
}

/// An item's own module may name it.
fn own_item(module: &[String], to: &str) -> bool {
    ITEMS.contains(&to) && to.strip_prefix(&module.join("::")).is_some()
}

#[test]
fn the_table_is_layered() {
    // Take away places that import only what is already gone; what stays is a cycle. Inside a part (`cli` starts
    // what `cli::wire` put together) there is no order.
    let part = |place: &str| place.split("::").next().unwrap_or_default().to_owned();
    let mut left: Vec<_> = MAY_IMPORT.to_vec();
    loop {
        let names: Vec<&str> = left.iter().map(|(place, _)| *place).collect();
        let before = left.len();
        left.retain(|(from, allowed)| {
            allowed
                .iter()
                .any(|to| names.contains(to) && part(to) != part(from))
        });
        if left.len() == before {
            break;
        }
    }
    assert!(left.is_empty(), "MAY_IMPORT has a cycle among {left:?}");
}

#[test]
fn outside_crates_stay_in_their_corner() {
    let mut broken = Vec::new();
    for file in &census().files {
        for (name, path) in file.outside() {
            let Some((krate, corner)) = CORNERS.iter().find(|(krate, _)| path[0] == *krate) else {
                continue;
            };
            // A single segment may be a variable of that name.
            if path.len() > 1 && !corner.iter().any(|place| within(&file.module, place)) {
                broken.push(format!(
                    "{}:{}: `{}` belongs to {}: wrap it there",
                    file.path,
                    name.line,
                    krate,
                    corner.join(", ")
                ));
            }
        }
    }
    broken.dedup();
    assert!(
        broken.is_empty(),
        "outside crates leave their corner (CORNERS in {}):\n{}",
        file!(),
        broken.join("\n")
    );
}
