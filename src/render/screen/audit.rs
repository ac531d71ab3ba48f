//! `refit audit`: a row a cluster, how its releases' fields are owned; outliers; gates.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::domain::ids::{ClusterName, ReleaseId, Revision};
use crate::render::{Column, Document, Next, Record, Role, Span, text};

/// One cluster's census.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditCluster {
    /// Which.
    pub cluster: ClusterName,
    /// Releases that were read.
    pub releases: u32,
    /// Releases whose fields the canonical manager owns through server-side apply, alone among Helm's names.
    pub apply: u32,
    /// Releases with fields that it owns through client-side apply.
    pub update: u32,
    /// Releases with fields under an older name of the same owner.
    pub alias: u32,
    /// Releases that another tool applies.
    pub foreign: u32,
    /// Releases with objects that nobody of these owns.
    pub unowned: u32,
    /// What stands out, each in a few words: `Go-http-client on 2`, `payments/ledger slid back to CSA`.
    pub outliers: Vec<String>,
    /// Why it was not read; then the counts are unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<String>,
}

/// A release that was migrated and is on client-side apply again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SlidBack {
    /// Which.
    pub release: ReleaseId,
    /// The revision that says so.
    pub revision: Revision,
    /// When it was written, as Helm records it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// How it shows.
    pub evidence: String,
}

/// A gate's verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GateVerdict {
    /// `one-manager`.
    pub name: String,
    /// Does it hold?
    pub passed: bool,
    /// Releases that break it.
    pub releases: Vec<ReleaseId>,
    /// Why, in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What the screen shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditScreen {
    /// The fleet's name.
    pub fleet: String,
    /// The canonical manager.
    pub manager: String,
    /// When the reading began.
    pub taken_at: Timestamp,
    /// Its clusters, in natural order.
    pub clusters: Vec<AuditCluster>,
    /// Releases that slid back.
    pub slid_back: Vec<SlidBack>,
    /// Gates, those that were asked for.
    pub gates: Vec<GateVerdict>,
}

impl AuditScreen {
    /// The document: kind `Audit`.
    pub fn document(&self) -> Document {
        let sum = |of: fn(&AuditCluster) -> u32| {
            self.clusters
                .iter()
                .map(|it| u64::from(of(it)))
                .sum::<u64>()
        };
        let (releases, apply) = (sum(|it| it.releases), sum(|it| it.apply));
        let (update, alias, foreign) = (
            sum(|it| it.update),
            sum(|it| it.alias),
            sum(|it| it.foreign),
        );
        let read = self
            .clusters
            .iter()
            .filter(|it| it.unreachable.is_none())
            .count();
        let clusters = if read == self.clusters.len() {
            text::counted(text::len(&self.clusters), "cluster")
        } else {
            format!("{read} of {} clusters", self.clusters.len())
        };
        let mut document = Document::new("Audit")
            .field(
                "metadata",
                json!({"fleet": self.fleet, "takenAt": self.taken_at, "manager": self.manager}),
            )
            .field(
                "summary",
                json!({
                    "releases": releases, "apply": apply, "update": update, "alias": alias, "foreign": foreign,
                    "unowned": sum(|it| it.unowned), "clusters": self.clusters.len(), "clustersRead": read,
                }),
            )
            .field("slidBack", json!(self.slid_back))
            .field("gates", json!(self.gates))
            .listing(columns(), self.clusters.iter().map(record).collect())
            .total([Span::plain(format!(
                "{} of {} under {}/Apply ({}): {} Update, {} alias, {} foreign. {clusters}, 0 writes.",
                text::count(apply),
                text::counted(releases, "release"),
                self.manager,
                text::percent(apply, releases),
                text::count(update),
                text::count(alias),
                text::count(foreign),
            ))]);
        for slid in &self.slid_back {
            let at = slid
                .at
                .as_deref()
                .map_or_else(String::new, |at| format!(" of {at}"));
            document = document.total([Span::with(
                format!(
                    "Slid back: {}, revision {}{at}: {}.",
                    slid.release, slid.revision, slid.evidence
                ),
                Role::Bad,
            )]);
        }
        for gate in &self.gates {
            document = document.total(gate_line(gate));
        }
        for cluster in &self.clusters {
            if let Some(why) = &cluster.unreachable {
                document = document.warning(format!("{} not read: {why}", cluster.cluster));
            }
        }
        if update + alias > 0 {
            document.next(Next::Plan, "what can be migrated, and what is held")
        } else {
            document
        }
    }
}

