//! Records: round trips, edits, damage.
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::helm::inflate::InflateError;

/// Shaped as Helm 4 writes it, with members, numbers and escapes that a tree would not give back.
pub(crate) const HELM4: &str = concat!(
    r#"{"name":"web","info":{"first_deployed":"2026-11-01T10:00:00.123456789Z","last_deployed":"2026-11-02T10:00:00.5+02:00","#,
    r#""description":"Upgrade \u003ccomplete\u003e","status":"deployed","notes":"see\u2028\/there","future":{"z":1,"a":1e+99}},"#,
    r#""chart":{"metadata":{"name":"nginx","version":"1.2.3","apiVersion":"v2"},"lock":null,"templates":[{"name":"a","data":"AA=="}],"#,
    r#""values":{"big":12345678901234567890123,"f":1.0},"schema":null,"files":null},"config":{"password":"hunter2","f":0.10},"#,
    r#""manifest":"---\n# Source: nginx/templates/cm.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n","#,
    r#""hooks":[{"name":"h","kind":"Job","path":"nginx/templates/h.yaml","manifest":"kind: Job","events":["pre-upgrade"],"#,
    r#""last_run":{"phase":""},"weight":-5,"delete_policies":["hook-succeeded"]}],"version":7,"namespace":"shop","#,
    r#""apply_method":"csa","x-unknown":{"b":2,"a":1}}"#
);

/// As Helm 3 writes it: no apply method, empty times, nulls.
const HELM3: &str = concat!(
    r#"{"name":"argo","info":{"first_deployed":"","last_deployed":"","deleted":"","description":"","status":"superseded"},"#,
    r#""chart":{"metadata":null},"hooks":null,"version":1,"namespace":"apps"}"#
);

/// Text that does not compress below three quarters.
pub(crate) fn noise(len: usize) -> String {
    let mut state = 1u64;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(b' ' + u8::try_from(state >> 58).unwrap())
    };
    std::iter::repeat_with(next)
        .filter(|c| !matches!(c, '"' | '\\'))
        .take(len)
        .collect()
}

fn record(json: &str) -> Record {
    Record::from_json(json.to_owned()).unwrap()
}

#[test]
fn what_let_its_json_go_is_read_and_never_written() {
    let (whole, lean) = (record(HELM4), record(HELM4).without_json());
    assert_eq!(lean.manifest, whole.manifest);
    assert_eq!(lean.hooks.len(), whole.hooks.len());
    assert!(lean.with(&Edit::default()).is_err());
    assert!(matches!(lean.encode(), Err(RecordError::Missing { .. })));
}

#[test]
fn every_field_is_read() {
    let read = record(HELM4);
    assert_eq!(
        (read.name.as_str(), read.namespace.as_str(), read.revision),
        ("web", "shop", 7)
    );
    assert_eq!(
        (&read.status, &read.apply_method),
        (&Status::Deployed, &Some(ApplyMethod::ClientSide))
    );
    assert_eq!(
        read.chart,
        Some(ChartId {
            name: "nginx".into(),
            version: "1.2.3".into()
        })
    );
    assert_eq!(read.info.description, "Upgrade <complete>");
    assert_eq!(read.info.last_deployed, "2026-11-02T10:00:00.5+02:00");
    assert!(read.manifest.starts_with("---\n# Source: nginx"));
    let hook = &read.hooks[0];
    assert_eq!(
        (hook.name.as_str(), hook.weight, hook.events.as_slice()),
        ("h", -5, &["pre-upgrade".to_owned()][..])
    );
    assert_eq!(hook.delete_policies, ["hook-succeeded"]);
}

#[test]
fn absent_and_null_are_gos_zero_values() {
    let read = record(HELM3);
    assert_eq!(
        (
            read.manifest.as_str(),
            read.hooks.len(),
            &read.chart,
            &read.apply_method
        ),
        ("", 0, &None, &None)
    );
    assert_eq!(read.info, Info::default());
}

