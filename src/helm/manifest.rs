//! TEMP
#[derive(Debug, thiserror::Error)]
#[error("temp")]
/// TEMP
pub struct ManifestError;
/// TEMP
pub struct ManifestObject {
    /// a
    pub api_version: String,
    /// a
    pub kind: String,
    /// a
    pub name: String,
    /// a
    pub namespace: Option<String>,
    /// a
    pub body: serde_json::Value,
}
/// TEMP
pub fn objects(_: &str) -> Result<Vec<ManifestObject>, ManifestError> {
    Err(ManifestError)
}
/// TEMP
pub fn install_order(_: &str) -> usize {
    0
}
/// TEMP
pub fn decorate(body: serde_json::Value, _: &str, _: &str) -> serde_json::Value {
    body
}
