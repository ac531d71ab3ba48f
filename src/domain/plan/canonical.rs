//! Canonical JSON, written straight from a value: no blanks, keys in the order of their bytes.
//!
//! A part that was written in another order is put right afterwards, in the buffer: a tree of a million releases would
//! take gigabytes and most of the time.

use std::cmp::Ordering;
use std::io::Write as _;
use std::ops::Range;

use serde::ser::{self, Serialize};
use serde_json::Error;

/// Appends the canonical JSON of a value.
pub(super) fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), Error> {
    value.serialize(Writer { out })
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

/// Items of a list, or entries of an object.
struct Parts<'a> {
    out: &'a mut Vec<u8>,
    /// Where the first one starts.
    start: usize,
    /// Of each entry: where it starts, and where its key ends. Empty in lists.
    entries: Vec<(usize, usize)>,
    sorted: bool,
    close: &'static [u8],
}

impl<'a> Parts<'a> {
    fn open(out: &'a mut Vec<u8>, open: &[u8], close: &'static [u8]) -> Self {
        out.extend_from_slice(open);
        Self {
            start: out.len(),
            out,
            entries: Vec::new(),
            sorted: true,
            close,
        }
    }

    /// `{"Variant":` and what follows.
    fn variant(
        out: &'a mut Vec<u8>,
        variant: &str,
        open: &[u8],
        close: &'static [u8],
    ) -> Result<Self, Error> {
        out.push(b'{');
        serde_json::to_writer(&mut *out, variant)?;
        out.push(b':');
        Ok(Self::open(out, open, close))
    }

    fn item<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Error> {
        if self.out.len() > self.start {
            self.out.push(b',');
        }
        write(self.out, item)
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let start = self.out.len();
        write(self.out, key)?;
        let end = self.out.len();
        if self.out.get(start) != Some(&b'"') {
            return Err(ser::Error::custom("a key of an object is no text"));
        }
        if let Some((last, last_end)) = self.entries.last().copied() {
            let before = self.out.get(last..last_end).unwrap_or_default();
            let this = self.out.get(start..end).unwrap_or_default();
            self.sorted &= by_key(before, this) == Ordering::Less;
        }
        self.entries.push((start, end));
        self.out.push(b':');
        Ok(())
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        write(self.out, value)?;
        self.out.push(b',');
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Error> {
        self.key(key)?;
        self.value(value)
    }

    fn end_list(self) {
        self.out.extend_from_slice(self.close);
    }

    fn end_object(self) {
        if !self.sorted {
            let end = self.out.len();
            let ends = self.entries.iter().skip(1).map(|(start, _)| *start);
            let entries = self.entries.iter().zip(ends.chain([end]));
            let mut pieces: Vec<(Range<usize>, Range<usize>)> = entries
                .map(|((start, key), end)| (*start..*key, *start..end))
                .collect();
            let key = |range: &Range<usize>| self.out.get(range.clone()).unwrap_or_default();
            pieces.sort_by(|(a, _), (b, _)| by_key(key(a), key(b)));
            reorder(self.out, self.start, pieces.into_iter().map(|(_, it)| it));
        }
        if !self.entries.is_empty() {
            self.out.pop();
        }
        self.out.extend_from_slice(self.close);
    }
}

/// Fields of a struct. Their names are texts as they stand, so they are put in order without a look at the JSON.
struct Fields<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    /// Each name, and where its field starts.
    entries: Vec<(&'static str, usize)>,
    close: &'static [u8],
}

impl<'a> Fields<'a> {
    /// So many, behind what opens them.
    fn of(fields: usize, out: &'a mut Vec<u8>, close: &'static [u8]) -> Self {
        Self {
            start: out.len(),
            out,
            entries: Vec::with_capacity(fields),
            close,
        }
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        self.entries.push((name, self.out.len()));
        write(self.out, name)?;
        self.out.push(b':');
        write(self.out, value)?;
        self.out.push(b',');
        Ok(())
    }

