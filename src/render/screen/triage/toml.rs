//! Policy rules as TOML, ready for fleet.toml.

use std::fmt::Write as _;

use crate::domain::fleet::PolicyAction;
use crate::domain::triage::{PrintedRule, Triage};
use crate::render::text;

/// Rules, a blank line before each.
pub fn policies<'a>(rules: impl IntoIterator<Item = &'a PrintedRule>) -> String {
    let mut out = String::new();
    for rule in rules {
        out.push_str("\n[[policy]]\n");
        let mut line = |key: &str, value: Option<&str>| {
            if let Some(value) = value {
                // Foreign names reach this: on one line, and quoted as TOML wants it.
                let value = toml::Value::from(text::one_line(value));
                let _ = writeln!(out, "{key} = {value}");
            }
        };
        line("kind", rule.kind.as_deref());
        line("field", rule.field.as_deref());
        line("owner", rule.owner.as_deref());
        line("namespace", rule.namespace.as_deref());
        line("conflict", rule.conflict.map(PolicyAction::word));
        line("drop", rule.drop.map(PolicyAction::word));
        line("why", Some(&rule.why));
    }
    out
}

/// The rules that settle causes, each cause with a comment above.
pub(super) fn settled(triage: &Triage) -> String {
    let mut out = String::new();
    let mut last = "";
    for (cause, rule) in triage.rules() {
        if cause.name == last {
            out.push_str(&policies([rule]));
        } else {
            let releases = text::counted(text::len(&cause.releases), "release");
            let _ = writeln!(
                out,
                "\n# {}: {releases}. {}",
                cause.name,
                text::one_line(&cause.about)
            );
            last = &cause.name;
            out.push_str(policies([rule]).trim_start_matches('\n'));
        }
    }
    out
}
