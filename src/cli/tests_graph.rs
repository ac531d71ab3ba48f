//! `refit graph` on the command line, on a backend that is given its answers.
#![cfg(test)]

use super::tests::{PIPES, refit, saved_plan};

#[test]
fn a_graph_is_kept_read_again_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g.json").display().to_string();
    let made = refit(&format!("graph --save {path}"), &PIPES);
    assert_eq!(
        (made.exit, made.stdout.lines().count()),
        (0, 11),
        "{}",
        made.stderr
    );
    assert!(made.stderr.contains("0 writes") && made.stderr.contains("no cycle"));
    let again = refit(&format!("graph --from {path}"), &PIPES);
    assert_eq!(again.stdout, made.stdout);
    let one = refit("graph eu-1/search/eck-stack -o name", &PIPES);
    assert_eq!(
        one.stdout,
        "eu-1/cert-manager/cert-manager\neu-1/observability/eck-operator\neu-1/search/eck-stack\n"
    );
    let near = refit("graph eu-1/search/eck-stack --depth 1", &PIPES);
    assert_eq!(near.stdout.lines().count(), 2);
    let cluster = refit(&format!("graph eu-2 --from {path}"), &PIPES);
    assert!(
        cluster.stdout.contains("eu-2/shop/web"),
        "{}",
        cluster.stdout
    );
    assert_eq!(cluster.stdout.lines().count(), 2);
    for (line, start) in [
        ("-o dot", "// 11 releases"),
        ("-o svg", "<svg "),
        ("-o json", "{"),
    ] {
        let drawn = refit(&format!("graph {line}"), &PIPES);
        assert!(drawn.stdout.starts_with(start), "{}", drawn.stdout);
        assert_eq!((drawn.exit, drawn.stderr.contains("0 writes")), (0, false));
    }
    assert_eq!(refit("inventory --from x -o svg", &PIPES).exit, 1);
    assert!(
        refit("shadow -o svg", &PIPES)
            .stderr
            .contains("only refit graph draws")
    );
    for (line, code) in [
        ("graph mars", "ContextNotFound"),
        ("graph eu-1/shop/nothing", "ReleaseNotFound"),
        ("graph a/b/c/d", "Usage"),
        ("graph --from /dev/null", "FileInvalid"),
    ] {
        let came = refit(line, &PIPES);
        assert!(
            came.exit == 1 && came.stderr.contains(code),
            "{line}: {}",
            came.stderr
        );
    }
    let (_folder, plan) = saved_plan();
    let marked = refit(&format!("graph --plan {plan} -o json"), &PIPES);
    let marked: serde_json::Value = serde_json::from_str(&marked.stdout).unwrap();
    let nodes = marked["nodes"].as_array().unwrap().iter();
    // The plan of the tests is about other clusters' releases.
    assert_eq!(nodes.filter(|it| it["wave"].is_number()).count(), 0);
    let wrong = refit(&format!("graph --from {plan}"), &PIPES);
    assert!(
        wrong.stderr.contains("a ReleaseList is needed here"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn a_cycle_is_an_error_with_every_edge_and_what_would_break_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g.json");
    let edge = |from: &str, to: &str, kind: &str, reason: &str, confidence: f64| serde_json::json!({"from": from, "to": to, "kind": kind, "reason": reason, "confidence": confidence});
    let (dex, nginx) = ("eu-1/auth/dex", "eu-1/ingress/ingress-nginx");
    let document = serde_json::json!({
        "apiVersion": "refit.dev/v1", "kind": "ReleaseGraph", "nodes": [{"release": dex}, {"release": nginx}],
        "edges": [edge(nginx, dex, "secret", "Secret dex-tls", 0.6), edge(dex, nginx, "declared", "fleet.toml:51:11", 1.0)],
    });
    std::fs::write(&path, document.to_string()).unwrap();
    let came = refit(&format!("graph --from {}", path.display()), &PIPES);
    assert_eq!((came.exit, came.stdout.lines().count()), (1, 3));
    let error = came.stderr.split_once("error: ").unwrap().1;
    assert_eq!(
        error,
        "2 releases wait for each other   Cycle, exit 1\n\
         where: eu-1/auth/dex -> eu-1/ingress/ingress-nginx   declared   fleet.toml:51:11\n       \
         eu-1/ingress/ingress-nginx -> eu-1/auth/dex   inferred   Secret dex-tls, 0.6 (the weakest)\n\
         next:  remove fleet.toml:51:11, or let the weakest go: graph.cut_inferred = true\n"
    );
}
