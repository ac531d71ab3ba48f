//! `refit inventory`: one row a release, one a cluster that could not be read.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Unreadable, part};
use crate::domain::ids::ClusterName;
use crate::domain::plan::digest_of;
use crate::domain::release::{Inventory, InventoryCluster, InventoryRelease};
use crate::render::{Column, Cut, Document, Next, Record, Role, Span, text};

/// What the screen shows.
#[derive(Debug, Clone)]
pub struct InventoryScreen<'a> {
    /// The inventory.
    pub inventory: &'a Inventory,
    /// Now.
    pub now: Timestamp,
    /// How long the reading took; `None` if it was read from a file.
    pub took: Option<SignedDuration>,
    /// The fleet's last day, if there is a fleet.
    pub deadline: Option<Date>,
    /// The file it is kept in.
    pub saved: Option<String>,
    /// refit's version.
    pub tool: &'a str,
}

/// Counts for the totals line and the JSON summary.
struct Counts {
    objects: u64,
    ssa: u64,
    csa: u64,
    unset: u64,
    unreadable: u64,
}

impl InventoryScreen<'_> {
    /// The document: kind `ReleaseList`.
    pub fn document(&self) -> Document {
        let inventory = self.inventory;
        let counts = counts(&inventory.releases);
        let unreachable: Vec<&InventoryCluster> = inventory
            .clusters
            .iter()
            .filter(|cluster| cluster.unreachable.is_some())
            .collect();
        let records = records(inventory);
        let items: Vec<&Value> = records.iter().map(|record| &record.json).collect();
        let content = json!([inventory.clusters, items]);
        let mut document = Document::new("ReleaseList")
            .field(
                "metadata",
                json!({
                    "fleet": inventory.fleet,
                    "takenAt": inventory.taken_at,
                    "tool": self.tool,
                    "digest": digest_of(content.to_string().as_bytes()),
                }),
            )
            .field(
                "summary",
                json!({
                    "releases": inventory.releases.len(),
                    "clusters": inventory.clusters.len(),
                    "clustersRead": inventory.clusters.len() - unreachable.len(),
                    "objects": counts.objects,
                    "unreadable": counts.unreadable,
                    "applyMethod": {"ssa": counts.ssa, "csa": counts.csa, "unset": counts.unset},
                    "unreachable": unreachable.iter().map(|cluster| &cluster.name).collect::<Vec<_>>(),
                }),
            )
            .field("clusters", json!(inventory.clusters))
            .listing(columns(), records)
            .total(self.totals(&counts, unreachable.len()));
        if let Some(deadline) = self.deadline
            && counts.csa + counts.unset > 0
        {
            document = document.total([Span::plain(deadline_text(deadline, self.now))]);
        }
        for cluster in &unreachable {
            let why = cluster.unreachable.as_deref().unwrap_or("no reason known");
            document = document.warning(format!("{} not read: {why}", cluster.name));
        }
        if inventory.releases.is_empty() && unreachable.is_empty() {
            return document;
        }
        match (unreachable.first(), &self.saved) {
            (Some(cluster), _) => document.next(
                Next::InventoryCluster {
                    cluster: cluster.name.to_string(),
                },
                "once it answers",
            ),
            (None, Some(file)) => document
                .next(
                    Next::ShadowFrom {
                        inventory: file.clone(),
                    },
                    "what a migration would meet, without a cluster",
                )
                .next(
                    Next::PlanFrom {
                        inventory: file.clone(),
                    },
                    "",
                ),
            (None, None) => document.next(Next::Plan, ""),
        }
    }

    fn totals(&self, counts: &Counts, unreachable: usize) -> Vec<Span> {
        let all = self.inventory.clusters.len();
        let clusters = if unreachable == 0 {
            text::counted(text::len(&self.inventory.clusters), "cluster")
        } else {
            format!("{} of {all} clusters", all - unreachable)
        };
        let took = self.took.map_or_else(
            || format!("taken {}", text::minute(self.inventory.taken_at)),
            text::duration,
        );
        vec![
            Span::plain(format!(
                "{}, ",
                text::counted(text::len(&self.inventory.releases), "release")
            )),
            Span::with(
                clusters,
                if unreachable == 0 {
                    Role::Plain
                } else {
                    Role::Bad
                },
            ),
            Span::plain(format!(
                ", {}, {took}, 0 writes. Apply method: {} ssa, {} csa, {} unset.",
                text::counted(counts.objects, "object"),
                text::count(counts.ssa),
                text::count(counts.csa),
                text::count(counts.unset),
            )),
        ]
    }
}

/// Reads a saved `ReleaseList`.
pub fn read_inventory(document: &Value) -> Result<Inventory, Unreadable> {
    Ok(Inventory {
        fleet: part(document, "/metadata/fleet")?,
        taken_at: part(document, "/metadata/takenAt")?,
        clusters: part(document, "/clusters")?,
        releases: part(document, "/items")?,
    })
}

