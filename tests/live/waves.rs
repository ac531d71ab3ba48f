//! A plan's waves on a seeded fleet, run for real: order and hand-backs as the API servers' audit logs saw them, not as refit
//! tells. Afterwards the run is undone, and Helm 4's own way is gone on the same releases, to compare owners.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};
use testbed::demo::{Stage, is_ready, is_record};
use testbed::seed::Drift;
use testbed::{Helm, Seed, SeededRelease, Snapshot};

use crate::support::at_once;

/// The definitions, then one of every chart with every drift there is, on two clusters.
const FLEET: Seed = Seed {
    seed: 7,
    releases: 37,
};

fn id(release: &SeededRelease) -> String {
    format!("{}/{}/{}", release.cluster, release.namespace, release.name)
}

/// Who plays which part.
struct Cast<'a> {
    /// Each needs the one before it; neighbours live on different clusters.
    chain: Vec<&'a SeededRelease>,
    /// Changed after the plan was made: upgraded by Helm 3, uninstalled, edited by hand.
    upgraded: &'a SeededRelease,
    uninstalled: &'a SeededRelease,
    edited: &'a SeededRelease,
    /// Who needs whom of these and of one that the plan holds; the last one needs who needs the upgraded one.
    dependents: Vec<(&'a SeededRelease, &'a SeededRelease)>,
}

fn cast(stage: &Stage) -> Cast<'_> {
    let (webs, others): (Vec<_>, Vec<_>) = stage
        .releases
        .iter()
        .filter(|release| is_ready(release) && !release.chart.starts_with("widget"))
        .partition(|release| release.chart == "web");
    let held = stage
        .releases
        .iter()
        .find(|release| !is_ready(release) && !release.drift.is_empty());
    let held = held.unwrap();
    let (mut left, mut right): (Vec<_>, Vec<_>) = others
        .into_iter()
        .chain(webs.iter().skip(3).copied())
        .partition(|release| release.cluster == "demo-1");
    let mut next = |cluster: usize| [&mut left, &mut right][cluster].pop().unwrap();
    let chain = vec![next(0), next(1), next(0), next(1)];
    let on_upgraded = next(1);
    let dependents = vec![
        (on_upgraded, webs[0]),
        (next(0), webs[1]),
        (next(1), webs[2]),
        (next(0), held),
        (next(0), on_upgraded),
    ];
    Cast {
        chain,
        upgraded: webs[0],
        uninstalled: webs[1],
        edited: webs[2],
        dependents,
    }
}

impl Cast<'_> {
    /// `(who waits, for whom)`.
    fn edges(&self) -> Vec<(String, String)> {
        let chain = self.chain.windows(2).map(|pair| (id(pair[1]), id(pair[0])));
        let others = self.dependents.iter().map(|(who, on)| (id(who), id(on)));
        chain.chain(others).collect()
    }

    fn fleet_toml(&self) -> String {
        let rules = self.edges().into_iter().map(|(release, on)| {
            format!("\n[[depends]]\nrelease = \"{release}\"\non = \"{on}\"\n")
        });
        let rules: String = rules.collect();
        format!("\n[waves]\nsizes = [1, 3, 4]\nheld_dependency = \"hold\"\n{rules}")
    }
}

/// First and last write of a release: from the arrival of the one to the answer of the other.
#[derive(Debug, Clone, Copy)]
struct Span {
    first: Timestamp,
    last: Timestamp,
}

impl Span {
    fn with(self, other: Self) -> Self {
        Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }
}

/// Group, resource, namespace and name of each object of Helm's: whose it is.
fn holders(snapshot: &Snapshot, cluster: &str) -> BTreeMap<[String; 4], String> {
    let mut holders = BTreeMap::new();
    for (key, object) in &snapshot.objects {
        // Controllers copy annotations to what they make, labels not.
        let label = object.pointer("/metadata/labels/app.kubernetes.io~1managed-by");
        if label.is_none_or(|label| label != "Helm") {
            continue;
        }
        let note = |name: &str| {
            let note = object.pointer(&format!("/metadata/annotations/meta.helm.sh~1{name}"));
            note.and_then(Value::as_str)
        };
        let (Some(name), Some(namespace)) = (note("release-name"), note("release-namespace"))
        else {
            continue;
        };
        let parts: Vec<&str> = key.rsplit('/').collect();
        let group = if parts.len() == 5 { parts[4] } else { "" };
        let place = parts[1].trim_start_matches('-');
        let key = [group, parts[2], place, parts[0]].map(str::to_owned);
        holders.insert(key, format!("{cluster}/{namespace}/{name}"));
    }
    holders
}

