//! A control plane with all that lives need of it: kinds, schemas, addresses.

use std::time::{Duration, Instant};

use managed_fields::{Kind, Schema};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use testbed::api::Answer;
use testbed::{Api, ControlPlane, Error, Options};

use super::palette::{self, Palette};

/// Custom resources with each list and map type: one with two versions and all subresources, one with none.
const CRDS: &str = include_str!("crds.json");
const CRD_PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/// Beyond what a busy machine needs to publish a CRD's schema.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct World {
    plane: ControlPlane,
    pub ranges: Vec<Range>,
}

/// A kind on that control plane.
pub struct Range {
    pub palette: Palette,
    pub schema: Schema,
    /// Where its OpenAPI documents are.
    pub openapi: Vec<String>,
    /// What is under `components.schemas` in them.
    pub models: Map<String, Value>,
}

/// A request to the server.
pub struct Request<'a> {
    pub method: &'static str,
    /// With a leading slash.
    pub path: String,
    pub manager: &'a str,
    pub force: bool,
    pub content_type: &'static str,
    pub body: Value,
}

impl World {
    /// Starts etcd and an API server, without controllers: nobody else writes.
    pub fn start() -> Result<Self, Error> {
        let plane = ControlPlane::start(Options::new("differential").api_only())?;
        let api = plane.api();
        let crds: Vec<Value> = serde_json::from_str(CRDS).unwrap();
        for crd in &crds {
            api.post(CRD_PATH, crd)?;
        }
        let ranges = palette::all()
            .into_iter()
            .map(|palette| Range::load(api, palette))
            .collect::<Result<_, _>>()?;
        Ok(Self { plane, ranges })
    }

    pub fn api(&self) -> &Api {
        self.plane.api()
    }

    /// Sends a request; as a dry run it changes nothing.
    pub fn send(&self, request: &Request<'_>, dry: bool) -> Answer {
        let mut path = format!(
            "{}?fieldManager={}",
            request.path,
            utf8_percent_encode(request.manager, NON_ALPHANUMERIC)
        );
        if request.force {
            path.push_str("&force=true");
        }
        if dry {
            path.push_str("&dryRun=All");
        }
        let body = plain(&request.body);
        self.api()
            .send(request.method, &path, request.content_type, body.as_bytes())
            .unwrap_or_else(|error| panic!("the server is gone: {error:?}"))
    }
}

impl Range {
    fn load(api: &Api, palette: Palette) -> Result<Self, Error> {
        let root = |version: &str| match version {
            "v1" => "/api/v1".to_owned(),
            version => format!("/apis/{version}"),
        };
        let mut openapi = vec![format!("/openapi/v3{}", root(palette.api_version))];
        if palette.kind == "Widget" {
            openapi.push(format!("/openapi/v3{}", root("example.dev/v1beta1")));
        }
        if palette.scales.is_some() {
            openapi.push("/openapi/v3/apis/autoscaling/v1".to_owned());
        }
        let kind = Kind::new(palette.api_version, palette.kind);
        let start = Instant::now();
        loop {
            let documents: Result<Vec<Value>, Error> =
                openapi.iter().map(|path| api.get(path)).collect();
            if let Ok(documents) = &documents {
                let schema = Schema::from_openapi(documents).unwrap();
                if schema.kinds().any(|known| *known == kind) {
                    let mut models = Map::new();
                    for document in documents {
                        let schemas = document["components"]["schemas"].as_object().unwrap();
                        models.extend(schemas.clone());
                    }
                    return Ok(Self {
                        palette,
                        schema,
                        openapi,
                        models,
                    });
                }
            }
            if start.elapsed() > PATIENCE {
                documents?;
                return Err(Error::Misuse(format!("no schema of {kind} was published")));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The address of all objects of the kind at a version.
    pub fn collection(&self, api_version: &str) -> String {
        let root = match api_version {
            "v1" => "/api/v1".to_owned(),
            version => format!("/apis/{version}"),
        };
        match self.palette.kind {
            "ClusterRole" => format!("{root}/{}", self.palette.plural),
            _ => format!("{root}/namespaces/default/{}", self.palette.plural),
        }
    }

    /// The model of the kind at a version.
    pub fn model(&self, kind: &Kind) -> &Value {
        let is_it = |model: &Value| {
            let kinds = model["x-kubernetes-group-version-kind"].as_array();
            kinds.into_iter().flatten().any(|k| {
                k["group"] == kind.group.as_str()
                    && k["version"] == kind.version.as_str()
                    && k["kind"] == kind.kind.as_str()
            })
        };
        self.models.values().find(|model| is_it(model)).unwrap()
    }
}

/// The JSON text of a value in ASCII. The server reads an applied configuration as YAML, where some characters may only stand as escapes.
fn plain(value: &Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        match c {
            ' '..='~' => out.push(c),
            c => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|unit| out.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    out
}
