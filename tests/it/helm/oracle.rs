//! Asks the libraries that Helm itself links (`tests/tools/yaml-oracle`, needs Go), and compares.
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};

/// Cases shown of each sort when a test fails.
const SHOWN: usize = 60;

/// A value, or why there is none.
pub type Answer = Result<Value, String>;

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

/// Numbers as they mean the same: Go prints the sign of a zero, and a float past 2^63 like an integer, which only a manifest
/// does not have.
fn plain(mode: &str, value: Value) -> Value {
    match value {
        Value::Number(number) if number.as_f64() == Some(0.0) => json!(0),
        Value::Number(number) if mode == "manifest" && !number.is_i64() => json!(number.as_f64()),
        Value::Array(items) => items.into_iter().map(|item| plain(mode, item)).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(key, value)| (key, plain(mode, value)))
            .collect(),
        other => other,
    }
}

/// How refit's readings of some texts compare with the oracle's.
#[derive(Debug, Default)]
pub struct Tally {
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

/// Compares refit's reading of each text with the oracle's.
pub fn compare(mode: &str, texts: &[String], read: impl Fn(&str) -> Answer) -> Tally {
    let mut tally = Tally::default();
    for (text, theirs) in texts.iter().zip(ask(mode, texts)) {
        let ours = read(text).map(|value| plain(mode, value));
        let theirs = theirs.map(|value| plain(mode, value));
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
                tally.same += 1;
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
    /// Nothing is read differently, and at most so many of a thousand are read by one of the two alone. How many both read.
    pub fn within(self, strict: usize, lenient: usize) -> usize {
        let total =
            self.same + self.refused + self.differ.len() + self.strict.len() + self.lenient.len();
        assert!(
            self.differ.is_empty(),
            "{} of {total} read differently",
            self.differ.len()
        );
        assert!(
            self.strict.len() * 1000 <= strict * total,
            "{} of {total} refused by refit alone",
            self.strict.len()
        );
        assert!(
            self.lenient.len() * 1000 <= lenient * total,
            "{} of {total} read by refit alone",
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
