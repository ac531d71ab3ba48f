//! The forecast of one object without asking the server: what a forced apply of its manifest would answer.
//!
//! ```text
//! manifest ─┐
//! live ─────┼─► merge, compare (managed_fields) ─► settle: defaults, ─► read_probe: the same facts
//! schema ───┘   as the server does before it         normal forms         as from a real dry run
//!               stores anything
//! ```
//!
//! | room | holds |
//! |---|---|
//! | `api` | what a cluster publishes of one group-version |
//! | `next` | the apply of another manifest under Helm's own name: its next upgrade |
//! | `settle` | what the server makes of a merged object: defaults, zero values, quantities |
//! | `tables` | which zero values Go drops, which defaults are filled in |
//! | `nulls` | nulls that a custom resource's schema refuses (rule R5) |
//!
//! What only the server can tell is [`Unknown`], or told with a [`Told::doubt`]: conversion between versions, admission.

mod api;
mod next;
mod nulls;
mod settle;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::error::Error as _;

use managed_fields::manager::ManagerError;
use managed_fields::{ManagedFieldsEntry, PathElement, Time};
use serde_json::Value;

pub use api::{Api, ApiError};
pub use next::{NextInput, next};

use super::object::{Probe, Probed, is_custom_resource, read_entries, read_probe};
use super::{ObjectForecast, ObjectOutcome};
use crate::domain::fleet::ManagerMatcher;
use crate::domain::object::{LiveObject, ObjectRef};
use crate::domain::transfer::{Terms, TransferError, describe, is_own, mended};

/// The manager that stands for Helm in the computation: a new one, so that what it would own and take shows. No real
/// manager has this name.
const MANAGER: &str = "refit-offline-forecast";

/// The time of the new entry, which nobody looks at.
const EPOCH: Time = match Time::from_unix(0) {
    Ok(time) => time,
    Err(_) => unreachable!(),
};

/// What a forecast needs. All of it is borrowed: [`Api`] is prepared once a group-version.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The object.
    pub object: &'a ObjectRef,
    /// What Helm applies: manifest, namespace, Helm's label and annotations.
    pub body: &'a Value,
    /// As it is, at the manifest's apiVersion.
    pub live: &'a LiveObject,
    /// What the cluster publishes of the manifest's group-version.
    pub api: &'a Api,
    /// Whose entries are Helm's own.
    pub managers: &'a ManagerMatcher,
    /// Versions of its entries that the server knows no more (rule R2).
    pub dead: &'a BTreeSet<String>,
}

/// A forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The facts, as from a dry run.
    pub probed: Probed,
    /// Why the server may see it in another way; the facts are the best guess then.
    pub doubt: Option<String>,
}

/// Only the server can tell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unknown {
    /// Why.
    pub reason: String,
}

/// Forecasts one object. Linear in the sizes of manifest and live object.
pub fn forecast(input: &Input<'_>) -> Result<Told, Unknown> {
    let object = input.object;
    if let Some(reason) = refused_before_merging(input) {
        return Ok(invalid(object, reason));
    }
    let Some(endpoint) = input.api.endpoint(&object.kind) else {
        return Err(unknown(format!(
            "the cluster publishes no usable schema of {} {}",
            object.api_version, object.kind
        )));
    };
    // Read once: the apply, the facts and the doubts all go by these.
    let Entries {
        all: entries,
        here,
        aside,
    } = Entries::of(input.live, object, input.dead)?;
    let live = &input.live.json;
    let merged =
        match (endpoint.manager).apply_to_entries(live, &here, input.body, MANAGER, true, EPOCH) {
            Ok(merged) => merged,
            Err(error @ (ManagerError::Config { .. } | ManagerError::ManagedFieldsInConfig)) => {
                return Ok(invalid(object, error.server_message()));
            }
            Err(error) => {
                return Err(unknown(format!(
                    "the live object does not fit the published schema: {}",
                    error.server_message()
                )));
            }
        };
    let mut applied = merged.object;
    for field in &endpoint.reset {
        restore(&mut applied, live, field);
    }
    if let Some(model) = endpoint.model
        && let Some(reason) = nulls::refused(object, model, &applied)
    {
        return Ok(invalid(object, reason));
    }
    let settled = settle::settle(object, &mut applied, live, endpoint.view);
    let mut after = merged.entries;
    after.extend(aside);
    let mut probed = read_probe(&Probe {
        object,
        live: input.live,
        before: &entries,
        applied: &applied,
        after: &after,
        manager: MANAGER,
        managers: input.managers,
    });
    if !input.dead.is_empty() {
        probed = probed.with_dead(input.live, input.dead);
    }
    let doubt = settled.or_else(|| doubt_of(input, &probed, &entries));
    Ok(Told { probed, doubt })
}

