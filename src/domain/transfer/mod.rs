//! From managedFields, apply set and managers to new managedFields, and the way back.
//!
//! Adoption changes who owns fields and nothing else: all main-resource entries of the canonical manager and its
//! aliases go, one `canonical / Apply` entry with exactly the apply set comes, everybody else's entries stay.
//!
//! ```text
//! before  helm/Update {a b d}   kubectl/Update {c}     d: a drop, the manifest has it no more
//! after   helm/Apply  {a b}     kubectl/Update {c}     d is let go, its value stays
//! ```
//!
//! Policies add terms ([`Terms`]): fields that foreign entries lose to ours, fields that ours does not get, drops that it
//! keeps or that the manager of pinned fields gets.
//!
//! Laws, as property tests, under every terms: `put_back ∘ adopt = identity`; foreign entries are unchanged except where
//! the terms say so; `adopt` is idempotent; managedFields never end up empty.

mod adopt;
mod back;
mod compare;
mod dead;
mod owners;
mod terms;
pub mod values;

pub use adopt::{Adoption, ApplySet, Inverse, Pinned, TransferError, Trimmed, adopt, adopt_under};
pub use back::{BackError, Ours, after_values, classify, is_marked, put_back, put_owners_back};
pub use compare::{Difference, same_entries};
pub use dead::{Lost, dead_entries, mended};
pub use owners::{describe, is_own};
pub use terms::{PIN_MANAGER, Share, Terms};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use managed_fields::entry::{decode, sort};
    use managed_fields::{FieldSet, ManagedFieldsEntry, Operation, Path, Time};
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::domain::fleet::{ManagerMatcher, Managers};

    fn managers() -> ManagerMatcher {
        let aliases = vec![
            "Go-http-client".to_owned(),
            "terraform-provider-helm*".to_owned(),
        ];
        Managers {
            canonical: "helm".to_owned(),
            aliases,
        }
        .matcher()
        .unwrap()
    }

    fn fields() -> impl Strategy<Value = FieldSet> {
        let name = prop::sample::select(vec!["a", "b", "c", "d"]);
        let path = prop::collection::vec(name, 1..3).prop_map(Path::of_fields);
        prop::collection::vec(path, 1..6).prop_map(|paths| FieldSet::of(paths).unwrap())
    }

    fn entry() -> impl Strategy<Value = ManagedFieldsEntry> {
        let manager = prop::sample::select(vec![
            "helm",
            "Go-http-client",
            "terraform-provider-helm_v2",
            "kubectl-edit",
            "kube-controller-manager",
            "ancient-changes",
        ]);
        let operation = prop::sample::select(vec![Operation::Apply, Operation::Update]);
        let version = prop::sample::select(vec!["v1", "v2"]);
        let subresource = prop::sample::select(vec!["", "", "", "status", "scale"]);
        (
            manager,
            operation,
            version,
            subresource,
            fields(),
            1_700_000_000_i64..1_700_000_100,
        )
            .prop_map(|(manager, operation, version, subresource, fields, time)| {
                ManagedFieldsEntry::new(manager, operation, version, fields)
                    .with_subresource(subresource)
                    .with_time(Time::from_unix(time).ok())
            })
    }

    /// A list as the server keeps it: one entry an identity, sorted, at most ten Update entries.
    fn list() -> impl Strategy<Value = Vec<Value>> {
        prop::collection::vec(entry(), 0..9).prop_map(|mut entries| {
            let mut seen = BTreeSet::new();
            entries.retain(|entry| seen.insert(entry.identity().key().to_owned()));
            sort(&mut entries);
            entries.iter().map(ManagedFieldsEntry::to_value).collect()
        })
    }

    fn set() -> impl Strategy<Value = ApplySet> {
        fields().prop_map(|fields| ApplySet {
            api_version: "v1".to_owned(),
            fields,
        })
    }

    const AT: i64 = 1_800_000_000;

    fn at() -> Time {
        Time::from_unix(AT).unwrap()
    }

    fn foreign(list: &[Value]) -> Vec<ManagedFieldsEntry> {
        let entries = decode(&Value::Array(list.to_vec())).unwrap();
        entries
            .into_iter()
            .filter(|entry| !is_own(entry, &managers()) && entry.manager() != "ancient-changes")
            .collect()
    }

    proptest! {
        #[test]
        fn putting_back_what_was_adopted_is_the_identity(live in list(), set in set()) {
            if let Some(adoption) = adopt(&live, &set, &managers(), at()).unwrap() {
                prop_assert_eq!(classify(&adoption.wish, &adoption.inverse, &managers()).unwrap(), Ours::After);
                prop_assert_eq!(classify(&live, &adoption.inverse, &managers()).unwrap(), Ours::Before);
                let back = put_back(&adoption.wish, &adoption.inverse, &managers()).unwrap();
                prop_assert_eq!(back, live);
            }
        }

        #[test]
        fn adoption_leaves_one_own_entry_and_all_foreign_ones(live in list(), set in set()) {
            if let Some(adoption) = adopt(&live, &set, &managers(), at()).unwrap() {
                let wish = decode(&Value::Array(adoption.wish.clone())).unwrap();
                let own: Vec<_> = wish.iter().filter(|entry| is_own(entry, &managers())).collect();
                prop_assert_eq!(own.len(), 1);
                prop_assert_eq!(own[0].fields(), &set.fields);
                prop_assert_eq!(foreign(&adoption.wish).len(), foreign(&live).len());
                for (left, right) in foreign(&adoption.wish).iter().zip(foreign(&live)) {
                    prop_assert_eq!(left.to_value(), right.to_value());
                }
                // Twice is once.
                prop_assert!(adopt(&adoption.wish, &set, &managers(), at()).unwrap().is_none());
            }
        }

        #[test]
        fn what_others_took_since_stays_theirs(live in list(), set in set(), taken in fields()) {
            prop_assume!(!live.is_empty());
            let Some(adoption) = adopt(&live, &set, &managers(), at()).unwrap() else { return Ok(()) };
            let kept = set.fields.difference(&taken);
            prop_assume!(!kept.is_empty());
            let mut entries = decode(&Value::Array(adoption.wish.clone())).unwrap();
            for entry in &mut entries {
                if is_own(entry, &managers()) && kept != *entry.fields() {
                    *entry = entry.clone().with_fields(kept.clone());
                }
            }
            entries.push(ManagedFieldsEntry::new("thief", Operation::Update, "v1", taken.clone()));
            sort(&mut entries);
            let now: Vec<Value> = entries.iter().map(ManagedFieldsEntry::to_value).collect();
            let back = put_back(&now, &adoption.inverse, &managers()).unwrap();
            let stolen = set.fields.intersection(&taken);
            for entry in decode(&Value::Array(back)).unwrap() {
                if is_own(&entry, &managers()) {
                    prop_assert!(entry.fields().intersection(&stolen).is_empty());
                } else if entry.manager() == "thief" {
                    prop_assert_eq!(entry.fields(), &taken);
                }
            }
        }
    }

    /// Terms about some of the fields there are, and some that are nowhere.
    fn terms() -> impl Strategy<Value = Terms> {
        let text = || {
            fields().prop_map(|set| {
                let paths: Vec<String> = set.iter().map(|path| path.to_string()).collect();
                paths.into_iter().collect::<BTreeSet<_>>()
            })
        };
        let owner = prop::sample::select(vec![
            "kubectl-edit",
            "kubectl-edit/scale",
            "kube-controller-manager",
            "kube-controller-manager/status",
            "helm",
        ]);
        let shares = prop::collection::vec((owner, text()), 0..4).prop_map(|shares| {
            let each = |(owner, fields): (&str, BTreeSet<String>)| {
                let owner = owner.to_owned();
                let made = fields.into_iter().map(move |field| Share {
                    owner: owner.clone(),
                    field,
                });
                made.collect::<Vec<_>>()
            };
            shares.into_iter().flat_map(each).collect()
        });
        (shares, text(), text(), text(), any::<[bool; 3]>()).prop_map(
            |(take_over, leave, keep, pin, with)| Terms {
                take_over,
                leave: if with[0] { leave } else { BTreeSet::default() },
                keep: if with[1] { keep } else { BTreeSet::default() },
                pin: if with[2] { pin } else { BTreeSet::default() },
                ..Terms::default()
            },
        )
    }

    fn under(live: &[Value], set: &ApplySet, terms: &Terms) -> Option<Adoption> {
        match adopt_under(live, set, terms, &managers(), at()) {
            Ok(adoption) => adoption,
            // Everything is left to others: nothing would be ours, so nothing is done.
            Err(TransferError::Empty) => None,
            Err(error) => panic!("{error}"),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_024))]

        #[test]
        fn under_every_terms_putting_back_is_the_identity(live in list(), set in set(), terms in terms()) {
            if let Some(adoption) = under(&live, &set, &terms) {
                prop_assert_eq!(classify(&adoption.wish, &adoption.inverse, &managers()).unwrap(), Ours::After);
                prop_assert_eq!(classify(&live, &adoption.inverse, &managers()).unwrap(), Ours::Before);
                let back = put_back(&adoption.wish, &adoption.inverse, &managers()).unwrap();
                prop_assert_eq!(back, live);
            }
        }

        #[test]
        fn under_every_terms_twice_is_once(live in list(), set in set(), terms in terms()) {
            if let Some(adoption) = under(&live, &set, &terms) {
                prop_assert!(under(&adoption.wish, &set, &terms).is_none());
                prop_assert!(!adoption.wish.is_empty());
            }
        }

        #[test]
        fn foreign_entries_lose_what_the_terms_say_and_nothing_else(live in list(), set in set(), terms in terms()) {
            let Some(adoption) = under(&live, &set, &terms) else { return Ok(()) };
            let after = foreign(&adoption.wish);
            for before in foreign(&live) {
                let now = after.iter().find(|entry| entry.identity() == before.identity());
                let now = now.map_or_else(FieldSet::new, |entry| entry.fields().clone());
                prop_assert!(now.is_subset(before.fields()));
                let owner = describe(&before);
                for lost in &before.fields().difference(&now).leaves() {
                    let asked = Share { owner: owner.clone(), field: lost.to_string() };
                    // The field itself, or the mark above nothing but such fields.
                    let below = |share: &Share| share.owner == owner && share.field.starts_with(&asked.field);
                    prop_assert!(terms.take_over.iter().any(below), "{} lost {}", owner, asked.field);
                }
                for share in terms.take_over.iter().filter(|share| share.owner == owner) {
                    let has = now.leaves().iter().any(|path| path.to_string() == share.field);
                    let had = before.fields().leaves().iter().any(|path| path.to_string() == share.field);
                    prop_assert!(!(has && had), "{} keeps {}", owner, share.field);
                }
            }
            for entry in &after {
                let was = foreign(&live).iter().any(|it| it.identity() == entry.identity());
                prop_assert!(was || entry.manager() == PIN_MANAGER);
            }
        }

        #[test]
        fn ours_is_the_apply_set_but_for_the_terms(live in list(), set in set(), terms in terms()) {
            let Some(adoption) = under(&live, &set, &terms) else { return Ok(()) };
            let wish = decode(&Value::Array(adoption.wish.clone())).unwrap();
            let own: Vec<_> = wish.iter().filter(|entry| is_own(entry, &managers())).collect();
            prop_assert_eq!(own.len(), 1);
            for path in &set.fields.leaves() {
                prop_assert_eq!(own[0].fields().has(&path), !terms.leave.contains(&path.to_string()));
            }
            for extra in &own[0].fields().difference(&set.fields) {
                prop_assert!(terms.keep.contains(&extra.to_string()));
            }
        }

        #[test]
        fn under_terms_what_others_took_since_stays_theirs(
            live in list(), set in set(), terms in terms(), taken in fields(),
        ) {
            let Some(adoption) = under(&live, &set, &terms) else { return Ok(()) };
            let mut entries = decode(&Value::Array(adoption.wish.clone())).unwrap();
            let mut stolen = FieldSet::new();
            for entry in &mut entries {
                if is_own(entry, &managers()) || entry.manager() == PIN_MANAGER {
                    let kept = entry.fields().difference(&taken);
                    prop_assume!(!kept.is_empty());
                    stolen = stolen.union(&entry.fields().difference(&kept));
                    if kept != *entry.fields() {
                        *entry = entry.clone().with_fields(kept);
                    }
                }
            }
            entries.push(ManagedFieldsEntry::new("thief", Operation::Update, "v1", taken.clone()));
            sort(&mut entries);
            let now: Vec<Value> = entries.iter().map(ManagedFieldsEntry::to_value).collect();
            let Ok(back) = put_back(&now, &adoption.inverse, &managers()) else { return Ok(()) };
            for entry in decode(&Value::Array(back)).unwrap() {
                if is_own(&entry, &managers()) {
                    prop_assert!(entry.fields().intersection(&stolen).is_empty());
                } else if entry.manager() == "thief" {
                    prop_assert_eq!(entry.fields(), &taken);
                }
                prop_assert_ne!(entry.manager(), PIN_MANAGER);
            }
        }
    }

    fn dead(repair: bool) -> Terms {
        Terms {
            repair,
            ..Terms::default().with_dead(&BTreeSet::from(["v2".to_owned()]))
        }
    }

    fn is_dead(entry: &Value) -> bool {
        entry["apiVersion"] == "v2"
    }

    proptest! {
        #[test]
        fn a_repair_loses_no_field_of_others(live in list(), set in set()) {
            let Some(adoption) = under(&live, &set, &dead(true)) else { return Ok(()) };
            prop_assert!(!adoption.wish.iter().any(is_dead));
            let wish = decode(&Value::Array(adoption.wish.clone())).unwrap();
            let mut seen = BTreeSet::new();
            prop_assert!(wish.iter().all(|entry| seen.insert(entry.identity().key().to_owned())));
            prop_assert_eq!(wish.iter().filter(|entry| is_own(entry, &managers())).count(), 1);
            let of = |list: &[ManagedFieldsEntry], like: &ManagedFieldsEntry| {
                let same = list.iter().filter(|entry| {
                    (entry.manager(), entry.operation(), entry.subresource())
                        == (like.manager(), like.operation(), like.subresource())
                });
                same.fold(FieldSet::new(), |all, entry| all.union(entry.fields()))
            };
            let before = foreign(&live);
            for entry in &before {
                prop_assert_eq!(of(&before, entry), of(&foreign(&adoption.wish), entry));
            }
            prop_assert!(under(&adoption.wish, &set, &dead(true)).is_none());
            // Only what is not dead goes back; here nothing does.
            if live.iter().any(is_dead) {
                let lost = adoption.inverse.lost.clone().unwrap();
                prop_assert_eq!(lost.entries.len(), live.iter().filter(|it| is_dead(it)).count());
                prop_assert_eq!(classify(&adoption.wish, &adoption.inverse, &managers()).unwrap(), Ours::After);
                prop_assert_eq!(classify(&live, &adoption.inverse, &managers()).unwrap(), Ours::Before);
                let back = put_back(&adoption.wish, &adoption.inverse, &managers()).unwrap();
                prop_assert_eq!(back, adoption.wish);
            } else {
                prop_assert!(adoption.inverse.lost.is_none());
                prop_assert_eq!(put_back(&adoption.wish, &adoption.inverse, &managers()).unwrap(), live);
            }
        }

        #[test]
        fn what_the_server_drops_is_left_out_and_the_rest_comes_back(live in list(), set in set()) {
            let Some(adoption) = under(&live, &set, &dead(false)) else { return Ok(()) };
            prop_assert!(!adoption.wish.iter().any(is_dead));
            prop_assert_eq!(adoption.inverse.lost.is_some(), live.iter().any(is_dead));
            prop_assert_eq!(classify(&live, &adoption.inverse, &managers()).unwrap(), Ours::Before);
            let back = put_back(&adoption.wish, &adoption.inverse, &managers()).unwrap();
            let alive: Vec<Value> = live.iter().filter(|it| !is_dead(it)).cloned().collect();
            if alive.is_empty() && !live.is_empty() {
                prop_assert_eq!(back, adoption.wish);
            } else {
                prop_assert_eq!(back, alive);
            }
        }
    }

    #[test]
    fn a_foreign_item_goes_with_its_mark() {
        use managed_fields::{PathElement, fields_v1};
        let live = |foreign: &str| {
            vec![
                serde_json::json!({"manager": "helm", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:spec": {"f:env": {"k:{\"name\":\"A\"}": {".": {}, "f:name": {}, "f:value": {}}}}}}),
                serde_json::json!({"manager": "kubectl", "operation": "Update", "apiVersion": "v1", "subresource": "scale",
                    "fieldsType": "FieldsV1", "fieldsV1": serde_json::from_str::<Value>(foreign).unwrap()}),
            ]
        };
        let fields = fields_v1::decode(
            r#"{"f:spec":{"f:env":{"k:{\"name\":\"A\"}":{".":{},"f:name":{},"f:value":{}}}}}"#,
        )
        .unwrap();
        let set = ApplySet {
            api_version: "v1".to_owned(),
            fields,
        };
        let share = |field: &str| Share {
            owner: "kubectl/scale".to_owned(),
            field: format!(".spec.env[name=\"A\"]{field}"),
        };
        let both = Terms {
            take_over: [share(".name"), share(".value")].into(),
            ..Terms::default()
        };
        let whole =
            r#"{"f:spec":{"f:env":{"k:{\"name\":\"A\"}":{".":{},"f:name":{},"f:value":{}}}}}"#;
        let adoption = under(&live(whole), &set, &both).unwrap();
        assert_eq!(adoption.wish.len(), 1, "{:?}", adoption.wish);
        let one = Terms {
            take_over: [share(".value")].into(),
            ..Terms::default()
        };
        let adoption = under(&live(whole), &set, &one).unwrap();
        let left = &foreign(&adoption.wish)[0];
        let item = [
            PathElement::field("spec"),
            PathElement::field("env"),
            PathElement::key([("name", "A")]),
        ];
        assert!(left.fields().has(&item));
        assert_eq!(left.fields().leaves().len(), 1);
    }

    #[test]
    fn an_empty_apply_set_is_refused() {
        let set = ApplySet {
            api_version: "v1".to_owned(),
            fields: FieldSet::new(),
        };
        assert!(matches!(
            adopt(&[], &set, &managers(), at()),
            Err(TransferError::Empty)
        ));
    }

    #[test]
    fn before_first_apply_is_helms_where_it_holds_helms_annotation() {
        let path = ["metadata", "annotations", "meta.helm.sh/release-name"];
        let fields = FieldSet::of([Path::of_fields(path)]).unwrap();
        let entry = ManagedFieldsEntry::new("before-first-apply", Operation::Update, "v1", fields);
        assert!(is_own(&entry, &managers()));
        let other = FieldSet::of([Path::of_fields(["spec", "a"])]).unwrap();
        assert!(!is_own(&entry.with_fields(other), &managers()));
    }
}