/// When refit wrote to which release, as the servers saw it; a write to anything else is an error.
fn spans(stage: &Stage, marks: &[usize], before: &[Snapshot]) -> BTreeMap<String, Span> {
    let mut spans: BTreeMap<String, Span> = BTreeMap::new();
    let logs = stage.requests(marks).unwrap();
    for ((plane, log), snapshot) in stage.planes.iter().zip(logs).zip(before) {
        let cluster = plane.context();
        let holders = holders(snapshot, cluster);
        for entry in log.writes().entries {
            let record = entry.name.strip_prefix("sh.helm.release.v1.");
            let whose = match record.and_then(|rest| rest.rsplit_once(".v")) {
                Some((name, _)) => format!("{cluster}/{}/{name}", entry.namespace),
                None => {
                    let key = [&entry.group, &entry.resource, &entry.namespace, &entry.name];
                    let whose = holders.get(&key.map(Clone::clone));
                    whose
                        .unwrap_or_else(|| panic!("a write to nobody's object: {entry:?}"))
                        .clone()
                }
            };
            let span = Span {
                first: entry.at,
                last: entry.done,
            };
            let all = spans.get(&whose).map_or(span, |known| known.with(span));
            spans.insert(whose, all);
        }
    }
    spans
}

/// People go on while the plan lies there.
fn meddle(stage: &Stage, cast: &Cast<'_>) {
    let helm = |release: &SeededRelease, args: &[&str]| {
        let plane = stage.plane(&release.cluster).unwrap();
        let helm = Helm::v3(plane).unwrap();
        helm.run(&release.namespace, args).unwrap();
    };
    let chart = testbed::charts::path("web").display().to_string();
    let name = &cast.upgraded.name;
    let args = [
        "upgrade",
        name,
        &chart,
        "--reuse-values",
        "--set",
        "greeting=late",
    ];
    helm(cast.upgraded, &args);
    helm(cast.uninstalled, &["uninstall", &cast.uninstalled.name]);
    let (namespace, name) = (&cast.edited.namespace, &cast.edited.name);
    let path =
        format!("/api/v1/namespaces/{namespace}/configmaps/{name}?fieldManager=kubectl-edit");
    let plane = stage.plane(&cast.edited.cluster).unwrap();
    plane
        .api()
        .merge_patch(&path, &json!({"data": {"log-level": "late"}}))
        .unwrap();
}

