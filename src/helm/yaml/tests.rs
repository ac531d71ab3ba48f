//! The corners that matter, by hand; everything else is compared with the original library (`tests/it/helm`).
use serde_json::json;

use super::*;

#[test]
fn the_dialect() {
    for (text, value) in [
        ("n: 1", json!({"false": 1})),
        (
            "a: [y, On, NO, yes, tRue]",
            json!({"a": [true, true, false, true, "tRue"]}),
        ),
        (
            "a: [0644, 0o644, 1_000, 0b101, 0x1F, 08]",
            json!({"a": [420, 420, 1000, 5, 31, 8]}),
        ),
        (
            "a: [1:30, 2001-01-01, 1.2.3, 100m]",
            json!({"a": ["1:30", "2001-01-01", "1.2.3", "100m"]}),
        ),
        (
            "a: [1.0, 1e3, 0.5, 1e21]",
            json!({"a": [1, 1000, 0.5, 1e21]}),
        ),
        (
            "a: [18446744073709551615, 18446744073709551616]",
            json!({"a": [u64::MAX, 1.844_674_407_370_955_2e19]}),
        ),
        ("a: 1\na: 2", json!({"a": 2})),
        (
            "1: a\n1.5: b\ntrue: c\n0x10: d",
            json!({"1": "a", "1.5": "b", "true": "c", "16": "d"}),
        ),
        (
            "a: &a {x: 1, y: 2}\nb: {x: 0, <<: *a}\nc: {<<: *a, x: 0}",
            json!({"a": {"x": 1, "true": 2}, "b": {"x": 1, "true": 2}, "c": {"x": 0, "true": 2}}),
        ),
        (
            "a: !!binary aGk=\nb: !!str 12\nc: !!int '12'\nd: ! 12",
            json!({"a": "hi", "b": "12", "c": 12, "d": "12"}),
        ),
        ("a:\nb: ~\nc: ''", json!({"a": null, "b": null, "c": ""})),
        ("", json!(null)),
        ("# only this\n", json!(null)),
        ("a: b\n---\nc: d", json!({"a": "b"})),
    ] {
        assert_eq!(read(text).unwrap(), value, "{text}");
    }
}

#[test]
fn faults_say_where_and_never_what() {
    for (text, line, fault) in [
        ("a: 1\nb: hunter2: c\n", 2, YamlFault::Malformed),
        ("a: 1\n\u{1}hunter2\n", 2, YamlFault::ControlCharacter),
        ("hunter2\u{2028}\n", 1, YamlFault::LineEnd),
        ("a: [hunter2:]\n", 1, YamlFault::Unclear),
        ("a: 1\nb: &b [*b, hunter2]\n", 2, YamlFault::Cycle),
        ("a: *hunter2\n", 1, YamlFault::Malformed),
        ("a:\n  <<: hunter2\n", 2, YamlFault::Merge),
        ("~: hunter2\n", 1, YamlFault::Key),
        ("[hunter2]: a\n", 1, YamlFault::Key),
        ("1: a\n'1': hunter2\n", 2, YamlFault::KeyTwice),
        ("a: !!int hunter2\n", 1, YamlFault::Tag),
        ("a: !!binary hunter2\n", 1, YamlFault::Binary),
        ("a:\n- .inf\n", 2, YamlFault::NotFinite),
        ("%YAML 1.2\n---\nhunter2\n", 2, YamlFault::Version),
    ] {
        let error = read(text).unwrap_err();
        assert_eq!((error.line, error.fault), (line, fault), "{text:?}");
        assert!(!format!("{error} {error:?}").contains("hunter"), "{error}");
    }
}
