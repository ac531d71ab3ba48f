//! The offline forecast by example and by law; that it says what a server says is a live test.

use managed_fields::schema::Kind;
use managed_fields::{FieldManager, Schema};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::fleet::Managers;
use crate::domain::transfer::adopt;

/// Some built-in kinds of Kubernetes 1.36, as the server publishes them.
const BUILT_IN: &str =
    include_str!("../../../../crates/managed-fields/tests/fixtures/builtin.json");

fn document() -> Value {
    serde_json::from_str(BUILT_IN).unwrap()
}

fn api(api_version: &str) -> Api {
    Api::read(api_version, &document()).unwrap()
}

fn managers() -> ManagerMatcher {
    let aliases = vec!["Go-http-client".to_owned()];
    let canonical = "helm".to_owned();
    Managers { canonical, aliases }.matcher().unwrap()
}

fn at(minute: i64) -> Time {
    Time::from_unix(1_700_000_000 + minute * 60).unwrap()
}

/// Objects as a server makes them: ownership by the algebra, the rest by hand.
struct World {
    schema: Schema,
    kind: Kind,
    json: Value,
}

impl World {
    /// Helm 3 creates the manifest; the server fills in `defaults`, which Helm owns too.
    fn created(api_version: &str, body: &Value, defaults: &Value) -> Self {
        let schema = Schema::from_openapi([&document()]).unwrap();
        let kind = Kind::new(api_version, body["kind"].as_str().unwrap());
        let mut stored = body.clone();
        merge(&mut stored, defaults);
        let mut world = Self {
            schema,
            kind,
            json: Value::Null,
        };
        world.json = world
            .manager("")
            .update(None, &stored, "helm", at(0))
            .unwrap()
            .object;
        merge(
            &mut world.json,
            &json!({"metadata": {"uid": "u", "resourceVersion": "1"}}),
        );
        world
    }

    fn manager(&self, subresource: &str) -> FieldManager<'_> {
        FieldManager::new(&self.schema, self.kind.clone(), subresource)
    }

    /// Somebody merges a patch in.
    fn patched(mut self, manager: &str, patch: &Value) -> Self {
        let mut new = self.json.clone();
        merge(&mut new, patch);
        self.json = self
            .manager("")
            .update(Some(&self.json), &new, manager, at(1))
            .unwrap()
            .object;
        self
    }

    fn live(&self) -> LiveObject {
        LiveObject::new(self.json.clone()).unwrap()
    }

    fn object(&self) -> ObjectRef {
        ObjectRef {
            api_version: self.kind.api_version(),
            kind: self.kind.kind.clone(),
            namespace: Some("shop".into()),
            name: "web".into(),
        }
    }

    fn told(&self, body: &Value) -> Result<Told, Unknown> {
        let api = api(&self.kind.api_version());
        forecast(&Input {
            object: &self.object(),
            body,
            live: &self.live(),
            api: &api,
            managers: &managers(),
            dead: &BTreeSet::new(),
        })
    }
}

/// A JSON merge patch.
fn merge(object: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        object.clone_from(patch);
        return;
    };
    if !object.is_object() {
        *object = json!({});
    }
    let map = object.as_object_mut().unwrap();
    for (key, value) in patch {
        if value.is_null() {
            map.remove(key);
        } else {
            merge(map.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
        "spec": {
            "replicas": 2, "paused": false,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"creationTimestamp": null, "labels": {"app": "web"}},
                "spec": {"hostNetwork": false, "tolerations": [], "containers": [{
                    "name": "app", "image": "app:1", "env": [{"name": "EMPTY", "value": ""}],
                    "resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}},
                }]},
            },
        },
    })
}

/// What the server stores of that manifest beside or in place of what it says.
fn defaults() -> Value {
    json!({"spec": {
        "paused": null,
        "progressDeadlineSeconds": 600,
        "template": {
            "metadata": {"creationTimestamp": null},
            "spec": {"hostNetwork": null, "tolerations": null, "restartPolicy": "Always", "containers": [{
                "name": "app", "image": "app:1", "env": [{"name": "EMPTY"}],
                "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}, "imagePullPolicy": "IfNotPresent",
            }]},
        },
    }})
}

fn fields(conflicts: &[super::super::Conflict]) -> Vec<(&str, &str)> {
    conflicts
        .iter()
        .map(|it| (it.field.as_str(), it.owner.as_str()))
        .collect()
}

#[test]
fn what_the_server_writes_in_its_own_way_is_no_drift() {
    let world = World::created("apps/v1", &deployment(), &defaults());
    let told = world.told(&deployment()).unwrap();
    let forecast = &told.probed.forecast;
    assert_eq!(told.doubt, None);
    assert_eq!(
        forecast.outcome,
        ObjectOutcome::OwnershipOnly,
        "{forecast:?}"
    );
    assert_eq!((&forecast.drift, &forecast.drops), (&vec![], &vec![]));
}

