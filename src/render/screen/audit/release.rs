//! One release: what its newest revisions record, who owns its objects' fields.

use serde_json::json;

use super::AuditScreen;
use crate::domain::audit::{
    AuditedRelease, EntryFacts, ObjectFacts, Ownership, RecordFacts, ReleaseFacts, object_class,
};
use crate::domain::ids::{Namespace, ReleaseId};
use crate::render::{Column, Document, Next, Record, Role, Span, Table, text};

impl AuditScreen<'_> {
    /// The document of a release, kind `ReleaseAudit`; `None` if it was not found.
    pub fn release(&self, id: &ReleaseId) -> Option<Document> {
        let facts = self.capture.releases.iter().find(|it| it.release == *id)?;
        let audited = self.audit.releases.iter().find(|it| it.release == *id)?;
        let mut revisions = Table::new([
            Column::new("REVISION"),
            Column::new("STATUS"),
            Column::new("APPLY"),
            Column::new("WRITER"),
            Column::new("AT"),
        ]);
        for record in facts.records.iter().rev() {
            revisions.row(revision(record));
        }
        let objects: Vec<Record> = facts
            .objects
            .iter()
            .map(|object| self.object(facts, object))
            .collect();
        let count = text::len(&objects);
        let document = self
            .head("ReleaseAudit")
            .fields_of(audited)
            .field("slidBack", json!(self.audit.slid_back))
            .field("gates", json!(self.audit.gates))
            .field("records", json!(facts.records))
            .line([
                Span::with(id.to_string(), Role::Strong),
                Span::plain(about(audited)),
            ])
            .gap()
            .table(revisions)
            .gap()
            .listing(columns(), objects)
            .total([Span::plain(format!(
                "{}, {} of them {}; {} of the manifest without an owner, 0 writes.",
                text::counted(count, "object"),
                audited.objects,
                class_words(audited.ownership, &self.capture.managers.canonical),
                text::counted(audited.unowned_fields, "field"),
            ))]);
        Some(self.findings_of(facts, document))
    }

    /// Its slide with what it left on each object. A next command that is this one again is no help.
    fn findings_of(&self, facts: &ReleaseFacts, mut document: Document) -> Document {
        let manager = &self.capture.managers.canonical;
        for slid in &self.audit.slid_back {
            document = document.total([Span::with(
                format!("Slid back: {}.", slid.evidence),
                Role::Bad,
            )]);
            for it in &slid.objects {
                let at = it
                    .entry
                    .time
                    .map_or_else(String::new, |at| format!(" {}", text::time(at)));
                document = document.total([Span::plain(format!(
                    "    {}: {}/{} wrote{at}, {} beside {manager}/Apply",
                    it.object,
                    it.entry.manager,
                    it.entry.operation,
                    text::counted(it.fields, "field"),
                ))]);
            }
            document = document.total([Span::plain(format!(
                "The user stands in the API server's audit log: create of sh.helm.release.v1.{}.v{} in {}.",
                slid.release.name, slid.revision, slid.release.namespace
            ))]);
        }
        if let Some(why) = &facts.unread {
            document = document.warning(format!("{} not read: {why}", facts.release));
        }
        let object = facts
            .objects
            .iter()
            .find(|it| it.object.namespace.is_some());
        if let Some(ObjectFacts { object, .. }) = object {
            let namespace = object.namespace.as_ref().map_or("", Namespace::as_str);
            let name = format!(
                "{}/{namespace}/{}/{}",
                facts.release.cluster,
                object.kind.to_lowercase(),
                object.name
            );
            document = document.next(Next::Fields { object: name }, "field by field");
        }
        document
    }

    fn object(&self, facts: &ReleaseFacts, it: &ObjectFacts) -> Record {
        let ours = self.capture.managers.matcher().ok();
        let class = ours.map(|ours| object_class(it, &ours));
        let class = class.unwrap_or(Ownership::Unknown);
        let owners: Vec<String> = it
            .entries
            .iter()
            .filter(|entry| entry.head.subresource != "status")
            .map(owner)
            .collect();
        let name = format!(
            "{}/{}",
            facts.release.cluster,
            it.object.to_string().replace(' ', "_")
        );
        let owners = Span::or_none((!owners.is_empty()).then(|| owners.join(", ")));
        Record {
            cells: vec![
                Span::plain(format!("{}/{}", it.object.kind, it.object.name)),
                Span::or_none(it.object.namespace.as_ref().map(Namespace::as_str)),
                class_span(class),
                Span::plain(it.unowned.len().to_string()),
                owners,
            ],
            json: json!({
                "object": it.object, "ownership": class, "unowned": it.unowned,
                "owners": it.entries.iter().map(|entry| json!({
                    "manager": entry.head.manager, "operation": entry.head.operation,
                    "subresource": entry.head.subresource, "apiVersion": entry.api_version,
                    "time": entry.head.time, "fields": entry.fields.leaves().len(), "ofHelm": entry.helms,
                })).collect::<Vec<_>>(),
            }),
            name: Some(name),
            only_wide: false,
        }
    }
}

fn about(audited: &AuditedRelease) -> String {
    let chart = audited.chart.as_ref().map_or_else(String::new, |chart| {
        format!("  chart {} {}", chart.name, chart.version)
    });
    let driver = audited
        .driven_by
        .map_or_else(String::new, |driver| format!(", driven by {driver}"));
    format!("{chart}{driver}")
}

fn columns() -> Vec<Column> {
    vec![
        Column::new("OBJECT"),
        Column::new("NAMESPACE").wide(),
        Column::new("CLASS"),
        Column::new("UNOWNED").wide(),
        Column::new("OWNERS"),
    ]
}

fn revision(record: &RecordFacts) -> [Span; 5] {
    [
        Span::plain(record.revision.to_string()),
        Span::plain(&*record.status),
        Span::plain(record.apply_method.as_deref().unwrap_or("unset")),
        Span::or_none(record.writer.as_deref()),
        Span::or_none(record.at.as_deref().map(time)),
    ]
}

/// Helm records nanoseconds and a zone; what is no time stays as it is.
fn time(at: &str) -> String {
    at.parse().map_or_else(|_| at.to_owned(), text::time)
}

/// `helm/Apply 12`, `kubectl-edit/Update 1`: the owner and its number of fields.
fn owner(entry: &EntryFacts) -> String {
    let head = &entry.head;
    let through = if head.subresource.is_empty() {
        String::new()
    } else {
        format!("/{}", head.subresource)
    };
    format!(
        "{}{through}/{} {}",
        head.manager,
        head.operation,
        entry.fields.leaves().len()
    )
}

fn class_span(class: Ownership) -> Span {
    let role = match class {
        Ownership::Apply => Role::Good,
        Ownership::Update | Ownership::Alias | Ownership::Unowned => Role::Attention,
        Ownership::Foreign | Ownership::Unknown => Role::Bad,
    };
    Span::with(format!("{class:?}"), role)
}

fn class_words(class: Ownership, manager: &str) -> String {
    match class {
        Ownership::Apply => format!("under {manager}/Apply"),
        Ownership::Update => format!("under {manager}/Update"),
        Ownership::Alias => format!("under an older name of {manager}"),
        Ownership::Foreign => "under another applier".to_owned(),
        Ownership::Unowned => "under nobody".to_owned(),
        Ownership::Unknown => "not read".to_owned(),
    }
}
