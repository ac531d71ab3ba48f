//! Custom resources: schemas of all shapes, versions that go, operators that write.

use serde_json::{Value, json};

use super::case::Case;
use super::converter;
use super::site::Site;

/// One version that is served and stored, with this schema of `spec`.
macro_rules! spec {
    ($case:literal, $spec:literal) => {
        crd!(
            $case,
            concat!(
                "  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {",
                $spec,
                "}}}}}}\n"
            )
        )
    };
}

/// Two versions that are served; v1 is stored. The schemas of `spec` are the older's and the newer's.
macro_rules! versions {
    ($case:literal, $older:literal, $newer:literal) => {
        crd!(
            $case,
            concat!(
                "  - {name: v1alpha1, served: true, storage: false, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {",
                $older,
                "}}}}}}\n  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {",
                $newer,
                "}}}}}}\n"
            )
        )
    };
}

macro_rules! thing {
    ($case:literal, $version:literal, $spec:literal) => {
        concat!(
            "apiVersion: ",
            $case,
            ".example/",
            $version,
            "\nkind: Thing\nmetadata: {name: it}\nspec: {",
            $spec,
            "}\n"
        )
    };
}

const IN_CRDS: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: beside}\ndata: {a: {{ .Values.value }}}\n";

const CRD_FILE: &str = spec!("cr-folder", "a: {type: string}");

const IN_TEMPLATES: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.cr-template.example, labels: {a: "{{ .Values.value }}"}}
spec:
  group: cr-template.example
  scope: Cluster
  names: {plural: things, singular: thing, kind: Thing, shortNames: [], categories: []}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
status: {acceptedNames: {kind: "", plural: ""}, conditions: [], storedVersions: []}
"#;

const SHAPES_CRD: &str = crd!(
    "cr-shapes",
    "  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              a: {type: string}
              nullable: {type: string, nullable: true}
              defaulted: {type: integer, default: 5}
              atomic: {type: object, x-kubernetes-map-type: atomic, additionalProperties: {type: string}}
              items: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [name], items: {type: object, required: [name], properties: {name: {type: string}, v: {type: integer}}}}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
"
);

const SHAPES: &str = r#"
apiVersion: cr-shapes.example/v1
kind: Thing
metadata: {name: full}
spec:
  a: "{{ .Values.value }}"
  nullable: null
  defaulted: null
  atomic: {x: "1", y: "2"}
  items: [{name: one, v: 1}, {name: two}]
  free: {deep: {x: null, y: [1, null]}, z: {}}
status: {phase: Ready}
---
apiVersion: cr-shapes.example/v1
kind: Thing
metadata: {name: empty}
spec: {}
"#;

const NULL: &str =
    "apiVersion: cr-null.example/v1\nkind: Thing\nmetadata: {name: it}\nspec: {a: null, b: x}\n";

const UNKNOWN: &str = "apiVersion: cr-unknown.example/v1\nkind: Thing\nmetadata: {name: it}\nspec: {a: x, nobody-knows: x}\n";

const STATUS: &str = "apiVersion: cr-status.example/v1\nkind: Thing\nmetadata: {name: it}\nspec: {a: x}\nstatus: {phase: New}\n";

const STATUS_CRD: &str = crd!(
    "cr-status",
    "  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {a: {type: string}}}, status: {type: object, properties: {phase: {type: string}}}}}}}\n"
);

/// A path of the case's one object.
fn it(site: &Site<'_>, version: &str) -> String {
    site.group(&format!("{}.example/{version}", site.name), "things/it")
}

fn crd_path(site: &Site<'_>) -> String {
    format!(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{}.example",
        site.name
    )
}

