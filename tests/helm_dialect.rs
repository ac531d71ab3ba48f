//! `helm::yaml` and `helm::manifest` against the libraries that Helm itself links (`tests/tools/yaml-oracle`, needs Go).
//!
//! Both must read the same value, or both must refuse. `REFIT_ORACLE_CASES` raises the number of generated cases.
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use refit::helm::yaml::{YamlError, YamlFault};
use refit::helm::{manifest, yaml};
use serde_json::{Value, json};

/// Cases shown of each sort when a test fails.
const SHOWN: usize = 60;

type Answer = Result<Value, String>;

/// Builds the oracle once a test run; Go's own cache makes the second time quick.
fn oracle() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("yaml-oracle");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/yaml-oracle");
        let built = Command::new("go").args(["build", "-o"]).arg(&program).arg(".").current_dir(&source).output();
        let built = built.unwrap_or_else(|error| {
            panic!("this test compares with Helm's own YAML library and needs Go 1.26 or later on the PATH: {error}")
        });
        assert!(built.status.success(), "go build in {}: {}", source.display(), String::from_utf8_lossy(&built.stderr));
        program
    })
}

fn ask(mode: &str, texts: &[String]) -> Vec<Answer> {
    let mut child = Command::new(oracle())
        .arg(mode)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines: Vec<String> = texts.iter().map(|text| json!(text).to_string()).collect();
    let writer = std::thread::spawn(move || {
        for line in lines {
            writeln!(input, "{line}").unwrap();
        }
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let answer = |line: &str| {
        let answer: Value = serde_json::from_str(line).unwrap();
        match answer.get("error") {
            Some(error) => Err(error.to_string()),
            None => Ok(answer.get("json").cloned().unwrap_or(Value::Null)),
        }
    };
    let answers: Vec<Answer> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(answer)
        .collect();
    assert_eq!(answers.len(), texts.len());
    answers
}

/// Both zeros are one number in JSON; Go prints a float's sign.
fn unsigned_zero(value: Value) -> Value {
    match value {
        Value::Number(number) if number.as_f64() == Some(0.0) => json!(0),
        Value::Array(items) => items.into_iter().map(unsigned_zero).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(key, value)| (key, unsigned_zero(value)))
            .collect(),
        other => other,
    }
}

/// How refit's readings of some texts compare with the oracle's.
#[derive(Debug, Default)]
struct Tally {
    /// Both read the same.
    same: usize,
    /// Both refuse.
    refused: usize,
    /// Both read, and not the same: never right.
    differ: Vec<String>,
    /// refit alone refuses: a release is held that need not be.
    strict: Vec<String>,
    /// refit alone reads: Helm could never have stored it.
    lenient: Vec<String>,
}

fn compare(mode: &str, texts: &[String], read: impl Fn(&str) -> Answer) -> Tally {
    let mut tally = Tally::default();
    for (text, theirs) in texts.iter().zip(ask(mode, texts)) {
        let ours = read(text).map(unsigned_zero);
        let theirs = theirs.map(unsigned_zero);
        let shown = || {
            format!(
                "{text:?}\n  ours:   {}\n  theirs: {}",
                show(&ours),
                show(&theirs)
            )
        };
        match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) if ours == theirs => tally.same += 1,
            (Err(_), Err(_)) => tally.refused += 1,
            // Helm has no use for a document that is one string; where its text ends is not compared.
            (Ok(Value::String(_)), Ok(Value::String(_))) if text.contains(['|', '>']) => {
                tally.same += 1
            }
            (Ok(_), Ok(_)) => tally.differ.push(shown()),
            (Err(_), Ok(_)) => tally.strict.push(shown()),
            (Ok(_), Err(_)) => tally.lenient.push(shown()),
        }
    }
    for list in [&mut tally.differ, &mut tally.strict, &mut tally.lenient] {
        list.sort_by_key(String::len);
    }
    println!(
        "same {}, refused {}, differ {}, strict {}, lenient {}",
        tally.same,
        tally.refused,
        tally.differ.len(),
        tally.strict.len(),
        tally.lenient.len()
    );
    for (name, list) in [
        ("differ", &tally.differ),
        ("strict", &tally.strict),
        ("lenient", &tally.lenient),
    ] {
        for case in list.iter().take(SHOWN) {
            println!("{name}: {case}");
        }
    }
    tally
}

