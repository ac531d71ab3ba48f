//! Workloads, autoscalers, and what people and tools do to them.

use serde_json::json;

use super::case::{Case, Same};

const KINDS: &str = r#"
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 0
  serviceName: db
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db, v: "{{ .Values.value }}"}}, spec: {containers: [{name: c, image: registry.example/db:1}]}}
  volumeClaimTemplates:
  - metadata: {name: data, annotations: {}}
    spec: {accessModes: [ReadWriteOnce], storageClassName: null, resources: {requests: {storage: 1024Mi}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: claim, labels: {v: "{{ .Values.value }}"}}
spec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1024Mi}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, labels: {v: "{{ .Values.value }}"}}
spec:
  selector: {matchLabels: {app: agent}}
  template: {metadata: {labels: {app: agent}}, spec: {containers: [{name: c, image: registry.example/agent:1}]}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: job, labels: {v: "{{ .Values.value }}"}}
spec:
  template: {spec: {restartPolicy: Never, containers: [{name: c, image: registry.example/job:1}]}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: cron}
spec:
  schedule: "0 0 1 1 *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "registry.example/job:{{ .Values.value }}"}]}}}}
---
apiVersion: v1
kind: Pod
metadata: {name: pod, labels: {v: "{{ .Values.value }}"}}
spec: {containers: [{name: c, image: registry.example/pod:1}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: budget}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: db}}}
"#;

/// A union whose defaulted member stays behind when the chart switches to another one.
macro_rules! switching {
    ($strategy:literal) => {
        deployment!(concat!("replicas: 0\n  strategy: ", $strategy), "env: []")
    };
}

const WEB: &str = "deployments/web";

const HPA_V1: &str = r"
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: hpa}
spec: {minReplicas: 1, maxReplicas: 3, targetCPUUtilizationPercentage: 80, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: nobody}}
";

const HPA_V2: &str = r"
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: hpa}
spec:
  minReplicas: 1
  maxReplicas: 4
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: nobody}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
";

