//! Laws of the field-set algebra and of its text, on random sets.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use managed_fields::{FieldSet, MAX_DEPTH, Path, PathElement, fields_v1};
use proptest::prelude::*;
use serde_json::{Value, json};

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![prop::sample::select(vec![
        json!("a"),
        json!("b"),
        json!("<x>&\u{2028}\"\\\n\u{1}\u{7f}é"),
        json!(""),
        json!(1),
        json!(1.0),
        json!(2),
        json!(0.5),
        json!(1e-7),
        json!(1e21),
        json!(-3),
        json!(true),
        json!(false),
        json!(null),
    ]),]
}

fn element() -> impl Strategy<Value = PathElement> {
    prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "c", "", ".", "f:a", "\"q\"", "<&>"]).prop_map(PathElement::field),
        2 => (scalar(), prop::option::of(scalar())).prop_map(|(name, port)| {
            let mut fields = vec![("name", name)];
            fields.extend(port.map(|port| ("containerPort", port)));
            PathElement::key(fields)
        }),
        1 => scalar().prop_map(PathElement::value),
        1 => (-1i64..3).prop_map(PathElement::Index),
    ]
}

fn path() -> impl Strategy<Value = Path> {
    prop::collection::vec(element(), 1..5).prop_map(Path::from)
}

fn set() -> impl Strategy<Value = FieldSet> {
    prop::collection::vec(path(), 0..12).prop_map(|paths| FieldSet::of(paths).unwrap())
}

fn paths(set: &FieldSet) -> BTreeSet<Path> {
    set.iter().collect()
}

fn of(paths: impl IntoIterator<Item = Path>) -> FieldSet {
    FieldSet::of(paths).unwrap()
}

/// Random sets of few elements, so that they overlap; a plain set of paths is the model.
mod model {
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn operations_are_those_of_sets_of_paths(a in set(), b in set()) {
            let (pa, pb) = (paths(&a), paths(&b));
            prop_assert_eq!(a.len(), pa.len());
            prop_assert_eq!(paths(&a.union(&b)), pa.union(&pb).cloned().collect());
            prop_assert_eq!(paths(&a.intersection(&b)), pa.intersection(&pb).cloned().collect());
            prop_assert_eq!(paths(&a.difference(&b)), pa.difference(&pb).cloned().collect());
            let outside = |path: &&Path| !pb.iter().any(|gone| path.starts_with(gone));
            prop_assert_eq!(paths(&a.recursive_difference(&b)), pa.iter().filter(outside).cloned().collect());
            let leaf = |path: &&Path| !pa.iter().any(|other| other.len() > path.len() && other.starts_with(path));
            prop_assert_eq!(paths(&a.leaves()), pa.iter().filter(leaf).cloned().collect());
            prop_assert_eq!(a.is_subset(&b), pa.is_subset(&pb));
            prop_assert_eq!(a == b, pa == pb);
        }

        #[test]
        fn insert_has_remove(a in set(), p in path()) {
            let mut with = a.clone();
            prop_assert_eq!(with.insert(&p).unwrap(), !a.has(&p));
            prop_assert!(with.has(&p));
            prop_assert!(!with.insert(&p).unwrap());
            let mut without = with.clone();
            prop_assert!(without.remove(&p));
            prop_assert!(!without.remove(&p));
            prop_assert_eq!(&without, &with.difference(&of([p.clone()])));
            if !a.has(&p) {
                prop_assert_eq!(&without, &a);
            }
        }
    }
}

mod laws {
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn union_and_intersection_form_a_lattice(a in set(), b in set(), c in set()) {
            prop_assert_eq!(a.union(&b), b.union(&a));
            prop_assert_eq!(a.union(&b).union(&c), a.union(&b.union(&c)));
            prop_assert_eq!(a.union(&a), a.clone());
            prop_assert_eq!(a.intersection(&b), b.intersection(&a));
            prop_assert_eq!(a.intersection(&b).intersection(&c), a.intersection(&b.intersection(&c)));
            prop_assert_eq!(a.union(&a.intersection(&b)), a.clone());
            prop_assert_eq!(a.intersection(&a.union(&b)), a.clone());
            prop_assert_eq!(a.intersection(&b.union(&c)), a.intersection(&b).union(&a.intersection(&c)));
        }

