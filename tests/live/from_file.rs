//! Verbs over a saved fleet, with every API server stopped: the same plan, graph, policies and next upgrades as from the
//! clusters. The plan that was made so is then run on them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testbed::demo::{Answer, Stage};
use testbed::{Helm, Seed, SeededRelease};

/// The definitions, then one of every chart with every drift there is, on two clusters.
const FLEET: Seed = Seed {
    seed: 31,
    releases: 37,
};

const FILE: &str = "fleet.inv.json";
const PLAN: &str = "file.plan.json";

/// Of every so many releases the next upgrade is forecast.
const EVERY: usize = 3;

/// In every manifest of a next upgrade: a new object, and one that is there and not Helm's.
const MORE: &str = "
---
apiVersion: v1
kind: ConfigMap
metadata: { name: next-to-come }
data: { key: value }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: kube-root-ca.crt }
data: { ca.crt: mine }
";

/// A manifest of a release's next upgrade: another image, two objects more.
struct Upgrade {
    release: String,
    file: String,
    live: Value,
}

fn upgrades(stage: &Stage) -> Vec<Upgrade> {
    let chosen = stage.releases.iter().step_by(EVERY).enumerate();
    let upgrade = |(at, release): (usize, &SeededRelease)| {
        let helm = Helm::v3(stage.plane(&release.cluster).unwrap()).unwrap();
        let manifest = helm.run(&release.namespace, ["get", "manifest", &release.name]);
        let manifest = manifest.unwrap().replace("image: ", "image: next.");
        let file = format!("next-{at}.yaml");
        fs::write(stage.refit.folder().join(&file), manifest + MORE).unwrap();
        let SeededRelease {
            cluster,
            namespace,
            name,
            ..
        } = release;
        let release = format!("{cluster}/{namespace}/{name}");
        let live = of(stage, &["shadow", "--manifest", &file, &release]);
        Upgrade {
            release,
            file,
            live,
        }
    };
    chosen.map(upgrade).collect()
}

fn answer(stage: &Stage, args: &[&str]) -> Answer {
    stage.refit.call(&[args, &["-o", "json"]].concat()).unwrap()
}

fn of(stage: &Stage, args: &[&str]) -> Value {
    let answer = answer(stage, args);
    assert_eq!(answer.code, 0, "{args:?}: {}", answer.stderr);
    answer.value
}

fn from(stage: &Stage, args: &[&str]) -> Value {
    of(stage, &[args, &["--from", FILE]].concat())
}

/// A plan or a graph without what is of its time.
fn timeless(mut document: Value) -> Value {
    let members = document.as_object_mut().unwrap();
    for of_time in ["calendar", "relaxations", "seals"] {
        members.remove(of_time);
    }
    let metadata = members["metadata"].as_object_mut().unwrap();
    for of_time in [
        "digest",
        "inputs",
        "lookedAt",
        "madeAt",
        "startBefore",
        "takenAt",
        "took",
    ] {
        metadata.remove(of_time);
    }
    for wave in document["waves"].as_array_mut().into_iter().flatten() {
        let wave = wave.as_object_mut().unwrap();
        for of_time in ["starts", "ends", "spans", "waitsFor"] {
            wave.remove(of_time);
        }
    }
    document
}

fn items(document: &Value) -> &[Value] {
    document["items"].as_array().unwrap()
}

/// Of each object the same is foretold, or that the file cannot tell: what of how many.
fn compare(upgrade: &Upgrade, saved: &Value) -> (usize, Vec<String>) {
    let objects = |document: &Value| items(document)[0]["objects"].as_array().unwrap().clone();
    let (live, saved) = (objects(&upgrade.live), objects(saved));
    assert_eq!(live.len(), saved.len(), "{}", upgrade.release);
    let mut untold = Vec::new();
    for (live, saved) in live.iter().zip(&saved) {
        assert_eq!(live["object"], saved["object"]);
        let outcome = |it: &Value| it["outcome"]["type"].as_str().unwrap().to_owned();
        match (outcome(live).as_str(), outcome(saved).as_str()) {
            (was, "unknown") if was != "unknown" => {
                untold.push(format!(
                    "{} {was}",
                    live["object"]["kind"].as_str().unwrap()
                ));
            }
            // Of values of Secrets only digests are there: they count as changed.
            ("unchanged", "changed") if live["object"]["kind"] == "Secret" => {}
            _ if live["object"]["kind"] == "Secret" => assert_eq!(outcome(live), outcome(saved)),
            _ => assert_eq!(live, saved, "{}", upgrade.release),
        }
    }
    (live.len(), untold)
}