/// Changes the schema of the spec, and waits until the server works by it: a canary that is written without being stored.
fn new_schema(site: &Site<'_>, property: &str, schema: &Value) {
    let path =
        format!("/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/{property}");
    let patch = if schema.is_null() {
        json!([{ "op": "remove", "path": path }])
    } else {
        json!([{ "op": "add", "path": path, "value": schema }])
    };
    site.api().json_patch(&crd_path(site), &patch).unwrap();
    let group = format!("{}.example/v1", site.name);
    let canary = json!({
        "apiVersion": group, "kind": "Thing", "metadata": { "name": "canary" }, "spec": { property: "old" },
    });
    let path = format!(
        "{}?dryRun=All&fieldValidation=Strict",
        site.group(&group, "things")
    );
    site.until("the new schema", || {
        site.api().post(&path, &canary).is_err()
    });
}

const VALUE: &str = thing!("cr-repaired-stored", "v1", "a: \"{{ .Values.value }}\"");

/// Makes v1 the version that is stored, and says that nothing is stored in another any more.
fn stored_as_v1(site: &Site<'_>) {
    let store = |version: usize, stored: bool| json!({ "op": "replace", "path": format!("/spec/versions/{version}/storage"), "value": stored });
    let patch = json!([store(0, false), store(1, true)]);
    site.api().json_patch(&crd_path(site), &patch).unwrap();
    let stored = json!({ "status": { "storedVersions": ["v1"] } });
    let path = format!("{}/status", crd_path(site));
    site.until("v1 as the only stored version", || {
        let said = site.api().merge_patch(&path, &stored);
        said.is_ok_and(|it| it["status"]["storedVersions"] == json!(["v1"]))
    });
}

/// Takes the older version away.
fn only_v1(site: &Site<'_>) {
    let patch = json!([
        { "op": "test", "path": "/spec/versions/0/name", "value": "v1alpha1" },
        { "op": "remove", "path": "/spec/versions/0" },
    ]);
    site.api().json_patch(&crd_path(site), &patch).unwrap();
    let older = it(site, "v1alpha1");
    site.until("the end of v1alpha1", || site.api().get(&older).is_err());
}

fn by_operator(site: &Site<'_>, version: &str, patch: &Value) {
    site.patched_by("operator", &it(site, version), patch);
}

fn convert_at(site: &Site<'_>, port: u16) {
    let patch = json!([{ "op": "add", "path": "/spec/conversion", "value": converter::conversion(site.plane, port) }]);
    site.api().json_patch(&crd_path(site), &patch).unwrap();
}

/// By the webhook, from the start.
fn converting(site: &Site<'_>) {
    convert_at(site, converter::port(site.plane));
    let group = format!("{}.example", site.name);
    let canary = json!({
        "apiVersion": format!("{group}/v1alpha1"), "kind": "Thing", "metadata": { "name": "canary" }, "spec": { "old": "x" },
    });
    let path = format!("/apis/{group}/v1alpha1/namespaces/default/things?dryRun=All");
    site.until("the conversion", || {
        let answer = site.api().post(&path, &canary);
        answer.is_ok_and(|it| it["spec"]["old"] == "x")
    });
}

