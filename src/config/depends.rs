//! `[[depends]]` and `[graph]`: the order among releases that somebody declares.

use toml::de::DeValue;

use super::schema;
use crate::domain::fleet::{Depends, PlacedGlob, ReleaseGlob};
use crate::toml_file::{Entry, ProblemKind, Problems, Section, Source};

/// Reads every `[[depends]]`.
pub(super) fn depends(
    top: &Section<'_>,
    source: &Source<'_>,
    problems: &mut Problems,
) -> Vec<Depends> {
    let Some(entry) = top.get("depends") else {
        return Vec::new();
    };
    if entry.is_table() {
        entry.flaw_at(
            problems,
            entry.key.clone(),
            "write [[depends]], with two brackets",
        );
        return Vec::new();
    }
    let mut found: Vec<Depends> = Vec::new();
    for item in entry.array(problems).unwrap_or_default() {
        let DeValue::Table(table) = item.get_ref() else {
            entry.flaw_at(problems, item.span(), "write each under [[depends]]");
            continue;
        };
        let section = Section::open(table, item.span(), &schema::DEPENDS, problems);
        let (release, on) = (section.get("release"), section.get("on"));
        for (key, missing) in [("release", release.is_none()), ("on", on.is_none())] {
            if missing {
                let message = format!("{key} is missing: add {key} = \"cluster/namespace/name\"");
                let span = section.span.clone();
                problems.add(span.clone(), span, ProblemKind::Missing(message));
            }
        }
        let (Some(release), Some(on)) = (release, on) else {
            continue;
        };
        let globs = (
            glob(&release, source, problems),
            glob(&on, source, problems),
        );
        let (Some(who), Some(for_whom)) = globs else {
            continue;
        };
        if who.glob == for_whom.glob && !who.glob.contains(['*', '?', '[', '{']) {
            let message = format!("{} cannot wait for itself", who.glob);
            on.flaw(problems, message);
            continue;
        }
        found.push(Depends {
            release: who,
            on: for_whom,
        });
    }
    found
}

fn glob(entry: &Entry<'_>, source: &Source<'_>, problems: &mut Problems) -> Option<PlacedGlob> {
    let text = entry.text(problems)?;
    match ReleaseGlob::parse(text) {
        Ok(_) => {
            let at = entry.value_span().start;
            let (line, column) = source.place(at);
            Some(PlacedGlob {
                glob: text.to_owned(),
                place: format!("{}:{line}:{column}", source.file(at)),
            })
        }
        Err(refused) => {
            entry.flaw(problems, refused.to_string());
            None
        }
    }
}

/// Reads `[graph] cut_inferred`; `default` holds where nothing is said.
pub(super) fn cut_inferred(top: &Section<'_>, default: bool, problems: &mut Problems) -> bool {
    top.get("graph")
        .and_then(|entry| entry.section(&schema::GRAPH, problems))
        .and_then(|section| section.get("cut_inferred"))
        .and_then(|entry| entry.truth(problems))
        .unwrap_or(default)
}
