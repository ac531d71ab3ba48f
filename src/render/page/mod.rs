//! A plan as one HTML page: no network, readable on paper, light and dark. The template is `templates/plan.html`.
//!
//! The template holds all markup and no arithmetic; `view` holds all texts and numbers; `chart` places the calendar.
//! Every text is escaped by the template engine: names of a cluster cannot write markup.

mod chart;
mod view;

use minijinja::{Environment, ErrorKind, UndefinedBehavior};

use crate::domain::plan::Plan;

/// The template.
const TEMPLATE: &str = include_str!("../../../templates/plan.html");

/// Its name: the ending switches escaping for HTML on.
const NAME: &str = "plan.html";

/// The page could not be made: a fault of the template, and so of refit.
#[derive(Debug, thiserror::Error)]
#[error("the page of the plan cannot be made, at line {line} of its template: {kind}")]
pub struct PageFailed {
    /// Line of the template; 0 if it is not known.
    line: usize,
    /// What is wrong.
    kind: ErrorKind,
}

/// The page of a plan. `file` is the plan's file, for the command that runs it. Linear in the plan.
pub fn page(plan: &Plan, file: &str) -> Result<String, PageFailed> {
    let failed = |error: &minijinja::Error| PageFailed {
        line: error.line().unwrap_or(0),
        kind: error.kind(),
    };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
        .render_named_str(
            NAME,
            TEMPLATE,
            minijinja::Value::from(minijinja::value::Serde(view::View::of(plan, file))),
        )
        .map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests;
