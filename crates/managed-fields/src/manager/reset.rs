//! Fields that the server resets at an endpoint before it stores an object, so that nobody comes to own them there:
//! usually `status` on the main resource and `spec` on the status subresource.
//!
//! Taken from the registry strategies of Kubernetes 1.36 (`pkg/registry/*/strategy.go`, `GetResetFields`).

use std::collections::BTreeMap;

use crate::path::Path;
use crate::schema::Kind;
use crate::set::FieldSet;

/// What a built-in kind resets on its main resource and on its status subresource, each a path with dots.
struct Rule {
    group: &'static str,
    kinds: &'static [&'static str],
    main: &'static [&'static str],
    status: &'static [&'static str],
}

const fn rule(
    group: &'static str,
    kinds: &'static [&'static str],
    status: &'static [&'static str],
) -> Rule {
    Rule {
        group,
        kinds,
        main: &["status"],
        status,
    }
}

const RULES: &[Rule] = &[
    rule("apps", &["Deployment"], &["spec", "metadata.labels"]),
    rule(
        "apps",
        &["DaemonSet", "ReplicaSet", "StatefulSet"],
        &["spec"],
    ),
    rule("autoscaling", &["HorizontalPodAutoscaler"], &["spec"]),
    rule("batch", &["CronJob", "Job"], &["spec"]),
    rule(
        "",
        &["Pod"],
        &[
            "spec",
            "metadata.deletionTimestamp",
            "metadata.ownerReferences",
        ],
    ),
    rule(
        "",
        &[
            "Namespace",
            "Node",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "ReplicationController",
            "ResourceQuota",
            "Service",
        ],
        &["spec"],
    ),
    rule("networking.k8s.io", &["Ingress"], &["spec"]),
    rule("networking.k8s.io", &["ServiceCIDR"], &["spec", "metadata"]),
    rule("extensions", &["Ingress"], &["spec"]),
    rule("policy", &["PodDisruptionBudget"], &["spec"]),
    rule(
        "storage.k8s.io",
        &["VolumeAttachment"],
        &["spec", "metadata"],
    ),
    rule(
        "flowcontrol.apiserver.k8s.io",
        &["FlowSchema", "PriorityLevelConfiguration"],
        &["spec", "metadata"],
    ),
    rule(
        "admissionregistration.k8s.io",
        &["ValidatingAdmissionPolicy"],
        &["spec", "metadata"],
    ),
    rule(
        "resource.k8s.io",
        &["ResourceClaim", "DeviceTaintRule"],
        &["spec", "metadata"],
    ),
    rule(
        "apiextensions.k8s.io",
        &["CustomResourceDefinition"],
        &["spec"],
    ),
    rule(
        "apiregistration.k8s.io",
        &["APIService"],
        &["spec", "metadata"],
    ),
    rule(
        "storagemigration.k8s.io",
        &["StorageVersionMigration"],
        &["spec", "metadata"],
    ),
    rule(
        "internal.apiserver.k8s.io",
        &["StorageVersion"],
        &["spec", "metadata"],
    ),
    Rule {
        group: "certificates.k8s.io",
        kinds: &["CertificateSigningRequest"],
        main: &["spec", "status"],
        status: &["spec", "status.conditions"],
    },
];

/// What the server resets for a built-in kind; nothing for kinds without such a rule (`ConfigMap`, `Secret`, `Role`, …)
/// and for other subresources than `status`. `None` if the rules do not name the kind.
///
/// ```
/// use managed_fields::manager::reset;
/// use managed_fields::schema::Kind;
///
/// let deployment = Kind::new("apps/v1", "Deployment");
/// assert_eq!(reset::of_builtin(&deployment, "").map(|set| set.to_string()).as_deref(), Some(".status"));
/// assert_eq!(reset::of_builtin(&Kind::new("v1", "Secret"), ""), None);
/// ```
pub fn of_builtin(kind: &Kind, subresource: &str) -> Option<FieldSet> {
    let rule = RULES
        .iter()
        .find(|rule| rule.group == kind.group && rule.kinds.contains(&kind.kind.as_str()))?;
    Some(match subresource {
        "" => set(rule.main),
        "status" => set(rule.status),
        _ => FieldSet::new(),
    })
}

/// What the server resets for a version of a custom resource that has the status subresource; without one it resets nothing.
///
/// The filter holds for that version alone: an entry of another version is compared unfiltered. That is so on the main resource; if a
/// resource has several versions with a status, see [`of_custom_status`].
pub fn of_custom_resource(api_version: &str, subresource: &str) -> BTreeMap<String, FieldSet> {
    let fields = match subresource {
        "" => set(&["status"]),
        "status" => return of_custom_status([api_version]),
        _ => FieldSet::new(),
    };
    BTreeMap::from([(api_version.to_owned(), fields)])
}

/// What the server resets on the status subresource of a custom resource: of all its versions that have one, whichever the
/// request names (`apiextensions-apiserver`, `getStatusResetFields`).
///
/// ```
/// use managed_fields::manager::reset;
///
/// let reset = reset::of_custom_status(["example.dev/v1", "example.dev/v1beta1"]);
/// assert_eq!(reset["example.dev/v1beta1"].to_string(), ".metadata\n.spec");
/// ```
pub fn of_custom_status<'a>(
    versions: impl IntoIterator<Item = &'a str>,
) -> BTreeMap<String, FieldSet> {
    let fields = set(&["spec", "metadata"]);
    versions
        .into_iter()
        .map(|version| (version.to_owned(), fields.clone()))
        .collect()
}

fn set(paths: &[&str]) -> FieldSet {
    let mut set = FieldSet::new();
    for path in paths {
        // Two elements are not too deep.
        let _ = set.insert(&Path::of_fields(path.split('.')));
    }
    set
}
