//! One file to a playbook: every flaw at once, each with its place.

use std::collections::BTreeMap;

use super::texts::{Text, flaw_of};
use super::{Origin, Playbook};
use crate::toml_file::{
    ConfigInvalid, Entry, Problems, Section, Shape, Source, parse, settings, values,
};

/// The file itself.
const TOP: Shape = Shape {
    section: "",
    now: &[
        "summary", "when", "texts", "waves", "risk", "gates", "budget", "limits",
    ],
    later: &[],
};
/// `[texts]`
const TEXTS: Shape = Shape {
    section: "texts",
    now: &["plan", "approve", "failed", "done"],
    later: &[],
};

/// Every section, for guesses.
const ALL: &[&Shape] = &[
    &TOP,
    &TEXTS,
    &settings::WAVES,
    &settings::STAGES,
    &settings::CANARY,
    &settings::RISK,
    &settings::WEIGHTS,
    &settings::GATES,
    &settings::BUDGET,
    &settings::LIMITS,
];

/// Sections of a playbook with their keys, for its schema; the file itself has an empty name.
#[cfg(test)]
pub(crate) fn sections() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    ALL.iter().map(|shape| (shape.section, shape.now))
}

/// Sections of fleet.toml that say what a fleet is, and not how it is moved.
const OF_FLEETS: &[&str] = &[
    "fleet", "clusters", "windows", "freezes", "peers", "cost", "plan", "undo", "depends", "policy",
];

/// Cap on a playbook's file, in bytes: the built-in ones have two thousand.
const MAX_BYTES: usize = 256 << 10;

/// Longest line of `summary` and `when`: they stand in the last column of a table.
const MAX_LINE: usize = 200;

/// Reads a playbook's file.
pub(super) fn playbook(name: &str, text: &str, origin: &Origin) -> Result<Playbook, ConfigInvalid> {
    let file = origin.file(name);
    if text.len() > MAX_BYTES {
        let message = format!(
            "the file has {} bytes; at most {MAX_BYTES} are read",
            text.len()
        );
        return Err(ConfigInvalid::whole_file(&file, message));
    }
    let source = Source::new(&file, text);
    let mut problems = Problems::of(ALL);
    if let Some(flaw) = values::name_flaw(name) {
        problems.missing(0..0, format!("{flaw}: rename the file"));
    }
    let mut root = parse(text, 0, &mut problems);
    for key in OF_FLEETS {
        if let Some((key, value)) = root.remove_entry(*key) {
            let message = "this belongs into fleet.toml: it says what the fleet is";
            problems.invalid(key.span(), key.span().start..value.span().end, message);
        }
    }
    let top = Section::open(&root, 0..0, &TOP, &mut problems);
    let summary = line(
        &top,
        "summary",
        "what is it? Add summary = \"…\"",
        &mut problems,
    );
    let when = line(
        &top,
        "when",
        "for which fleets? Add when = \"…\"",
        &mut problems,
    );
    let texts = texts(&top, &source, &mut problems);
    let settings = settings::settings(&top, name, &mut problems);
    let limits = settings::limits(&top, &mut problems);
    if problems.is_empty() {
        Ok(Playbook {
            name: name.to_owned(),
            origin: origin.clone(),
            summary,
            when,
            texts,
            settings,
            limits,
            source: text.to_owned(),
        })
    } else {
        Err(problems.finish(&source))
    }
}

/// A line for people. It must be there.
fn line(top: &Section<'_>, key: &str, missing: &str, problems: &mut Problems) -> String {
    let Some(entry) = top.get(key) else {
        problems.missing(0..0, missing.to_owned());
        return String::new();
    };
    let Some(text) = entry.text(problems) else {
        return String::new();
    };
    if text.contains('\n') || text.chars().count() > MAX_LINE {
        entry.flaw(
            problems,
            format!("one line of at most {MAX_LINE} characters is needed"),
        );
    }
    text.to_owned()
}

fn texts(
    top: &Section<'_>,
    source: &Source<'_>,
    problems: &mut Problems,
) -> BTreeMap<Text, String> {
    let mut found = BTreeMap::new();
    let Some(section) = top.get("texts").and_then(|it| it.section(&TEXTS, problems)) else {
        return found;
    };
    for text in Text::ALL {
        let Some(entry) = section.get(text.key()) else {
            continue;
        };
        let Some(template) = entry.text(problems) else {
            continue;
        };
        if let Some(flaw) = flaw_of(text, template) {
            let place = within(&entry, template, flaw.at.as_ref(), source);
            entry.flaw_at(problems, place, flaw.message);
        }
        found.insert(text, template.to_owned());
    }
    found
}

/// Where a flaw of a template is in the file: exact if the file has the template as it is, without escapes.
fn within(
    entry: &Entry<'_>,
    template: &str,
    at: Option<&std::ops::Range<usize>>,
    source: &Source<'_>,
) -> std::ops::Range<usize> {
    let value = entry.value_span();
    let inner = source.text(&value).and_then(|raw| raw.find(template));
    match (inner, at) {
        (Some(inner), Some(at)) => {
            let base = value.start + inner;
            base + at.start..base + at.end
        }
        _ => value,
    }
}
