//! Names of kinds: group, version and kind.

use std::fmt;

use serde_json::Value;

/// A kind at one version of its API.
///
/// ```
/// use managed_fields::schema::Kind;
///
/// let kind = Kind::new("apps/v1", "Deployment");
/// assert_eq!((kind.group.as_str(), kind.version.as_str()), ("apps", "v1"));
/// assert_eq!(kind.to_string(), "apps/v1, Kind=Deployment");
/// assert_eq!(Kind::new("v1", "Secret").api_version(), "v1");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// The API group; empty for the core group.
    pub group: String,
    /// The version, such as `v1`.
    pub version: String,
    /// The kind, such as `Deployment`.
    pub kind: String,
}

impl Kind {
    /// A kind from what stands in `apiVersion` and `kind`.
    pub fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
        }
    }

    /// The kind that an object says it is; empty texts for what it does not say.
    pub fn of(object: &Value) -> Self {
        let text = |field| {
            object
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        Self::new(text("apiVersion"), text("kind"))
    }

    /// What stands in `apiVersion`: `apps/v1`, or `v1` for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }
}

/// As the server writes it in messages: `apps/v1, Kind=Deployment`, `/v1, Kind=Secret`.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}, Kind={}", self.group, self.version, self.kind)
    }
}
