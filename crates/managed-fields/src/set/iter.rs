//! Walks a field set in the server's order.

use super::FieldSet;
use crate::path::{Path, PathElement};

/// The paths of a [`FieldSet`]: of each node its members first, then what lies below.
#[derive(Debug)]
pub struct Iter<'a> {
    prefix: Vec<PathElement>,
    /// The nodes on the way to the current one, each with how many members and children it has given.
    stack: Vec<Frame<'a>>,
}

#[derive(Debug)]
struct Frame<'a> {
    set: &'a FieldSet,
    members: usize,
    children: usize,
}

impl<'a> Iter<'a> {
    pub(super) fn new(set: &'a FieldSet) -> Self {
        Self {
            prefix: Vec::new(),
            stack: vec![Frame {
                set,
                members: 0,
                children: 0,
            }],
        }
    }
}

impl Iterator for Iter<'_> {
    type Item = Path;

    fn next(&mut self) -> Option<Path> {
        loop {
            let frame = self.stack.last_mut()?;
            if let Some(member) = frame.set.members.get(frame.members) {
                frame.members += 1;
                let mut path = Vec::with_capacity(self.prefix.len() + 1);
                path.extend_from_slice(&self.prefix);
                path.push(member.clone());
                return Some(path.into());
            }
            if let Some(child) = frame.set.children.get(frame.children) {
                frame.children += 1;
                self.prefix.push(child.element.clone());
                self.stack.push(Frame {
                    set: &child.set,
                    members: 0,
                    children: 0,
                });
            } else {
                self.stack.pop();
                self.prefix.pop();
            }
        }
    }
}
