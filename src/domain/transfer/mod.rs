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
//! Laws, as property tests: `put_back ∘ adopt = identity`; foreign entries are unchanged; `adopt` is idempotent;
//! managedFields never end up empty.

mod adopt;
mod back;
mod compare;
mod owners;

pub use adopt::{Adoption, ApplySet, Inverse, TransferError, Trimmed, adopt};
pub use back::{BackError, Ours, classify, put_back};
pub use compare::{Difference, same_entries};
pub use owners::{describe, is_own};

#[cfg(test)]
mod tests {
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
            let mut seen = std::collections::BTreeSet::new();
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
