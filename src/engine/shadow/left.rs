//! What a release left on the cluster beside its manifest: objects of hooks that stay, and objects that Helm kept.
//!
//! Helm 4 applies such an object server-side the day a hook runs again, or the day a chart brings the object back, and meets
//! Helm 3's entry there. So they are adopted along with the release, where nothing speaks against it; else a note says why
//! not. They hold nothing.

use serde_json::Value;

use super::objects::{Decoration, ManifestObject, ObjectsError, objects_of};
use super::probe::{ForecastError, Target};
use crate::cluster::{self, Reader};
use crate::domain::ids::ReleaseId;
use crate::domain::object::{LiveObject, ObjectRef};
use crate::domain::shadow::Reason;
use crate::engine::records::RecordFault;
use crate::helm::Record;
use crate::helm::record::Hook;

/// Cause of notes about hooks.
pub const LEFT_OVER_HOOK: &str = "left-over-hook";
/// Cause of notes about kept objects.
pub const KEPT_ORPHAN: &str = "kept-orphan";

/// Kinds that run once: adopted or not, Helm 4 takes a finished one for a success, and a changed one cannot be applied.
const RUN_ONCE: [&str; 2] = ["Job", "Pod"];

/// Helm's mark of an object that it does not delete.
const KEEP: (&str, &str) = ("helm.sh/resource-policy", "keep");

/// How a note about an object that is adopted along ends.
pub(super) const ADOPTED_ALONG: &str = "it is adopted too";

/// The object that such a note is about, if the release's migration writes it.
pub fn adopted_along(note: &Reason) -> Option<&ObjectRef> {
    let beside = [LEFT_OVER_HOOK, KEPT_ORPHAN].contains(&&*note.cause);
    let object = note.object.as_ref();
    object.filter(|_| beside && note.detail.ends_with(ADOPTED_ALONG))
}

/// An object that may be adopted beside the manifest's.
#[derive(Debug)]
pub(super) struct Beside {
    /// As Helm 4 would apply it.
    pub wanted: ManifestObject,
    /// Cause of its note.
    pub cause: &'static str,
    /// What it is, for its note.
    pub what: String,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// To be looked at like the manifest's objects.
    pub beside: Vec<Beside>,
    /// What is reported only.
    pub notes: Vec<Reason>,
}

/// Finds what a release left, beside the objects of its manifest (`known`). Reads each object that it names.
pub(super) async fn left(
    reader: &dyn Reader,
    target: &Target<'_>,
    known: &[ManifestObject],
) -> Result<Left, ForecastError> {
    let mut left = Left::default();
    let record = &target.current.record;
    let in_manifest = |object: &ObjectRef| known.iter().any(|it| it.object.key() == object.key());
    for hook in record.hooks.iter().filter(|hook| lingers(hook)) {
        let found = match objects_of(reader, record, &hook.manifest, Decoration::Plain).await {
            Ok(found) => found.served,
            Err(ObjectsError::Cluster(error)) => return Err(error.into()),
            // Helm itself would stumble over it; a hook without a name is told elsewhere.
            Err(ObjectsError::Manifest(_)) => continue,
        };
        for wanted in found {
            let seen = left
                .beside
                .iter()
                .any(|it| it.wanted.object.key() == wanted.object.key());
            if seen || in_manifest(&wanted.object) || live(reader, &wanted.object).await?.is_none()
            {
                continue;
            }
            let what = format!(
                "the object of a hook, which stays behind by its policy ({})",
                hook.path
            );
            if RUN_ONCE.contains(&wanted.object.kind.as_str()) {
                left.notes.push(run_once(&wanted.object));
                continue;
            }
            left.beside.push(Beside {
                wanted,
                cause: LEFT_OVER_HOOK,
                what,
            });
        }
    }
    for orphan in target.kept {
        if in_manifest(orphan) {
            continue;
        }
        let Some(live) = live(reader, orphan).await? else {
            continue;
        };
        if kept_by(&live).as_ref() != Some(&owner(&target.records.id)) {
            continue;
        }
        let what = "kept by helm.sh/resource-policy, and no longer in the chart".to_owned();
        match from_history(reader, target, orphan).await? {
            Some(wanted) => left.beside.push(Beside {
                wanted,
                cause: KEPT_ORPHAN,
                what,
            }),
            None => left.notes.push(note(
                KEPT_ORPHAN,
                orphan,
                format!("{what}; no stored revision has it any more, so it is not adopted: if the chart brings it back changed, Helm 4 meets Helm 3's entry"),
            )),
        }
    }
    Ok(left)
}

