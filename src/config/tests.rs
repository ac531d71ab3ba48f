//! fleet.toml as users write it, right and wrong.
#![cfg(test)]

use std::path::Path;

use jiff::civil::Date;
use proptest::prelude::*;

use super::*;
use crate::domain::fleet::settings::{CanaryRule, Cut};
use crate::domain::fleet::{DrivenBy, Limits, PlanSettings, WaveSize, WaveSizes};
use crate::toml_file::settings;

fn acme(path: Option<&Path>) -> Result<KubeContexts, String> {
    let names: &[&str] = match path.and_then(Path::to_str) {
        None => &[
            "acme-us-10",
            "acme-us-2",
            "acme-us-1",
            "acme-us-3",
            "acme-stage-us",
            "acme-eu-1",
            "kind-kind",
        ],
        Some("lab.kubeconfig") => &["kind-lab"],
        Some(other) => return Err(format!("{other}: no such file")),
    };
    Ok(KubeContexts {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        origin: "2 files of KUBECONFIG".to_owned(),
    })
}

pub(in crate::config) fn load_acme(text: &str) -> Result<Loaded, ConfigInvalid> {
    load(text, "fleet.toml", &acme)
}

/// Flaws as `line:column message`.
pub(in crate::config) fn flaws(text: &str) -> Vec<String> {
    let error = load_acme(text).expect_err("has flaws");
    assert!(!error.problems.is_empty());
    error
        .problems
        .iter()
        .map(|problem| format!("{}:{} {}", problem.line, problem.column, problem.kind))
        .collect()
}

/// The flaws of one section added to a fleet that is fine, lines from 1 on.
fn flaws_of(section: &str) -> Vec<String> {
    flaws(&format!(
        "{section}\n[[clusters]]\ncontexts = \"acme-*\"\n[fleet]\nname = \"acme\"\n"
    ))
}

fn flaws_of_fleet(keys: &str) -> Vec<String> {
    flaws(&format!(
        "[fleet]\n{keys}\nname = \"acme\"\n[[clusters]]\ncontexts = \"acme-*\"\n"
    ))
}

const MINIMAL: &str = "[fleet]\nname = \"acme\"\n\n[[clusters]]\ncontexts = \"acme-*\"\n";

#[test]
fn five_lines_are_a_fleet() {
    let Loaded {
        fleet, warnings, ..
    } = load_acme(MINIMAL).unwrap();
    assert_eq!(warnings, []);
    let names: Vec<&str> = fleet.clusters.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["eu-1", "stage-us", "us-1", "us-2", "us-3", "us-10"]);
    assert_eq!(fleet.deadline, Date::constant(2027, 2, 10));
    assert_eq!(fleet.timezone, "UTC");
    assert_eq!(fleet.managers.canonical, "helm");
    assert_eq!(fleet.writes_per_second, 20);
    let pace = Limits {
        writes_per_second: 4,
        in_flight: 4,
    };
    assert!(fleet.clusters.iter().all(|c| c.limits == pace));
    assert_eq!(fleet.state, Path::new(".refit/state.db"));
}

/// A reading with the built-in playbooks' stand-in: config may not name `playbook`.
fn load_with(text: &str, playbook: &str, what_if: &[&str]) -> Result<Loaded, ConfigInvalid> {
    let playbooks = |name: &str| {
        if name == "canary" {
            Ok(PlaybookText {
                name: name.to_owned(),
                file: "canary.toml".to_owned(),
                text: playbook.to_owned(),
            })
        } else {
            Err(format!("no playbook is named {name}; did you mean canary?"))
        }
    };
    let what_if: Vec<String> = what_if
        .iter()
        .map(|text| override_text(text).unwrap())
        .collect();
    load_over(text, "fleet.toml", &acme, &playbooks, &what_if)
}

const EXAMPLE: &str = include_str!("../../fleet.toml.example");

