//! From a tree of nodes to JSON, in the order of operations of go-yaml 2 and then of `sigs.k8s.io/yaml`.
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::nodes::{Id, Kind, Tree};
use super::number::{self, Num};
use super::scalar::{Scalar, resolve};
use super::{DEPTH_MAX, EXPANDED_MAX, YamlError, YamlFault};

/// The JSON of a document.
pub(super) fn decode(tree: &Tree) -> Result<Value, YamlError> {
    let Some(root) = tree.root else {
        return Ok(Value::Null);
    };
    let mut decoder = Decoder {
        tree,
        open: vec![false; tree.nodes.len()],
        visits: 0,
        aliased: 0,
        aliases: 0,
        bytes: 0,
        depth: 0,
    };
    decoder.value(root)
}

/// An object under construction: its members, and the keys as YAML has them.
#[derive(Debug, Default)]
struct Object {
    members: Map<String, Value>,
    keys: BTreeMap<String, Scalar>,
}

impl Object {
    /// Adds a member; the same key again overwrites it.
    ///
    /// Two keys that are the same in JSON only, such as `1` and `"1"`, are refused: Helm keeps one of them at random.
    fn insert(&mut self, key: Scalar, value: Value) -> Result<(), YamlFault> {
        let name = match &key {
            Scalar::Text(text) => text.clone(),
            Scalar::Bool(value) => value.to_string(),
            Scalar::Num(Num::Int(value)) => value.to_string(),
            Scalar::Num(Num::Float(value)) => number::key(*value),
            Scalar::Num(Num::Uint(_)) | Scalar::Null => return Err(YamlFault::Key),
        };
        if self.keys.get(&name).is_some_and(|earlier| *earlier != key) {
            return Err(YamlFault::KeyTwice);
        }
        self.members.insert(name.clone(), value);
        self.keys.insert(name, key);
        Ok(())
    }
}

struct Decoder<'a> {
    tree: &'a Tree,
    /// The aliases that are being followed.
    open: Vec<bool>,
    /// Nodes visited, aliased ones each time.
    visits: usize,
    /// Of these, the ones below an alias.
    aliased: usize,
    /// How many aliases deep we are.
    aliases: usize,
    /// Text produced so far.
    bytes: usize,
    depth: usize,
}

