//! Field sets: which fields of an object somebody owns.
//!
//! `mod` holds the tree and single-path operations, `algebra` the operations on whole sets, `iter` the walk.

mod algebra;
mod iter;

use std::fmt;
use std::sync::Arc;

use crate::MAX_DEPTH;
use crate::path::{Path, PathElement};

pub use iter::Iter;

/// A set of fields, kept as a tree.
///
/// Membership of a node and of its children is independent: a set may hold `.spec.replicas` without `.spec`, or both.
/// Subtrees are shared, so cloning and uniting large sets is cheap.
///
/// Equality is structural. No operation here leaves a child without members, except [`FieldSet::leaves`], as on the server.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FieldSet {
    /// Sorted, no two equal.
    members: Vec<PathElement>,
    /// Sorted by element, no two equal.
    children: Vec<Child>,
}

#[derive(Clone, PartialEq, Eq)]
struct Child {
    element: PathElement,
    set: Arc<FieldSet>,
}

/// A path has more than [`MAX_DEPTH`] elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path is deeper than {MAX_DEPTH} elements")]
pub struct TooDeep;

impl FieldSet {
    /// The empty set.
    pub const fn new() -> Self {
        Self {
            members: Vec::new(),
            children: Vec::new(),
        }
    }

    /// The set of these paths.
    ///
    /// ```
    /// use managed_fields::{FieldSet, Path};
    ///
    /// let set = FieldSet::of([Path::of_fields(["spec", "replicas"]), Path::of_fields(["data"])])?;
    /// assert_eq!(set.len(), 2);
    /// # Ok::<(), managed_fields::TooDeep>(())
    /// ```
    pub fn of(paths: impl IntoIterator<Item = Path>) -> Result<Self, TooDeep> {
        let mut set = Self::new();
        for path in paths {
            set.insert(&path)?;
        }
        Ok(set)
    }

    /// Adds a path; its parents are not added. Says whether it was new. The empty path (the whole object) is never a member.
    pub fn insert(&mut self, path: &[PathElement]) -> Result<bool, TooDeep> {
        if path.len() > MAX_DEPTH {
            return Err(TooDeep);
        }
        let Some((last, parents)) = path.split_last() else {
            return Ok(false);
        };
        let mut set = self;
        for element in parents {
            set = set.descend_mut(element);
        }
        Ok(set.insert_member(last.clone()))
    }

    /// Takes a path out; what lies below it stays. Says whether it was there.
    pub fn remove(&mut self, path: &[PathElement]) -> bool {
        match path {
            [last] => match self.members.binary_search(last) {
                Ok(at) => {
                    self.members.remove(at);
                    true
                }
                Err(_) => false,
            },
            [first, rest @ ..] if path.len() <= MAX_DEPTH => {
                let Ok(at) = self.find_child(first) else {
                    return false;
                };
                let set = Arc::make_mut(&mut self.children[at].set);
                let removed = set.remove(rest);
                if set.is_empty() {
                    self.children.remove(at);
                }
                removed
            }
            _ => false,
        }
    }

    /// Whether the path itself is a member. Parents and children do not count.
    pub fn has(&self, path: &[PathElement]) -> bool {
        match path.split_last() {
            None => false,
            Some((last, parents)) => self.below(parents).is_some_and(|set| set.has_member(last)),
        }
    }

    /// What lies below a path, relative to it; `None` if nothing does.
    pub fn below(&self, path: &[PathElement]) -> Option<&Self> {
        path.iter()
            .try_fold(self, |set, element| set.child(element))
    }

    /// How many fields the set holds. Linear in the number of nodes.
    pub fn len(&self) -> usize {
        self.members.len()
            + self
                .children
                .iter()
                .map(|child| child.set.len())
                .sum::<usize>()
    }

    /// Whether the set holds no field.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.children.iter().all(|child| child.set.is_empty())
    }

    /// Every field: the members of a node first, then those below it, each in order. The server lists conflicts so.
    pub fn iter(&self) -> Iter<'_> {
        Iter::new(self)
    }

    /// The members at this node, in order.
    pub fn members(&self) -> impl Iterator<Item = &PathElement> {
        self.members.iter()
    }

    /// The elements of this node below which there is something, with what is below, in order.
    pub fn children(&self) -> impl Iterator<Item = (&PathElement, &Self)> {
        self.children
            .iter()
            .map(|child| (&child.element, &*child.set))
    }

    /// Whether there is nothing here at all, not even an empty child.
    pub(crate) fn has_no_nodes(&self) -> bool {
        self.members.is_empty() && self.children.is_empty()
    }

    pub(crate) fn has_member(&self, element: &PathElement) -> bool {
        self.members.binary_search(element).is_ok()
    }

    pub(crate) fn child(&self, element: &PathElement) -> Option<&Self> {
        self.find_child(element)
            .ok()
            .map(|at| &*self.children[at].set)
    }

    pub(crate) fn insert_member(&mut self, element: PathElement) -> bool {
        // Whoever builds a set mostly does so in order.
        if self.members.last().is_none_or(|last| *last < element) {
            self.members.push(element);
            return true;
        }
        match self.members.binary_search(&element) {
            Ok(_) => false,
            Err(at) => {
                self.members.insert(at, element);
                true
            }
        }
    }

    /// Puts `set` below `element`, in place of what was there.
    pub(crate) fn replace_child(&mut self, element: PathElement, set: Self) {
        if (self.children.last()).is_none_or(|last| last.element < element) {
            let set = Arc::new(set);
            self.children.push(Child { element, set });
            return;
        }
        match self.find_child(&element) {
            Ok(at) => self.children[at].set = Arc::new(set),
            Err(at) => self.children.insert(
                at,
                Child {
                    element,
                    set: Arc::new(set),
                },
            ),
        }
    }

    fn descend_mut(&mut self, element: &PathElement) -> &mut Self {
        let at = match self.find_child(element) {
            Ok(at) => at,
            Err(at) => {
                self.children.insert(
                    at,
                    Child {
                        element: element.clone(),
                        set: Arc::default(),
                    },
                );
                at
            }
        };
        Arc::make_mut(&mut self.children[at].set)
    }

    fn find_child(&self, element: &PathElement) -> Result<usize, usize> {
        self.children
            .binary_search_by(|child| child.element.cmp(element))
    }
}

/// One path a line.
impl fmt::Display for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, path) in self.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            path.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(|path| path.to_string()))
            .finish()
    }
}

impl<'a> IntoIterator for &'a FieldSet {
    type Item = Path;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}
