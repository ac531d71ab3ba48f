//! What built-in types do with values that say nothing, as far as field names tell it.
//!
//! Made by reflection over the Go types of Kubernetes 1.36 (`k8s.io/api`, `apiextensions`, `kube-aggregator`) and their
//! `json` tags; defaults from upstream `pkg/apis/*/v1/defaults.go`. A name that is in no table is not guessed at: the
//! server is asked.

use serde_json::Value;

/// Fields that are no pointers in Go and leave out their zero value: `""`, `0` or `false` is the same as not there.
/// A name is here only if that holds in every type of the workload, network, storage and policy groups that has it.
const ZERO_IS_ABSENT: [&str; 81] = [
    "apiVersion",
    "audience",
    "clusterIP",
    "concurrencyPolicy",
    "deprecated",
    "description",
    "dnsPolicy",
    "effect",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "externalName",
    "externalTrafficPolicy",
    "failureThreshold",
    "field",
    "format",
    "fsType",
    "generateName",
    "globalDefault",
    "healthCheckNodePort",
    "host",
    "hostIP",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostPort",
    "id",
    "image",
    "imagePullPolicy",
    "initialDelaySeconds",
    "iscsiInterface",
    "level",
    "listKind",
    "loadBalancerIP",
    "medium",
    "messageExpression",
    "minReadySeconds",
    "nodePort",
    "nominatedNodeName",
    "nullable",
    "operator",
    "pattern",
    "paused",
    "persistentVolumeReclaimPolicy",
    "podManagementPolicy",
    "policyName",
    "prefix",
    "preserveUnknownFields",
    "priorityClassName",
    "publishNotReadyAddresses",
    "pullPolicy",
    "reference",
    "resourceVersion",
    "role",
    "schedulerName",
    "scheme",
    "secretFile",
    "selfLink",
    "serviceAccount",
    "serviceAccountName",
    "sessionAffinity",
    "singular",
    "sslEnabled",
    "stdin",
    "stdinOnce",
    "storageMode",
    "storagePool",
    "subPath",
    "subPathExpr",
    "subdomain",
    "subresource",
    "successThreshold",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "title",
    "tty",
    "uid",
    "unschedulable",
    "username",
    "version",
    "volumeName",
    "workingDir",
];

/// The same for names that other types use for a pointer or another kind of value: by model and name.
const ZERO_IS_ABSENT_IN: [(&str, &str); 23] = [
    ("io.k8s.api.core.v1.CephFSVolumeSource", "readOnly"),
    ("io.k8s.api.core.v1.ConfigMapEnvSource", "name"),
    ("io.k8s.api.core.v1.ConfigMapKeySelector", "name"),
    ("io.k8s.api.core.v1.ConfigMapVolumeSource", "name"),
    ("io.k8s.api.core.v1.ContainerPort", "name"),
    ("io.k8s.api.core.v1.ContainerPort", "protocol"),
    ("io.k8s.api.core.v1.EnvVar", "value"),
    ("io.k8s.api.core.v1.HostPathVolumeSource", "type"),
    ("io.k8s.api.core.v1.LocalObjectReference", "name"),
    ("io.k8s.api.core.v1.NFSVolumeSource", "readOnly"),
    (
        "io.k8s.api.core.v1.PersistentVolumeClaimVolumeSource",
        "readOnly",
    ),
    ("io.k8s.api.core.v1.PodSpec", "hostname"),
    ("io.k8s.api.core.v1.PodSpec", "nodeName"),
    ("io.k8s.api.core.v1.PodSpec", "restartPolicy"),
    ("io.k8s.api.core.v1.Probe", "periodSeconds"),
    ("io.k8s.api.core.v1.Probe", "timeoutSeconds"),
    ("io.k8s.api.core.v1.ServicePort", "name"),
    ("io.k8s.api.core.v1.ServicePort", "protocol"),
    ("io.k8s.api.core.v1.ServiceSpec", "type"),
    ("io.k8s.api.core.v1.Toleration", "value"),
    ("io.k8s.api.core.v1.VolumeMount", "readOnly"),
    ("io.k8s.api.rbac.v1.Subject", "apiGroup"),
    ("io.k8s.api.rbac.v1.Subject", "namespace"),
];

/// Fields that are pointers in every type that has them: a zero value is stored as it is.
const POINTERS: [&str; 58] = [
    "activeDeadlineSeconds",
    "allocateLoadBalancerNodePorts",
    "allowPrivilegeEscalation",
    "allowVolumeExpansion",
    "appProtocol",
    "automountServiceAccountToken",
    "averageUtilization",
    "backoffLimit",
    "backoffLimitPerIndex",
    "completionMode",
    "completions",
    "enableServiceLinks",
    "endPort",
    "failedJobsHistoryLimit",
    "failurePolicy",
    "fsGroup",
    "fsGroupChangePolicy",
    "hostUsers",
    "immutable",
    "ingressClassName",
    "internalTrafficPolicy",
    "ipFamilyPolicy",
    "loadBalancerClass",
    "manualSelector",
    "matchPolicy",
    "maxFailedIndexes",
    "minDomains",
    "minReplicas",
    "optional",
    "parallelism",
    "pathType",
    "podInfoOnMount",
    "preemptionPolicy",
    "privileged",
    "procMount",
    "progressDeadlineSeconds",
    "readOnlyRootFilesystem",
    "reclaimPolicy",
    "recursiveReadOnly",
    "requiresRepublish",
    "revisionHistoryLimit",
    "runAsGroup",
    "runAsNonRoot",
    "runAsUser",
    "runtimeClassName",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "sideEffects",
    "stabilizationWindowSeconds",
    "startingDeadlineSeconds",
    "storageCapacity",
    "successfulJobsHistoryLimit",
    "suspend",
    "terminationGracePeriodSeconds",
    "tolerationSeconds",
    "ttlSecondsAfterFinished",
    "volumeBindingMode",
    "volumeMode",
];

