//! The reference page of all built-in causes: docs/reference/causes.md.

use std::fmt::Write as _;

use crate::domain::triage::{Decides, Rule};
use crate::playbook::triage::built_in;

/// Who decides, in words.
const WHO: [(Decides, &str); 5] = [
    (
        Decides::Rule,
        "a policy rule settles it; `refit triage --rules` prints the rule",
    ),
    (
        Decides::You,
        "somebody must say who is right: a question, whose answers are policies",
    ),
    (
        Decides::Elsewhere,
        "another tool drives the release: change it over there; `--patches DIR` writes patches",
    ),
    (Decides::Chart, "the chart must change"),
    (
        Decides::Operator,
        "somebody must do something to the cluster or to fleet.toml",
    ),
];

/// The page, below its first line.
pub(in crate::cli) fn causes_page() -> String {
    let mut out = String::from(
        "# Causes\n\nThe built-in rules of `refit triage` (`playbooks/triage.toml`), in their order: the first that takes a \
         finding names its cause.\nA release counts once, under its gravest cause. A file `triage.toml` beside fleet.toml, or \
         `--rules-from FILE`, adds rules before these.\n\n| Decides | |\n|---|---|\n",
    );
    for (who, words) in WHO {
        let _ = writeln!(out, "| {who} | {words} |");
    }
    out.push_str("\n| Cause | Decides | |\n|---|---|---|\n");
    let rules = built_in().unwrap();
    for rule in rules.all() {
        let (name, about) = (&rule.name, escape(&rule.about));
        let _ = writeln!(out, "| [{name}](#{name}) | {} | {about} |", rule.decides);
    }
    for rule in rules.all() {
        section(&mut out, rule);
    }
    out
}

fn section(out: &mut String, rule: &Rule) {
    let _ = writeln!(out, "\n## {}\n\n{}\n", rule.name, escape(&rule.about));
    let _ = writeln!(
        out,
        "Decides: {}. Fix: {}\n",
        rule.decides,
        plain(&rule.fix)
    );
    let full = plain(&rule.full);
    for line in full.trim().lines() {
        // A line of its own that is a setting or a step stays one.
        let breaks = line.starts_with('[') || line.starts_with(|c: char| c.is_ascii_digit());
        let _ = writeln!(out, "{}{line}", if breaks { "\n" } else { "" });
    }
    for policy in &rule.policies {
        let parts = [
            ("kind", &policy.kind),
            ("field", &policy.field),
            ("owner", &policy.owner),
            ("namespace", &policy.namespace),
        ];
        let parts = parts
            .iter()
            .filter_map(|(key, text)| Some(format!("{key} = \"{}\"", plain(text.as_deref()?))));
        let mut parts: Vec<String> = parts.collect();
        parts.extend(
            policy
                .conflict
                .map(|it| format!("conflict = \"{}\"", it.word())),
        );
        parts.extend(policy.drop.map(|it| format!("drop = \"{}\"", it.word())));
        let _ = writeln!(out, "\nPolicy: `{}`", parts.join(", "));
    }
    if let Some(question) = &rule.question {
        let _ = writeln!(out, "\nQuestion: {}\n", plain(&question.text));
        for option in &question.options {
            let policy = option.policy.map_or(String::new(), |it| {
                format!(" (`conflict = \"{}\"`)", it.word())
            });
            let later = match &*option.later {
                "" => String::new(),
                later => format!("; {}", plain(later)),
            };
            let _ = writeln!(
                out,
                "- {}{policy}: now {}{later}",
                plain(&option.answer),
                plain(&option.now)
            );
        }
    }
}

/// A template for reading: what is filled in is `…`.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let close = match after.chars().next() {
            Some('{') => "}}",
            Some('%') => "%}",
            _ => {
                out.push('{');
                rest = after;
                continue;
            }
        };
        let Some((_, after)) = after.split_once(close) else {
            break;
        };
        if close == "}}" {
            out.push('…');
        }
        rest = after;
    }
    out.push_str(rest);
    escape(&out)
}

fn escape(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('<', "\\<")
        .replace('*', "\\*")
}
