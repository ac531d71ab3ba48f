//! Fields that the server fills in by itself.
//!
//! A release that Helm 3 created owns them (the server records the whole created object), though no manifest ever
//! named them; letting go of them changes nothing, so they are no drops worth a line in a report.

use managed_fields::{Path, PathElement};

/// Last field names of defaulted leaves of the built-in workload, service, job, webhook and volume types
/// (upstream `pkg/apis/*/v1/defaults.go`).
const DEFAULTED: [&str; 62] = [
    "admissionReviewVersions",
    "apiVersion",
    "automountServiceAccountToken",
    "backoffLimit",
    "clusterIP",
    "clusterIPs",
    "completionMode",
    "completions",
    "concurrencyPolicy",
    "conversion",
    "defaultMode",
    "deprecated.daemonset.template.generation",
    "dnsPolicy",
    "emptyDir",
    "enableServiceLinks",
    "externalTrafficPolicy",
    "failedJobsHistoryLimit",
    "failureThreshold",
    "imagePullPolicy",
    "internalTrafficPolicy",
    "ipFamilies",
    "ipFamilyPolicy",
    "listKind",
    "manualSelector",
    "matchPolicy",
    "maxSurge",
    "maxUnavailable",
    "mode",
    "namespaceSelector",
    "objectSelector",
    "parallelism",
    "partition",
    "periodSeconds",
    "podManagementPolicy",
    "podReplacementPolicy",
    "port",
    "progressDeadlineSeconds",
    "protocol",
    "reinvocationPolicy",
    "resources",
    "restartPolicy",
    "revisionHistoryLimit",
    "schedulerName",
    "scheme",
    "scope",
    "securityContext",
    "serviceAccount",
    "sessionAffinity",
    "singular",
    "storageClassName",
    "strategy",
    "successThreshold",
    "successfulJobsHistoryLimit",
    "suspend",
    "targetPort",
    "terminationGracePeriodSeconds",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "timeoutSeconds",
    "type",
    "volumeMode",
    "whenDeleted",
];

/// Maps whose keys are the user's own: `type` in a ConfigMap's data is no default, whatever it is elsewhere.
const FREE_KEYS: [&str; 12] = [
    "annotations",
    "attributes",
    "binaryData",
    "data",
    "labels",
    "matchLabels",
    "nodeSelector",
    "options",
    "parameters",
    "selector",
    "stringData",
    "volumeAttributes",
];

/// The one annotation that the server sets by default (`pkg/apis/apps/v1beta1`, of DaemonSets).
const DEFAULTED_ANNOTATION: &str = "deprecated.daemonset.template.generation";

/// Would the server put this field there by itself?
pub fn is_server_default(path: &Path) -> bool {
    let mut names = path.iter().rev().filter_map(PathElement::as_field);
    let Some(last) = names.next() else {
        return false;
    };
    let is_free = names.next().is_some_and(|map| FREE_KEYS.contains(&map));
    is_defaulted(last) && (!is_free || last == DEFAULTED_ANNOTATION)
}

/// Does the server fill in a field of this name, in some type?
pub(super) fn is_defaulted(field: &str) -> bool {
    field == "whenScaled" || DEFAULTED.binary_search(&field).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_for_the_search() {
        assert!(DEFAULTED.is_sorted());
        assert!(is_server_default(&Path::of_fields([
            "spec",
            "progressDeadlineSeconds"
        ])));
        assert!(!is_server_default(&Path::of_fields(["spec", "replicas"])));
    }

    #[test]
    fn a_users_key_is_no_default_whatever_its_name() {
        for path in [
            &["data", "mode"][..],
            &["metadata", "labels", "type"],
            &["parameters", "type"],
            &["spec", "selector", "type"],
            &["spec", "template", "metadata", "annotations", "scheme"],
        ] {
            let path = Path::of_fields(path.iter().copied());
            assert!(!is_server_default(&path), "{path}");
        }
        let counted = ["metadata", "annotations", DEFAULTED_ANNOTATION];
        assert!(is_server_default(&Path::of_fields(counted)));
        assert!(is_server_default(&Path::of_fields(["spec", "type"])));
    }
}
