//! Documents and manifests made up by the thousand, always the same ones; `REFIT_ORACLE_CASES` multiplies their number.
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::oracle::compare;
use super::tables::DOCUMENTS;
use super::{documents, read_manifest};

/// Draws from a strategy, always the same.
fn draw<T: std::fmt::Debug>(count: usize, strategy: &impl Strategy<Value = T>) -> Vec<T> {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a test takes is the caller's choice"
    )]
    let factor = std::env::var("REFIT_ORACLE_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    let mut runner = TestRunner::deterministic();
    (0..count * factor)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect()
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
    documents(&texts).within(2, 0);
    let texts: Vec<String> = draw(1000, &digits)
        .into_iter()
        .map(|scalar| format!("{scalar}: 1\n"))
        .collect();
    documents(&texts).within(2, 0);
}

/// A value, before it is written as YAML.
#[derive(Debug, Clone)]
enum Tree {
    Scalar(String),
    Sequence(Vec<Tree>),
    Mapping(Vec<(String, Tree)>),
}

fn scalar_text() -> impl Strategy<Value = String> {
    let bare = [
        "a",
        "y",
        "12",
        "0644",
        "1.0",
        "~",
        "x y",
        "http://a:1",
        "it's",
        "#e",
        "",
        "on",
        "a#b",
        "1_0",
        "2001-01-01",
    ];
    let odd = [
        "{{ t }}",
        "- b",
        "c: d",
        "%f",
        "*g",
        "[h",
        "k, l",
        "'",
        "\"",
        "é\u{1F600}",
    ];
    let bare = prop::sample::select(bare.to_vec());
    let word = prop_oneof![bare.clone(), prop::sample::select(odd.to_vec())];
    let single = word
        .clone()
        .prop_map(|word| format!("'{}'", word.replace('\'', "''")));
    let double = word.clone().prop_map(|word| json!(word).to_string());
    let heads = ["|", "|-", "|+", ">", ">-", ">+", "|2", ">1-", "| # note"];
    let lines = prop::collection::vec((0..3usize, word), 0..5);
    let block = (prop::sample::select(heads.to_vec()), lines).prop_map(|(head, lines)| {
        let line = |(indent, word): &(usize, &str)| format!("\n\u{1}{}{word}", " ".repeat(*indent));
        format!(
            "{head}{}",
            lines.iter().map(line).collect::<Vec<_>>().concat()
        )
    });
    let over_lines =
        prop::collection::vec(bare.clone(), 2..4).prop_map(|words| words.join("\n\u{1} "));
    let tags =
        prop::sample::select(["!!str ", "!!binary ", "!x ", "! ", "&b ", "&a !!str "].to_vec());
    let tagged = (tags, bare.clone()).prop_map(|(tag, word)| format!("{tag}{word}"));
    let others = prop::sample::select(
        [
            "*a",
            "*m",
            "{a: [b, 'c'], \"d\": e}",
            "[]",
            "{}",
            "[x, *m]",
            "{<<: *m, x: 3}",
        ]
        .to_vec(),
    );
    prop_oneof![
        6 => bare.prop_map(str::to_owned), 2 => single, 2 => double, 3 => block, 1 => over_lines, 1 => tagged,
        2 => others.prop_map(str::to_owned),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    scalar_text()
        .prop_map(Tree::Scalar)
        .prop_recursive(4, 24, 4, |inner| {
            let keys = [
                "a",
                "b",
                "c",
                "n",
                "1",
                "'q'",
                "\"r\"",
                "? s\n\u{1}",
                "x y",
                "0x10",
                "1.50",
                "http://a",
            ];
            let key = prop::sample::select(keys.to_vec()).prop_map(str::to_owned);
            let merge = prop::sample::select(["*m", "{x: 5, z: 6}", "[*m, {y: 7}]", "1"].to_vec());
            let merge = merge.prop_map(|map| ("<<".to_owned(), Tree::Scalar(map.to_owned())));
            let member = prop_oneof![8 => (key, inner.clone()), 1 => merge];
            prop_oneof![
                prop::collection::vec(inner, 1..4).prop_map(Tree::Sequence),
                prop::collection::vec(member, 1..5).prop_map(Tree::Mapping),
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
            let anchors = ["&a 0644", "&m {x: 1, y: 2}"].map(|text| Tree::Scalar(text.to_owned()));
            write(
                &Tree::Sequence([&anchors[..], &[tree]].concat()),
                0,
                step,
                &mut text,
            );
            match ends {
                0 => text.replace('\n', "\r\n"),
                1 => text.trim_end().to_owned(),
                2 => text.replace(": ", ": # note\n "),
                3 => format!("---\n# Source: a\n{text}"),
                _ => text,
            }
        })
        .collect();
    let agreed = documents(&texts).within(2, 0);
    assert!(agreed > texts.len() / 2, "{agreed} of {}", texts.len());
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
    documents(&texts).within(50, 40);
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
