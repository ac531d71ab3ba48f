//! What keeps a rule that changes values from being carried out: seen before the first write, and nothing is written.

use serde_json::json;

use crate::holds::{policy, rules, until_in_force};
use crate::policies::{stage, state_of};
use crate::values::{map, taken};

#[test]
fn admission_that_adds_to_a_value_hands_the_release_back() {
    let stage = stage();
    let api = stage.planes[0].api();
    taken(&stage, "maps", 2);
    let planned = stage
        .refit
        .json(&["plan", "--save", "p.json", "-o", "json"])
        .unwrap()
        .value;
    assert_eq!(planned["summary"]["valueChanges"], 2, "{planned:#}");
    // Planned while nothing stands in the way. This one looks at the new value only: no patch of owners meets it.
    let spec = json!({
        "matchConstraints": rules(),
        "failurePolicy": "Fail",
        "reinvocationPolicy": "IfNeeded",
        "matchConditions": [{ "name": "ours", "expression": "object.data['a'] == 'ours' && oldObject.data['a'] != 'ours' || object.metadata.name == 'canary'" }],
        "mutations": [{
            "patchType": "ApplyConfiguration",
            "applyConfiguration": { "expression": "Object{metadata: Object.metadata{annotations: {\"touched\": \"yes\"}}}" },
        }],
    });
    let canary = json!({ "metadata": { "name": "canary" }, "data": { "a": "" } });
    api.post("/api/v1/namespaces/default/configmaps", &canary)
        .unwrap();
    assert!(policy(&stage, "MutatingAdmissionPolicy", &spec));
    until_in_force(&stage, |answer| answer.body.to_string().contains("touched"));
    let before = stage.snapshots().unwrap();
    let marks = stage.marks().unwrap();
    let run = stage
        .refit
        .call(&["run", "p.json", "--yes", "-o", "json"])
        .unwrap();
    assert_eq!(run.code, 3, "{} {:#}", run.stderr, run.value);
    assert_eq!(state_of(&run.value, "maps"), "Held", "{:#}", run.value);
    assert!(
        run.value.to_string().contains(".metadata.annotations"),
        "{:#}",
        run.value
    );
    assert_eq!(stage.requests(&marks).unwrap()[0].writes().len(), 0);
    assert_eq!(stage.snapshots().unwrap()[0], before[0]);
}

#[test]
fn an_object_with_a_mark_of_refits_own_is_looked_at_first() {
    let stage = stage();
    let api = stage.planes[0].api();
    taken(&stage, "maps", 2);
    // As a run leaves it that lost its journal between the two requests.
    api.merge_patch(
        &format!("{}?fieldManager=refit", map(1)),
        &json!({"data": {"b": "x"}}),
    )
    .unwrap();
    let planned = stage
        .refit
        .json(&["plan", "--save", "p.json", "-o", "json"])
        .unwrap()
        .value;
    assert_eq!(planned["summary"]["migrate"], 0, "{planned:#}");
    assert!(
        planned
            .to_string()
            .contains("an entry of the manager refit is on it"),
        "{planned:#}"
    );
}