#[test]
fn the_example_has_every_key_and_no_flaw() {
    let Loaded {
        fleet, warnings, ..
    } = load_with(EXAMPLE, "", &[]).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(fleet.clusters.len(), 6);
    let lab = fleet.cluster(&"lab".into()).unwrap();
    assert_eq!(lab.context, "kind-lab");
    assert_eq!(lab.kubeconfig.as_deref(), Some(Path::new("lab.kubeconfig")));
    let us = fleet.cluster(&"us-1".into()).unwrap();
    assert_eq!(us.labels["env"], "prod");
    assert_eq!(us.labels["tenant"], "shop");
    assert_eq!(us.timezone.as_deref(), Some("America/New_York"));
    assert_eq!(us.windows, ["night", "sunday"]);
    let table: toml::Table = EXAMPLE.parse().unwrap();
    for shape in schema::ALL {
        for key in shape.now {
            let there = sections(&table, shape.section)
                .iter()
                .any(|one| one.get(*key).is_some());
            let one_of = shape.section == "waves" && settings::CUTS.contains(key);
            let is_text = EXAMPLE.contains(&format!("{key} = "));
            assert!(
                there || (one_of && is_text),
                "fleet.toml.example lacks {}.{key}",
                shape.section
            );
        }
    }
}

/// Every section of a file that a shape is of: `clusters.limits`, `windows.NAME`.
fn sections<'a>(table: &'a toml::Table, path: &str) -> Vec<&'a toml::Table> {
    let mut found = vec![table];
    for step in path.split('.').filter(|step| !step.is_empty()) {
        let inner = found.into_iter().flat_map(|one| -> Vec<&toml::Value> {
            match step {
                "NAME" => one.values().collect(),
                step => one.get(step).into_iter().collect(),
            }
        });
        found = inner
            .flat_map(|value| match value {
                toml::Value::Array(items) => items.iter().filter_map(|it| it.as_table()).collect(),
                other => other.as_table().into_iter().collect::<Vec<_>>(),
            })
            .collect();
    }
    found
}

#[test]
fn what_is_said_holds() {
    let text = r#"
[fleet]
name = "acme"
deadline = 2027-06-30
timezone = "America/New_York"
aliases = []
state = "/var/lib/refit.db"
[limits]
writes_per_second = 50
in_flight = 2
[waves]
sizes = [3, "100%"]
[undo]
dwell = "1m"
[audit]
expect = ["terraform"]
[[clusters]]
context = "kind-kind"
name = "home"
limits = { writes_per_second = 9 }
"#;
    let fleet = load_acme(text).unwrap().fleet;
    assert_eq!(fleet.deadline, Date::constant(2027, 6, 30));
    assert_eq!(fleet.managers.aliases, Vec::<String>::new());
    assert_eq!(fleet.writes_per_second, 50);
    let sizes = WaveSizes(vec![WaveSize::Count(3), WaveSize::Percent(100)]);
    assert_eq!(fleet.planning, PlanSettings::of_sizes(sizes));
    assert_eq!(fleet.undo_dwell_seconds, 60);
    assert_eq!(fleet.expect, [DrivenBy::Terraform].into());
    assert_eq!(
        fleet.clusters[0].limits,
        Limits {
            writes_per_second: 9,
            in_flight: 2
        }
    );
}

#[test]
fn all_flaws_come_at_once_with_their_places() {
    let text = r#"[fleet]
name = "acme"
playbook = "canry"

[[clusters]]
contexts = "acme-use-*"

[limits]
writes_per_sec = 20
in_flight = 0

[windows]
prod = { days = "Tue-Thr", from = "22:00", to = "2:00" }

[redact]
x = 1
"#;
    let error = load_with(text, "", &[]).unwrap_err();
    assert_eq!(error.to_string(), "7 errors in fleet.toml");
    assert_eq!(error.code(), "ConfigInvalid");
    assert_eq!(
        error.lines(),
        [
            "fleet.toml:3:1    playbook = \"canry\"       no playbook is named canry; did you mean canary?",
            "fleet.toml:6:12   contexts = \"acme-use-*\"  no context matches \"acme-use-*\"; 7 contexts in 2 files of KUBECONFIG; close: acme-us-1, acme-us-2, acme-us-3",
            "fleet.toml:9:1    writes_per_sec = 20      unknown key; did you mean writes_per_second?",
            "fleet.toml:10:13  in_flight = 0            0 is not within 1 and 10000",
            "fleet.toml:13:17  days = \"Tue-Thr\"         \"Tue-Thr\" are no days: write Mon-Fri, or Tue,Thu, or daily",
            "fleet.toml:13:49  to = \"2:00\"              \"2:00\" is no time of day; write it like 22:00",
            "fleet.toml:15:2   [redact]                 redact is not supported yet by this version of refit: remove it",
        ]
    );
}

