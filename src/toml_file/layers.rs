//! Several texts read as one: a higher one overrides a lower one key by key, and every value keeps its place.
//!
//! The texts are laid one after the other into one range of offsets, so a place is still a plain range; [`Source`] finds
//! the file behind it.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::problem::{ProblemKind, Problems, Source};

/// A text of a file.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    /// The file, as the user knows it.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Top keys that are taken; `None` is all.
    pub keys: Option<&'a [&'a str]>,
}

/// Keys of a section that say the same in different ways: a higher layer's takes the place of all of them.
pub type Exclusive = (&'static str, &'static [&'static str]);

/// Texts read as one.
pub struct Layers<'a> {
    /// The merged table.
    pub root: DeTable<'a>,
    /// The texts, to turn offsets into places.
    pub source: Source<'a>,
}

impl<'a> Layers<'a> {
    /// Reads texts, the lowest first. `main` is the index of the file that flaws without a place are told of.
    /// What is no TOML goes to `problems`; the rest is read nevertheless.
    pub fn read(
        layers: &[Layer<'a>],
        main: usize,
        exclusive: &[Exclusive],
        problems: &mut Problems,
    ) -> Self {
        let mut source = Source::default();
        let mut trees = Vec::with_capacity(layers.len());
        let others = (0..layers.len()).filter(|at| *at != main);
        for at in std::iter::once(main).chain(others) {
            let Some(layer) = layers.get(at) else {
                continue;
            };
            let base = source.add(layer.name, layer.text);
            let mut tree = parse(layer.text, base, problems);
            if let Some(keys) = layer.keys {
                tree = only(tree, keys);
            }
            trees.push((at, tree));
        }
        trees.sort_by_key(|(at, _)| *at);
        let mut root = DeTable::new();
        for (_, tree) in trees {
            for (section, keys) in exclusive {
                make_room(&mut root, &tree, section, keys);
            }
            lay_over(&mut root, tree);
        }
        Self { root, source }
    }
}

/// A table with some of its keys.
fn only<'a>(table: DeTable<'a>, keys: &[&str]) -> DeTable<'a> {
    let kept = |key: &str| keys.contains(&key);
    table
        .into_iter()
        .filter(|(key, _)| kept(key.get_ref()))
        .collect()
}

impl<'a> Source<'a> {
    /// Parses one text more, which is laid over nothing. What is no TOML goes to `problems`.
    pub fn parse(&mut self, name: &'a str, text: &'a str, problems: &mut Problems) -> DeTable<'a> {
        let base = self.add(name, text);
        parse(text, base, problems)
    }
}

/// Parses one text whose first byte has the offset `base`.
pub fn parse<'a>(text: &'a str, base: usize, problems: &mut Problems) -> DeTable<'a> {
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = moved(&error.span().unwrap_or(text.len()..text.len()), base);
        let line = at.start..at.start;
        problems.add(at, line, ProblemKind::Syntax(error.message().to_owned()));
    }
    moved_table(root.into_inner(), base)
}

fn moved(span: &Range<usize>, base: usize) -> Range<usize> {
    span.start + base..span.end + base
}

fn moved_table(table: DeTable<'_>, base: usize) -> DeTable<'_> {
    table
        .into_iter()
        .map(|(key, value)| {
            let span = moved(&key.span(), base);
            (
                Spanned::new(span, key.into_inner()),
                moved_value(value, base),
            )
        })
        .collect()
}

fn moved_value(value: Spanned<DeValue<'_>>, base: usize) -> Spanned<DeValue<'_>> {
    let span = moved(&value.span(), base);
    let inner = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(moved_table(table, base)),
        DeValue::Array(items) => {
            let mut array = DeArray::new();
            for item in items {
                array.push(moved_value(item, base));
            }
            DeValue::Array(array)
        }
        scalar => scalar,
    };
    Spanned::new(span, inner)
}

/// If the upper tree says one of the keys, the lower one says none of them any more.
fn make_room(below: &mut DeTable<'_>, above: &DeTable<'_>, section: &str, keys: &[&str]) {
    let says = |key: &&str| {
        let table = above.get(section).and_then(|it| it.get_ref().as_table());
        table.is_some_and(|table| table.contains_key(*key))
    };
    if keys.iter().any(says)
        && let Some(DeValue::Table(table)) = below.get_mut(section).map(Spanned::get_mut)
    {
        for key in keys {
            table.remove(*key);
        }
    }
}

/// Tables are united, everything else is replaced. A section that both have is placed where the higher one has it.
fn lay_over<'a>(below: &mut DeTable<'a>, above: DeTable<'a>) {
    for (key, value) in above {
        let under = below.remove(&key).map(Spanned::into_inner);
        let span = value.span();
        let value = match (under, value.into_inner()) {
            (Some(DeValue::Table(mut under)), DeValue::Table(over)) => {
                lay_over(&mut under, over);
                DeValue::Table(under)
            }
            (_, over) => over,
        };
        below.insert(key, Spanned::new(span, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers<'a>(texts: &[(&'a str, &'a str)], main: usize) -> (Layers<'a>, Problems) {
        let layers: Vec<Layer<'_>> = texts
            .iter()
            .map(|&(name, text)| Layer {
                name,
                text,
                keys: None,
            })
            .collect();
        let mut problems = Problems::default();
        let read = Layers::read(&layers, main, &[("a", &["p", "q"])], &mut problems);
        (read, problems)
    }

    fn place(layers: &Layers<'_>, path: &[&str]) -> (String, usize, usize) {
        let mut table = &layers.root;
        let mut span = 0..0;
        for step in path {
            let (key, value) = table.iter().find(|(key, _)| key.get_ref() == step).unwrap();
            span = key.span();
            if let DeValue::Table(inner) = value.get_ref() {
                table = inner;
            }
        }
        let (line, column) = layers.source.place(span.start);
        (layers.source.file(span.start).to_owned(), line, column)
    }

    #[test]
    fn the_higher_text_wins_and_places_stay() {
        let (read, problems) = layers(
            &[
                ("low", "[a]\nx = 1\ny = 2\n"),
                ("main", "\n[a]\ny = 3\n[b]\nz = [1]\n"),
                ("high", "a.x = 9"),
            ],
            1,
        );
        assert!(problems.is_empty());
        assert_eq!(place(&read, &["a", "x"]), ("high".to_owned(), 1, 3));
        assert_eq!(place(&read, &["a", "y"]), ("main".to_owned(), 3, 1));
        assert_eq!(place(&read, &["b", "z"]), ("main".to_owned(), 5, 1));
        assert_eq!(read.source.file(0), "main");
    }

    #[test]
    fn of_exclusive_keys_the_higher_one_is_left() {
        let (read, _) = layers(&[("low", "[a]\np = 1\nx = 1"), ("main", "[a]\nq = 2")], 1);
        assert_eq!(place(&read, &["a", "q"]), ("main".to_owned(), 2, 1));
        assert_eq!(place(&read, &["a", "x"]), ("low".to_owned(), 3, 1));
        let table = read.root.iter().next().unwrap().1.get_ref();
        assert_eq!(table.as_table().unwrap().len(), 2);
    }

    #[test]
    fn a_broken_text_does_not_hide_the_others() {
        let (read, problems) = layers(&[("low", "x = = 1"), ("main", "y = 2")], 1);
        assert_eq!(place(&read, &["y"]), ("main".to_owned(), 1, 1));
        let error = problems.finish(&read.source);
        assert_eq!(error.problems[0].file, "low");
    }
}
