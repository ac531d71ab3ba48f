//! The module graph, as a file: a new edge shows in review.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use super::names::census;
use super::tree::{read, root};

/// Where the graph stands.
const GRAPH: &str = "docs/module-graph.txt";

/// Parts whose second level is shown too, one node a folder or file.
const UNFOLDED: &[&str] = &["domain", "cluster", "store", "helm", "engine"];

/// Shown by themselves though their part is folded.
const SINGLED_OUT: &[&str] = &["desk", "wire"];

type Graph = BTreeMap<String, BTreeSet<String>>;

/// The node that a path of this crate belongs to.
fn node(modules: &BTreeSet<Vec<String>>, path: &[String]) -> Option<String> {
    let part = path.first()?;
    let unfold = path.get(1).is_some_and(|second| {
        (UNFOLDED.contains(&part.as_str()) || SINGLED_OUT.contains(&second.as_str()))
            && modules.contains(&path[..2])
    });
    Some(if unfold {
        path[..2].join("::")
    } else {
        part.clone()
    })
}

/// Who names whom, test code left out. A re-export counts for the module that it is named through.
fn graph() -> Graph {
    let mut graph = Graph::new();
    for file in &census().files {
        let Some(from) = node(&census().modules, &file.module) else {
            continue;
        };
        for (name, path) in file.inside() {
            if let Some(to) = node(&census().modules, path)
                && !name.test
                && to != from
            {
                graph.entry(from.clone()).or_default().insert(to);
            }
        }
    }
    graph
}

#[test]
fn the_module_graph_is_the_one_in_docs() {
    let mut text = String::from(
        "# Which module of src/ names which; test code left out.\n\
         # Rewrite it with: REFIT_BLESS=1 cargo test --test architecture\n",
    );
    for (from, edges) in graph() {
        write!(text, "\n{from}\n").expect("a string");
        for to in edges {
            writeln!(text, "    {to}").expect("a string");
        }
    }
    if std::env::var_os("REFIT_BLESS").is_some() {
        fs::write(root().join(GRAPH), &text).expect("docs/ is writable");
        return;
    }
    let golden = read(GRAPH);
    if golden == text {
        return;
    }
    let (was, is) = (edges(&golden), edges(&text));
    let came = is.difference(&was).map(|edge| format!("  + {edge}"));
    let gone = was.difference(&is).map(|edge| format!("  - {edge}"));
    let changes: Vec<String> = came.chain(gone).collect();
    panic!(
        "the module graph is not the one in {GRAPH}:\n{}\nIf that is wanted: REFIT_BLESS=1 cargo test --test architecture",
        changes.join("\n")
    );
}

/// `a -> b` for each edge of the file.
fn edges(text: &str) -> BTreeSet<String> {
    let mut from = "";
    let mut edges = BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix("    ") {
            Some(to) => {
                edges.insert(format!("{from} -> {to}"));
            }
            None => from = line,
        }
    }
    edges
}

/// A module of the pure core can be read without the ones that it does not name: no two need each other.
#[test]
fn the_domain_has_no_cycle() {
    let mut left: Graph = graph()
        .into_iter()
        .filter(|(from, _)| from.starts_with("domain::"))
        .map(|(from, mut edges)| {
            edges.retain(|to| to.starts_with("domain::"));
            (from, edges)
        })
        .collect();
    loop {
        let names: BTreeSet<String> = left.keys().cloned().collect();
        left.retain(|_, edges| edges.iter().any(|to| names.contains(to)));
        if left.len() == names.len() {
            break;
        }
    }
    let left: Vec<String> = left
        .iter()
        .map(|(from, edges)| {
            let edges: Vec<&String> = edges.iter().filter(|to| left.contains_key(*to)).collect();
            format!("{from} -> {edges:?}")
        })
        .collect();
    assert!(
        left.is_empty(),
        "modules of domain that need each other, or one that does:\n{}",
        left.join("\n")
    );
}