pub const CASES: &[Case] = &[
    Case::new("cr-folder", IN_CRDS)
        .prepare(|site| site.chart_file("crds/all.yaml", CRD_FILE))
        .afterwards(|site| assert_eq!(site.managers(&crd_path(site)), ["helm/Update"])),
    Case::new("cr-template", IN_TEMPLATES),
    Case::new("cr-shapes", SHAPES).crds(SHAPES_CRD),
    Case::new("cr-null", NULL)
        .crds(spec!("cr-null", "a: {type: string}, b: {type: string}"))
        .held(&["invalid-manifest"]),
    Case::new("cr-unknown", UNKNOWN)
        .crds(spec!("cr-unknown", "a: {type: string}"))
        .install(|site| site.install(&["--disable-openapi-validation"]))
        .held(&["invalid-manifest"]),
    Case::new("cr-status", STATUS)
        .crds(STATUS_CRD)
        .drift(|site| by_operator(site, "v1", &json!({ "status": { "phase": "Ready" } })))
        .held(&["active-conflict"]),
    Case::new("cr-versions", thing!("cr-versions", "v1alpha1", "a: x"))
        .crds(versions!(
            "cr-versions",
            "a: {type: string}",
            "a: {type: string}"
        ))
        .drift(|site| {
            site.template(thing!("cr-versions", "v1", "a: late"));
            site.upgrade3(&[]);
        })
        .afterwards(|site| {
            assert_eq!(site.managers(&it(site, "v1")), ["helm/Apply"]);
            site.template(thing!("cr-versions", "v1alpha1", "a: z"));
            let done = site.upgrade4(&[]);
            assert!(done.success, "{}", done.stderr);
        }),
    Case::new("cr-webhook-up", thing!("cr-webhook-up", "v1", "a: x"))
        .crds(versions!(
            "cr-webhook-up",
            "old: {type: string}, b: {type: string}",
            "a: {type: string}, b: {type: string}"
        ))
        .prepare(converting)
        .drift(|site| by_operator(site, "v1alpha1", &json!({ "spec": { "b": "theirs" } }))),
    Case::new("cr-webhook-down", thing!("cr-webhook-down", "v1", "a: x"))
        .crds(versions!(
            "cr-webhook-down",
            "old: {type: string}, b: {type: string}",
            "a: {type: string}, b: {type: string}"
        ))
        .prepare(converting)
        .drift(|site| {
            by_operator(site, "v1alpha1", &json!({ "spec": { "b": "theirs" } }));
            convert_at(site, converter::DOWN);
            let older = it(site, "v1alpha1");
            site.until("the end of the webhook", || site.api().get(&older).is_err());
        })
        .held(&["unknown"]),
    Case::new(
        "cr-webhook-unread",
        thing!("cr-webhook-unread", "v1alpha1", "old: x"),
    )
    .crds(versions!(
        "cr-webhook-unread",
        "old: {type: string}, b: {type: string}",
        "a: {type: string}, b: {type: string}"
    ))
    .prepare(converting)
    .drift(|site| {
        convert_at(site, converter::DOWN);
        let older = it(site, "v1alpha1");
        site.until("the end of the webhook", || site.api().get(&older).is_err());
    })
    .held(&["unknown"]),
    Case::new("cr-storage", thing!("cr-storage", "v1alpha1", "a: x")).crds(versions!(
        "cr-storage",
        "a: {type: string}",
        "a: {type: string}, added: {type: string, default: x}"
    )),
    Case::new("cr-gone", thing!("cr-gone", "v1", "a: x, gone: old"))
        .crds(spec!("cr-gone", "a: {type: string}, gone: {type: string}"))
        .drift(|site| new_schema(site, "gone", &Value::Null))
        .held(&["invalid-manifest"]),
    Case::new("cr-tight", thing!("cr-tight", "v1", "a: old"))
        .crds(spec!("cr-tight", "a: {type: string}"))
        .drift(|site| new_schema(site, "a", &json!({ "type": "string", "enum": ["new"] }))),
    Case::new("cr-operator", thing!("cr-operator", "v1", "a: x, b: z"))
        .crds(spec!("cr-operator", "a: {type: string}, b: {type: string}"))
        .drift(|site| by_operator(site, "v1", &json!({ "spec": { "a": "operator's" } })))
        .held(&["active-conflict"]),
    Case::new("cr-drift", thing!("cr-drift", "v1", "a: x, b: z"))
        .crds(spec!("cr-drift", "a: {type: string}, b: {type: string}"))
        .drift(|site| {
            by_operator(site, "v1", &json!({ "spec": { "a": "operator's" } }));
            site.owners(&it(site, "v1"), |entries| {
                entries.retain(|entry| entry["manager"] != "operator");
            });
        })
        .held(&["custom-resource-drift"]),
    Case::new("cr-dead-foreign", thing!("cr-dead-foreign", "v1", "a: x"))
        .crds(versions!(
            "cr-dead-foreign",
            "a: {type: string}, b: {type: string}",
            "a: {type: string}, b: {type: string}"
        ))
        .drift(|site| {
            by_operator(site, "v1alpha1", &json!({ "spec": { "b": "z" } }));
            only_v1(site);
        })
        .held(&["dead-entries"]),
    Case::new("cr-dead-own", thing!("cr-dead-own", "v1alpha1", "a: x"))
        .crds(versions!(
            "cr-dead-own",
            "a: {type: string}",
            "a: {type: string}"
        ))
        .drift(|site| {
            site.template(thing!("cr-dead-own", "v1", "a: late"));
            site.upgrade3(&[]);
            only_v1(site);
        })
        .held(&["dead-entries"]),
    Case::new("cr-misfit", thing!("cr-misfit", "v1", "a: x"))
        .crds(versions!(
            "cr-misfit",
            "a: {type: string}, b: {type: string}",
            "a: {type: string}, b: {type: string}, added: {type: string, default: x}"
        ))
        .drift(|site| by_operator(site, "v1alpha1", &json!({ "spec": { "b": "z" } })))
        .held(&["misfit-entries"]),
    Case::new("cr-repaired-stored", thing!("cr-repaired-stored", "v1alpha1", "a: x"))
        .crds(crd!(
            "cr-repaired-stored",
            concat!(
                "  - {name: v1alpha1, served: true, storage: true, subresources: {status: {}}, schema: &s {openAPIV3Schema: {type: object, properties: {",
                "spec: {type: object, properties: {a: {type: string}, b: {type: string}}}, status: {type: object, properties: {phase: {type: string}}}}}}}\n",
                "  - {name: v1, served: true, storage: false, subresources: {status: {}}, schema: *s}\n"
            )
        ))
        .drift(|site| {
            by_operator(site, "v1alpha1", &json!({ "spec": { "b": "theirs" } }));
            let status = format!("{}/status", it(site, "v1alpha1"));
            site.patched_by("operator", &status, &json!({ "status": { "phase": "Ready" } }));
            stored_as_v1(site);
            site.template(VALUE);
            site.upgrade3(&[]);
            only_v1(site);
        })
        .noted(&["repair"])
        .unrestored(
            &[
                "helm (Update, cr-repaired-stored.example/v1alpha1)",
                "operator (Update, cr-repaired-stored.example/v1alpha1)",
                "operator/status (Update, cr-repaired-stored.example/v1alpha1)",
            ],
            |site| assert_eq!(site.managers(&it(site, "v1")), ["helm/Apply", "operator/Update"]),
        )
        .afterwards(|site| {
            // Whoever writes now writes one field, and wipes nothing.
            by_operator(site, "v1", &json!({ "spec": { "b": "again" } }));
            let entries = ["helm/Apply", "operator/Update"];
            assert_eq!(site.managers(&it(site, "v1")), entries);
        }),
    Case::new("cr-repaired-own", thing!("cr-repaired-own", "v1alpha1", "a: x"))
        .crds(versions!(
            "cr-repaired-own",
            "a: {type: string}",
            "a: {type: string}"
        ))
        .drift(|site| {
            site.template(thing!("cr-repaired-own", "v1", "a: late"));
            site.upgrade3(&[]);
            only_v1(site);
        })
        .noted(&["repair"])
        .unrestored(
            &["helm (Update, cr-repaired-own.example/v1alpha1)"],
            |site| assert_eq!(site.managers(&it(site, "v1")), ["helm/Apply"]),
        ),
    // No longer served, but the definition still has it: the server converts.
    Case::new("cr-retired", thing!("cr-retired", "v1", "a: x"))
        .crds(versions!(
            "cr-retired",
            "a: {type: string}, b: {type: string}",
            "a: {type: string}, b: {type: string}"
        ))
        .drift(|site| {
            by_operator(site, "v1alpha1", &json!({ "spec": { "b": "z" } }));
            let patch = json!([{ "op": "replace", "path": "/spec/versions/0/served", "value": false }]);
            site.api().json_patch(&crd_path(site), &patch).unwrap();
            let older = it(site, "v1alpha1");
            site.until("the end of v1alpha1", || site.api().get(&older).is_err());
        }),
    Case::new("cr-unserved", thing!("cr-unserved", "v1alpha1", "a: x"))
        .crds(versions!(
            "cr-unserved",
            "a: {type: string}",
            "a: {type: string}"
        ))
        .drift(only_v1)
        .held(&["invalid-manifest"]),
];
