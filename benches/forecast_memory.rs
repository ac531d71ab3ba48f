//! How much memory a fleet's forecast takes, on the way that `refit shadow` goes: `engine::plan::collect` over a cluster of so many
//! objects, and then its screen, as a table and as JSON.
//!
//! `forecast_memory FILE COUNT`: FILE is written by `cargo xtask bench forecast` (`{"documents","objects":[{"body","live"}]}`), COUNT
//! objects are made of its samples under other names, ten a release, of which each has a history of ten revisions, a chart and a
//! hook. The cluster here holds nothing: it makes records and pages when they are asked for, and reads them from text as a client
//! does, so that what the process holds is refit's. One JSON line on stdout.

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
use refit::render::screen::shadow::ShadowScreen;
use refit::render::{Format, Frame, format};
use serde_json::{Value, json};

/// As many as a chart of a small service has.
const OBJECTS_A_RELEASE: usize = 10;
/// As many as Helm keeps (`--history-max`).
const REVISIONS: usize = 10;
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
    let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
    let collected = runtime.block_on(forecast(&world))?;
    let forecast_peak = memory("VmHWM:")?;
    let held = memory("VmRSS:")?;
    let objects = collected.candidates.iter().map(|it| &it.forecast.objects);
    let objects: Vec<_> = objects.flatten().collect();
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for object in &objects {
        *outcomes.entry(object.outcome.word()).or_default() += 1;
    }
    let table = shown(&collected, Format::Table)?;
    let table_peak = memory("VmHWM:")?;
    let json = shown(&collected, Format::Json)?;
    let line = json!({
        "objects": world.count, "releases": collected.candidates.len(), "forecasts": objects.len(),
        "outcomes": outcomes, "asked": collected.asked, "unread": collected.unread.len(),
        "base_mib": base, "held_mib": held, "forecast_peak_mib": forecast_peak, "table_peak_mib": table_peak,
        "peak_mib": memory("VmHWM:")?, "table_bytes": table, "json_bytes": json,
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

/// Makes the screen and the text of it, as the verb does. Bytes of the text.
fn shown(collected: &Collected, form: Format) -> Result<usize, Box<dyn Error>> {
    let screen = ShadowScreen {
        fleet: "bench",
        taken_at: Still.now(),
        releases: &collected.candidates,
        unread: &BTreeMap::new(),
        clusters: 1,
        from: None,
        causes: &BTreeMap::new(),
        dry_runs: collected.dry_runs,
        asked: collected.asked,
        confirmed: None,
        now: Still.now(),
        took: jiff::SignedDuration::ZERO,
        tool: "0",
    };
    let printed = screen
        .document()
        .print(form, None, &Frame::PIPE, &Frame::PIPE)?;
    Ok(printed.stdout.len())
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
        if object["metadata"].get("uid").is_some() {
            object["metadata"]["uid"] = json!(uid(number));
        }
        object["metadata"]["annotations"]["meta.helm.sh/release-name"] =
            json!(Self::release_of(number));
        object
    }

    /// Objects as a page of a list has them.
    fn lives(&self, numbers: &[usize]) -> cluster::Result<Vec<LiveObject>> {
        let items: Vec<Value> = numbers
            .iter()
            .map(|&number| Self::named(number, &self.sample(number).1))
            .collect();
        parsed::<Vec<Value>>(&json!(items).to_string())?
            .into_iter()
            .map(|item| LiveObject::new(item).map_err(|error| failed(&error.to_string())))
            .collect()
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

    fn head(release: &str, revision: usize) -> RecordHead {
        let (name, labels) = (object_name(release, revision), labels(release, revision));
        RecordHead {
            namespace: Namespace::new(NAMESPACE),
            uid: Uid::new(uid(revision)),
            resource_version: ResourceVersion::new("1234567"),
            name,
            labels,
            annotations: BTreeMap::new(),
        }
    }

    fn manifest(&self, release: usize) -> Result<String, format::YamlError> {
        let from = release * OBJECTS_A_RELEASE;
        let numbers = from..(from + OBJECTS_A_RELEASE).min(self.count);
        let documents = numbers.map(|number| {
            let body = format::yaml(&Self::named(number, &self.sample(number).0))?;
            Ok(format!("---\n# Source: shop/templates/object.yaml\n{body}"))
        });
        documents.collect()
    }

    fn payload(&self, name: &str, release: usize) -> Result<String, Box<dyn Error>> {
        let hook = format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}-test\nspec:\n  containers: []\n"
        );
        let record = json!({
            "name": name, "namespace": NAMESPACE, "version": REVISIONS,
            "info": {"status": "deployed", "last_deployed": "2026-03-01T00:30:00Z"},
            "chart": {"metadata": {"name": "shop", "version": "3.1.0"},
                "templates": [{"name": "templates/object.yaml", "data": STANDARD.encode(&self.chart)}]},
            "manifest": self.manifest(release)?,
            "hooks": [{"name": format!("{name}-test"), "kind": "Pod", "path": "shop/templates/test.yaml", "events": ["test"], "manifest": hook}],
        });
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(record.to_string().as_bytes())?;
        Ok(STANDARD.encode(STANDARD.encode(gzip.finish()?)))
    }
}

