//! How much memory a fleet's forecast takes, on the way that `refit shadow` and `refit plan` go: `engine::plan::collect` over a
//! cluster of so many objects.
//!
//! `forecast_memory FILE COUNT`: FILE is written by `cargo xtask bench forecast` (`{"documents","objects":[{"body","live"}]}`), COUNT
//! objects are made of its samples under other names, ten a release. The cluster here holds nothing: it makes records and pages
//! when they are asked for, so that what the process holds is refit's. One JSON line on stdout.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use refit::cluster::{
    self, Access, ErrorKind, Kind, Pages, Reader, RecordHead, RecordScope, Rehearser,
};
use refit::domain::fleet::{Limits, Managers};
use refit::domain::ids::{ClusterName, Namespace, ResourceVersion, Uid};
use refit::domain::object::{LiveObject, ObjectRef};
use refit::domain::policy::Book;
use refit::domain::release::Driver;
use refit::engine::inventory::Scope;
use refit::engine::plan::{Collected, Planned, collect};
use refit::engine::ports::{Clock, Dice};
use serde_json::{Value, json};

/// As many as a chart of a small service has.
const OBJECTS_A_RELEASE: usize = 10;
/// Templates and values beside the manifest, as a record has them.
const CHART_BYTES: usize = 20_000;
/// Items of a page, as refit's own client asks for.
const PAGE: usize = 500;
const NAMESPACE: &str = "default";

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    // `cargo bench` and `cargo test --benches` pass flags of their own, and no file: nothing to do then.
    let [file, count, ..] = args.as_slice() else {
        return Ok(());
    };
    let world = Arc::new(World::read(file, count.parse()?)?);
    let base = memory("VmRSS:")?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let collected = runtime.block_on(forecast(&world))?;
    let objects = collected.candidates.iter().map(|it| &it.forecast.objects);
    let objects: Vec<_> = objects.flatten().collect();
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for object in &objects {
        *outcomes.entry(object.outcome.word()).or_default() += 1;
    }
    let line = json!({
        "objects": world.count, "releases": collected.candidates.len(), "forecasts": objects.len(),
        "outcomes": outcomes, "asked": collected.asked, "unread": collected.unread.len(),
        "base_mib": base, "peak_mib": memory("VmHWM:")?,
    });
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

async fn forecast(world: &Arc<World>) -> Result<Collected, Box<dyn Error>> {
    let managers = Managers {
        canonical: "helm".to_owned(),
        aliases: vec!["Go-http-client".to_owned()],
    };
    let planned = Planned {
        name: ClusterName::new("bench"),
        reader: Ok((Arc::clone(world) as _, Arc::clone(world) as _)),
        limits: Limits {
            writes_per_second: 1,
            in_flight: 8,
        },
        labels: BTreeMap::new(),
    };
    let scope = Scope {
        driver: Driver::Secret,
        namespaces: Vec::new(),
    };
    let (managers, book) = (managers.matcher()?, Book::default());
    let planned = [planned];
    Ok(
        collect(&planned, &scope, &managers, &book, &Still, &Still, &|_| {
            true
        })
        .await,
    )
}

/// In MiB, rounded up.
fn memory(line: &str) -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let found = status.lines().find_map(|it| it.strip_prefix(line));
    let kib = found.and_then(|text| text.split_whitespace().next());
    Ok(kib
        .ok_or("the kernel does not tell")?
        .parse::<u64>()?
        .div_ceil(1024))
}

struct Still;

impl Clock for Still {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
}

impl Dice for Still {
    fn word(&self, length: usize) -> String {
        "a".repeat(length)
    }
}

struct World {
    documents: BTreeMap<String, Value>,
    samples: Vec<(Value, Value)>,
    count: usize,
    chart: String,
}

impl World {
    fn read(file: &str, count: usize) -> Result<Self, Box<dyn Error>> {
        let mut input: Value = serde_json::from_slice(&std::fs::read(file)?)?;
        let documents = serde_json::from_value(input["documents"].take())?;
        let objects: Vec<Value> = serde_json::from_value(input["objects"].take())?;
        let samples = objects
            .into_iter()
            .map(|mut sample| (sample["body"].take(), sample["live"].take()))
            .filter(|(body, _)| body["metadata"]["name"] != "long-deployment")
            .collect();
        // Every third byte repeats none before it, so that it compresses as a chart does.
        let mut state = 1_u32;
        let chart: String = (0..CHART_BYTES)
            .map(|at| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if at % 3 == 0 {
                    char::from(b'a' + (state >> 28) as u8)
                } else {
                    'x'
                }
            })
            .collect();
        Ok(Self {
            documents,
            samples,
            count,
            chart,
        })
    }

    fn release_of(number: usize) -> String {
        format!("release-{}", number / OBJECTS_A_RELEASE)
    }

    fn sample(&self, number: usize) -> &(Value, Value) {
        &self.samples[number % self.samples.len()]
    }

    /// A sample as object `number`.
    fn named(number: usize, sample: &Value) -> Value {
        let mut object = sample.clone();
        object["metadata"]["name"] = json!(format!("object-{number}"));
        object["metadata"]["namespace"] = json!(NAMESPACE);
        object["metadata"]["annotations"]["meta.helm.sh/release-name"] =
            json!(Self::release_of(number));
        object
    }

    fn live(&self, number: usize) -> cluster::Result<LiveObject> {
        LiveObject::new(Self::named(number, &self.sample(number).1))
            .map_err(|error| failed(&error.to_string()))
    }

    fn of_kind(&self, api_version: &str, kind: &str) -> impl Iterator<Item = usize> {
        (0..self.count).filter(move |number| {
            let body = &self.sample(*number).0;
            body["apiVersion"] == api_version && body["kind"] == kind
        })
    }

    fn releases(&self) -> usize {
        self.count.div_ceil(OBJECTS_A_RELEASE)
    }

    fn head(name: &str) -> RecordHead {
        let status = ("status".to_owned(), "deployed".to_owned());
        RecordHead {
            namespace: Namespace::new(NAMESPACE),
            name: name.to_owned(),
            uid: Uid::new(name),
            resource_version: ResourceVersion::new("1"),
            labels: BTreeMap::from([status]),
            annotations: BTreeMap::new(),
        }
    }

    fn manifest(&self, release: usize) -> String {
        let from = release * OBJECTS_A_RELEASE;
        let numbers = from..(from + OBJECTS_A_RELEASE).min(self.count);
        let documents = numbers.map(|number| {
            let body = Self::named(number, &self.sample(number).0);
            format!("---\n# Source: shop/templates/object.yaml\n{body}\n")
        });
        documents.collect()
    }

    fn payload(&self, name: &str, release: usize) -> std::io::Result<String> {
        let record = json!({
            "name": name, "namespace": NAMESPACE, "version": 1,
            "info": {"status": "deployed", "last_deployed": "2026-03-01T00:30:00Z"},
            "chart": {"metadata": {"name": "shop", "version": "3.1.0"},
                "templates": [{"name": "templates/object.yaml", "data": STANDARD.encode(&self.chart)}]},
            "manifest": self.manifest(release),
        });
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(record.to_string().as_bytes())?;
        Ok(STANDARD.encode(STANDARD.encode(gzip.finish()?)))
    }
}