fn columns() -> Vec<Column> {
    vec![
        Column::new("CLUSTER"),
        Column::new("NAMESPACE"),
        Column::new("RELEASE"),
        Column::new("CHART"),
        Column::new("VERSION").narrow(1),
        Column::new("REV").narrow(2),
        Column::new("STATUS"),
        Column::new("APPLY"),
        Column::new("OWNERS")
            .not_wide()
            .at_most(20, Cut::Middle)
            .narrow(4),
        Column::new("DRIVEN-BY").narrow(3),
        Column::new("K8S").wide(),
        Column::new("OBJECTS").wide(),
        Column::new("HOOKS").wide(),
        Column::new("UPDATED").wide(),
        Column::new("DRIVER").wide(),
        Column::new("MANAGERS").wide(),
        Column::new("REASON").wide(),
    ]
}

fn records(inventory: &Inventory) -> Vec<Record> {
    let mut by_cluster: BTreeMap<&ClusterName, Vec<&InventoryRelease>> = BTreeMap::new();
    for release in &inventory.releases {
        by_cluster
            .entry(&release.id.cluster)
            .or_default()
            .push(release);
    }
    let mut records = Vec::new();
    for cluster in &inventory.clusters {
        let releases = by_cluster.remove(&cluster.name).unwrap_or_default();
        records.extend(
            cluster
                .unreachable
                .as_ref()
                .map(|why| unreachable(cluster, why)),
        );
        records.extend(
            releases
                .into_iter()
                .map(|it| record(it, cluster.version.as_deref())),
        );
    }
    records.extend(
        by_cluster
            .into_values()
            .flatten()
            .map(|it| record(it, None)),
    );
    records
}

fn unreachable(cluster: &InventoryCluster, why: &str) -> Record {
    let mut cells = vec![Span::plain(cluster.name.as_str())];
    cells.extend((0..5).map(|_| Span::unread()));
    cells.push(Span::state("Unreachable"));
    cells.extend((0..9).map(|_| Span::unread()));
    cells.push(Span::plain(why));
    Record {
        cells,
        ..Record::default()
    }
}

fn record(release: &InventoryRelease, version: Option<&str>) -> Record {
    let unreadable = release.error.is_some();
    let known = |span: Span| if unreadable { Span::unread() } else { span };
    let chart = |part: fn(&crate::domain::release::ChartRef) -> &String| {
        release
            .chart
            .as_ref()
            .map_or_else(Span::unread, |chart| Span::plain(part(chart)))
    };
    let owners = match release.managers.as_slice() {
        [] => Span::none(),
        [only] => Span::plain(&only.name),
        [first, rest @ ..] => Span::plain(format!("{}+{}", first.name, rest.len())),
    };
    let managers: Vec<String> = release
        .managers
        .iter()
        .map(|it| format!("{}/{}:{}", it.name, it.operation, it.objects))
        .collect();
    let cells = vec![
        Span::plain(release.id.cluster.as_str()),
        Span::plain(release.id.namespace.as_str()),
        Span::plain(release.id.name.as_str()),
        chart(|chart| &chart.name),
        chart(|chart| &chart.version),
        Span::plain(release.revision.to_string()),
        Span::state(&release.status),
        known(Span::plain(
            release.apply_method.as_deref().unwrap_or("unset"),
        )),
        known(owners),
        known(Span::or_none(release.driven_by.map(|by| by.to_string()))),
        Span::or_none(version),
        known(Span::plain(release.objects.to_string())),
        known(Span::plain(release.hooks.to_string())),
        Span::or_none(release.updated.as_deref()),
        Span::plain(match release.driver {
            crate::domain::release::Driver::Secret => "secret",
            crate::domain::release::Driver::ConfigMap => "configmap",
        }),
        known(Span::or_none(
            (!managers.is_empty()).then(|| managers.join(",")),
        )),
        Span::or_none(release.error.as_deref()),
    ];
    Record {
        cells,
        json: json!(release),
        name: Some(crate::domain::ids::ReleaseId::from(release.id.clone()).to_string()),
        only_wide: false,
    }
}

fn counts(releases: &[InventoryRelease]) -> Counts {
    let mut counts = Counts {
        objects: 0,
        ssa: 0,
        csa: 0,
        unset: 0,
        unreadable: 0,
    };
    for release in releases {
        counts.objects += u64::from(release.objects);
        let counter = match (&release.error, release.apply_method.as_deref()) {
            (Some(_), _) => &mut counts.unreadable,
            (None, Some("ssa")) => &mut counts.ssa,
            (None, Some("csa")) => &mut counts.csa,
            (None, _) => &mut counts.unset,
        };
        *counter += 1;
    }
    counts
}