#[test]
fn layers_override_each_other_key_by_key() {
    let playbook = r#"
summary = "not read here"
[waves]
canary = "coverage"
soak = { prod = "72h", nonprod = "24h" }
[[waves.stages]]
name = "prod"
select = "env=prod"
[budget]
undone = 3
spent = "undo-wave"
[limits]
in_flight = 8
"#;
    let text = format!(
        "[waves]\nsoak.prod = \"48h\"\n[budget]\nundone = 5\n{}",
        MINIMAL.replace("[fleet]", "[fleet]\nplaybook = \"canary\"")
    );
    let loaded = load_with(&text, playbook, &["soak.nonprod=1h"]).unwrap();
    let planning = &loaded.fleet.planning;
    assert_eq!(planning.playbook, "canary");
    assert!(matches!(planning.canary, CanaryRule::Coverage { .. }));
    let names: Vec<&str> = planning.stages.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(
        names,
        ["prod"],
        "stages take the place of the default sizes"
    );
    let soak: std::collections::BTreeMap<&str, u32> = planning
        .soak
        .iter()
        .map(|it| (it.name.as_str(), it.seconds / 3_600))
        .collect();
    assert_eq!(soak, [("nonprod", 1), ("prod", 48)].into());
    assert_eq!(planning.budget.undone, Some(5));
    assert_eq!(loaded.fleet.clusters[0].limits.in_flight, 8);
    let origin = |key: &str| {
        let found = loaded.values.iter().find(|it| it.key == key);
        let found = found.unwrap_or_else(|| panic!("{key} is missing"));
        (found.value.clone(), found.origin.clone())
    };
    for (key, value, from) in [
        ("fleet.deadline", "2027-02-10", "default"),
        ("waves.soak.prod", "\"48h\"", "fleet.toml:2"),
        ("waves.soak.nonprod", "\"1h\"", "--what-if"),
        ("budget.spent", "\"undo-wave\"", "canary.toml:11"),
        ("limits.in_flight", "8", "canary.toml:13"),
        ("waves.stages.0.name", "\"prod\"", "canary.toml:7"),
        ("clusters.0.contexts", "\"acme-*\"", "fleet.toml:10"),
    ] {
        assert_eq!(origin(key), (value.to_owned(), from.to_owned()), "{key}");
    }
    let keys: Vec<&str> = loaded.values.iter().map(|it| it.key.as_str()).collect();
    assert!(
        !keys.contains(&"waves.sizes") && !keys.contains(&"summary"),
        "{keys:?}"
    );
}

#[test]
fn sizes_of_the_file_take_the_place_of_a_playbooks_stages() {
    let playbook = "[[waves.stages]]\nname = \"prod\"\n";
    let text = format!(
        "[waves]\nsizes = [2]\n{}",
        MINIMAL.replace("[fleet]", "[fleet]\nplaybook = \"canary\"")
    );
    let planning = load_with(&text, playbook, &[]).unwrap().fleet.planning;
    assert_eq!(planning.stages.len(), 1);
    assert_eq!(
        planning.stages[0].cut,
        Cut::Sizes(WaveSizes(vec![WaveSize::Count(2)]))
    );
}

#[test]
fn flaws_of_overrides_and_playbooks_have_their_own_places() {
    let text = MINIMAL.replace("[fleet]", "[fleet]\nplaybook = \"canary\"");
    let error = load_with(&text, "[budget]\nundone = -1", &["limits.in_flight=0"]).unwrap_err();
    assert_eq!(
        error.lines(),
        [
            "canary.toml:2:10  undone = -1    -1 is not within 0 and 1000000",
            "--what-if:1:20    in_flight = 0  0 is not within 1 and 10000",
        ]
    );
}

