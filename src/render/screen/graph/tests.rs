//! The screens of the graph, as goldens.
#![cfg(test)]

use serde_json::json;

use super::*;
use crate::domain::graph::read_graph;
use crate::render::Frame;

/// The graph of the story: cert-manager before ingress, ingress before the shops.
pub fn acme() -> ReleaseGraph {
    let edge = |from: &str, to: &str, kind: &str, reason: &str, confidence: f64| json!({"from": from, "to": to, "kind": kind, "reason": reason, "confidence": confidence});
    let (cert, nginx, eck) = (
        "eu-1/cert-manager/cert-manager",
        "eu-1/ingress/ingress-nginx",
        "eu-1/observability/eck-operator",
    );
    let shops = ["cart", "checkout", "mail", "search", "web"];
    let mut edges = vec![
        edge(
            nginx,
            cert,
            "webhook",
            "ValidatingWebhookConfiguration takes its caBundle",
            0.9,
        ),
        edge(
            "eu-1/shop/checkout",
            nginx,
            "declared",
            "fleet.toml:34:11",
            1.0,
        ),
        edge(eck, cert, "crd", "Certificate cert-manager.io/v1", 1.0),
        edge(
            "eu-1/search/eck-stack",
            eck,
            "crd",
            "Elasticsearch elasticsearch.k8s.elastic.co/v1",
            1.0,
        ),
        edge("eu-2/shop/web", nginx, "declared", "fleet.toml:38:11", 1.0),
    ];
    let mut nodes: Vec<Value> = [cert, nginx, eck, "eu-1/search/eck-stack", "eu-1/media/encoder", "eu-2/shop/web"]
        .map(|release| json!({"release": release, "chart": {"name": release.rsplit('/').next(), "version": "1.2.3"}}))
        .into();
    for shop in shops {
        let id = format!("eu-1/shop/{shop}");
        edges.push(edge(&id, nginx, "class", "IngressClass nginx", 0.9));
        nodes.push(json!({"release": id, "chart": {"name": shop, "version": "4.2.0"}}));
    }
    read_graph(&json!({"nodes": nodes, "edges": edges})).unwrap()
}

fn screen<'a>(
    graph: &'a ReleaseGraph,
    marks: &'a BTreeMap<ReleaseId, Mark>,
    unread: &'a BTreeMap<ClusterName, String>,
) -> GraphScreen<'a> {
    GraphScreen {
        fleet: "acme",
        graph,
        focus: None,
        marks,
        unread,
        clusters: 2,
        taken_at: "2026-11-23T10:20:00Z".parse().unwrap(),
        took: Some(SignedDuration::from_millis(1_900)),
        tool: "0.1.0",
    }
}

fn print(format: Format, frame: &Frame) -> crate::render::Printed {
    let (graph, unread) = (acme(), BTreeMap::new());
    let marks = [
        ("eu-1/shop/web", ReleaseOutcome::Ready, Some(3)),
        ("eu-1/ingress/ingress-nginx", ReleaseOutcome::Ready, Some(2)),
        ("eu-1/cert-manager/cert-manager", ReleaseOutcome::Done, None),
        ("eu-1/search/eck-stack", ReleaseOutcome::Blocked, None),
        ("eu-1/shop/mail", ReleaseOutcome::NeedsChoice, None),
    ];
    let marks = marks.map(|(release, outcome, wave)| {
        let mark = Mark {
            outcome: Some(outcome),
            wave,
        };
        (release.parse().unwrap(), mark)
    });
    let document = screen(&graph, &marks.into(), &unread).document(format);
    document.print(format, None, frame, &Frame::PIPE).unwrap()
}

#[test]
fn piped_it_is_one_edge_a_line() {
    let printed = print(Format::Table, &Frame::PIPE);
    let lines: Vec<&str> = printed.stdout.lines().collect();
    assert_eq!(lines.len(), 11);
    let words =
        |line: &str| -> Vec<String> { line.split_whitespace().map(str::to_owned).collect() };
    assert_eq!(
        words(lines[0]),
        ["FROM", "TO", "KIND", "REASON", "CONFIDENCE"]
    );
    assert_eq!(
        words(lines[1]),
        [
            "eu-1/ingress/ingress-nginx",
            "eu-1/cert-manager/cert-manager",
            "webhook",
            "ValidatingWebhookConfiguration_takes_its_caBundle",
            "0.9"
        ]
    );
    assert!(lines.iter().all(|line| words(line).len() == 5));
    assert_eq!(
        printed.stderr,
        "11 releases, 10 edges (2 declared, 8 inferred), depth 2, no cycle; 2 clusters, 1.9s, 0 writes.\n\
         Next: refit plan --save refit.plan.json   waves that keep to this order\n"
    );
}