#[test]
fn waves_obey_the_graph_and_what_moved_is_handed_back() {
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    let stage = Stage::build(refit, 2, FLEET).unwrap();
    let cast = cast(&stage);
    let file = stage.refit.folder().join("fleet.toml");
    let fleet = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{fleet}{}", cast.fleet_toml())).unwrap();
    let call = |args: &[&str]| stage.refit.json(args).unwrap();
    call(&["plan", "--save", "p.json", "-o", "json"]);
    let plan = call(&["show", "p.json", "-o", "json"]).value;
    let waves: Vec<Vec<String>> = array(&plan["waves"])
        .map(|wave| {
            array(&wave["releases"])
                .map(|it| text(it, "release"))
                .collect()
        })
        .collect();
    let planned: BTreeSet<&String> = waves.iter().flatten().collect();
    assert!(waves.len() > 3, "{waves:?}");

    // Edges that must hold: declared, and of each custom resource on its definition.
    let mut edges = cast.edges();
    for release in stage.releases.iter().filter(|it| it.chart == "widgets") {
        let definition = stage
            .releases
            .iter()
            .find(|it| it.chart == "widget-crds" && it.cluster == release.cluster);
        edges.push((id(release), id(definition.unwrap())));
    }
    let across = edges
        .iter()
        .filter(|(who, on)| who.split('/').next() != on.split('/').next());
    assert!(across.count() > 2);
    // Held at once: who needs what the plan holds.
    let (on_held, _) = cast.dependents[3];
    let held = array(&plan["held"]).find(|it| it["release"] == id(on_held).as_str());
    assert_eq!(
        held.unwrap()["reasons"][0]["cause"],
        "dependency-held",
        "{held:?}"
    );

    meddle(&stage, &cast);
    let before = stage.snapshots().unwrap();
    let marks = stage.marks().unwrap();
    let run = stage
        .refit
        .call(&["run", "p.json", "--yes", "-o", "json"])
        .unwrap();
    assert_eq!(run.code, 3, "{}", run.stderr);
    let run = run.value;
    let spans = spans(&stage, &marks, &before);

    let moved = [cast.upgraded, cast.uninstalled, cast.edited].map(id);
    let ends: BTreeMap<String, &Value> = array(&run["items"])
        .map(|item| (text(item, "release"), item))
        .collect();
    assert_eq!(ends.keys().collect::<BTreeSet<_>>(), planned);
    let why = |release: &str| {
        let end = ends[release];
        assert!(
            !spans.contains_key(release),
            "{release} was written to: {end}"
        );
        (text(end, "state"), text(end, "why"))
    };
    let (state, words) = why(&moved[0]);
    assert!(
        state == "Stale" && words.contains("revision"),
        "{state} {words}"
    );
    let (state, words) = why(&moved[1]);
    assert!(
        state == "Stale" && words.contains("gone"),
        "{state} {words}"
    );
    let (state, words) = why(&moved[2]);
    assert!(
        state == "Held" && words.contains(".data.log-level"),
        "{state} {words}"
    );
    let back: Vec<String> = [0, 1, 2, 4].map(|at| id(cast.dependents[at].0)).into();
    for (release, on) in back
        .iter()
        .zip([0, 1, 2, 4].map(|at| id(cast.dependents[at].1)))
    {
        let (state, words) = why(release);
        assert!(
            state == "Held" && words.contains(&on),
            "{release}: {state} {words}"
        );
    }
    // All others were migrated, and nobody else was written to.
    let migrated: BTreeSet<String> = planned
        .iter()
        .filter(|it| !moved.contains(it) && !back.contains(it))
        .map(|it| (*it).clone())
        .collect();
    for release in &migrated {
        assert_eq!(ends[release]["state"], "Done", "{}", ends[release]);
    }
    assert_eq!(spans.keys().cloned().collect::<BTreeSet<_>>(), migrated);

    let mut kept = 0;
    for (who, on) in &edges {
        let (Some(later), Some(earlier)) = (spans.get(who), spans.get(on)) else {
            assert!(!spans.contains_key(who), "{who} was migrated without {on}");
            continue;
        };
        assert!(
            earlier.last < later.first,
            "{who} {later:?} before {on} {earlier:?}"
        );
        kept += 1;
    }
    assert!(kept >= cast.chain.len() - 1);
    let of_waves: Vec<Span> = waves
        .iter()
        .filter_map(|wave| {
            let spans = wave
                .iter()
                .filter_map(|release| spans.get(release).copied());
            spans.reduce(Span::with)
        })
        .collect();
    for pair in of_waves.windows(2) {
        assert!(pair[0].last < pair[1].first, "waves overlap: {of_waves:?}");
    }
    eprintln!(
        "{} releases in {} waves, {} written in order; {kept} of {} edges between migrated ones; {} handed back by name",
        planned.len(),
        waves.len(),
        of_waves.len(),
        edges.len(),
        moved.len() + back.len()
    );
    refreshed(&stage, &moved, &migrated);

    // Without rules, all that is ready is migrated at last.
    fs::write(&file, fleet).unwrap();
    call(&["plan", "--save", "rest.json", "-o", "json"]);
    let rest = call(&["run", "rest.json", "--yes", "-o", "json"]).value;
    let done = array(&rest["items"]).filter(|item| item["state"] == "Done");
    let done: BTreeSet<String> = done.map(|item| text(item, "release")).collect();
    let all: BTreeSet<String> = migrated.union(&done).cloned().collect();
    let ready = stage.releases.iter().filter(|it| is_ready(it)).map(id);
    let ready: BTreeSet<String> = ready.filter(|it| !moved[1..].contains(it)).collect();
    assert_eq!(all, ready);
    let runs = [rest, run].map(|report| text(&report["metadata"], "run"));
    as_helm_4_would(&stage, &runs, &all);
}

