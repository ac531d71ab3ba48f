//! What may stand in an object of a kind, so that most of what is made of it gets past the server's validation.
//!
//! A palette is a text file: `PLACE = [values]` is one of them at a time, `base PLACE = value` is in every whole
//! configuration, `wrong PLACE = [values]` does not fit the schema. `apply PLACE = [values]` stands in applied configurations alone:
//! empty values that Go's structs keep apart from absent ones until they are stored, so that an update's answer does not show what
//! ownership was computed from. Places under `status` go to the status subresource.

use serde_json::{Value, json};

use super::at::Place;
use crate::rng::Rng;
use crate::shrink;

const META: &str = include_str!("palettes/meta.txt");
const POD: &str = include_str!("palettes/pod.txt");

/// One kind of object that lives are made of.
#[derive(Debug)]
pub struct Palette {
    /// `apps/v1`
    pub api_version: &'static str,
    pub kind: &'static str,
    /// In URLs.
    pub plural: &'static str,
    /// Whether `/status` is there.
    pub has_status: bool,
    /// Whether `/scale` is there, and what it scales: fields below the root.
    pub scales: Option<[&'static str; 2]>,
    base: Vec<(Place, Value)>,
    choices: Vec<(Place, Vec<Value>)>,
    status: Vec<(Place, Vec<Value>)>,
    wrong: Vec<(Place, Vec<Value>)>,
    applied: Vec<(Place, Vec<Value>)>,
}

/// All palettes.
pub fn all() -> Vec<Palette> {
    let of = |api_version, kind, plural, has_status, text| {
        let scales = None;
        let (base, choices, status, wrong, applied) = Default::default();
        let mut palette = Palette {
            api_version,
            kind,
            plural,
            has_status,
            scales,
            base,
            choices,
            status,
            wrong,
            applied,
        };
        palette.read(META, "");
        palette.read(text, "");
        palette
    };
    let rbac = "rbac.authorization.k8s.io/v1";
    let mut deployment = of(
        "apps/v1",
        "Deployment",
        "deployments",
        true,
        include_str!("palettes/deployment.txt"),
    );
    let mut stateful = of(
        "apps/v1",
        "StatefulSet",
        "statefulsets",
        true,
        include_str!("palettes/statefulset.txt"),
    );
    for workload in [&mut deployment, &mut stateful] {
        workload.read(POD, "spec.template");
        workload.scales = Some(["spec", "replicas"]);
    }
    let mut widget = of(
        "example.dev/v1",
        "Widget",
        "widgets",
        true,
        include_str!("palettes/widget.txt"),
    );
    widget.scales = Some(["spec", "size"]);
    vec![
        deployment,
        stateful,
        widget,
        of(
            "example.dev/v1",
            "Gadget",
            "gadgets",
            false,
            include_str!("palettes/gadget.txt"),
        ),
        of(
            "v1",
            "Service",
            "services",
            true,
            include_str!("palettes/service.txt"),
        ),
        of(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            "horizontalpodautoscalers",
            true,
            include_str!("palettes/hpa.txt"),
        ),
        of(
            "networking.k8s.io/v1",
            "Ingress",
            "ingresses",
            true,
            include_str!("palettes/ingress.txt"),
        ),
        of(
            "v1",
            "ConfigMap",
            "configmaps",
            false,
            include_str!("palettes/configmap.txt"),
        ),
        of(
            "v1",
            "Secret",
            "secrets",
            false,
            include_str!("palettes/secret.txt"),
        ),
        of(
            rbac,
            "Role",
            "roles",
            false,
            include_str!("palettes/role.txt"),
        ),
        of(
            rbac,
            "ClusterRole",
            "clusterroles",
            false,
            include_str!("palettes/clusterrole.txt"),
        ),
        of(
            rbac,
            "RoleBinding",
            "rolebindings",
            false,
            include_str!("palettes/rolebinding.txt"),
        ),
    ]
}

impl Palette {
    fn read(&mut self, text: &str, prefix: &str) {
        for line in text.lines() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (place, values) = line.split_once(" = ").unwrap();
            let values: Value =
                serde_json::from_str(values).unwrap_or_else(|e| panic!("{line}: {e}"));
            let (sort, place) = place.rsplit_once(' ').unwrap_or(("", place));
            let place = Place::parse(place).below(prefix);
            if sort == "base" {
                self.base.push((place, values));
                continue;
            }
            let Value::Array(values) = values else {
                panic!("no list of values: {line}")
            };
            let list = match (sort, place.root()) {
                ("wrong", _) => &mut self.wrong,
                ("apply", _) => &mut self.applied,
                (_, "status") => &mut self.status,
                _ => &mut self.choices,
            };
            list.push((place, values));
        }
    }

    /// Only what must be there.
    pub fn skeleton(&self, api_version: &str, name: &str) -> Value {
        json!({"apiVersion": api_version, "kind": self.kind, "metadata": {"name": name}})
    }

    /// Writes what a whole object must have.
    pub fn complete(&self, object: &mut Value) {
        for (place, value) in &self.base {
            place.set(object, value.clone());
        }
    }

    /// Sets so many things.
    pub fn paint(&self, rng: &mut Rng, object: &mut Value, n: usize) {
        for _ in 0..n {
            let (place, values) = rng.pick(&self.choices);
            place.set(object, rng.pick(values).clone());
        }
    }

    /// Sets so many things in a configuration to apply.
    pub fn paint_config(&self, rng: &mut Rng, object: &mut Value, n: usize) {
        self.paint(rng, object, n);
        if !self.applied.is_empty() && n > 0 && rng.chance(15) {
            let (place, values) = rng.pick(&self.applied);
            place.set(object, rng.pick(values).clone());
        }
    }

    /// Sets something in the status.
    pub fn paint_status(&self, rng: &mut Rng, object: &mut Value, n: usize) {
        for _ in 0..n {
            if self.status.is_empty() {
                return;
            }
            let (place, values) = rng.pick(&self.status);
            place.set(object, rng.pick(values).clone());
        }
    }

    /// Sets something that does not fit the schema.
    pub fn smear(&self, rng: &mut Rng, object: &mut Value) {
        let (place, values) = rng.pick(&self.wrong);
        place.set(object, rng.pick(values).clone());
    }

    /// Takes one of the things out that may be there.
    pub fn wipe(&self, rng: &mut Rng, object: &mut Value, n: usize) {
        for _ in 0..n {
            rng.pick(&self.choices).0.remove(object);
        }
    }

    /// Takes out something that is there, wherever it is.
    pub fn scratch(rng: &mut Rng, object: &mut Value) {
        let mut places = shrink::places(object);
        let named = [
            "/apiVersion",
            "/kind",
            "/metadata",
            "/metadata/name",
            "/metadata/uid",
        ];
        places.retain(|place| !named.contains(&place.as_str()));
        if !places.is_empty() {
            let place: &String = rng.pick(&places);
            shrink::take(object, place);
        }
    }
}
