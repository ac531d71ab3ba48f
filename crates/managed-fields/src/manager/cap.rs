//! The limit on Update entries: the oldest ones are folded together.

use std::collections::BTreeMap;

use super::managed::Managed;
use crate::entry::{Identity, Operation};
use crate::time::Time;

/// How many Update entries an object keeps. The server's own limit.
pub const MAX_UPDATE_MANAGERS: usize = 10;

/// The manager that the server folds old entries into.
pub const ANCIENT_CHANGES: &str = "ancient-changes";

impl Managed {
    /// Folds the oldest Update entries, per API version, until no more than [`MAX_UPDATE_MANAGERS`] are left.
    ///
    /// As on the server, what was folded before is lost if an older entry of another manager is met first.
    pub(super) fn cap(&mut self) {
        let mut updaters: Vec<Identity> = self
            .managers
            .iter()
            .filter(|(_, owned)| !owned.applied)
            .map(|(identity, _)| identity.clone())
            .collect();
        let mut left = updaters.len();
        if left <= MAX_UPDATE_MANAGERS {
            return;
        }
        let seconds = |identity: &Identity| {
            self.times
                .get(identity)
                .copied()
                .flatten()
                .map_or(0, Time::as_unix)
        };
        updaters.sort_by_cached_key(|identity| (seconds(identity), identity.clone()));

        let mut first_of_version: BTreeMap<String, Identity> = BTreeMap::new();
        for updater in updaters {
            if left <= MAX_UPDATE_MANAGERS {
                return;
            }
            let Some(owned) = self.managers.get(&updater).cloned() else {
                continue;
            };
            let Some(first) = first_of_version.get(&owned.api_version) else {
                first_of_version.insert(owned.api_version, updater);
                continue;
            };
            let bucket = Identity::new(ANCIENT_CHANGES, Operation::Update, &owned.api_version, "");
            if !self.managers.contains_key(&bucket)
                && let Some(first) = self.managers.remove(first)
            {
                self.managers.insert(bucket.clone(), first);
            }
            if let Some(folded) = self.managers.get_mut(&bucket) {
                folded.fields = owned.fields.union(&folded.fields);
            }
            self.managers.remove(&updater);
            left -= 1;
            // The younger one's time.
            let time = self.times.get(&updater).copied().flatten();
            self.times.insert(bucket, time);
        }
    }
}
