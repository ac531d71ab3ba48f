//! Bad input: a clear error, no write, no store.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde_json::json;
use testbed::demo::{Answer, Refit, Stage};
use testbed::{ControlPlane, Helm, Options, Seed};

fn stage() -> Stage {
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    Stage::build(
        refit,
        1,
        Seed {
            seed: 3,
            releases: 4,
        },
    )
    .unwrap()
}

fn edit(folder: &Path, file: &str, change: impl Fn(&str) -> String) {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, change(&text)).unwrap();
}

/// The call fails with this code and these words, writes nothing to the cluster, and makes no store.
fn refused(stage: &Stage, refit: &Refit, args: &[&str], exit: i32, words: &[&str]) -> Answer {
    let marks = stage.marks().unwrap();
    let answer = refit.call(args).unwrap();
    assert_eq!(answer.code, exit, "refit {args:?}: {}", answer.stderr);
    for word in words {
        assert!(
            answer.stderr.contains(word),
            "\"{word}\" is missing in {}",
            answer.stderr
        );
    }
    let writes: usize = stage
        .requests(&marks)
        .unwrap()
        .iter()
        .map(|log| log.writes().len())
        .sum();
    assert_eq!(writes, 0, "refit {args:?} wrote");
    assert!(
        !refit.folder().join(".refit/state.db").exists(),
        "refit {args:?} made a store"
    );
    answer
}

fn beside(planes: &[ControlPlane]) -> Refit {
    Refit::beside(PathBuf::from(env!("CARGO_BIN_EXE_refit")), planes).unwrap()
}

#[test]
fn what_is_wrong_with_files_and_contexts_is_said_before_anything_is_touched() {
    let stage = stage();
    let refit = &stage.refit;
    refit
        .json(&["plan", "--save", "good.plan.json", "-o", "json"])
        .unwrap();

    refused(
        &stage,
        refit,
        &["inventory", "--context", "demo-use-*"],
        1,
        &["ContextNotFound", "demo-use-*"],
    );
    refused(
        &stage,
        refit,
        &["inventory", "--cluster", "nowhere"],
        1,
        &["ContextNotFound"],
    );

    let other = beside(&stage.planes);
    edit(other.folder(), "fleet.toml", |text| {
        text.replace("contexts = \"demo-*\"", "contexts = \"prod-*\"")
    });
    refused(&stage, &other, &["plan"], 1, &["ContextNotFound", "prod-*"]);

    let other = beside(&stage.planes);
    edit(other.folder(), "fleet.toml", |text| {
        text.replace("dwell", "dwel")
            .replace("in_flight = 4", "in_flight = 0")
    });
    let answer = refused(
        &stage,
        &other,
        &["plan"],
        1,
        &["ConfigInvalid", "fleet.toml:", "dwell"],
    );
    assert!(
        answer.stderr.matches("fleet.toml:").count() >= 2,
        "all errors at once: {}",
        answer.stderr
    );

    std::fs::copy(
        refit.folder().join("good.plan.json"),
        refit.folder().join("edited.plan.json"),
    )
    .unwrap();
    edit(refit.folder(), "edited.plan.json", |text| {
        text.replacen("\"revision\": 1", "\"revision\": 2", 1)
    });
    refused(
        &stage,
        refit,
        &["run", "edited.plan.json", "--yes"],
        5,
        &["PlanEdited"],
    );
    refused(
        &stage,
        refit,
        &["run", "missing.plan.json", "--yes"],
        1,
        &["missing.plan.json"],
    );
    refused(
        &stage,
        refit,
        &["run", "fleet.toml", "--yes"],
        1,
        &["fleet.toml"],
    );
    refused(
        &stage,
        refit,
        &["run", "good.plan.json"],
        1,
        &["NoTerminal", "--yes"],
    );
    refused(&stage, refit, &["apply"], 1, &["Usage"]);
    refused(
        &stage,
        refit,
        &["undo", "run-nobody", "--yes"],
        1,
        &["RunNotFound"],
    );
}

#[test]
fn an_unreachable_cluster_is_a_row_and_a_dead_token_is_said() {
    let mut stage = stage();
    stage
        .refit
        .json(&["plan", "--save", "p.json", "-o", "json"])
        .unwrap();

    let folder = stage.refit.folder().to_owned();
    let dead = stage.planes[0]
        .kubeconfig_with_token("dead", "no-such-token")
        .unwrap();
    let other = beside(&stage.planes);
    std::fs::copy(dead, other.folder().join("kubeconfig")).unwrap();
    refused(&stage, &other, &["inventory"], 1, &["Unreachable"]);
    std::fs::copy(folder.join("p.json"), other.folder().join("p.json")).unwrap();
    refused(&stage, &other, &["run", "p.json", "--yes"], 1, &["demo-1"]);

    // One of two clusters is away: a row with its reason, exit 0, and 2 if asked for findings.
    let second = ControlPlane::start(Options::new("demo-2").api_only()).unwrap();
    stage.planes.push(second);
    let both = beside(&stage.planes);
    stage.planes[1].stop_apiserver();
    let inventory = both.call(&["inventory", "-o", "json"]).unwrap();
    assert_eq!(inventory.code, 0, "{}", inventory.stderr);
    assert_eq!(
        inventory.value.pointer("/summary/unreachable/0"),
        Some(&json!("demo-2")),
        "{}",
        inventory.stdout
    );
    let strict = both.call(&["inventory", "--detailed-exitcode"]).unwrap();
    assert_eq!(strict.code, 2, "{}", strict.stderr);
    assert!(strict.stdout.contains("Unreachable"), "{}", strict.stdout);
}

