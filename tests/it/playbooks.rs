//! Every built-in playbook, and fleet.toml.example, make a plan that the linter finds nothing wrong with.

use std::collections::BTreeMap;
use std::path::Path;

use refit::config::{KubeContexts, Loaded, PlaybookText, load_over, override_text};
use refit::domain::fleet::Fleet;
use refit::domain::plan::{Candidate, Dependencies, Plan, PlanRequest, lint, plan};
use refit::playbook::{BUILT_IN, Library};

const FLEET: &str = r#"
[fleet]
name = "acme"
playbook = "PLAYBOOK"
[[clusters]]
contexts = "acme-stage-*"
labels = { env = "stage" }
[[clusters]]
contexts = "acme-us-*"
labels = { env = "prod", region = "us" }
"#;

/// Writes that take days, in windows of few hours.
const SLOW: &str = r#"
[windows]
night = { days = "Tue,Thu", from = "22:00", to = "22:20" }
[cost]
millis_per_write = 60000
"#;

const PLAN_SCHEMA: &str = include_str!("../../docs/reference/plan.schema.json");
const EXAMPLE: &str = include_str!("../../fleet.toml.example");

fn contexts(path: Option<&Path>) -> Result<KubeContexts, String> {
    let names: &[&str] = match path.and_then(Path::to_str) {
        None => &["acme-stage-us", "acme-us-1", "acme-us-2"],
        Some("lab.kubeconfig") => &["kind-lab"],
        Some(other) => return Err(format!("{other}: no such file")),
    };
    Ok(KubeContexts {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        origin: "a test".to_owned(),
    })
}

fn load(text: &str, what_if: &[&str]) -> Loaded {
    let library = Library::with(Vec::new());
    let playbooks = |name: &str| {
        let playbook = library.get(name).map_err(|error| error.to_string())?;
        Ok(PlaybookText {
            name: playbook.name.clone(),
            file: playbook.origin.file(name),
            text: playbook.source.clone(),
        })
    };
    let what_if: Vec<String> = what_if.iter().map(|&text| text.to_owned()).collect();
    load_over(text, "fleet.toml", &contexts, &playbooks, &what_if)
        .unwrap_or_else(|error| panic!("{:#?}", error.lines()))
}

/// Some releases on every cluster of a fleet, all ready.
fn candidates(fleet: &Fleet) -> Vec<Candidate> {
    let release = |cluster: &str, name: usize| {
        let object = serde_json::json!({
            "object": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": format!("app-{name}")},
            "outcome": {"type": "ownershipOnly"},
        });
        let candidate = serde_json::json!({
            "forecast": {
                "release": format!("{cluster}/shop/app-{name}"), "outcome": "Ready", "reasons": [], "objects": [object],
            },
            "chart": {"name": format!("chart-{}", name % 4), "version": "1.0.0"},
            "driver": "secret", "revision": 3, "recordUid": format!("uid-{cluster}-{name}"),
        });
        serde_json::from_value(candidate).expect("a candidate")
    };
    fleet
        .clusters
        .iter()
        .flat_map(|cluster| (0..12).map(|name| release(cluster.name.as_str(), name)))
        .collect()
}

/// A fleet.toml under a built-in playbook, and a plan of it that was made at a time by the refit under test.
pub(crate) fn plan_of(playbook: &str, now: jiff::Timestamp) -> (String, Plan) {
    let text = FLEET.replace("PLAYBOOK", playbook);
    let fleet = load(&text, &[]).fleet;
    let request = PlanRequest {
        fleet: &fleet,
        dependencies: &Dependencies::default(),
        now,
        looked_at: None,
        tool: env!("CARGO_PKG_VERSION"),
        inputs: BTreeMap::new(),
        unread: BTreeMap::new(),
    };
    let plan = plan(candidates(&fleet), &request).expect("a plan");
    (text, plan)
}

fn made(fleet: &Fleet) -> Plan {
    let request = PlanRequest {
        fleet,
        dependencies: &Dependencies::default(),
        now: "2026-11-23T10:31:00Z".parse().expect("a time"),
        looked_at: None,
        tool: "0.1.0",
        inputs: BTreeMap::new(),
        unread: BTreeMap::new(),
    };
    let candidates = candidates(fleet);
    let plan = plan(candidates.clone(), &request).expect("a plan");
    let findings = lint(&plan, &candidates, request.dependencies);
    assert!(findings.is_empty(), "{findings:#?}");
    let schema: serde_json::Value = serde_json::from_str(PLAN_SCHEMA).expect("a schema");
    let json: serde_json::Value =
        serde_json::from_str(&plan.to_json().expect("JSON")).expect("JSON");
    assert_eq!(testbed::json_schema::violations(&schema, &json), [""; 0]);
    plan
}