/// What the server fills in where nothing is given, by field name. Only fields whose default depends on nothing else.
const DEFAULTS: [(&str, Filled); 38] = [
    ("apiGroup", Filled::Text("rbac.authorization.k8s.io")),
    ("apiVersion", Filled::Text("v1")),
    ("concurrencyPolicy", Filled::Text("Allow")),
    ("creationTimestamp", Filled::Null),
    ("defaultMode", Filled::Number(420)),
    ("divisor", Filled::Text("0")),
    ("dnsPolicy", Filled::Text("ClusterFirst")),
    ("enableServiceLinks", Filled::Flag(true)),
    ("expirationSeconds", Filled::Number(3600)),
    ("failureThreshold", Filled::Number(3)),
    ("fsType", Filled::Text("ext4")),
    ("kind", Filled::Text("PersistentVolumeClaim")),
    ("matchPolicy", Filled::Text("Equivalent")),
    ("periodSeconds", Filled::Number(10)),
    ("phase", Filled::Text("Pending")),
    ("podManagementPolicy", Filled::Text("OrderedReady")),
    ("progressDeadlineSeconds", Filled::Number(600)),
    ("protocol", Filled::Text("TCP")),
    ("replicas", Filled::Number(1)),
    ("restartPolicy", Filled::Text("Always")),
    ("revisionHistoryLimit", Filled::Number(10)),
    ("schedulerName", Filled::Text("default-scheduler")),
    ("scheme", Filled::Text("HTTP")),
    ("scope", Filled::Text("*")),
    ("sessionAffinity", Filled::Text("None")),
    ("strategy", Filled::Text("None")),
    ("successThreshold", Filled::Number(1)),
    ("terminationGracePeriodSeconds", Filled::Number(30)),
    (
        "terminationMessagePath",
        Filled::Text("/dev/termination-log"),
    ),
    ("terminationMessagePolicy", Filled::Text("File")),
    ("timeoutSeconds", Filled::Number(1)),
    ("type", Filled::Text("ClusterIP")),
    ("type", Filled::Text("Opaque")),
    ("type", Filled::Text("RollingUpdate")),
    ("volumeMode", Filled::Text("Filesystem")),
    ("weight", Filled::Number(1)),
    ("whenDeleted", Filled::Text("Retain")),
    ("whenScaled", Filled::Text("Retain")),
];

#[derive(Clone, Copy)]
enum Filled {
    Null,
    Flag(bool),
    Number(i64),
    Text(&'static str),
}

/// Is a zero value of this field the same as none? `model` is the type that has the field.
pub(super) fn zero_is_absent(model: Option<&str>, field: &str) -> bool {
    ZERO_IS_ABSENT.binary_search(&field).is_ok()
        || model.is_some_and(|model| ZERO_IS_ABSENT_IN.binary_search(&(model, field)).is_ok())
}

/// Is a zero value of this field stored as it is?
pub(super) fn is_pointer(field: &str) -> bool {
    POINTERS.binary_search(&field).is_ok()
}

/// Would the server put this value there by itself?
pub(super) fn is_default(field: &str, value: &Value) -> bool {
    let from = DEFAULTS.partition_point(|(name, _)| *name < field);
    let named = DEFAULTS.iter().skip(from);
    named
        .take_while(|(name, _)| *name == field)
        .any(|(_, default)| match *default {
            Filled::Null => value.is_null(),
            Filled::Flag(flag) => value.as_bool() == Some(flag),
            Filled::Number(number) => value.as_i64() == Some(number),
            Filled::Text(text) => value.as_str() == Some(text),
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_tables_are_sorted_for_the_search() {
        assert!(ZERO_IS_ABSENT.is_sorted());
        assert!(ZERO_IS_ABSENT_IN.is_sorted());
        assert!(DEFAULTS.is_sorted_by_key(|(name, _)| name));
    }

    #[test]
    fn pointers_are_never_dropped() {
        assert!(POINTERS.is_sorted());
        for field in POINTERS {
            assert!(!zero_is_absent(None, field), "{field}");
        }
        let in_env = Some("io.k8s.api.core.v1.EnvVar");
        assert!(zero_is_absent(in_env, "value"));
        assert!(!zero_is_absent(None, "value"));
        assert!(is_default("protocol", &json!("TCP")) && !is_default("protocol", &json!("UDP")));
    }
}