pub const CASES: &[Case] = &[
    Case::new("work-kinds", KINDS),
    Case::new(
        "work-quantities",
        deployment!(
            "replicas: 1",
            "resources: {requests: {cpu: 1000m, memory: 1024Mi}, limits: {cpu: \"2\", memory: 1.5Gi}}"
        ),
    ),
    Case::new(
        "work-quantity-owner",
        deployment!("replicas: 1", "resources: {requests: {cpu: 1000m}}"),
    )
    .drift(|site| {
        // The same quantity in other words, and before that another one, so that kubectl sends it.
        for cpu in ["cpu=2", "cpu=1"] {
            site.kubectl(&["set", "resources", "deployment/web", "--requests", cpu]);
        }
    })
    .held(&["active-conflict"]),
    Case::new("work-hpa", HPA_V1)
        .drift(|site| {
            site.template(HPA_V2);
            site.upgrade3(&[]);
        })
        .afterwards(|site| {
            site.template(HPA_V1);
            let done = site.upgrade4(&[]);
            assert!(done.success, "{}", done.stderr);
        }),
    Case::new("work-scaled-away", deployment!("replicas: 1", "env: []"))
        .drift(|site| {
            site.kubectl(&["scale", "deployment/web", "--replicas=2"]);
        })
        .held(&["active-conflict"]),
    Case::new(
        "work-scaled-back",
        deployment!(
            "replicas: {{ if eq .Values.value \"a\" }}1{{ else }}2{{ end }}",
            "env: []"
        ),
    )
    .drift(|site| {
        site.kubectl(&["scale", "deployment/web", "--replicas=2"]);
        site.kubectl(&["scale", "deployment/web", "--replicas=1"]);
    })
    .noted(&["latent-conflict"])
    .changed_is_refused("conflict"),
    Case::new("work-image", deployment!("replicas: 1", "env: []"))
        .drift(|site| {
            site.kubectl(&[
                "set",
                "image",
                "deployment/web",
                "c=registry.example/web:hotfix",
            ]);
        })
        .held(&["active-conflict"]),
    Case::new(
        "work-env",
        deployment!("replicas: 1", "env: [{name: A, value: \"1\"}]"),
    )
    .drift(|site| {
        site.kubectl(&["set", "env", "deployment/web", "A=2"]);
    })
    .held(&["active-conflict"]),
    Case::new("work-label", deployment!("replicas: 1", "env: []"))
        .drift(|site| {
            site.kubectl(&["label", "--overwrite", "deployment/web", "team=search"]);
        })
        .held(&["active-conflict"]),
    Case::new(
        "work-edited",
        deployment!("replicas: 1", "ports: [{containerPort: 80}]"),
    )
    .drift(|site| {
        let patch = json!({ "spec": { "template": { "spec": { "containers": [
                { "name": "c", "ports": [{ "containerPort": 9090, "protocol": "TCP" }] },
                { "name": "sidecar", "image": "registry.example/sidecar:1" },
            ] } } } });
        let patch = patch.to_string();
        site.kubectl(&[
            "patch",
            "deployment/web",
            "--field-manager=kubectl-edit",
            "-p",
            &patch,
        ]);
    })
    .silent(&["latent-conflict"])
    .afterwards(|site| {
        let live = site.api().get(&site.group("apps/v1", WEB)).unwrap();
        let containers = &live["spec"]["template"]["spec"]["containers"];
        assert_eq!(containers[1]["name"], "sidecar", "{containers}");
        assert!(
            containers[0]["ports"].to_string().contains("9090"),
            "{containers}"
        );
    }),
    Case::new(
        "work-removed",
        deployment!("replicas: 1", "env: [{name: A, value: \"1\"}]"),
    )
    .drift(|site| {
        site.kubectl(&["label", "deployment/web", "team-"]);
        site.kubectl(&["set", "env", "deployment/web", "A-"]);
    })
    .noted(&["drift"])
    .same(Same::Writes(
        "it puts label and variable back, as Helm 3 did",
    ))
    .afterwards(|site| {
        let live = site.api().get(&site.group("apps/v1", WEB)).unwrap();
        assert_eq!(live["metadata"]["labels"]["team"], "payments");
        assert_eq!(
            live["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"],
            "1"
        );
    }),
    // A server's default that the manifest never named is nobody's now, so the switch meets it; named once in full, it
    // goes. Helm 4 by itself has the same from its second upgrade on.
    Case::new(
        "work-switch",
        switching!("{type: {{ if eq .Values.value \"a\" }}RollingUpdate{{ else }}Recreate{{ end }}}"),
    )
    .noted(&["switch-trap"])
    .changed_is_refused("rollingUpdate")
    .afterwards(|site| {
        site.template(switching!(
            "{type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}}"
        ));
        let named = site.upgrade4(&[]);
        assert!(named.success, "{}", named.stderr);
        site.template(switching!("{type: Recreate}"));
        let switched = site.upgrade4(&[]);
        assert!(switched.success, "{}", switched.stderr);
    }),
    Case::new(
        "work-volume",
        deployment!(
            "replicas: 0",
            "volumeMounts: [{name: v, mountPath: /v}]}\n      volumes:\n      - {name: v{{ if ne .Values.value \"a\" }}, configMap: {name: it}{{ end }}"
        ),
    )
    .noted(&["switch-trap"])
    .changed_is_refused("more than 1 volume type"),
    Case::new("work-unmarked", deployment!("replicas: 1", "env: []"))
        .drift(|site| {
            site.kubectl(&["label", "deployment/web", "app.kubernetes.io/managed-by-"]);
            site.kubectl(&[
                "annotate",
                "deployment/web",
                "meta.helm.sh/release-name-",
                "meta.helm.sh/release-namespace-",
            ]);
        })
        .noted(&["drift"])
        .same(Same::Writes("it puts its marks back")),
    Case::new("work-others-mark", deployment!("replicas: 1", "env: []"))
        .drift(|site| {
            site.kubectl(&[
                "annotate",
                "--overwrite",
                "deployment/web",
                "meta.helm.sh/release-name=somebody",
            ]);
        })
        .held(&["active-conflict"]),
];
