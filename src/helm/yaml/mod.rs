//! YAML in exactly the dialect in which Helm reads a stored manifest: that of `sigs.k8s.io/yaml`, a fork of go-yaml 2.
//!
//! It is YAML 1.1 where it hurts: `y` and `on` are booleans (also as keys: `n: 1` is stored under `"false"`), `0644` is 420,
//! `1_000` is 1000; and no YAML at all in places: a merge `<<` overwrites what stands before it, the last of two equal keys
//! wins, `1.0` becomes the integer 1 on its way through JSON. Any other reading computes a wrong set of fields.
//!
//! | room | holds |
//! |---|---|
//! | `nodes` | text → tree of nodes (the event parser is granit-parser's), aliases unresolved |
//! | `decode` | tree → JSON: merges, keys, aliases within bounds |
//! | `scalar` | one scalar → value |
//! | `number` | numbers as Go reads and prints them |
//!
//! A Go program that links the original library is the oracle: `tests/tools/yaml-oracle`.
mod decode;
mod nodes;
mod number;
mod scalar;

use serde_json::Value;

/// The deepest nesting that is read, aliases followed.
///
/// Helm stops at 10,000. Nothing in Kubernetes comes near: the deepest schemas of custom resources nest to about 60; and
/// serde_json, through which the value goes elsewhere, stops at 128.
pub const DEPTH_MAX: usize = 120;

/// The most bytes of text that one document may expand to through aliases: the largest record that is decompressed at all.
pub const EXPANDED_MAX: usize = super::inflate::INFLATED_MAX;

/// Why a document cannot be read. Says where and in which way; never shows a value, for it may be a Secret's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct YamlError {
    /// Line in the document, from 1.
    pub line: usize,
    /// What is wrong there.
    pub fault: YamlFault,
}

/// What can be wrong with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum YamlFault {
    /// Not YAML.
    #[error("malformed YAML")]
    Malformed,
    /// A character that YAML does not allow unescaped.
    #[error("control characters are not allowed")]
    ControlCharacter,
    /// NEL, LS or PS: line ends in YAML 1.1 and not in 1.2. Refused, since the parser reads 1.2 here and Helm 1.1.
    #[error(
        "a line ends in an unusual way (U+0085, U+2028 or U+2029), which refit does not read as Helm does"
    )]
    LineEnd,
    /// Punctuation that YAML 1.1 and 1.2 read differently, such as in `{a:}`, `[?a]` or `[!, b]`, or a byte order mark at
    /// the begin of a line. Refused, as above.
    #[error(
        "punctuation inside of brackets, after a tag or at the begin of a line that refit does not read as Helm does: add blanks"
    )]
    Unclear,
    /// Nested deeper than [`DEPTH_MAX`].
    #[error("nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    /// Aliases expand out of proportion: Helm refuses this too.
    #[error("document contains excessive aliasing")]
    TooManyAliases,
    /// Aliases expand to more than [`EXPANDED_MAX`] bytes.
    #[error("aliases expand to more than {EXPANDED_MAX} bytes")]
    TooLarge,
    /// An anchor holds an alias to itself.
    #[error("an anchor contains itself")]
    Cycle,
    /// `<<` with something else than a mapping or a list of mappings.
    #[error("map merge requires map or sequence of maps as the value")]
    Merge,
    /// A key that JSON cannot have: null, a mapping, a list, an integer past 2^63.
    #[error("a key of a mapping is not a string, number or boolean")]
    Key,
    /// Two keys that are one in JSON, such as `1` and `"1"`: Helm keeps one of them, and another the next time.
    #[error("two keys of a mapping are the same once they are strings")]
    KeyTwice,
    /// A value that its tag does not fit.
    #[error("a value does not fit its tag")]
    Tag,
    /// `!!binary` with something else than base64.
    #[error("!!binary value contains invalid base64 data")]
    Binary,
    /// `.inf` or `.nan`, which JSON does not have.
    #[error("a number is infinite or none at all")]
    NotFinite,
    /// A `%YAML` directive with another version than 1.1.
    #[error("found incompatible YAML document")]
    Version,
}

/// Reads the first document of `text`; none or an empty one is null. Nothing after it is looked at.
///
/// O(n) without aliases; with them within [`EXPANDED_MAX`] and Helm's own bound on the share of aliased nodes.
pub fn read(text: &str) -> Result<Value, YamlError> {
    decode::decode(&nodes::parse(text)?)
}

#[cfg(test)]
mod tests;
