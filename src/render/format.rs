//! Output formats (`-o`) and how documents become JSON and YAML.

use serde_json::Value;

/// `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// A table for people; cut to the terminal, whole when piped.
    #[default]
    #[value(alias = "text")]
    Table,
    /// The table with all columns, never cut.
    Wide,
    /// One JSON document.
    Json,
    /// The same as YAML.
    Yaml,
    /// Names only, one a line, in the form that every verb takes.
    Name,
    /// Graphviz's language (graph).
    Dot,
    /// A picture (graph).
    Svg,
}

impl Format {
    /// Is it for programs? Then totals and next commands stay away.
    pub const fn is_machine(self) -> bool {
        matches!(
            self,
            Self::Json | Self::Yaml | Self::Name | Self::Dot | Self::Svg
        )
    }
}

/// A JSON text with a line end. Keys are sorted, so that two outputs can be compared.
pub fn json(value: &impl serde::Serialize) -> String {
    // Values have string keys and finite numbers only: they always serialize.
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

    /// Words that a reader of YAML 1.1 (kubectl, Helm, PyYAML) would take for something else are quoted.
    #[test]
    fn yaml_keeps_texts_texts() {
        for word in [
            "no",
            "on",
            "y",
            "null",
            "~",
            "",
            "012",
            "0o17",
            "0x1F",
            "1e3",
            "1_000",
            "1:30",
            ".inf",
            "2026-11-23",
            "x: y",
            "- a",
            " lead",
            "# c",
            "=",
        ] {
            let text = yaml(&json!({"a": word})).unwrap();
            assert_eq!(text, format!("a: \"{word}\"\n"));
        }
        let value =
            json!({"items": [], "n": 3, "yes": true, "none": null, "list": [{"a": "two\nlines"}]});
        let text =
            "items: []\nlist:\n- a: |-\n    two\n    lines\n\"n\": 3\nnone: null\n\"yes\": true\n";
        assert_eq!(yaml(&value).unwrap(), text);
    }
}
