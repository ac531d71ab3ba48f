//! The verb as a whole, on a saved forecast of fleet acme.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::causes;
use crate::config::{KubeContexts, load};
use crate::domain::policy::{Book, Case, ScaleTargets, decide};
use crate::domain::release::ChartRef;
use crate::domain::shadow::{
    Conflict, Forecast, ObjectForecast, ObjectOutcome, ReleaseOutcome, active_conflict,
};
use crate::domain::triage::Finding;
use crate::playbook::triage::built_in;
use crate::render::screen::triage::{SavedForecast, policies};

use crate::cli::tests::{Came, PIPES, refit};

const ACME: &str = include_str!("acme.shadow.json");

/// `refit triage --from acme.shadow.json …`
fn triage(rest: &str) -> Came {
    in_folder(rest).1
}

fn in_folder(rest: &str) -> (TempDir, Came) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("acme.shadow.json");
    fs::write(&file, ACME).unwrap();
    let rest = rest.replace("DIR", &folder.path().display().to_string());
    let came = refit(&format!("triage --from {} {rest}", file.display()), &PIPES);
    assert!(came.written.is_empty());
    (folder, came)
}

/// The screens are files: `REFIT_BLESS=1 cargo test -p refit --lib cli::triage` writes them.
fn golden(name: &str, shown: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/cli/triage/golden")
        .join(name);
    #[expect(clippy::disallowed_methods, reason = "a switch of this test only")]
    let bless = std::env::var("REFIT_BLESS").is_ok_and(|value| value == "1");
    if bless {
        fs::write(&file, shown).unwrap();
    }
    let stored = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(shown, stored, "golden/{name}");
}

#[test]
fn the_document() {
    let came = triage("");
    assert_eq!(came.exit, 0, "{}", came.stderr);
    golden("document.txt", &came.stdout);
    let (file, told) = came
        .stderr
        .strip_prefix("reading ")
        .and_then(|told| told.split_once(" ...\n"))
        .unwrap();
    // Whoever goes on goes on with the file.
    let told: Vec<String> = told
        .replace(file, "FILE")
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        told,
        [
            "5 more causes that hold nothing today: --notes.",
            "0 writes.",
            "warning: edge-1 not read: token expired",
            "Next: refit triage --from FILE --rules prints rules for fleet.toml, settles 4",
            "refit triage --from FILE --patches patches writes the patches to make elsewhere",
            "refit triage --from FILE scaler-owns-replicas one cause in full",
        ]
    );
}

