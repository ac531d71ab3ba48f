//! Output formats (`-o`) and how documents become JSON and YAML.

use serde_json::Value;

/// `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// A table for people; cut to the terminal, whole when piped.
    #[default]
    Table,
    /// The table with all columns, never cut.
    Wide,
    /// One JSON document.
    Json,
    /// The same as YAML.
    Yaml,
    /// Names only, one a line, in the form that every verb takes.
    Name,
}

impl Format {
    /// Is it for programs? Then totals and next commands stay away.
    pub const fn is_machine(self) -> bool {
        matches!(self, Self::Json | Self::Yaml | Self::Name)
    }
}

/// A JSON text with a line end. Keys are sorted, so that two outputs can be compared.
pub fn json(value: &Value) -> String {
    // `Value` has string keys and finite numbers only: it always serializes.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// The same as YAML.
pub fn yaml(value: &Value) -> Result<String, YamlError> {
    let mut text = serde_saphyr::to_string(value).map_err(|error| YamlError(error.to_string()))?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

/// The emitter refused a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the document cannot be written as YAML: {0}")]
pub struct YamlError(String);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn yaml_keeps_texts_texts() {
        let value = json!({"items": [], "a": "no", "b": "012", "c": "1e3", "d": "", "e": "x: y", "f": "null",
            "g": "2026-11-23", "h": "- a", "i": " lead", "j": "two\nlines", "k": "~", "l": "0o17", "m": 3, "n": true,
            "o": "on", "p": "1:30", "q": "=", "r": "# c", "s": "y", "t": "0x1F", "u": "1_000", "v": ".inf"});
        println!("{}", yaml(&value).unwrap());
    }
}
