//! The command line as a whole, on a backend that is given its answers.

use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use clap::{CommandFactory, Parser};
use jiff::SignedDuration;

use super::backend::{
    Backend, Configured, Events, GraphRead, LookAt, RunPreview, SavedFleet, Shadow, Share,
    UndoPreview, UndoScope, UnlockPreview, Unlocked,
};
use super::console::{Console, Terminals};
use super::context::Invocation;
use super::env::Env;
use super::error::{CliError, ErrorCode};
use super::object_name::ObjectName;
use super::{Cli, call};
use crate::config::Setting;
use crate::domain::audit::Capture;
use crate::domain::fleet::{
    DrivenBy, Fleet, FleetCluster, Limits, Managers, PlanSettings, ReleaseGlob, WaveSizes,
};
use crate::domain::ids::{ReleaseId, Revision, RunId};
use crate::domain::plan::Plan;
use crate::domain::release::{Inventory, InventoryCluster};
use crate::domain::report::{RunReport, RunState, UndoReport};
use crate::domain::run::{Outcome, Side};
use crate::domain::shadow::Confirmed;
use crate::engine::capture::FleetCapture;
use crate::engine::next::{Foretold, Rendered};
use crate::playbook::{Library, OwnFile};
use crate::render::Next;
use crate::render::screen::run::Work;
use crate::render::screen::{plan, run, undo};

/// Answers, and what was asked to be written.
struct Fake {
    prod: bool,
    written: Mutex<Vec<&'static str>>,
}

impl Fake {
    fn wrote(&self, what: &'static str) {
        self.written
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(what);
    }

    fn prod(&self) -> Vec<crate::domain::ids::ClusterName> {
        if self.prod {
            vec!["eu-1".into()]
        } else {
            vec![]
        }
    }

    fn undo_report(end: Option<Outcome>) -> UndoReport {
        undo::tests::report(end)
    }
}

#[async_trait]
impl Backend for Fake {
    fn fleet(&self, invocation: &Invocation) -> Result<Fleet, CliError> {
        let limits = Limits {
            writes_per_second: 4,
            in_flight: 4,
        };
        let scope = invocation.scope();
        let clusters = ["eu-1", "eu-2"].map(|name| FleetCluster {
            name: name.into(),
            context: format!("acme-{name}"),
            kubeconfig: None,
            labels: [("env".to_owned(), "prod".to_owned())].into(),
            limits,
            timezone: None,
            windows: Vec::new(),
        });
        Ok(Fleet {
            name: "acme".into(),
            deadline: "2027-02-10".parse().unwrap(),
            timezone: "Europe/Berlin".into(),
            managers: Managers {
                canonical: "helm".into(),
                aliases: vec![],
            },
            state: ".refit/state.db".into(),
            clusters: clusters
                .into_iter()
                .filter(|cluster| scope.has_cluster(cluster))
                .collect(),
            writes_per_second: 20,
            planning: PlanSettings::of_sizes(WaveSizes(vec![])),
            undo_dwell_seconds: 60,
            expect: [DrivenBy::Flux].into(),
            start_within_seconds: 3600,
            seal_key_file: None,
            depends: vec![],
            cut_inferred: false,
            policies: vec![],
        })
    }

    fn configured(&self, invocation: &Invocation) -> Result<Configured, CliError> {
        Ok(Configured {
            file: Some("fleet.toml".into()),
            fleet: self.fleet(invocation)?,
            values: vec![Setting {
                key: "limits.writes_per_second".into(),
                value: "20".into(),
                origin: "fleet.toml:9".into(),
            }],
        })
    }

    fn playbooks(&self, _: &Invocation) -> Result<Library, CliError> {
        Ok(Library::with(vec![OwnFile {
            name: "mine".into(),
            file: "playbooks/mine.toml".into(),
            text: "sumary = 3".into(),
        }]))
    }

    async fn inventory(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
    ) -> Result<Inventory, CliError> {
        Ok(Inventory {
            fleet: fleet.name.clone(),
            taken_at: invocation.now(),
            clusters: fleet
                .clusters
                .iter()
                .map(|cluster| InventoryCluster {
                    name: cluster.name.clone(),
                    version: None,
                    unreachable: Some("token expired".into()),
                })
                .collect(),
            releases: vec![],
        })
    }

