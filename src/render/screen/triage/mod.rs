//! `refit triage`: the causes of a fleet, one cause in full, and policy rules as TOML.

mod one;
mod toml;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::plan::outcome_word;
use super::{Unreadable, part};
use crate::domain::ids::ClusterName;
use crate::domain::release::ChartRef;
use crate::domain::shadow::Forecast;
use crate::domain::triage::{Cause, Decides, Question, Triage};
use crate::render::{Column, Document, Next, Record, Role, Span, Table, text};

pub use toml::policies;

/// What the screens show.
#[derive(Debug, Clone)]
pub struct TriageScreen<'a> {
    /// The fleet's name.
    pub fleet: &'a str,
    /// The causes.
    pub triage: &'a Triage,
    /// When the forecast was made.
    pub taken_at: Timestamp,
    /// Clusters that were not read, and why.
    pub unread: &'a BTreeMap<ClusterName, String>,
    /// The file that it is made from, to go on with; `None`: the clusters were asked.
    pub from: Option<String>,
    /// Show causes that hold nothing too.
    pub notes: bool,
    /// refit's version.
    pub tool: &'a str,
}

/// A release of a saved `ForecastList`.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedForecast {
    /// Its forecast.
    pub forecast: Forecast,
    /// Its chart.
    pub chart: ChartRef,
}

/// What a saved `ForecastList` holds.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedForecasts {
    /// The fleet's name.
    pub fleet: String,
    /// When it was made.
    pub taken_at: Timestamp,
    /// Its releases.
    pub releases: Vec<SavedForecast>,
    /// Clusters that were not read, and why.
    pub unread: BTreeMap<ClusterName, String>,
}

/// Reads a `ForecastList`, as `refit shadow -o json` and `--save` write it.
pub fn read_forecasts(document: &Value) -> Result<SavedForecasts, Unreadable> {
    let items: Vec<Value> = part(document, "/items")?;
    let releases = items
        .iter()
        .map(|item| {
            Ok(SavedForecast {
                forecast: part(item, "")?,
                chart: part(item, "/chart")?,
            })
        })
        .collect::<Result<_, Unreadable>>()?;
    Ok(SavedForecasts {
        fleet: part(document, "/metadata/fleet")?,
        taken_at: part(document, "/metadata/takenAt")?,
        releases,
        unread: match document.pointer("/unread") {
            Some(_) => part(document, "/unread")?,
            None => BTreeMap::new(),
        },
    })
}

