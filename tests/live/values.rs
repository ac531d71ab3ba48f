//! Policies that change values, against a real server: taken, pruned and enforced; put back byte for byte; sealed.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::Helm;
use testbed::demo::Stage;

use crate::policies::{DEPLOYMENT, TEMPLATE, VALUES, add_rules, chart, owners, stage, state_of};

const RULES: &str = r#"
[[policy]]
kind = "Deployment"
field = ".spec.template.spec.containers[name=app].image"
owner = "kubectl-set"
conflict = "take"
why = "the hot fix is over"

[[policy]]
field = ".data.secret"
drop = "prune"
why = "nobody may read it any more"

[[policy]]
field = ".data.password"
conflict = "take"
why = "the chart's password counts"
"#;

/// Planted in live objects: lies in no store, log or answer in clear.
const PLANTED: [&str; 2] = ["cGxhbnRlZC1wYXNzd29yZA==", "planted-plain-value"];

/// A key of thirty-two letters.
const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
const OTHER_KEY: &str = "YWJjZGVmZ2hpamFiY2RlZmdoaWphYmNkZWZnaGlqYWI=";

fn grep(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        bytes.windows(text.len()).any(|it| it == text.as_bytes())
    })
}

fn set_image(stage: &Stage, release: &str, image: &str) {
    let patch =
        json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}});
    let answer = stage.planes[0]
        .api()
        .send(
            "PATCH",
            &format!("{DEPLOYMENT}{release}?fieldManager=kubectl-set"),
            "application/strategic-merge-patch+json",
            patch.to_string().as_bytes(),
        )
        .unwrap();
    assert_eq!(answer.status, 200, "{:?}", answer.body);
}

fn seal(stage: &Stage, key: &str) {
    let file = stage.refit.folder().join("seal.key");
    std::fs::write(&file, key).unwrap();
    open_to(&file, 0o600);
}