fn object_name(release: &str, revision: usize) -> String {
    format!("sh.helm.release.v1.{release}.v{revision}")
}

fn uid(number: usize) -> String {
    format!("0b0c7a52-41d5-4fd9-9cb6-{number:012}")
}

/// Helm's labels of a record.
fn labels(release: &str, revision: usize) -> BTreeMap<String, String> {
    let status = if revision == REVISIONS {
        "deployed"
    } else {
        "superseded"
    };
    let revision = revision.to_string();
    [
        ("modifiedAt", "1772325000"),
        ("name", release),
        ("owner", "helm"),
        ("status", status),
        ("version", &revision),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

fn parsed<T: serde::de::DeserializeOwned>(text: &str) -> cluster::Result<T> {
    serde_json::from_str(text).map_err(|error| failed(&error.to_string()))
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
        let heads = (0..self.releases()).flat_map(|release| {
            (1..=REVISIONS).map(move |it| Self::head(&format!("release-{release}"), it))
        });
        Ok(heads.collect())
    }

    async fn record(
        &self,
        _: Driver,
        namespace: &Namespace,
        name: &str,
    ) -> cluster::Result<Option<LiveObject>> {
        let release = name
            .strip_prefix("sh.helm.release.v1.")
            .and_then(|it| it.rsplit_once(".v"));
        let (release, _) = release.ok_or_else(|| failed("no record's name"))?;
        let number = release
            .strip_prefix("release-")
            .and_then(|it| it.parse().ok());
        let number = number.ok_or_else(|| failed("no release's name"))?;
        let payload = self
            .payload(release, number)
            .map_err(|error| failed(&error.to_string()))?;
        let fields = json!({
            "f:data": {".": {}, "f:release": {}}, "f:type": {},
            "f:metadata": {"f:labels": {".": {}, "f:modifiedAt": {}, "f:name": {}, "f:owner": {}, "f:status": {}, "f:version": {}}},
        });
        let json = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
            "metadata": {"name": name, "namespace": namespace, "uid": uid(number), "resourceVersion": "1234567",
                "creationTimestamp": "2026-03-01T00:30:00Z", "labels": labels(release, REVISIONS),
                "managedFields": [{"apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields, "manager": "helm",
                    "operation": "Update", "time": "2026-03-01T00:30:00Z"}]},
            "data": {"release": payload},
        });
        let live = LiveObject::new(parsed(&json.to_string())?);
        Ok(Some(live.map_err(|error| failed(&error.to_string()))?))
    }

    async fn object(&self, _: &ObjectRef) -> cluster::Result<Option<LiveObject>> {
        Ok(None)
    }

    async fn objects(&self, api_version: &str, kind: &str) -> cluster::Result<Vec<LiveObject>> {
        self.lives(&self.of_kind(api_version, kind).collect::<Vec<_>>())
    }

    async fn visit(
        &self,
        api_version: &str,
        kind: &str,
        pages: &mut dyn Pages,
    ) -> cluster::Result<()> {
        let numbers: Vec<usize> = self.of_kind(api_version, kind).collect();
        for page in numbers.chunks(PAGE) {
            pages.page(self.lives(page)?);
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