fn deadline_text(deadline: Date, now: Timestamp) -> String {
    let today = TimeZone::UTC.to_datetime(now).date();
    let days = deadline.since(today).map_or(0, |span| span.get_days());
    match days {
        ..0 => format!(
            "The fleet's deadline, {deadline}, was {} ago.",
            text::counted(days.unsigned_abs(), "day")
        ),
        0 => format!("The fleet's deadline is today ({deadline})."),
        _ => format!(
            "The fleet's deadline is in {} ({deadline}).",
            text::counted(days.unsigned_abs(), "day")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::Revision;
    use crate::domain::release::{ChartRef, DrivenBy, Driver, ManagerSeen, ReleaseParts};
    use crate::render::{Format, Frame};

    fn release(id: &str, status: &str, apply: Option<&str>, managers: &[&str]) -> InventoryRelease {
        let id: crate::domain::ids::ReleaseId = id.parse().unwrap();
        InventoryRelease {
            chart: Some(ChartRef {
                name: id.name.as_str().to_owned(),
                version: "3.4.0".to_owned(),
            }),
            id: ReleaseParts::from(id),
            revision: Revision(14),
            deployed: Some(Revision(14)),
            status: status.to_owned(),
            apply_method: apply.map(str::to_owned),
            driver: Driver::Secret,
            managers: managers
                .iter()
                .map(|name| ManagerSeen {
                    name: (*name).to_owned(),
                    operation: "Update".to_owned(),
                    objects: 3,
                })
                .collect(),
            driven_by: None,
            objects: 12,
            hooks: 0,
            revisions: 10,
            updated: None,
            error: None,
        }
    }

    fn acme() -> Inventory {
        let mut encoder = release(
            "eu-4/media/encoder",
            "deployed",
            Some("csa"),
            &["helm-controller"],
        );
        encoder.driven_by = Some(DrivenBy::Flux);
        let mut broken = release("eu-4/media/old", "Unreadable", None, &[]);
        broken.chart = None;
        broken.objects = 0;
        broken.error = Some("the record's gzip is cut short".to_owned());
        let cluster = |name: &str, unreachable: Option<&str>| InventoryCluster {
            name: name.into(),
            version: unreachable.is_none().then(|| "1.36".to_owned()),
            unreachable: unreachable.map(str::to_owned),
        };
        Inventory {
            fleet: "acme".to_owned(),
            taken_at: "2026-11-23T10:20:00Z".parse().unwrap(),
            clusters: vec![
                cluster("dev-1", None),
                cluster("edge-1", Some("the token of user acme-edge expired")),
                cluster("eu-4", None),
            ],
            releases: vec![
                release("dev-1/shop/web", "deployed", Some("ssa"), &["helm"]),
                release(
                    "eu-4/shop/checkout",
                    "deployed",
                    None,
                    &["helm", "kubectl-set", "node-fetch"],
                ),
                encoder,
                broken,
            ],
        }
    }

    fn document(inventory: &Inventory) -> Document {
        InventoryScreen {
            inventory,
            now: "2026-11-23T10:20:07Z".parse().unwrap(),
            took: Some(SignedDuration::from_millis(6_800)),
            deadline: Some("2027-02-10".parse().unwrap()),
            saved: None,
            tool: "0.1.0",
        }
        .document()
    }

    #[test]
    fn the_table() {
        let printed = document(&acme())
            .print(Format::Table, None, &Frame::PIPE, &Frame::PIPE)
            .unwrap();
        assert_eq!(
            printed.stdout,
            "\
CLUSTER   NAMESPACE   RELEASE    CHART      VERSION   REV   STATUS        APPLY   OWNERS            DRIVEN-BY
dev-1     shop        web        web        3.4.0     14    deployed      ssa     helm              <none>
edge-1    ?           ?          ?          ?         ?     Unreachable   ?       ?                 ?
eu-4      shop        checkout   checkout   3.4.0     14    deployed      unset   helm+2            <none>
eu-4      media       encoder    encoder    3.4.0     14    deployed      csa     helm-controller   flux
eu-4      media       old        ?          ?         14    Unreadable    ?       ?                 ?
"
        );
        assert_eq!(
            printed.stderr,
            "\
4 releases, 2 of 3 clusters, 36 objects, 6.8s, 0 writes. Apply method: 1 ssa, 1 csa, 1 unset.
The fleet's deadline is in 79 days (2027-02-10).
warning: edge-1 not read: the token of user acme-edge expired
Next: refit inventory --cluster edge-1   once it answers
"
        );
    }

    #[test]
    fn what_is_saved_reads_back() {
        let inventory = acme();
        let json = document(&inventory).to_json();
        assert_eq!(json["kind"], "ReleaseList");
        assert_eq!(json["summary"]["unreachable"], json!(["edge-1"]));
        assert_eq!(json["items"].as_array().unwrap().len(), 4);
        assert!(json["items"][1].get("applyMethod").is_none());
        assert_eq!(read_inventory(&json).unwrap(), inventory);
        let error = read_inventory(&json!({"metadata": {"fleet": 3}})).unwrap_err();
        assert!(error.to_string().contains("/metadata/fleet"), "{error}");
    }

    #[test]
    fn names_are_what_verbs_take() {
        let printed = document(&acme())
            .print(Format::Name, Some(".name"), &Frame::PIPE, &Frame::PIPE)
            .unwrap();
        assert_eq!(
            printed.stdout,
            "eu-4/shop/checkout\neu-4/media/encoder\neu-4/media/old\ndev-1/shop/web\n"
        );
    }
}