fn open_to(file: &Path, mode: u32) {
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// An object without what moves with every write of a value: its version and generation.
fn still(mut object: Value) -> Value {
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.remove("resourceVersion");
    metadata.remove("generation");
    object
}

#[test]
fn values_are_taken_and_pruned_and_come_back() {
    let stage = stage();
    let api = stage.planes[0].api();
    let v3 = Helm::v3(&stage.planes[0]).unwrap();
    let v4 = Helm::v4(&stage.planes[0]).unwrap();
    let web = chart(&stage, "web", TEMPLATE, VALUES);
    v3.run("default", ["install", "web", &web]).unwrap();
    set_image(&stage, "web", "registry.example/app:1-fix");
    let keys = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: keys\ndata:\n  kept: a\n---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: pass\nstringData: {}\ndata:\n  password: b3Vycw==\n";
    let keys = chart(&stage, "keys", keys, "");
    v3.run("default", ["install", "keys", &keys]).unwrap();
    let map = "/api/v1/namespaces/default/configmaps/keys";
    let pass = "/api/v1/namespaces/default/secrets/pass";
    api.merge_patch(
        &format!("{map}?fieldManager=helm"),
        &json!({"data": {"secret": PLANTED[1]}}),
    )
    .unwrap();
    api.merge_patch(
        &format!("{pass}?fieldManager=operator"),
        &json!({"data": {"password": PLANTED[0]}}),
    )
    .unwrap();
    add_rules(&stage, RULES);

    // Without a key both are held, and the reason teaches.
    let plan = |name: &str| {
        stage
            .refit
            .json(&["plan", "--save", name, "-o", "json"])
            .unwrap()
            .value
    };
    let held = plan("none.json");
    assert_eq!(held["summary"]["needsChoice"], 2, "{held:#}");
    assert!(held.to_string().contains("openssl rand -base64 32"));

    add_rules(&stage, "\n[seal]\nkey_file = \"seal.key\"\n");
    seal(&stage, KEY);
    // A key that anybody may read is none.
    let file = stage.refit.folder().join("seal.key");
    open_to(&file, 0o644);
    let refused = stage
        .refit
        .call(&["plan", "--save", "p.json", "-o", "json"])
        .unwrap();
    assert_eq!(refused.code, 1, "{:#}", refused.value);
    let said = format!("{} {}", refused.stderr, refused.value);
    assert!(said.contains("chmod 600"), "{said}");
    open_to(&file, 0o440);
    let planned = plan("p.json");
    assert_eq!(planned["summary"]["migrate"], 2, "{planned:#}");
    assert_eq!(planned["summary"]["valueChanges"], 3, "{planned:#}");
    assert_eq!(planned["summary"]["writes"], 12, "{planned:#}");
    let objects = || {
        [format!("{DEPLOYMENT}web"), map.to_owned(), pass.to_owned()]
            .map(|path| still(api.get(&path).unwrap()))
    };
    let before = objects();

    let run = stage
        .refit
        .call(&["run", "p.json", "--yes", "-o", "json"])
        .unwrap();
    assert_eq!(run.code, 0, "{} {:#}", run.stderr, run.value);
    assert_eq!(run.value["summary"]["valueChanges"], 3, "{:#}", run.value);
    let live = api.get(&format!("{DEPLOYMENT}web")).unwrap();
    let image = live
        .pointer("/spec/template/spec/containers/0/image")
        .unwrap();
    assert_eq!(image, "registry.example/app:1");
    let field = ".spec.template.spec.containers[name=\"app\"].image";
    assert_eq!(
        owners(&stage, "demo-1/default/deployment/web", field),
        ["helm/Apply"]
    );
    assert_eq!(api.get(map).unwrap()["data"], json!({"kept": "a"}));
    assert_eq!(
        api.get(pass).unwrap()["data"],
        json!({"password": "b3Vycw=="})
    );
    for path in [format!("{DEPLOYMENT}web"), map.to_owned(), pass.to_owned()] {
        let text = api.get(&path).unwrap().to_string();
        assert!(!text.contains("\"manager\":\"refit\""), "{text}");
    }
    let store = stage.refit.folder().join(".refit");
    for planted in PLANTED {
        assert!(!grep(&store, planted), "{planted} is in the store");
        assert!(!run.stderr.contains(planted) && !run.value.to_string().contains(planted));
    }

    // A real apply of the same manifest changes nothing any more.
    let versions = || {
        [format!("{DEPLOYMENT}web"), map.to_owned(), pass.to_owned()]
            .map(|path| api.get(&path).unwrap()["metadata"]["resourceVersion"].clone())
    };
    let id = run
        .value
        .pointer("/metadata/run")
        .and_then(Value::as_str)
        .unwrap();

    // With a wrong key the undo is stuck, in words; nothing is written.
    seal(&stage, OTHER_KEY);
    let stood = versions();
    let stuck = stage
        .refit
        .call(&["undo", id, "--yes", "-o", "json"])
        .unwrap();
    assert_eq!(stuck.code, 3, "{} {:#}", stuck.stderr, stuck.value);
    assert!(
        stuck.value.to_string().contains("another key"),
        "{:#}",
        stuck.value
    );
    assert_eq!(versions(), stood);

    seal(&stage, KEY);
    let undone = stage
        .refit
        .call(&["undo", id, "--yes", "-o", "json"])
        .unwrap();
    assert_eq!(undone.code, 0, "{} {:#}", undone.stderr, undone.value);
    // Content, and every byte of managedFields; the generation has moved on.
    assert_eq!(objects(), before);

    plan("q.json");
    let again = stage
        .refit
        .call(&["run", "q.json", "--yes", "-o", "json"])
        .unwrap();
    assert_eq!(again.code, 0, "{}", again.stderr);
    let stood = versions();
    v4.run("default", ["upgrade", "web", &web]).unwrap();
    v4.run("default", ["upgrade", "keys", &keys]).unwrap();
    assert_eq!(versions(), stood, "Helm's own apply is a no-op");
    for planted in PLANTED {
        assert!(!grep(&store, planted), "{planted} is in the store");
    }
}

/// The path of a map that [`taken`] made.
pub fn map(number: usize) -> String {
    format!("/api/v1/namespaces/default/configmaps/m{number}")
}

/// A release of so many maps, each with a value of the operator's that a rule takes back.
pub fn taken(stage: &Stage, release: &str, maps: usize) {
    let mut docs = String::new();
    for number in 0..maps {
        docs += &format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m{number}\ndata:\n  a: ours\n"
        );
    }
    let chart = chart(stage, release, &docs, "");
    let v3 = Helm::v3(&stage.planes[0]).unwrap();
    v3.run("default", ["install", release, &chart]).unwrap();
    let api = stage.planes[0].api();
    for number in 0..maps {
        let theirs = json!({"data": {"a": "theirs"}});
        api.merge_patch(&format!("{}?fieldManager=operator", map(number)), &theirs)
            .unwrap();
    }
    add_rules(
        stage,
        "\n[[policy]]\nfield = \".data.a\"\nconflict = \"take\"\nwhy = \"x\"\n[seal]\nkey_file = \"seal.key\"\n",
    );
    seal(stage, KEY);
}