fn failed(why: &str) -> cluster::Error {
    cluster::Error {
        kind: ErrorKind::UnknownKind,
        code: 404,
        operation: "benchmark".to_owned(),
        message: why.to_owned(),
        retry_after: None,
        source: None,
    }
}

#[async_trait]
impl Reader for World {
    async fn version(&self) -> cluster::Result<String> {
        Ok("v1.36.0".to_owned())
    }

    async fn identity(&self) -> cluster::Result<String> {
        Ok("bench".to_owned())
    }

    async fn kinds(&self, _refresh: bool) -> cluster::Result<Vec<Kind>> {
        let kinds = self.samples.iter().map(|(body, _)| {
            let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
            let kind = text("kind");
            Kind {
                api_version: text("apiVersion"),
                plural: format!("{}s", kind.to_lowercase()),
                kind,
                namespaced: true,
                verbs: ["get", "list", "patch"].map(str::to_owned).to_vec(),
            }
        });
        Ok(kinds.collect())
    }

    async fn record_heads(&self, _: Driver, _: &RecordScope) -> cluster::Result<Vec<RecordHead>> {
        let names = (0..self.releases()).map(|it| format!("sh.helm.release.v1.release-{it}.v1"));
        Ok(names.map(|name| Self::head(&name)).collect())
    }

    async fn record(
        &self,
        _: Driver,
        namespace: &Namespace,
        name: &str,
    ) -> cluster::Result<Option<LiveObject>> {
        let release = name
            .strip_prefix("sh.helm.release.v1.")
            .and_then(|it| it.strip_suffix(".v1"));
        let release = release.ok_or_else(|| failed("no record's name"))?;
        let number = release
            .strip_prefix("release-")
            .and_then(|it| it.parse().ok());
        let number = number.ok_or_else(|| failed("no release's name"))?;
        let payload = self
            .payload(release, number)
            .map_err(|error| failed(&error.to_string()))?;
        let json = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
            "metadata": {"name": name, "namespace": namespace, "uid": name, "resourceVersion": "1",
                "labels": {"name": release, "owner": "helm", "status": "deployed", "version": "1"}},
            "data": {"release": payload},
        });
        Ok(Some(
            LiveObject::new(json).map_err(|error| failed(&error.to_string()))?,
        ))
    }

    async fn object(&self, _: &ObjectRef) -> cluster::Result<Option<LiveObject>> {
        Ok(None)
    }

    async fn objects(&self, api_version: &str, kind: &str) -> cluster::Result<Vec<LiveObject>> {
        self.of_kind(api_version, kind)
            .map(|number| self.live(number))
            .collect()
    }

    async fn visit(
        &self,
        api_version: &str,
        kind: &str,
        pages: &mut dyn Pages,
    ) -> cluster::Result<()> {
        let numbers: Vec<usize> = self.of_kind(api_version, kind).collect();
        for page in numbers.chunks(PAGE) {
            let lives = page.iter().map(|number| self.live(*number));
            pages.page(lives.collect::<cluster::Result<_>>()?);
        }
        Ok(())
    }

    async fn openapi_hashes(&self) -> cluster::Result<BTreeMap<String, String>> {
        let versions = self.documents.keys();
        Ok(versions
            .map(|version| (version.clone(), "1".to_owned()))
            .collect())
    }

    async fn openapi(&self, api_version: &str) -> cluster::Result<Option<Value>> {
        Ok(self.documents.get(api_version).cloned())
    }

    async fn may(&self, _: &Access) -> cluster::Result<bool> {
        Ok(true)
    }
}

/// Nothing here should have to ask.
#[async_trait]
impl Rehearser for World {
    async fn rehearse_apply(
        &self,
        _: &ObjectRef,
        _: &Value,
        _: &str,
        _: bool,
    ) -> cluster::Result<Value> {
        Err(failed("the forecast asked the server"))
    }

    async fn rehearse_patch(&self, _: &ObjectRef, _: &Value) -> cluster::Result<LiveObject> {
        Err(failed("the forecast asked the server"))
    }
}