#[test]
fn on_a_terminal_it_is_a_tree() {
    let frame = Frame {
        width: Some(110),
        ..Frame::PIPE
    };
    let printed = print(Format::Table, &frame);
    let told: Vec<String> = printed
        .stdout
        .lines()
        .map(|line| {
            let words = line.split("   ").map(str::trim);
            let words: Vec<&str> = words.filter(|it| !it.is_empty()).collect();
            let indent = line.len() - line.trim_start().len();
            format!("{}{}", " ".repeat(indent), words.join(" | "))
        })
        .collect();
    assert_eq!(
        told,
        [
            "acme: 11 releases, 10 edges (2 declared, 8 inferred), depth 2, no cycle",
            "cert-manager/cert-manager",
            "  ingress/ingress-nginx | webhook | ValidatingWebhookConfiguration takes its caBundle | 0.9",
            "    shop/cart | class | IngressClass nginx | 0.9",
            "    (3 more in shop) | class | IngressClass nginx | 0.9",
            "    shop/checkout | declared | fleet.toml:34:11 | 1.0",
            "    eu-2/shop/web | declared | fleet.toml:38:11 | 1.0",
            "  observability/eck-operator | crd | Certificate cert-manager.io/v1 | 1.0",
            "    search/eck-stack | crd | Elasticsearch elasticsearch.k8s.elastic.co/v1 | 1.0",
        ]
    );
    assert!(
        printed
            .stdout
            .lines()
            .all(|line| line.chars().count() <= 110)
    );
}

