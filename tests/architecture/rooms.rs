//! Small rooms: each file says what it is for, and none is so long that nobody reads it.

use super::tree::{files, parse, read, rust_files};

/// Folders with Rust of ours.
const FOLDERS: &[&str] = &["src", "crates", "xtask", "tests", "benches", "fuzz"];

/// Lines that a file may have without its inline test module. Past this nobody reads a file from top to bottom; most
/// have less than a fifth of it.
const CAP: usize = 1000;

fn all() -> Vec<String> {
    FOLDERS
        .iter()
        .flat_map(|folder| rust_files(folder))
        .collect()
}

#[test]
fn every_file_has_a_module_doc() {
    let bare: Vec<String> = all()
        .into_iter()
        .filter(|path| {
            let doc = parse(path)
                .attrs
                .into_iter()
                .find_map(|attr| match attr.meta {
                    syn::Meta::NameValue(pair) if pair.path.is_ident("doc") => Some(pair.value),
                    _ => None,
                });
            match doc {
                Some(syn::Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(text),
                    ..
                })) => text.value().trim().is_empty(),
                _ => true,
            }
        })
        .collect();
    assert!(
        bare.is_empty(),
        "files without a `//!` that says what they are for:\n{}",
        bare.join("\n")
    );
}

/// Lines without the `#[cfg(test)] mod … { … }` of the file. rustfmt puts its braces into the first column.
fn length(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).position(|pair| {
        pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{')
    });
    let Some(start) = tests else {
        return lines.len();
    };
    let end = lines[start..]
        .iter()
        .position(|line| *line == "}")
        .map_or(lines.len(), |at| start + at + 1);
    lines.len() - (end - start)
}

#[test]
fn no_file_is_too_long() {
    let mut lengths: Vec<(usize, String)> = all()
        .into_iter()
        .map(|path| (length(&read(&path)), path))
        .collect();
    lengths.sort();
    let long: Vec<String> = lengths
        .iter()
        .filter(|(lines, _)| *lines > CAP)
        .map(|(lines, path)| format!("{path}: {lines}"))
        .collect();
    // What ships, apart from tests: the figures that CONTRIBUTING.md asks for.
    let shipped: Vec<usize> = lengths
        .iter()
        .filter(|(_, path)| path.starts_with("src/") || path.contains("/src/"))
        .filter(|(_, path)| !path.ends_with("/tests.rs"))
        .map(|(lines, _)| *lines)
        .collect();
    let at = |percent: usize| shipped[(shipped.len() - 1) * percent / 100];
    println!(
        "{} files: median {}, p95 {}, longest {} lines (cap {CAP})",
        shipped.len(),
        at(50),
        at(95),
        at(100)
    );
    assert!(
        long.is_empty(),
        "files over {CAP} lines without their tests: split them by idea\n{}",
        long.join("\n")
    );
}

#[test]
fn a_length_leaves_the_inline_tests_out() {
    let text =
        "//! Doc.\nfn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {\n    }\n}\nfn c() {}\n";
    assert_eq!(length(text), 4);
    assert_eq!(length("//! Doc.\n#[cfg(test)]\nmod tests;\n"), 3);
}

/// `#[expect(.., reason = "..")]` fails when it is no longer needed, and says why; `#[allow]` does neither. A test that
/// is ignored tests nothing.
#[test]
fn no_lint_is_silenced_and_no_test_ignored() {
    use syn::visit::Visit;

    #[derive(Default)]
    struct Attributes(Vec<String>);
    impl<'ast> Visit<'ast> for Attributes {
        fn visit_attribute(&mut self, attr: &'ast syn::Attribute) {
            let line = attr.pound_token.spans[0].start().line;
            if attr.path().is_ident("allow") {
                self.0.push(format!(
                    "{line}: `#[allow]`: use `#[expect(.., reason = \"..\")]`"
                ));
            } else if attr.path().is_ident("ignore") {
                self.0
                    .push(format!("{line}: `#[ignore]`: run the test or drop it"));
            } else if attr.path().is_ident("expect")
                && let syn::Meta::List(list) = &attr.meta
                && !list.tokens.to_string().contains("reason")
            {
                self.0.push(format!("{line}: `#[expect]` without a reason"));
            }
        }
    }

    let mut found = Vec::new();
    for path in all() {
        let mut attributes = Attributes::default();
        attributes.visit_file(&parse(&path));
        found.extend(
            attributes
                .0
                .into_iter()
                .map(|trouble| format!("{path}:{trouble}")),
        );
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The one folder of tests that cargo would not find: a file beside `main.rs` that no `mod` names.
#[test]
fn no_test_file_is_forgotten() {
    for folder in ["tests/it", "tests/architecture"] {
        let main = read(&format!("{folder}/main.rs"));
        for path in files(folder, "rs") {
            let inner = path[folder.len() + 1..].trim_end_matches(".rs");
            let name = inner.split('/').next().unwrap_or_default();
            assert!(
                name == "main" || main.contains(&format!("mod {name};")),
                "{path} is in no binary: say `mod {name};` in {folder}/main.rs"
            );
        }
    }
}