impl Tally {
    /// Nothing read differently, at most so many cases on which only one of the two reads.
    fn within(self, strict: usize, lenient: usize) -> usize {
        assert!(
            self.differ.is_empty(),
            "{} read differently",
            self.differ.len()
        );
        assert!(
            self.strict.len() <= strict,
            "{} refused by refit alone",
            self.strict.len()
        );
        assert!(
            self.lenient.len() <= lenient,
            "{} read by refit alone",
            self.lenient.len()
        );
        self.same
    }
}

fn show(answer: &Answer) -> String {
    match answer {
        Ok(value) => value.to_string(),
        Err(error) => format!("refused: {error}"),
    }
}

fn read_document(text: &str) -> Answer {
    yaml::read(text).map_err(|error| error.to_string())
}

fn documents(texts: &[String]) -> Tally {
    compare("document", texts, read_document)
}

/// Draws from a strategy, always the same.
fn draw<T: std::fmt::Debug>(count: usize, strategy: &impl Strategy<Value = T>) -> Vec<T> {
    let factor: usize = std::env::var("REFIT_ORACLE_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    let mut runner = TestRunner::deterministic();
    (0..count * factor)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect()
}

const SCALARS: &[&str] = &[
    "",
    "~",
    "null",
    "Null",
    "NULL",
    "nULL",
    "y",
    "Y",
    "n",
    "N",
    "yes",
    "Yes",
    "YES",
    "yEs",
    "no",
    "No",
    "NO",
    "on",
    "On",
    "ON",
    "off",
    "Off",
    "OFF",
    "true",
    "True",
    "TRUE",
    "tRue",
    "false",
    "False",
    "FALSE",
    "0",
    "-0",
    "+0",
    "00",
    "1",
    "-1",
    "+1",
    "12",
    "012",
    "0644",
    "-0644",
    "08",
    "09",
    "0o644",
    "0O644",
    "0o8",
    "-0o17",
    "0x1F",
    "0X1f",
    "-0x1F",
    "+0x1F",
    "0x",
    "0xg",
    "0b101",
    "0B101",
    "-0b11",
    "+0b11",
    "0b",
    "0b2",
    "-0b",
    "1_000",
    "1__0",
    "_1",
    "1_",
    "0_8",
    "0x_1f",
    "1_0.5_0",
    "1:30",
    "1:30:45",
    "190:20:30.15",
    "1.0",
    "1.",
    ".5",
    "-.5",
    "+.5",
    ".",
    "..",
    "-",
    "+",
    "-.",
    "1.5",
    "1e3",
    "1E3",
    "1e+3",
    "1e-3",
    "1.e3",
    ".5e3",
    "1e",
    "1e+",
    "e3",
    "1e400",
    "-1e400",
    "1e-400",
    "1e20",
    "1e21",
    "1e22",
    "123456789012345678901234567890",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "+18446744073709551615",
    "0xffffffffffffffff",
    "0x10000000000000000",
    "0777777777777777777777",
    "01777777777777777777777",
    "07777777777777777777777",
    "0b1111111111111111111111111111111111111111111111111111111111111111",
    "0b11111111111111111111111111111111111111111111111111111111111111111",
    ".inf",
    ".Inf",
    ".INF",
    ".iNF",
    "+.inf",
    "-.inf",
    "-.Inf",
    "inf",
    "-inf",
    ".nan",
    ".NaN",
    ".NAN",
    ".Nan",
    "nan",
    "NaN",
    ".1_0",
    "._1",
    ".1_",
    ".1__0",
    ".e1",
    ".1e1_0",
    "0x1p-2",
    "0x1.8p1",
    "1p3",
    "infinity",
    "0.1",
    "0.30000000000000004",
    "100000",
    "1000000",
    "1000000.0",
    "1234567.5",
    "0.0001",
    "0.00001",
    "16777217.0",
    "3.4e39",
    "2001-01-01",
    "2001-1-1",
    "2001-13-01",
    "2001-02-29",
    "2004-02-29",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43.10 -5",
    "2001-12-15T2:59:43.1Z",
    "2001-12-14 21:59:43",
    "2001-12-14 21:59:43Z",
    "2001-12-14T21:59:43",
    "20011-01-01",
    "2001-01-01 ",
    "2001-01-01T00:00:60Z",
    "2001-01-01T24:00:00Z",
    "2001-01-01T00:00:00+99:00",
    "2001-01-01T00:00:00+24:60",
    "2001-01-01T00:00:00.Z",
    "2001-01-01T00:00:00,5Z",
    "<<",
    "=",
    "a",
    "a b",
    "a:b",
    "http://a/b",
    "a#b",
    "'",
    "it''s",
    "100m",
    "1Gi",
    "1.2.3",
    "v1",
    "$(A)",
    "%a",
    "a%",
    "@a",
    "`a`",
    "*",
    "&",
    "!",
    "|",
    ">",
    "-a",
    "- a",
    "?a",
    ":a",
    "a:",
    "{",
    "}",
    "[",
    "]",
    ",",
    "a,b",
    "a, b",
    "#",
    "a #b",
    "\t",
    "a\tb",
    "--",
    "---a",
    "=a",
    "é",
    "日本",
    "\u{1F600}",
    "\u{feff}",
    "a\u{feff}",
    "\u{a0}",
    "a\\b",
    "\\n",
    "aGVsbG8=",
    "aGVsbG8",
    "/w==",
    "gIGC",
    "8J+YgA==",
    "aGVs bG8=",
    "====",
    "QR==",
];

#[test]
fn scalars_in_every_place() {
    let mut texts = Vec::new();
    for scalar in SCALARS {
        let quoted = scalar.replace('\'', "''");
        let escaped = json!(scalar).to_string();
        for text in [
            (*scalar).to_owned(),
            format!("a: {scalar}"),
            format!("a: {scalar}\n"),
            format!("{scalar}: a\n"),
            format!("? {scalar}\n: a\n"),
            format!("- {scalar}\n- b\n"),
            format!("[{scalar}, b]"),
            format!("[b,{scalar}]"),
            format!("{{{scalar}: a}}"),
            format!("{{{scalar}}}"),
            format!("{{a: {scalar}}}"),
            format!("{{a: {scalar}, b: c}}"),
            format!("a: '{quoted}'\n'{quoted}': b\n"),
            format!("a: {escaped}\n{escaped}: b\n"),
            format!("{{{escaped}:{escaped}}}"),
            format!("a: |\n  {scalar}\n"),
            format!("a: >-\n  {scalar}\n  {scalar}\n\n"),
            format!("a: {scalar} # note\n"),
            format!("a: {scalar}\n  {scalar}\n"),
        ] {
            texts.push(text);
        }
        for tag in [
            "!!str",
            "!!int",
            "!!float",
            "!!bool",
            "!!null",
            "!!binary",
            "!!timestamp",
            "!!seq",
            "!!map",
            "!!merge",
            "!!foo",
            "!foo",
            "!",
            "!<tag:yaml.org,2002:int>",
        ] {
            texts.push(format!("a: {tag} {scalar}\n"));
            texts.push(format!("a: {tag} '{quoted}'\n"));
            texts.push(format!("{tag} '{quoted}': a\n"));
        }
    }
    let agreed = documents(&texts).within(0, 0);
    assert!(agreed > texts.len() / 2, "{agreed} of {}", texts.len());
}

#[test]
fn random_scalars() {
    let digits = "[-+.0-9_eExXoObB:]{1,8}";
    let words = "[yYnNeEsStTrRuUoOfFaAlLiI.~]{1,5}";
    let any = "[ -~]{0,8}";
    let scalar = prop_oneof![4 => digits, 2 => words, 2 => any];
    let texts: Vec<String> = draw(4000, &scalar)
        .into_iter()
        .map(|scalar| format!("a: {scalar}\n"))
        .collect();
    documents(&texts).within(0, 0);
    let texts: Vec<String> = draw(1000, &digits)
        .into_iter()
        .map(|scalar| format!("{scalar}: 1\n"))
        .collect();
    documents(&texts).within(0, 0);
}

const DOCUMENTS: &[&str] = &[
    // merges: by place, by list, nested, wrong ones
    "a: &a {x: 1, y: 2}\nb:\n  x: 0\n  <<: *a\n",
    "a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  x: 0\n",
    "a: &a {x: 1}\nb: &b {x: 2, z: 3}\nc:\n  <<: [*a, *b]\n",
    "b:\n  <<: {x: 1, <<: {z: 2, x: 3}}\n",
    "b:\n  <<: [{x: 1}, {x: 2, y: 3}]\n",
    "b: {<<: null}\n",
    "b: {<<: 1}\n",
    "b: {<<: [1]}\n",
    "b: {<<: []}\n",
    "a: &a [1]\nb: {<<: *a}\n",
    "a: &a {x: 1}\nb: {<<: [[*a]]}\n",
    "b: {'<<': {x: 1}}\n",
    "b: {\"<<\": {x: 1}}\n",
    "b: {!!merge <<: {x: 1}}\n",
    "b: {!!str <<: {x: 1}}\n",
    "b: {! '<<': {x: 1}}\n",
    "- <<\n",
    "a: <<\n",
    "a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b, x: 3}\n",
    "a: &a {<<: *a}\n",
    "a: &a {x: &b {y: 1}}\nb: {<<: *b, <<: *a}\n",
    "x: &a {1: one, true: yes}\nb: {<<: *a, '1': two}\n",
    // anchors and aliases
    "a: &x 1\nb: *x\n",
    "a: *x\nb: &x 1\n",
    "a: &x 1\nb: &x 2\nc: *x\n",
    "&x a: 1\nb: *x\n",
    "&x a: 1\n*x : 2\n",
    "a: &x [1, *x]\n",
    "a: &x {b: *x}\n",
    "- &x\n- *x\n",
    "- &x ''\n- *x\n",
    "a: &x\nb: *x\n",
    "&r\na: 1\n",
    "- &a !!str 1\n- *a\n- !!str &b 2\n- *b\n",
    "? &k [a]\n: b\n",
    "? *k\n: b\n",
    "a: &k b\n? *k\n: c\n",
    "{a: &k b, *k : c}",
    "[&a-b_c 1, *a-b_c]",
    "[&a 1, *a]",
    "- *",
    // keys
    "1: a\n'1': b\n",
    "a: 1\na: 2\n",
    "{a: 1, a: 2}",
    "? a\n? b\n",
    "? a\n",
    "? [a]\n: b\n",
    "? {a: b}\n: c\n",
    "null: a\n",
    "~: a\n",
    ": a\n",
    "? \n: a\n",
    "{: a}",
    "{? a : b}",
    "{? : b}",
    "{a}",
    "{a, b: c}",
    "[a: b]",
    "[a: b, c]",
    "[? a : b]",
    "[: b]",
    "18446744073709551615: a\n",
    "0x10: a\n",
    "1.50: a\n",
    "1e100: a\n",
    "-.inf: a\n",
    ".nan: a\n",
    "2001-01-01: a\n",
    "a b c: d\n",
    "\"a\\tb\": c\n",
    "- a: 1\n  b: 2\n- c\n",
    "-\n  a: 1\n-\n- - b\n  - c\n",
    "- - - a\n",
    "a:\n- b\n- c\nd: e\n",
    "a:\n  - b\n  -\n    c: d\n",
    "a:\n -  b:  c\n    d: e\n",
    "a:\n- b\n c: d\n",
    "a: - b\n",
    "a: b: c\n",
    "a: b\n  c: d\n",
    " a: 1\nb: 2\n",
    "a: 1\n b: 2\n",
    "a:\n  b: 1\n c: 2\n",
    "a\nb: c\n",
    "a: [\n",
    "a: ]\n",
    "a: }\n",
    "{a: b}}",
    "[a]]",
    "[a] b",
    "{a: b} c",
    "'a' b",
    "a: 'b' c\n",
    "a: \"b\" c\n",
    // flow
    "[a, b, ]",
    "[a,, b]",
    "[, a]",
    "{a: b, }",
    "{a: b,, c: d}",
    "{,}",
    "[,]",
    "[]",
    "{}",
    "[[]]",
    "[{}]",
    "{a: []}",
    "[a\n,b\n]",
    "{a:\n b}",
    "{a\n: b}",
    "a: [\nb\n]\n",
    "a: {\nb: c\n}\n",
    "a:\n  [b,\nc]\n",
    "[a b, c d]",
    "[a\nb]",
    "{a: b\nc}",
    "[http://a:80/b, x:y]",
    "{a:b}",
    "{a:b, c: d}",
    "{\"a\":b}",
    "{\"a\":\"b\"}",
    "{'a':b}",
    "{a:\"b\"}",
    "{a: b:c}",
    "[a:b]",
    "[::a]",
    "[a::]",
    "[a:]",
    "{a:}",
    "{a:,b:}",
    "[-]",
    "[-a]",
    "[- a]",
    "[?]",
    "[?a]",
    "[#a]",
    "[a #b\n]",
    "[a#b]",
    "[a, #c\nb]",
    "{a: 1 #c\n}",
    "[\ta]",
    "{\ta: b}",
    "[a\t,b]",
    "[\"a\"b]",
    "[\"a\" b]",
    "[*]",
    "{&a a: b}",
    "[!!str 1, !!int '2']",
    "[!!str , a]",
    "[!!str]",
    "{!!str : a}",
    "[&a , *a]",
    // block scalars
    "a: |\n b\n",
    "a: |\n b",
    "a: |-\n b\n\n",
    "a: |+\n b\n\n",
    "a: |+\n b\n\n\nc: d\n",
    "a: |+\n",
    "a: |\n",
    "a: |\n\n",
    "a: >\n",
    "a: |2\n  b\n   c\n",
    "a: |2\n   b\n",
    "a: |1\n  b\n",
    "a: |0\n b\n",
    "a: |10\n b\n",
    "a: |-2\n   b\n",
    "a: |2-\n   b\n",
    "a: |+-\n b\n",
    "a: | b\n",
    "a: |#b\n c\n",
    "a: | # b\n c\n",
    "a: |\n  # b\n  c\n",
    "a: |\n  b\n # c\nd: e\n",
    "a: |\n  b\n# c\nd: e\n",
    "a: |\n  b\n c\n",
    "a: |\n    b\n  c\n",
    "a: |\n\n  b\n",
    "a: |\n   \n  b\n",
    "a: |\n \n\n  b\n",
    "a: |\n\tb\n",
    "a: |\n  \tb\n",
    "a: |\n  b\t\n",
    "a: >\n  b\n  c\n",
    "a: >\n  b\n\n  c\n",
    "a: >\n  b\n\n\n  c\n",
    "a: >\n  b\n   c\n  d\n",
    "a: >\n   b\n\n   c\n    d\n\n   e\n",
    "a: >\n\n  b\n",
    "a: >-\n  b\n  c\n\n",
    "a: >+\n  b\n\n",
    "a: >\n  \tb\n  c\n",
    "- |\n a\n- >\n b\n",
    "- |\n- a\n",
    "-\n  |\n  a\n",
    "a:\n  |\n  b\n",
    "a:\n|\n  b\n",
    "|\n a\n",
    "|\na\n",
    "--- |\na\n",
    "--- |\n a\n...\n",
    "? |\n  a\n: |\n  b\n",
    "a: |\r\n  b\r\n  c\r\n",
    "a: |\n  b\r  c\n",
    "a: >\n  b\r\n  c\r\n\r\n  d\r\n",
    "a: !!str |\n  1\n",
    "a: !!int |\n  1\n",
    "a: !!binary |\n  aGVs\n  bG8=\n",
    "a: &x |\n  1\nb: *x\n",
    "a: ! |\n  1\n",
    "a: ! |-\n  1\n",
    "a: |\n  ---\n  b\n",
    "a: |\n  b\n  ...\n",
    "a: |\n  {{ x }}\n",
    // quoted
    "a: 'b\n  c'\n",
    "a: 'b\n\n  c'\n",
    "a: 'b\nc'\n",
    "a: \"b\nc\"\n",
    "a: \"b\n\tc\"\n",
    "a: \"b \\\n  c\"\n",
    "a: \"b\\\n  \\ c\"\n",
    "a: \" b \n  c \"\n",
    "a: ' b \n  c '\n",
    "a: \"\\x41\\u00e9\\U0001F600\"\n",
    "a: \"\\ud83d\\ude00\"\n",
    "a: \"\\ud800\"\n",
    "a: \"\\U00110000\"\n",
    "a: \"\\0\\a\\b\\t\\n\\v\\f\\r\\e\\ \\\"\\/\\\\\\N\\_\\L\\P\"\n",
    "a: \"\\z\"\n",
    "a: \"\\x4\"\n",
    "a: \"\\'\"\n",
    "a: '\\n'\n",
    "a: 'b''c'\n",
    "a: 'b'c\n",
    "a: 'b\n",
    "a: \"b\n",
    "'a'\n: b\n",
    "'a\n b': c\n",
    "\"a\n b\": c\n",
    "a: \"b\n---\nc\"\n",
    "a: 'b\n...\nc'\n",
    "a: \"\\\t\"\n",
    "a: ''\nb: \"\"\n",
    "a: \"b\\n\n c\"\n",
    "a:\n 'b'\n",
    "a:\n'b'\n",
    "a: \"b\"#c\n",
    "a: 'b' #c\n",
    "a: 'b'\n#c\n",
    // plain, over lines
    "a: b\n c\n",
    "a: b\n\n c\n",
    "a: b\n\n\n c\n",
    "a: b\nc\n",
    "a: b\n # c\n d\n",
    "a: b # c\n d\n",
    "a: b\n c: d\n",
    "a: b \n",
    "a:  b\n",
    "a:\tb\n",
    "a: \tb\n",
    "a:\n\tb\n",
    "\ta: b\n",
    "a: b\t# c\n",
    "a: b\t\n",
    "- a\n b\n",
    "- a\n\tb\n",
    "a\n b\n",
    "a\nb\n",
    "a: b\n---\nc\n",
    "a: b\n...\nc\n",
    "a: b\n...\n",
    "a: b\n... c\n",
    "...\n",
    "--- a\n",
    "---\na\n",
    "--- \na: b\n",
    "---a\n",
    "--- a: b\n",
    "--- # x\na: b\n",
    "--- {a: b}\n",
    "---\n---\na\n",
    "---\n...\n",
    "# c\n",
    "",
    " ",
    "\n",
    "\t",
    "\t\n",
    "  # c\n",
    "\u{feff}a: b\n",
    "a: b\n\u{feff}c: d\n",
    "a: b\r\nc: d\r\n",
    "a: b\rc: d\r",
    "a: b\n\r\nc: d\n",
    // directives, characters
    "%YAML 1.1\n---\na: b\n",
    "%YAML 1.2\n---\na: b\n",
    "%YAML 1.0\n---\na: b\n",
    "%YAML 2.0\n---\na: b\n",
    "%TAG !e! tag:yaml.org,2002:\n---\na: !e!int 1\n",
    "%TAG ! tag:yaml.org,2002:\n---\na: !int '1'\n",
    "%FOO bar\n---\na: b\n",
    "%YAML 1.1\na: b\n",
    "%\n---\na\n",
    "a: !e!int 1\n",
    "a: \u{1}\n",
    "a: \u{7f}\n",
    "a: \"\u{9f}\"\n",
    "a: \u{0}\n",
    "a: \u{fffe}\n",
    "a: \u{ffff}\n",
    "a: \u{fffd}\n",
    "a: \u{10ffff}\n",
    "a: \u{1b}[0m\n",
    "!!map {a: b}\n",
    "!!seq [a]\n",
    "!!str {a: b}\n",
    "!!set {a, b}\n",
    "a: !!seq\n- b\n",
    "a: !!map\n  b: c\n",
    "a: !foo\n  b: c\n",
    "a: !<x> b\n",
    "a: !<> b\n",
    "a: !<x b\n",
    "a: !!in%74 1\n",
    "a: !!%zz 1\n",
    "a: !! b\n",
    "a: !a!b c\n",
    "a: ! 12\n",
    "a: ! '12'\n",
    "a: ! \"y\"\n",
    "a: !\n",
    "! a: b\n",
    "a: !!str\nb: !!null\n",
    "- !!str\n- !!int\n",
    "!!str a: b\n",
    "!!int 1: b\n",
    "!!float 1: b\n",
    "!!binary aGk=: b\n",
    "!!null '': b\n",
    "!!bool 'y': b\n",
];

#[test]
fn documents_by_hand() {
    let texts: Vec<String> = DOCUMENTS.iter().map(|text| (*text).to_owned()).collect();
    let agreed = documents(&texts).within(0, 0);
    assert!(agreed > texts.len() / 2, "{agreed} of {}", texts.len());
}

/// A value, before it is written as YAML.
#[derive(Debug, Clone)]
enum Tree {
    Scalar(String),
    Sequence(Vec<Tree>),
    Mapping(Vec<(String, Tree)>),
}

fn scalar_text() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "a",
        "y",
        "12",
        "0644",
        "1.0",
        "~",
        "x y",
        "http://a:1",
        "it's",
        "{{ t }}",
        "- b",
        "c: d",
        "#e",
        "",
        "on",
        "%f",
        "*g",
        "[h",
        "k, l",
    ]);
    let plain = word.clone().prop_map(str::to_owned);
    let single = word
        .clone()
        .prop_map(|word| format!("'{}'", word.replace('\'', "''")));
    let double = word.clone().prop_map(|word| json!(word).to_string());
    let block = (
        prop::sample::select(vec!["|", "|-", "|+", ">", ">-", ">+", "|2", ">1-"]),
        prop::collection::vec((0..3usize, word.clone()), 0..5),
    )
        .prop_map(|(head, lines)| {
            let lines: Vec<String> = lines
                .iter()
                .map(|(indent, word)| format!("\n\u{1}{}{word}", " ".repeat(*indent)))
                .collect();
            format!("{head}{}", lines.concat())
        });
    let folded = prop::collection::vec(word.clone(), 2..4).prop_map(|words| words.join("\n\u{1} "));
    let tagged = (
        prop::sample::select(vec!["!!str ", "!!int ", "&a ", "! "]),
        word,
    )
        .prop_map(|(tag, word)| format!("{tag}{word}"));
    prop_oneof![6 => plain, 2 => single, 2 => double, 3 => block, 1 => folded, 1 => tagged, 1 => Just("*a".to_owned()), 1 => Just("{a: [b, 'c'], \"d\": e}".to_owned()), 1 => Just("[]".to_owned())]
}