fn planned(plan: &Value) -> usize {
    let waves = plan["waves"].as_array().unwrap().iter();
    waves
        .map(|it| it["releases"].as_array().unwrap().len())
        .sum()
}

fn hide(folder: &Path, hidden: bool) {
    let (here, away) = (folder.join("kubeconfig"), folder.join("no-kubeconfig"));
    let (from, to) = if hidden { (here, away) } else { (away, here) };
    fs::rename(from, to).unwrap();
}

#[test]
fn a_saved_fleet_is_planned_without_a_cluster_and_the_plan_runs() {
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    let mut stage = Stage::build(refit, 2, FLEET).unwrap();
    let folder = stage.refit.folder().to_owned();
    let marks = stage.marks().unwrap();
    of(&stage, &["inventory", "--save", FILE]);
    let live_plan = of(&stage, &["plan"]);
    let live_graph = of(&stage, &["graph"]);
    let held = live_plan["held"].as_array().unwrap();
    let held: Vec<&str> = held
        .iter()
        .filter_map(|it| it["release"].as_str())
        .take(4)
        .collect();
    let explained: Vec<Value> = held
        .iter()
        .map(|release| of(&stage, &["policy", "explain", release]))
        .collect();
    let upgrades = upgrades(&stage);
    for log in stage.requests(&marks).unwrap() {
        assert_eq!(log.by_agent("refit/").writes().len(), 0);
    }

    for plane in &mut stage.planes {
        plane.stop_apiserver();
    }
    hide(&folder, true);
    let plan = from(&stage, &["plan", "--save", PLAN]);
    assert_eq!(timeless(plan.clone()), timeless(live_plan.clone()));
    assert!(plan["metadata"]["inputs"]["inventory"].is_string());
    assert!(plan["metadata"]["lookedAt"].is_string());
    assert_eq!(timeless(from(&stage, &["graph"])), timeless(live_graph));
    for (release, live) in held.iter().zip(&explained) {
        let saved = from(&stage, &["policy", "explain", release]);
        assert_eq!(&saved, live, "{release}");
    }
    let what_if = ["plan", "--what-if", "waves.sizes=[7]"];
    let what_if = from(&stage, &what_if);
    assert_eq!(what_if["kind"], "PlanDiff", "{what_if}");
    let (mut objects, mut untold) = (0, Vec::new());
    for upgrade in &upgrades {
        let args = ["shadow", "--manifest", &upgrade.file, &upgrade.release];
        let (seen, unknown) = compare(upgrade, &from(&stage, &args));
        objects += seen;
        untold.extend(unknown);
    }
    untold.sort();
    // What is there and no release's is known by its name alone.
    let foreign = untold.iter().filter(|it| *it == "ConfigMap invalid");
    assert!(foreign.count() == upgrades.len(), "{untold:?}");

    for plane in &mut stage.planes {
        plane.start_apiserver().unwrap();
    }
    hide(&folder, false);
    let run = of(&stage, &["run", PLAN, "--yes"]);
    let done = items(&run)
        .iter()
        .filter(|it| it["state"] == "Done")
        .count();
    assert_eq!(done, planned(&plan), "{run}");
    assert!(done > 20, "{done}");
    eprintln!(
        "{done} of {done} planned releases migrated; {} next upgrades with {objects} objects, untold: {}",
        upgrades.len(),
        json!(untold),
    );
}
