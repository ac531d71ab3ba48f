//! Before the first write: is every verb that the run will need allowed? All that is missing is listed at once.

use std::collections::BTreeSet;

use futures::FutureExt as _;

use crate::cluster::{self, Access, Reader};
use crate::domain::ids::Namespace;
use crate::domain::object::ObjectRef;
use crate::domain::release::Driver;
use crate::domain::shadow::Reason;
use crate::engine::bounded::bounded;
use crate::engine::records::ReleaseRecords;
use crate::engine::shadow::{ManifestObject, adopted_along, objects};

/// Access reviews under way at once on one cluster.
const REVIEWS_IN_FLIGHT: usize = 8;

/// Records read at once from one cluster: each may be a megabyte.
const READS_IN_FLIGHT: usize = 8;

/// Verbs on Helm's records: read them, make the lock, rewrite, patch ownership back, delete the lock.
const RECORD_VERBS: [&str; 6] = ["get", "list", "create", "update", "patch", "delete"];

/// Verbs on objects: an adoption is a GET and a PATCH (adoption experiments, "Verbs").
const OBJECT_VERBS: [&str; 2] = ["get", "patch"];

/// What a run needs on a cluster.
#[derive(Debug, Default, Clone)]
pub struct Needs {
    verbs: BTreeSet<Access>,
}

impl Needs {
    /// Needs of one release's records.
    pub fn records(&mut self, driver: Driver, namespace: &Namespace) {
        for verb in RECORD_VERBS {
            self.verbs.insert(Access {
                verb: verb.to_owned(),
                group: String::new(),
                resource: driver.resource().to_owned(),
                namespace: Some(namespace.clone()),
            });
        }
    }

    /// Needs of one object.
    pub fn object(&mut self, object: &ObjectRef, resource: &str) {
        for verb in OBJECT_VERBS {
            self.verbs.insert(Access {
                verb: verb.to_owned(),
                group: object.group().to_owned(),
                resource: resource.to_owned(),
                namespace: object.namespace.clone(),
            });
        }
    }

    /// Needs of the objects of these releases, by the manifests of their last records. One that does not read is handed
    /// back when its turn comes. A few payloads are held at a time.
    pub async fn objects_of(&mut self, reader: &dyn Reader, releases: &[ReleaseRecords]) {
        let mut reads = Vec::new();
        for records in releases {
            reads.push(
                async move {
                    let loaded = records.load(reader, records.last()?).await.ok()?;
                    let objects = objects(reader, &loaded.record).await.ok()?;
                    let named = |object: ManifestObject| (object.object, object.resource);
                    Some(objects.served.into_iter().map(named).collect::<Vec<_>>())
                }
                .boxed(),
            );
        }
        for (object, resource) in bounded(READS_IN_FLIGHT, reads)
            .await
            .into_iter()
            .flatten()
            .flatten()
        {
            self.object(&object, &resource);
        }
    }

    /// Needs of the objects that are adopted beside the manifest's: left-over hooks, kept orphans. Their notes in the plan name
    /// them; a kind that is served no more is handed back when its turn comes.
    pub async fn beside(&mut self, reader: &dyn Reader, notes: &[Reason]) -> cluster::Result<()> {
        let along: Vec<&ObjectRef> = notes.iter().filter_map(adopted_along).collect();
        if along.is_empty() {
            return Ok(());
        }
        let kinds = reader.kinds(false).await?;
        for object in along {
            let kind = kinds
                .iter()
                .find(|it| it.api_version == object.api_version && it.kind == object.kind);
            if let Some(kind) = kind {
                self.object(object, &kind.plural);
            }
        }
        Ok(())
    }

    /// How many verbs.
    pub fn len(&self) -> usize {
        self.verbs.len()
    }

    /// None at all?
    pub fn is_empty(&self) -> bool {
        self.verbs.is_empty()
    }
}

/// The needs that are not granted. A verb that is granted in all namespaces is asked for once.
///
/// Sends access reviews, which store nothing. Cancel safe.
pub async fn forbidden(reader: &dyn Reader, needs: &Needs) -> cluster::Result<Vec<Access>> {
    let everywhere: BTreeSet<Access> = needs
        .verbs
        .iter()
        .map(|access| Access {
            namespace: None,
            ..access.clone()
        })
        .collect();
    let granted = granted(reader, everywhere).await?;
    let rest: BTreeSet<Access> = needs
        .verbs
        .iter()
        .filter(|access| {
            !granted.contains(&Access {
                namespace: None,
                ..(*access).clone()
            })
        })
        .cloned()
        .collect();
    let allowed = self::granted(reader, rest.clone()).await?;
    Ok(rest
        .into_iter()
        .filter(|access| !allowed.contains(access))
        .collect())
}

async fn granted(
    reader: &dyn Reader,
    asked: BTreeSet<Access>,
) -> cluster::Result<BTreeSet<Access>> {
    let mut reviews = Vec::new();
    for access in asked {
        reviews.push(
            async move { cluster::Result::Ok(reader.may(&access).await?.then_some(access)) }
                .boxed(),
        );
    }
    let answers = bounded(REVIEWS_IN_FLIGHT, reviews).await;
    let mut granted = BTreeSet::new();
    for answer in answers {
        granted.extend(answer?);
    }
    Ok(granted)
}
