//! `fieldsV1` texts, right and broken ones.

use managed_fields::fields_v1;
use serde_json::{Value, json};

use super::oracle::Oracle;
use crate::rng::Rng;

const PIECES: &[&str] = &[
    "f:a",
    "f:b",
    "f:",
    "f:<x>\u{2028}",
    "f:\u{1}\"\\",
    ".",
    "x:y",
    "i:3",
    "i:-1",
    "i:x",
    "v:1",
    "v:1.0",
    "v:1e21",
    "v:1e-7",
    "v:\"<&>\"",
    "v:\"\u{e9}\u{2028}\\u0001\\n\"",
    "v:null",
    "v:true",
    "v:[1,\"<\"]",
    "v:{\"b\":1,\"a\":\"<\"}",
    "v:",
    "v:x",
    "k:{\"name\":\"a\"}",
    "k:{\"port\":80,\"protocol\":\"TCP\"}",
    "k:{\"protocol\":\"TCP\",\"port\":80.0}",
    "k:{\"port\":443}",
    "k:{}",
    "k:null",
    "k:[]",
    "k:{\"<\":\">\"}",
    "k:{\"a\":null}",
    "k:{\"a\":1",
    "k",
    "",
    "é:",
    "f",
    "k:{\"a\":0.1}",
    "v:-0",
    "v:123456789012345678901234567890",
    "v:9007199254740993",
    "v:0.000001",
    "v:100000000000000000000",
];

/// Panics at the first difference.
pub fn compare(oracle: &mut Oracle, cases: usize) {
    let mut good = 0;
    for seed in 0..cases {
        let rng = &mut Rng::new(seed as u64);
        let mut text = String::new();
        // Mostly right pieces, or nearly every text would be broken.
        let right: Vec<&str> = PIECES
            .iter()
            .copied()
            .filter(|piece| fields_v1::decode_element(piece).is_ok())
            .collect();
        let pieces = if rng.chance(80) { &right[..] } else { PIECES };
        node(rng, pieces, &mut text, 0);
        if rng.chance(5) {
            let at = (0..text.len())
                .filter(|at| text.is_char_boundary(*at))
                .nth(rng.below(text.len()))
                .unwrap_or(0);
            text.truncate(at);
        }
        let answer = oracle.ask(&json!({"op": "text", "text": text}));
        let ours = fields_v1::decode(&text).map(|set| fields_v1::encode(&set));
        match (answer.get("error"), &ours) {
            (Some(_), Err(_)) => {}
            (None, Ok(ours)) if answer["text"] == ours.as_str() => good += 1,
            _ => panic!("seed {seed}: for {text}\nKubernetes says {answer}\nwe say {ours:?}"),
        }
    }
    assert!(
        good * 2 > cases,
        "only {good} of {cases} texts were right ones: the test tests too little"
    );
}

fn node(rng: &mut Rng, pieces: &[&str], out: &mut String, depth: usize) {
    out.push('{');
    let mut first = true;
    for _ in 0..rng.below(if depth < 4 { 4 } else { 1 }) {
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        out.push_str(&Value::from(*rng.pick(pieces)).to_string());
        out.push(':');
        match rng.below(100) {
            0 => out.push_str("null"),
            1 if pieces.len() == PIECES.len() => out.push('1'),
            _ => node(rng, pieces, out, depth + 1),
        }
    }
    out.push('}');
}
