//! The census: a row a cluster, chart, owner or manager.

use std::collections::BTreeSet;

use serde_json::json;

use crate::domain::audit::{Audit, Capture, Gate, GateResult, GroupRow, ManagerRow, Ownership};
use crate::domain::fleet::DrivenBy;
use crate::domain::ids::ClusterName;
use crate::render::{Column, Document, Next, Record, Role, Span, text};

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum By {
    /// A cluster
    #[default]
    Cluster,
    /// A chart
    Chart,
    /// An owner: helm, or who else drives releases
    Owner,
    /// A field manager, with how it writes
    Manager,
}

impl By {
    const fn word(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Chart => "chart",
            Self::Owner => "owner",
            Self::Manager => "manager",
        }
    }
}

/// What the screen shows.
#[derive(Debug, Clone)]
pub struct AuditScreen<'a> {
    /// What was read.
    pub capture: &'a Capture,
    /// Its census; gates as far as they were asked for.
    pub audit: &'a Audit,
    /// What a row is.
    pub by: By,
    /// Drivers that are meant to stay.
    pub expect: &'a BTreeSet<DrivenBy>,
    /// The file that the capture is kept in.
    pub saved: Option<String>,
}

impl AuditScreen<'_> {
    /// The document: kind `Audit`.
    pub fn document(&self) -> Document {
        let audit = self.audit;
        let (columns, records): (_, Vec<_>) = match self.by {
            By::Cluster => (
                columns("CLUSTER", false),
                audit.clusters.iter().map(|it| row(it, false)).collect(),
            ),
            By::Chart => (
                columns("CHART", true),
                audit.charts.iter().map(|it| row(it, true)).collect(),
            ),
            By::Owner => (
                columns("OWNER", true),
                audit.owners.iter().map(|it| self.owner(it)).collect(),
            ),
            By::Manager => (
                manager_columns(),
                audit.managers.iter().map(manager).collect(),
            ),
        };
        let document = self
            .head("Audit")
            .fields_of(audit)
            .listing(columns, records)
            .total([Span::plain(self.total())]);
        self.findings(document)
    }

    /// Everything but the rows, of the census and of a release.
    pub(super) fn head(&self, kind: &'static str) -> Document {
        let capture = self.capture;
        Document::new(kind).field(
            "metadata",
            json!({
                "fleet": capture.fleet, "takenAt": capture.taken_at, "manager": capture.managers.canonical,
                "by": self.by.word(), "expect": self.expect, "unreachable": self.unreachable(),
            }),
        )
    }

    /// What was found, below the table: slides, gates, warnings, what to do next.
    pub(super) fn findings(&self, mut document: Document) -> Document {
        let audit = self.audit;
        for slid in &audit.slid_back {
            document = document.total([Span::with(
                format!("Slid back: {}, {}.", slid.release, slid.evidence),
                Role::Bad,
            )]);
        }
        for gate in &audit.gates {
            document = document.total(gate_line(gate, &self.capture.managers.canonical));
        }
        if let Some(file) = &self.saved {
            document = document.total([Span::plain(format!("Saved {file}."))]);
        }
        for (cluster, why) in &self.capture.clusters {
            if let Some(why) = why {
                document = document.warning(format!("{cluster} not read: {why}"));
            }
        }
        if let Some(slid) = audit.slid_back.first() {
            document = document.next(
                Next::AuditRelease {
                    release: slid.release.to_string(),
                },
                "what moved it; pipelines that still run Helm 3 do it again",
            );
        }
        if audit.summary.update + audit.summary.alias > 0 {
            document = document.next(Next::Plan, "what can be migrated, and what is held");
        }
        document
    }

    fn unreachable(&self) -> Vec<String> {
        let clusters = self.capture.clusters.iter();
        clusters
            .filter(|(_, why)| why.is_some())
            .map(|(name, _)| name.to_string())
            .collect()
    }

    fn total(&self) -> String {
        let sum = self.audit.summary;
        let all = self.capture.clusters.len();
        let read = all - self.unreachable().len();
        let clusters = if read == all {
            text::counted(u64::try_from(all).unwrap_or(u64::MAX), "cluster")
        } else {
            format!("{read} of {all} clusters")
        };
        let mut others = vec![
            format!("{} Update", text::count(sum.update)),
            format!("{} alias", text::count(sum.alias)),
            format!("{} foreign", text::count(sum.foreign)),
        ];
        if sum.unowned > 0 {
            others.push(format!(
                "{} with an object that nobody owns",
                text::count(sum.unowned)
            ));
        }
        if sum.unknown > 0 {
            others.push(format!("{} not read", text::count(sum.unknown)));
        }
        format!(
            "{} of {} under {}/Apply ({}): {}. {clusters}, 0 writes.",
            text::count(sum.apply),
            text::counted(sum.releases, "release"),
            self.capture.managers.canonical,
            text::percent(sum.apply.into(), sum.releases.into()),
            others.join(", "),
        )
    }

    /// An owner's row; one that is meant to stay says so.
    fn owner(&self, it: &GroupRow) -> Record {
        let expected = self.expect.iter().any(|driver| driver.word() == it.name);
        let mut record = row(it, true);
        if let (true, Some(cell)) = (expected, record.cells.first_mut()) {
            cell.text.push_str("(expected)");
        }
        record
    }
}