#[test]
fn owners_and_values_of_a_conflict_are_told() {
    let world = World::created("apps/v1", &deployment(), &defaults())
        .patched("kubectl", &json!({"spec": {"replicas": 5}}))
        .patched(
            "labeller",
            &json!({"metadata": {"labels": {"app": "other"}}}),
        )
        .patched("labeller", &json!({"metadata": {"labels": {"app": "web"}}}));
    let told = world.told(&deployment()).unwrap();
    let forecast = &told.probed.forecast;
    assert_eq!(forecast.outcome, ObjectOutcome::Conflict);
    assert_eq!(fields(&forecast.active), [(".spec.replicas", "kubectl")]);
    assert_eq!(
        (&forecast.active[0].theirs, &forecast.active[0].ours),
        (&Some("5".to_owned()), &Some("2".to_owned()))
    );
    assert_eq!(
        fields(&forecast.latent),
        [(".metadata.labels.app", "labeller")]
    );
    assert_eq!(told.doubt, None);
}

#[test]
fn what_somebody_took_away_is_drift_and_what_the_chart_dropped_is_a_drop() {
    let mut old = deployment();
    old["spec"]["template"]["metadata"]["annotations"] = json!({"old": "x"});
    let world = World::created("apps/v1", &old, &defaults())
        .patched("somebody", &json!({"metadata": {"labels": {"app": null}}}));
    let told = world.told(&deployment()).unwrap();
    let forecast = &told.probed.forecast;
    assert_eq!(forecast.outcome, ObjectOutcome::Drift);
    assert_eq!(forecast.drift, [".metadata.labels.app"]);
    assert_eq!(forecast.drops, [".spec.template.metadata.annotations.old"]);
    let stands = |field: &str| {
        let it = &forecast.values[field];
        (it.owner.as_deref(), it.live.as_deref(), it.ours.as_deref())
    };
    assert_eq!(stands(&forecast.drift[0]), (None, None, Some("web")));
    assert_eq!(stands(&forecast.drops[0]), (Some("helm"), Some("x"), None));
    assert!(forecast.values[&forecast.drops[0]].since.is_some());
    assert_eq!(forecast.values.len(), 2);
}

#[test]
fn a_field_of_helms_own_that_differs_is_a_doubt() {
    let world = World::created("apps/v1", &deployment(), &defaults())
        .patched("helm", &json!({"spec": {"replicas": 3}}));
    let told = world.told(&deployment()).unwrap();
    assert_eq!(told.probed.forecast.drift, [".spec.replicas"]);
    let stands = &told.probed.forecast.values[".spec.replicas"];
    assert_eq!(
        (stands.live.as_deref(), stands.ours.as_deref()),
        (Some("3"), Some("2"))
    );
    assert!(told.doubt.unwrap().contains(".spec.replicas"));
}

#[test]
fn a_pointer_to_false_is_not_the_same_as_none() {
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web"}, "automountServiceAccountToken": false});
    let world = World::created("v1", &account, &json!({}))
        .patched("somebody", &json!({"automountServiceAccountToken": null}));
    let told = world.told(&account).unwrap();
    assert_eq!(
        told.probed.forecast.drift,
        [".automountServiceAccountToken"]
    );
    assert_eq!(told.doubt, None);
}

#[test]
fn string_data_is_compared_as_data_and_shown_nowhere() {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web"}, "stringData": {"a": "hunter2"}});
    let stored = json!({"stringData": null, "data": {"a": "aHVudGVyMg=="}, "type": "Opaque"});
    let world = World::created("v1", &secret, &stored);
    let told = world.told(&secret).unwrap();
    assert_eq!(told.probed.forecast.outcome, ObjectOutcome::OwnershipOnly);
    assert_eq!(told.probed.forecast.drops, Vec::<String>::new());
    let edited = world.patched("kubectl-edit", &json!({"data": {"a": "eA=="}}));
    let told = edited.told(&secret).unwrap();
    assert_eq!(told.probed.forecast.drift, [".data.a"]);
    let marked = json!({"metadata": {"annotations": {"copy": "hunter2"}}});
    let told = edited.patched("helm", &marked).told(&secret).unwrap();
    let forecast = told.probed.forecast;
    assert_eq!(forecast.drops, [".metadata.annotations.copy"]);
    let live = forecast.values[&forecast.drops[0]].live.as_deref();
    assert_eq!(live, Some("<hidden>"));
    let shown = serde_json::to_string(&forecast).unwrap();
    for value in ["hunter2", "aHVudGVyMg==", "eA=="] {
        assert!(!shown.contains(value), "{shown}");
    }
}

#[test]
fn what_server_side_apply_refuses_is_invalid() {
    let mut doubled = deployment();
    let env = &mut doubled["spec"]["template"]["spec"]["containers"][0]["env"];
    *env = json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]);
    let world = World::created("apps/v1", &deployment(), &defaults());
    let mut unknown_field = deployment();
    unknown_field["spec"]["replcas"] = json!(1);
    let mut managed = deployment();
    managed["metadata"]["managedFields"] = json!([]);
    let mut uid = deployment();
    uid["metadata"]["uid"] = json!("another");
    for (body, words) in [
        (doubled, "duplicate entries for key [name=\"A\"]"),
        (unknown_field, ".spec.replcas: field not declared in schema"),
        (managed, "metadata.managedFields must be nil"),
        (uid, "metadata.uid"),
    ] {
        let told = world.told(&body).unwrap();
        let ObjectOutcome::Invalid { reason } = &told.probed.forecast.outcome else {
            panic!("{words}: {told:?}");
        };
        assert!(reason.contains(words), "{reason}");
    }
}

