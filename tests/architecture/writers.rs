//! Who may change a cluster.
//!
//! `cluster::Writer` is the trait that writes. `cluster::Cluster` is all three traits in one, so whoever holds it could
//! write too; the command line's desk holds it only to hand it on, and calls no method of `Writer`.

use std::collections::BTreeSet;

use super::names::census;
use super::tree::{parse, within};

/// May name `Writer` and call its methods: the traits' own home, and the two stages that write.
const WRITERS: &[&str] = &["cluster", "engine::run", "engine::undo"];

/// May name `Cluster` to pass it on.
const CARRIERS: &[&str] = &["cli::desk", "cli::wire"];

/// Of the engine, what is not listed as a writer only looks: it is handed `Reader` and `Rehearser`.
#[test]
fn only_run_and_undo_name_writer() {
    let mut broken = Vec::new();
    for file in &census().files {
        let may = |places: &[&str]| places.iter().any(|place| within(&file.module, place));
        for (name, path) in file.inside() {
            let trouble = match path.join("::").as_str() {
                "cluster::Writer" => !may(WRITERS),
                "cluster::Cluster" => !may(WRITERS) && !may(CARRIERS),
                // A glob would bring Writer in unseen.
                "cluster::*" => true,
                _ => false,
            };
            if trouble {
                broken.push(format!(
                    "{}:{}: names `{}`",
                    file.path,
                    name.line,
                    path.join("::")
                ));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "only {} may write to a cluster (and {} hand it on):\n{}\nTake `dyn Reader` or `dyn Rehearser` instead.",
        WRITERS.join(", "),
        CARRIERS.join(", "),
        broken.join("\n")
    );
}

#[test]
fn only_run_and_undo_call_writing_methods() {
    let writing = methods_of("Writer");
    assert!(
        writing.len() >= 4,
        "src/cluster/mod.rs has no trait Writer with its methods: {writing:?}"
    );
    let looking: BTreeSet<String> = ["Reader", "Rehearser"]
        .into_iter()
        .flat_map(methods_of)
        .collect();
    assert!(
        writing.is_disjoint(&looking),
        "a method of Writer is named as one that only looks: {writing:?}, {looking:?}"
    );
    let mut broken = Vec::new();
    for file in &census().files {
        if WRITERS.iter().any(|place| within(&file.module, place)) {
            continue;
        }
        for call in &file.calls {
            if writing.contains(&call.method) {
                broken.push(format!(
                    "{}:{}: calls `{}`",
                    file.path, call.line, call.method
                ));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "methods of cluster::Writer are called outside of {}:\n{}",
        WRITERS.join(", "),
        broken.join("\n")
    );
}

/// The methods of a trait of `src/cluster/mod.rs`.
fn methods_of(name: &str) -> BTreeSet<String> {
    parse("src/cluster/mod.rs")
        .items
        .into_iter()
        .filter_map(|item| match item {
            syn::Item::Trait(item) if item.ident == name => Some(item.items),
            _ => None,
        })
        .flatten()
        .filter_map(|item| match item {
            syn::TraitItem::Fn(method) => Some(method.sig.ident.to_string()),
            _ => None,
        })
        .collect()
}
