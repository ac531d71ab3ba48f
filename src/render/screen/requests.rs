//! What a run of a plan asks of each API server: `refit show PLAN --requests`, and a line of the plan's screen.

use jiff::SignedDuration;
use serde_json::json;

use crate::domain::fleet::natural_order;
use crate::domain::ids::ClusterName;
use crate::domain::plan::{Plan, RequestEstimate, Requests};
use crate::render::{Column, Document, Record, Role, Span, Table, text};

/// The heads of the table.
fn columns() -> Vec<Column> {
    vec![
        Column::new("CLUSTER"),
        Column::new("RELEASES"),
        Column::new("READS").narrow(2),
        Column::new("DRY-RUNS"),
        Column::new("PATCHES"),
        Column::new("RECORDS"),
        Column::new("WRITES/S").narrow(1),
        Column::new("WRITING"),
    ]
}

fn cells(name: &str, it: &Requests) -> Vec<Span> {
    vec![
        Span::with(name, Role::Strong),
        Span::plain(it.releases.to_string()),
        Span::plain(it.reads().to_string()),
        Span::plain(it.dry_runs.to_string()),
        Span::plain(it.object_writes.to_string()),
        Span::plain(it.record_writes.to_string()),
        Span::plain(it.writes_per_second.to_string()),
        Span::plain(text::duration(time(it))),
    ]
}

fn time(it: &Requests) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(it.seconds).unwrap_or(i64::MAX))
}

/// Clusters in the order of every table.
fn ordered(estimate: &RequestEstimate) -> Vec<(&ClusterName, &Requests)> {
    let mut all: Vec<_> = estimate.clusters.iter().collect();
    all.sort_by(|a, b| natural_order(a.0.as_str(), b.0.as_str()));
    all
}

/// A row a cluster.
pub(super) fn table(estimate: &RequestEstimate) -> Table {
    let mut table = Table::new(columns());
    for (name, it) in ordered(estimate) {
        table.row(cells(name.as_str(), it));
    }
    table
}

/// All in one line.
pub(super) fn line(estimate: &RequestEstimate) -> String {
    let it = &estimate.fleet;
    format!(
        "Requests: at most {}, {}, {}; {} at the limits: refit show PLAN --requests",
        text::counted(it.reads(), "read"),
        text::counted(it.dry_runs, "dry run"),
        text::counted(it.writes(), "write"),
        text::duration(time(it)),
    )
}

/// The table alone: kind `RequestList`.
pub fn requests(plan: &Plan) -> Document {
    let estimate = RequestEstimate::of(plan);
    let records = ordered(&estimate).into_iter().map(|(name, it)| {
        let mut json = json!(it);
        json["cluster"] = json!(name);
        Record {
            cells: cells(name.as_str(), it),
            json,
            name: Some(name.to_string()),
            only_wide: false,
        }
    });
    let fleet = &plan.metadata;
    Document::new("RequestList")
        .field(
            "metadata",
            json!({"fleet": fleet.fleet, "planDigest": fleet.digest}),
        )
        .field("summary", json!(estimate.fleet))
        .listing(columns(), records)
        .total([Span::plain(format!(
            "{}, {} at most, {}; {} at the limits. Waits for windows, approvals and soak are not counted.",
            text::counted(estimate.fleet.writes(), "write"),
            text::counted(estimate.fleet.reads(), "read"),
            text::counted(estimate.fleet.dry_runs, "dry run"),
            text::duration(time(&estimate.fleet)),
        ))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::screen::plan::tests::acme;
    use crate::render::{Format, Frame};

    #[test]
    fn a_row_a_cluster() {
        let document = requests(&acme());
        let printed = document
            .print(Format::Table, None, &Frame::PIPE, &Frame::PIPE)
            .unwrap();
        let rows: Vec<Vec<&str>> = printed
            .stdout
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(rows[0].len(), 8);
        let row = |name: &str| rows.iter().find(|row| row[0] == name).unwrap();
        // Writes and dry runs as the plan has them; eu-2 before eu-10.
        assert_eq!(row("dev-1")[3..], ["9", "9", "3", "4", "3.0s"]);
        assert_eq!(row("eu-2")[3..], ["14", "14", "3", "4", "5.0s"]);
        assert_eq!(row("eu-10")[3..], ["9", "9", "3", "4", "3.0s"]);
        let place = |name: &str| rows.iter().position(|row| row[0] == name).unwrap();
        assert!(place("eu-2") < place("eu-10"));
        assert!(
            printed.stderr.starts_with("41 writes, "),
            "{}",
            printed.stderr
        );
        let json = document.to_json();
        assert_eq!(json["summary"]["recordWrites"], 9);
        assert_eq!(json["items"][0]["cluster"], "dev-1");
        assert_eq!(json["items"][0]["objectWrites"], 9);
    }
}
