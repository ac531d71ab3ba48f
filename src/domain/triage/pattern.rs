//! Patterns of rules: a text in which `*` stands for any run of characters.
//!
//! Nothing else is special, so that a field path is written as the server writes it, list keys and dots of annotation
//! names included: `.spec.template.spec.containers[*].image`, `.metadata.annotations.*`.

use std::fmt;

/// A pattern. It matches the whole text or nothing of it; upper and lower case differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(String);

impl Pattern {
    /// Every text is a pattern.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Does it match? Text times stars at worst.
    pub fn matches(&self, text: &str) -> bool {
        let Some((head, rest)) = self.0.split_once('*') else {
            return self.0 == text;
        };
        let Some(mut left) = text.strip_prefix(head) else {
            return false;
        };
        let mut parts = rest.split('*').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return left.ends_with(part);
            }
            // The first place is as good as any: what is left over is only longer.
            let Some(at) = left.find(part) else {
                return false;
            };
            left = left.get(at + part.len()..).unwrap_or_default();
        }
        true
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_star_is_special() {
        let image = Pattern::new(".spec.template.spec.containers[*].image");
        assert!(image.matches(r#".spec.template.spec.containers[name="app"].image"#));
        assert!(!image.matches(r#".spec.template.spec.containers[name="app"].imagePullPolicy"#));
        assert!(!image.matches(r#".spec.template.spec.initContainers[name="app"].image"#));
        assert!(Pattern::new("*/scale").matches("kubectl/scale"));
        assert!(!Pattern::new("*/scale").matches("kubectl"));
        assert!(Pattern::new("").matches(""));
        assert!(!Pattern::new("a*a").matches("a"));
        assert!(Pattern::new("*b*b").matches("abb"));
    }

    /// The definition, without cleverness.
    fn slow(pattern: &[char], text: &[char]) -> bool {
        match (pattern.first(), text.first()) {
            (None, None) => true,
            (Some('*'), _) => {
                slow(&pattern[1..], text) || (!text.is_empty() && slow(pattern, &text[1..]))
            }
            (Some(a), Some(b)) => a == b && slow(&pattern[1..], &text[1..]),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_definition(pattern in "[ab*]{0,6}", text in "[ab]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(
                Pattern::new(pattern.clone()).matches(&text),
                slow(&chars(&pattern), &chars(&text))
            );
        }

        #[test]
        fn no_text_panics(pattern in ".*", text in ".*") {
            let _ = Pattern::new(pattern).matches(&text);
        }
    }
}