/// `plan --refresh` names what changed since the plan was made. First it refuses the edge to what was uninstalled, with its
/// place.
fn refreshed(stage: &Stage, moved: &[String; 3], migrated: &BTreeSet<String>) {
    let args = ["plan", "--refresh", "p.json", "-o", "json"];
    let refused = stage.refit.call(&args).unwrap();
    let file = stage.refit.folder().join("fleet.toml");
    let fleet = fs::read_to_string(&file).unwrap();
    let gone = format!("on = \"{}\"", moved[1]);
    let line = 1 + fleet.lines().position(|line| line == gone).unwrap();
    let place = format!("fleet.toml:{line}:6   {gone}");
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(
        refused.stderr.contains(&place.replace('"', "\\\"")),
        "{place}\n{}",
        refused.stderr
    );
    let rules: Vec<&str> = fleet
        .split("\n[[depends]]\n")
        .filter(|rule| !rule.contains(&gone))
        .collect();
    fs::write(&file, rules.join("\n[[depends]]\n")).unwrap();

    let diff = stage.refit.json(&args).unwrap();
    let changes: BTreeMap<String, &Value> = array(&diff.value["releases"])
        .map(|it| (text(it, "release"), it))
        .collect();
    let facts = &changes[&moved[0]]["facts"];
    assert!(facts.to_string().contains("revision 1 -> 2"), "{facts}");
    assert_eq!(changes[&moved[1]]["change"], "gone");
    assert_eq!(changes[&moved[2]]["change"], "held");
    assert_eq!(changes[&moved[2]]["after"]["cause"], "active-conflict");
    for release in migrated {
        assert_eq!(changes[release]["change"], "done", "{}", changes[release]);
    }
}

/// Owners of an object without times, and without the order of entries, which is that of times.
fn owners(object: &Value) -> BTreeSet<String> {
    let entries = array(&object["metadata"]["managedFields"]);
    entries
        .map(|entry| {
            let mut entry = entry.clone();
            entry.as_object_mut().unwrap().remove("time");
            entry.to_string()
        })
        .collect()
}

/// Values of an object.
fn values(object: &Value) -> Value {
    let mut object = object.clone();
    let meta = object["metadata"].as_object_mut().unwrap();
    for key in ["managedFields", "resourceVersion", "generation"] {
        meta.remove(key);
    }
    object
}

/// Undoes the runs and goes Helm 4's own way with every release that was migrated: csa upgrade and a real server-side apply of
/// the stored manifest. Owners are the same wherever Helm's way changes no value.
fn as_helm_4_would(stage: &Stage, runs: &[String], migrated: &BTreeSet<String>) {
    let ours = stage.snapshots().unwrap();
    for run in runs {
        let undo = ["undo", run, "--yes", "-o", "json"];
        stage.refit.json(&undo).unwrap();
    }
    let before = stage.snapshots().unwrap();
    let releases: Vec<&SeededRelease> = stage
        .releases
        .iter()
        .filter(|release| migrated.contains(&id(release)))
        .collect();
    at_once(&releases, |release| {
        let plane = stage.plane(&release.cluster).unwrap();
        let records = format!(
            "/api/v1/namespaces/{}/secrets?labelSelector=owner%3Dhelm,status%3Ddeployed,name%3D{}",
            release.namespace, release.name
        );
        let records = plane.api().get(&records).unwrap();
        let deployed = text(&records["items"][0]["metadata"]["labels"], "version");
        let args = [
            "rollback",
            &release.name,
            &deployed,
            "--server-side=true",
            "--no-hooks",
        ];
        Helm::v4(plane)
            .unwrap()
            .run(&release.namespace, args)
            .unwrap();
    });
    let theirs = stage.snapshots().unwrap();
    let (mut alike, mut moved, mut seen) = (0, Vec::new(), BTreeSet::new());
    for (((ours, before), theirs), plane) in
        ours.iter().zip(&before).zip(&theirs).zip(&stage.planes)
    {
        let holders = holders(before, plane.context());
        for (key, theirs) in theirs.objects.iter().filter(|(key, _)| !is_record(key)) {
            let parts: Vec<&str> = key.rsplit('/').collect();
            let group = if parts.len() == 5 { parts[4] } else { "" };
            let place = parts[1].trim_start_matches('-');
            let holder = holders.get(&[group, parts[2], place, parts[0]].map(str::to_owned));
            let Some(release) =
                holder.and_then(|holder| releases.iter().find(|it| id(it) == *holder))
            else {
                continue;
            };
            let was = before.objects.get(key);
            if was.is_none_or(|was| values(was) != values(theirs)) {
                moved.push(key);
                continue;
            }
            let (ours, mut theirs) = (owners(&ours.objects[key]), owners(theirs));
            if release.drift.contains(&Drift::OldManager) {
                // Helm 4 does not know its own older names and leaves them as owners beside itself; refit folds them in.
                let before = theirs.len();
                theirs.retain(|entry| !entry.contains("\"Go-http-client\""));
                assert_eq!(theirs.len() + 1, before, "{key}");
            }
            assert_eq!(ours, theirs, "{key}");
            alike += 1;
            seen.insert(id(release));
        }
    }
    eprintln!(
        "{alike} objects of {} releases are owned as after Helm 4's own way; Helm 4 changed values of {moved:?}",
        seen.len()
    );
    assert_eq!(&seen, migrated);
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}