    async fn shadow(
        &self,
        _: &Invocation,
        fleet: &Fleet,
        _: LookAt,
        only: Option<Vec<ReleaseId>>,
    ) -> Result<Shadow, CliError> {
        let mut shadow = crate::render::screen::shadow::tests::acme();
        let known = |id: &ReleaseId| fleet.clusters.iter().any(|it| it.name == id.cluster);
        shadow.retain(|it| known(&it.forecast.release));
        if let Some(only) = only {
            shadow.retain(|it| only.contains(&it.forecast.release));
        }
        Ok(Shadow {
            releases: shadow,
            ..Shadow::default()
        })
    }

    async fn graph(
        &self,
        _: &Invocation,
        _: &Fleet,
        _: LookAt,
        _: bool,
    ) -> Result<GraphRead, CliError> {
        Ok(GraphRead {
            graph: crate::render::screen::graph::tests::acme(),
            ..GraphRead::default()
        })
    }

    async fn capture(&self, _: &Invocation, _: &Fleet) -> Result<FleetCapture, CliError> {
        Ok(super::tests_capture::capture())
    }

    fn fleet_of(&self, invocation: &Invocation, saved: &SavedFleet) -> Result<Fleet, CliError> {
        super::desk::saved_fleet(invocation, saved, &[])
    }

    async fn next_upgrades(
        &self,
        _: &Invocation,
        fleet: &Fleet,
        _: LookAt,
        _: &Rendered,
        glob: &ReleaseGlob,
    ) -> Result<Foretold, CliError> {
        Ok(super::tests_next::foretold(fleet, glob))
    }

    async fn confirm(
        &self,
        _: &Invocation,
        _: &Fleet,
        shadow: &Shadow,
        share: Share,
    ) -> Result<Confirmed, CliError> {
        let releases = shadow.releases.len() as u64;
        Ok(match share {
            Share::All => Confirmed {
                releases,
                ..crate::render::screen::shadow::tests::disagreeing()
            },
            Share::Some(some) => Confirmed {
                releases: releases.min(u64::from(some.get())),
                objects: 3,
                ..Confirmed::default()
            },
        })
    }

    async fn plan(&self, _: &Invocation, _: &Fleet, _: LookAt) -> Result<Plan, CliError> {
        Ok(plan::tests::acme())
    }

    async fn plan_what_if(
        &self,
        _: &Invocation,
        _: &Fleet,
        _: LookAt,
        overrides: &[String],
    ) -> Result<(Plan, Plan), CliError> {
        let mut what_if = plan::tests::acme();
        if overrides != ["limits.writes_per_second = 20"] {
            what_if.metadata.writes_per_second = 40;
        }
        Ok((plan::tests::acme(), what_if))
    }

    async fn prepare_run(
        &self,
        _: &Invocation,
        plan: Plan,
        _: &str,
    ) -> Result<RunPreview, CliError> {
        Ok(RunPreview {
            run: "run-7k3f".into(),
            plan,
            work: Work {
                releases: 3,
                clusters: 3,
                waves: 2,
                objects: 32,
                record_writes: 9,
            },
            moved: 0,
            prod: self.prod(),
            resumed: None,
        })
    }

    async fn prepare_resume(
        &self,
        i: &Invocation,
        _: Option<&RunId>,
        _: bool,
    ) -> Result<RunPreview, CliError> {
        self.prepare_run(i, plan::tests::acme(), "").await
    }

    async fn run(
        &self,
        _: &Invocation,
        _: &RunPreview,
        _: Option<SignedDuration>,
        events: Events,
    ) -> Result<RunReport, CliError> {
        self.wrote("run");
        for event in crate::render::event::tests::all() {
            events
                .send(event)
                .await
                .map_err(|_| CliError::internal("nobody listens"))?;
        }
        Ok(run::tests::report(RunState::BudgetSpent))
    }

    async fn runs(&self, _: &Invocation, _: Option<&RunId>) -> Result<Vec<RunReport>, CliError> {
        Ok(vec![run::tests::report(RunState::Waiting)])
    }

    async fn prepare_undo(
        &self,
        _: &Invocation,
        _: &Fleet,
        _: &UndoScope,
    ) -> Result<UndoPreview, CliError> {
        Ok(UndoPreview {
            report: Self::undo_report(None),
            prod: self.prod(),
            writes_per_second: 4,
        })
    }