fn gate_line(gate: &GateVerdict) -> Vec<Span> {
    let mut line = vec![
        Span::plain(format!("gate {}: ", gate.name)),
        Span::state(if gate.passed { "PASS" } else { "FAIL" }),
    ];
    if !gate.passed {
        line.push(Span::plain(format!(
            ", {}",
            text::counted(text::len(&gate.releases), "release")
        )));
    }
    if let Some(why) = &gate.why {
        line.push(Span::plain(format!(" ({why})")));
    }
    line
}

fn columns() -> Vec<Column> {
    vec![
        Column::new("CLUSTER"),
        Column::new("RELEASES"),
        Column::new("APPLY"),
        Column::new("UPDATE"),
        Column::new("ALIAS").narrow(1),
        Column::new("FOREIGN").narrow(1),
        Column::new("OTHER").instead_of(1),
        Column::new("UNOWNED").wide(),
        Column::new("OUTLIERS"),
    ]
}

fn record(it: &AuditCluster) -> Record {
    let count = |number: u32| match it.unreachable {
        Some(_) => Span::unread(),
        None => Span::plain(number.to_string()),
    };
    let outliers = match &it.unreachable {
        Some(why) => Span::with(format!("Unreachable: {why}"), Role::Bad),
        None => Span::or_none((!it.outliers.is_empty()).then(|| it.outliers.join("; "))),
    };
    Record {
        cells: vec![
            Span::plain(it.cluster.as_str()),
            count(it.releases),
            count(it.apply),
            count(it.update),
            count(it.alias),
            count(it.foreign),
            count(it.alias.saturating_add(it.foreign)),
            count(it.unowned),
            outliers,
        ],
        json: json!(it),
        name: Some(it.cluster.to_string()),
        only_wide: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Format, Frame};

    fn cluster(name: &str, apply: u32, alias: u32, unreachable: Option<&str>) -> AuditCluster {
        AuditCluster {
            cluster: name.into(),
            releases: apply + alias,
            apply,
            update: 0,
            alias,
            foreign: 0,
            unowned: 0,
            outliers: (alias > 0)
                .then(|| format!("Go-http-client on {alias}"))
                .into_iter()
                .collect(),
            unreachable: unreachable.map(str::to_owned),
        }
    }

    #[test]
    fn the_census() {
        let audit = AuditScreen {
            fleet: "acme".into(),
            manager: "helm".into(),
            taken_at: "2027-01-13T10:00:00Z".parse().unwrap(),
            clusters: vec![
                cluster("ap-2", 25, 1, None),
                cluster("edge-1", 0, 0, Some("token expired")),
            ],
            slid_back: vec![SlidBack {
                release: "ap-2/payments/ledger".parse().unwrap(),
                revision: Revision(13),
                at: Some("2027-01-09T14:22Z".into()),
                evidence: "records no apply method: Helm 3 wrote it".into(),
            }],
            gates: vec![GateVerdict {
                name: "one-manager".into(),
                passed: false,
                releases: vec!["ap-2/payments/ledger".parse().unwrap()],
                why: Some("1 slid back".into()),
            }],
        };
        let printed = audit
            .document()
            .print(Format::Table, None, &Frame::PIPE, &Frame::PIPE)
            .unwrap();
        assert_eq!(
            printed.stdout,
            "\
CLUSTER   RELEASES   APPLY   UPDATE   ALIAS   FOREIGN   OUTLIERS
ap-2      26         25      0        1       0         Go-http-client on 1
edge-1    ?          ?       ?        ?       ?         Unreachable: token expired
"
        );
        assert_eq!(
            printed.stderr,
            "\
25 of 26 releases under helm/Apply (96.2%): 0 Update, 1 alias, 0 foreign. 1 of 2 clusters, 0 writes.
Slid back: ap-2/payments/ledger, revision 13 of 2027-01-09T14:22Z: records no apply method: Helm 3 wrote it.
gate one-manager: FAIL, 1 release (1 slid back)
warning: edge-1 not read: token expired
Next: refit plan --save refit.plan.json   what can be migrated, and what is held
"
        );
    }
}
