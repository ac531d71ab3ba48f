//! Owners of one object's fields: a tree made of its managedFields and its values.
//!
//! | room | holds |
//! |---|---|
//! | `owners` | managedFields + object → [`FieldOwners`] |
//! | `value` | the value at a path; how it may be shown |
//! | [`simulate`] | a request → what the server would answer |
//! | `who` | which field does a person mean, and who owns it |
//!
//! Only what somebody owns is in the tree. A field without an owner (a default, what a webhook put there) is not.

mod owners;
pub mod simulate;
mod value;
mod who;

use jiff::Timestamp;
use serde_json::Value;

use super::ids::Namespace;

pub use owners::{FieldsError, field_owners};
pub use value::{HIDDEN, text_at, value_at};
pub use who::{Near, Who};

/// An object's owners.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldOwners {
    /// Which object.
    pub object: Subject,
    /// Its entries in managedFields' order, each once.
    pub owners: Vec<Owner>,
    /// Its owned fields, as a tree, in the server's order.
    pub roots: Vec<Node>,
    /// Entries that do not read, and why; the server ignores a list that holds one.
    pub unreadable: Vec<String>,
}

/// The object, as far as it says what it is; a text that it lacks is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// `apps/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// `metadata.namespace`.
    pub namespace: Option<Namespace>,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.generation`.
    pub generation: Option<i64>,
}

/// One entry of managedFields, without its fields.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// The manager's name; may be empty.
    pub manager: String,
    /// The subresource through which it wrote; empty for the main resource.
    pub subresource: String,
    /// `Apply` or `Update`.
    pub operation: &'static str,
    /// The version in which it names fields.
    pub api_version: String,
    /// When the entry last changed; servers leave it out in some cases.
    pub since: Option<Timestamp>,
}

/// A step of the tree.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The step as the server writes it: `.replicas`, `[name="app"]`.
    pub step: String,
    /// The whole path as the server writes it: `.spec.replicas`.
    pub path: String,
    /// Who owns this very node: places in [`FieldOwners::owners`], ascending. Of a map or list item with fields below
    /// it, such an owner keeps the node itself alive.
    pub owners: Vec<usize>,
    /// What stands there, if anything; [`HIDDEN`] in a Secret.
    pub value: Option<Value>,
    /// What is owned below it; a node without is a field.
    pub children: Vec<Node>,
}

impl Owner {
    /// As people read it: `kube-controller-manager/scale` for a subresource, `helm` else.
    pub fn label(&self) -> String {
        match self.subresource.as_str() {
            "" => self.manager.clone(),
            subresource => format!("{}/{subresource}", self.manager),
        }
    }
}

impl Node {
    /// A field, not only a way to fields?
    pub fn is_field(&self) -> bool {
        self.children.is_empty()
    }

    /// This node and all below it, parents first.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Node)) {
        visit(self);
        for child in &self.children {
            child.walk(visit);
        }
    }

    /// The number of fields at and below it.
    pub fn fields(&self) -> u64 {
        let mut count = 0;
        self.walk(&mut |node| count += u64::from(node.is_field()));
        count
    }

    /// The owners that all fields at and below it have alike, if they do.
    pub fn common_owners(&self) -> Option<&[usize]> {
        if self.is_field() {
            return Some(&self.owners);
        }
        let mut all = self.children.iter().map(Node::common_owners);
        let first = all.next()??;
        all.all(|owners| owners == Some(first)).then_some(first)
    }
}

impl FieldOwners {
    /// Every node, parents first.
    pub fn nodes(&self) -> Vec<&Node> {
        let mut nodes = Vec::new();
        for root in &self.roots {
            root.walk(&mut |node| nodes.push(node));
        }
        nodes
    }

    /// The number of owned fields.
    pub fn fields(&self) -> u64 {
        self.roots.iter().map(Node::fields).sum()
    }

    /// The number of fields that several managers own.
    pub fn shared(&self) -> u64 {
        let mut count = 0;
        for root in &self.roots {
            root.walk(&mut |node| count += u64::from(node.is_field() && node.owners.len() > 1));
        }
        count
    }

    /// The owners of a node.
    pub fn owners_of<'a>(&'a self, node: &'a Node) -> impl Iterator<Item = &'a Owner> {
        node.owners
            .iter()
            .filter_map(|place| self.owners.get(*place))
    }
}

#[cfg(test)]
mod tests;