#[test]
fn entries_at_another_version_are_the_servers_unless_they_own_only_status() {
    let mut world = World::created("apps/v1", &deployment(), &defaults());
    let entry = |fields: Value| json!({"manager": "controller", "operation": "Update", "apiVersion": "apps/v2", "fieldsType": "FieldsV1", "fieldsV1": fields});
    let entries = world.json["metadata"]["managedFields"]
        .as_array_mut()
        .unwrap();
    entries.push(entry(json!({"f:status": {"f:replicas": {}}})));
    let told = world.told(&deployment()).unwrap();
    assert_eq!(told.probed.forecast.outcome, ObjectOutcome::OwnershipOnly);
    assert_eq!(told.probed.forecast.active, []);
    let entries = world.json["metadata"]["managedFields"]
        .as_array_mut()
        .unwrap();
    entries.push(entry(json!({"f:spec": {"f:replicas": {}}})));
    let unknown = world.told(&deployment()).unwrap_err();
    assert!(unknown.reason.contains("apps/v2"), "{unknown}");
}

#[test]
fn a_null_that_the_schema_has_none_of_is_invalid_in_a_custom_resource() {
    let model = json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": {
            "size": {"type": "integer"},
            "free": {"type": "integer", "nullable": true},
            "filled": {"type": "integer", "default": 1},
            "any": {"x-kubernetes-preserve-unknown-fields": true, "type": "object"},
            "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}},
        }},
    }});
    let object = ObjectRef {
        api_version: "dev/v1".into(),
        kind: "Box".into(),
        namespace: None,
        name: "a".into(),
    };
    let refused = |spec: Value| nulls::refused(&object, &model, &json!({"spec": spec}));
    assert_eq!(
        refused(json!({"size": 1, "free": null, "filled": null, "any": {"x": null}})),
        None
    );
    assert_eq!(
        refused(json!({"size": null})).unwrap(),
        "Box.dev \"a\" is invalid: spec.size: Invalid value: \"null\": spec.size in body must be of type integer: \"null\""
    );
    assert!(
        refused(json!({"list": [{}, {"a": null}]}))
            .unwrap()
            .contains("spec.list[1].a")
    );
}

/// A ConfigMap's data, as somebody may have left it.
fn data() -> impl Strategy<Value = Value> {
    let value = prop::option::of("[xy]");
    prop::collection::btree_map("[abc]", value, 0..3).prop_map(|map| {
        let map = map
            .into_iter()
            .map(|(key, value)| (key, value.map_or(Value::Null, Value::from)));
        Value::Object(map.collect())
    })
}

proptest! {
    /// After the adoption there is nothing to say any more: no conflict with ourselves, no drop, no second adoption.
    #[test]
    fn after_its_own_adoption_helm_meets_nobody_new(chart in data(), next in data(), edits in prop::collection::vec((prop::sample::select(vec!["kubectl-edit", "operator"]), data()), 0..3)) {
        let strings = |data: &Value| {
            let map = data.as_object().unwrap().iter().filter(|(_, value)| value.is_string());
            Value::Object(map.map(|(key, value)| (key.clone(), value.clone())).collect())
        };
        let body = |data: &Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "labels": {"l": "1"}}, "data": strings(data)});
        let mut world = World::created("v1", &body(&chart), &json!({}));
        for (manager, data) in &edits {
            world = world.patched(manager, &json!({ "data": data }));
        }
        let manifest = body(&next);
        let told = world.told(&manifest).unwrap();
        let forecast = &told.probed.forecast;
        // Every key is accounted for by what both sides say.
        let live = world.json["data"].as_object().cloned().unwrap_or_default();
        for (key, value) in manifest["data"].as_object().unwrap() {
            let field = format!(".data.{key}");
            let differs = live.get(key) != Some(value);
            let is_active = forecast.active.iter().any(|it| it.field == field);
            prop_assert!(!is_active || differs, "{field}: {forecast:?}");
            if differs {
                let said = is_active || !forecast.drift.is_empty() || !forecast.active.is_empty();
                prop_assert!(said, "{field} differs and nobody says so: {forecast:?}");
            }
        }
        let set = told.probed.apply_set.unwrap();
        if let Some(adoption) = adopt(world.live().managed_fields(), &set, &managers(), at(9)).unwrap() {
            world.json["metadata"]["managedFields"] = Value::Array(adoption.wish);
        }
        let after = world.told(&manifest).unwrap().probed;
        prop_assert_eq!(&after.forecast.drops, &Vec::<String>::new());
        prop_assert_eq!(&after.forecast.active, &forecast.active);
        prop_assert_eq!(&after.apply_set.as_ref().unwrap().fields, &set.fields);
        prop_assert!(adopt(world.live().managed_fields(), &set, &managers(), at(9)).unwrap().is_none());
    }
}