#[test]
fn the_json_survives_a_round_trip_byte_for_byte() {
    for json in [HELM4, HELM3] {
        let stored = record(json).encode().unwrap();
        assert_eq!(Record::decode(stored.as_bytes()).unwrap().json(), json);
        assert_eq!(record(json).encode().unwrap(), stored, "deterministic");
    }
}

#[test]
fn the_gzip_header_is_gos() {
    let bytes = STANDARD.decode(record(HELM4).encode().unwrap()).unwrap();
    assert_eq!(
        bytes[..10],
        [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255],
        "no name, no time, best, unknown system"
    );
}

#[test]
fn plain_json_and_line_ends_are_read_as_go_reads_them() {
    let mut stored = STANDARD.encode(HELM4);
    stored.insert_str(40, "\r\n");
    stored.push('\n');
    assert_eq!(Record::decode(stored.as_bytes()).unwrap().json(), HELM4);
}

#[test]
fn an_edit_keeps_every_other_byte() {
    let edit = Edit {
        status: Some(Status::Superseded),
        apply_method: Some(Some(ApplyMethod::ServerSide)),
        ..Edit::default()
    };
    let expected = HELM4
        .replace(r#""status":"deployed""#, r#""status":"superseded""#)
        .replace(r#""apply_method":"csa""#, r#""apply_method":"ssa""#);
    assert_eq!(record(HELM4).with(&edit).unwrap().json(), expected);
    let expected = HELM3.replace(r#""apps"}"#, r#""apps","apply_method":"ssa"}"#);
    assert_eq!(record(HELM3).with(&edit).unwrap().json(), expected);
    assert_eq!(record(HELM4).with(&Edit::default()).unwrap().json(), HELM4);
}

#[test]
fn all_edits_together() {
    let edit = Edit {
        revision: Some(8),
        status: Some(Status::PendingUpgrade),
        apply_method: Some(None),
        description: Some("<lock> \"q\"".into()),
        last_deployed: Some("2026-12-01T00:00:00Z".into()),
        no_rollback_revision: true,
    };
    let json = HELM4.replace(r#""notes""#, r#""rollback_revision":3,"notes""#);
    assert_eq!(record(&json).info.rollback_revision, 3);
    let edited = record(&json).with(&edit).unwrap();
    assert_eq!(
        (edited.revision, &edited.status, &edited.apply_method),
        (8, &Status::PendingUpgrade, &None)
    );
    assert_eq!(
        (
            edited.info.description.as_str(),
            edited.info.rollback_revision
        ),
        ("<lock> \"q\"", 0)
    );
    assert_eq!(edited.info.last_deployed, "2026-12-01T00:00:00Z");
    assert_eq!(
        edited.info.first_deployed,
        record(HELM4).info.first_deployed
    );
    assert_eq!(
        (&edited.manifest, &edited.hooks),
        (&record(HELM4).manifest, &record(HELM4).hooks)
    );
}

#[test]
fn a_lookalike_field_is_refused() {
    for json in [
        HELM4.replace(r#""notes""#, r#""Status":"failed","notes""#),
        HELM4.replace("x-unknown", "Version"),
    ] {
        assert!(matches!(
            Record::from_json(json),
            Err(RecordError::Lookalike { .. })
        ));
    }
}

#[test]
fn what_is_missing_is_named() {
    for (from, to, field) in [
        (r#""name":"web","#, "", "name"),
        (r#""version":7"#, r#""version":0"#, "version"),
        (r#""status":"deployed","#, "", "info.status"),
    ] {
        let error = Record::from_json(HELM4.replacen(from, to, 1)).unwrap_err();
        assert_eq!(error.to_string(), format!("release record has no {field}"));
    }
    assert!(matches!(
        Record::from_json(r#"{"name":"a","info":null}"#.into()),
        Err(RecordError::Missing { field: "info" })
    ));
}

#[test]
fn errors_and_debug_show_no_value() {
    let bad = [
        HELM4.replace(r#""version":7"#, r#""version":"hunter2""#),
        HELM4.replace(r#""manifest":""#, r#""manifest":["hunter2"],"m":""#),
        HELM4.replace(r#""weight":-5"#, r#""weight":"hunter2""#),
        r#"{"config":hunter2"#.to_owned(),
    ];
    for json in bad {
        let mut error: &dyn std::error::Error = &Record::from_json(json).unwrap_err();
        let mut text = format!("{error:?}");
        loop {
            text.push_str(&error.to_string());
            let Some(source) = error.source() else { break };
            error = source;
        }
        assert!(!text.contains("hunter"), "{text}");
    }
    let shown = format!("{:?} {:?}", record(HELM4), record(HELM4).hooks);
    assert!(
        !shown.contains("hunter") && !shown.contains("kind: Job"),
        "{shown}"
    );
}

#[test]
fn sizes_are_capped() {
    let long = vec![b'A'; ENCODED_MAX + 1];
    assert!(matches!(
        Record::decode(&long),
        Err(RecordError::EncodedTooLarge { .. })
    ));
    let config = noise(2 * ENCODED_MAX);
    let big = record(&HELM4.replace("hunter2", &config));
    assert!(matches!(
        big.encode(),
        Err(RecordError::EncodedTooLarge { .. })
    ));
}

#[test]
fn a_bomb_in_a_record_is_refused() {
    use std::io::Write;
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(&vec![b' '; 1 << 20]).unwrap();
    let stored = STANDARD.encode(writer.finish().unwrap().repeat(600));
    assert!(
        stored.len() <= ENCODED_MAX,
        "fits into a Secret: {}",
        stored.len()
    );
    let error = Record::decode(stored.as_bytes()).unwrap_err();
    assert!(
        matches!(error, RecordError::Inflate(InflateError::TooLarge { .. })),
        "{error:?}"
    );
}

#[test]
fn the_identity_survives_a_rewrite_of_the_state_and_nothing_else() {
    let facts = record(HELM4).facts();
    let same = [
        HELM4
            .replace(r#""deployed","#, r#""superseded","#)
            .replace(r#","apply_method":"csa""#, ""),
        HELM4
            .replace("00.123456789Z", "00.123456789+00:00")
            .replace("00.5+02:00", "00.500+02:00"),
        HELM4.replace("hunter2", "changed"),
    ];
    for json in same {
        assert_eq!(record(&json).facts().identity, facts.identity);
    }
    for (from, to) in [
        (r#""name":"web""#, r#""name":"we""#),
        ("\"shop\"", "\"shop2\""),
        ("\"version\":7", "\"version\":77"),
        ("00.123456789Z", "00.123456788Z"),
        ("00.5+02:00", "00.5+01:00"),
        ("nginx\",\"version\"", "nginx2\",\"version\""),
        ("1.2.3", "1.2.30"),
    ] {
        assert_ne!(
            record(&HELM4.replacen(from, to, 1)).facts().identity,
            facts.identity,
            "{from}"
        );
    }
    let zero = HELM3.replace(
        r#""last_deployed":"""#,
        r#""last_deployed":"0001-01-01T00:00:00Z""#,
    );
    assert_eq!(record(&zero).facts(), record(HELM3).facts());
    assert_eq!(facts.identity.len(), 64);
}

#[test]
fn words_go_both_ways() {
    for word in "unknown deployed uninstalled superseded failed uninstalling pending-install pending-upgrade pending-rollback new".split(' ') {
        let status = Status::from(word.to_owned());
        assert_eq!((status.as_str(), status.is_pending()), (word, word.starts_with("pending")));
        assert_eq!(matches!(status, Status::Other(_)), word == "new");
        assert_eq!(serde_json::to_value(&status).unwrap(), json!(word));
    }
    for word in ["csa", "ssa", "new"] {
        assert_eq!(ApplyMethod::from(word.to_owned()).as_str(), word);
    }
}

/// JSON trees as text, with spellings that a parser would not give back.
fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,2})?",
        any::<String>().prop_map(|text| json!(text).to_string()),
        Just(r#""\u003c\/\ud83d\ude00""#.to_owned()),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(("[a-z]{1,3}", inner), 0..4).prop_map(|members| {
                let members: Vec<_> = members
                    .iter()
                    .map(|(key, value)| format!("\"{key}\":{value}"))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

fn record_json() -> impl Strategy<Value = String> {
    let times = prop::option::of("20[0-9]{2}-01-0[1-9]T00:00:00(\\.[0-9]{1,9})?Z");
    let head = (
        "[a-z]{1,8}",
        1u32..100_000,
        "[a-z-]{1,12}",
        times,
        any::<String>(),
        prop::option::of("[cs]sa"),
    );
    (head, prop::collection::vec(("y[a-z]{0,3}", json_text()), 0..4), json_text(), json_text()).prop_map(
        |((name, version, status, time, manifest, method), unknown, values, resources)| {
            let time = time.map_or(String::new(), |time| format!(r#""last_deployed":"{time}","#));
            let unknown = unknown.iter().map(|(key, value)| format!(r#","{key}":{value}"#)).collect::<Vec<_>>().concat();
            let method = method.map_or(String::new(), |method| format!(r#","apply_method":"{method}""#));
            format!(
                r#"{{"name":"{name}","info":{{{time}"status":"{status}","resources":{resources}{unknown}}},"config":{values},"manifest":{},"version":{version}{method}{unknown}}}"#,
                json!(manifest)
            )
        },
    )
}

fn word() -> impl Strategy<Value = Option<String>> {
    prop::option::of(any::<String>())
}

proptest! {
    #[test]
    fn decode_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400), packed: bool) {
        let stored = if packed { STANDARD.encode([&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255][..], &bytes].concat()).into_bytes() } else { bytes.clone() };
        let _ = Record::decode(&stored);
        let _ = Record::decode(STANDARD.encode(&bytes).as_bytes());
        let _ = Record::from_json(String::from_utf8_lossy(&bytes).into_owned());
    }

    #[test]
    fn damaged_records_never_panic(at in 0..HELM4.len(), with: u8) {
        let mut bytes = HELM4.as_bytes().to_vec();
        bytes[at] = with;
        let _ = Record::decode(STANDARD.encode(bytes).as_bytes());
    }

    #[test]
    fn untouched_json_is_identical(json in record_json()) {
        let stored = record(&json).encode().unwrap();
        let back = Record::decode(stored.as_bytes()).unwrap();
        prop_assert_eq!(back.json(), json.as_str());
        let unchanged = back.with(&Edit::default()).unwrap();
        prop_assert_eq!(unchanged.json(), json.as_str());
    }

    #[test]
    fn an_edit_changes_what_it_names_and_nothing_else(
        json in record_json(), revision in prop::option::of(1u32..), status in prop::option::of("[a-z]{1,9}"),
        method in prop::option::of(prop::option::of("[a-z]{1,4}")), description in word(), last in word(),
    ) {
        let edit = Edit {
            revision,
            status: status.clone().map(Status::from),
            apply_method: method.clone().map(|word| word.map(ApplyMethod::from)),
            description: description.clone(),
            last_deployed: last.clone(),
            no_rollback_revision: false,
        };
        let edited = record(&json).with(&edit).unwrap();
        let mut expected: Value = serde_json::from_str(&json).unwrap();
        if let Some(revision) = revision { expected["version"] = json!(revision); }
        if let Some(status) = status { expected["info"]["status"] = json!(status); }
        if let Some(text) = description { expected["info"]["description"] = json!(text); }
        if let Some(text) = last { expected["info"]["last_deployed"] = json!(text); }
        match method {
            Some(Some(word)) => expected["apply_method"] = json!(word),
            Some(None) => { expected.as_object_mut().unwrap().remove("apply_method"); }
            None => {}
        }
        let tree: Value = serde_json::from_str(edited.json()).unwrap();
        prop_assert_eq!(tree, expected);
        // The other direction undoes it in the tree, and untouched members keep their text.
        for key in ["config", "manifest"] {
            let text = |json: &str| Members::parse(json).unwrap().get(key).unwrap().to_owned();
            prop_assert_eq!(text(&json), text(edited.json()));
        }
    }
}
