//! URL paths and queries: every name is checked and percent-encoded.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What RFC 3986 leaves as it is in a path segment or a query value.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A name that cannot stand in a path. The API server unescapes a path before it splits it, so an encoded slash would name
/// a subresource of another object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be the name of an object: a name is not empty, `.` or `..`, and has no `/` or `%`"
)]
pub(super) struct NotAName(String);

fn segment(name: &str) -> Result<String, NotAName> {
    if matches!(name, "" | "." | "..") || name.contains(['/', '%']) {
        return Err(NotAName(name.to_owned()));
    }
    Ok(encode(name))
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// `/api/v1` for the core group, else `/apis/apps/v1`.
pub(super) fn group_version(api_version: &str) -> Result<String, NotAName> {
    match api_version.split_once('/') {
        Some((group, version)) => Ok(format!("/apis/{}/{}", segment(group)?, segment(version)?)),
        None => Ok(format!("/api/{}", segment(api_version)?)),
    }
}

/// The path of a collection: of one namespace, or of all (also of cluster-scoped kinds).
pub(super) fn collection(
    api_version: &str,
    plural: &str,
    namespace: Option<&str>,
) -> Result<String, NotAName> {
    let base = group_version(api_version)?;
    let plural = segment(plural)?;
    Ok(match namespace {
        Some(namespace) => format!("{base}/namespaces/{}/{plural}", segment(namespace)?),
        None => format!("{base}/{plural}"),
    })
}

/// The path of one object.
pub(super) fn object(
    api_version: &str,
    plural: &str,
    namespace: Option<&str>,
    name: &str,
) -> Result<String, NotAName> {
    let collection = collection(api_version, plural, namespace)?;
    Ok(format!("{collection}/{}", segment(name)?))
}

/// `?a=b&c=d`, or nothing.
pub(super) fn query(pairs: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (key, value) in pairs {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(&encode(key));
        text.push('=');
        text.push_str(&encode(value));
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn core_and_group_paths_differ() {
        assert_eq!(
            object("v1", "secrets", Some("shop"), "db").unwrap(),
            "/api/v1/namespaces/shop/secrets/db"
        );
        assert_eq!(
            object("apps/v1", "deployments", Some("shop"), "web").unwrap(),
            "/apis/apps/v1/namespaces/shop/deployments/web"
        );
        assert_eq!(
            object(
                "rbac.authorization.k8s.io/v1",
                "clusterroles",
                None,
                "system:node"
            )
            .unwrap(),
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode"
        );
        assert_eq!(
            collection("v1", "secrets", None).unwrap(),
            "/api/v1/secrets"
        );
    }

    #[test]
    fn a_query_is_encoded() {
        assert_eq!(query(&[]), "");
        assert_eq!(
            query(&[
                ("labelSelector", "owner=helm,name=web".into()),
                ("limit", "5".into())
            ]),
            "?labelSelector=owner%3Dhelm%2Cname%3Dweb&limit=5"
        );
    }

    #[test]
    fn names_that_would_leave_their_place_are_refused() {
        for name in ["", ".", "..", "a/b", "/", "a%2fb"] {
            assert!(
                object("v1", "secrets", Some("shop"), name).is_err(),
                "{name:?}"
            );
            assert!(collection("v1", "secrets", Some(name)).is_err(), "{name:?}");
        }
        assert!(group_version("a/b/c").is_err());
    }

    proptest! {
        /// The server splits after unescaping: it must find our name again, in one piece.
        #[test]
        fn any_accepted_name_comes_back_whole(name in any::<String>()) {
            if let Ok(path) = object("v1", "configmaps", Some("ns"), &name) {
                prop_assert!(path.is_ascii());
                prop_assert!(path.parse::<http::uri::PathAndQuery>().is_ok());
                prop_assert!(!path.contains(['?', '#']));
                let back = percent_encoding::percent_decode_str(&path).decode_utf8().unwrap().into_owned();
                let parts: Vec<&str> = back.split('/').collect();
                prop_assert_eq!(parts, vec!["", "api", "v1", "namespaces", "ns", "configmaps", name.as_str()]);
            }
        }
    }
}