#[test]
fn what_if_sets_what_one_cluster_has_of_its_own() {
    let text = format!(
        "{MINIMAL}[windows]\nnight = {{ days = \"daily\", from = \"22:00\", to = \"02:00\" }}\n"
    );
    let before = load_with(&text, "", &[]).unwrap().fleet;
    let name = before.clusters[0].name.as_str();
    let loaded = load_with(
        &text,
        "",
        &[
            &format!("clusters.{name}.limits.writes_per_second=9"),
            &format!("clusters.\"{name}\".windows=[\"night\"]"),
            &format!("clusters.{name}.timezone=Asia/Tokyo"),
            "limits.in_flight=7",
        ],
    );
    let after = loaded.unwrap().fleet;
    let own = &after.clusters[0];
    assert_eq!((own.limits.writes_per_second, own.limits.in_flight), (9, 7));
    assert_eq!(own.windows, ["night"]);
    assert_eq!(own.timezone.as_deref(), Some("Asia/Tokyo"));
    for (was, is) in before.clusters.iter().zip(&after.clusters).skip(1) {
        assert_eq!(was.limits.writes_per_second, is.limits.writes_per_second);
        assert_eq!((&was.windows, &was.timezone), (&is.windows, &is.timezone));
    }
    for (wrong, told) in [
        (
            "clusters.nowhere-at-all.limits.in_flight=3".to_owned(),
            "--what-if:1:10  nowhere-at-all  no cluster is named nowhere-at-all",
        ),
        (
            format!("clusters.{name}.limits.in_flight=0"),
            "0 is not within 1 and 10000",
        ),
        (
            format!("clusters.{name}.windows=[\"nigth\"]"),
            "no window is named nigth; did you mean night?",
        ),
        (format!("clusters.{name}.context=x"), "unknown key"),
        (format!("clusters.{name}=3"), "say which setting"),
        (format!("clusters.{name}.timezone=Mars"), "Mars"),
    ] {
        let lines = load_with(&text, "", &[&wrong]).unwrap_err().lines();
        assert!(
            lines.len() == 1 && lines[0].contains(told),
            "{wrong}: {lines:?}"
        );
    }
}

/// The same value again changes nothing, whichever key it is of.
#[test]
fn what_if_with_the_value_that_holds_changes_nothing() {
    let plain = load_with(EXAMPLE, "", &[]).unwrap();
    let mut tried = 0;
    for setting in &plain.values {
        let text = format!("{}={}", setting.key, setting.value);
        // Lists of tables have no key of their own.
        if setting.key.contains(".0") || setting.key.contains(".1") || setting.key.contains(".2") {
            continue;
        }
        let same = load_with(EXAMPLE, "", &[&text]).unwrap();
        assert_eq!(same.fleet, plain.fleet, "{text}");
        tried += 1;
    }
    assert!(tried > 60, "{tried}");
}

#[test]
fn an_unknown_key_gets_a_guess_or_its_home() {
    assert_eq!(
        flaws_of_fleet("time_zone = \"UTC\""),
        ["2:1 unknown key; did you mean timezone?"]
    );
    assert_eq!(
        flaws_of_fleet("dwell = \"30s\""),
        ["2:1 unknown key; it belongs under [undo]"]
    );
    assert_eq!(
        flaws_of_fleet("colour = \"red\""),
        [
            "2:1 unknown key; there are name, deadline, timezone, manager, aliases, state, playbook, mode"
        ]
    );
    assert_eq!(
        flaws_of("[wave]\nsizes = [1]"),
        ["1:2 unknown key; did you mean waves?"]
    );
}

#[test]
fn keys_of_later_work_are_refused_as_such() {
    for section in ["redact", "plugins"] {
        let found = flaws_of(&format!("[{section}]\nx = 1"));
        assert_eq!(
            found,
            [format!(
                "1:2 {section} is not supported yet by this version of refit: remove it"
            )]
        );
    }
}

