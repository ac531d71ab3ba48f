//! `refit triage`: why releases are held, as causes with fixes.

#[cfg(test)]
pub(super) mod page;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::backend::SavedFleet;
use super::captured::{self, Taken};
use super::context::Ctx;
use super::desk::fleet_file;
use super::error::{CliError, ErrorCode};
use super::exit::Exit;
use super::files;
use crate::domain::ids::ReleaseId;
use crate::domain::plan::Candidate;
use crate::domain::triage::{ReleaseCause, Rules, Subject, Triage, gravest, triage};
use crate::playbook::triage::{Jinja, TriageInvalid, built_in, load};
use crate::render::screen::triage::{SavedForecast, SavedForecasts, TriageScreen, read_forecasts};
use crate::render::{Document, Next, Span, text};

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # Causes over the fleet, who decides about each, and the questions
  refit triage

  # Without asking the clusters again: from a saved inventory, or from a saved forecast
  refit triage --from acme.inv.json
  refit triage --from acme.shadow.json

  # One cause: every release, object and field, and the fix in full
  refit triage scaler-owns-replicas

  # Policy rules for the causes that a rule settles
  refit triage --rules >> fleet.toml

  # Patches for Argo CD, Flux and Terraform
  refit triage --patches patches

  # With rules of your own, which come first
  refit triage --rules-from team.toml";

/// A file of rules beside fleet.toml that is read without being named.
const RULES_FILE: &str = "triage.toml";

/// Says why releases are held: causes over the whole fleet, one fix for all releases of each, and who decides about it.
///
/// A release counts once, under its gravest cause; ALSO counts those that a cause holds beside a graver one. Rules are
/// data: the built-in ones, and before them those of a file triage.toml beside fleet.toml. 0 writes.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only this cause, in full
    #[arg(value_name = "CAUSE")]
    pub cause: Option<String>,

    /// Take a saved forecast (refit shadow --save), or forecast from a saved inventory (refit inventory --save); no cluster is asked
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,

    /// Print policy rules for fleet.toml: TOML that settles what rules can settle
    #[arg(long, conflicts_with_all = ["patches", "cause"])]
    pub rules: bool,

    /// Write the patches to be made elsewhere into a folder
    #[arg(long, value_name = "DIR")]
    pub patches: Option<PathBuf>,

    /// Rules of your own instead of triage.toml beside fleet.toml
    #[arg(long, value_name = "FILE")]
    pub rules_from: Option<PathBuf>,

    /// Show causes that hold nothing today as well
    #[arg(long)]
    pub notes: bool,
}

/// Finds the causes and shows them.
pub async fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let rules = rules(args.rules_from.as_deref(), ctx)?;
    let forecasts = forecasts(args.from.as_deref(), ctx).await?;
    let found = causes(&forecasts.releases, &rules)?;
    let screen = TriageScreen {
        fleet: &forecasts.fleet,
        triage: &found,
        taken_at: forecasts.taken_at,
        unread: &forecasts.unread,
        from: args.from.as_deref().map(files::name),
        notes: args.notes,
        tool: super::VERSION,
    };
    if args.rules {
        if ctx.invocation.globals.output.is_machine() {
            ctx.show(&screen.rules())?;
        } else {
            ctx.console.out(&screen.rules_toml())?;
            let totals = found.totals;
            ctx.say(&format!(
                "{} for {} of {}. 0 writes.",
                text::counted(text::len(&found.rules()), "rule"),
                text::count(totals.rules.1),
                text::counted(totals.held, "held release")
            ));
        }
        return Ok(ctx.findings(screen.has_findings()));
    }
    let mut document = match &args.cause {
        None => screen.document(),
        Some(name) => match screen.cause(name) {
            Some(document) => document,
            None => nobody_has(name, &rules, &found)?,
        },
    };
    if let Some(folder) = &args.patches {
        let wrote = write(folder, args.cause.as_deref(), &found)?;
        document = document.total([Span::plain(format!(
            "Wrote {} to {}: look at each before you use it.",
            text::counted(wrote, "patch"),
            files::name(folder)
        ))]);
    }
    ctx.show(&document)?;
    Ok(ctx.findings(screen.has_findings()))
}

/// The causes of forecasts.
pub fn causes(releases: &[SavedForecast], rules: &Rules) -> Result<Triage, CliError> {
    let subjects: Vec<Subject<'_>> = releases
        .iter()
        .map(|it| Subject {
            forecast: &it.forecast,
            chart: &it.chart,
        })
        .collect();
    triage(&subjects, rules, &Jinja::new())
        .map_err(|error| CliError::of(ErrorCode::FileInvalid, &error))
}

