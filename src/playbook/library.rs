//! All playbooks there are: built in, and the user's own.

use super::built_in::{BUILT_IN, NOT_PLAYBOOKS};
use super::{Playbook, read};
use crate::toml_file::{ConfigInvalid, closest};

/// Where a playbook is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Part of refit.
    BuiltIn,
    /// A file of the user's.
    Own {
        /// The file.
        file: String,
        /// It has the name of a built-in one, and takes its place.
        overrides: bool,
    },
}

impl Origin {
    /// The file, as messages name it.
    pub fn file(&self, name: &str) -> String {
        match self {
            Self::BuiltIn => format!("built-in/{name}.toml"),
            Self::Own { file, .. } => file.clone(),
        }
    }
}

/// A file of the user's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnFile {
    /// Its name without `.toml`.
    pub name: String,
    /// The file, for messages.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// A playbook of the library, with or without flaws.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Where it is from.
    pub origin: Origin,
    /// The playbook, or what is wrong with its file.
    pub read: Result<Playbook, ConfigInvalid>,
}

/// There is no such playbook, or it cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaybookError {
    /// None of that name.
    #[error("no playbook is named {name}; {hint}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What may have been meant, or what there is.
        hint: String,
    },
    /// Its file has flaws.
    #[error("playbook {name} cannot be used")]
    Invalid {
        /// Its name.
        name: String,
        /// All of them.
        source: ConfigInvalid,
    },
}

/// All playbooks there are.
#[derive(Debug, Clone, PartialEq)]
pub struct Library(Vec<Listed>);

impl Library {
    /// The built-in ones and the user's. One of the same name takes the built-in one's place. Own ones come after the
    /// built-in ones, by name.
    pub fn with(mut own: Vec<OwnFile>) -> Self {
        // An empty file is none: `refit playbook show canary --source > playbooks/canary.toml` makes it before refit starts.
        own.retain(|file| {
            !NOT_PLAYBOOKS.contains(&file.name.as_str()) && !file.text.trim().is_empty()
        });
        own.sort_by(|a, b| a.name.cmp(&b.name));
        let built_in = BUILT_IN
            .iter()
            .filter(|(name, _)| !own.iter().any(|file| file.name == *name))
            .map(|(name, text)| listed(name, text, Origin::BuiltIn));
        let mut all: Vec<Listed> = built_in.collect();
        all.extend(own.iter().map(|file| {
            let overrides = BUILT_IN.iter().any(|(name, _)| *name == file.name);
            let origin = Origin::Own {
                file: file.file.clone(),
                overrides,
            };
            listed(&file.name, &file.text, origin)
        }));
        Self(all)
    }

    /// All of them.
    pub fn all(&self) -> &[Listed] {
        &self.0
    }

    /// The one of that name.
    pub fn get(&self, name: &str) -> Result<&Playbook, PlaybookError> {
        let Some(found) = self.0.iter().find(|it| it.name == name) else {
            let names: Vec<&str> = self.0.iter().map(|it| it.name.as_str()).collect();
            let hint = closest(name, names.iter().copied()).map_or_else(
                || format!("there are {}", names.join(", ")),
                |guess| format!("did you mean {guess}?"),
            );
            return Err(PlaybookError::Unknown {
                name: name.to_owned(),
                hint,
            });
        };
        found
            .read
            .as_ref()
            .map_err(|source| PlaybookError::Invalid {
                name: name.to_owned(),
                source: source.clone(),
            })
    }
}

fn listed(name: &str, text: &str, origin: Origin) -> Listed {
    Listed {
        name: name.to_owned(),
        read: read::playbook(name, text, &origin),
        origin,
    }
}