#[test]
fn what_the_planner_is_told_is_checked() {
    for (section, message) in [
        (
            "[waves]\ndoubling = 2\nsizes = [1]",
            "2:1 either sizes or doubling, not both",
        ),
        ("[waves]\nshares = [3]", "2:10 a share is percent"),
        (
            "[waves]\ncanary = \"all\"",
            "2:10 no such word: all; there are none, coverage",
        ),
        (
            "[waves]\ncaps = { clusters_per_ = 1 }",
            "2:10 a cap is named releases_per_X",
        ),
        (
            "[waves]\ncaps = { pods_per_wave = 1 }",
            "2:10 a cap is named",
        ),
        (
            "[waves]\ncaps = { clusters_per_region = 0 }",
            "2:32 0 is not within",
        ),
        ("[waves]\nsoak = { stage = \"1h\" }", "2:10 soak of what?"),
        (
            "[waves]\nsoak = { prod = \"1 fortnight\" }",
            "2:17 \"1 fortnight\" is no duration",
        ),
        (
            "[waves]\napprove = [\"pilto\"]\n[[waves.stages]]\nname = \"pilot\"",
            "2:12 no wave is named pilto; did you mean pilot?",
        ),
        ("[waves]\nheld_dependency = \"go\"", "2:19 no such word: go"),
        (
            "[[waves.stages]]\nselect = \"env=prod\"",
            "1:1 a stage has a name",
        ),
        (
            "[[waves.stages]]\nname = \"rest\"",
            "2:8 rest is a name that refit gives",
        ),
        (
            "[[waves.stages]]\nname = \"a\"\nselect = \"env=(\"",
            "3:10 \"env=(\" is no part of a selector",
        ),
        ("[[peers]]\ngroup = \"release\"", "1:1 which are peers?"),
        (
            "[[peers]]\nsides = [\"cluster=eu-1\"]",
            "2:9 peers have two sides at least",
        ),
        (
            "[windows]\nw = { days = \"Mon\", to = \"17:00\" }",
            "2:7 a window of days has from and to: add from",
        ),
        (
            "[windows]\nw = { cron = \"* * * *\", for = \"1h\" }",
            "2:14 \"* * * *\" is no cron expression",
        ),
        (
            "[windows]\nw = { cron = \"0 1 * * *\", for = \"5s\" }",
            "2:33 a window is open for a minute",
        ),
        (
            "[windows]\nw = { cron = \"0 1 * * *\", for = \"1h\", days = \"Mon\" }",
            "2:39 either cron or days",
        ),
        ("[windows]\nw = {}", "2:1 when is it open?"),
        (
            "[freezes]\nf = { from = 2027-01-05, to = 2027-01-04 }",
            "2:31 it ends before it begins",
        ),
        (
            "[freezes]\nf = { from = 2027-01-05 }",
            "2:1 a freeze has a first and a last day",
        ),
        ("[gates]\ng = { within = \"5m\" }", "2:1 what does it ask?"),
        (
            "[gates]\ng = { check = \"helth\" }",
            "2:15 no such word: helth; did you mean health?",
        ),
        (
            "[gates]\ng = { check = \"health\", url = \"https://x\" }",
            "2:25 url does not go with check = \"health\"",
        ),
        (
            "[gates]\ng = { check = \"http\" }",
            "2:1 check = \"http\" needs url",
        ),
        (
            "[gates]\ng = { check = \"http\", url = \"https://kim:pw@x/\" }",
            "2:29 a URL here must not hold",
        ),
        ("[gates]\ng = \"on\"", "2:5 no such word: on"),
        ("[budget]\nconflict_rate = \"2\"", "2:17 \"2\" is no rate"),
        ("[budget]\nspent = \"undo\"", "2:9 no such word: undo; "),
        ("[risk]\nlow = 50\nhigh = 20", "2:7 low is 50, above high"),
        (
            "[risk.weights]\ntiers = { \"1\" = 500 }",
            "2:17 500 is not within 0 and 100",
        ),
        ("[cost]\nmillis_per_write = 0", "2:20 0 is not within"),
        (
            "[waves]\ntenant = \"x\"",
            "2:1 unknown key; it belongs under [[clusters]]",
        ),
        (
            "[waves]\nundone = 3",
            "2:1 unknown key; it belongs under [budget]",
        ),
    ] {
        let found = flaws_of(section);
        assert!(
            found.iter().any(|flaw| flaw.starts_with(message)),
            "{section}: {found:?}"
        );
        assert_eq!(found.len(), 1, "{section}: {found:?}");
    }
    let found = flaws(&format!(
        "{MINIMAL}windows = [\"ofice\"]\n[windows]\noffice = {{ days = \"Mon\", from = \"09:00\", to = \"17:00\" }}\n"
    ));
    assert_eq!(
        found,
        ["6:12 no window is named ofice; did you mean office?"]
    );
    let found = flaws(&format!("{MINIMAL}timezone = \"Mars\"\ntenant = \"\""));
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn values_that_cannot_be_are_refused() {
    for (keys, message) in [
        ("deadline = \"2027-02-10\"", "2:12 a date without quotes"),
        ("deadline = 2027-02-10T00:00:00Z", "2:12 a date without"),
        ("timezone = \"Europe/Berln\"", "2:12 no such time zone"),
        ("manager = \"\"", "2:11 the manager is empty"),
        ("manager = \"a\\tb\"", "2:11 the manager holds"),
        (
            "manager = \"helm-controller\"",
            "2:11 helm-controller is Flux",
        ),
        (
            "manager = 3",
            "2:11 a text in quotes is needed; this is an integer",
        ),
        (
            "aliases = [\"x\", \"helm\"]",
            "2:17 \"helm\" is the manager itself",
        ),
        (
            "aliases = [\"helm-controller\"]",
            "2:12 helm-controller is never an alias",
        ),
        ("aliases = [\"*\"]", "2:12 \"*\" takes in"),
        ("aliases = [\"x\", \"x\"]", "2:17 \"x\" stands here twice"),
        ("aliases = \"x\"", "2:11 an array in brackets is needed"),
        ("state = \"\"", "2:9 this must not be empty"),
    ] {
        let found = flaws_of_fleet(keys);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(message), "{keys}: {found:?}");
    }
    let long = format!("manager = \"{}\"", "m".repeat(129));
    assert!(flaws_of_fleet(&long)[0].contains("at most 128"));
    for (section, message) in [
        ("[waves]\nsizes = []", "2:9 at least one size"),
        ("[waves]\nsizes = [1, 0]", "2:13 a wave of 0"),
        ("[waves]\nsizes = [\"0%\"]", "2:10 0% is not within"),
        ("[waves]\nsizes = [\"101%\"]", "2:10 101% is not within"),
        ("[waves]\nsizes = [1.5]", "2:10 a size is a number"),
        ("[undo]\ndwell = \"0s\"", "2:9 \"0s\" is not within"),
        ("[undo]\ndwell = 30", "2:9 a text in quotes"),
        (
            "[audit]\nexpect = [\"flx\"]",
            "2:11 no driver is called \"flx\"; did you mean flux?",
        ),
        (
            "[audit]\nexpect = [\"flux\", \"flux\"]",
            "2:19 \"flux\" stands here twice",
        ),
        ("[audit]\nexpect = \"flux\"", "2:10 an array"),
        ("[limits]\nwrites_per_second = -4", "2:21 -4 is not within"),
        (
            "[limits]\nin_flight = \"4\"",
            "2:13 a whole number is needed",
        ),
        ("limits = 4", "1:10 a table is needed; this is an integer"),
    ] {
        let found = flaws_of(section);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(message), "{section}: {found:?}");
    }
}