#[test]
fn forbidden_verbs_are_listed_before_the_first_write() {
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    let planes = vec![ControlPlane::start(Options::new("demo-1").user("looker")).unwrap()];
    let releases = Seed {
        seed: 3,
        releases: 4,
    }
    .grow(&planes)
    .unwrap();
    let stage = Stage {
        refit: Refit::beside(refit, &planes).unwrap(),
        planes,
        releases,
    };
    stage.planes[0]
        .grant(
            "looker",
            &json!([{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"] }]),
        )
        .unwrap();
    stage
        .refit
        .json(&["plan", "--save", "p.json", "-o", "json"])
        .unwrap();
    std::fs::copy(
        stage.planes[0].kubeconfig("looker"),
        stage.refit.folder().join("kubeconfig"),
    )
    .unwrap();
    refused(
        &stage,
        &stage.refit,
        &["run", "p.json", "--yes"],
        1,
        &["Forbidden", "patch", "create secrets", "demo-1"],
    );
}

/// A hook's object is of a kind that no manifest of the fleet has: its `patch` is needed all the same.
#[test]
fn verbs_on_a_left_over_hooks_kind_are_asked_for_too() {
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    let planes = vec![ControlPlane::start(Options::new("demo-1").api_only().user("half")).unwrap()];
    let refit = Refit::beside(refit, &planes).unwrap();
    let chart = refit.folder().join("chart");
    std::fs::create_dir_all(chart.join("templates")).unwrap();
    std::fs::write(
        chart.join("Chart.yaml"),
        "apiVersion: v2\nname: hooked\nversion: 1.0.0\n",
    )
    .unwrap();
    std::fs::write(
        chart.join("templates/all.yaml"),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {a: x}\n---\n\
         apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: hook\n  annotations: {helm.sh/hook: post-install, helm.sh/hook-delete-policy: hook-failed}\n",
    )
    .unwrap();
    let chart = chart.display().to_string();
    Helm::v3(&planes[0])
        .unwrap()
        .run("default", ["install", "hooked", &chart])
        .unwrap();
    let every = json!(["get", "list", "create", "update", "patch", "delete"]);
    let rules = json!([
        { "apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": every },
        { "apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"] },
    ]);
    planes[0].grant("half", &rules).unwrap();
    let stage = Stage {
        refit,
        planes,
        releases: Vec::new(),
    };
    stage
        .refit
        .json(&["plan", "--save", "p.json", "-o", "json"])
        .unwrap();
    let half = stage.planes[0].kubeconfig("half");
    std::fs::copy(half, stage.refit.folder().join("kubeconfig")).unwrap();
    refused(
        &stage,
        &stage.refit,
        &["run", "p.json", "--yes"],
        1,
        &["Forbidden", "patch serviceaccounts", "demo-1"],
    );
}

#[test]
fn records_that_do_not_read_are_rows_with_a_reason() {
    let stage = stage();
    let api = stage.planes[0].api();
    let zeros = bomb();
    for (name, payload) in [("garbage", b"!!not base64!!".to_vec()), ("bomb", zeros)] {
        let body = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
            "metadata": {
                "name": format!("sh.helm.release.v1.{name}.v1"), "namespace": "default",
                "labels": { "name": name, "owner": "helm", "status": "deployed", "version": "1" },
            },
            "data": { "release": base64::engine::general_purpose::STANDARD.encode(payload) },
        });
        api.post("/api/v1/namespaces/default/secrets", &body)
            .unwrap();
    }
    let inventory = stage
        .refit
        .json(&["inventory", "-o", "json"])
        .unwrap()
        .value;
    let items = inventory["items"].as_array().unwrap();
    for name in ["garbage", "bomb"] {
        let row = items.iter().find(|item| item["name"] == name).unwrap();
        assert_eq!(row["status"], "Unreadable", "{row}");
        assert!(
            row["error"].as_str().is_some_and(|why| !why.is_empty()),
            "{row}"
        );
    }
    let marks = stage.marks().unwrap();
    let plan = stage
        .refit
        .json(&["plan", "--save", "p.json", "-o", "json"])
        .unwrap()
        .value;
    let held: Vec<&str> = plan["held"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|held| held.pointer("/reasons/0/cause") == Some(&json!("unreadable-record")))
        .filter_map(|held| held["release"].as_str())
        .collect();
    assert_eq!(held, ["demo-1/default/bomb", "demo-1/default/garbage"]);
    assert_eq!(
        stage
            .requests(&marks)
            .unwrap()
            .iter()
            .map(|log| log.writes().len())
            .sum::<usize>(),
        0
    );
}

/// 1 GiB of zeros, gzipped and encoded as Helm does: about a megabyte that would not fit into one Secret, so it is
/// gzipped twice as far as it goes: the outer layer is what Helm reads, and it inflates to a gigabyte.
fn bomb() -> Vec<u8> {
    use std::io::Write as _;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![0_u8; 1 << 20];
    // 700 MiB compress to 0.7 MB, the most that a Secret of 1 MiB holds after base64.
    for _ in 0..700 {
        gzip.write_all(&zeros).unwrap();
    }
    base64::engine::general_purpose::STANDARD
        .encode(gzip.finish().unwrap())
        .into_bytes()
}
