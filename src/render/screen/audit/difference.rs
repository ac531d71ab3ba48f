//! Two captures: a row a change.

use serde_json::{Value, json};

use crate::domain::audit::{
    AuditDiff, Capture, DiffTotals, EntryId, FieldMove, ObjectChange, Presence, RecordState,
    ReleaseChange,
};
use crate::render::{Column, Document, Next, Record, Role, Span, text};

/// What the screen shows.
#[derive(Debug, Clone, Copy)]
pub struct DiffScreen<'a> {
    /// The older capture.
    pub before: &'a Capture,
    /// The newer one.
    pub after: &'a Capture,
    /// Their difference.
    pub diff: &'a AuditDiff,
}

impl DiffScreen<'_> {
    /// The document: kind `AuditDiff`.
    pub fn document(&self) -> Document {
        let records = self.diff.releases.iter().flat_map(release);
        let mut document = Document::new("AuditDiff")
            .field(
                "metadata",
                json!({"before": about(self.before), "after": about(self.after)}),
            )
            .field("summary", json!(self.diff.totals))
            .field("notCompared", json!(self.diff.not_compared))
            .listing(columns(), records)
            .total([Span::plain(total(&self.diff.totals))])
            .total([Span::plain(format!(
                "Between {} and {}. 0 writes.",
                text::time(self.before.taken_at),
                text::time(self.after.taken_at)
            ))]);
        for cluster in &self.diff.not_compared {
            document = document.warning(format!(
                "{cluster} is not compared: one of the two did not read it"
            ));
        }
        if self.before.taken_at > self.after.taken_at {
            document = document.warning(
                "the first of the two is the newer one: before and after are turned round",
            );
        }
        let slid = self.diff.releases.iter().find(|it| {
            let left = |it: &crate::domain::audit::Change<_>| {
                it.before == crate::domain::audit::Ownership::Apply
            };
            it.ownership.as_ref().is_some_and(left)
        });
        match slid {
            Some(slid) => document.next(
                Next::AuditRelease {
                    release: slid.release.to_string(),
                },
                "what moved it",
            ),
            None => document,
        }
    }
}

fn about(capture: &Capture) -> Value {
    json!({"fleet": capture.fleet, "takenAt": capture.taken_at, "clusters": capture.clusters.len(),
        "releases": capture.releases.len()})
}

fn total(totals: &DiffTotals) -> String {
    format!(
        "{} of {} changed: {} new, {} gone. {} changed owner on {}; {} came, {} went.",
        text::count(totals.changed),
        text::counted(totals.compared, "release"),
        text::count(totals.new_releases),
        text::count(totals.gone_releases),
        text::counted(totals.fields, "field"),
        text::counted(totals.objects, "object"),
        text::counted(totals.new_entries, "entry"),
        text::count(totals.gone_entries),
    )
}

fn columns() -> Vec<Column> {
    vec![
        Column::new("RELEASE"),
        Column::new("OBJECT"),
        Column::new("CHANGE"),
        Column::new("FIELDS"),
        Column::new("BEFORE"),
        Column::new("AFTER"),
        Column::new("NAMES").wide(),
    ]
}

/// The rows of a release: one for itself, one for each thing that its objects went through. The JSON item is the
/// release's and stands at its first row.
fn release(it: &ReleaseChange) -> Vec<Record> {
    let mut rows = Vec::new();
    let whole = |change: &str, before: Span, after: Span| Row {
        object: Span::none(),
        change: Span::plain(change),
        fields: None,
        before,
        after,
        names: None,
    };
    match it.presence {
        Presence::New => rows.push(whole("new-release", Span::none(), Span::none())),
        Presence::Gone => rows.push(whole("gone-release", Span::none(), Span::none())),
        Presence::Changed => {}
    }
    if let Some(change) = &it.ownership {
        let span = |class: crate::domain::audit::Ownership| Span::plain(format!("{class:?}"));
        rows.push(whole("class", span(change.before), span(change.after)));
    }
    if let Some(change) = &it.record {
        rows.push(whole(
            "revision",
            record(change.before.as_ref()),
            record(change.after.as_ref()),
        ));
    }
    for object in &it.objects {
        rows.extend(object_rows(object));
    }
    rows.into_iter()
        .enumerate()
        .map(|(place, row)| row.record(it, place == 0))
        .collect()
}

struct Row {
    object: Span,
    change: Span,
    fields: Option<usize>,
    before: Span,
    after: Span,
    names: Option<String>,
}

impl Row {
    fn record(self, release: &ReleaseChange, first: bool) -> Record {
        Record {
            cells: vec![
                Span::plain(release.release.to_string()),
                self.object,
                self.change,
                Span::or_none(self.fields.map(|count| count.to_string())),
                self.before,
                self.after,
                Span::or_none(self.names),
            ],
            json: if first { json!(release) } else { Value::Null },
            name: first.then(|| release.release.to_string()),
            only_wide: false,
        }
    }
}

fn record(state: Option<&RecordState>) -> Span {
    Span::or_none(state.map(|state| {
        let method = state.apply_method.as_deref().unwrap_or("unset");
        format!("{}/{method}/{}", state.revision, state.status)
    }))
}

fn object_rows(it: &ObjectChange) -> Vec<Row> {
    let object = || Span::plain(format!("{}/{}", it.object.kind, it.object.name));
    let row = |change: &str, role| Row {
        object: object(),
        change: Span::with(change, role),
        fields: None,
        before: Span::none(),
        after: Span::none(),
        names: None,
    };
    let mut rows = Vec::new();
    match it.presence {
        Presence::New => rows.push(row("new-object", Role::Attention)),
        Presence::Gone => rows.push(row("gone-object", Role::Bad)),
        Presence::Changed if it.recreated => rows.push(row("made-again", Role::Attention)),
        Presence::Changed => {}
    }
    rows.extend(it.fields.iter().map(|moved| Row {
        fields: Some(moved.fields.len()),
        before: owners(&moved.before),
        after: owners(&moved.after),
        names: Some(moved.fields.join(" ")),
        ..row("owner", change_role(moved))
    }));
    // An entry that came or went with its fields shows in them already; left are those that moved none.
    if it.fields.is_empty() && it.presence == Presence::Changed {
        rows.extend(it.gone_entries.iter().map(|entry| Row {
            before: Span::plain(id(entry)),
            ..row("entry-gone", Role::Plain)
        }));
        rows.extend(it.new_entries.iter().map(|entry| Row {
            after: Span::plain(id(entry)),
            ..row("entry-new", Role::Plain)
        }));
    }
    rows
}

/// Fields that nobody owns any more are worth a look.
fn change_role(moved: &FieldMove) -> Role {
    if moved.after.is_empty() {
        Role::Attention
    } else {
        Role::Plain
    }
}

fn owners(names: &[String]) -> Span {
    Span::or_none((!names.is_empty()).then(|| names.join("+")))
}

fn id(entry: &EntryId) -> String {
    let through = if entry.subresource.is_empty() {
        String::new()
    } else {
        format!("/{}", entry.subresource)
    };
    format!(
        "{}{through}/{}@{}",
        entry.manager, entry.operation, entry.api_version
    )
}
