//! Verbs that only look: fleet, inventory, audit.

use std::path::{Path, PathBuf};

use super::ground::planned;
use super::shadow::none_answered;
use super::{Desk, scope};
use crate::cli::backend::Configured;
use crate::cli::context::Invocation;
use crate::cli::error::{CliError, ErrorCode};
use crate::cli::globals::Globals;
use crate::config::{self, ConfigInvalid, Contexts};
use crate::domain::fleet::Fleet;
use crate::domain::release::Inventory;
use crate::engine::inventory::{Source, inventory as read};
use crate::engine::plan::Planned;

/// Name of a fleet that is made of contexts, without a fleet.toml.
const UNNAMED: &str = "contexts";

/// Where fleet.toml is looked for if nobody says.
const DEFAULT_FILE: &str = "fleet.toml";

pub fn fleet(desk: &Desk, invocation: &Invocation) -> Result<Fleet, CliError> {
    let fleet = configured(desk, invocation, &[])?.fleet;
    narrowed(invocation, fleet)
}

/// The fleet of another fleet.toml: this one with overrides. Same scope.
pub fn what_if(
    desk: &Desk,
    invocation: &Invocation,
    overrides: &[String],
) -> Result<Fleet, CliError> {
    let fleet = configured(desk, invocation, overrides)?.fleet;
    narrowed(invocation, fleet)
}

/// Everything that fleet.toml, its playbook and the defaults say; without a file, what the contexts make.
pub fn configured(
    desk: &Desk,
    invocation: &Invocation,
    overrides: &[String],
) -> Result<Configured, CliError> {
    let globals = &invocation.globals;
    let folder = folder(fleet_file(globals).as_deref());
    let contexts = |kubeconfig: Option<&Path>| {
        let path = kubeconfig
            .map(|path| folder.join(path))
            .or_else(|| globals.kubeconfig.clone());
        desk.adapters.contexts(path.as_deref())
    };
    let current = || desk.adapters.current_context(globals.kubeconfig.as_deref());
    configured_by(invocation, overrides, &contexts, &current)
}

/// The folder that a fleet.toml names files from.
fn folder(file: Option<&Path>) -> PathBuf {
    let folder = file.and_then(Path::parent);
    folder.unwrap_or(Path::new("")).to_owned()
}

/// The same, with contexts from wherever.
pub(super) fn configured_by(
    invocation: &Invocation,
    overrides: &[String],
    contexts: &Contexts<'_>,
    current: &dyn Fn() -> Option<String>,
) -> Result<Configured, CliError> {
    let globals = &invocation.globals;
    let file = fleet_file(globals);
    let folder = folder(file.as_deref());
    let Some(path) = file else {
        if !overrides.is_empty() {
            return Err(CliError::usage(
                "there is no fleet.toml to take another value for",
            ));
        }
        let mut patterns: Vec<String> = globals
            .contexts
            .iter()
            .map(|glob| glob.as_str().to_owned())
            .collect();
        if patterns.is_empty() {
            patterns.extend(current());
        }
        let fleet =
            config::from_contexts(UNNAMED, &patterns, globals.kubeconfig.as_deref(), contexts)
                .map_err(|error| invalid(&error))?;
        return Ok(Configured {
            file: None,
            fleet,
            values: config::default_values(),
        });
    };
    let text = std::fs::read_to_string(&path).map_err(|error| {
        CliError::new(
            ErrorCode::FileFailed,
            format!("cannot read {}", path.display()),
        )
        .because(error.to_string())
    })?;
    let name = path.display().to_string();
    let library = super::playbooks::library(&folder)?;
    let playbooks = |name: &str| super::playbooks::text_of(&library, name);
    let loaded = config::load_over(&text, &name, contexts, &playbooks, overrides)
        .map_err(|error| invalid(&error))?;
    for warning in &loaded.warnings {
        tracing::warn!(
            "{name}:{}: {}; {}",
            warning.line,
            warning.text,
            warning.next
        );
    }
    let mut fleet = loaded.fleet;
    for cluster in &mut fleet.clusters {
        cluster.kubeconfig = cluster
            .kubeconfig
            .take()
            .map(|path| folder.join(path))
            .or_else(|| globals.kubeconfig.clone());
    }
    Ok(Configured {
        file: Some(name),
        fleet,
        values: loaded.values,
    })
}

/// Only the clusters in scope.
pub(super) fn narrowed(invocation: &Invocation, mut fleet: Fleet) -> Result<Fleet, CliError> {
    let scope = invocation.scope();
    fleet.clusters.retain(|cluster| scope.has_cluster(cluster));
    if fleet.clusters.is_empty() {
        return Err(CliError::new(
            ErrorCode::ContextNotFound,
            "no cluster of the fleet is in scope",
        )
        .because("--context, --cluster and -l together leave none"));
    }
    Ok(fleet)
}

/// The fleet's file: the one that is named, else fleet.toml here. Contexts on the command line alone mean no file.
pub fn fleet_file(globals: &Globals) -> Option<PathBuf> {
    let default = || {
        let path = PathBuf::from(DEFAULT_FILE);
        (globals.contexts.is_empty() && path.is_file()).then_some(path)
    };
    globals.fleet.clone().or_else(default)
}

/// A file with flaws, as an error with all of them.
pub fn invalid(error: &ConfigInvalid) -> CliError {
    let code = if error.code() == "ContextNotFound" {
        ErrorCode::ContextNotFound
    } else {
        ErrorCode::ConfigInvalid
    };
    let mut made = CliError::new(code, error.to_string());
    for line in error.lines() {
        made = made.at(line);
    }
    made
}

pub async fn inventory(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
) -> Result<Inventory, CliError> {
    let sources = sources(desk, fleet).await;
    let managers = fleet
        .managers
        .matcher()
        .map_err(|error| CliError::of(ErrorCode::ConfigInvalid, &error))?;
    let now = desk.adapters.clock().now();
    let inventory = read(&fleet.name, &sources, &scope(invocation)?, &managers, now).await;
    all_away(&inventory)?;
    Ok(inventory)
}

pub(super) async fn sources(desk: &Desk, fleet: &Fleet) -> Vec<Source> {
    let clusters = planned(desk, fleet).await;
    clusters.into_iter().map(Planned::into_source).collect()
}

/// No cluster answered: then there is nothing to show.
fn all_away(inventory: &Inventory) -> Result<(), CliError> {
    let clusters = inventory.clusters.iter();
    let away = clusters.filter_map(|it| Some((&it.name, it.unreachable.as_ref()?)));
    let away: Vec<_> = away.collect();
    if away.len() < inventory.clusters.len() || away.is_empty() {
        return Ok(());
    }
    Err(none_answered(away))
}
