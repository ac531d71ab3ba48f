//! `refit fields simulate` on the command line.
#![cfg(test)]

use super::tests::{Given, PIPES, refit};

#[test]
fn simulated_requests_are_answered_line_by_line() {
    let given = |input| Given { input, ..PIPES };
    let lines = "\
{\"op\":\"apply\",\"manager\":\"helm\",\"config\":{\"apiVersion\":\"v1\",\"kind\":\"X\",\"a\":1},\"now\":\"2026-01-01T00:00:00Z\"}

{\"op\":
{\"op\":\"apply\",\"openapi\":[\"/no/such/file\"],\"config\":{}}
{\"op\":\"csa\",\"live\":{}}";
    let came = refit("fields simulate --jsonl", &given(lines));
    let answers: Vec<serde_json::Value> = came
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((came.exit, answers.len()), (0, 4));
    assert_eq!(
        answers[0]["managedFields"][0]["fieldsV1"],
        serde_json::json!({"f:a": {}})
    );
    for answer in &answers[1..3] {
        assert_eq!(
            answer.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["error"]
        );
    }
    assert_eq!(answers[3], serde_json::json!({"patch": null}));
    assert_eq!(refit("fields simulate", &PIPES).exit, 1);
    assert_eq!(refit("fields", &PIPES).exit, 1);
}
