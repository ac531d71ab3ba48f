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

/// Whatever a line is, it gets one line, and so does the next one.
#[test]
fn a_line_that_is_nonsense_costs_its_own_answer_only() {
    let config = |value: &str| {
        format!(
            r#"{{"op":"apply","manager":"m","config":{{"apiVersion":"v1","kind":"X","a":{value}}}}}"#
        )
    };
    let fine = config("1");
    let deep = "[".repeat(100_000);
    let whole = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    for (line, refused) in [
        (config("1e400"), true),
        (
            config("[18446744073709551616, -9223372036854775809, 1e-400]"),
            false,
        ),
        (config(&whole(100)), false),
        (config(&whole(1_000)), true),
        (config(&deep), true),
        (r#"["apply", [], "m", "", false]"#.to_owned(), true),
        (r#"{"op":"delete"}"#.to_owned(), true),
        (r#"{"op":"apply","op":"csa"}"#.to_owned(), true),
        (r#"{"op":"apply","config":7}"#.to_owned(), true),
        (
            r#"{"op":"csa","live":{"metadata":{"managedFields":7}}}"#.to_owned(),
            true,
        ),
        (
            r#"{"op":"apply","openapi":["/dev/null"],"config":{}}"#.to_owned(),
            true,
        ),
        ("\u{0}".to_owned(), true),
    ] {
        let input = format!("{line}\n{fine}\n");
        let input: &'static str = input.leak();
        let came = refit("fields simulate --jsonl", &Given { input, ..PIPES });
        let answers: Vec<serde_json::Value> = came
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let start: String = line.chars().take(60).collect();
        assert_eq!((came.exit, answers.len()), (0, 2), "{start}");
        assert_eq!(
            answers[0]["error"].is_string(),
            refused,
            "{start}: {}",
            answers[0]
        );
        assert_eq!(answers[1]["object"]["a"], 1, "{start}");
    }
}
