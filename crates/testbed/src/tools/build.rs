//! Builds a binary from its Go module into the cache: once, atomically, one builder at a time.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use super::Recipe;
use crate::control_plane::hex;
use crate::{Error, env};

/// Name of the file with kwok's stages, beside its binary.
pub const STAGES: &str = "kwok-stages.yaml";

/// The directories of kwok's module that hold the stages: nodes and pods become ready at once, node leases are renewed.
const STAGE_DIRS: [&str; 3] = [
    "kustomize/stage/node/fast",
    "kustomize/stage/pod/fast",
    "kustomize/stage/node/heartbeat-with-lease",
];

/// For every build: only what go.sum names, and no paths of this machine in the binary.
const FLAGS: [&str; 2] = ["-mod=readonly", "-trimpath"];

/// How much of go's output an error carries: the first real error is within its last lines.
const OUTPUT_LINES: usize = 30;

fn module_dir(recipe: &Recipe) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/tools")
        .join(recipe.module)
}

/// Where the cache keeps this binary: `<cache>/<hash of go.mod, go.sum and flags>/bin/<name>`.
pub fn destination(recipe: &Recipe) -> Result<PathBuf, Error> {
    let mut hash = Sha256::new();
    for file in ["go.mod", "go.sum"] {
        let path = module_dir(recipe).join(file);
        hash.update(fs::read(&path).map_err(Error::file("read", &path))?);
        hash.update([0]);
    }
    for flag in FLAGS.iter().chain([&recipe.ldflags]) {
        hash.update(flag);
        hash.update([0]);
    }
    let key = hex(&hash.finalize()[..8]);
    Ok(env::tools_cache().join(key).join("bin").join(recipe.name))
}

/// Builds the binary. Whoever comes second waits for the first and finds it done.
pub fn build(recipe: &Recipe, destination: &Path) -> Result<(), Error> {
    let dir = destination.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(dir).map_err(Error::file("create", dir))?;
    let lock_path = destination.with_extension("lock");
    let lock = File::create(&lock_path).map_err(Error::file("create", &lock_path))?;
    if lock.try_lock().is_err() {
        say(&format!(
            "waiting for another process that builds {} {} ...",
            recipe.name, recipe.version
        ));
        lock.lock().map_err(Error::file("lock", &lock_path))?;
    }
    if destination.is_file() {
        return Ok(());
    }
    let go = env::on_path("go").ok_or(Error::NoGo {
        tool: recipe.name,
        version: recipe.version,
    })?;
    say(&format!(
        "building {} {} (about {}, once) ...",
        recipe.name, recipe.version, recipe.time
    ));
    let fresh = destination.with_extension("new");
    let flags = format!("-s -w {}", recipe.ldflags);
    go_run(
        recipe,
        Command::new(&go)
            .arg("build")
            .args(FLAGS)
            .args(["-ldflags", &flags, "-o"])
            .arg(&fresh)
            .arg(recipe.package),
    )?;
    if recipe.name == "kwok" {
        lay_stages(recipe, &go, dir)?;
    }
    // Last, because its presence says that all is there.
    fs::rename(&fresh, destination).map_err(Error::file("rename", &fresh))
}

/// Runs go in the recipe's module, free of the caller's own Go flags.
fn go_run(recipe: &Recipe, command: &mut Command) -> Result<String, Error> {
    let output = command
        .current_dir(module_dir(recipe))
        .envs([
            ("CGO_ENABLED", "0"),
            ("GOWORK", "off"),
            ("GOFLAGS", "-buildvcs=false"),
        ])
        .output()
        .map_err(|source| Error::Start {
            program: "go".into(),
            source,
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines.len().saturating_sub(OUTPUT_LINES);
    Err(Error::Build {
        tool: recipe.name,
        version: recipe.version,
        output: lines[tail..].join("\n"),
    })
}

/// One file with all stages, taken from the module that the binary was built from.
fn lay_stages(recipe: &Recipe, go: &Path, dir: &Path) -> Result<(), Error> {
    let module = go_run(
        recipe,
        Command::new(go).args(["list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kwok"]),
    )?;
    let mut all = String::new();
    for stages in STAGE_DIRS {
        let stages = Path::new(module.trim()).join(stages);
        let mut files: Vec<PathBuf> = fs::read_dir(&stages)
            .and_then(|entries| entries.map(|entry| entry.map(|e| e.path())).collect())
            .map_err(Error::file("read", &stages))?;
        files.sort();
        for file in files {
            let yaml = file.extension().is_some_and(|ext| ext == "yaml");
            if yaml && !file.ends_with("kustomization.yaml") {
                all.push_str("---\n");
                all.push_str(&fs::read_to_string(&file).map_err(Error::file("read", &file))?);
            }
        }
    }
    let path = dir.join(STAGES);
    fs::write(&path, all).map_err(Error::file("write", &path))
}

/// A progress line; a closed stderr is no reason to fail.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
