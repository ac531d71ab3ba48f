//! Censuses of small fleets, and of generated ones against a count of its own.

use proptest::prelude::*;

use super::*;
use crate::domain::ids::{Namespace, ReleaseName};

fn release(name: &str, managers: &[&[&str]], records: &[&str]) -> ReleaseFacts {
    let parts: Vec<&str> = name.split('/').collect();
    // `helm/Apply`, `kubectl-edit/Update!` (holds nothing of Helm's), `hpa/Update/scale`
    let entry = |text: &&str| {
        let mut parts = text.split('/');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let (manager, operation, subresource) = (next(), next(), next());
        EntryFacts {
            helms: !operation.ends_with('!'),
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
        entries: entries.iter().map(entry).collect(),
    };
    // `ssa`, `csa`, `-` (Helm 3), `csa:pending-upgrade`
    let record = |(at, text): (usize, &&str)| {
        let (method, status) = text.split_once(':').unwrap_or((text, "deployed"));
        RecordFacts {
            revision: Revision(u32::try_from(at).unwrap() + 1),
            apply_method: (method != "-").then(|| method.to_owned()),
            status: status.to_owned(),
            at: Some(format!("2027-01-{:02}T14:22Z", at + 1)),
        }
    };
    ReleaseFacts {
        release: ReleaseId {
            cluster: ClusterName::new(parts[0]),
            namespace: Namespace::new("shop"),
            name: ReleaseName::new(parts[1]),
        },
        driven_by: None,
        records: records.iter().enumerate().map(record).collect(),
        objects: managers.iter().enumerate().map(object).collect(),
        unread: None,
    }
}

fn input(releases: Vec<ReleaseFacts>) -> AuditInput {
    AuditInput {
        managers: Managers {
            canonical: "helm".into(),
            aliases: vec!["Go-http-client".into(), "terraform-provider-helm*".into()],
        },
        clusters: releases
            .iter()
            .map(|it| (it.release.cluster.clone(), None))
            .collect(),
        releases,
        expect: BTreeSet::new(),
    }
}

fn class(managers: &[&[&str]]) -> Ownership {
    let audit = audit(&input(vec![release("eu-1/web", managers, &["ssa"])])).unwrap();
    audit.releases[0].ownership
}

#[test]
fn the_gravest_object_decides() {
    use Ownership::{Alias, Apply, Foreign, Unowned, Update};
    let helm: &[&str] = &["helm/Apply"];
    assert_eq!(class(&[helm, helm]), Apply);
    assert_eq!(class(&[helm, &["helm/Update"]]), Update);
    assert_eq!(class(&[&["helm/Apply", "helm/Update"]]), Update);
    assert_eq!(
        class(&[&["helm/Update"], &["helm/Apply", "Go-http-client/Update"]]),
        Alias
    );
    assert_eq!(class(&[&["terraform-provider-helm_v2/Apply"]]), Alias);
    assert_eq!(
        class(&[
            &["Go-http-client/Update"],
            &["helm/Apply", "argocd-controller/Apply"]
        ]),
        Foreign
    );
    assert_eq!(class(&[&["helm-controller/Update"]]), Foreign);
    assert_eq!(class(&[&["kubectl-create/Update"]]), Foreign);
    assert_eq!(class(&[helm, &[]]), Unowned);
    assert_eq!(class(&[]), Apply);
    // Co-owners of single fields, statuses, and entries without Helm's fields say nothing.
    for other in [
        "kubectl-set/Update",
        "hpa/Update/scale",
        "helm/Update/status",
        "argocd-controller/Apply!",
        "helm/Update!",
    ] {
        assert_eq!(class(&[&["helm/Apply", other]]), Apply, "{other}");
    }
}

#[test]
fn a_row_a_cluster_with_its_outliers() {
    let mut flux = release("eu-10/a", &[&["helm-controller/Update"]], &["-"]);
    flux.driven_by = Some(DrivenBy::Flux);
    let mut fleet = input(vec![
        release("eu-2/web", &[&["helm/Apply"]], &["-", "ssa"]),
        release(
            "eu-2/api",
            &[&["Go-http-client/Update"], &["Go-http-client/Update"]],
            &["-"],
        ),
        release("eu-2/db", &[&["terraform-provider-helm_v1/Update"]], &["-"]),
        release("eu-2/mq", &[&["terraform-provider-helm_v2/Update"]], &["-"]),
        release("eu-2/old", &[&["helm/Update"]], &["-"]),
        flux,
    ]);
    fleet
        .clusters
        .insert(ClusterName::new("edge-1"), Some("token expired".into()));
    let found = audit(&fleet).unwrap();
    let rows: Vec<_> = found
        .clusters
        .iter()
        .map(|row| {
            let c = row.counts;
            (
                row.cluster.as_str(),
                c.releases,
                c.apply,
                c.update,
                c.alias,
                c.foreign,
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("edge-1", 0, 0, 0, 0, 0),
            ("eu-2", 5, 1, 1, 3, 0),
            ("eu-10", 1, 0, 0, 0, 1)
        ]
    );
    let outliers: Vec<_> = found
        .outliers
        .iter()
        .map(|it| {
            (
                it.cluster.as_str(),
                it.manager.as_str(),
                it.releases,
                it.driven_by,
            )
        })
        .collect();
    assert_eq!(
        outliers,
        [
            ("eu-2", "terraform-provider-helm*", 2, None),
            ("eu-2", "Go-http-client", 1, None),
            ("eu-10", "helm-controller", 1, Some(DrivenBy::Flux)),
        ]
    );
    let gate = &found.gates[0];
    assert_eq!(
        (gate.name.as_str(), gate.result),
        (ONE_MANAGER, GateResult::Fail)
    );
    let names: Vec<String> = gate
        .releases
        .iter()
        .map(|it| it.release.to_string())
        .collect();
    assert_eq!(
        names,
        [
            "eu-2/shop/api",
            "eu-2/shop/db",
            "eu-2/shop/mq",
            "eu-2/shop/old",
            "eu-10/shop/a"
        ]
    );
    assert_eq!(gate.releases[0].why, "an older name of helm on 2 objects");
    assert_eq!(
        gate.releases[4].why,
        "another applier on 1 object, driven by flux"
    );
    assert_eq!(gate.unread, [ClusterName::new("edge-1")]);
}

#[test]
fn a_slide_back_is_told_with_its_evidence() {
    let slid = |records: &[&str]| {
        let fleet = input(vec![release("eu-3/ledger", &[&["helm/Apply"]], records)]);
        let found = audit(&fleet).unwrap();
        assert_eq!(found.summary.apply, 1);
        assert_eq!(
            found.gates[0].result == GateResult::Fail,
            !found.slid_back.is_empty()
        );
        found
            .slid_back
            .first()
            .map(|it| (it.revision.0, it.evidence.clone()))
    };
    assert_eq!(
        slid(&["-", "ssa", "-"]),
        Some((
            3,
            "revision 3 of 2027-01-03T14:22Z records no apply method: Helm 3 wrote it; revision 2 was ssa".to_owned()
        ))
    );
    assert!(
        slid(&["ssa", "csa"])
            .unwrap()
            .1
            .contains("Helm 4 wrote it with client-side apply")
    );
    // Helm 3 strips the method of the revision that it supersedes.
    assert_eq!(slid(&["ssa", "-:superseded", "-"]).unwrap().0, 3);
    assert_eq!(slid(&["ssa", "-:failed"]).unwrap().0, 2);
    for stays in [
        &["ssa"][..],
        &["-", "ssa"],
        &["ssa", "-", "ssa"],
        &["-", "-"],
        &["csa"],
        &[],
        &["ssa", "-:pending-upgrade"],
        &["-", "ssa:pending-upgrade"],
    ] {
        assert_eq!(slid(stays), None, "{stays:?}");
    }
    let mixed = release(
        "eu-3/ledger",
        &[&["helm/Apply", "helm/Update"]],
        &["ssa", "-"],
    );
    let found = audit(&input(vec![mixed])).unwrap();
    assert!(
        found.slid_back[0]
            .evidence
            .ends_with("side by side on 1 object")
    );
    assert!(
        found.gates[0].releases[0]
            .why
            .starts_with("slid back: revision 2")
    );
}

#[test]
fn the_gate_knows_what_is_expected_and_what_is_not_known() {
    let mut argo = release("eu-1/a", &[&["argocd-controller/Apply"]], &["-"]);
    argo.driven_by = Some(DrivenBy::ArgoCd);
    let mut fleet = input(vec![argo, release("eu-1/b", &[&["helm/Apply"]], &["ssa"])]);
    assert_eq!(audit(&fleet).unwrap().gates[0].result, GateResult::Fail);
    fleet.expect = [DrivenBy::ArgoCd].into();
    let found = audit(&fleet).unwrap();
    assert_eq!(found.gates[0].result, GateResult::Pass);
    assert_eq!(found.summary.foreign, 1);
    fleet.releases[1].unread = Some("2 objects forbidden".into());
    let found = audit(&fleet).unwrap();
    assert_eq!((found.summary.unknown, found.summary.apply), (1, 0));
    assert_eq!(
        found.gates[0].releases[0].why,
        "not read: 2 objects forbidden"
    );
    fleet.releases.pop();
    fleet
        .clusters
        .insert(ClusterName::new("edge-1"), Some("token".into()));
    assert_eq!(audit(&fleet).unwrap().gates[0].result, GateResult::Fail);
}

#[test]
fn a_bad_alias_is_an_error() {
    let mut fleet = input(vec![]);
    fleet.managers.aliases.push("a[".into());
    assert_eq!(audit(&fleet).unwrap_err().alias, "a[");
}

const ENTRIES: [&str; 9] = [
    "helm/Apply",
    "helm/Update",
    "Go-http-client/Update",
    "terraform-provider-helm_v2/Apply",
    "helm-controller/Update",
    "kubectl-set/Update",
    "argocd-controller/Apply",
    "hpa/Update/scale",
    "helm/Apply!",
];

/// The classes, by a rule of thumb that shares nothing with the code: first hit counts.
fn class_by_hand(objects: &[Vec<&str>]) -> Ownership {
    let all = || objects.iter().flatten();
    let holds = |object: &Vec<&str>| {
        object
            .iter()
            .any(|it| !it.contains("scale") && !it.ends_with('!'))
    };
    let ours =
        |it: &&str| it.starts_with("helm/") || it.starts_with("Go") || it.starts_with("terra");
    let foreign = |it: &&str| it.starts_with("helm-controller") || it.starts_with("argocd");
    let alone = |object: &Vec<&str>| {
        holds(object) && !object.iter().any(|it| ours(it) && !it.ends_with('!'))
    };
    if all().any(foreign) || objects.iter().any(alone) {
        Ownership::Foreign
    } else if all().any(|it| it.starts_with("Go") || it.starts_with("terra")) {
        Ownership::Alias
    } else if all().any(|it| *it == "helm/Update") {
        Ownership::Update
    } else if objects.iter().any(|object| !holds(object)) {
        Ownership::Unowned
    } else {
        Ownership::Apply
    }
}

proptest! {
    #[test]
    fn every_release_is_counted_once_and_right(
        fleet in prop::collection::vec(
            (0_u8..12, prop::collection::vec(
                prop::collection::vec(prop::sample::select(ENTRIES.to_vec()), 0..4), 1..4)),
            0..20,
        ),
        turn in 0_usize..20,
    ) {
        let releases: Vec<ReleaseFacts> = fleet
            .iter()
            .enumerate()
            .map(|(at, (cluster, objects))| {
                let objects: Vec<&[&str]> = objects.iter().map(Vec::as_slice).collect();
                release(&format!("eu-{cluster}/r{at}"), &objects, &["ssa"])
            })
            .collect();
        let one = audit(&input(releases.clone())).unwrap();
        for found in &one.releases {
            let at: usize = found.release.name.as_str()[1..].parse().unwrap();
            prop_assert_eq!(found.ownership, class_by_hand(&fleet[at].1));
        }
        let sum = |of: fn(&Counts) -> u32| one.clusters.iter().map(|row| of(&row.counts)).sum::<u32>();
        let s = one.summary;
        prop_assert_eq!(s.releases as usize, fleet.len());
        prop_assert_eq!(s.releases, s.apply + s.update + s.alias + s.foreign + s.unowned + s.unknown);
        prop_assert_eq!((sum(|c| c.releases), sum(|c| c.apply), sum(|c| c.foreign)), (s.releases, s.apply, s.foreign));
        let failing = one.gates[0].releases.len();
        prop_assert_eq!(failing, fleet.len() - s.apply as usize);
        prop_assert_eq!(one.gates[0].result == GateResult::Pass, failing == 0);

        let mut turned = releases;
        turned.reverse();
        let turn = turn % turned.len().max(1);
        turned.rotate_left(turn);
        prop_assert_eq!(one, audit(&input(turned)).unwrap());
    }
}