/// It was taken for no playbook at all.
#[test]
fn a_playbook_that_is_no_name_is_refused() {
    assert_eq!(
        flaws_of_fleet("playbook = true"),
        ["2:12 a text in quotes is needed; this is a boolean"]
    );
}

#[test]
fn clusters_are_named_once_and_taken_once() {
    let fleet = "[fleet]\nname = \"acme\"\n";
    for (clusters, message) in [
        (
            "[[clusters]]\ncontexts = \"acme-*\"\n[[clusters]]\ncontexts = \"acme-us-*\"",
            "6:12 4 contexts are taken on line 4 already: acme-us-1, acme-us-2, acme-us-3, …",
        ),
        (
            "[[clusters]]\ncontexts = \"acme-eu-1\"\n[[clusters]]\ncontext = \"kind-kind\"\nname = \"eu-1\"",
            "6:11 two clusters are named eu-1: contexts acme-eu-1 (line 4) and kind-kind",
        ),
        (
            "[[clusters]]\ncontexts = \"acme-*\"\nname = \"x\"",
            "5:1 a glob may match many contexts",
        ),
        (
            "[[clusters]]\ncontext = \"kind-kind\"\ncontexts = \"acme-*\"",
            "5:1 either context or contexts",
        ),
        ("[[clusters]]\nlabels = {}", "3:1 which cluster?"),
        (
            "[[clusters]]\ncontext = \"kind-kind\"\nname = \"a/b\"",
            "5:8 the name \"a/b\" holds '/'",
        ),
        (
            "[[clusters]]\ncontext = \"kind-kind\"\nkubeconfig = \"nope\"",
            "5:1 no contexts: nope: no such file",
        ),
        (
            "[[clusters]]\ncontext = \"kind-kind\"\nlabels = { env = 1 }",
            "5:18 a text in quotes",
        ),
        (
            "[[clusters]]\ncontext = \"kind-kind\"\nlabels = { env = \"a b\" }",
            "5:18 \"a b\" is no label",
        ),
        (
            "[[clusters]]\ncontexts = \"acme-[\"",
            "4:12 \"acme-[\" is no glob",
        ),
        (
            "[clusters]\ncontexts = \"acme-*\"",
            "3:2 write [[clusters]]",
        ),
        ("", "1:1 no clusters"),
    ] {
        let found = flaws(&format!("{fleet}{clusters}"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(message), "{clusters}: {found:?}");
    }
}

#[test]
fn a_context_that_is_not_there_has_its_own_code() {
    let error =
        load_acme("[fleet]\nname = \"acme\"\n[[clusters]]\ncontext = \"acme-eu-2\"").unwrap_err();
    assert_eq!(error.code(), "ContextNotFound");
    let ProblemKind::ContextNotFound { close, .. } = &error.problems[0].kind else {
        panic!("{error:?}");
    };
    assert_eq!(close[0], "acme-eu-1");
}

#[test]
fn names_come_from_contexts() {
    let one = |context: &str| {
        let contexts = |_: Option<&Path>| {
            Ok(KubeContexts {
                names: vec![context.to_owned()],
                origin: "a test".to_owned(),
            })
        };
        from_contexts("acme", &["*".to_owned()], None, &contexts)
            .map(|fleet| fleet.clusters[0].name.to_string())
    };
    assert_eq!(one("acme-eu-1").unwrap(), "eu-1");
    assert_eq!(one("acme").unwrap(), "acme");
    assert_eq!(one("acme-").unwrap(), "acme-");
    assert_eq!(one("acmeeu-1").unwrap(), "acmeeu-1");
    assert_eq!(
        one("arn:aws:eks:eu-west-1:42:cluster/acme-eu-1").unwrap(),
        "eu-1"
    );
    assert!(one("über uns").is_err());
}

#[test]
fn looking_needs_no_fleet_toml() {
    let look = |patterns: &[&str]| {
        let patterns: Vec<String> = patterns.iter().map(|&p| p.to_owned()).collect();
        from_contexts("acme", &patterns, None, &acme)
    };
    let fleet = look(&["acme-us-*", "acme-us-1", "kind-kind"]).unwrap();
    let names: Vec<&str> = fleet.clusters.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["kind-kind", "us-1", "us-2", "us-3", "us-10"]);
    let error = look(&["acme-use-*"]).unwrap_err();
    assert_eq!(error.code(), "ContextNotFound");
    assert!(look(&[]).is_err());
    assert!(look(&["["]).is_err());
}

