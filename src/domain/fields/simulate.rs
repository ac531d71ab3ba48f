//! What would the server answer? One request of `refit fields simulate`, without a server.
//!
//! The texts are the server's. Admission, defaulting and validation, which come after ownership, are not simulated.

use managed_fields::csa::{self, Flavor, Upgrade};
use managed_fields::manager::ManagerError;
use managed_fields::schema::Kind;
use managed_fields::{FieldManager, FieldSet, Path, Schema, Time};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    /// Server-side apply of `config`.
    Apply,
    /// Any other write that would store `config`.
    Update,
    /// The patch that turns client-side apply's entries into server-side apply's.
    Csa,
}

/// Whose upgrade.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CsaFlavor {
    /// What kubectl and Helm 4 do.
    #[default]
    Original,
    /// Without its known faults: entries of other versions are kept.
    Fixed,
}

/// One request. A member that is null is as one that is not there: Go writes empty lists so.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    /// What is asked.
    pub op: Op,
    /// OpenAPI v3 documents, as files; without any, the schema is deduced from the objects.
    #[serde(default, deserialize_with = "or_default")]
    pub openapi: Vec<String>,
    /// Who asks; for `csa` the manager that will apply.
    #[serde(default, deserialize_with = "or_default")]
    pub manager: String,
    /// Through which subresource; empty for the main resource.
    #[serde(default, deserialize_with = "or_default")]
    pub subresource: String,
    /// Take fields from others.
    #[serde(default, deserialize_with = "or_default")]
    pub force: bool,
    /// The stored object; none if it would be created.
    #[serde(default)]
    pub live: Option<Value>,
    /// What is applied, or would be stored.
    #[serde(default)]
    pub config: Option<Value>,
    /// Names of the client for `csa`.
    #[serde(default, deserialize_with = "or_default")]
    pub csa_managers: Vec<String>,
    /// Fields that the endpoint resets, in place of those that it is known to reset.
    #[serde(default)]
    pub ignore: Option<Vec<Ignored>>,
    /// Which upgrade.
    #[serde(default, deserialize_with = "or_default")]
    pub flavor: CsaFlavor,
    /// The time of new entries, RFC 3339; else the caller's.
    #[serde(default)]
    pub now: Option<String>,
}

/// A path of names: `".status.phase"`, or `["status", "phase"]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Ignored {
    /// With dots.
    Text(String),
    /// Name by name.
    Names(Vec<String>),
}

/// A field in conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnsweredConflict {
    /// Who owns it.
    pub manager: String,
    /// The server's words: `conflict with "helm" using apps/v1`.
    pub message: String,
    /// Which field.
    pub field: String,
}

/// One answer; what does not apply is left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The object as it would be, managedFields included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<Value>,
    /// Its managedFields; null if nobody owns anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_fields: Option<Value>,
    /// Why an apply is refused with 409.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<AnsweredConflict>,
    /// Why it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// For `csa`: the JSON patch, null if there is nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<Value>,
}

impl Answer {
    /// A refusal.
    pub fn error(words: impl Into<String>) -> Self {
        Self {
            error: Some(words.into()),
            ..Self::default()
        }
    }
}

impl Request {
    /// Reads a line. The error is one line that says what is wrong with it.
    pub fn read(line: &[u8]) -> Result<Self, String> {
        // serde would take an array for the members in their order.
        if line.trim_ascii_start().first() == Some(&b'[') {
            return Err("the request does not read: it is no JSON object".to_owned());
        }
        serde_json::from_slice(line).map_err(|error| format!("the request does not read: {error}"))
    }

    /// The answer. `schema` is that of the request's documents.
    pub fn answer(&self, schema: &Schema, now: Time) -> Answer {
        let now = match self.now.as_deref().map(Time::parse) {
            None => now,
            Some(Ok(now)) => now,
            Some(Err(error)) => return Answer::error(format!("now: {error}")),
        };
        match self.op {
            Op::Csa => self.upgrade(),
            Op::Apply | Op::Update => self.request(schema, now),
        }
    }

    fn upgrade(&self) -> Answer {
        let Some(live @ Value::Object(_)) = &self.live else {
            return Answer::error("csa needs live, an object");
        };
        let upgrade = Upgrade {
            csa_managers: &self.csa_managers.iter().cloned().collect(),
            ssa_manager: &self.manager,
            subresource: &self.subresource,
            flavor: match self.flavor {
                CsaFlavor::Original => Flavor::Original,
                CsaFlavor::Fixed => Flavor::Fixed,
            },
        };
        match csa::upgrade(live, &upgrade) {
            Ok(patch) => Answer {
                patch: Some(patch.unwrap_or_default()),
                ..Answer::default()
            },
            Err(error) => Answer::error(chain(&error)),
        }
    }

    fn request(&self, schema: &Schema, now: Time) -> Answer {
        let Some(config @ Value::Object(_)) = &self.config else {
            return Answer::error("apply and update need config, an object");
        };
        let kind = Kind::of(config);
        if kind.version.is_empty() || kind.kind.is_empty() {
            return Answer::error("config needs apiVersion and kind");
        }
        let version = kind.api_version();
        let mut endpoint = FieldManager::new(schema, kind, &self.subresource);
        if let Some(ignored) = &self.ignore {
            match FieldSet::of(ignored.iter().map(Ignored::path)) {
                Ok(fields) => endpoint = endpoint.with_reset([(version, fields)].into()),
                Err(error) => return Answer::error(format!("ignore: {error}")),
            }
        }
        let live = self.live.as_ref();
        let managing = match self.op {
            Op::Update => endpoint.update(live, config, &self.manager, now),
            _ => endpoint.apply(live, config, &self.manager, self.force, now),
        };
        match managing {
            Ok(managing) => Answer {
                managed_fields: Some(managing.object["metadata"]["managedFields"].clone()),
                object: Some(managing.object),
                ..Answer::default()
            },
            Err(error) => refused(&error),
        }
    }
}