#[test]
fn killed_between_the_two_requests_it_goes_on_or_back() {
    let stage = stage();
    let api = stage.planes[0].api();
    taken(&stage, "maps", 12);
    let objects = || {
        (0..12)
            .map(|n| still(api.get(&map(n)).unwrap()))
            .collect::<Vec<_>>()
    };
    let before = objects();
    let marked = || {
        let all = objects();
        let marked = all
            .iter()
            .filter(|object| object.to_string().contains("\"manager\":\"refit\""));
        marked.count()
    };
    let (mut halves, mut halves_back) = (0, 0);
    for round in 0..8 {
        stage
            .refit
            .json(&["plan", "--save", "k.json", "-o", "json"])
            .unwrap();
        let mut child = stage
            .refit
            .command(&["run", "k.json", "--yes"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // As soon as a value is set whose owner is not yet: between the two requests.
        for _ in 0..4_000 {
            let live = api.get(&map(round)).unwrap();
            let ours = live["data"]["a"] == "ours";
            if ours || child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        halves += marked();
        let runs = stage.refit.call(&["status", "-o", "json"]).unwrap().value;
        let run = runs
            .pointer("/items/0/run")
            .and_then(Value::as_str)
            .unwrap()
            .to_owned();
        if round % 2 == 0 {
            if round < 4 {
                without_its_key(&stage, &run, &objects);
            }
            let resumed = stage
                .refit
                .call(&["resume", &run, "--yes", "-o", "json"])
                .unwrap();
            assert!(resumed.code == 0, "{} {:#}", resumed.stderr, resumed.value);
            assert_eq!(state_of(&resumed.value, "maps"), "Done");
            assert!(objects().iter().all(|object| object["data"]["a"] == "ours"));
            // The way back dies too, as soon as a value is back.
            let mut child = stage
                .refit
                .command(&["undo", &run, "--yes"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            for _ in 0..4_000 {
                let theirs = api.get(&map(11)).unwrap()["data"]["a"] == "theirs";
                if theirs || child.try_wait().unwrap().is_some() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            child.kill().unwrap();
            child.wait().unwrap();
            halves_back += marked();
        }
        let undone = stage
            .refit
            .call(&["undo", &run, "--yes", "-o", "json"])
            .unwrap();
        assert_eq!(undone.code, 0, "{} {:#}", undone.stderr, undone.value);
        assert_eq!(objects(), before);
    }
    assert!(halves > 0, "no kill met an object between its two requests");
    assert!(halves_back > 0, "no kill met one on its way back");
}

/// A run that cannot open what it sealed goes nowhere: it says which key, and nothing moves.
fn without_its_key(stage: &Stage, run: &str, objects: &dyn Fn() -> Vec<Value>) {
    let api = stage.planes[0].api();
    let records = || {
        let path = "/api/v1/namespaces/default/secrets?labelSelector=owner%3Dhelm";
        api.get(path).unwrap()["items"].to_string()
    };
    let stood = (objects(), records());
    let file = stage.refit.folder().join("seal.key");
    for key in [None, Some(OTHER_KEY)] {
        match key {
            Some(key) => seal(stage, key),
            None => std::fs::remove_file(&file).unwrap(),
        }
        let resumed = stage
            .refit
            .call(&["resume", run, "--yes", "-o", "json"])
            .unwrap();
        let said = format!("{} {}", resumed.stderr, resumed.value);
        assert_ne!(resumed.code, 0, "{said}");
        let words = match key {
            Some(_) => "sealed with another key",
            None => "no key is set: name its file in fleet.toml",
        };
        assert!(said.contains(words), "{said}");
        assert!(
            stood == (objects(), records()),
            "something moved without the key"
        );
    }
    let shown = stage.refit.call(&["resume", run, "--yes"]).unwrap();
    assert!(
        shown.stderr.contains("refit resume") || shown.stdout.contains("refit resume"),
        "{} {}",
        shown.stdout,
        shown.stderr
    );
    seal(stage, KEY);
}

#[test]
fn objects_that_somebody_writes_all_the_time_are_taken_all_the_same() {
    let stage = stage();
    let api = stage.planes[0].api();
    taken(&stage, "busy", 8);
    // A controller that writes each object twice a second: each write is a 409 for whoever has read before it.
    let done = std::sync::atomic::AtomicBool::new(false);
    let mut beats = 0_u32;
    let run = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                for number in 0..8 {
                    let beat = json!({"metadata": {"annotations": {"beat": beats.to_string()}}});
                    api.merge_patch(&format!("{}?fieldManager=beat", map(number)), &beat)
                        .unwrap();
                    std::thread::sleep(Duration::from_millis(60));
                }
                beats += 1;
            }
        });
        stage
            .refit
            .json(&["plan", "--save", "b.json", "-o", "json"])
            .unwrap();
        let run = stage.refit.call(&["run", "b.json", "--yes", "-o", "json"]);
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        writer.join().unwrap();
        run.unwrap()
    });
    assert_eq!(
        state_of(&run.value, "busy"),
        "Done",
        "{} {:#}",
        run.stderr,
        run.value
    );
    for number in 0..8 {
        let live = api.get(&map(number)).unwrap();
        assert_eq!(live["data"]["a"], "ours");
        assert!(live["metadata"]["annotations"]["beat"].is_string());
    }
    assert!(beats > 2, "nothing was busy");
}

#[test]
fn enforce_is_what_helm_4_does() {
    let stage = stage();
    let api = stage.planes[0].api();
    let v3 = Helm::v3(&stage.planes[0]).unwrap();
    let v4 = Helm::v4(&stage.planes[0]).unwrap();
    let web = chart(&stage, "web", TEMPLATE, VALUES);
    // Two releases that are alike: one is enforced, the other is upgraded by Helm itself.
    for release in ["ours", "helms"] {
        v3.run("default", ["install", release, &web]).unwrap();
        set_image(&stage, release, "registry.example/app:1-fix");
        let path = format!("{DEPLOYMENT}{release}");
        let env = json!([{"op": "add", "path": "/spec/template/spec/containers/0/env/-", "value": {"name": "OLD", "value": "1"}}]);
        api.json_patch(&format!("{path}?fieldManager=helm"), &env)
            .unwrap();
        let drift = json!([{"op": "replace", "path": "/metadata/labels/team", "value": "drifted"}]);
        api.json_patch(&format!("{path}?fieldManager=helm"), &drift)
            .unwrap();
    }
    let fleet = stage.refit.folder().join("fleet.toml");
    let text = std::fs::read_to_string(&fleet).unwrap();
    let text = text.replacen("[fleet]\n", "[fleet]\nmode = \"enforce\"\n", 1);
    std::fs::write(&fleet, text + "\n[seal]\nkey_file = \"seal.key\"\n").unwrap();
    seal(&stage, KEY);
    let before = still(api.get(&format!("{DEPLOYMENT}ours")).unwrap());
    stage
        .refit
        .json(&["plan", "--save", "e.json", "-o", "json"])
        .unwrap();
    v4.run(
        "default",
        [
            "upgrade",
            "helms",
            &web,
            "--server-side=true",
            "--force-conflicts",
        ],
    )
    .unwrap();
    let run = stage
        .refit
        .call(&["run", "e.json", "--yes", "-o", "json"])
        .unwrap();
    assert_eq!(
        state_of(&run.value, "ours"),
        "Done",
        "{} {:#}",
        run.stderr,
        run.value
    );
    let seen = |release: &str| {
        let live = still(api.get(&format!("{DEPLOYMENT}{release}")).unwrap());
        let text = live.to_string().replace(release, "NAME");
        let mut live: Value = serde_json::from_str(&text).unwrap();
        live["metadata"].as_object_mut().unwrap().remove("uid");
        live["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("creationTimestamp");
        for entry in live["metadata"]["managedFields"].as_array_mut().unwrap() {
            entry.as_object_mut().unwrap().remove("time");
        }
        live
    };
    let (ours, helms) = (seen("ours"), seen("helms"));
    assert_eq!(ours["spec"], helms["spec"]);
    assert_eq!(ours, helms, "{ours:#}\n{helms:#}");
    let id = run
        .value
        .pointer("/metadata/run")
        .and_then(Value::as_str)
        .unwrap();
    let undone = stage
        .refit
        .call(&["undo", id, "--yes", "-o", "json"])
        .unwrap();
    assert_eq!(undone.code, 0, "{} {:#}", undone.stderr, undone.value);
    assert_eq!(
        still(api.get(&format!("{DEPLOYMENT}ours")).unwrap()),
        before
    );
}