fn tree() -> impl Strategy<Value = Tree> {
    scalar_text()
        .prop_map(Tree::Scalar)
        .prop_recursive(4, 24, 4, |inner| {
            let key = prop::sample::select(vec![
                "a",
                "b",
                "c",
                "n",
                "1",
                "'q'",
                "\"r\"",
                "<<",
                "? s\n\u{1}",
                "x y",
                "0x10",
            ])
            .prop_map(str::to_owned);
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(Tree::Sequence),
                prop::collection::vec((key, inner), 1..4).prop_map(Tree::Mapping),
            ]
        })
}

/// Writes a tree in block style. `\u{1}` in a scalar stands for the indentation of its lines.
fn write(tree: &Tree, indent: usize, step: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match tree {
        Tree::Scalar(text) => {
            out.push_str(&text.replace('\u{1}', &" ".repeat(indent + 1)));
            out.push('\n');
        }
        Tree::Sequence(items) => {
            out.push('\n');
            for item in items {
                out.push_str(&pad);
                out.push_str("- ");
                write(item, indent + step, step, out);
            }
        }
        Tree::Mapping(members) => {
            out.push('\n');
            for (key, value) in members {
                out.push_str(&pad);
                out.push_str(&key.replace('\u{1}', &pad));
                out.push_str(": ");
                // A list may stand at the column of its key.
                let deeper = if step % 2 == 1 && matches!(value, Tree::Sequence(_)) {
                    0
                } else {
                    step
                };
                write(value, indent + deeper, step, out);
            }
        }
    }
}

