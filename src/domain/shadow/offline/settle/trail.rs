//! Where a walk stands: one text, so that a step costs no allocation.

use std::fmt::Write as _;

/// A path that grows and shrinks by one element.
#[derive(Default)]
pub(super) struct Trail {
    text: String,
    /// Where each element begins.
    starts: Vec<usize>,
}

impl Trail {
    /// Steps into a field.
    pub(super) fn field(&mut self, name: &str) {
        self.starts.push(self.text.len());
        self.text.push('.');
        self.text.push_str(name);
    }

    /// Steps into a list.
    pub(super) fn index(&mut self, index: usize) {
        self.starts.push(self.text.len());
        // Writing into a String cannot fail.
        let _ = write!(self.text, "[{index}]");
    }

    /// Steps back.
    pub(super) fn back(&mut self) {
        self.text.truncate(self.starts.pop().unwrap_or_default());
    }

    /// The whole path: `.spec.containers[0]`.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// How many elements.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Its first element.
    pub(super) fn first(&self) -> &str {
        let end = self.starts.get(1).copied();
        self.text
            .get(..end.unwrap_or(self.text.len()))
            .unwrap_or_default()
    }

    /// Its last element.
    pub(super) fn last(&self) -> &str {
        let start = self.starts.last().copied().unwrap_or_default();
        self.text.get(start..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_lead_there_and_back() {
        let mut trail = Trail::default();
        assert_eq!((trail.first(), trail.last(), trail.len()), ("", "", 0));
        trail.field("spec");
        trail.index(12);
        trail.field("a.b");
        assert_eq!(trail.text(), ".spec[12].a.b");
        assert_eq!(
            (trail.first(), trail.last(), trail.len()),
            (".spec", ".a.b", 3)
        );
        trail.back();
        trail.back();
        assert_eq!(
            (trail.text(), trail.first(), trail.last()),
            (".spec", ".spec", ".spec")
        );
    }
}