#[test]
fn json_and_dot_name_the_same_things() {
    let value: Value = serde_json::from_str(&print(Format::Json, &Frame::PIPE).stdout).unwrap();
    assert_eq!(
        (&value["kind"], &value["summary"]["depth"]),
        (&json!("ReleaseGraph"), &json!(2))
    );
    let node = value["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["release"] == "eu-1/shop/web");
    assert_eq!(
        node.unwrap(),
        &json!({"release": "eu-1/shop/web", "depth": 2, "chart": {"name": "web", "version": "4.2.0"}, "outcome": "Ready", "wave": 3})
    );
    assert_eq!(
        value["edges"][0],
        json!({"from": "eu-1/ingress/ingress-nginx", "to": "eu-1/cert-manager/cert-manager", "kind": "webhook",
            "reason": "ValidatingWebhookConfiguration takes its caBundle", "confidence": 0.9, "declared": false})
    );
    assert_eq!(
        read_graph(&value).unwrap(),
        acme(),
        "it reads what it writes"
    );
    let dot = print(Format::Dot, &Frame::PIPE).stdout;
    for node in value["nodes"].as_array().unwrap() {
        assert!(
            dot.contains(&format!("    {} [label=", node["release"])),
            "{}",
            node["release"]
        );
    }
    for edge in value["edges"].as_array().unwrap() {
        assert!(dot.contains(&format!("  {} -> {} [style=", edge["from"], edge["to"])));
    }
    assert!(dot.contains("\"eu-2/shop/web\" -> \"eu-1/ingress/ingress-nginx\" [style=solid, penwidth=2.5, label=\"declared\""));
}

/// Every number of an attribute, in order.
fn numbers(svg: &str, element: &str, attribute: &str) -> Vec<f64> {
    svg.split(element)
        .skip(1)
        .filter_map(|rest| {
            let value = rest.split_once(&format!(" {attribute}=\""))?.1;
            value.split('"').next()?.parse().ok()
        })
        .collect()
}

#[test]
fn the_picture_tells_nothing_by_colour_alone() {
    let svg = picture();
    let chart = |name: &str| {
        let boxes = svg.split("<g class=\"chart\">").skip(1);
        let mut boxes = boxes.filter(|it| it.contains(&format!(">{name}</text>")));
        boxes
            .next()
            .unwrap_or_else(|| panic!("{name} is not drawn"))
            .to_owned()
    };
    for (name, letter, pattern) in [
        ("web", "R", "ready"),
        ("eck-stack", "B", "blocked"),
        ("mail", "N", "choice"),
        ("cert-manager", "D", "done"),
    ] {
        let drawn = chart(name);
        assert!(drawn.contains(&format!(">{letter}</text>")), "{drawn}");
        assert!(
            drawn.contains(&format!("url(#{pattern})"))
                && svg.contains(&format!("<pattern id=\"{pattern}\""))
        );
    }
    assert!(chart("web").contains(">w3</text>") && !chart("cert-manager").contains(">w"));
    assert!(
        chart("web").contains("<title>web 4.2.0: 1 release\neu-1/shop/web  Ready, wave 3</title>")
    );
    let paths: Vec<&str> = svg.split("<path class=\"edge\"").skip(1).collect();
    let line = |words: &str| paths.iter().copied().find(|it| it.contains(words)).unwrap();
    assert!(line("crd Certificate cert-manager.io/v1, 1.0").contains("stroke-dasharray"));
    assert!(!line("declared fleet.toml:38:11, 1.0").contains("stroke-dasharray"));
    assert!(line("declared fleet.toml:38:11, 1.0").contains("stroke-width=\"3\""));
    assert!(svg.contains(">eu-1</text>") && svg.contains(">eu-2</text>"));
}

/// The picture of the story, for the reference; look at it in a browser when it changes.
pub fn picture() -> String {
    print(Format::Svg, &Frame::PIPE).stdout
}

/// A fleet of so many charts, on clusters of twenty, in four lanes, and one with names that XML would read as its own.
fn many(charts: usize) -> ReleaseGraph {
    let id = |at: usize| format!("eu-{}/shop/<r&{at}>", at / 20);
    let nodes: Vec<Value> = (0..charts)
        .map(|at| json!({"release": id(at), "chart": {"name": format!("chart-with-a-long-name-{at}\u{7}\""), "version": "1"}}))
        .collect();
    let edges: Vec<Value> = (0..charts)
        .filter(|at| at % 20 >= 5)
        .flat_map(|at| [at - 5, at / 20 * 20].map(|to| (at, to)))
        .map(|(from, to)| json!({"from": id(from), "to": id(to), "kind": "crd", "reason": "a < b", "confidence": 1.0}))
        .collect();
    read_graph(&json!({"nodes": nodes, "edges": edges})).unwrap()
}

#[test]
fn five_hundred_charts_do_not_overlap_and_stay_on_the_page() {
    let (graph, marks, unread) = (many(500), BTreeMap::new(), BTreeMap::new());
    let svg = svg::svg(&screen(&graph, &marks, &unread));
    let boxes = svg.split("<g class=\"chart\">").skip(1);
    let corner = |text: &str, key: &str| numbers(text, "<rect", key)[0];
    let boxes: Vec<[f64; 4]> = boxes
        .map(|it| ["x", "y", "width", "height"].map(|key| corner(it, key)))
        .collect();
    assert_eq!(boxes.len(), 500);
    let page = (
        numbers(&svg, "<svg", "width")[0],
        numbers(&svg, "<svg", "height")[0],
    );
    let mut sorted = boxes.clone();
    sorted.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    for (at, [x, y, width, height]) in sorted.iter().enumerate() {
        assert!(*x >= 0.0 && x + width <= page.0 && *y >= 62.0 && y + height <= page.1);
        for [left, top, ..] in sorted
            .iter()
            .skip(at + 1)
            .take_while(|it| it[0] < x + width)
        {
            assert!(
                top >= &(y + height) || *y >= top + height,
                "{left} {top} lies over {x} {y}"
            );
        }
    }
    assert!((0.8..3.5).contains(&(page.0 / page.1)), "{page:?}");
    let plain = svg
        .replace("&amp;", "")
        .replace("&lt;", "")
        .replace("&gt;", "")
        .replace("&quot;", "");
    assert!(!plain.contains('&') && !svg.contains('\u{7}'));
    assert_eq!(svg.matches("<g").count(), svg.matches("</g>").count());
}

#[test]
fn an_empty_graph_is_a_screen_too() {
    let (graph, marks, unread) = (ReleaseGraph::default(), BTreeMap::new(), BTreeMap::new());
    let screen = screen(&graph, &marks, &unread);
    for format in [
        Format::Table,
        Format::Json,
        Format::Dot,
        Format::Svg,
        Format::Name,
    ] {
        screen
            .document(format)
            .print(format, None, &Frame::PIPE, &Frame::PIPE)
            .unwrap();
    }
}
