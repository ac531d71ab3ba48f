//! Placeholders of texts, by minijinja in strict mode: a name that does not exist is an error, not nothing.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};

use crate::domain::triage::{Facts, Wording};

/// Fills texts.
pub struct Jinja(Environment<'static>);

impl Jinja {
    /// Strict, without loaders: a text reaches nothing but its facts.
    pub fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let mut syntax = SyntaxConfig::builder();
        syntax
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true);
        // The default delimiters: they cannot be refused.
        if let Ok(syntax) = syntax.build() {
            environment.set_syntax(syntax);
        }
        environment.add_filter("counted", counted);
        Self(environment)
    }

    /// What is wrong with a text, if anything: it is filled with facts of one made-up finding.
    pub fn flaw(&self, text: &str) -> Option<String> {
        let word = || "x".to_owned();
        let sample = Facts {
            releases: 1,
            clusters: 1,
            objects: 1,
            release: word(),
            cluster: word(),
            namespace: word(),
            name: word(),
            chart: word(),
            charts: vec![word()],
            charts_counted: word(),
            kind: word(),
            kinds: vec![word()],
            kinds_counted: word(),
            group: word(),
            object: word(),
            field: word(),
            fields: vec![word()],
            fields_counted: word(),
            owner: word(),
            owners: vec![word()],
            owners_counted: word(),
            others: vec![word()],
            message: word(),
        };
        // With facts and without: what stands in one branch only is seen too.
        [&sample, &Facts::default()]
            .into_iter()
            .find_map(|facts| self.fill(text, facts).err())
    }
}

/// `1 object`, `2 objects`.
fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

impl Default for Jinja {
    fn default() -> Self {
        Self::new()
    }
}

impl Wording for Jinja {
    fn fill(&self, template: &str, facts: &Facts) -> Result<String, String> {
        if !["{{", "{%", "{#"]
            .iter()
            .any(|mark| template.contains(mark))
        {
            return Ok(template.to_owned());
        }
        self.0
            .render_str(template, Value::from(Serde(facts)))
            .map_err(|error| match error.detail() {
                Some(detail) => format!("{}: {detail}", error.kind()),
                None => error.kind().to_string(),
            })
    }
}
