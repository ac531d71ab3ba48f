//! The order in which Helm 4 installs kinds (source: Helm v4 `pkg/release/v1/util/kind_sorter.go`).

const INSTALL_ORDER: [&str; 38] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// Sort key of a kind. Unknown kinds come last, by alphabet; a stable sort keeps the rest of the order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstallOrder(Rank);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Known(usize),
    Unknown(String),
}

/// Where Helm installs objects of `kind`, with no regard to its group.
pub fn install_order(kind: &str) -> InstallOrder {
    let known = INSTALL_ORDER.iter().position(|known| *known == kind);
    InstallOrder(known.map_or_else(|| Rank::Unknown(kind.to_owned()), Rank::Known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_kinds_first_then_the_alphabet() {
        let mut kinds = [
            "Zebra",
            "Deployment",
            "ValidatingWebhookConfiguration",
            "Apple",
            "Namespace",
            "MutatingWebhookConfiguration",
            "Secret",
            "PriorityClass",
        ];
        kinds.sort_by_key(|kind| install_order(kind));
        assert_eq!(
            kinds,
            [
                "PriorityClass",
                "Namespace",
                "Secret",
                "Deployment",
                "MutatingWebhookConfiguration",
                "ValidatingWebhookConfiguration",
                "Apple",
                "Zebra"
            ]
        );
    }
}
