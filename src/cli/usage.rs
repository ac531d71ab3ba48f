//! Wrong usage: clap's complaints in the shape of refit's errors, and a guess for a wrong verb.

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::error::CliError;
use crate::render::Next;

/// Words that people try, with the verb they mean and why it is another one.
const GUESSES: &[(&str, &str, &str)] = &[
    (
        "apply",
        "run",
        "apply is what the API server does to an object; run carries a plan out",
    ),
    ("migrate", "run", "run carries a plan out"),
    (
        "upgrade",
        "run",
        "no chart is upgraded; run moves ownership",
    ),
    ("start", "run", "run carries a plan out"),
    ("exec", "run", "run carries a plan out"),
    ("list", "inventory", "inventory lists releases"),
    ("ls", "inventory", "inventory lists releases"),
    ("get", "inventory", "inventory lists releases"),
    ("scan", "inventory", "inventory reads the fleet's releases"),
    (
        "compare",
        "diff",
        "diff says what differs between two saved plans",
    ),
    ("causes", "triage", "triage says why releases are held"),
    ("forecast", "shadow", "shadow forecasts every release"),
    (
        "explain",
        "policy",
        "policy explain RELEASE says which rule decides",
    ),
    (
        "policies",
        "policy",
        "policy explain RELEASE says which rule decides",
    ),
    (
        "owners",
        "fields",
        "fields shows who owns what of an object",
    ),
    ("preview", "plan", "plan shows what would be done"),
    (
        "describe",
        "show",
        "show prints a saved plan, or one release of it",
    ),
    ("cat", "show", "show prints a saved plan"),
    ("continue", "resume", "resume goes on with a run"),
    ("retry", "resume", "resume goes on with a run"),
    ("revert", "undo", "undo puts releases back as they were"),
    ("abort", "undo", "undo puts releases back as they were"),
    ("watch", "status", "status says where a run is"),
    ("progress", "status", "status says where a run is"),
    ("runs", "status", "status lists runs"),
    ("history", "status", "status lists runs"),
    (
        "force-unlock",
        "unlock",
        "unlock removes the lock of a dead run",
    ),
    ("verify", "audit", "audit checks who owns the fields"),
    ("check", "audit", "audit checks who owns the fields"),
    (
        "completions",
        "completion",
        "completion prints a script for your shell",
    ),
];

/// An error for what clap refused. `None` if it is no refusal but help or the version.
pub fn error(refused: &clap::Error) -> Option<CliError> {
    if !refused.use_stderr() {
        return None;
    }
    let context = |kind| match refused.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    };
    if refused.kind() == ErrorKind::InvalidSubcommand
        && let Some(word) = context(ContextKind::InvalidSubcommand)
    {
        return Some(wrong_verb(&word, context(ContextKind::SuggestedSubcommand)));
    }
    let rendered = refused.render().to_string();
    let mut lines = rendered
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let mut what = lines.next().unwrap_or("wrong usage").to_owned();
    // `the following required arguments were not provided:` and the arguments on lines of their own.
    if what.ends_with(':')
        && let Some(more) = lines.next()
    {
        what = format!("{what} {more}");
    }
    let mut error = CliError::usage(
        what.strip_prefix("error: ")
            .unwrap_or(&what)
            .trim_end_matches('.'),
    );
    for line in lines {
        if line.starts_with("For more information") {
            continue;
        }
        let line = line
            .strip_prefix("Usage: ")
            .map_or(line.to_owned(), |usage| format!("usage: {usage}"));
        error = error.because(line.strip_prefix("tip: ").unwrap_or(&line));
    }
    let verb = verb_of(&rendered);
    Some(error.next(Next::Help { topic: verb }))
}

/// The verb whose usage clap printed, or the page of all verbs.
fn verb_of(rendered: &str) -> String {
    let verbs = verbs();
    rendered
        .lines()
        .find_map(|line| line.trim().strip_prefix("Usage: refit "))
        .and_then(|usage| usage.split_whitespace().next())
        .filter(|word| verbs.iter().any(|verb| verb == word))
        .unwrap_or("verbs")
        .to_owned()
}

fn verbs() -> Vec<String> {
    super::Cli::command()
        .get_subcommands()
        .map(|verb| verb.get_name().to_owned())
        .collect()
}

/// A verb that does not exist: a guess, never a run.
pub fn wrong_verb(word: &str, suggested: Option<String>) -> CliError {
    let guess = GUESSES
        .iter()
        .find(|(tried, _, _)| *tried == word.to_ascii_lowercase());
    let error = |verb: &str| CliError::usage(format!("no verb \"{word}\"; did you mean {verb}?"));
    match (guess, suggested) {
        (Some((_, verb, why)), _) => error(verb).because(*why).next(Next::Help {
            topic: (*verb).to_owned(),
        }),
        (None, Some(verb)) => error(&verb).next(Next::Help { topic: verb }),
        (None, None) => CliError::usage(format!("no verb \"{word}\""))
            .because(format!("there are {}", verbs().join(", ")))
            .next(Next::Help {
                topic: "verbs".to_owned(),
            }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn refuse(line: &str) -> CliError {
        let refused = super::super::Cli::try_parse_from(line.split(' ')).unwrap_err();
        error(&refused).unwrap()
    }

    #[test]
    fn a_wrong_verb_gets_a_guess() {
        let apply = refuse("refit apply acme.plan.json");
        assert_eq!(apply.what, "no verb \"apply\"; did you mean run?");
        assert_eq!(apply.exit.code(), 1);
        assert_eq!(
            refuse("refit inventry").what,
            "no verb \"inventry\"; did you mean inventory?"
        );
        assert_eq!(refuse("refit xyzzy").what, "no verb \"xyzzy\"");
    }

    #[test]
    fn guesses_name_real_verbs_and_are_none_themselves() {
        let verbs = verbs();
        for (word, verb, _) in GUESSES {
            assert!(verbs.iter().any(|real| real == verb), "{verb}");
            assert!(!verbs.iter().any(|real| real == word), "{word} is a verb");
        }
    }

    #[test]
    fn a_wrong_flag_says_so_in_refits_shape() {
        let error = refuse("refit plan --sav x");
        assert!(error.what.contains("'--sav'"), "{}", error.what);
        assert_eq!(error.exit.code(), 1);
        assert!(
            error.why.iter().any(|line| line.contains("--save")),
            "{:?}",
            error.why
        );
        assert!(
            error.text(None).contains("next:  refit help plan\n"),
            "{}",
            error.text(None)
        );
        assert!(
            refuse("refit run").what.contains("required arguments"),
            "{}",
            refuse("refit run").what
        );
    }
}
