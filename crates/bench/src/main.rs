//! Measures how long the forecast takes: `bench speed FILE`; figures as JSON lines on stdout.
//!
//! FILE is written by `cargo xtask bench forecast`: `{"documents":{"<group-version>":<OpenAPI>},"objects":[{"body":<manifest>,
//! "live":<object>}]}`. Memory is measured by the program's own benchmark `forecast_memory`, on the way of `refit shadow`.
//!
//! `speed` measures, `cpu` reads the kernel's own accounts.

mod cpu;
mod speed;

use std::collections::BTreeMap;
use std::error::Error;

use domain_alone::domain::fleet::{ManagerMatcher, Managers};
use domain_alone::domain::object::{LiveObject, ObjectRef};
use domain_alone::domain::shadow::offline::{Api, Input, Told, forecast};
use serde_json::Value;

type Done = Result<(), Box<dyn Error>>;

/// What is measured.
struct World {
    documents: BTreeMap<String, Value>,
    apis: BTreeMap<String, Api>,
    managers: ManagerMatcher,
    objects: Vec<Sample>,
}

/// One object: its manifest, and as it is live.
struct Sample {
    object: ObjectRef,
    body: Value,
    live: LiveObject,
}

fn main() -> Done {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["speed", file] => speed::measure(&World::read(file)?),
        _ => Err("usage: bench speed FILE".into()),
    }
}

impl World {
    fn read(file: &str) -> Result<Self, Box<dyn Error>> {
        let mut input: Value = serde_json::from_slice(&std::fs::read(file)?)?;
        let documents: BTreeMap<String, Value> = serde_json::from_value(input["documents"].take())?;
        let apis = documents
            .iter()
            .map(|(version, document)| Ok((version.clone(), Api::read(version, document)?)))
            .collect::<Result<_, Box<dyn Error>>>()?;
        let samples: Vec<Value> = serde_json::from_value(input["objects"].take())?;
        let objects = samples
            .into_iter()
            .map(|mut sample| Sample::new(sample["body"].take(), sample["live"].take()))
            .collect::<Result<_, _>>()?;
        let managers = Managers {
            canonical: "helm".to_owned(),
            aliases: vec!["Go-http-client".to_owned()],
        };
        Ok(Self {
            documents,
            apis,
            managers: managers.matcher()?,
            objects,
        })
    }

    /// The forecast of an object. An unknown one is an error: a benchmark of refusals would be a fast one.
    fn forecast(&self, sample: &Sample) -> Result<Told, Box<dyn Error>> {
        let api = self
            .apis
            .get(&sample.object.api_version)
            .ok_or("an object has no OpenAPI document")?;
        Ok(forecast(&Input {
            object: &sample.object,
            body: &sample.body,
            live: &sample.live,
            api,
            managers: &self.managers,
        })?)
    }
}

impl Sample {
    fn new(body: Value, live: Value) -> Result<Self, Box<dyn Error>> {
        let text = |pointer| body.pointer(pointer).and_then(Value::as_str);
        let object = ObjectRef {
            api_version: text("/apiVersion").unwrap_or_default().to_owned(),
            kind: text("/kind").unwrap_or_default().to_owned(),
            namespace: text("/metadata/namespace").map(Into::into),
            name: text("/metadata/name").unwrap_or_default().to_owned(),
        };
        let live = LiveObject::new(live)?;
        Ok(Self { object, body, live })
    }
}
