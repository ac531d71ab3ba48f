//! Secrets and ConfigMaps: `stringData`, immutable ones, bytes.

use serde_json::json;

use super::case::{Case, Same};

const SHAPES: &str = r#"
{apiVersion: v1, kind: Secret, metadata: {name: alone}, stringData: {p: "{{ .Values.value }}"}}
---
{apiVersion: v1, kind: Secret, metadata: {name: mixed}, data: {a: YQ==}, stringData: {p: secret}}
---
{apiVersion: v1, kind: Secret, metadata: {name: shadow}, data: {p: YQ==}, stringData: {p: b}}
---
apiVersion: v1
kind: Secret
metadata: {name: lines}
data:
  a: |
    YWJjZGVmZ2hpamts
    bW5vcHFyc3R1dnd4eXo=
---
{apiVersion: v1, kind: Secret, metadata: {name: fixed}, immutable: true, data: {a: YQ==}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: fixed}, immutable: true, data: {a: x}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: bytes}, binaryData: {a: //79}, data: {b: "{{ .Values.value }}"}}
"#;

const EDITED: &str =
    "{apiVersion: v1, kind: Secret, metadata: {name: it}, stringData: {p: ours}}\n";

const NULL: &str =
    "{apiVersion: v1, kind: Secret, metadata: {name: it}, data: {a: YQ==, x: null}}\n";

pub const CASES: &[Case] = &[
    Case::new("key-shapes", SHAPES).silent(&["drop", "drift"]),
    // Server-side apply does not guard stringData: no 409, the edit is overwritten. So it is told.
    Case::new("key-edited", EDITED)
        .drift(|site| {
            site.patched_by(
                "kubectl-edit",
                &site.core("secrets/it"),
                &json!({ "data": { "p": "dGhlaXJz" } }),
            );
        })
        .noted(&["drift"])
        .same(Same::Writes(
            "stringData wins over the edit without a conflict",
        )),
    Case::new("key-null", NULL).same(Same::Writes(
        "a null in data is a change to the server, each time",
    )),
];
