//! Union, intersection and the two differences, node by node in one merge walk each.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Child, FieldSet};
use crate::path::PathElement;

impl FieldSet {
    /// The fields of either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut out = Self::with_capacity(
            self.members.len().max(other.members.len()),
            self.children.len().max(other.children.len()),
        );
        zip(
            &self.members,
            &other.members,
            |m| m,
            |both| match both {
                Both::Left(m) | Both::Right(m) | Both::Equal(_, m) => out.members.push(m.clone()),
            },
        );
        zip(
            &self.children,
            &other.children,
            |c| &c.element,
            |both| match both {
                Both::Left(c) | Both::Right(c) => out.children.push(c.clone()),
                Both::Equal(l, r) if Arc::ptr_eq(&l.set, &r.set) => out.children.push(l.clone()),
                Both::Equal(l, r) => out.push_child(&l.element, l.set.union(&r.set)),
            },
        );
        out
    }

    /// The fields of both sets. A parent and its child have nothing in common.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut out = Self::new();
        zip(
            &self.members,
            &other.members,
            |m| m,
            |both| {
                if let Both::Equal(m, _) = both {
                    out.members.push(m.clone());
                }
            },
        );
        zip(
            &self.children,
            &other.children,
            |c| &c.element,
            |both| {
                let Both::Equal(l, r) = both else {
                    return;
                };
                if Arc::ptr_eq(&l.set, &r.set) && !l.set.is_empty() {
                    out.children.push(l.clone());
                    return;
                }
                let set = l.set.intersection(&r.set);
                if !set.is_empty() {
                    out.push_child(&l.element, set);
                }
            },
        );
        out
    }

    /// The fields of this set that are not in `other`, path by path: taking `.a` away leaves `.a.b`, and the other way round.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.minus(other, |_| true, Self::difference)
    }

    /// The fields of this set that are neither in `other` nor below a field in `other`.
    ///
    /// ```
    /// use managed_fields::fields_v1;
    ///
    /// let set = fields_v1::decode(r#"{"f:spec":{".":{},"f:replicas":{}},"f:status":{"f:replicas":{}}}"#)?;
    /// let status = fields_v1::decode(r#"{"f:status":{}}"#)?;
    /// assert_eq!(set.recursive_difference(&status).to_string(), ".spec\n.spec.replicas");
    /// assert_eq!(set.difference(&status), set);
    /// # Ok::<(), managed_fields::fields_v1::FieldsV1Error>(())
    /// ```
    #[must_use]
    pub fn recursive_difference(&self, other: &Self) -> Self {
        self.minus(
            other,
            |element| !other.has_member(element),
            Self::recursive_difference,
        )
    }

    /// The members with nothing below them.
    #[must_use]
    pub fn leaves(&self) -> Self {
        if self.children.is_empty() {
            return self.clone();
        }
        Self {
            members: self
                .members
                .iter()
                .filter(|m| self.child(m).is_none())
                .cloned()
                .collect(),
            children: self
                .children
                .iter()
                .map(|c| {
                    if c.set.children.is_empty() {
                        return c.clone();
                    }
                    Child {
                        element: c.element.clone(),
                        set: Arc::new(c.set.leaves()),
                    }
                })
                .collect(),
        }
    }

    /// Whether `other` has every field of this set.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.difference(other).is_empty()
    }

    fn minus(
        &self,
        other: &Self,
        keep: impl Fn(&PathElement) -> bool,
        below: impl Fn(&Self, &Self) -> Self,
    ) -> Self {
        if other.has_no_nodes() {
            return self.clone();
        }
        let mut out = Self::with_capacity(self.members.len(), self.children.len());
        zip(
            &self.members,
            &other.members,
            |m| m,
            |both| {
                if let Both::Left(m) = both {
                    out.members.push(m.clone());
                }
            },
        );
        zip(
            &self.children,
            &other.children,
            |c| &c.element,
            |both| match both {
                Both::Left(c) if keep(&c.element) => out.children.push(c.clone()),
                // A part that both share is gone as a whole, unseen.
                Both::Equal(l, r) if !Arc::ptr_eq(&l.set, &r.set) && keep(&l.element) => {
                    let set = below(&l.set, &r.set);
                    if !set.is_empty() {
                        out.push_child(&l.element, set);
                    }
                }
                _ => {}
            },
        );
        out
    }

    fn with_capacity(members: usize, children: usize) -> Self {
        Self {
            members: Vec::with_capacity(members),
            children: Vec::with_capacity(children),
        }
    }

    fn push_child(&mut self, element: &PathElement, set: Self) {
        self.children.push(Child {
            element: element.clone(),
            set: Arc::new(set),
        });
    }
}

enum Both<'a, T> {
    Left(&'a T),
    Right(&'a T),
    Equal(&'a T, &'a T),
}

/// Walks two sorted lists as one.
fn zip<'a, T>(
    left: &'a [T],
    right: &'a [T],
    key: impl Fn(&T) -> &PathElement,
    mut visit: impl FnMut(Both<'a, T>),
) {
    let (mut l, mut r) = (left.iter().peekable(), right.iter().peekable());
    loop {
        let order = match (l.peek(), r.peek()) {
            (Some(a), Some(b)) => key(a).cmp(key(b)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return,
        };
        match order {
            Ordering::Less => l.next().into_iter().for_each(|a| visit(Both::Left(a))),
            Ordering::Greater => r.next().into_iter().for_each(|b| visit(Both::Right(b))),
            Ordering::Equal => l
                .next()
                .zip(r.next())
                .into_iter()
                .for_each(|(a, b)| visit(Both::Equal(a, b))),
        }
    }
}
