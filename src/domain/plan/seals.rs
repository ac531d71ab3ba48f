//! Short checksums of a plan's parts: where was it edited?

use serde::{Deserialize, Serialize};

use super::digest::SEAL;

/// Eight hex digits for each part, and for each item of a list, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seals {
    /// Of the metadata, without digest.
    pub metadata: String,
    /// Of each wave: of its number and name, then of each release.
    pub waves: Vec<String>,
    /// Of each held release.
    pub held: String,
    /// Of each release that is done.
    pub done: String,
    /// Of the clusters that were not read.
    pub unread: String,
    /// Of the totals.
    pub summary: String,
    /// Of the calendar.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub calendar: String,
    /// Of the relaxations.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub relaxations: String,
    /// Of what is untested.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub untested: String,
}

impl Seals {
    /// The first place, as a JSON pointer, where the content is not what these seals were made of.
    pub(super) fn first_difference(&self, content: &Self) -> Option<String> {
        if self.metadata != content.metadata {
            return Some("/metadata".to_owned());
        }
        for at in 0..self.waves.len().max(content.waves.len()) {
            let (Some(was), Some(is)) = (self.waves.get(at), content.waves.get(at)) else {
                return Some(format!("/waves/{at}"));
            };
            match first_changed(was, is) {
                None => {}
                Some(0) => return Some(format!("/waves/{at}")),
                Some(item) => return Some(format!("/waves/{at}/releases/{}", item - 1)),
            }
        }
        for (name, was, is) in [
            ("held", &self.held, &content.held),
            ("done", &self.done, &content.done),
        ] {
            if let Some(item) = first_changed(was, is) {
                return Some(format!("/{name}/{item}"));
            }
        }
        for (name, was, is) in [
            ("unread", &self.unread, &content.unread),
            ("summary", &self.summary, &content.summary),
            ("calendar", &self.calendar, &content.calendar),
            ("relaxations", &self.relaxations, &content.relaxations),
            ("untested", &self.untested, &content.untested),
        ] {
            if was != is {
                return Some(format!("/{name}"));
            }
        }
        None
    }
}

/// Which of the seals in a row is the first that differs, or is missing on one side?
fn first_changed(was: &str, is: &str) -> Option<usize> {
    let (was, is) = (was.as_bytes(), is.as_bytes());
    let (mut left, mut right) = (was.chunks(SEAL), is.chunks(SEAL));
    let mut at = 0;
    loop {
        match (left.next(), right.next()) {
            (None, None) => return None,
            (a, b) if a == b => at += 1,
            _ => return Some(at),
        }
    }
}
