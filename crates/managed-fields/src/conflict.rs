//! Conflicts: fields that an apply would change and another manager owns, in the server's words.

use std::collections::BTreeMap;
use std::fmt;

use crate::entry::Identity;
use crate::path::Path;
use crate::set::FieldSet;

/// All conflicts of one apply. At least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflicts(BTreeMap<Identity, FieldSet>);

/// One field in conflict, as the server lists it among the causes of its answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// Who owns the field.
    pub owner: Identity,
    /// The field, as its owner's API version names it.
    pub path: Path,
}

impl Conflict {
    /// The message of the cause: `conflict with "hpa" with subresource "scale" using apps/v1`.
    pub fn message(&self) -> String {
        format!("conflict with {}", self.owner)
    }

    /// The field of the cause: `.spec.replicas`.
    pub fn field(&self) -> String {
        self.path.to_string()
    }
}

impl Conflicts {
    pub(crate) fn new(by_owner: BTreeMap<Identity, FieldSet>) -> Self {
        Self(by_owner)
    }

    /// The fields in conflict, by owner.
    pub fn by_owner(&self) -> impl Iterator<Item = (&Identity, &FieldSet)> {
        self.0.iter()
    }

    /// The fields in conflict one by one, sorted by owner (the server's order of owners is random), then as [`FieldSet::iter`] gives them.
    pub fn iter(&self) -> impl Iterator<Item = Conflict> {
        self.0.iter().flat_map(|(owner, fields)| {
            fields.iter().map(|path| Conflict {
                owner: owner.clone(),
                path,
            })
        })
    }

    /// How many fields are in conflict; one owned by two managers counts twice.
    pub fn count(&self) -> usize {
        self.0.values().map(FieldSet::len).sum()
    }
}

/// The message of the server's 409 answer.
impl fmt::Display for Conflicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.count();
        if let (1, Some(only)) = (count, self.iter().next()) {
            return write!(
                f,
                "Apply failed with 1 conflict: {}: {}",
                only.message(),
                only.path
            );
        }
        write!(f, "Apply failed with {count} conflicts: ")?;
        for (i, (owner, fields)) in self.0.iter().enumerate() {
            let newline = if i > 0 { "\n" } else { "" };
            write!(f, "{newline}conflicts with {owner}:")?;
            fields.iter().try_for_each(|path| write!(f, "\n- {path}"))?;
        }
        Ok(())
    }
}

impl std::error::Error for Conflicts {}