/// The gravest cause of each held release.
pub fn gravest_of(releases: &[Candidate], rules: &Rules) -> BTreeMap<ReleaseId, ReleaseCause> {
    let causes = releases.iter().filter_map(|it| {
        let subject = Subject {
            forecast: &it.forecast,
            chart: &it.chart,
        };
        Some((it.forecast.release.clone(), gravest(&subject, rules)?))
    });
    causes.collect()
}

/// The built-in rules, and before them a user's.
pub fn rules(named: Option<&Path>, ctx: &mut Ctx) -> Result<Rules, CliError> {
    let built_in = built_in().map_err(|error| CliError::internal(error.to_string()))?;
    let beside = || {
        let fleet = fleet_file(&ctx.invocation.globals)?;
        let path = fleet.with_file_name(RULES_FILE);
        path.is_file().then_some(path)
    };
    let Some(path) = named.map(Path::to_owned).or_else(beside) else {
        return Ok(built_in);
    };
    let file = files::name(&path);
    let text = files::text(&file, &mut ctx.console)?;
    let own = load(&text, &file).map_err(|error| invalid(&error))?;
    Ok(own.before(built_in))
}

fn invalid(error: &TriageInvalid) -> CliError {
    let made = CliError::new(ErrorCode::FileInvalid, error.to_string());
    error.lines().into_iter().fold(made, CliError::at)
}

/// Forecasts from a file, or from the clusters.
async fn forecasts(from: Option<&Path>, ctx: &mut Ctx) -> Result<SavedForecasts, CliError> {
    let taken = from.map(|path| captured::read_any(path, &["ForecastList"], ctx));
    let (path, value) = match (from, taken.transpose()?) {
        (Some(path), Some(Taken::Other(value))) => (path, value),
        (_, Some(Taken::Inventory(saved))) => return forecast(Some(saved), ctx).await,
        _ => return forecast(None, ctx).await,
    };
    let mut saved = read_forecasts(&value).map_err(|error| {
        CliError::new(
            ErrorCode::FileInvalid,
            format!("{} is not what this refit understands", files::name(path)),
        )
        .because(error.to_string())
    })?;
    let scope = ctx.scope();
    saved
        .releases
        .retain(|it| scope.has_release(&it.forecast.release));
    let globals = &ctx.invocation.globals;
    if globals.selector.is_some() || !globals.contexts.is_empty() {
        let fleet = ctx.backend().fleet(&ctx.invocation)?;
        let known = |id: &ReleaseId| fleet.clusters.iter().any(|it| it.name == id.cluster);
        saved.releases.retain(|it| known(&it.forecast.release));
    }
    Ok(saved)
}

async fn forecast(saved: Option<SavedFleet>, ctx: &mut Ctx) -> Result<SavedForecasts, CliError> {
    let (at, fleet) = captured::opened(saved, ctx)?;
    let taken_at = captured::taken_at(&at, ctx);
    captured::say_reading(&at, &fleet, ctx);
    let backend = ctx.backend();
    let shadow = backend.shadow(&ctx.invocation, &fleet, at, None).await?;
    let releases = shadow.releases.into_iter().map(|it| SavedForecast {
        forecast: it.forecast,
        chart: it.chart,
    });
    Ok(SavedForecasts {
        fleet: fleet.name,
        taken_at,
        unread: shadow.unread,
        releases: releases.collect(),
    })
}

/// A cause that a rule knows and no release has; or one that nobody knows.
fn nobody_has(name: &str, rules: &Rules, found: &Triage) -> Result<Document, CliError> {
    if let Some(rule) = rules.all().iter().find(|it| it.name == name) {
        return Ok(Document::new("CauseList")
            .field("items", serde_json::json!([]))
            .text(format!("{name}   0 releases"))
            .text(&rule.about)
            .next(Next::Triage, "the causes that there are"));
    }
    let mut causes: Vec<&str> = found.causes.iter().map(|it| it.name.as_str()).collect();
    causes.extend(found.notes.iter().map(|it| it.name.as_str()));
    let error = CliError::usage(format!("no cause \"{name}\""));
    let error = if causes.is_empty() {
        error.because("no release is held")
    } else {
        error.because(format!("there are {}", causes.join(", ")))
    };
    Err(error.next(Next::Triage))
}

/// Writes the patches; how many.
fn write(folder: &Path, cause: Option<&str>, found: &Triage) -> Result<u64, CliError> {
    let of_cause = |file: &str| {
        cause.is_none_or(|name| {
            let mut patches = found.named(name).into_iter().flat_map(|it| &it.patches);
            patches.any(|it| it.file == file)
        })
    };
    let mut wrote = 0;
    for (file, text) in found.patches() {
        if !of_cause(file) {
            continue;
        }
        let path = folder.join(file);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| {
                CliError::new(
                    ErrorCode::FileFailed,
                    format!("{} cannot be made", files::name(parent)),
                )
                .because(error.to_string())
            })?;
        }
        files::write_text(&path, text)?;
        wrote += 1;
    }
    Ok(wrote)
}
