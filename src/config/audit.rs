//! `[audit]`: what the gates of `refit audit` do not ask for.

use std::collections::BTreeSet;

use super::schema;
use crate::domain::fleet::DrivenBy;
use crate::toml_file::{Problems, Section, closest};

/// `expect`: drivers that are meant to stay.
pub(super) fn expect(top: &Section<'_>, problems: &mut Problems) -> BTreeSet<DrivenBy> {
    let entry = top
        .get("audit")
        .and_then(|entry| entry.section(&schema::AUDIT, problems))
        .and_then(|section| section.get("expect"));
    let Some(entry) = entry else {
        return BTreeSet::new();
    };
    let mut drivers = BTreeSet::new();
    for (word, place) in entry.texts(problems).unwrap_or_default() {
        let found = DrivenBy::ALL
            .into_iter()
            .find(|driver| driver.word() == word);
        match found {
            Some(driver) if drivers.insert(driver) => {}
            Some(driver) => {
                entry.flaw_at(problems, place, format!("\"{driver}\" stands here twice"));
            }
            None => {
                let known = DrivenBy::ALL.map(DrivenBy::word);
                let guess = closest(word, known.iter().copied()).map_or_else(
                    || format!("there are {}", known.join(", ")),
                    |guess| format!("did you mean {guess}?"),
                );
                entry.flaw_at(
                    problems,
                    place,
                    format!("no driver is called \"{word}\"; {guess}"),
                );
            }
        }
    }
    drivers
}
