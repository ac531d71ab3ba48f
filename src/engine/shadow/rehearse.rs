//! The dry run of an adoption, or of its way back: the very request that will be sent.

use serde_json::{Value, json};

use crate::cluster::{self, ErrorKind, Rehearser};
use crate::domain::ids::{ResourceVersion, Uid};
use crate::domain::object::changed_paths;
use crate::domain::object::{LiveObject, ObjectRef};
use crate::domain::shadow::is_custom_resource;
use crate::domain::transfer::same_entries;

/// What a dry run of a managedFields patch showed.
#[derive(Debug, Clone, PartialEq)]
pub enum Rehearsal {
    /// It would do what was wished. `wish` is what will stand afterwards: less than was asked for where the server
    /// drops entries of versions that it serves no more (built-in kinds only; `lost` names them).
    AsWished {
        /// The managedFields afterwards.
        wish: Vec<Value>,
        /// Entries that cannot be kept or restored.
        lost: Vec<String>,
    },
    /// The object changed since it was read: read it again.
    Moved,
    /// The server would wipe or drop managedFields of a custom resource (rule R2).
    DeadEntries(Vec<String>),
    /// Admission or validation refuses it, or something besides ownership would change.
    Refused(String),
}

/// The JSON patch that sets managedFields under the guard of uid and resourceVersion.
///
/// `replace` of the resourceVersion makes a race a 409; the `test` of the uid makes a recreated object a 422.
pub fn patch_body(uid: &Uid, resource_version: &ResourceVersion, wish: &[Value]) -> Value {
    // An empty list would be ignored; a list of one empty entry resets managedFields to none.
    let wish = if wish.is_empty() {
        json!([{}])
    } else {
        json!(wish)
    };
    json!([
        { "op": "test", "path": "/metadata/uid", "value": uid },
        { "op": "replace", "path": "/metadata/managedFields", "value": wish },
        { "op": "replace", "path": "/metadata/resourceVersion", "value": resource_version },
    ])
}

/// The JSON patch that changes values under the same guard.
pub fn content_body(uid: &Uid, resource_version: &ResourceVersion, operations: &[Value]) -> Value {
    let mut all = vec![
        json!({ "op": "test", "path": "/metadata/uid", "value": uid }),
        json!({ "op": "replace", "path": "/metadata/resourceVersion", "value": resource_version }),
    ];
    all.extend(operations.iter().cloned());
    Value::Array(all)
}

/// Sends a patch of values as a dry run. `Ok(Ok(None))`: the object moved; `Ok(Err(_))`: it is refused.
pub async fn rehearse_content(
    rehearser: &dyn Rehearser,
    object: &ObjectRef,
    live: &LiveObject,
    operations: &[Value],
) -> cluster::Result<Result<Option<LiveObject>, String>> {
    let patch = content_body(&live.uid, &live.resource_version, operations);
    match rehearser.rehearse_patch(object, &patch).await {
        Ok(answer) => Ok(Ok(Some(answer))),
        Err(error) => match error.kind {
            ErrorKind::Conflict | ErrorKind::NotFound | ErrorKind::WrongUid => Ok(Ok(None)),
            ErrorKind::Invalid | ErrorKind::Forbidden => Ok(Err(error.message)),
            _ => Err(error),
        },
    }
}

/// Sends the patch as a dry run and compares: managedFields with the wish, everything else with what is live.
pub async fn rehearse(
    rehearser: &dyn Rehearser,
    object: &ObjectRef,
    live: &LiveObject,
    wish: &[Value],
) -> cluster::Result<Rehearsal> {
    let patch = patch_body(&live.uid, &live.resource_version, wish);
    let answer = match rehearser.rehearse_patch(object, &patch).await {
        Ok(answer) => answer,
        Err(error) => {
            return match error.kind {
                ErrorKind::Conflict | ErrorKind::NotFound | ErrorKind::WrongUid => {
                    Ok(Rehearsal::Moved)
                }
                ErrorKind::Invalid | ErrorKind::Forbidden => Ok(Rehearsal::Refused(error.message)),
                _ => Err(error),
            };
        }
    };
    let mut changed = changed_paths(&live.json, &answer.json);
    if live.generation() != answer.generation() {
        changed.push(".metadata.generation".to_owned());
    }
    if !changed.is_empty() {
        return Ok(Rehearsal::Refused(format!(
            "the patch would also change {}",
            changed.join(", ")
        )));
    }
    let got = answer.managed_fields();
    let difference = match same_entries(wish, got) {
        Ok(difference) => difference,
        Err(error) => return Ok(Rehearsal::Refused(error.to_string())),
    };
    Ok(match difference {
        None => Rehearsal::AsWished {
            wish: wish.to_vec(),
            lost: Vec::new(),
        },
        Some(difference) if is_custom_resource(object) => {
            Rehearsal::DeadEntries(vec![difference.to_string()])
        }
        Some(difference)
            if difference.extra.is_empty() && difference.changed.is_empty() && !got.is_empty() =>
        {
            Rehearsal::AsWished {
                wish: got.to_vec(),
                lost: difference.missing,
            }
        }
        Some(difference) => Rehearsal::Refused(format!(
            "the server would keep other managedFields: {difference}"
        )),
    })
}