    async fn undo(
        &self,
        _: &Invocation,
        _: &UndoPreview,
        _: Events,
    ) -> Result<UndoReport, CliError> {
        self.wrote("undo");
        Ok(Self::undo_report(Some(Outcome::Undone {
            why: String::new(),
        })))
    }

    async fn prepare_unlock(
        &self,
        _: &Invocation,
        _: &Fleet,
        release: &ReleaseId,
    ) -> Result<UnlockPreview, CliError> {
        Ok(UnlockPreview {
            release: release.clone(),
            lock: Revision(10),
            token: "store/run-7k3f/1".into(),
            run: "run-7k3f".into(),
            since: "2026-12-02T10:00:00Z".parse().unwrap(),
            known: false,
            moved: 0,
            objects: 9,
            side: Side::Before,
            prod: self.prod(),
        })
    }

    async fn unlock(
        &self,
        _: &Invocation,
        _: &Fleet,
        preview: &UnlockPreview,
    ) -> Result<Unlocked, CliError> {
        self.wrote("unlock");
        Ok(Unlocked {
            lock: preview.lock,
            deployed: Some(Revision(9)),
            side: preview.side,
        })
    }

    async fn prepare_settle(
        &self,
        i: &Invocation,
        fleet: &Fleet,
        _: Option<&ReleaseId>,
    ) -> Result<UndoPreview, CliError> {
        let scope = UndoScope {
            run: "run-7k3f".into(),
            releases: vec![],
            wave: None,
            since: None,
        };
        self.prepare_undo(i, fleet, &scope).await
    }

    async fn settle(
        &self,
        _: &Invocation,
        _: &Fleet,
        _: &UndoPreview,
        _: Events,
    ) -> Result<UndoReport, CliError> {
        self.wrote("settle");
        Ok(Self::undo_report(Some(Outcome::Done)))
    }

    async fn object(
        &self,
        _: &Invocation,
        _: &Fleet,
        name: &ObjectName,
    ) -> Result<serde_json::Value, CliError> {
        let mut object: serde_json::Value = serde_json::from_str(CONFIG_MAP).unwrap();
        object["metadata"]["name"] = name.name.clone().into();
        Ok(object)
    }

    async fn audit(
        &self,
        _: &Invocation,
        fleet: &Fleet,
        only: Option<&ReleaseId>,
    ) -> Result<Capture, CliError> {
        let mut capture = crate::domain::audit::testing::acme();
        capture
            .clusters
            .retain(|name, _| fleet.cluster(name).is_some());
        capture.releases.retain(|it| {
            fleet.cluster(&it.release.cluster).is_some()
                && only.is_none_or(|only| *only == it.release)
        });
        Ok(capture)
    }
}

/// As kubectl prints it.
const CONFIG_MAP: &str = r#"{
    "apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1", "b": "2"},
    "metadata": {"name": "settings", "namespace": "shop", "managedFields": [
        {"manager": "helm", "operation": "Update", "apiVersion": "v1", "time": "2026-08-19T10:00:00Z",
         "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {".": {}, "f:a": {}, "f:b": {}}}},
        {"manager": "kubectl-edit", "operation": "Update", "apiVersion": "v1", "time": "2026-11-11T10:00:00Z",
         "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:b": {}}}}
    ]}
}"#;

/// A writer that a test can look into.
#[derive(Clone, Default)]
struct Pipe(Arc<Mutex<Vec<u8>>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Pipe {
    fn text(&self) -> String {
        String::from_utf8(
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        )
        .unwrap()
    }
}

/// What a call came to.
pub(crate) struct Came {
    pub(crate) exit: u8,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) written: Vec<&'static str>,
}

pub(crate) struct Given {
    pub prod: bool,
    pub input: &'static str,
    pub terminals: Terminals,
}

pub(crate) const PIPES: Given = Given {
    prod: true,
    input: "",
    terminals: Terminals {
        stdin: false,
        stdout: None,
        stderr: None,
    },
};

/// A narrow terminal: questions can be asked, and the run is told in lines.
const TERMINAL: Given = Given {
    prod: true,
    input: "",
    terminals: Terminals {
        stdin: true,
        stdout: None,
        stderr: Some(50),
    },
};

