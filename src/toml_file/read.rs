//! Typed access to TOML that keeps places and collects flaws.

use std::borrow::Borrow as _;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{ProblemKind, Problems};
use super::shape::Shape;

/// A table whose keys are known.
#[derive(Clone)]
pub struct Section<'a> {
    table: &'a DeTable<'a>,
    /// Where it begins.
    pub span: Range<usize>,
}

impl<'a> Section<'a> {
    /// Tells every key that the shape does not have.
    pub fn open(
        table: &'a DeTable<'a>,
        span: Range<usize>,
        shape: &Shape,
        problems: &mut Problems,
    ) -> Self {
        for (key, value) in table {
            let name: &str = key.get_ref().borrow();
            let kind = if shape.now.contains(&name) {
                continue;
            } else if shape.later.contains(&name) {
                let dot = if shape.section.is_empty() { "" } else { "." };
                ProblemKind::NotSupportedYet {
                    key: format!("{}{dot}{name}", shape.section),
                }
            } else {
                ProblemKind::UnknownKey {
                    hint: shape.hint(name, problems.family()),
                }
            };
            problems.add(key.span(), key.span().start..value.span().end, kind);
        }
        Self { table, span }
    }

    /// The entry of a key, if it is there.
    pub fn get(&self, key: &str) -> Option<Entry<'a>> {
        self.table
            .iter()
            .find(|(name, _)| name.get_ref() == key)
            .map(|(name, value)| Entry {
                key: name.span(),
                value,
            })
    }
}

/// A key with its value.
#[derive(Clone)]
pub struct Entry<'a> {
    /// Where the key is.
    pub key: Range<usize>,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Entry<'a> {
    /// Key and value.
    pub fn span(&self) -> Range<usize> {
        self.key.start..self.value.span().end
    }

    /// The value alone.
    pub fn value_span(&self) -> Range<usize> {
        self.value.span()
    }

    /// Is the value a table?
    pub fn is_table(&self) -> bool {
        self.value.get_ref().is_table()
    }

    /// Is the value a text?
    pub fn is_text(&self) -> bool {
        self.value.get_ref().is_str()
    }

    /// A flaw of the value.
    pub fn flaw(&self, problems: &mut Problems, message: impl Into<String>) {
        self.flaw_at(problems, self.value.span(), message);
    }

    /// A flaw of a part of the value.
    pub fn flaw_at(
        &self,
        problems: &mut Problems,
        place: Range<usize>,
        message: impl Into<String>,
    ) {
        problems.add(place, self.span(), ProblemKind::Invalid(message.into()));
    }

    fn wanted(&self, problems: &mut Problems, value: &Spanned<DeValue<'_>>, what: &str) {
        let found = value.get_ref().type_str();
        self.flaw_at(
            problems,
            value.span(),
            format!("{what} is needed; this is {}", with_article(found)),
        );
    }

    /// A text that is not empty.
    pub fn text(&self, problems: &mut Problems) -> Option<&'a str> {
        match self.value.get_ref().as_str() {
            Some("") => {
                self.flaw(problems, "this must not be empty");
                None
            }
            Some(text) => Some(text),
            None => {
                self.wanted(problems, self.value, "a text in quotes");
                None
            }
        }
    }

    /// A text, empty or not.
    pub fn any_text(&self, problems: &mut Problems) -> Option<&'a str> {
        let text = self.value.get_ref().as_str();
        if text.is_none() {
            self.wanted(problems, self.value, "a text in quotes");
        }
        text
    }

    /// `true` or `false`.
    pub fn truth(&self, problems: &mut Problems) -> Option<bool> {
        let truth = self.value.get_ref().as_bool();
        if truth.is_none() {
            self.wanted(problems, self.value, "true or false");
        }
        truth
    }

    /// A whole number within bounds.
    pub fn number(&self, problems: &mut Problems, bounds: &RangeInclusive<u32>) -> Option<u32> {
        let Some(number) = whole(self.value) else {
            self.wanted(problems, self.value, "a whole number");
            return None;
        };
        let within = u32::try_from(number)
            .ok()
            .filter(|number| bounds.contains(number));
        if within.is_none() {
            let (low, high) = (bounds.start(), bounds.end());
            self.flaw(problems, format!("{number} is not within {low} and {high}"));
        }
        within
    }

    /// A date without a time.
    pub fn date(&self, problems: &mut Problems) -> Option<jiff::civil::Date> {
        let date = self.value.get_ref().as_datetime().and_then(plain_date);
        if date.is_none() {
            let hint = "a date without quotes and without a time, like 2027-02-10,";
            self.wanted(problems, self.value, hint);
        }
        date
    }

    /// An array, item by item with their places.
    pub fn array(&self, problems: &mut Problems) -> Option<&'a [Spanned<DeValue<'a>>]> {
        let items = self.value.get_ref().as_array();
        if items.is_none() {
            self.wanted(problems, self.value, "an array in brackets");
        }
        items.map(|items| &items[..])
    }

    /// An array of texts, with their places.
    pub fn texts(&self, problems: &mut Problems) -> Option<Vec<(&'a str, Range<usize>)>> {
        let mut texts = Vec::new();
        for item in self.array(problems)? {
            match item.get_ref().as_str() {
                Some(text) => texts.push((text, item.span())),
                None => self.wanted(problems, item, "a text in quotes"),
            }
        }
        Some(texts)
    }

    /// One text, or an array of them; none empty.
    pub fn one_or_more(&self, problems: &mut Problems) -> Vec<(&'a str, Range<usize>)> {
        let found = if self.value.get_ref().is_array() {
            self.texts(problems).unwrap_or_default()
        } else {
            let text = self.text(problems);
            text.into_iter()
                .map(|text| (text, self.value.span()))
                .collect()
        };
        if found.is_empty() && self.value.get_ref().is_array() {
            self.flaw(
                problems,
                "an empty array matches nothing: leave the key out",
            );
        }
        found
    }

    /// A table of free keys.
    pub fn entries(&self, problems: &mut Problems) -> Vec<(&'a str, Self)> {
        let table = self.table(problems).into_iter().flat_map(DeTable::iter);
        table
            .map(|(key, value)| {
                let entry = Self {
                    key: key.span(),
                    value,
                };
                (key.get_ref().borrow(), entry)
            })
            .collect()
    }

    fn table(&self, problems: &mut Problems) -> Option<&'a DeTable<'a>> {
        let table = self.value.get_ref().as_table();
        if table.is_none() {
            self.wanted(problems, self.value, "a table");
        }
        table
    }

    /// A table of known keys.
    pub fn section(&self, shape: &Shape, problems: &mut Problems) -> Option<Section<'a>> {
        let table = self.table(problems)?;
        Some(Section::open(table, self.key.clone(), shape, problems))
    }
}

/// A whole number, if the value is one; too large for 128 bits counts as the largest.
pub fn whole(value: &Spanned<DeValue<'_>>) -> Option<i128> {
    let number = value.get_ref().as_integer()?;
    Some(i128::from_str_radix(number.as_str(), number.radix()).unwrap_or(i128::MAX))
}

/// A TOML date, if it has neither time nor offset and is in the calendar.
pub fn plain_date(at: &toml::value::Datetime) -> Option<jiff::civil::Date> {
    let date = at.date.filter(|_| at.time.is_none())?;
    let year = i16::try_from(date.year).ok()?;
    let (month, day) = (i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
    jiff::civil::Date::new(year, month, day).ok()
}

fn with_article(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}