impl TriageScreen<'_> {
    /// Every cause, the questions, and where to go on: kind `CauseList`.
    pub fn document(&self) -> Document {
        let mut document = self
            .head()
            .text(self.summary())
            .listing(columns(), self.triage.causes.iter().map(record));
        for question in self
            .triage
            .causes
            .iter()
            .filter_map(|it| it.question.as_ref())
        {
            document = ask(document.gap(), question);
        }
        let notes = &self.triage.notes;
        if self.notes && !notes.is_empty() {
            document = document
                .gap()
                .text("These hold nothing today; a release counts under each that it has:")
                .table(self.notes_table());
        }
        document = document.field("notes", json!(notes));
        if !self.notes && !notes.is_empty() {
            document = document.total([Span::plain(format!(
                "{} that hold nothing today: --notes.",
                text::counted(text::len(notes), "more cause")
            ))]);
        }
        self.after(document)
    }

    /// One cause in full. `None` if nothing has it.
    pub fn cause(&self, name: &str) -> Option<Document> {
        let causes = self.triage.named(name);
        if causes.is_empty() {
            return None;
        }
        let mut document = self.head().field("items", json!(causes)).names(
            causes
                .iter()
                .flat_map(|it| it.releases.iter().chain(&it.also))
                .map(ToString::to_string),
        );
        for (place, cause) in causes.into_iter().enumerate() {
            if place > 0 {
                document = document.gap();
            }
            document = one::explain(document, cause, place > 0);
        }
        Some(self.warnings(document.total([Span::plain("0 writes.")])))
    }

    /// Policy rules that settle causes, as a document for programs: kind `PolicyList`.
    pub fn rules(&self) -> Document {
        let rules: Vec<Value> = self.triage.rules().iter().map(|it| json!(it.1)).collect();
        Document::new("PolicyList").field("items", rules)
    }

    /// The same as TOML for fleet.toml.
    pub fn rules_toml(&self) -> String {
        toml::settled(self.triage)
    }

    /// Is any release held, or any cluster unread?
    pub fn has_findings(&self) -> bool {
        self.triage.totals.held > 0 || !self.unread.is_empty()
    }

    fn head(&self) -> Document {
        Document::new("CauseList")
            .field(
                "metadata",
                json!({"fleet": self.fleet, "takenAt": text::time(self.taken_at), "tool": self.tool}),
            )
            .field("summary", self.totals())
            .field("unread", json!(self.unread))
    }

    fn totals(&self) -> Value {
        let totals = &self.triage.totals;
        json!({
            "releases": totals.releases,
            "held": totals.held,
            "causes": totals.causes,
            "rules": {"causes": totals.rules.0, "releases": totals.rules.1},
            "questions": {"causes": totals.questions.0, "releases": totals.questions.1},
            "elsewhere": totals.elsewhere,
            "fixes": totals.fixes,
        })
    }

    /// `125 releases are held, 12 causes: 4 rules settle 68, …`
    fn summary(&self) -> String {
        let totals = &self.triage.totals;
        let of = text::counted(totals.releases, "release");
        if totals.held == 0 {
            return format!("0 of {of} are held: nothing to decide.");
        }
        let mut ways = Vec::new();
        let (rules, settled) = totals.rules;
        if rules > 0 {
            let settle = if rules == 1 { "settles" } else { "settle" };
            let rules = text::counted(rules, "rule");
            ways.push(format!("{rules} {settle} {}", text::count(settled)));
        }
        let (questions, waiting) = totals.questions;
        if questions > 0 {
            let questions = text::counted(questions, "question");
            ways.push(format!("{questions} {}", text::count(waiting)));
        }
        if totals.elsewhere > 0 {
            let elsewhere = text::count(totals.elsewhere);
            let are = if totals.elsewhere == 1 { "is" } else { "are" };
            ways.push(format!("{elsewhere} {are} driven elsewhere"));
        }
        if totals.fixes > 0 {
            let need = if totals.fixes == 1 { "needs" } else { "need" };
            ways.push(format!("{} {need} a fix", text::count(totals.fixes)));
        }
        format!(
            "{} of {of} are held, {}: {}.",
            text::count(totals.held),
            text::counted(totals.causes, "cause"),
            ways.join(", ")
        )
    }

    fn notes_table(&self) -> Table {
        let mut table = Table::new([
            Column::new("CAUSE"),
            Column::new("RELEASES"),
            Column::new("CLUSTERS").narrow(1),
            Column::new("FIX"),
        ]);
        for note in &self.triage.notes {
            table.row([
                Span::plain(&note.name),
                Span::plain(text::count(text::len(&note.releases))),
                Span::plain(text::count(text::len(&note.clusters))),
                Span::plain(&note.fix),
            ]);
        }
        table
    }

    fn after(&self, document: Document) -> Document {
        let mut document = self.warnings(document.total([Span::plain("0 writes.")]));
        let totals = &self.triage.totals;
        if totals.rules.0 > 0 {
            let beside = format!("prints rules for fleet.toml, settles {}", totals.rules.1);
            let rules = match self.from.clone() {
                Some(from) => Next::TriageRulesFrom { from },
                None => Next::TriageRules,
            };
            document = document.next(rules, beside);
        }
        if self.triage.causes.iter().any(|it| !it.patches.is_empty()) {
            let folder = "patches".to_owned();
            let patches = match self.from.clone() {
                Some(from) => Next::TriagePatchesFrom { from, folder },
                None => Next::TriagePatches { folder },
            };
            document = document.next(patches, "writes the patches to make elsewhere");
        }
        if let Some(first) = self.triage.causes.first() {
            let cause = first.name.clone();
            let one = match self.from.clone() {
                Some(from) => Next::TriageCauseFrom { from, cause },
                None => Next::TriageCause { cause },
            };
            document = document.next(one, "one cause in full");
        }
        document
    }

    fn warnings(&self, mut document: Document) -> Document {
        for (cluster, why) in self.unread {
            document = document.warning(format!("{cluster} not read: {why}"));
        }
        document
    }
}

fn columns() -> Vec<Column> {
    vec![
        Column::new("CAUSE"),
        Column::new("RELEASES"),
        Column::new("ALSO").narrow(1),
        Column::new("CLUSTERS").narrow(2),
        Column::new("OUTCOME").wide(),
        Column::new("DECIDES"),
        Column::new("FIX"),
    ]
}

fn record(cause: &Cause) -> Record {
    let fix = match &cause.question {
        Some(question) => format!("question {}: {}", question.number, cause.fix),
        None => cause.fix.clone(),
    };
    let decides = match cause.decides {
        Decides::Rule => Span::with("rule", Role::Good),
        Decides::You => Span::with("you", Role::Attention),
        other => Span::plain(other.word()),
    };
    Record {
        cells: vec![
            Span::plain(&cause.name),
            Span::plain(text::count(text::len(&cause.releases))),
            Span::plain(text::count(text::len(&cause.also))),
            Span::plain(text::count(text::len(&cause.clusters))),
            Span::state(outcome_word(cause.outcome)),
            decides,
            Span::plain(fix),
        ],
        json: json!(cause),
        name: Some(cause.name.clone()),
        only_wide: false,
    }
}

/// A question with its answers, a line each, in columns.
fn ask(mut document: Document, question: &Question) -> Document {
    document = document.text(format!("Question {}. {}", question.number, question.text));
    let rows: Vec<(&str, String, String)> = question
        .options
        .iter()
        .map(|option| {
            let policy = option.policy.map_or_else(
                || "elsewhere".to_owned(),
                |policy| format!("conflict = \"{}\"", policy.word()),
            );
            let then = match &*option.later {
                "" => format!("now {}", option.now),
                later => format!("now {}; {later}", option.now),
            };
            (option.answer.as_str(), policy, then)
        })
        .collect();
    let widest = |of: &dyn Fn(&(&str, String, String)) -> usize| rows.iter().map(of).max();
    let answers = widest(&|row| text::width(row.0)).unwrap_or(0);
    let policies = widest(&|row| text::width(&row.1)).unwrap_or(0);
    for (answer, policy, then) in &rows {
        let first = " ".repeat(answers.saturating_sub(text::width(answer)));
        let second = " ".repeat(policies.saturating_sub(text::width(policy)));
        document = document.text(format!("  {answer}{first}   {policy}{second}   {then}"));
    }
    document
}
