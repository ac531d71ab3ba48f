//! Manifests: lists, places, faults. What Helm itself makes of the same texts is checked against the oracle.
use proptest::prelude::*;
use serde_json::json;

use super::*;

const MANIFEST: &str = "---\n# Source: web/templates/cm.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: other\ndata:\n  n: \"1\"\n---\n# only a comment\n---\n# Source: web/templates/list.yaml\napiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: b}\n- {apiVersion: apps/v1, kind: Deployment, metadata: {name: c}}\n";

fn names(manifest: &str) -> Vec<String> {
    objects(manifest)
        .unwrap()
        .iter()
        .map(|object| format!("{} {} {}", object.api_version, object.kind, object.name))
        .collect()
}

fn fault(manifest: &str) -> String {
    let error = objects(manifest).unwrap_err();
    std::error::Error::source(&error)
        .map_or(error.to_string(), |source| format!("{error}: {source}"))
}

#[test]
fn objects_stand_in_stored_order_with_their_places() {
    assert_eq!(
        names(MANIFEST),
        ["v1 ConfigMap a", "v1 ConfigMap b", "apps/v1 Deployment c"]
    );
    let found = objects(MANIFEST).unwrap();
    assert_eq!(found[0].namespace.as_deref(), Some("other"));
    assert_eq!(
        found[0].place.to_string(),
        "document 1 (web/templates/cm.yaml)"
    );
    assert_eq!(
        found[2].place.to_string(),
        "document 2 (web/templates/list.yaml)"
    );
    assert_eq!(
        found[1].body,
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}})
    );
    assert!(!format!("{:?}", found[0]).contains("data"));
}

#[test]
fn an_empty_manifest_has_no_objects() {
    for text in [
        "",
        "\n",
        "---\n",
        "# nothing\n---\n\n",
        "---\nnull\n---\n~\n",
    ] {
        assert_eq!(names(text), Vec::<String>::new(), "{text:?}");
    }
}

#[test]
fn lists_in_lists_are_flattened() {
    let text = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A, metadata: {name: a}}\n- apiVersion: v1\n  kind: BList\n  items:\n  - metadata: {name: b}\n- {apiVersion: v1, kind: C, metadata: {name: c}}\n";
    assert_eq!(names(text), ["v1 A a", "v1 C c", "v1 B b"]);
    assert_eq!(
        names("apiVersion: v1\nkind: List\nitems: []\n"),
        Vec::<String>::new()
    );
    assert_eq!(
        fault("apiVersion: v1\nkind: List\nmetadata: {name: x}\nitems: {a: 1}\n"),
        "document 1 has items that are no list"
    );
}

#[test]
fn faults_name_their_place() {
    assert_eq!(
        fault("# Source: a.yaml\nkind: A\nmetadata: {name: hunter2}\n"),
        "document 1 (a.yaml) holds an object without apiVersion"
    );
    assert_eq!(
        fault("apiVersion: v1\nkind: 5\nmetadata: {name: a}\n"),
        "document 1 holds an object without kind"
    );
    assert_eq!(
        fault("apiVersion: v1\nkind: A\nmetadata: {name: 5}\n"),
        "document 1 holds an object without metadata.name"
    );
    assert_eq!(
        fault("apiVersion: v1\nkind: A\nmetadata: {generateName: a-}\n"),
        "document 1 holds an object with generateName instead of a name"
    );
    assert_eq!(
        fault("[hunter2]\n"),
        "document 1 holds something else than an object"
    );
    assert_eq!(
        fault("apiVersion: v1\nkind: List\nitems: [hunter2]\n"),
        "document 1 holds something else than an object"
    );
    assert_eq!(
        fault("apiVersion: v1\nitems: []\n"),
        "document 1 holds an object without kind"
    );
    assert_eq!(
        fault("null\n---\na: b\n  c: hunter2\n"),
        "document 1 is not YAML: line 2: malformed YAML"
    );
    assert_eq!(
        fault("apiVersion: v1\nkind: A\nmetadata: {name: a}\n--- hunter2\n"),
        "document 1 ends in an invalid document separator"
    );
}

#[test]
fn integers_are_those_of_kubernetes() {
    let found = objects("apiVersion: v1\nkind: A\nmetadata: {name: a}\nspec: [9223372036854775807, 9223372036854775808, {x: 18446744073709551615}]\n").unwrap();
    assert_eq!(
        found[0].body["spec"],
        json!([i64::MAX, 9_223_372_036_854_775_808.0, {"x": 18_446_744_073_709_551_615.0}])
    );
}

#[test]
fn of_objects_that_occur_twice_the_earlier_are_told() {
    let text = "{apiVersion: apps/v1, kind: D, metadata: {name: a}}\n---\n{apiVersion: v1, kind: D, metadata: {name: a}}\n---\n{apiVersion: apps/v1beta1, kind: D, metadata: {name: a, namespace: ns}}\n---\n{apiVersion: apps/v1, kind: D, metadata: {name: a, namespace: x}}\n---\n{apiVersion: apps/v1, kind: D, metadata: {name: a}}\n";
    let found = objects(text).unwrap();
    assert_eq!(repeats(&found, "ns"), [0, 2]);
    assert_eq!(repeats(&found, "x"), [0, 3]);
}

#[test]
fn helms_additions() {
    let added = decorate(
        json!({"metadata": {"labels": {"a": null, "b": "c"}, "annotations": {"x": 1}}, "data": 1}),
        "web",
        "shop",
    );
    assert_eq!(
        added,
        json!({"metadata": {
            "labels": {"a": "", "b": "c", "app.kubernetes.io/managed-by": "Helm"},
            "annotations": {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop"},
        }, "data": 1})
    );
    assert_eq!(
        decorate(json!({}), "a", "b")["metadata"]["annotations"]["meta.helm.sh/release-namespace"],
        "b"
    );
    assert_eq!(
        decorate(json!({"metadata": 5}), "a", "b"),
        json!({"metadata": 5})
    );
    assert_eq!(decorate(json!([1]), "a", "b"), json!([1]));
}

/// Text that looks like a manifest here and there.
fn scraps() -> impl Strategy<Value = String> {
    let scrap = prop_oneof![
        Just("---\n".to_owned()),
        Just("--- # x\n".to_owned()),
        Just("apiVersion: v1\n".to_owned()),
        Just("kind: List\n".to_owned()),
        Just("items:\n".to_owned()),
        Just("- ".to_owned()),
        Just("metadata: {name: a}\n".to_owned()),
        Just("  ".to_owned()),
        Just("&a ".to_owned()),
        Just("*a\n".to_owned()),
        Just("<<: ".to_owned()),
        Just("!!binary ".to_owned()),
        Just("? ".to_owned()),
        Just("|\n".to_owned()),
        Just("[".to_owned()),
        Just("}".to_owned()),
        Just("{".to_owned()),
        Just(": ".to_owned()),
        "[ -~\n\t]{0,6}",
        any::<String>(),
    ];
    prop::collection::vec(scrap, 0..24).prop_map(|scraps| scraps.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_panics(text in scraps()) {
        let _ = crate::helm::yaml::read(&text);
        let _ = objects(&text);
    }

    #[test]
    fn decorating_twice_is_decorating_once(labels in prop::collection::btree_map("[a-z]{1,3}", "[a-z]{0,3}", 0..4)) {
        let once = decorate(json!({"metadata": {"labels": labels}}), "r", "n");
        prop_assert_eq!(decorate(once.clone(), "r", "n"), once);
    }
}