        #[test]
        fn what_is_taken_away_can_be_put_back(a in set(), b in set()) {
            prop_assert_eq!(a.difference(&b).union(&a.intersection(&b)), a.clone());
            prop_assert!(a.difference(&b).intersection(&b).is_empty());
            prop_assert!(a.recursive_difference(&b).is_subset(&a.difference(&b)));
        }

        #[test]
        fn text_and_back_is_the_same_set(a in set()) {
            let text = fields_v1::encode(&a);
            let back = fields_v1::decode(&text).unwrap();
            prop_assert_eq!(&back, &a);
            prop_assert_eq!(fields_v1::encode(&back), text.clone(), "canonical text is a fixed point");
            let value: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&fields_v1::encode_value(&a), &value);
            prop_assert_eq!(fields_v1::decode_value(&value).unwrap(), a);
        }

        #[test]
        fn canonical_text_does_not_depend_on_the_order_of_keys(a in set(), seed in any::<u64>()) {
            let shuffled = shuffled(&fields_v1::encode_value(&a), &mut { seed });
            prop_assert_eq!(fields_v1::encode(&fields_v1::decode(&shuffled).unwrap()), fields_v1::encode(&a));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}", soup in prop::collection::vec(prop::sample::select(
            vec!["{", "}", ":", ",", "\"f:a\"", "\"k:{\\\"a\\\":1}\"", "\"v:1\"", "\"i:0\"", "\".\"", "null", "[", "\"v:[\"", "\"k:\"", "\"é:\"", "\"\""]), 0..20)
        ) {
            let _ = fields_v1::decode(&text);
            let _ = fields_v1::decode(&soup.concat());
            let _ = fields_v1::decode_element(&text);
        }
    }
}

/// JSON text of `value` with the keys of every object in some other order.
fn shuffled(value: &Value, seed: &mut u64) -> String {
    let Value::Object(map) = value else {
        return value.to_string();
    };
    let mut keys: Vec<&String> = map.keys().collect();
    for i in (1..keys.len()).rev() {
        *seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        keys.swap(i, usize::try_from(*seed >> 33).unwrap() % (i + 1));
    }
    let fields: Vec<String> = keys
        .into_iter()
        .map(|key| {
            format!(
                "{}: {}",
                Value::from(key.as_str()),
                shuffled(&map[key.as_str()], seed)
            )
        })
        .collect();
    format!("{{{}}}", fields.join(", "))
}

#[test]
fn depth_is_bounded() {
    let mut set = FieldSet::new();
    let deep = Path::from(vec![PathElement::field("a"); MAX_DEPTH]);
    assert!(set.insert(&deep).unwrap());
    assert_eq!(set.iter().count(), 1);
    assert_eq!(
        fields_v1::decode_value(&fields_v1::encode_value(&set)).unwrap(),
        set
    );

    let deeper = Path::from(vec![PathElement::field("a"); MAX_DEPTH + 1]);
    assert!(set.insert(&deeper).is_err());
    assert!(!set.remove(&deeper));
    let text = "{\"f:a\":".repeat(100_000);
    assert!(fields_v1::decode(&text).is_err());
    let mut value = json!({});
    for _ in 0..=MAX_DEPTH {
        value = json!({"f:a": value});
    }
    assert!(fields_v1::decode_value(&value).is_err());
}

#[test]
fn path_text_is_the_servers() {
    let path = Path::from(vec![
        PathElement::field("metadata"),
        PathElement::field("a.b/c"),
        PathElement::key([("protocol", json!("TCP")), ("containerPort", json!(80))]),
        PathElement::value("\u{7f}\"é\u{200b}\t"),
        PathElement::Index(3),
        PathElement::value(1_000_000),
        PathElement::value(1_000_000.0),
        PathElement::value(json!(null)),
    ]);
    assert_eq!(
        path.to_string(),
        r#".metadata.a.b/c[containerPort=80,protocol="TCP"][="\x7f\"é\u200b\t"][3][=1000000][=1e+06][=null]"#
    );
}