#[test]
fn another_manager_is_a_warning() {
    let text = MINIMAL.replace("[fleet]", "[fleet]\nmanager = \"acme-deployer\"");
    let loaded = load_acme(&text).unwrap();
    assert_eq!(loaded.fleet.managers.canonical, "acme-deployer");
    assert_eq!(loaded.warnings.len(), 1);
    assert_eq!(loaded.warnings[0].line, 2);
    assert!(loaded.warnings[0].text.contains("409"));
    let text = MINIMAL.replace("[fleet]", "[fleet]\naliases = [\"helm*\"]");
    assert!(load_acme(&text).unwrap().warnings[0].text.contains("Flux"));
    let text = MINIMAL.replace("[fleet]", "[fleet]\nmanager = \"Go-http-client\"");
    let aliases = load_acme(&text).unwrap().fleet.managers.aliases;
    assert_eq!(aliases, ["terraform-provider-helm*"]);
}

#[test]
fn broken_toml_shows_only_what_is_sure() {
    let found = flaws("[fleet\nname = \"acme\"\nnmae = 1\n[limits]\nin_fligt = 3\n");
    assert!(found[0].starts_with("1:"), "{found:?}");
    assert!(
        found.contains(&"5:1 unknown key; did you mean in_flight?".to_owned()),
        "{found:?}"
    );
    assert!(
        !found.iter().any(|f| f.contains("no clusters")),
        "{found:?}"
    );
}