/// `gate one-manager: FAIL, 60 releases (42 helm/Update, 7 alias, 10 foreign, 1 slid back)`.
fn gate_line(gate: &Gate, manager: &str) -> Vec<Span> {
    let passed = gate.result == GateResult::Pass;
    let mut line = vec![
        Span::plain(format!("gate {}: ", gate.name)),
        Span::state(if passed { "PASS" } else { "FAIL" }),
    ];
    if !passed {
        line.push(Span::plain(format!(
            ", {}",
            text::counted(text::len(&gate.releases), "release")
        )));
    }
    let count = |slid: bool, of: Ownership| {
        let fits = |it: &&crate::domain::audit::GateFinding| {
            it.slid_back == slid && (slid || it.ownership == of)
        };
        gate.releases.iter().filter(fits).count()
    };
    let mut why: Vec<String> = [
        (Ownership::Update, format!("{manager}/Update")),
        (Ownership::Alias, "alias".to_owned()),
        (Ownership::Foreign, "foreign".to_owned()),
        (Ownership::Unowned, "nobody's".to_owned()),
        (Ownership::Unknown, "not read".to_owned()),
    ]
    .into_iter()
    .map(|(of, words)| (count(false, of), words))
    .chain([(count(true, Ownership::Apply), "slid back".to_owned())])
    .filter(|(count, _)| *count > 0)
    .map(|(count, words)| format!("{count} {words}"))
    .collect();
    if !gate.unread.is_empty() {
        let names: Vec<&str> = gate.unread.iter().map(ClusterName::as_str).collect();
        why.push(format!("not read: {}", names.join(", ")));
    }
    if gate.expected > 0 {
        why.push(format!(
            "{} expected elsewhere and not asked",
            gate.expected
        ));
    }
    if !why.is_empty() {
        line.push(Span::plain(format!(" ({})", why.join(", "))));
    }
    line
}

/// `far`: rows span clusters.
fn columns(first: &'static str, far: bool) -> Vec<Column> {
    let mut columns = vec![
        Column::new(first),
        Column::new("RELEASES"),
        Column::new("APPLY"),
        Column::new("UPDATE"),
        Column::new("ALIAS").narrow(1),
        Column::new("FOREIGN").narrow(1),
        Column::new("OTHER").instead_of(1),
        Column::new("UNREAD").wide(),
        Column::new("UNOWNED").wide(),
        Column::new("OUTLIERS"),
    ];
    if far {
        columns.insert(1, Column::new("CLUSTERS"));
    }
    columns
}

fn row(it: &GroupRow, far: bool) -> Record {
    let counts = it.counts;
    let count = |number: u64| match it.unreachable {
        Some(_) => Span::unread(),
        None => Span::plain(number.to_string()),
    };
    let outliers = match &it.unreachable {
        Some(why) => Span::with(format!("Unreachable: {why}"), Role::Bad),
        None => Span::or_none((!it.outliers.is_empty()).then(|| it.outliers.join("; "))),
    };
    let mut cells = vec![
        Span::plain(&*it.name),
        count(counts.releases.into()),
        count(counts.apply.into()),
        count(counts.update.into()),
        count(counts.alias.into()),
        count(counts.foreign.into()),
        count(u64::from(counts.alias) + u64::from(counts.foreign)),
        count(counts.unknown.into()),
        count(counts.unowned_fields),
        outliers,
    ];
    if far {
        cells.insert(1, count(it.clusters.into()));
    }
    Record {
        cells,
        json: json!(it),
        name: Some(it.name.clone()),
        only_wide: false,
    }
}

fn manager_columns() -> Vec<Column> {
    [
        "MANAGER",
        "OPERATION",
        "CLASS",
        "RELEASES",
        "CLUSTERS",
        "OBJECTS",
        "FIELDS",
    ]
    .map(Column::new)
    .into()
}

fn manager(it: &ManagerRow) -> Record {
    Record {
        cells: vec![
            Span::plain(&*it.manager),
            Span::plain(&*it.operation),
            Span::plain(it.class.word()),
            Span::plain(it.releases.to_string()),
            Span::plain(it.clusters.to_string()),
            Span::plain(it.objects.to_string()),
            Span::plain(it.fields.to_string()),
        ],
        json: json!(it),
        name: Some(it.manager.clone()),
        only_wide: false,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
