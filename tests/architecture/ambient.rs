//! Time and environment come in from the outside: the few files that may ask for them.

use super::names::census;
use super::tree::{shown, within};

/// Types whose `now` reads the wall clock.
const CLOCKS: &[&str] = &["SystemTime", "Timestamp", "Zoned"];

/// May read the wall clock. Everybody else is handed an instant, or `engine::ports::Clock`.
const MAY_TELL_TIME: &[&str] = &["cli::context", "cli::wire"];

/// Functions that read the environment.
const ENVIRONMENT: &[&str] = &["var", "var_os", "vars", "vars_os"];

/// May read the environment.
const MAY_READ_ENVIRONMENT: &[&str] = &["cli::env", "cluster::kube::kubeconfig"];

/// Parts whose answers depend on nothing but their arguments; they do not even measure a duration.
const PURE: &[&str] = &["domain", "helm", "config", "render"];

#[test]
fn only_the_lawful_places_tell_the_time() {
    each_name(|module, path| match path {
        [.., kind, now] if now == "now" && CLOCKS.contains(&kind.as_str()) => {
            (!lawful(module, MAY_TELL_TIME))
                .then(|| format!("reads the clock; only {} may", MAY_TELL_TIME.join(", ")))
        }
        [.., kind, now] if now == "now" && kind == "Instant" => {
            lawful(module, PURE).then(|| format!("measures time, and {} are pure", PURE.join(", ")))
        }
        _ => None,
    });
}

#[test]
fn only_the_lawful_places_read_the_environment() {
    each_name(|module, path| match path {
        [.., env, function] if env == "env" && ENVIRONMENT.contains(&function.as_str()) => {
            (!lawful(module, MAY_READ_ENVIRONMENT)).then(|| {
                format!(
                    "reads the environment; only {} may",
                    MAY_READ_ENVIRONMENT.join(", ")
                )
            })
        }
        _ => None,
    });
}

fn lawful(module: &[String], places: &[&str]) -> bool {
    places.iter().any(|place| within(module, place))
}

/// Holds every outside name of `src/`, test modules left out, against a rule that answers with what is wrong.
fn each_name(rule: impl Fn(&[String], &[String]) -> Option<String>) {
    let mut broken = Vec::new();
    for file in &census().files {
        for (name, path) in file.outside() {
            if !name.test
                && let Some(why) = rule(&file.module, path)
            {
                broken.push(format!(
                    "{}:{}: `{}` in `{}` {why}",
                    file.path,
                    name.line,
                    path.join("::"),
                    shown(&file.module)
                ));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
