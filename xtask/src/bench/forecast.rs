//! `cargo xtask bench forecast`: figures of one run, one JSON object a line.
//!
//! A control plane without controllers stores some objects as Helm 3 makes them, and others then own some fields. The same
//! objects then go to the forecast (a release build of the core, in a process of its own), to the server as a forced dry run,
//! and to Kubernetes' Go library. Milliseconds are of wall time where the server is one side, and else of time on the
//! processor, so that a busy machine slows neither.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use clap::{Args, ValueEnum};
use differential::go::oracle::Oracle;
use serde_json::{Map, Value, json};
use testbed::{Api, ControlPlane, Options as Plane};

use super::objects::{self, Object};
use crate::Done;

const GOAL_MS: f64 = 0.3;
const GOAL_LONG_MS: f64 = 2.0;
const GOAL_SERVER: f64 = 10.0;
const GOAL_GO: f64 = 3.0;
const GOAL_MIB: f64 = 1024.0;

/// How much.
#[derive(Args)]
pub struct Options {
    /// Objects held and forecast when memory is measured
    #[arg(long, default_value_t = 100_000)]
    objects: usize,
    /// Dry runs, and applies of the Go library, an object
    #[arg(long, default_value_t = 200)]
    times: usize,
    /// text, or json: one object a line
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Measures and prints; a goal that is missed is no error, since it may be the machine's.
pub fn run(options: &Options) -> Done {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target");
    std::fs::create_dir_all(&dir)?;
    let scratch = dir.join(format!("bench-forecast-{}", std::process::id()));
    std::fs::create_dir_all(&scratch)?;
    let done = measure(options, &dir, &scratch);
    std::fs::remove_dir_all(&scratch)?;
    done
}

fn measure(options: &Options, dir: &Path, scratch: &Path) -> Done {
    let plane = ControlPlane::start(Plane::new("bench").api_only())?;
    let objects = objects::all();
    let lives = make(plane.api(), &objects)?;
    let documents = documents(plane.api(), &objects, scratch)?;
    let file = scratch.join("input.json");
    let input: Vec<Value> = objects
        .iter()
        .zip(&lives)
        .map(|(object, live)| json!({"body": object.body, "live": live}))
        .collect();
    let texts: Map<String, Value> = documents
        .iter()
        .map(|(version, (_, document))| (version.clone(), document.clone()))
        .collect();
    std::fs::write(
        &file,
        json!({"documents": texts, "objects": input}).to_string(),
    )?;

    let file = file.display().to_string();
    let speed = worker(&[
        "run",
        "--quiet",
        "--release",
        "--package",
        "bench",
        "--",
        "speed",
        &file,
    ])?;
    let floor = median(options.times, || plane.api().get("/version").map(drop))?;
    let mut oracle = Oracle::start(dir);
    for (object, live) in objects.iter().zip(&lives) {
        let told = speed
            .iter()
            .find(|line| line["object"] == object.name())
            .ok_or("the worker left an object out")?;
        let (forecast, apply) = (&told["forecast"], &told["apply"]);
        let cpu_ms = number(&forecast["cpu_mean_ms"]);
        let goal = if object.name() == "long-deployment" {
            GOAL_LONG_MS
        } else {
            GOAL_MS
        };
        print(
            options.output,
            &json!({
                "measure": "forecast", "object": object.name(), "manifest_lines": object.lines(), "live_bytes": live.to_string().len(),
                "method": told["method"], "times": forecast["times"], "median_ms": round(&forecast["median_ms"]), "mean_ms": round(&forecast["mean_ms"]),
                "cpu_mean_ms": round(&forecast["cpu_mean_ms"]), "goal_ms": goal, "met": cpu_ms <= goal,
            }),
        )?;

        let dry = median(options.times, || dry_run(plane.api(), object))?;
        let ratio = (dry - floor).max(0.0) / number(&forecast["median_ms"]);
        print(
            options.output,
            &json!({
                "measure": "dry_run", "object": object.name(), "times": options.times, "median_ms": three(dry),
                "round_trip_floor_ms": three(floor), "forecast_median_ms": round(&forecast["median_ms"]),
                "times_faster": three(ratio), "goal_times_faster": GOAL_SERVER, "met": ratio >= GOAL_SERVER,
            }),
        )?;

        let (openapi, _) = documents.get(object.api_version()).ok_or("no document")?;
        let answer = oracle.ask(&json!({
            "op": "time", "times": options.times * 5, "openapi": [openapi], "manager": "bench", "force": true,
            "live": live, "config": object.body, "ignore": [["status"]],
        }));
        if let Some(error) = answer["error"].as_str() {
            return Err(format!("the Go library refuses {}: {error}", object.name()).into());
        }
        let ratio = number(&answer["cpuMeanMs"]) / number(&apply["cpu_mean_ms"]);
        print(
            options.output,
            &json!({
                "measure": "go_library", "object": object.name(), "job": "one forced apply, without parsing", "times": options.times * 5,
                "go_cpu_mean_ms": round(&answer["cpuMeanMs"]), "go_median_ms": round(&answer["medianMs"]),
                "cpu_mean_ms": round(&apply["cpu_mean_ms"]), "median_ms": round(&apply["median_ms"]),
                "times_faster": three(ratio), "goal_times_faster": GOAL_GO, "met": ratio >= GOAL_GO,
            }),
        )?;
    }
    drop(plane);
    let count = options.objects.to_string();
    let memory = worker(&[
        "bench",
        "--quiet",
        "--package",
        "refit",
        "--bench",
        "forecast_memory",
        "--",
        &file,
        &count,
    ])?;
    for line in memory {
        print(
            options.output,
            &json!({
                "measure": "memory", "way": "engine::plan::collect, then the screen of refit shadow as a table and as JSON",
                "objects": line["objects"], "releases": line["releases"], "forecasts": line["forecasts"], "outcomes": line["outcomes"],
                "asked": line["asked"], "base_mib": line["base_mib"], "held_mib": line["held_mib"], "forecast_peak_mib": line["forecast_peak_mib"],
                "table_peak_mib": line["table_peak_mib"], "peak_mib": line["peak_mib"], "goal_mib": GOAL_MIB,
                "met": number(&line["peak_mib"]) <= GOAL_MIB,
            }),
        )?;
    }
    Ok(())
}

/// Creates the objects as Helm 3 does; somebody scales, a tool sets an annotation, a controller writes status. Answers them as
/// they are then.
fn make(api: &Api, objects: &[Object]) -> Result<Vec<Value>, testbed::Error> {
    let mut lives = Vec::new();
    for object in objects {
        api.post(
            &format!("{}?fieldManager=helm", object.collection),
            &object.body,
        )?;
        let noted = json!({"metadata": {"annotations": {"example.org/seen": "yes"}}});
        api.merge_patch(
            &format!("{}?fieldManager=kubectl-annotate", object.path()),
            &noted,
        )?;
        if object.collection.ends_with("/deployments") {
            let scaled = json!({"spec": {"replicas": 5}});
            api.merge_patch(
                &format!("{}/scale?fieldManager=kubectl", object.path()),
                &scaled,
            )?;
            api.merge_patch(
                &format!(
                    "{}/status?fieldManager=kube-controller-manager",
                    object.path()
                ),
                &rolled_out(),
            )?;
        }
        lives.push(api.get(&object.path())?);
    }
    Ok(lives)
}

/// The status of a Deployment that is there.
fn rolled_out() -> Value {
    let condition = |name: &str, reason: &str, message: &str| {
        let time = "2026-03-01T00:31:07Z";
        json!({
            "type": name, "status": "True", "reason": reason, "message": message,
            "lastTransitionTime": time, "lastUpdateTime": time,
        })
    };
    json!({"status": {
        "observedGeneration": 2, "replicas": 5, "updatedReplicas": 5, "readyReplicas": 5, "availableReplicas": 5,
        "conditions": [
            condition("Available", "MinimumReplicasAvailable", "Deployment has minimum availability."),
            condition("Progressing", "NewReplicaSetAvailable", "ReplicaSet \"deployment-5d69c4f8c7\" has successfully progressed."),
        ],
    }})
}

type Documents = std::collections::BTreeMap<String, (PathBuf, Value)>;

/// What the server publishes of the objects' group-versions, as files too.
fn documents(
    api: &Api,
    objects: &[Object],
    scratch: &Path,
) -> Result<Documents, Box<dyn std::error::Error>> {
    let mut documents = Documents::new();
    for object in objects {
        let version = object.api_version();
        if documents.contains_key(version) {
            continue;
        }
        let root = if version.contains('/') { "apis" } else { "api" };
        let document = api.get(&format!("/openapi/v3/{root}/{version}"))?;
        let file = scratch.join(format!("{}.json", version.replace('/', "_")));
        std::fs::write(&file, document.to_string())?;
        documents.insert(version.to_owned(), (file, document));
    }
    Ok(documents)
}

fn dry_run(api: &Api, object: &Object) -> Result<(), testbed::Error> {
    let path = format!("{}?dryRun=All&force=true", object.path());
    let answer = api.send(
        "PATCH",
        &format!("{path}&fieldManager=bench"),
        "application/apply-patch+yaml",
        object.body.to_string().as_bytes(),
    )?;
    if answer.status == 200 {
        return Ok(());
    }
    Err(testbed::Error::Misuse(format!(
        "the server refuses {}: {}",
        object.name(),
        answer.body
    )))
}

/// Median wall time in milliseconds.
fn median(
    times: usize,
    mut job: impl FnMut() -> Result<(), testbed::Error>,
) -> Result<f64, testbed::Error> {
    let mut walls = Vec::new();
    for _ in 0..times.max(1) {
        let start = Instant::now();
        job()?;
        walls.push(start.elapsed());
    }
    walls.sort_unstable();
    Ok(walls[walls.len() / 2].as_secs_f64() * 1000.0)
}

/// Builds the measuring program with optimisation, runs it, reads its lines.
fn worker(args: &[&str]) -> Result<Vec<Value>, Box<dyn std::error::Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("cargo {} failed", args.join(" ")).into());
    }
    let lines = String::from_utf8(output.stdout)?;
    Ok(lines
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?)
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

fn round(value: &Value) -> f64 {
    three(number(value))
}

/// To a thousandth.
fn three(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn print(format: Format, line: &Value) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    if format == Format::Json {
        return writeln!(stdout, "{line}");
    }
    let parts: Vec<String> = line
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    writeln!(stdout, "{}", parts.join("  "))
}