impl Ignored {
    fn path(&self) -> Path {
        match self {
            Self::Text(text) => Path::of_fields(text.trim_start_matches('.').split('.')),
            Self::Names(names) => Path::of_fields(names.iter().map(String::as_str)),
        }
    }
}

/// Null as if the member were not there.
fn or_default<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

fn refused(error: &ManagerError) -> Answer {
    let conflicts = error.conflicts().map(|conflicts| {
        let all = conflicts.iter().map(|conflict| AnsweredConflict {
            manager: conflict.owner.manager().to_owned(),
            message: conflict.message(),
            field: conflict.field(),
        });
        all.collect()
    });
    Answer {
        conflicts: conflicts.unwrap_or_default(),
        ..Answer::error(error.server_message())
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words = format!("{words}: {error}");
        source = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::fields::tests::any_json;

    const NOW: &str = "2026-11-23T10:20:00Z";

    fn ask(request: &Value) -> Value {
        let read = Request::read(request.to_string().as_bytes());
        let answer = match read {
            Ok(request) => request.answer(&Schema::deduced(), Time::parse(NOW).unwrap()),
            Err(words) => Answer::error(words),
        };
        serde_json::to_value(answer).unwrap()
    }

    fn config(replicas: u32) -> Value {
        json!({
            "apiVersion": "example.dev/v1", "kind": "Box", "metadata": {"name": "a"},
            "spec": {"replicas": replicas}, "status": {"ready": true},
        })
    }

    #[test]
    fn an_apply_owns_and_conflicts_in_the_servers_words() {
        let made = ask(
            &json!({"op": "apply", "manager": "helm", "config": config(1), "ignore": [["status"]]}),
        );
        assert_eq!(
            made["managedFields"],
            json!([{
                "manager": "helm", "operation": "Apply", "apiVersion": "example.dev/v1", "time": NOW,
                "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {".": {}, "f:replicas": {}}},
            }])
        );
        assert_eq!(
            made["object"]["metadata"]["managedFields"],
            made["managedFields"]
        );
        let request = json!({"op": "apply", "manager": "me", "live": made["object"], "config": config(2), "ignore": [".status"]});
        assert_eq!(
            ask(&request),
            json!({
                "error": r#"Apply failed with 1 conflict: conflict with "helm": .spec.replicas"#,
                "conflicts": [{"manager": "helm", "message": r#"conflict with "helm""#, "field": ".spec.replicas"}],
            })
        );
        let mut forced = request;
        forced["force"] = json!(true);
        assert_eq!(ask(&forced)["object"]["spec"]["replicas"], 2);
    }

    #[test]
    fn an_upgrade_is_a_patch_or_null() {
        let made = ask(
            &json!({"op": "update", "manager": "helm", "config": config(1), "now": "2026-01-01T00:00:00Z"}),
        );
        assert_eq!(made["managedFields"][0]["time"], "2026-01-01T00:00:00Z");
        let upgraded = ask(
            &json!({"op": "csa", "manager": "helm", "csaManagers": ["helm"], "live": made["object"]}),
        );
        assert_eq!(upgraded["patch"][0]["value"][0]["operation"], "Apply");
        let nothing = ask(
            &json!({"op": "csa", "manager": "helm", "csaManagers": ["other"], "live": made["object"]}),
        );
        assert_eq!(nothing, json!({"patch": null}));
    }

    #[test]
    fn what_is_missing_is_said() {
        for (request, words) in [
            (json!({"op": "merge"}), "unknown variant"),
            (json!({"op": "apply", "forse": true}), "unknown field"),
            (json!({"op": "apply"}), "need config"),
            (json!({"op": "update", "config": [1]}), "need config"),
            (
                json!({"op": "apply", "config": {"kind": "X"}}),
                "needs apiVersion and kind",
            ),
            (
                json!({"op": "update", "config": {"apiVersion": "v1", "kind": 1}}),
                "needs apiVersion and kind",
            ),
            (json!({"op": "csa"}), "needs live"),
            (json!({"op": "csa", "live": []}), "needs live"),
            (json!(["apply", []]), "no JSON object"),
            (json!(null), "does not read"),
            (json!({"op": "csa", "live": {}, "now": "today"}), "now: "),
            (json!([1]), "does not read"),
        ] {
            let answer = ask(&request);
            assert!(
                answer["error"].as_str().unwrap().contains(words),
                "{request}: {answer}"
            );
            assert_eq!(answer.as_object().unwrap().len(), 1);
        }
    }

    #[test]
    fn null_is_as_good_as_nothing() {
        let plain = json!({"op": "apply", "manager": "helm", "config": config(1)});
        let mut nulls = plain.clone();
        for member in [
            "openapi",
            "subresource",
            "force",
            "live",
            "csaManagers",
            "ignore",
            "flavor",
            "now",
        ] {
            nulls[member] = Value::Null;
        }
        assert_eq!(ask(&nulls), ask(&plain));
        assert!(ask(&plain)["error"].is_null());
    }

    proptest! {
        #[test]
        fn no_request_panics(live in any_json(), config in any_json(), op in "apply|update|csa", force: bool, names in prop::collection::vec("[a-c.]{0,4}", 0..3)) {
            let mut config = config;
            if let Some(map) = config.as_object_mut() {
                map.insert("apiVersion".into(), json!("v1"));
                map.insert("kind".into(), json!("X"));
            }
            let _ = ask(&json!({"op": op, "manager": "m", "live": live, "config": config, "force": force, "ignore": names, "csaManagers": names}));
            let _ = ask(&live);
        }
    }
}
