//! Manifests: lists, scopes, plain kinds, YAML 1.1, empty and null, and what server-side apply refuses.

use serde_json::json;

use super::case::{Case, Same};

const LISTS: &str = r#"
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: one}
  data: {a: {{ .Values.value }}}
---
apiVersion: v1
kind: ConfigMapList
items:
- {metadata: {name: two}, data: {a: x}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleList
items:
- {metadata: {name: three}, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]}
"#;

const ELSEWHERE: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: there, namespace: yaml-elsewhere-other}
data: {a: {{ .Values.value }}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: yaml-elsewhere, namespace: yaml-elsewhere}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
"#;

const BUILT_INS: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: yaml-builtins-made, labels: {a: {{ .Values.value }}}}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: yaml-builtins}
value: 1000
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: yaml-builtins}
provisioner: yaml-builtins.example
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: yaml-builtins}
spec:
  capacity: {storage: 1024Mi}
  accessModes: [ReadWriteOnce]
  storageClassName: yaml-builtins
  hostPath: {path: /tmp/yaml-builtins}
  claimRef: {namespace: yaml-builtins, name: nobody}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: yaml-builtins}
spec: {controller: yaml-builtins.example/ingress}
---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: yaml-builtins}
handler: runc
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: lease}
spec: {holderIdentity: me}
---
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: PriorityLevelConfiguration
metadata: {name: yaml-builtins}
spec: {type: Limited, limited: {nominalConcurrencyShares: 1, limitResponse: {type: Reject}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: yaml-builtins}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [UPDATE], resources: [configmaps]}]}
  validations: [{expression: "true"}]
---
apiVersion: v1
kind: ReplicationController
metadata: {name: rc}
spec:
  replicas: 0
  selector: {app: rc}
  template: {metadata: {labels: {app: rc}}, spec: {containers: [{name: c, image: registry.example/c:1}]}}
---
apiVersion: v1
kind: Endpoints
metadata: {name: old}
subsets: [{addresses: [{ip: 10.1.2.3}], ports: [{name: http, port: 80}]}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: new}
addressType: IPv4
endpoints: [{addresses: [10.1.2.4]}]
ports: [{name: http, port: 80}]
---
apiVersion: v1
kind: LimitRange
metadata: {name: limits}
spec: {limits: [{type: Container, max: {cpu: 4000m}}]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota}
spec: {hard: {pods: "10", requests.cpu: 8000m}}
"#;

const GENERATE_NAME: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: made-}\ndata: {a: x}\n";

const ONCE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: same}\ndata: {both: x}\n";

const TWICE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: same}\ndata: {both: x, first: x}\n---\n\
                     apiVersion: v1\nkind: ConfigMap\nmetadata: {name: same}\ndata: {both: x, second: x}\n";

const EMPTIES: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: empty, labels: null, annotations: {}}
spec:
  replicas: 0
  strategy: {}
  selector: {matchLabels: {app: empty}}
  template:
    metadata: {labels: {app: empty}, annotations: null}
    spec:
      affinity: {}
      nodeSelector: {}
      securityContext: {}
      tolerations: []
      volumes: null
      containers: [{name: c, image: "registry.example/c:{{ .Values.value }}", env: [], ports: null, resources: {}, args: []}]
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: none}, data: {}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: null-data}, data: null}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: none}, rules: []}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: fine}
spec: {podSelector: {}, ingress: [{}], policyTypes: [Ingress]}
"#;

const DIALECT_CRD: &str = crd!(
    "yaml-dialect",
    "  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}\n"
);

/// Whatever a parser of another dialect would read otherwise: keys and values.
const DIALECT: &str = r#"
apiVersion: yaml-dialect.example/v1
kind: Thing
metadata: {name: all, annotations: {note: "{{ .Values.value }}"}}
cfg:
  y: 1
  n: 2
  values: [y, n, yes, no, on, off, Y, True, ~, null]
  octal: 0644
  octal-new: 0o644
  thousand: 1_000
  binary: 0b101
  twice: 1
  twice: 2
  time: 1:30
  date: 2001-12-14
  big: 36893488147419103232
  7: seven
  1.5: float
  base: &base {a: 1, b: 2}
  merged: {<<: *base, b: 3}
  bytes: !!binary aGVsbG8=
"#;

const SERVER_FIELDS: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, uid: "", resourceVersion: "", creationTimestamp: null}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, creationTimestamp: null}
    spec: {containers: [{name: c, image: "registry.example/c:{{ .Values.value }}"}]}
status: {}
"#;

const DOUBLED: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: registry.example/c:1, env: [{name: A, value: "1"}, {name: A, value: "2"}]}]}
"#;

const MANAGED_FIELDS: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata:
  name: copied
  managedFields: [{manager: somebody, operation: Update, apiVersion: v1, fieldsType: FieldsV1, fieldsV1: {"f:data": {"f:a": {}}}}]
data: {a: x}
"#;

const UID: &str = r"
apiVersion: v1
kind: ConfigMap
metadata: {name: copied, uid: 11111111-2222-3333-4444-555555555555}
data: {a: x}
";

const NETWORK_POLICY: &str = r"
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: churn}
spec: {podSelector: {}, policyTypes: [Ingress, Egress], egress: []}
";

const CA_BUNDLE: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: yaml-ca-bundle}
webhooks:
- name: hook.yaml-ca-bundle.example
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Ignore
  clientConfig: {caBundle: "", service: {namespace: yaml-ca-bundle, name: none}}
  rules: [{apiGroups: [nothing.example], apiVersions: [v1], operations: [UPDATE], resources: [nothings]}]
"#;

pub const CASES: &[Case] = &[
    Case::new("yaml-lists", LISTS),
    Case::new("yaml-elsewhere", ELSEWHERE).prepare(|site| {
        let namespace = json!({ "metadata": { "name": "yaml-elsewhere-other" } });
        site.api().post("/api/v1/namespaces", &namespace).unwrap();
    }),
    Case::new("yaml-builtins", BUILT_INS),
    Case::new("yaml-generate-name", GENERATE_NAME)
        .install(|site| {
            let out = site.try_install(&[]);
            assert!(!out.success, "Helm 3 installs generateName");
        })
        .nothing(),
    Case::new("yaml-twice", ONCE)
        .drift(|site| {
            site.template(TWICE);
            site.upgrade3(&[]);
        })
        .noted(&["repeated-object"])
        .same(Same::Writes(
            "it applies both documents, one after the other",
        )),
    Case::new("yaml-empties", EMPTIES),
    Case::new("yaml-dialect", DIALECT).crds(DIALECT_CRD),
    Case::new("yaml-server-fields", SERVER_FIELDS),
    Case::new("yaml-doubled", DOUBLED).held(&["invalid-manifest"]),
    Case::new("yaml-managed-fields", MANAGED_FIELDS).held(&["invalid-manifest"]),
    Case::new("yaml-uid", UID).held(&["invalid-manifest"]),
    Case::new("yaml-netpol", NETWORK_POLICY)
        .noted(&["empty-churn"])
        .same(Same::Writes(
            "the store drops `egress: []`, and specs are compared literally",
        )),
    Case::new("yaml-ca-bundle", CA_BUNDLE).held(&["admission"]),
];