impl Decoder<'_> {
    /// Counts a visit. The bounds are go-yaml's: a document of 400,000 visits may come from aliases to 99 %, one of
    /// 4,000,000 to 10 %, with a line between.
    #[expect(
        clippy::cast_precision_loss,
        reason = "Go compares floats too; both are far below 2^53"
    )]
    fn visit(&mut self, id: Id) -> Result<(), YamlError> {
        const LOW: f64 = 400_000.0;
        const HIGH: f64 = 4_000_000.0;
        self.visits += 1;
        if self.aliases > 0 {
            self.aliased += 1;
        }
        if self.aliased > 100 && self.visits > 1000 {
            let visits = self.visits as f64;
            let allowed = 0.99 - 0.89 * ((visits.clamp(LOW, HIGH) - LOW) / (HIGH - LOW));
            if self.aliased as f64 / visits > allowed {
                return Err(self.fault(id, YamlFault::TooManyAliases));
            }
        }
        if self.depth > DEPTH_MAX {
            return Err(self.fault(id, YamlFault::TooDeep));
        }
        Ok(())
    }

    fn value(&mut self, id: Id) -> Result<Value, YamlError> {
        self.visit(id)?;
        let tree = self.tree;
        match &tree.nodes[id].kind {
            Kind::Alias(target) => self.follow(id, |decoder| decoder.value(*target)),
            Kind::Scalar { .. } => match self.scalar(id)? {
                Scalar::Null => Ok(Value::Null),
                Scalar::Bool(value) => Ok(Value::Bool(value)),
                Scalar::Num(Num::Int(value)) => Ok(Value::from(value)),
                Scalar::Num(Num::Uint(value)) => Ok(Value::from(value)),
                Scalar::Num(Num::Float(value)) => {
                    number::json(value).ok_or_else(|| self.fault(id, YamlFault::NotFinite))
                }
                Scalar::Text(text) => Ok(Value::String(text)),
            },
            Kind::Sequence(items) => {
                self.depth += 1;
                let values = items
                    .iter()
                    .map(|item| self.value(*item))
                    .collect::<Result<_, _>>()?;
                self.depth -= 1;
                Ok(Value::Array(values))
            }
            Kind::Mapping(members) => {
                let mut object = Object::default();
                self.depth += 1;
                self.members(members, &mut object)?;
                self.depth -= 1;
                Ok(Value::Object(object.members))
            }
        }
    }

    /// Adds members to an object, each overwriting what is there: the last of two equal keys wins, and a merge wins over
    /// what stands before it.
    fn members(&mut self, members: &[(Id, Id)], object: &mut Object) -> Result<(), YamlError> {
        for &(key, value) in members {
            if self.is_merge(key) {
                self.merge(value, object)?;
            } else {
                let name = self.key(key)?;
                let value = self.value(value)?;
                object
                    .insert(name, value)
                    .map_err(|fault| self.fault(key, fault))?;
            }
        }
        Ok(())
    }

    fn is_merge(&self, key: Id) -> bool {
        matches!(
            &self.tree.nodes[key].kind,
            Kind::Scalar { text, tag, implicit } if text == "<<" && (*implicit || tag.as_deref() == Some("tag:yaml.org,2002:merge"))
        )
    }

    fn merge(&mut self, id: Id, object: &mut Object) -> Result<(), YamlError> {
        let tree = self.tree;
        match &tree.nodes[id].kind {
            Kind::Mapping(_) | Kind::Alias(_) => self.merge_one(id, object),
            Kind::Sequence(items) => {
                // Backwards, since earlier ones take precedence.
                items
                    .iter()
                    .rev()
                    .try_for_each(|item| self.merge_one(*item, object))
            }
            Kind::Scalar { .. } => Err(self.fault(id, YamlFault::Merge)),
        }
    }

    fn merge_one(&mut self, id: Id, object: &mut Object) -> Result<(), YamlError> {
        let tree = self.tree;
        match &tree.nodes[id].kind {
            Kind::Mapping(members) => {
                self.visit(id)?;
                self.depth += 1;
                self.members(members, object)?;
                self.depth -= 1;
                Ok(())
            }
            Kind::Alias(target) if matches!(tree.nodes[*target].kind, Kind::Mapping(_)) => {
                self.visit(id)?;
                self.follow(id, |decoder| decoder.merge_one(*target, object))
            }
            _ => Err(self.fault(id, YamlFault::Merge)),
        }
    }

    fn follow<T>(
        &mut self,
        id: Id,
        target: impl FnOnce(&mut Self) -> Result<T, YamlError>,
    ) -> Result<T, YamlError> {
        if self.open[id] {
            return Err(self.fault(id, YamlFault::Cycle));
        }
        self.open[id] = true;
        self.aliases += 1;
        let value = target(self);
        self.aliases -= 1;
        self.open[id] = false;
        value
    }

    /// The value of a key.
    fn key(&mut self, id: Id) -> Result<Scalar, YamlError> {
        self.visit(id)?;
        let tree = self.tree;
        match &tree.nodes[id].kind {
            Kind::Alias(target) => self.follow(id, |decoder| decoder.key(*target)),
            Kind::Scalar { .. } => self.scalar(id),
            Kind::Sequence(_) | Kind::Mapping(_) => Err(self.fault(id, YamlFault::Key)),
        }
    }

    fn scalar(&mut self, id: Id) -> Result<Scalar, YamlError> {
        let Kind::Scalar {
            text,
            tag,
            implicit,
        } = &self.tree.nodes[id].kind
        else {
            return Err(self.fault(id, YamlFault::Malformed));
        };
        self.bytes = self.bytes.saturating_add(text.len());
        if self.bytes > EXPANDED_MAX {
            return Err(self.fault(id, YamlFault::TooLarge));
        }
        resolve(text, tag.as_deref(), *implicit).map_err(|fault| self.fault(id, fault))
    }

    fn fault(&self, id: Id, fault: YamlFault) -> YamlError {
        YamlError {
            line: self.tree.nodes[id].line,
            fault,
        }
    }
}