pub(crate) fn refit(line: &str, given: &Given) -> Came {
    let (stdout, stderr) = (Pipe::default(), Pipe::default());
    let console = Console::new(
        Box::new(Cursor::new(given.input.as_bytes())),
        Box::new(stdout.clone()),
        Box::new(stderr.clone()),
        given.terminals,
    );
    let fake = Arc::new(Fake {
        prod: given.prod,
        written: Mutex::default(),
    });
    let args = std::iter::once("refit")
        .chain(line.split_whitespace())
        .map(Into::into);
    let env = Env::of(|name| (name == "NO_COLOR").then(|| "1".to_owned()));
    let exit = call(args, env, console, fake.clone());
    let written = fake
        .written
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    Came {
        exit: exit.code(),
        stdout: stdout.text(),
        stderr: stderr.text(),
        written,
    }
}

/// A saved plan, in a folder that goes with the value.
pub(crate) fn saved_plan() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme.plan.json").display().to_string();
    assert_eq!(refit(&format!("plan --save {path}"), &PIPES).exit, 0);
    (folder, path)
}

#[test]
fn the_command_tree_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_next_command_parses() {
    for template in Next::TEMPLATES {
        let line = template
            .replace("{release}", "eu-1/shop/web")
            .replace("{glob}", "acme-*")
            .replace("{topic}", "run");
        let words: Vec<String> = line
            .split(' ')
            .map(|word| word.replace(['{', '}'], ""))
            .collect();
        assert!(Cli::try_parse_from(&words).is_ok(), "{template}");
    }
}

/// Every `refit VERB` in help texts and pages is a verb of this build.
#[test]
fn help_names_only_verbs_that_exist() {
    let mut texts: Vec<String> = vec![
        super::pages::SUMMARY.to_owned(),
        super::pages::outcomes_text(),
        super::pages::errors_text(),
    ];
    let mut command = Cli::command();
    let mut verbs: Vec<String> = vec!["moves".to_owned()];
    for verb in command.get_subcommands_mut() {
        texts.push(verb.render_long_help().to_string());
        verbs.push(verb.get_name().to_owned());
        verbs.extend(verb.get_visible_aliases().map(str::to_owned));
    }
    texts.extend(super::Exit::ALL.iter().map(|exit| exit.remedy().to_owned()));
    for text in texts {
        for piece in text.split("refit ").skip(1) {
            let word = piece
                .split(|c: char| !c.is_ascii_lowercase())
                .next()
                .unwrap_or("");
            let prose = word.is_empty()
                || matches!(
                    word,
                    "and" | "for" | "itself" | "that" | "needs" | "worked" | "which"
                );
            assert!(
                prose || verbs.iter().any(|verb| verb == word),
                "\"refit {word}\" in: {text}"
            );
        }
    }
}

#[test]
fn global_flags_stand_before_and_after_the_verb() {
    let parse = |line: &str| Cli::try_parse_from(line.split(' ')).unwrap().globals;
    let globals =
        parse("refit --kube-context a --context b inventory -n x -n y -A -l env=prod -o wide -vv");
    assert_eq!(
        (
            globals.contexts.len(),
            globals.namespaces.len(),
            globals.verbose
        ),
        (2, 2, 2)
    );
    assert!(parse("refit -f f.toml status").fleet.is_some());
    assert!(Cli::try_parse_from(["refit", "rollback", "run-7k3f", "--dry-run"]).is_ok());
    assert!(Cli::try_parse_from(["refit", "unlock", "web"]).is_err());
    assert!(Cli::try_parse_from(["refit", "undo", "run-1", "shop/web"]).is_err());
}

#[test]
fn refit_alone_prints_its_summary() {
    let came = refit("", &PIPES);
    assert_eq!(
        (came.exit, came.stdout.lines().count(), came.stderr.as_str()),
        (0, 12, "")
    );
}

#[test]
fn wrong_usage_is_one_not_two() {
    let came = refit("plan --sav x", &PIPES);
    assert_eq!((came.exit, came.stdout.as_str()), (1, ""));
    let came = refit("apply acme.plan.json -o json", &PIPES);
    let json: serde_json::Value = serde_json::from_str(&came.stderr).unwrap();
    assert_eq!((came.exit, &json["code"]), (1, &serde_json::json!("Usage")));
    assert_eq!(refit("--version", &PIPES).exit, 0);
    assert!(refit("help exit-codes", &PIPES).stdout.contains("130"));
}