    fn end(self) {
        if !self.entries.is_sorted() {
            let end = self.out.len();
            let ends = self.entries.iter().skip(1).map(|(_, start)| *start);
            let entries = self.entries.iter().zip(ends.chain([end]));
            let mut pieces: Vec<(&str, Range<usize>)> = entries
                .map(|((name, start), end)| (*name, *start..end))
                .collect();
            pieces.sort_by_key(|(name, _)| *name);
            reorder(self.out, self.start, pieces.into_iter().map(|(_, it)| it));
        }
        if !self.entries.is_empty() {
            self.out.pop();
        }
        self.out.extend_from_slice(self.close);
    }
}

/// Puts the pieces that all from `start` on is made of into this order.
fn reorder(out: &mut Vec<u8>, start: usize, pieces: impl Iterator<Item = Range<usize>>) {
    let end = out.len();
    for piece in pieces {
        out.extend_from_within(piece);
    }
    out.drain(start..end);
}

/// Is a text's JSON the text itself, in quotes?
fn is_plain(text: &[u8]) -> bool {
    let special =
        |byte: u8| u8::from(byte < b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\');
    // To the end in any case: without a way out many bytes are looked at at once.
    text.iter().fold(0, |found, byte| found | special(*byte)) == 0
}

/// Compares two keys as texts; they are given as JSON.
fn by_key(a: &[u8], b: &[u8]) -> Ordering {
    let plain = |json: &[u8]| !json.contains(&b'\\');
    if plain(a) && plain(b) {
        let inside = |json: &[u8]| json.len().saturating_sub(1);
        return a.get(1..inside(a)).cmp(&b.get(1..inside(b)));
    }
    let text = |json: &[u8]| serde_json::from_slice::<String>(json).unwrap_or_default();
    text(a).cmp(&text(b))
}

macro_rules! scalars {
    ($($name:ident: $type:ty),*) => {
        $(fn $name(self, value: $type) -> Result<(), Error> {
            serde_json::to_writer(self.out, &value)
        })*
    };
}

impl<'a> ser::Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Fields<'a>;
    type SerializeStructVariant = Fields<'a>;

    scalars!(
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_f32: f32, serialize_f64: f64, serialize_char: char
    );

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        if !is_plain(text.as_bytes()) {
            return serde_json::to_writer(self.out, text);
        }
        self.out.reserve(text.len() + 2);
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut parts = Parts::open(self.out, b"{", b"}");
        parts.field(variant, value)?;
        parts.end_object();
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>, Error> {
        Ok(Parts::open(self.out, b"[", b"]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>, Error> {
        Ok(Parts::open(self.out, b"[", b"]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Error> {
        Ok(Parts::open(self.out, b"[", b"]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Error> {
        Parts::variant(self.out, variant, b"[", b"]}")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'a>, Error> {
        Ok(Parts::open(self.out, b"{", b"}"))
    }

    fn serialize_struct(self, _: &'static str, fields: usize) -> Result<Fields<'a>, Error> {
        self.out.push(b'{');
        Ok(Fields::of(fields, self.out, b"}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        fields: usize,
    ) -> Result<Fields<'a>, Error> {
        let Parts { out, close, .. } = Parts::variant(self.out, variant, b"{", b"}}")?;
        Ok(Fields::of(fields, out, close))
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        let start = self.out.len();
        self.out.push(b'"');
        write!(self.out, "{value}").map_err(Error::io)?;
        let text = self.out.get(start + 1..).unwrap_or_default();
        if is_plain(text) {
            self.out.push(b'"');
            return Ok(());
        }
        self.out.truncate(start);
        serde_json::Serializer::new(self.out).collect_str(value)
    }
}

macro_rules! lists {
    ($($trait:ident $method:ident),*) => {
        $(impl ser::$trait for Parts<'_> {
            type Ok = ();
            type Error = Error;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.item(value)
            }
            fn end(self) -> Result<(), Error> {
                self.end_list();
                Ok(())
            }
        })*
    };
}

lists!(
    SerializeSeq serialize_element, SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field, SerializeTupleVariant serialize_field
);

macro_rules! objects {
    ($($trait:ident),*) => {
        $(impl ser::$trait for Fields<'_> {
            type Ok = ();
            type Error = Error;
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                self.field(key, value)
            }
            fn end(self) -> Result<(), Error> {
                Fields::end(self);
                Ok(())
            }
        })*
    };
}

objects!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.end_object();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::digest::write_value;
    use proptest::prelude::*;
    use serde_json::Value;
    use std::collections::BTreeMap;

    fn tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            let key = prop_oneof!["[a-c \\\\\"!\n]{0,3}", "\\PC{0,3}"];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(key, inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// Keys in the order they come in.
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    enum Odd {
        Unit,
        Wrapped(u8),
        Pair(u8, Option<char>),
        Fields {
            z: BTreeMap<String, u8>,
            #[serde(skip_serializing_if = "Option::is_none")]
            m: Option<u8>,
            a: (),
        },
    }

    fn canonical<T: Serialize>(value: &T) -> String {
        let mut out = Vec::new();
        write(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn by_tree<T: Serialize>(value: &T) -> String {
        let mut out = Vec::new();
        write_value(&mut out, &serde_json::to_value(value).unwrap()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_shape_of_a_type_is_written_as_its_tree() {
        for odd in [
            Odd::Unit,
            Odd::Wrapped(1),
            Odd::Pair(1, None),
            Odd::Fields {
                z: [("b".to_owned(), 1), ("a".to_owned(), 2)].into(),
                m: None,
                a: (),
            },
            Odd::Fields {
                z: BTreeMap::new(),
                m: Some(3),
                a: (),
            },
        ] {
            assert_eq!(canonical(&odd), by_tree(&odd));
        }
        assert!(write(&mut Vec::new(), &BTreeMap::from([(1, 2)])).is_err());
    }

    proptest! {
        #[test]
        fn it_is_what_the_tree_gives(tree in tree()) {
            prop_assert_eq!(canonical(&tree), by_tree(&tree));
        }
    }
}