/// Does Helm leave this hook's object where it is, also when it runs again? No policy means before-hook-creation.
fn lingers(hook: &Hook) -> bool {
    let policies = &hook.delete_policies;
    !policies.is_empty()
        && !policies
            .iter()
            .any(|policy| policy == "before-hook-creation")
}

/// The manifest of an object in the youngest of the older revisions that has it.
async fn from_history(
    reader: &dyn Reader,
    target: &Target<'_>,
    orphan: &ObjectRef,
) -> Result<Option<ManifestObject>, ForecastError> {
    let current = target.current.record.revision;
    for head in target.records.heads.iter().rev() {
        if head.revision.0 == current {
            continue;
        }
        let record: Record = match target.records.load(reader, head).await {
            Ok(loaded) => loaded.record,
            Err(RecordFault::Cluster(error)) => return Err(error.into()),
            // One that is pruned meanwhile, or does not read, has nothing to tell.
            Err(RecordFault::Gone(_) | RecordFault::Storage(_)) => continue,
        };
        match objects_of(reader, &record, &record.manifest, Decoration::Helms).await {
            Ok(found) => {
                let mut served = found.served.into_iter();
                if let Some(wanted) = served.find(|it| it.object.key() == orphan.key()) {
                    return Ok(Some(wanted));
                }
            }
            Err(ObjectsError::Cluster(error)) => return Err(error.into()),
            Err(ObjectsError::Manifest(_)) => {}
        }
    }
    Ok(None)
}

async fn live(reader: &dyn Reader, object: &ObjectRef) -> cluster::Result<Option<LiveObject>> {
    match reader.object(object).await {
        Ok(live) => Ok(live),
        // What may not be read is not adopted either.
        Err(error)
            if matches!(
                error.kind,
                cluster::ErrorKind::Forbidden | cluster::ErrorKind::UnknownKind
            ) || error.is_fault() =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Namespace and name of a release, as Helm writes them into what it keeps.
pub(in crate::engine) type Owner = (String, String);

/// The release whose kept object this is.
pub(in crate::engine) fn kept_by(live: &LiveObject) -> Option<Owner> {
    let annotations = live.json.pointer("/metadata/annotations")?;
    let text = |key: &str| annotations.get(key).and_then(Value::as_str);
    if text(KEEP.0)?.trim() != KEEP.1 {
        return None;
    }
    Some((
        text("meta.helm.sh/release-namespace")?.to_owned(),
        text("meta.helm.sh/release-name")?.to_owned(),
    ))
}

/// A release as [`kept_by`] names it.
pub(super) fn owner(release: &ReleaseId) -> Owner {
    (release.namespace.to_string(), release.name.to_string())
}

fn run_once(object: &ObjectRef) -> Reason {
    let detail = "left behind by a hook and never adopted: unchanged, Helm 4 takes the finished one for a success without \
                  running it; changed, its apply is a conflict. Delete it before the next upgrade";
    note(LEFT_OVER_HOOK, object, detail.to_owned())
}

pub(super) fn note(cause: &str, object: &ObjectRef, detail: String) -> Reason {
    Reason {
        cause: cause.to_owned(),
        object: Some(object.clone()),
        detail,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hook(policies: &[&str]) -> Hook {
        Hook {
            name: "h".into(),
            kind: "ConfigMap".into(),
            path: "c/templates/h.yaml".into(),
            manifest: String::new(),
            events: vec!["post-upgrade".into()],
            weight: 0,
            delete_policies: policies.iter().map(|&it| it.into()).collect(),
        }
    }

    #[test]
    fn a_hook_lingers_unless_helm_deletes_it_before_it_makes_it() {
        assert!(!lingers(&hook(&[])));
        assert!(!lingers(&hook(&["before-hook-creation", "hook-failed"])));
        assert!(lingers(&hook(&["hook-failed"])));
        // Deleted when it succeeds: what is there has failed, and the next run meets it.
        assert!(lingers(&hook(&["hook-succeeded"])));
    }

    #[test]
    fn a_kept_object_names_its_release() {
        let object = |annotations: Value| {
            let json = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
                "name": "a", "uid": "u", "resourceVersion": "1", "annotations": annotations,
            }});
            LiveObject::new(json).unwrap()
        };
        let mut annotations = json!({
            "helm.sh/resource-policy": "keep",
            "meta.helm.sh/release-namespace": "shop",
            "meta.helm.sh/release-name": "web",
        });
        let owner = ("shop".to_owned(), "web".to_owned());
        assert_eq!(kept_by(&object(annotations.clone())), Some(owner));
        annotations["helm.sh/resource-policy"] = json!("delete");
        assert_eq!(kept_by(&object(annotations)), None);
    }
}