#[test]
fn a_plan_is_saved_and_shown_alike() {
    let (_folder, path) = saved_plan();
    let made = refit("plan", &PIPES);
    let shown = refit(&format!("show {path}"), &PIPES);
    assert_eq!(made.stdout, shown.stdout);
    assert!(
        made.stderr.starts_with("reading 2 clusters ...\n"),
        "{}",
        made.stderr
    );
    assert_eq!(
        refit(&format!("show {path} --detailed-exitcode"), &PIPES).exit,
        2
    );
    assert_eq!(refit(&format!("show {path} eu-9/a/b"), &PIPES).exit, 1);
    let wave = refit(&format!("show {path} --wave 2 -o name"), &PIPES);
    assert_eq!(wave.stdout, "eu-10/shop/web\neu-2/shop/cart\n");
}

#[test]
fn without_a_terminal_nothing_is_written_unless_flags_say_so() {
    let (_folder, path) = saved_plan();
    let came = refit(&format!("run {path}"), &PIPES);
    assert_eq!((came.exit, came.written.len()), (1, 0));
    assert!(
        came.stderr.contains("--yes --confirm acme"),
        "{}",
        came.stderr
    );
    assert!(
        came.stderr
            .contains("Back at any time:  refit undo run-7k3f"),
        "{}",
        came.stderr
    );
    for line in [
        "undo run-7k3f",
        "resume run-7k3f",
        "unlock eu-1/shop/web",
        "settle",
        "undo run-7k3f --yes",
    ] {
        let came = refit(line, &PIPES);
        assert_eq!((came.exit, came.written.len()), (1, 0), "{line}");
        assert!(
            came.stderr.contains("NoTerminal"),
            "{line}: {}",
            came.stderr
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let events = folder.path().join("run.ndjson");
    let line = format!(
        "run {path} --yes --confirm acme --events {}",
        events.display()
    );
    let came = refit(&line, &PIPES);
    assert_eq!((came.exit, came.written), (6, vec!["run"]));
    assert!(
        came.stdout.ends_with("0 value changes.\n"),
        "{}",
        came.stdout
    );
    assert!(
        came.stderr
            .contains("ReleaseMigrated     shop/web: 9 objects"),
        "{}",
        came.stderr
    );
    let kept = std::fs::read_to_string(events).unwrap();
    assert_eq!(
        kept.lines().count(),
        crate::render::event::tests::all().len()
    );
}

#[test]
fn a_question_takes_only_its_answer() {
    let (_folder, path) = saved_plan();
    let ask = |prod, input| {
        let came = refit(
            &format!("run {path}"),
            &Given {
                prod,
                input,
                ..TERMINAL
            },
        );
        (came.exit, came.written.len())
    };
    assert_eq!(ask(true, "acme\n"), (6, 1));
    assert_eq!(ask(false, "yes\n"), (6, 1));
    for (prod, input) in [
        (true, "yes\n"),
        (true, ""),
        (true, "acm\n"),
        (false, "y\n"),
        (false, "\n"),
    ] {
        assert_eq!(ask(prod, input), (1, 0), "{prod} {input:?}");
    }
    let no_tty = Given {
        input: "acme\n",
        ..TERMINAL
    };
    assert_eq!(refit(&format!("run {path} --no-tty"), &no_tty).exit, 1);
}

#[test]
fn looking_writes_nothing_and_says_so() {
    for line in [
        "inventory",
        "plan",
        "status",
        "undo run-7k3f --dry-run",
        "audit",
        "audit --by manager",
        "audit eu-1/shop/ledger",
        "shadow",
        "shadow eu-1/shop/checkout",
        "shadow --summary -o wide",
        "shadow --confirm 2",
    ] {
        let came = refit(line, &PIPES);
        assert!(came.written.is_empty());
        assert!(came.stderr.contains("0 writes"), "{line}: {}", came.stderr);
    }
}

#[test]
fn the_owners_of_an_object_from_stdin_a_file_and_a_cluster() {
    let stdin = Given {
        input: CONFIG_MAP,
        ..PIPES
    };
    let came = refit("fields - -o wide", &stdin);
    assert_eq!(
        (came.exit, came.stderr.as_str()),
        (0, "2 owners of 2 fields, 1 shared.\n")
    );
    assert_eq!(
        came.stdout,
        "\
FIELD     OWNER          OPERATION   VERSION   SINCE                  SHARED   VALUE
.data.a   helm           Update      v1        2026-08-19T10:00:00Z   <none>   1
.data.b   helm           Update      v1        2026-08-19T10:00:00Z   shared   2
.data.b   kubectl-edit   Update      v1        2026-11-11T10:00:00Z   shared   2
"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.json");
    std::fs::write(&path, CONFIG_MAP).unwrap();
    let file = refit(&format!("fields {} -o wide", path.display()), &PIPES);
    assert_eq!(file.stdout, came.stdout);
    let live = refit("fields eu-1/shop/cm/settings -o wide", &PIPES);
    assert_eq!(live.stdout, came.stdout);
    assert!(live.stderr.ends_with("; 0 writes.\n"), "{}", live.stderr);
    let json: serde_json::Value =
        serde_json::from_str(&refit("fields - -o json", &stdin).stdout).unwrap();
    assert_eq!(json["kind"], "FieldOwners");
    assert_eq!(json["summary"]["shared"], 1);
    assert_eq!(json["fields"][0]["branch"], true);
    assert_eq!(json["fields"][2]["owners"][1]["manager"], "kubectl-edit");
}

#[test]
fn who_owns_a_field() {
    let stdin = Given {
        input: CONFIG_MAP,
        ..PIPES
    };
    let came = refit("fields - --who .data.b", &stdin);
    assert_eq!(
        (came.exit, came.stdout.as_str()),
        (
            0,
            "\
.data.b   helm           Update   2026-08-19T10:00:00Z
.data.b   kubectl-edit   Update   2026-11-11T10:00:00Z
"
        )
    );
    assert_eq!(
        refit("fields - --who data.a -o name", &stdin).stdout,
        "helm\n"
    );
    let nobody = refit("fields - --who .data.c", &stdin);
    assert_eq!((nobody.exit, nobody.stdout.as_str()), (2, ""));
    assert_eq!(nobody.stderr, "Nobody owns .data.c.\n");
    let part = refit("fields - --who .data.a.x", &stdin);
    assert_eq!(
        part.stderr,
        "Nobody owns .data.a.x.\n.data.a is owned as a whole by helm.\n"
    );
}

#[test]
fn what_shows_no_owners_is_an_error_not_nobody() {
    let given = |input| Given { input, ..PIPES };
    let bare = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}"#;
    let came = refit("fields - --who .data", &given(bare));
    assert_eq!(came.exit, 1);
    assert!(
        came.stderr.contains("--show-managed-fields"),
        "{}",
        came.stderr
    );
    for input in ["", "{a: [}", "[]", "kind: List\nitems: []\n"] {
        let came = refit("fields -", &given(input));
        assert_eq!(came.exit, 1, "{input}");
        assert!(
            came.stderr.contains("FileInvalid"),
            "{input}: {}",
            came.stderr
        );
    }
    assert_eq!(refit("fields nothing", &PIPES).exit, 1);
}

#[test]
fn a_forecast_is_rows_totals_or_one_release() {
    let came = refit("shadow", &PIPES);
    assert_eq!(
        (came.exit, came.stdout.lines().count()),
        (0, 4),
        "{}",
        came.stdout
    );
    assert_eq!(refit("shadow --detailed-exitcode", &PIPES).exit, 2);
    assert_eq!(
        refit("shadow -o name", &PIPES).stdout,
        "eu-1/shop/ledger\neu-1/shop/checkout\neu-2/shop/web\n"
    );
    let totals = refit("shadow --summary", &PIPES);
    assert!(totals.stdout.starts_with("OUTCOME"), "{}", totals.stdout);
    let one = refit("shadow shop/checkout --cluster eu-1", &PIPES);
    assert!(
        one.stdout.starts_with("eu-1/shop/checkout   NeedsChoice"),
        "{}",
        one.stdout
    );
    assert_eq!(refit("shadow shop/checkout", &PIPES).exit, 1);
    assert_eq!(refit("shadow eu-1/shop/none", &PIPES).exit, 1);
    assert_eq!(
        refit("shadow eu-2/shop/web --detailed-exitcode", &PIPES).exit,
        0
    );
    let confirmed = refit("shadow --confirm 2", &PIPES);
    assert_eq!(confirmed.exit, 0, "{}", confirmed.stderr);
    let line = "Confirmed by the server: 3 objects of 2 releases, 0 disagreements, 0 dry runs.";
    assert!(confirmed.stderr.contains(line), "{}", confirmed.stderr);
    let wrong = refit("shadow --confirm all -o json", &PIPES);
    assert_eq!(wrong.exit, 2);
    let wrong: serde_json::Value = serde_json::from_str(&wrong.stdout).unwrap();
    assert_eq!(wrong["confirmed"]["disagreements"][0]["about"], "drift");
    assert_eq!(wrong["summary"]["asked"], 0);
    assert_eq!(refit("shadow --confirm 0", &PIPES).exit, 1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme.shadow.json");
    refit(
        &format!("shadow --summary --save {}", path.display()),
        &PIPES,
    );
    let saved: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(
        (
            saved["kind"].as_str(),
            saved["items"].as_array().map(Vec::len)
        ),
        (Some("ForecastList"), Some(3))
    );
    let json: serde_json::Value =
        serde_json::from_str(&refit("shadow eu-1/shop/checkout -o json", &PIPES).stdout).unwrap();
    assert_eq!(json["items"][0]["objects"][1]["active"][0]["theirs"], "7");
}

#[test]
fn exits_are_the_documented_ones() {
    assert_eq!(refit("status run-7k3f", &PIPES).exit, 3);
    assert_eq!(refit("status", &PIPES).exit, 0);
    assert_eq!(refit("status run-0", &PIPES).exit, 1);
    assert_eq!(refit("audit", &PIPES).exit, 0);
    assert_eq!(refit("audit --gate one-manager", &PIPES).exit, 2);
    assert_eq!(refit("undo run-7k3f --yes --confirm acme", &PIPES).exit, 3);
    assert_eq!(
        refit("undo run-7k3f --since 2999-01-01T00:00Z", &PIPES).exit,
        1
    );
    assert_eq!(
        refit("unlock eu-1/shop/web --yes --confirm acme", &PIPES).exit,
        0
    );
    assert_eq!(
        refit(
            "unlock shop/web --cluster eu-1 --yes --confirm acme",
            &PIPES
        )
        .exit,
        0
    );
    assert_eq!(
        refit("unlock shop/web --yes --confirm acme", &PIPES).exit,
        1
    );
    assert_eq!(refit("settle --yes --confirm acme", &PIPES).exit, 0);
}

#[test]
fn an_audit_is_kept_read_again_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (monday, friday) = (at("monday.json"), at("friday.json"));
    assert_eq!(refit(&format!("audit --save {monday}"), &PIPES).exit, 0);
    let text = std::fs::read_to_string(&monday).unwrap();
    assert_eq!(text.lines().count(), 1);
    assert!(text.contains(r#""kind":"AuditCapture""#), "{text}");
    let live = refit("audit -o json --gate one-manager", &PIPES);
    let again = refit(
        &format!("audit -o json --gate one-manager --from {monday}"),
        &PIPES,
    );
    assert_eq!((live.exit, &live.stdout), (2, &again.stdout));

    let same = refit(
        &format!("audit diff {monday} {monday} --detailed-exitcode"),
        &PIPES,
    );
    assert_eq!((same.exit, same.stdout.lines().count()), (0, 1));
    std::fs::write(&friday, text.replace("kubectl-edit", "kubectl-patch")).unwrap();
    let diff = format!("audit diff {monday} {friday}");
    let other = refit(&diff, &PIPES);
    assert_eq!(other.exit, 0);
    assert!(
        other.stdout.contains("kubectl-patch/Update"),
        "{}",
        other.stdout
    );
    assert_eq!(
        refit(&format!("{diff} --detailed-exitcode"), &PIPES).exit,
        2
    );
    assert_eq!(
        refit(&format!("audit diff {monday} {}", at("none")), &PIPES).exit,
        1
    );
    assert_eq!(refit("audit eu-1/shop/nothing", &PIPES).exit, 1);
    assert_eq!(refit("audit eu-1/shop/ledger --by chart", &PIPES).exit, 1);
}

#[test]
fn a_fleet_that_does_not_answer_is_rows_and_an_error() {
    let came = refit("inventory", &PIPES);
    assert_eq!(came.exit, 1);
    assert_eq!(came.stdout.lines().count(), 3);
    assert!(
        came.stderr.contains(ErrorCode::Unreachable.word()),
        "{}",
        came.stderr
    );
    let json: serde_json::Value =
        serde_json::from_str(&refit("inventory -o json", &PIPES).stdout).unwrap();
    assert_eq!(json["items"], serde_json::json!([]));
}
