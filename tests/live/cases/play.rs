//! Plays all cases of a control plane together: install, drift, plan, run, undo, run again, Helm 4.
//!
//! Findings are collected, case by case, so that one failure does not hide the others.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;

use serde_json::Value;
use testbed::demo::{Refit, Stage, changes, is_record};
use testbed::snapshot::diff;
use testbed::{ControlPlane, Options, Snapshot};

use super::case::{Case, Same, Verdict};
use super::site::{Site, kubectl};

/// Helms at once: more do not help on two cores.
const AT_ONCE: usize = 4;

/// Fields of a difference shown in a finding.
const SHOWN: usize = 4;

/// What went otherwise than the table says.
#[derive(Default)]
struct Findings(Mutex<Vec<String>>);

impl Findings {
    fn add(&self, case: &str, what: &str) {
        let line = format!("{case}: {what}");
        eprintln!("{line}");
        self.0.lock().unwrap().push(line);
    }

    fn check(&self, holds: bool, case: &str, what: impl FnOnce() -> String) {
        if !holds {
            self.add(case, &what());
        }
    }
}

struct Play<'a> {
    stage: Stage,
    cases: &'a [Case],
    findings: Findings,
}

/// Plays them; panics with every finding.
pub fn play(cases: &[Case], settings: &str) {
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    let planes = vec![ControlPlane::start(Options::new("demo-1")).unwrap()];
    let refit = Refit::beside(refit, &planes).unwrap();
    let toml = refit.folder().join("fleet.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    std::fs::write(&toml, format!("{text}\n{settings}")).unwrap();
    let stage = Stage {
        planes,
        releases: Vec::new(),
        refit,
    };
    let play = Play {
        stage,
        cases,
        findings: Findings::default(),
    };
    play.crds();
    play.each(cases, |case, site| {
        if let Some(prepare) = case.prepare {
            prepare(site);
        }
        match case.install {
            Some(install) => install(site),
            None => site.install(&[]),
        }
        if let Some(drift) = case.drift {
            drift(site);
        }
    });
    let before = play.snapshot();
    let plan = play.plan();
    play.verdicts(&plan, cases);
    play.looked(&plan);
    let run = play.run(cases);
    let after = play.snapshot();
    play.only_ownership(&before, &after);
    play.audited();
    play.each(cases, |case, site| {
        if let Some(between) = case.between {
            (between.deed)(site);
        }
    });
    play.undo(&run, &before);
    play.plan();
    let rest: Vec<Case> = cases
        .iter()
        .filter(|case| case.between.is_none())
        .copied()
        .collect();
    play.run(&rest);
    play.helm_4_goes_on(&rest);
    let findings = play.findings.0.into_inner().unwrap();
    assert!(
        findings.is_empty(),
        "{} findings:\n{}",
        findings.len(),
        findings.join("\n")
    );
}

impl Play<'_> {
    fn plane(&self) -> &ControlPlane {
        &self.stage.planes[0]
    }

    fn site(&self, case: &Case) -> Site<'_> {
        Site::at(self.plane(), self.stage.refit.folder(), case.name)
    }

    /// Does something for each of these cases, a handful at once; a panic is a finding.
    fn each(&self, cases: &[Case], deed: impl Fn(&Case, &Site<'_>) + Sync) {
        let queue = Mutex::new(cases.iter().collect::<Vec<_>>());
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    loop {
                        let Some(case) = queue.lock().unwrap().pop() else {
                            break;
                        };
                        let site = self.site(case);
                        let done = catch_unwind(AssertUnwindSafe(|| deed(case, &site)));
                        if let Err(panic) = done {
                            let said = panic
                                .downcast_ref::<String>()
                                .map(String::as_str)
                                .or_else(|| panic.downcast_ref::<&str>().copied());
                            self.findings.add(case.name, said.unwrap_or("panic"));
                        }
                    }
                });
            }
        });
    }

    fn crds(&self) {
        let texts: Vec<&str> = self
            .cases
            .iter()
            .map(|case| case.crds)
            .filter(|text| !text.is_empty())
            .collect();
        for case in self.cases {
            Site::new(
                self.plane(),
                self.stage.refit.folder(),
                case.name,
                case.template,
            );
        }
        if texts.is_empty() {
            return;
        }
        kubectl(self.plane(), &["create", "-f", "-"], &texts.join("\n---\n"));
        let wait = ["wait", "--for=condition=established", "crd", "--all"];
        kubectl(self.plane(), &wait, "");
    }

    fn snapshot(&self) -> Snapshot {
        self.plane().settled_snapshot().unwrap().at_rest()
    }

    fn plan(&self) -> Value {
        let args = ["plan", "--save", "p.json", "-o", "json"];
        let refit = &self.stage.refit;
        let marks = self.stage.marks().unwrap();
        refit.json(&args).unwrap();
        let asked = self.stage.requests(&marks).unwrap();
        assert_eq!(asked[0].writes().len(), 0, "plan writes");
        refit.json(&["show", "p.json", "-o", "json"]).unwrap().value
    }

    /// What the plan says of each case.
    fn verdicts(&self, plan: &Value, cases: &[Case]) {
        for case in cases {
            let held = causes(&find(&plan["held"], case.name)["reasons"]);
            let planned = plan["waves"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|wave| find(&wave["releases"], case.name))
                .find(|release| !release.is_null())
                .unwrap_or_default();
            let notes = causes(&planned["notes"]);
            let said = || {
                let held = find(&plan["held"], case.name);
                if held.is_null() {
                    format!("planned with {}", planned["notes"])
                } else {
                    format!("held: {}", held["reasons"])
                }
            };
            match case.verdict {
                Verdict::Migrates | Verdict::HandedBack(_) => {
                    self.findings.check(!planned.is_null(), case.name, || {
                        format!("is not planned; {}", said())
                    });
                }
                Verdict::Held(causes) => {
                    let same = held == causes;
                    self.findings.check(same, case.name, || {
                        format!("should be held for {causes:?}; {}", said())
                    });
                }
                Verdict::Nothing => {
                    let nothing = planned.is_null() && held.is_empty();
                    self.findings.check(nothing, case.name, || {
                        format!("there should be no release; {}", said())
                    });
                }
            }
            for note in case.notes {
                self.findings
                    .check(notes.iter().any(|it| it == note), case.name, || {
                        format!("the note {note} is missing; {}", said())
                    });
            }
            for note in case.silent {
                self.findings
                    .check(!notes.iter().any(|it| it == note), case.name, || {
                        format!("the note {note} should not be there; {}", said())
                    });
            }
        }
    }

    /// `inventory` knows every release and `shadow` says of each what the plan says; neither writes.
    fn looked(&self, plan: &Value) {
        let marks = self.stage.marks().unwrap();
        let inventory = self.stage.refit.json(&["inventory", "-o", "json"]).unwrap();
        let shadow = self.stage.refit.json(&["shadow", "-o", "json"]).unwrap();
        let asked = self.stage.requests(&marks).unwrap();
        assert_eq!(asked[0].writes().len(), 0, "looking writes");
        for case in self.cases {
            let listed = inventory.value["items"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|item| item["name"] == case.name);
            let there = !matches!(case.verdict, Verdict::Nothing);
            self.findings.check(listed == there, case.name, || {
                format!("in the inventory: {listed}")
            });
            let held = causes(&find(&plan["held"], case.name)["reasons"]);
            let told = causes(&find(&shadow.value["items"], case.name)["reasons"]);
            self.findings.check(held == told, case.name, || {
                format!("the plan says {held:?}, shadow {told:?}")
            });
        }
    }

    /// Runs the plan: what is planned is Done, nothing else is written.
    fn run(&self, cases: &[Case]) -> Value {
        let marks = self.stage.marks().unwrap();
        let run = self
            .stage
            .refit
            .json(&["run", "p.json", "--yes", "-o", "json"])
            .unwrap()
            .value;
        let asked = self.stage.requests(&marks).unwrap().remove(0);
        for case in cases {
            let item = find(&run["items"], case.name);
            if matches!(case.verdict, Verdict::Migrates) {
                self.findings.check(item["state"] == "Done", case.name, || {
                    format!("the run ended with {item}")
                });
            } else {
                let writes = asked
                    .filter(|entry| case.owns(&entry.uri))
                    .writes()
                    .entries
                    .len();
                let as_told = match case.verdict {
                    Verdict::HandedBack(words) => {
                        item["state"] != "Done" && item.to_string().contains(words)
                    }
                    _ => item.is_null(),
                };
                self.findings.check(writes == 0 && as_told, case.name, || {
                    format!("not to be migrated, but {writes} writes; {item}")
                });
            }
        }
        run
    }

    /// The case that an object belongs to.
    fn case_of(&self, key: &str) -> &str {
        self.cases
            .iter()
            .find(|case| case.owns(key))
            .map_or("cluster", |case| case.name)
    }

    /// The run changed ownership and Helm's records, and only of what it migrated.
    fn only_ownership(&self, before: &Snapshot, after: &Snapshot) {
        let changes = changes(before, after);
        let all = [&changes.content, &changes.generation, &changes.gone_or_new];
        for key in all.into_iter().flatten() {
            self.findings
                .add(self.case_of(key), &format!("the run changed {key}"));
        }
        for case in self.cases {
            if matches!(case.verdict, Verdict::Migrates) {
                continue;
            }
            let left = before.filter(|key| case.owns(key));
            let right = after.filter(|key| case.owns(key));
            self.equal(case.name, "held and touched", &left, &right, true);
        }
    }

    fn equal(&self, case: &str, what: &str, left: &Snapshot, right: &Snapshot, ignore_rv: bool) {
        let found = diff(left, right, ignore_rv);
        if found.is_empty() {
            return;
        }
        let shown: Vec<String> = found.iter().take(SHOWN).map(ToString::to_string).collect();
        self.findings.add(
            case,
            &format!("{what}, {} differences: {}", found.len(), shown.join("; ")),
        );
    }

    /// Nothing migrated slid back, and one manager owns it.
    fn audited(&self) {
        let args = ["audit", "--gate", "one-manager", "-o", "json"];
        let audit = self.stage.refit.call(&args).unwrap().value;
        for case in self.cases {
            if !matches!(case.verdict, Verdict::Migrates) {
                continue;
            }
            let slid = find(&audit["slidBack"], case.name);
            let outlier = find(&audit["gates"][0]["releases"], case.name);
            self.findings
                .check(slid.is_null() && outlier.is_null(), case.name, || {
                    format!("the audit says {slid} {outlier}")
                });
        }
    }

    /// Undo: every object and record as before, byte for byte.
    fn undo(&self, run: &Value, before: &Snapshot) {
        let id = run["metadata"]["run"].as_str().unwrap();
        let undone = self
            .stage
            .refit
            .json(&["undo", id, "--yes", "-o", "json"])
            .unwrap()
            .value;
        let back = self.snapshot();
        let ends_early = |name: &str| {
            let mut cases = self.cases.iter();
            cases.any(|case| case.name == name && case.between.is_some())
        };
        self.each(self.cases, |case, site| {
            if let Some(between) = case.between {
                let item = find(&undone["items"], case.name);
                self.findings
                    .check(item["state"] == between.end, case.name, || {
                        format!("its undo should end {}: {item}", between.end)
                    });
                (between.then)(site);
            }
        });
        self.each(self.cases, |case, site| {
            let item = find(&undone["items"], case.name);
            let told = item["unrestored"].to_string();
            let all = case.unrestored.iter().all(|words| told.contains(words));
            let same = all && item["unrestored"].is_null() == case.unrestored.is_empty();
            self.findings.check(same, case.name, || {
                format!(
                    "what is not put back should be {:?}: {item}",
                    case.unrestored
                )
            });
            if let Some(undone) = case.undone {
                undone(site);
            }
        });
        let loses_owners = |name: &str| {
            let mut cases = self.cases.iter();
            cases.any(|case| case.name == name && !case.unrestored.is_empty())
        };
        let mut by_case: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for difference in diff(before, &back, true) {
            let case = self.case_of(&difference.object);
            let owners = difference.pointer.starts_with("/metadata/managedFields");
            let is_told = owners && loses_owners(case) && !is_record(&difference.object);
            if ends_early(case) || is_told {
                continue;
            }
            by_case
                .entry(case)
                .or_default()
                .push(difference.to_string());
        }
        for (case, mut found) in by_case {
            let item = find(&undone["items"], case);
            found.truncate(SHOWN);
            let what = format!("undo is not exact: {}; {item}", found.join("; "));
            self.findings.add(case, &what);
        }
    }

    /// Helm 4 with the same chart, then with a changed value, then what else a case wants.
    fn helm_4_goes_on(&self, cases: &[Case]) {
        let migrated: Vec<Case> = cases
            .iter()
            .filter(|case| matches!(case.verdict, Verdict::Migrates))
            .copied()
            .collect();
        let before = self.plane().settled_snapshot().unwrap();
        self.each(&migrated, |case, site| {
            let done = site.upgrade4(&[]);
            let ok = match case.same {
                Same::NoOp | Same::Writes(_) => done.success,
                Same::Refused(words) => !done.success && done.stderr.contains(words),
            };
            self.findings.check(ok, case.name, || {
                format!("Helm 4 with the same chart: {}", done.stderr)
            });
        });
        let after = self.plane().settled_snapshot().unwrap();
        for case in &migrated {
            let objects = |of: &Snapshot| of.filter(|key| case.owns(key) && !is_record(key));
            let (left, right) = (objects(&before), objects(&after));
            // Controllers write status when they like; whoever else writes leaves a trace in owners or content.
            let moved = !diff(&left, &right, false).is_empty()
                && !diff(&left.at_rest(), &right.at_rest(), true).is_empty();
            match case.same {
                Same::NoOp if moved => {
                    let (left, right) = (left.at_rest(), right.at_rest());
                    let what = "Helm 4 with the same chart is no no-op";
                    self.equal(case.name, what, &left, &right, true);
                }
                Same::Writes(why) if !moved && diff(&left, &right, false).is_empty() => {
                    self.findings.add(
                        case.name,
                        &format!("Helm 4 should have written something: {why}"),
                    );
                }
                _ => {}
            }
        }
        self.each(&migrated, |case, site| {
            if case.has_value() && !matches!(case.same, Same::Refused(_)) {
                let done = site.upgrade4(&["--set", "value=b"]);
                let ok = match case.changed {
                    None => done.success,
                    Some(words) => !done.success && done.stderr.contains(words),
                };
                self.findings.check(ok, case.name, || {
                    format!("Helm 4 with another value: {}", done.stderr)
                });
            }
            if let Some(afterwards) = case.afterwards {
                afterwards(site);
            }
        });
    }
}

/// The item about a case's release.
fn find(list: &Value, case: &str) -> Value {
    let id = format!("demo-1/{case}/{case}");
    list.as_array()
        .into_iter()
        .flatten()
        .find(|item| item["release"] == id.as_str())
        .cloned()
        .unwrap_or_default()
}

fn causes(reasons: &Value) -> Vec<String> {
    let mut causes: Vec<String> = reasons
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|reason| reason["cause"].as_str())
        .map(str::to_owned)
        .collect();
    causes.dedup();
    causes
}
