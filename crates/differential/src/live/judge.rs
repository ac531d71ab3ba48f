//! Whether the server did what was foretold.

use managed_fields::manager::{ManagerError, Managing};
use managed_fields::value;
use serde_json::{Value, json};
use testbed::api::Answer;

use crate::errors;

/// What the two answers to one request are to each other.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same object, the same owners.
    Same,
    /// The same refusal.
    SameRefusal,
    /// Refused by the server for a reason beyond ownership.
    ServerOnly,
    /// Something differs: what.
    Differs(String),
}

/// The server's words for what the field-set algebra itself refuses. With these an answer is never "server only".
const ALGEBRA: [&str; 6] = [
    "failed to create typed patch object",
    "failed to create typed live object",
    "failed to merge config",
    "failed to compare",
    "failed to prune",
    "Apply failed with",
];

/// Judges an apply. `would_be` is what the server makes of the foretold object when that is stored by an ordinary
/// request; `None` if nothing was foretold to change.
pub fn apply(
    live: Option<&Value>,
    ours: &Result<Managing, ManagerError>,
    would_be: Option<&Answer>,
    theirs: &Answer,
) -> Verdict {
    let message = theirs.body["message"].as_str().unwrap_or_default();
    match (ours, accepted(theirs)) {
        (Ok(ours), true) => {
            let expected = match would_be {
                Some(answer) if accepted(answer) => &answer.body,
                Some(answer) => {
                    return Verdict::Differs(format!(
                        "the foretold object is refused: {}",
                        answer.body["message"]
                    ));
                }
                None => live.unwrap_or(&Value::Null),
            };
            let (expected, found) = (
                content(expected, &ours.object),
                content(&theirs.body, &ours.object),
            );
            // The server reads a configuration as YAML, where 1.0 becomes 1.
            if !value::equals(&expected, &found) {
                return Verdict::Differs("object".into());
            }
            entries(
                live,
                &ours.object["metadata"]["managedFields"],
                &theirs.body,
            )
        }
        (Ok(_), false) => {
            let is_ownership = ALGEBRA.iter().any(|words| message.contains(words));
            let both = would_be.is_some_and(|answer| !accepted(answer));
            if !is_ownership && (both || matches!(theirs.status, 400 | 403 | 409 | 422)) {
                Verdict::ServerOnly
            } else {
                Verdict::Differs("outcome".into())
            }
        }
        (Err(_), true) => Verdict::Differs("outcome".into()),
        (Err(ours), false) => {
            match errors::same(&theirs.body["details"]["causes"], message, ours) {
                Ok(()) => Verdict::SameRefusal,
                Err(what) => Verdict::Differs(what),
            }
        }
    }
}

/// Whether these are the entries. If nothing changes but times, the server keeps the old ones.
pub fn entries(live: Option<&Value>, ours: &Value, theirs: &Value) -> Verdict {
    let found = &theirs["metadata"]["managedFields"];
    let is_unchanged = live.is_some_and(|live| {
        timeless(&live["metadata"]["managedFields"]) == timeless(ours)
            && value::equals(&content(live, &Value::Null), &content(theirs, &Value::Null))
    });
    let expected = match live {
        Some(live) if is_unchanged => &live["metadata"]["managedFields"],
        _ => ours,
    };
    if expected == found {
        Verdict::Same
    } else if timeless(expected) == timeless(found) {
        Verdict::Differs("times".into())
    } else {
        Verdict::Differs("managedFields".into())
    }
}

/// A 2xx answer.
pub fn accepted(answer: &Answer) -> bool {
    (200..300).contains(&answer.status)
}

/// An entry list without times.
pub fn timeless(entries: &Value) -> Value {
    let mut entries = entries.clone();
    for entry in entries.as_array_mut().into_iter().flatten() {
        if let Some(entry) = entry.as_object_mut() {
            entry.remove("time");
        }
    }
    entries
}

/// An object without its entries, without what the server makes up anew at each request, and without what it allots
/// (addresses and ports of Services) where nobody asked for a certain one.
fn content(object: &Value, asked: &Value) -> Value {
    let mut object = object.clone();
    let is_new = asked["metadata"]["uid"].is_null();
    // An apply with a field that the server does not store, or with 1.0 for 1, raises it; the same in an update does not.
    let is_custom = object["apiVersion"]
        .as_str()
        .is_some_and(|version| version.starts_with("example.dev/"));
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
        metadata.remove("resourceVersion");
        // Updates lose it, applies keep it; nobody reads it.
        metadata.remove("selfLink");
        if is_custom {
            metadata.remove("generation");
        }
        if is_new {
            metadata.remove("uid");
            metadata.remove("creationTimestamp");
            // A create loses these, an apply keeps them until the first update.
            metadata.remove("deletionTimestamp");
            metadata.remove("deletionGracePeriodSeconds");
        }
    }
    if object["kind"] == "Service" && !asked.is_null() {
        unallot(&mut object, asked);
    }
    object
}

/// What a Service is given by the server's registry, after ownership is computed.
const ALLOTTED: [&str; 5] = [
    "clusterIP",
    "clusterIPs",
    "ipFamilies",
    "ipFamilyPolicy",
    "healthCheckNodePort",
];

/// What the registry drops from a Service when its type changes, or changes to fit other fields; also after ownership is computed.
const TYPE_DEPENDENT: [&str; 7] = [
    "externalTrafficPolicy",
    "allocateLoadBalancerNodePorts",
    "healthCheckNodePort",
    "clusterIP",
    "clusterIPs",
    "ipFamilies",
    "ipFamilyPolicy",
];

/// Puts back into a Service what was asked for and dropped.
pub fn keep_type_dependent(service: &mut Value, asked: &Value) {
    for field in TYPE_DEPENDENT {
        let value = &asked["spec"][field];
        if !unasked(value) {
            service["spec"][field] = value.clone();
        }
    }
    let ports = asked["spec"]["ports"].as_array();
    for (i, port) in ports.into_iter().flatten().enumerate() {
        if !port["nodePort"].is_null() && service["spec"]["ports"][i].is_object() {
            service["spec"]["ports"][i]["nodePort"] = port["nodePort"].clone();
        }
    }
}

fn unasked(value: &Value) -> bool {
    value.is_null() || *value == json!("") || *value == json!([])
}

/// Takes out of a Service what the server allotted because `asked` does not say it.
pub fn unallot(service: &mut Value, asked: &Value) {
    let Some(spec) = service["spec"].as_object_mut() else {
        return;
    };
    for field in ALLOTTED {
        if unasked(&asked["spec"][field]) {
            spec.remove(field);
        }
    }
    for (i, port) in spec
        .get_mut("ports")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .enumerate()
    {
        if unasked(&asked["spec"]["ports"][i]["nodePort"])
            && let Some(port) = port.as_object_mut()
        {
            port.remove("nodePort");
        }
    }
}