#[test]
fn generated_documents() {
    let texts: Vec<String> = draw(6000, &(tree(), 1..5usize, 0..8u8))
        .into_iter()
        .map(|(tree, step, ends)| {
            let mut text = String::new();
            write(&tree, 0, step, &mut text);
            match ends {
                0 => text.replace('\n', "\r\n"),
                1 => text.trim_end().to_owned(),
                2 => text.replace(": ", ": # note\n "),
                3 => format!("---\n# Source: a\n{text}"),
                _ => text,
            }
        })
        .collect();
    let agreed = documents(&texts).within(0, 0);
    assert!(agreed > texts.len() / 4, "{agreed} of {}", texts.len());
}

#[test]
fn text_with_a_few_characters_changed() {
    let change = (
        prop::sample::select(DOCUMENTS.to_vec()),
        prop::collection::vec(
            (
                any::<prop::sample::Index>(),
                "[-\n\t\r :#'\"|>?&*!,\\[\\]{}a1<.]",
            ),
            1..3,
        ),
    );
    let texts: Vec<String> = draw(6000, &change)
        .into_iter()
        .map(|(text, changes)| {
            let mut characters: Vec<char> = text.chars().collect();
            for (at, with) in changes {
                let at = at.index(characters.len() + 1);
                characters.splice(at..at, with.chars());
            }
            characters.into_iter().collect()
        })
        .collect();
    documents(&texts).within(0, 0);
}

