//! The whole file: sections read one after the other, defaults filled in, flaws gathered.

use std::path::PathBuf;

use toml::de::DeTable;

use super::cluster_what_if::{is_of_cluster, lay_over};
use super::clusters::{Given, clusters};
use super::contexts::Contexts;
use super::defaults::{DEFAULTS, DEFAULTS_FILE};
use super::depends::{cut_inferred, depends};
use super::policy::policies;
use super::{Defaults, Loaded, PlaybookText, Playbooks, WHAT_IF, Warning, audit, schema, view};
use crate::domain::fleet::{
    Fleet, Limits, Managers, PolicyAction, PolicyRule, STOCK_MANAGER, alias_refused,
    manager_name_flaw,
};
use crate::toml_file::{
    ConfigInvalid, Entry, Layer, Layers, ProblemKind, Problems, Section, Shape, Source, settings,
    values,
};

/// What one reading is given, beside the file itself.
pub(super) struct Around<'a> {
    pub(super) contexts: &'a Contexts<'a>,
    pub(super) playbooks: &'a Playbooks<'a>,
    /// `--what-if`, as TOML.
    pub(super) what_if: &'a [String],
}

/// Reads a text of bounded size.
pub(super) fn assemble(
    text: &str,
    file: &str,
    around: &Around<'_>,
    defaults: &Defaults,
) -> Result<Loaded, ConfigInvalid> {
    let mut problems = Problems::of(schema::ALL);
    let playbook = playbook(text, around, &mut problems);
    let mut layers = vec![Layer {
        name: DEFAULTS_FILE,
        text: DEFAULTS,
        keys: None,
    }];
    if let Some(playbook) = &playbook {
        layers.push(Layer {
            name: &playbook.file,
            text: &playbook.text,
            keys: Some(settings::OF_PLAYBOOKS),
        });
    }
    let main = layers.len();
    layers.push(Layer {
        name: file,
        text,
        keys: None,
    });
    let (of_clusters, of_all): (Vec<&String>, Vec<&String>) =
        around.what_if.iter().partition(|it| is_of_cluster(it));
    layers.extend(of_all.into_iter().map(|text| Layer {
        name: WHAT_IF,
        text,
        keys: None,
    }));
    let Layers { root, mut source } =
        Layers::read(&layers, main, &[("waves", settings::CUTS)], &mut problems);
    let of_clusters: Vec<DeTable<'_>> = of_clusters
        .into_iter()
        .map(|text| source.parse(WHAT_IF, text, &mut problems))
        .collect();
    let mut warnings = Vec::new();
    let top = Section::open(&root, 0..0, &schema::TOP, &mut problems);
    let fleet = fleet_section(&top, &source, defaults, &mut problems, &mut warnings);
    let (writes_per_second, limits) = limits_section(&top, defaults, &mut problems);
    let name = playbook.as_ref().map_or("", |playbook| &playbook.name);
    let planning = settings::settings(&top, name, &mut problems);
    let undo_dwell_seconds = duration(&top, "undo", "dwell", &schema::UNDO, &mut problems);
    let start_within_seconds = duration(&top, "plan", "start_within", &schema::PLAN, &mut problems);
    let depends = depends(&top, &source, &mut problems);
    let cut_inferred = cut_inferred(&top, defaults.cut_inferred, &mut problems);
    let mut policies = top.get("policy").map_or_else(Vec::new, |entry| {
        policies(&entry, &source, &mut problems, &mut warnings)
    });
    policies.extend(enforced(&top, &source, &mut problems));
    let seal_key_file = seal_section(&top, &mut problems);
    let expect = audit::expect(&top, &mut problems);
    let mut clusters = if let Some(entry) = top.get("clusters") {
        if entry.is_table() {
            let message = "write [[clusters]], with two brackets";
            entry.flaw_at(&mut problems, entry.key.clone(), message);
            Vec::new()
        } else {
            let given = Given {
                fleet: fleet.name.as_deref().unwrap_or(""),
                limits,
                windows: &planning.windows,
                contexts: around.contexts,
                source: &source,
            };
            clusters(&entry, &given, &mut problems)
        }
    } else {
        Vec::new()
    };
    for tree in &of_clusters {
        lay_over(&mut clusters, tree, &planning.windows, &mut problems);
    }
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
                planning,
                undo_dwell_seconds: undo_dwell_seconds.unwrap_or(defaults.undo_dwell_seconds),
                start_within_seconds: start_within_seconds.unwrap_or(defaults.start_within_seconds),
                expect,
                seal_key_file,
                depends,
                cut_inferred,
                policies,
            },
            warnings,
            values: view::values(&root, &source),
        }),
        _ => Err(problems.finish(&source)),
    }
}