fn cause(error: &TransferError) -> String {
    error.source().unwrap_or(error).to_string()
}

/// The entries of a live object.
struct Entries {
    all: Vec<ManagedFieldsEntry>,
    /// At the manifest's version.
    here: Vec<ManagedFieldsEntry>,
    /// At others: they own nothing but status, which no conversion can move.
    aside: Vec<ManagedFieldsEntry>,
}

impl Entries {
    fn of(live: &LiveObject, object: &ObjectRef, dead: &BTreeSet<String>) -> Result<Self, Unknown> {
        let mut all = read_entries(live.managed_fields()).map_err(|error| {
            unknown(format!(
                "the live managedFields do not read: {}",
                cause(&error)
            ))
        })?;
        if !dead.is_empty() {
            // As a repair would leave them, or the server's next write.
            let terms = Terms {
                dead: dead.clone(),
                repair: is_custom_resource(object),
                ..Terms::default()
            };
            all = mended(all, &terms, &object.api_version);
        }
        let (here, aside): (Vec<_>, Vec<_>) = all
            .iter()
            .cloned()
            .partition(|entry| entry.api_version() == object.api_version);
        if let Some(other) = aside.iter().find(|entry| !is_status_only(entry)) {
            return Err(unknown(format!(
                "{} owns fields at {}, the manifest is at {}: only the server can convert",
                describe(other),
                other.api_version(),
                object.api_version
            )));
        }
        Ok(Self { all, here, aside })
    }
}

fn unknown(reason: String) -> Unknown {
    Unknown { reason }
}

fn invalid(object: &ObjectRef, reason: String) -> Told {
    let forecast = ObjectForecast {
        object: object.clone(),
        outcome: ObjectOutcome::Invalid { reason },
        active: Vec::new(),
        latent: Vec::new(),
        drops: Vec::new(),
        drift: Vec::new(),
        values: std::collections::BTreeMap::new(),
    };
    Told {
        probed: Probed {
            forecast,
            apply_set: None,
        },
        doubt: None,
    }
}

/// What the server refuses whatever the schema says (rule R5).
fn refused_before_merging(input: &Input<'_>) -> Option<String> {
    let metadata = input.body.get("metadata")?;
    let text = |key| {
        metadata
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    if text("uid").is_some_and(|uid| uid != input.live.uid.as_str()) {
        return Some("metadata.uid is in the manifest, and is not the live object's".to_owned());
    }
    text("resourceVersion").map(|_| {
        "metadata.resourceVersion is in the manifest: an apply is refused once the object has moved"
            .to_owned()
    })
}

/// Whether an entry owns nothing but status: an apply of the main resource does not touch that, at whatever version.
fn is_status_only(entry: &ManagedFieldsEntry) -> bool {
    let is_status = |element: &PathElement| element.as_field() == Some("status");
    let fields = entry.fields();
    fields.members().all(is_status) && fields.children().all(|(element, _)| is_status(element))
}

/// Puts a top-level field back as it is live: the endpoint does not set it.
fn restore(applied: &mut Value, live: &Value, field: &str) {
    if let Some(applied) = applied.as_object_mut() {
        match live.get(field) {
            Some(value) => applied.insert(field.to_owned(), value.clone()),
            None => applied.remove(field),
        };
    }
}

/// What the algebra cannot see: admission, and the one built-in kind that counts its generation up at a mere adoption.
fn doubt_of(input: &Input<'_>, probed: &Probed, entries: &[ManagedFieldsEntry]) -> Option<String> {
    if has_empty_ca_bundle(input.body) {
        return Some("a webhook with an empty caBundle may count its generation up".to_owned());
    }
    if probed.forecast.drift.is_empty() {
        return None;
    }
    // Whoever changes a field by an update takes it from Helm. So a field that Helm owns and that differs from the
    // manifest was written so under Helm's name: by admission on the way (then an apply changes nothing), or by another
    // revision (then it does).
    let own = entries.iter().filter(|entry| is_own(entry, input.managers));
    let fields: BTreeSet<String> = own
        .flat_map(|entry| entry.fields().iter().map(|path| path.to_string()))
        .collect();
    let field = (probed.forecast.drift.iter()).find(|field| fields.contains(*field))?;
    Some(format!(
        "{field} is Helm's own and not as in the manifest: admission, or another revision"
    ))
}

fn has_empty_ca_bundle(body: &Value) -> bool {
    let webhooks = body.get("webhooks").and_then(Value::as_array);
    webhooks.into_iter().flatten().any(|webhook| {
        webhook
            .pointer("/clientConfig/caBundle")
            .is_some_and(|bundle| bundle == "")
    })
}