#[test]
fn bounds_on_aliases_are_helms() {
    let mut texts = Vec::new();
    for (levels, width) in [(3, 4), (4, 9), (9, 9), (12, 2), (16, 2), (20, 2), (2, 40)] {
        let mut text = "a0: &a0 [x]\n".to_owned();
        for level in 1..=levels {
            let items = vec![format!("*a{}", level - 1); width].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
        }
        texts.push(text);
    }
    let agreed = documents(&texts).within(0, 0);
    assert!(
        (1..texts.len()).contains(&agreed),
        "some are refused: {agreed}"
    );
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(1 << 20),
        vec!["*a"; 90].join(", ")
    );
    assert!(matches!(
        yaml::read(&long),
        Err(YamlError {
            fault: YamlFault::TooLarge,
            line: 1
        })
    ));
}

#[test]
fn what_refit_alone_refuses() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(yaml::read(&deep(yaml::DEPTH_MAX)).is_ok());
    let over = yaml::read(&deep(yaml::DEPTH_MAX + 1));
    assert!(
        matches!(
            over,
            Err(YamlError {
                fault: YamlFault::TooDeep,
                ..
            })
        ),
        "{over:?}"
    );
    let blocks: String = (0..=yaml::DEPTH_MAX)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    assert!(matches!(
        yaml::read(&blocks),
        Err(YamlError {
            fault: YamlFault::TooDeep,
            ..
        })
    ));
    let mut aliases = "a0: &a0 [x]\n".to_owned();
    for level in 1..=yaml::DEPTH_MAX {
        aliases.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(matches!(
        yaml::read(&aliases),
        Err(YamlError {
            fault: YamlFault::TooDeep | YamlFault::TooManyAliases,
            ..
        })
    ));
    for end in ['\u{85}', '\u{2028}', '\u{2029}'] {
        assert!(matches!(
            yaml::read(&format!("a: 'b{end}c'\n")),
            Err(YamlError {
                fault: YamlFault::LineEnd,
                line: 1
            })
        ));
    }
    assert_eq!(
        yaml::read("a: \"\\L\\N\\P\"\n").unwrap(),
        json!({"a": "\u{2028}\u{85}\u{2029}"})
    );
}