#[test]
fn a_password_in_the_state_is_not_repeated() {
    let text = MINIMAL.replace(
        "[fleet]",
        "[fleet]\nstate = \"postgres://kim:s3cret@db/refit\"",
    );
    let error = load_acme(&text).unwrap_err();
    let shown = format!("{error} {:?} {error:?}", error.lines());
    assert!(shown.contains("not supported yet"), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[test]
fn a_file_too_large_is_refused() {
    let text = format!("{MINIMAL}#{}", "x".repeat(MAX_FLEET_BYTES));
    assert!(load_acme(&text).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Any text is a fleet or a list of flaws with places inside it; never a panic.
    #[test]
    fn any_text_is_answered(
        cut in 0_usize..6_000,
        len in 0_usize..40,
        noise in "[\\[\\]{}\"'=,.#a-c0-9%\n\r\\\\é\u{0}-]{0,12}",
    ) {
        let text = EXAMPLE;
        let mut bytes: Vec<char> = text.chars().collect();
        let cut = cut.min(bytes.len());
        let end = (cut + len).min(bytes.len());
        bytes.splice(cut..end, noise.chars());
        let text: String = bytes.into_iter().collect();
        if let Err(error) = load_acme(&text) {
            prop_assert!(!error.problems.is_empty());
            for problem in &error.problems {
                prop_assert!(problem.line >= 1 && problem.column >= 1);
                prop_assert!(problem.line <= text.matches('\n').count() + 1);
                prop_assert!(!problem.excerpt.contains('\n'));
            }
            prop_assert_eq!(
                error.lines().len(),
                error.problems.len() + usize::from(error.more > 0)
            );
        }
    }

    #[test]
    fn any_noise_is_answered(text in "\\PC{0,200}") {
        let _ = load_acme(&text);
    }
}

#[test]
fn declared_dependencies_keep_their_places() {
    let text = format!(
        "{MINIMAL}\n[[depends]]\nrelease = \"*/shop/*\"\non = \"*/ingress/ingress-nginx\"\n\n\
         [[depends]]\non = \"hub/auth/dex\"\nrelease = \"**/*/*\"\n[graph]\ncut_inferred = true\n"
    );
    let fleet = load_acme(&text).unwrap().fleet;
    let told: Vec<[&str; 4]> = fleet
        .depends
        .iter()
        .map(|it| {
            [
                &*it.release.glob,
                &it.release.place,
                &it.on.glob,
                &it.on.place,
            ]
        })
        .collect();
    assert_eq!(
        told,
        [
            [
                "*/shop/*",
                "fleet.toml:8:11",
                "*/ingress/ingress-nginx",
                "fleet.toml:9:6"
            ],
            [
                "**/*/*",
                "fleet.toml:13:11",
                "hub/auth/dex",
                "fleet.toml:12:6"
            ],
        ]
    );
    assert!(fleet.cut_inferred && !load_acme(MINIMAL).unwrap().fleet.cut_inferred);
}

#[test]
fn a_wrong_dependency_is_told_at_its_place() {
    for (section, wanted) in [
        (
            "[[depends]]\nrelease = \"a/b/c\"",
            "1:1 on is missing: add on = \"cluster/namespace/name\"",
        ),
        (
            "[[depends]]\nrelease = \"a/b\"\non = \"x/y/z\"",
            "2:11 \"a/b\" is no glob over releases: write cluster/namespace/name, like */shop/*",
        ),
        (
            "[[depends]]\nrelease = \"a/b/c\"\non = \"x/[y/z\"",
            "3:6 \"[y\" is no glob: unclosed character class; missing ']'",
        ),
        (
            "[[depends]]\nrelease = \"a/b/c\"\non = \"a/b/c\"",
            "3:6 a/b/c cannot wait for itself",
        ),
        (
            "[[depends]]\nreleases = \"a/b/c\"\non = \"a/b/d\"",
            "2:1 unknown key; did you mean release?",
        ),
        (
            "[depends]\nrelease = \"a/b/c\"",
            "1:2 write [[depends]], with two brackets",
        ),
        (
            "[graph]\ncut_inferred = 1",
            "2:16 true or false is needed; this is an integer",
        ),
    ] {
        let found = flaws_of(section);
        assert!(
            found.iter().any(|flaw| flaw == wanted),
            "{section}: {found:?}"
        );
    }
}