#[test]
fn one_cause_in_full() {
    let came = triage("scaler-owns-replicas");
    golden("rule.txt", &came.stdout);
    golden("question.txt", &triage("image-set-by-hand").stdout);
    golden("patch.txt", &triage("driven-by-argocd").stdout);
    let none = triage("being-deleted");
    assert_eq!(none.exit, 0);
    assert!(
        none.stdout.starts_with("being-deleted   0 releases\n"),
        "{}",
        none.stdout
    );
    let unknown = triage("nope");
    assert_eq!(unknown.exit, 1);
    assert!(
        unknown.stderr.contains("no cause \"nope\""),
        "{}",
        unknown.stderr
    );
    assert!(
        unknown.stderr.contains("scaler-owns-replicas"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn a_cause_with_notes() {
    let came = triage("--notes");
    golden("notes.txt", &came.stdout);
}

/// What `--rules` prints is TOML with the keys that `[[policy]]` has, each with why, and none asks twice the same.
#[test]
fn rules_are_policies() {
    let came = triage("--rules");
    assert_eq!(came.exit, 0);
    golden("rules.toml", &came.stdout);
    assert!(
        came.stderr
            .contains("2 rules for 4 of 13 held releases. 0 writes."),
        "{}",
        came.stderr
    );
    let table: toml::Table = came.stdout.parse().unwrap();
    let policies = table["policy"].as_array().unwrap();
    let mut asked = BTreeSet::new();
    for policy in policies {
        let policy = policy.as_table().unwrap();
        let keys: BTreeSet<&str> = policy.keys().map(String::as_str).collect();
        let known = [
            "kind",
            "field",
            "owner",
            "namespace",
            "labels",
            "conflict",
            "drop",
            "why",
        ];
        assert!(keys.iter().all(|key| known.contains(key)), "{keys:?}");
        assert!(keys.contains("why") && keys.contains("conflict") != keys.contains("drop"));
        let question: Vec<String> = policy
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "why" | "conflict" | "drop"))
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        assert!(asked.insert(question));
    }
    let json = triage("--rules -o json");
    let list: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(list["kind"], "PolicyList");
    assert_eq!(list["items"].as_array().unwrap().len(), policies.len());
}

/// What a rule or an answer prints is taken by fleet.toml, and decides about the very finding it was printed for.
#[test]
fn policies_decide_what_they_are_printed_for() {
    let fixtures: serde_json::Value =
        serde_json::from_str(include_str!("../../playbook/triage/fixtures.json")).unwrap();
    let rules = built_in().unwrap();
    let mut decided = 0;
    for fixture in fixtures.as_array().unwrap() {
        let finding: Finding = serde_json::from_value(fixture["finding"].clone()).unwrap();
        if finding.kind != "active" {
            continue;
        }
        let (object, conflict) = (
            finding.object.unwrap(),
            Conflict {
                field: finding.field.unwrap(),
                owner: finding.owner.unwrap(),
                since: None,
                theirs: finding.theirs,
                ours: finding.ours,
            },
        );
        let forecast = ObjectForecast {
            object: object.clone(),
            outcome: ObjectOutcome::Conflict,
            active: vec![conflict.clone()],
            latent: vec![],
            drops: vec![],
            drift: vec![],
            values: std::collections::BTreeMap::new(),
        };
        let saved = SavedForecast {
            chart: ChartRef {
                name: "web".into(),
                version: "1.0.0".into(),
            },
            forecast: Forecast {
                release: "eu-1/shop/web".parse().unwrap(),
                outcome: ReleaseOutcome::NeedsChoice,
                reasons: vec![active_conflict(&object, &conflict)],
                notes: vec![],
                objects: vec![forecast.clone()],
            },
        };
        let found = causes(std::slice::from_ref(&saved), &rules).unwrap();
        let cause = &found.causes[0];
        assert_eq!(cause.name, fixture["cause"].as_str().unwrap());
        let answers = cause.question.iter().flat_map(|it| &it.options);
        let answers = answers.map(|it| &it.rules).filter(|it| !it.is_empty());
        for printed in answers.chain((!cause.rules.is_empty()).then_some(&cause.rules)) {
            let text = format!(
                "[fleet]\nname = \"acme\"\n[[clusters]]\ncontexts = \"acme-*\"\n{}",
                policies(printed)
            );
            let contexts = |_: Option<&Path>| {
                Ok(KubeContexts {
                    names: vec!["acme-eu-1".into()],
                    origin: "here".into(),
                })
            };
            let fleet = load(&text, "fleet.toml", &contexts).unwrap().fleet;
            let book = Book::new(&fleet.policies).unwrap();
            let case = Case {
                release: &saved.forecast.release,
                chart: &saved.chart,
                labels: &std::collections::BTreeMap::new(),
            };
            let decisions = decide(&book, &case, &forecast, None, &ScaleTargets::default());
            let actions: Vec<_> = decisions.iter().map(|it| Some(it.action)).collect();
            assert_eq!(actions, [printed[0].conflict], "{text}\n{conflict:?}");
            decided += 1;
        }
    }
    assert!(decided > 20, "{decided}");
}

#[test]
fn patches_are_written_where_they_belong() {
    let (folder, came) = in_folder("--patches DIR/p");
    assert!(
        came.stderr.contains("Wrote 3 patches to "),
        "{}",
        came.stderr
    );
    let read = |path: &str| fs::read_to_string(folder.path().join("p").join(path)).unwrap();
    let flux = read("flux/eu-4/media-encoder.yaml");
    assert!(flux.contains("serverSideApply: enabled\n"), "{flux}");
    let argocd = read("argocd/eu-1/storefront-ledger-desk.yaml");
    for line in [
        "      - ServerSideApply=true\n      - RespectIgnoreDifferences=true\n",
        "  ignoreDifferences:\n    - group: \"*\"\n      kind: \"*\"\n      managedFieldsManagers:\n        - \"kube-controller-manager\"\n",
    ] {
        assert!(argocd.contains(line), "{argocd}");
    }
    let terraform = read("terraform/us-3/infra-vault.tf");
    assert!(
        terraform.contains("from = helm_release.vault\n"),
        "{terraform}"
    );
    let (_, one) = in_folder("driven-by-flux --patches DIR/p");
    assert!(one.stderr.contains("Wrote 1 patch to "), "{}", one.stderr);
}

#[test]
fn json_has_everything() {
    let list: serde_json::Value = serde_json::from_str(&triage("-o json").stdout).unwrap();
    assert_eq!(list["kind"], "CauseList");
    assert_eq!(list["summary"]["held"], 13);
    let items = list["items"].as_array().unwrap();
    let held: usize = items
        .iter()
        .map(|it| it["releases"].as_array().unwrap().len())
        .sum();
    assert_eq!(held, 13);
    let scaler = items
        .iter()
        .find(|it| it["cause"] == "scaler-owns-replicas")
        .unwrap();
    assert_eq!(scaler["decides"], "rule");
    assert_eq!(scaler["rule"][0]["conflict"], "yield");
    assert_eq!(scaler["also"][0], "eu-1/shop/checkout");
    assert_eq!(scaler["evidence"][0]["theirs"], "7");
    let image = items
        .iter()
        .find(|it| it["cause"] == "image-set-by-hand")
        .unwrap();
    assert_eq!(image["question"]["options"][1]["valueChanges"], 1);
    assert_eq!(triage("-o name").stdout.lines().count(), items.len());
}

#[test]
fn scope_and_exit_codes() {
    let came = triage("--cluster us-* -o json --detailed-exitcode");
    assert_eq!(came.exit, 2);
    let list: serde_json::Value = serde_json::from_str(&came.stdout).unwrap();
    assert_eq!(list["summary"]["held"], 3);
    let nothing = triage("-n nowhere");
    assert!(
        nothing.stdout.starts_with("0 of 0 releases are held"),
        "{}",
        nothing.stdout
    );
    // Of a saved inventory only its releases are forecast; of another document nothing.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p.json");
    fs::write(&file, r#"{"apiVersion":"refit.dev/v1","kind":"Plan"}"#).unwrap();
    let wrong = refit(&format!("triage --from {}", file.display()), &PIPES);
    assert_eq!(wrong.exit, 1);
    assert!(wrong.stderr.contains("WrongKind"), "{}", wrong.stderr);
    let live = refit("triage", &PIPES);
    assert_eq!(live.exit, 0);
    assert!(live.stdout.contains("pending-lock"), "{}", live.stdout);
}

#[test]
fn rules_of_a_user_come_first_and_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("team.toml");
    let rule = "[[cause]]\nname = \"ask-scaling\"\nabout = \"Ours.\"\ndecides = \"operator\"\n\
                fix = \"ask team scaling\"\n[[cause.when]]\nfield = \".spec.replicas\"\n";
    fs::write(&rules, rule).unwrap();
    let came = triage(&format!("--rules-from {}", rules.display()));
    assert!(came.stdout.contains("\nask-scaling "), "{}", came.stdout);
    assert!(!came.stdout.contains("scaler-owns-replicas"));
    fs::write(&rules, rule.replace("decides", "decide")).unwrap();
    let came = triage(&format!("--rules-from {}", rules.display()));
    assert_eq!(came.exit, 1);
    assert!(came.stderr.contains("team.toml:4:1"), "{}", came.stderr);
    assert!(came.stderr.contains("FileInvalid"), "{}", came.stderr);
}
