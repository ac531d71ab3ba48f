//! A cluster as forecasts look at it: releases, who holds which object, live objects, admission, schemas. Zero writes.

use std::sync::Arc;

use super::inventory::{ReleaseRead, Scope, read_each};
use super::shadow::{Admission, AtHand, Holders, Library, Lives, Schemas, Target, holders};
use crate::cluster::{self, Reader};
use crate::domain::ids::{ClusterName, ReleaseId};
use crate::domain::object::ObjectRef;

/// What one reading of a cluster gave.
pub(super) struct Gathered {
    /// All releases of the cluster, lean: a forecast reads their manifests anew (ADR 17).
    releases: Vec<ReleaseRead>,
    chosen: Vec<usize>,
    holders: Holders,
    lives: Lives,
    pub(super) admission: Admission,
    schemas: Schemas,
}

impl Gathered {
    /// Reads every release, of all namespaces, as holder of its objects, and the live objects of the `chosen` ones. `see`
    /// is shown each release while it has its bodies. Cancel safe.
    pub(super) async fn read(
        reader: &dyn Reader,
        cluster: &ClusterName,
        scope: &Scope,
        library: &Arc<Library>,
        chosen: &(dyn Fn(&ReleaseId) -> bool + Send + Sync),
        see: &mut (dyn FnMut(&ReleaseRead) + Send),
    ) -> cluster::Result<Self> {
        let everywhere = Scope {
            namespaces: Vec::new(),
            ..scope.clone()
        };
        let mut lean = |release: &mut ReleaseRead| {
            see(release);
            release.make_lean();
        };
        let releases = read_each(reader, cluster, &everywhere, &mut lean).await?;
        let holders = holders(releases.iter().flat_map(|release| {
            let objects = release.objects.served.iter();
            objects.map(move |object| (&release.records.id, &object.object))
        }));
        let chosen: Vec<usize> = (0..releases.len())
            .filter(|&at| chosen(&releases[at].records.id))
            .collect();
        let objects = chosen.iter().flat_map(|&at| &releases[at].objects.served);
        let mentioned: Vec<&ObjectRef> = objects.map(|it| &it.object).collect();
        let lives = Lives::list(reader, &mentioned).await?;
        Ok(Self {
            chosen,
            holders,
            lives,
            admission: Admission::read(reader).await?,
            schemas: Schemas::new(Arc::clone(library)),
            releases,
        })
    }

    /// The releases that were chosen.
    pub(super) fn chosen(&self) -> impl Iterator<Item = &ReleaseRead> {
        self.chosen.iter().map(|&at| &self.releases[at])
    }

    /// What a forecast need not ask the server for.
    pub(super) const fn at_hand(&self) -> AtHand<'_> {
        AtHand {
            schemas: &self.schemas,
            lives: Some(&self.lives),
            admission: Some(&self.admission),
        }
    }

    /// A release to forecast; `None` if its last record does not read.
    pub(super) fn target<'a>(&'a self, release: &'a ReleaseRead) -> Option<Target<'a>> {
        let last = release.last.as_ref().ok()?;
        Some(Target {
            records: &release.records,
            current: release.current()?,
            last,
            holders: &self.holders,
            kept: self.lives.kept(&release.records.id),
        })
    }
}
