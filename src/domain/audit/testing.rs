//! Small fleets, written as texts.

use std::collections::{BTreeMap, BTreeSet};

use managed_fields::{FieldSet, Path};

use super::*;
use crate::domain::fleet::Managers;
use crate::domain::ids::{Namespace, ReleaseName, Uid};

/// The set of one field of `spec`.
pub fn field(name: &str) -> FieldSet {
    FieldSet::of([Path::of_fields(["spec", name])]).unwrap()
}

/// A release `cluster/name` of namespace `shop`: its objects' managers, its records from revision 1.
pub fn release(name: &str, managers: &[&[&str]], records: &[&str]) -> ReleaseFacts {
    let parts: Vec<&str> = name.split('/').collect();
    // `helm/Apply`, `kubectl-edit/Update!` (holds nothing of Helm's), `hpa/Update/scale`
    let entry = |text: &&str| {
        let mut parts = text.split('/');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let (manager, operation, subresource) = (next(), next(), next());
        EntryFacts {
            helms: !operation.ends_with('!'),
            api_version: "apps/v1".to_owned(),
            fields: field("replicas"),
            head: EntryHead {
                manager,
                operation: operation.trim_end_matches('!').to_owned(),
                subresource,
                time: None,
            },
        }
    };
    let object = |(at, entries): (usize, &&[&str])| ObjectFacts {
        object: ObjectRef {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: Some(Namespace::new("shop")),
            name: format!("d{at}"),
        },
        uid: Uid::new(format!("u{at}")),
        entries: entries.iter().map(entry).collect(),
        unowned: Vec::new(),
    };
    // `ssa`, `csa`, `-` (Helm 3), `csa:pending-upgrade`
    let record = |(at, text): (usize, &&str)| {
        let (method, status) = text.split_once(':').unwrap_or((text, "deployed"));
        RecordFacts {
            revision: Revision(u32::try_from(at).unwrap() + 1),
            apply_method: (method != "-").then(|| method.to_owned()),
            status: status.to_owned(),
            at: Some(format!("2027-01-{:02}T14:22:09.123456789Z", at + 1)),
            writer: None,
        }
    };
    ReleaseFacts {
        release: ReleaseId {
            cluster: ClusterName::new(parts[0]),
            namespace: Namespace::new("shop"),
            name: ReleaseName::new(parts[1]),
        },
        chart: None,
        driven_by: None,
        records: records.iter().enumerate().map(record).collect(),
        objects: managers.iter().enumerate().map(object).collect(),
        unread: None,
    }
}

/// A capture of them.
pub fn capture(releases: Vec<ReleaseFacts>) -> Capture {
    Capture {
        fleet: "acme".into(),
        taken_at: "2027-01-13T10:00:00Z".parse().unwrap(),
        namespaces: BTreeSet::new(),
        managers: Managers {
            canonical: "helm".into(),
            aliases: vec!["Go-http-client".into(), "terraform-provider-helm*".into()],
        },
        clusters: releases
            .iter()
            .map(|it| (it.release.cluster.clone(), None))
            .collect(),
        releases,
    }
}

/// The fleet of the examples: one release of each kind on two clusters, and a third cluster that does not answer.
pub fn acme() -> Capture {
    let chart = |mut release: ReleaseFacts, name: &str| {
        release.chart = Some(ChartRef {
            name: name.into(),
            version: "1.0.0".into(),
        });
        release
    };
    let mut ledger = release(
        "eu-1/ledger",
        &[
            &["helm/Apply", "helm/Update", "kubectl-edit/Update"],
            &["helm/Apply"],
        ],
        &["-", "ssa", "-"],
    );
    for (record, writer) in ledger.records.iter_mut().zip(["Helm", "refit", "Helm"]) {
        record.writer = Some(writer.into());
    }
    let entries = &mut ledger.objects[0].entries;
    entries[1].head.time = Some("2027-01-03T14:22:09Z".parse().unwrap());
    entries[1].fields = field("image");
    entries[2].fields = field("paused");
    ledger.objects[1].unowned = vec![".spec.port".into()];
    let mut flux = release("eu-2/mesh", &[&["helm-controller/Update"]], &["-"]);
    flux.driven_by = Some(DrivenBy::Flux);
    let mut acme = capture(vec![
        chart(
            release(
                "eu-1/web",
                &[&["helm/Apply"], &["helm/Apply"]],
                &["-", "ssa"],
            ),
            "web",
        ),
        chart(ledger, "ledger"),
        chart(
            release("eu-2/web", &[&["Go-http-client/Update"]], &["-"]),
            "web",
        ),
        chart(release("eu-2/api", &[&["helm/Update"]], &["-"]), "web"),
        flux,
    ]);
    acme.clusters = BTreeMap::from([
        (ClusterName::new("eu-1"), None),
        (ClusterName::new("eu-2"), None),
        (ClusterName::new("edge-1"), Some("token expired".into())),
    ]);
    acme
}