/// The playbook that the file names, or `--what-if`. Offsets are those of the file, which is the first of all texts.
fn playbook(text: &str, around: &Around<'_>, problems: &mut Problems) -> Option<PlaybookText> {
    let named = |text: &str| -> Option<(String, std::ops::Range<usize>)> {
        let (root, _) = DeTable::parse_recoverable(text);
        let fleet = root.get_ref().get("fleet")?.get_ref().as_table()?;
        let (key, value) = fleet.get_key_value("playbook")?;
        let name = value.get_ref().as_str()?.to_owned();
        Some((name, key.span().start..value.span().end))
    };
    let what_if = around.what_if.iter().rev().find_map(|text| named(text));
    let (name, place) = match what_if {
        Some((name, _)) => (name, 0..0),
        None => named(text)?,
    };
    match (around.playbooks)(&name) {
        Ok(found) => Some(found),
        Err(message) => {
            problems.add(place.clone(), place, ProblemKind::Invalid(message));
            None
        }
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
    let is_default = |place: &std::ops::Range<usize>| source.file(place.start) == DEFAULTS_FILE;
    let named = get("name");
    if named.is_none() {
        let span = entry.as_ref().map(|entry| entry.key.clone());
        let span = span.filter(|span| !is_default(span)).unwrap_or(0..0);
        let message = "the fleet has no name: add name = \"NAME\" under [fleet]";
        problems.add(span.clone(), span, ProblemKind::Missing(message.to_owned()));
    }
    let name = named.and_then(|entry| checked(&entry, problems, values::name_flaw));
    let deadline = get("deadline").and_then(|entry| entry.date(problems));
    let timezone =
        get("timezone").and_then(|entry| checked(&entry, problems, values::timezone_flaw));
    // Which one it names was read before all layers; here only that it is a name at all.
    if let Some(entry) = get("playbook") {
        entry.text(problems);
    }
    let state = get("state").and_then(|entry| checked(&entry, problems, state_flaw));
    FleetPart {
        name,
        deadline: deadline.unwrap_or(defaults.deadline),
        timezone: timezone.unwrap_or_else(|| defaults.timezone.clone()),
        managers: managers(
            get("manager").as_ref(),
            get("aliases")
                .filter(|entry| !is_default(&entry.key))
                .as_ref(),
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

/// Writes per second of the fleet, and the limits of a cluster without its own.
fn limits_section(
    top: &Section<'_>,
    defaults: &Defaults,
    problems: &mut Problems,
) -> (u32, Limits) {
    let read = settings::limits(top, problems);
    let limits = Limits {
        writes_per_second: read
            .cluster_writes_per_second
            .unwrap_or(defaults.limits.writes_per_second),
        in_flight: read.in_flight.unwrap_or(defaults.limits.in_flight),
    };
    let fleet = read.writes_per_second.unwrap_or(defaults.writes_per_second);
    (fleet, limits)
}

/// `[seal] key_file`.
fn seal_section(top: &Section<'_>, problems: &mut Problems) -> Option<PathBuf> {
    let entry = top
        .get("seal")?
        .section(&schema::SEAL, problems)?
        .get("key_file")?;
    let file = checked(&entry, problems, |file| {
        file.trim()
            .is_empty()
            .then(|| "name the file that holds the key".to_owned())
    })?;
    Some(PathBuf::from(file))
}

/// `[fleet] mode = "enforce"`: after all rules, take every conflict and prune every drop.
fn enforced(top: &Section<'_>, source: &Source<'_>, problems: &mut Problems) -> Vec<PolicyRule> {
    // Its other keys are read elsewhere, and their flaws are told there.
    let mut seen = Problems::of(schema::ALL);
    let section = top
        .get("fleet")
        .and_then(|entry| entry.section(&schema::FLEET, &mut seen));
    let Some(entry) = section.as_ref().and_then(|section| section.get("mode")) else {
        return Vec::new();
    };
    match entry.text(problems) {
        Some("enforce") => {
            let place = format!(
                "{}:{}",
                source.file(entry.span().start),
                source.place(entry.span().start).0
            );
            let rule = |action| super::policy::catch_all(place.clone(), action);
            vec![rule(PolicyAction::Take), rule(PolicyAction::Prune)]
        }
        Some("adopt") | None => Vec::new(),
        Some(other) => {
            let message = format!("mode \"{other}\" is neither adopt nor enforce");
            entry.flaw(problems, message);
            Vec::new()
        }
    }
}

/// A duration that is the one key of a section.
fn duration(
    top: &Section<'_>,
    section: &str,
    key: &str,
    shape: &Shape,
    problems: &mut Problems,
) -> Option<u32> {
    let section = top.get(section)?.section(shape, problems)?;
    let entry = section.get(key)?;
    let text = entry.text(problems)?;
    values::seconds(text)
        .map_err(|message| entry.flaw(problems, message))
        .ok()
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
