//! The whole file: sections read one after the other, defaults filled in, flaws gathered.

use std::path::PathBuf;

use toml::de::DeTable;

use super::clusters::{LIMIT_BOUNDS, clusters};
use super::contexts::Contexts;
use super::depends::{cut_inferred, depends};
use super::policy::policies;
use super::problem::{ConfigInvalid, ProblemKind, Problems, Source};
use super::read::{Entry, Section, whole};
use super::{Defaults, Loaded, Warning, audit, schema, values};
use crate::domain::fleet::{
    Fleet, Limits, Managers, STOCK_MANAGER, WaveSizes, alias_refused, manager_name_flaw,
};

/// Reads a text of bounded size.
pub(super) fn assemble(
    text: &str,
    file: &str,
    contexts: &Contexts<'_>,
    defaults: &Defaults,
) -> Result<Loaded, ConfigInvalid> {
    let source = Source::new(file, text);
    let mut problems = Problems::default();
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = error.span().unwrap_or(text.len()..text.len());
        let line = at.start..at.start;
        problems.add(at, line, ProblemKind::Syntax(error.message().to_owned()));
    }
    let mut warnings = Vec::new();
    let top = Section::open(root.get_ref(), 0..0, &schema::TOP, &mut problems);
    let fleet = fleet_section(&top, &source, defaults, &mut problems, &mut warnings);
    let (writes_per_second, limits) = limits_section(&top, defaults, &mut problems);
    let waves = waves_section(&top, defaults, &mut problems);
    let undo_dwell_seconds = undo_section(&top, defaults, &mut problems);
    let depends = depends(&top, &source, &mut problems);
    let cut_inferred = cut_inferred(&top, defaults.cut_inferred, &mut problems);
    let policies = top.get("policy").map_or_else(Vec::new, |entry| {
        policies(&entry, &source, &mut problems, &mut warnings)
    });
    let expect = audit::expect(&top, &mut problems);
    let name = fleet.name.as_deref();
    let clusters = if let Some(entry) = top.get("clusters") {
        if entry.is_table() {
            let message = "write [[clusters]], with two brackets";
            entry.flaw_at(&mut problems, entry.key.clone(), message);
            Vec::new()
        } else {
            clusters(&entry, name, limits, contexts, &source, &mut problems)
        }
    } else {
        Vec::new()
    };
    if clusters.is_empty() && problems.is_empty() {
        let message = "no clusters: add [[clusters]] with contexts = \"GLOB\"";
        problems.add(0..0, 0..0, ProblemKind::Missing(message.to_owned()));
    }
    match fleet.name {
        Some(name) if problems.is_empty() => Ok(Loaded {
            fleet: Fleet {
                name,
                deadline: fleet.deadline,
                timezone: fleet.timezone,
                managers: fleet.managers,
                state: fleet.state,
                clusters,
                writes_per_second,
                waves,
                undo_dwell_seconds,
                expect,
                start_within_seconds: defaults.start_within_seconds,
                depends,
                cut_inferred,
                policies,
            },
            warnings,
        }),
        _ => Err(problems.finish(&source)),
    }
}

struct FleetPart {
    name: Option<String>,
    deadline: jiff::civil::Date,
    timezone: String,
    managers: Managers,
    state: PathBuf,
}

fn fleet_section(
    top: &Section<'_>,
    source: &Source<'_>,
    defaults: &Defaults,
    problems: &mut Problems,
    warnings: &mut Vec<Warning>,
) -> FleetPart {
    let entry = top.get("fleet");
    let section = entry
        .as_ref()
        .and_then(|entry| entry.section(&schema::FLEET, problems));
    let get = |key: &str| section.as_ref().and_then(|section| section.get(key));
    let named = get("name");
    if named.is_none() {
        let span = entry.as_ref().map_or(0..0, |entry| entry.key.clone());
        let message = "the fleet has no name: add name = \"NAME\" under [fleet]";
        problems.add(span.clone(), span, ProblemKind::Missing(message.to_owned()));
    }
    let name = named.and_then(|entry| checked(&entry, problems, values::name_flaw));
    let deadline = get("deadline").and_then(|entry| entry.date(problems));
    let timezone =
        get("timezone").and_then(|entry| checked(&entry, problems, values::timezone_flaw));
    let state = get("state").and_then(|entry| checked(&entry, problems, state_flaw));
    FleetPart {
        name,
        deadline: deadline.unwrap_or(defaults.deadline),
        timezone: timezone.unwrap_or_else(|| defaults.timezone.clone()),
        managers: managers(
            get("manager").as_ref(),
            get("aliases").as_ref(),
            source,
            defaults,
            problems,
            warnings,
        ),
        state: PathBuf::from(state.unwrap_or_else(|| defaults.state.clone())),
    }
}