#[test]
fn every_built_in_playbook_is_planned() {
    for (name, _) in BUILT_IN {
        let fleet = load(&FLEET.replace("PLAYBOOK", name), &[]).fleet;
        let plan = made(&fleet);
        assert_eq!(plan.metadata.settings.playbook, *name);
        assert_eq!(plan.summary.migrate, 36, "{name}");
    }
}

#[test]
fn the_example_is_planned() {
    let plan = made(&load(EXAMPLE, &[]).fleet);
    assert_eq!(plan.metadata.settings.playbook, "canary");
    assert_eq!(plan.summary.migrate, 48);
}

#[test]
fn the_same_value_again_makes_the_same_plan() {
    let text = FLEET.replace("PLAYBOOK", "rollback");
    let now = made(&load(&text, &[]).fleet);
    let same = made(
        &load(
            &text,
            &["limits.writes_per_second = 20", "budget.undone = 0"],
        )
        .fleet,
    );
    assert_eq!(now.to_json().expect("JSON"), same.to_json().expect("JSON"));
    let other = made(&load(&text, &["limits.writes_per_second = 40"]).fleet);
    assert_ne!(now.metadata.digest, other.metadata.digest);
}

/// `soak.prod 72h -> 48h` is `--what-if soak.prod=48h`.
fn what_if(change: &str) -> String {
    let (was, value) = change.split_once(" -> ").expect("an arrow");
    let (key, _) = was.rsplit_once(' ').expect("a key");
    override_text(&format!("{key}={value}")).unwrap_or_else(|error| panic!("{change}: {error}"))
}

#[test]
fn relaxations_keep_what_they_promise() {
    let playbooks = BUILT_IN
        .iter()
        .map(|(name, _)| FLEET.replace("PLAYBOOK", name));
    // Limits of its own for one cluster, so that changes of one are among them.
    let unlike = FLEET.replace(
        "[[clusters]]\ncontexts = \"acme-us",
        "windows = [\"night\"]\nlimits = { writes_per_second = 1, in_flight = 1 }\n[[clusters]]\ncontexts = \"acme-us",
    );
    let unlike = unlike.replace("PLAYBOOK", "deadline") + SLOW;
    let (mut tried, mut of_one_cluster, mut of_many) = (0, 0, 0);
    for text in playbooks.chain([EXAMPLE.to_owned(), unlike]) {
        // Sooner and sooner, to what no plan can be: pairs are tried too, and more than they.
        for deadline in [
            "fleet.deadline = 2027-02-10",
            "fleet.deadline = 2026-12-16",
            "fleet.deadline = 2026-12-02",
            "fleet.deadline = 2026-11-26",
            "fleet.deadline = 2026-11-24",
        ] {
            let plan = made(&load(&text, &[deadline]).fleet);
            for relaxation in &plan.relaxations {
                let changes = relaxation.change.iter().map(|it| what_if(it));
                let mut changes: Vec<String> = changes.collect();
                changes.push(deadline.to_owned());
                let changes: Vec<&str> = changes.iter().map(String::as_str).collect();
                let relaxed = made(&load(&text, &changes).fleet);
                let calendar = relaxed.calendar.expect("a calendar");
                let days = |slack: Option<i32>| slack.unwrap_or(i32::MIN);
                let slack = days(plan.calendar.as_ref().and_then(|it| it.slack_days));
                assert_eq!(
                    days(calendar.slack_days),
                    slack + relaxation.gain_days,
                    "{changes:?}"
                );
                assert_eq!(calendar.late.is_empty(), relaxation.in_time, "{changes:?}");
                tried += 1;
                of_one_cluster += usize::from(changes.iter().any(|it| it.starts_with("clusters.")));
                let (parts, deadline) = changes.split_at(changes.len() - 1);
                if parts.len() < 3 {
                    continue;
                }
                // None of many is needless.
                of_many += 1;
                for without in 0..parts.len() {
                    let mut fewer = parts.to_vec();
                    fewer.remove(without);
                    fewer.extend(deadline);
                    let late = made(&load(&text, &fewer).fleet)
                        .calendar
                        .expect("a calendar");
                    assert!(!late.late.is_empty(), "{fewer:?} suffices");
                }
            }
        }
    }
    let counts = (tried, of_one_cluster, of_many);
    assert!(
        tried > 40 && of_one_cluster > 0 && of_many > 0,
        "{counts:?} relaxations are a poor test"
    );
}