fn read_manifest(text: &str) -> Answer {
    let objects = manifest::objects(text).map_err(|error| error.to_string())?;
    Ok(objects
        .into_iter()
        .map(|object| manifest::decorate(object.body, "web", "shop"))
        .collect())
}

#[test]
fn manifests() {
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";
    let texts: Vec<String> = [
        String::new(),
        "---\n".to_owned(),
        format!("{object}---\n{object}"),
        format!("---\n# Source: a\n{object}---\n# Source: b\n\n---\n# only this\n---\n{object}"),
        format!("---\r\n{}---\r\n", object.replace('\n', "\r\n")),
        format!("{object}--- # note\n{object}---   \n"),
        format!("{object}--- note\n{object}"),
        format!("{object}---{object}"),
        format!("{object}data:\n  a: |\n    x\n    ---\n    y\n"),
        format!("{object}data:\n  a: |\n    x\n---\n{object}"),
        format!("{object}...\n{object}"),
        format!("{object}spec: [9223372036854775807, 9223372036854775808, -9223372036854775809, 1.0, 1e3, 1e30, 0.5]\n"),
        format!("{object}  labels: {{a: null, b: 'c'}}\n  annotations: null\n"),
        format!("{object}  labels: {{a: 1}}\n  annotations: [a]\n"),
        format!("{object}  labels: {{y: 'x', 1: 'z'}}\n  annotations: {{}}\n"),
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A, metadata: {name: a}}\n- {apiVersion: v1, kind: B, metadata: {name: b}}\n".to_owned(),
        "apiVersion: v1\nkind: ConfigMapList\nitems:\n- {metadata: {name: a}}\n- {kind: B, apiVersion: x/v1, metadata: {name: b}}\n".to_owned(),
        "apiVersion: v1\nkind: List\nitems: []\n".to_owned(),
        "apiVersion: v1\nkind: List\nitems: null\n".to_owned(),
        "apiVersion: v1\nkind: List\nmetadata: {name: a}\nitems: {a: b}\n".to_owned(),
        "apiVersion: v1\nkind: List\nitems: [a]\n".to_owned(),
        "apiVersion: v1\nitems: []\n".to_owned(),
        "[a]\n".to_owned(),
        "a\n".to_owned(),
        "null\n---\n~\n".to_owned(),
    ]
    .into();
    let agreed = compare("manifest", &texts, read_manifest).within(0, 0);
    assert!(agreed > texts.len() / 2, "{agreed} of {}", texts.len());
}

#[test]
fn manifests_cut_anywhere() {
    let line = prop_oneof![
        4 => Just("---"), 1 => Just("--- # x"), 1 => Just("---x"), 2 => Just(""), 2 => Just("# Source: a/b.yaml"), 1 => Just(" ---"), 1 => Just("----"),
        4 => Just("{apiVersion: v1, kind: A, metadata: {name: a}}"), 2 => Just("{apiVersion: v1, kind: AList, items: [{metadata: {name: b}}]}"), 1 => Just("null"), 1 => Just("{apiVersion: v1, kind: B, metadata: {name: c}, n: y}\r"), 1 => Just("\r"),
    ];
    let texts: Vec<String> = draw(3000, &prop::collection::vec(line, 0..8))
        .into_iter()
        .map(|lines| lines.join("\n"))
        .collect();
    let agreed = compare("manifest", &texts, read_manifest).within(0, 0);
    assert!(agreed > texts.len() / 8, "{agreed} of {}", texts.len());
}
