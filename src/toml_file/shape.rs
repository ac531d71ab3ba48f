//! What a section may hold, and what an unknown key may have been meant to be.

/// What a section may hold.
pub struct Shape {
    /// `limits`, `clusters.limits`; empty for the file itself.
    pub section: &'static str,
    /// Keys that this refit reads.
    pub now: &'static [&'static str],
    /// Keys of later work: refused, and not as typing errors.
    pub later: &'static [&'static str],
}

/// Sections that are lists: they are repeated, in two brackets.
const LISTS: &[&str] = &["clusters", "waves.stages", "peers", "depends", "policy"];

/// Likeness from which a guess is worth printing: `writes_per_sec` is 0.82 of `writes_per_second`.
const LIKE: f64 = 0.6;

impl Shape {
    /// What an unknown key may have been meant to be; `family` is every section of the file.
    pub fn hint(&self, key: &str, family: &[&Self]) -> String {
        let plain = key.to_lowercase().replace('-', "_");
        let here = self.now.iter().chain(self.later).copied();
        if let Some(guess) = closest(&plain, here) {
            return format!("did you mean {guess}?");
        }
        let home = family.iter().find(|shape| shape.now.contains(&&*plain));
        match home {
            Some(shape) if LISTS.contains(&shape.section) => {
                format!("it belongs under [[{}]]", shape.section)
            }
            Some(shape) if shape.section.is_empty() => {
                format!("[{plain}] is a section of its own")
            }
            Some(shape) => format!("it belongs under [{}]", shape.section),
            None => format!("there are {}", self.now.join(", ")),
        }
    }
}

/// The most similar word, if any is similar.
pub fn closest<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    words
        .map(|other| (strsim::normalized_damerau_levenshtein(word, other), other))
        .filter(|(likeness, _)| *likeness >= LIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, other)| other)
}