fn managers(
    manager: Option<&Entry<'_>>,
    aliases: Option<&Entry<'_>>,
    source: &Source<'_>,
    defaults: &Defaults,
    problems: &mut Problems,
    warnings: &mut Vec<Warning>,
) -> Managers {
    let line = |entry: &Entry<'_>| source.place(entry.key.start).0;
    let canonical = manager.and_then(|entry| {
        let name = entry.any_text(problems)?;
        if let Some(flaw) = manager_name_flaw(name) {
            entry.flaw(problems, flaw);
            return None;
        }
        if name != STOCK_MANAGER {
            warnings.push(Warning {
                line: line(entry),
                text: format!(
                    "stock Helm 4 writes as \"{STOCK_MANAGER}\" only: its next upgrade of a migrated release becomes a second \
                     owner of every field, and is refused (409) at the first changed value, with \"{name}\" as the owner"
                ),
                next: format!(
                    "remove manager, unless all your upgrades come from a Helm SDK that writes as \"{name}\""
                ),
            });
        }
        Some(name.to_owned())
    });
    let canonical = canonical.unwrap_or_else(|| defaults.manager.clone());
    let Some(entry) = aliases else {
        let aliases = defaults.aliases.iter();
        return Managers {
            // A default that the user has chosen as the manager is no alias any more.
            aliases: aliases
                .filter(|alias| alias_refused(alias, &canonical).is_ok())
                .cloned()
                .collect(),
            canonical,
        };
    };
    let mut kept: Vec<String> = Vec::new();
    for (alias, place) in entry.texts(problems).unwrap_or_default() {
        match alias_refused(alias, &canonical) {
            Err(refused) => entry.flaw_at(problems, place, refused.to_string()),
            Ok(_) if kept.iter().any(|other| other == alias) => {
                entry.flaw_at(problems, place, format!("\"{alias}\" stands here twice"));
            }
            Ok(covers_flux) => {
                if covers_flux {
                    warnings.push(Warning {
                        line: line(entry),
                        text: format!(
                            "alias \"{alias}\" does not take in helm-controller: that is Flux, and never an alias"
                        ),
                        next: "name the older writers one by one".to_owned(),
                    });
                }
                kept.push(alias.to_owned());
            }
        }
    }
    Managers {
        canonical,
        aliases: kept,
    }
}

fn limits_section(
    top: &Section<'_>,
    defaults: &Defaults,
    problems: &mut Problems,
) -> (u32, Limits) {
    let section = top
        .get("limits")
        .and_then(|entry| entry.section(&schema::LIMITS, problems));
    let mut number = |key: &str, default: u32| {
        section
            .as_ref()
            .and_then(|section| section.get(key))
            .and_then(|entry| entry.number(problems, &LIMIT_BOUNDS))
            .unwrap_or(default)
    };
    let fleet = number("writes_per_second", defaults.writes_per_second);
    let in_flight = number("in_flight", defaults.limits.in_flight);
    let limits = Limits {
        in_flight,
        ..defaults.limits
    };
    (fleet, limits)
}

fn waves_section(top: &Section<'_>, defaults: &Defaults, problems: &mut Problems) -> WaveSizes {
    let section = top
        .get("waves")
        .and_then(|entry| entry.section(&schema::WAVES, problems));
    let Some(entry) = section.and_then(|section| section.get("sizes")) else {
        return defaults.waves.clone();
    };
    let mut sizes = Vec::new();
    let items = entry.array(problems);
    if items.is_some_and(<[_]>::is_empty) {
        entry.flaw(problems, "at least one size is needed");
    }
    for item in items.unwrap_or_default() {
        let size = match (whole(item), item.get_ref().as_str()) {
            (Some(number), _) => values::count(number),
            (None, Some(text)) => values::percent(text),
            (None, None) => Err("a size is a number, or percent like \"20%\"".to_owned()),
        };
        match size {
            Ok(size) => sizes.push(size),
            Err(message) => entry.flaw_at(problems, item.span(), message),
        }
    }
    WaveSizes(sizes)
}

fn undo_section(top: &Section<'_>, defaults: &Defaults, problems: &mut Problems) -> u32 {
    let dwell = top
        .get("undo")
        .and_then(|entry| entry.section(&schema::UNDO, problems))
        .and_then(|section| section.get("dwell"));
    dwell
        .and_then(|entry| {
            let text = entry.text(problems)?;
            values::seconds(text)
                .map_err(|message| entry.flaw(problems, message))
                .ok()
        })
        .unwrap_or(defaults.undo_dwell_seconds)
}

/// A text that `flaw` finds nothing wrong with.
fn checked(
    entry: &Entry<'_>,
    problems: &mut Problems,
    flaw: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let text = entry.text(problems)?;
    match flaw(text) {
        Some(message) => {
            entry.flaw(problems, message);
            None
        }
        None => Some(text.to_owned()),
    }
}

/// The store is a file, for now. The message never repeats the value: a URL may hold a password.
fn state_flaw(state: &str) -> Option<String> {
    if state.contains("://") {
        Some("a database by URL is not supported yet: write a path".to_owned())
    } else if state.chars().any(char::is_control) {
        Some("a path holds no control characters".to_owned())
    } else {
        None
    }
}
