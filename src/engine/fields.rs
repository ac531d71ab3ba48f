//! One object, from a text or a cluster. Zero writes.

use serde_json::Value;

use crate::cluster::{self, Kind, Reader};
use crate::domain::ids::Namespace;
use crate::domain::object::ObjectRef;
use crate::helm::yaml;

/// Short names that kubectl knows for built-in kinds, with the plural they stand for.
const SHORT_NAMES: [(&str, &str); 24] = [
    ("cj", "cronjobs"),
    ("cm", "configmaps"),
    ("crd", "customresourcedefinitions"),
    ("deploy", "deployments"),
    ("ds", "daemonsets"),
    ("ep", "endpoints"),
    ("hpa", "horizontalpodautoscalers"),
    ("ing", "ingresses"),
    ("limits", "limitranges"),
    ("netpol", "networkpolicies"),
    ("no", "nodes"),
    ("ns", "namespaces"),
    ("pc", "priorityclasses"),
    ("pdb", "poddisruptionbudgets"),
    ("po", "pods"),
    ("pv", "persistentvolumes"),
    ("pvc", "persistentvolumeclaims"),
    ("quota", "resourcequotas"),
    ("rc", "replicationcontrollers"),
    ("rs", "replicasets"),
    ("sa", "serviceaccounts"),
    ("sc", "storageclasses"),
    ("sts", "statefulsets"),
    ("svc", "services"),
];

/// Why a text is no object.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// Neither JSON nor YAML.
    #[error("neither JSON nor YAML")]
    Unreadable(#[source] yaml::YamlError),
    /// `kubectl get` of several objects.
    #[error("a list of {0} objects; one is needed")]
    List(usize),
}

/// Why an object cannot be read from a cluster.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The cluster refused, or did not answer.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// It does not serve such a kind.
    #[error("no kind \"{0}\" is served")]
    NoKind(String),
    /// The kind needs a namespace, or has none.
    #[error("{kind} is {}", if *.namespaced { "namespaced: name its namespace" } else { "cluster-scoped: leave the namespace out" })]
    Scope {
        /// The kind.
        kind: String,
        /// Does it have namespaces?
        namespaced: bool,
    },
    /// There is no such object.
    #[error("there is no {0}")]
    NotFound(ObjectRef),
}

/// Reads one object as kubectl prints it: JSON, or the first document of YAML; a list of one is its item.
pub fn object_of_text(text: &str) -> Result<Value, TextError> {
    let value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(_) => yaml::read(text).map_err(TextError::Unreadable)?,
    };
    let is_list = value["kind"]
        .as_str()
        .is_some_and(|kind| kind.ends_with("List"));
    match value.get("items").and_then(Value::as_array) {
        Some(items) if is_list => match items.as_slice() {
            [only] => Ok(only.clone()),
            items => Err(TextError::List(items.len())),
        },
        _ => Ok(value),
    }
}

/// Reads an object by a kind as kubectl takes it (`deploy`, `Deployment`, `deployments.apps`, `deployments.v1.apps`),
/// at the first version that discovery names. Two requests at most besides discovery.
pub async fn object_of_cluster(
    reader: &dyn Reader,
    kind: &str,
    namespace: Option<&Namespace>,
    name: &str,
) -> Result<Value, LookupError> {
    let mut kinds = reader.kinds(false).await?;
    if find(&kinds, kind).is_none() {
        kinds = reader.kinds(true).await?;
    }
    let found = find(&kinds, kind).ok_or_else(|| LookupError::NoKind(kind.to_owned()))?;
    if found.namespaced != namespace.is_some() {
        return Err(LookupError::Scope {
            kind: found.kind.clone(),
            namespaced: found.namespaced,
        });
    }
    let object = ObjectRef {
        api_version: found.api_version.clone(),
        kind: found.kind.clone(),
        namespace: namespace.cloned(),
        name: name.to_owned(),
    };
    let live = reader.object(&object).await?;
    live.map(|live| live.json)
        .ok_or(LookupError::NotFound(object))
}

/// The first kind that a word means.
fn find<'a>(kinds: &'a [Kind], word: &str) -> Option<&'a Kind> {
    let word = word.to_ascii_lowercase();
    let (name, rest) = word
        .split_once('.')
        .map_or((word.as_str(), None), |(name, rest)| (name, Some(rest)));
    let plural = SHORT_NAMES
        .iter()
        .find(|(short, _)| *short == name)
        .map_or(name, |(_, plural)| plural);
    kinds.iter().find(|kind| {
        let (group, version) = kind
            .api_version
            .split_once('/')
            .unwrap_or(("", &kind.api_version));
        let named = kind.plural == plural || kind.kind.eq_ignore_ascii_case(name);
        let placed =
            rest.is_none_or(|rest| rest == group || rest.split_once('.') == Some((version, group)));
        named && placed && !kind.plural.contains('/')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind(api_version: &str, kind: &str, plural: &str) -> Kind {
        Kind {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            namespaced: true,
            verbs: Vec::new(),
        }
    }

    #[test]
    fn a_kind_is_named_as_in_kubectl() {
        let kinds = [
            kind("v1", "Service", "services"),
            kind("apps/v1", "Deployment", "deployments"),
            kind(
                "autoscaling/v2",
                "HorizontalPodAutoscaler",
                "horizontalpodautoscalers",
            ),
            kind(
                "autoscaling/v1",
                "HorizontalPodAutoscaler",
                "horizontalpodautoscalers",
            ),
            kind("serving.knative.dev/v1", "Service", "services"),
        ];
        let version = |word| find(&kinds, word).map(|kind| kind.api_version.as_str());
        for word in [
            "deploy",
            "deployment",
            "Deployment",
            "deployments",
            "deployments.apps",
            "deployments.v1.apps",
        ] {
            assert_eq!(version(word), Some("apps/v1"), "{word}");
        }
        assert_eq!(version("hpa"), Some("autoscaling/v2"));
        assert_eq!(version("hpa.v1.autoscaling"), Some("autoscaling/v1"));
        assert_eq!(version("svc"), Some("v1"));
        assert_eq!(
            version("services.serving.knative.dev"),
            Some("serving.knative.dev/v1")
        );
        assert_eq!(version("deployments.batch"), None);
        assert_eq!(version("widget"), None);
    }

    #[test]
    fn a_text_is_json_yaml_or_a_list_of_one() {
        let object = json!({"kind": "ConfigMap", "data": {"a": "1"}});
        assert_eq!(object_of_text(&object.to_string()).unwrap(), object);
        assert_eq!(
            object_of_text("kind: ConfigMap\ndata:\n  a: \"1\"\n").unwrap(),
            object
        );
        let list = |items: Value| json!({"kind": "List", "items": items}).to_string();
        assert_eq!(object_of_text(&list(json!([object]))).unwrap(), object);
        assert!(matches!(
            object_of_text(&list(json!([object, object]))),
            Err(TextError::List(2))
        ));
        assert!(matches!(
            object_of_text("{a: [}"),
            Err(TextError::Unreadable(_))
        ));
    }
}
