//! Censuses of small fleets, and of generated ones against a count of its own.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::testing::{capture, field, release};
use super::*;

fn audit(capture: &Capture) -> Result<Audit, crate::domain::fleet::AliasInvalid> {
    super::audit(capture, &BTreeSet::new())
}

fn class(managers: &[&[&str]]) -> Ownership {
    let audit = audit(&capture(vec![release("eu-1/web", managers, &["ssa"])])).unwrap();
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
    let mut fleet = capture(vec![
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
                row.name.as_str(),
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
        let fleet = capture(vec![release("eu-3/ledger", &[&["helm/Apply"]], records)]);
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
            .contains("records csa: Helm 4 with client-side apply wrote it")
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
    let found = audit(&capture(vec![mixed])).unwrap();
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
    let mut fleet = capture(vec![argo, release("eu-1/b", &[&["helm/Apply"]], &["ssa"])]);
    assert_eq!(audit(&fleet).unwrap().gates[0].result, GateResult::Fail);
    let expect = BTreeSet::from([DrivenBy::ArgoCd]);
    let audit = |fleet: &Capture| super::audit(fleet, &expect);
    let found = audit(&fleet).unwrap();
    assert_eq!(found.gates[0].result, GateResult::Pass);
    assert_eq!(found.gates[0].expected, 1);
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
    let mut fleet = capture(vec![]);
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
        let one = audit(&capture(releases.clone())).unwrap();
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
        prop_assert_eq!(one, audit(&capture(turned)).unwrap());
    }
}

#[test]
fn slides_without_a_mark_are_told_by_the_objects() {
    let mixed: &[&[&str]] = &[&["helm/Apply", "helm/Update"]];
    let told = |objects: &[&[&str]], records: &[&str]| {
        let found = audit(&capture(vec![release("eu-3/ledger", objects, records)])).unwrap();
        found
            .slid_back
            .first()
            .map(|it| (it.last_ssa, it.objects.len()))
    };
    // Helm 3 took the mark off what it superseded, or old revisions were pruned.
    assert_eq!(told(mixed, &["-:superseded", "-"]), Some((None, 1)));
    assert_eq!(told(mixed, &["ssa", "-"]), Some((Some(Revision(1)), 1)));
    // An upgrade by server-side apply that failed has never been one.
    assert_eq!(told(&[&["helm/Update"]], &["-", "ssa:failed", "-"]), None);
    // An operation under way: objects are ahead of the records.
    assert_eq!(told(mixed, &["-", "ssa:pending-upgrade"]), None);
    assert_eq!(told(&[&["helm/Apply"]], &["-"]), None);
    assert_eq!(told(&[&["helm/Update"], &["helm/Apply"]], &["-"]), None);
}

#[test]
fn a_slide_says_who() {
    let by = |writer: &str, method: &str, driver: Option<DrivenBy>| {
        let mut it = release("eu-3/ledger", &[&["helm/Apply"]], &["ssa", method]);
        it.records[1].writer = Some(writer.to_owned());
        it.driven_by = driver;
        let found = audit(&capture(vec![it])).unwrap();
        found.slid_back[0].by.clone()
    };
    assert_eq!(by("Helm", "-", None), "Helm 3");
    assert_eq!(by("helm", "csa", None), "Helm 4 with client-side apply");
    assert_eq!(
        by("terraform-provider-helm_v2", "-", Some(DrivenBy::Terraform)),
        "Helm 3 inside terraform-provider-helm_v2, driven by terraform"
    );
}

#[test]
fn a_capture_reads_what_it_wrote_and_holds_no_value() {
    let acme = testing::acme();
    let text = serde_json::to_string(&acme).unwrap();
    assert_eq!(serde_json::from_str::<Capture>(&text).unwrap(), acme);
    assert!(
        text.contains(r#""fieldsV1":{"f:spec":{"f:image":{}}}"#),
        "{text}"
    );
}

#[test]
fn a_difference_names_fields_entries_objects_and_releases() {
    let before = testing::acme();
    let mut after = before.clone();
    // web is migrated by hand: its Update entry becomes an Apply entry of the same fields.
    let web = after
        .releases
        .iter_mut()
        .find(|it| it.release.to_string() == "eu-2/shop/web")
        .unwrap();
    let entry = &mut web.objects[0].entries[0].head;
    (entry.manager, entry.operation) = ("helm".into(), "Apply".into());
    web.records[0].apply_method = Some("ssa".into());
    // ledger's second object is made again; its first loses the entry of kubectl-edit.
    let ledger = after
        .releases
        .iter_mut()
        .find(|it| it.release.name.as_str() == "ledger")
        .unwrap();
    ledger.objects[1].uid = crate::domain::ids::Uid::new("other");
    ledger.objects[0].entries.pop();
    after
        .releases
        .retain(|it| it.release.name.as_str() != "api");
    after.releases.push(release("eu-2/new", &[], &["ssa"]));
    let diff = diff(&before, &after).unwrap();
    assert_eq!(
        diff.totals,
        DiffTotals {
            compared: 6,
            changed: 4,
            new_releases: 1,
            gone_releases: 1,
            objects: 3,
            fields: 2,
            new_entries: 1,
            gone_entries: 2,
        }
    );
    assert_eq!(diff.not_compared, [ClusterName::new("edge-1")].into());
    let names: Vec<String> = diff
        .releases
        .iter()
        .map(|it| it.release.to_string())
        .collect();
    assert_eq!(
        names,
        [
            "eu-1/shop/ledger",
            "eu-2/shop/api",
            "eu-2/shop/new",
            "eu-2/shop/web"
        ]
    );
    let web = &diff.releases[3];
    assert_eq!(
        web.ownership.as_ref().map(|it| (it.before, it.after)),
        Some((Ownership::Alias, Ownership::Apply))
    );
    assert_eq!(
        web.objects[0].fields,
        [FieldMove {
            before: vec!["Go-http-client/Update".into()],
            after: vec!["helm/Apply".into()],
            fields: vec![".spec.replicas".into()],
        }]
    );
    let ledger = &diff.releases[0].objects;
    assert_eq!(ledger[0].fields[0].after, Vec::<String>::new());
    assert!(ledger[1].recreated && ledger[1].fields.is_empty());
    // What one of them did not read is not gone.
    after
        .clusters
        .insert(ClusterName::new("eu-2"), Some("token".into()));
    assert_eq!(
        super::diff(&before, &after).unwrap().totals.gone_releases,
        0
    );
    after.clusters.insert(ClusterName::new("eu-2"), None);
    after
        .namespaces
        .insert(crate::domain::ids::Namespace::new("other"));
    assert_eq!(super::diff(&before, &after).unwrap().totals.compared, 0);
}

/// Fleets of one cluster: releases of objects of entries, each with one field.
fn fleet() -> impl Strategy<Value = Capture> {
    let field_of = || prop::sample::select(vec!["replicas", "image", "paused"]);
    let entries = prop::collection::vec((prop::sample::select(ENTRIES.to_vec()), field_of()), 0..4);
    let objects = prop::collection::vec(entries, 0..3);
    let driver = prop::option::of(prop::sample::select(DrivenBy::ALL.to_vec()));
    let chart = prop::option::of(prop::sample::select(vec!["web", "api"]));
    let one = (0_u8..4, objects, driver, chart, 0_usize..4);
    prop::collection::btree_map(0_u8..9, one, 0..8).prop_map(|releases| {
        let releases =
            releases
                .into_iter()
                .map(|(name, (cluster, objects, driver, chart, unowned))| {
                    let managers: Vec<Vec<&str>> = objects
                        .iter()
                        .map(|it| it.iter().map(|(entry, _)| *entry).collect())
                        .collect();
                    let managers: Vec<&[&str]> = managers.iter().map(Vec::as_slice).collect();
                    let mut made = release(&format!("eu-{cluster}/r{name}"), &managers, &["ssa"]);
                    made.driven_by = driver;
                    made.chart = chart.map(|name| ChartRef {
                        name: name.into(),
                        version: "1".into(),
                    });
                    for (object, entries) in made.objects.iter_mut().zip(&objects) {
                        object.unowned = vec![".spec.x".to_owned(); unowned];
                        for (entry, (_, name)) in object.entries.iter_mut().zip(entries) {
                            entry.fields = field(name);
                        }
                    }
                    made
                });
        capture(releases.collect())
    })
}

proptest! {
    #[test]
    fn every_grouping_adds_up_to_the_same(fleet in fleet()) {
        let found = audit(&fleet).unwrap();
        for groups in [&found.clusters, &found.charts, &found.owners] {
            let mut sum = Counts::default();
            for row in groups {
                let c = row.counts;
                prop_assert_eq!(c.releases, c.apply + c.update + c.alias + c.foreign + c.unowned + c.unknown);
                sum.releases += c.releases;
                sum.apply += c.apply;
                sum.update += c.update;
                sum.alias += c.alias;
                sum.foreign += c.foreign;
                sum.unowned += c.unowned;
                sum.unknown += c.unknown;
                sum.unowned_fields += c.unowned_fields;
            }
            prop_assert_eq!(sum, found.summary);
        }
        for row in &found.managers {
            prop_assert!(row.clusters <= row.releases && row.releases <= row.objects);
        }
    }

    /// A capture does not differ from itself, and two differ in the books if their entries or fields do.
    #[test]
    fn a_difference_is_empty_exactly_for_equal_books(before in fleet(), after in fleet()) {
        prop_assert!(diff(&before, &before).unwrap().is_empty());
        let found = diff(&before, &after).unwrap();
        let books = |of: &Capture| {
            let mut books = BTreeSet::new();
            let both: Vec<_> = of.releases.iter().filter(|it| {
                before.clusters.contains_key(&it.release.cluster) && after.clusters.contains_key(&it.release.cluster)
            }).collect();
            for release in both {
                books.insert((release.release.to_string(), String::new(), String::new(), String::new()));
                for object in &release.objects {
                    books.insert((release.release.to_string(), object.object.name.clone(), String::new(), String::new()));
                    for entry in object.entries.iter().filter(|it| it.head.subresource != "status") {
                        let head = &entry.head;
                        let id = format!("{}/{}/{}", head.manager, head.operation, head.subresource);
                        for path in &entry.fields {
                            books.insert((release.release.to_string(), object.object.name.clone(), id.clone(), path.to_string()));
                        }
                    }
                }
            }
            books
        };
        // `!` says that an entry is not of Helm's fields; the books are the same, the classes need not be.
        let classes = |of: &Capture| -> Vec<_> {
            let all = audit(of).unwrap().releases;
            all.into_iter().map(|it| (it.release, it.ownership)).collect()
        };
        if classes(&before) == classes(&after) {
            prop_assert_eq!(found.is_empty(), books(&before) == books(&after));
        } else if books(&before) != books(&after) {
            prop_assert!(!found.is_empty());
        }
        // Turned round, what came is what went.
        let back = diff(&after, &before).unwrap();
        prop_assert_eq!(found.totals.new_entries, back.totals.gone_entries);
        prop_assert_eq!(found.totals.new_releases, back.totals.gone_releases);
        prop_assert_eq!(found.totals.fields, back.totals.fields);
    }
}
