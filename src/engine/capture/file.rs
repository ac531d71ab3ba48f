//! A capture in its file: beside the rows of the inventory, each part with its digest, so that an edit has a place.
//!
//! ```text
//! {"apiVersion": …, "kind": "ReleaseList", "items": […], …,
//!  "capture": {"format": 1, "takenAt", "fleet", "scope",
//!              "clusters": {NAME: …}, "documents": {DIGEST: …},
//!              "digests": {PLACE: DIGEST, …}, "digest": of all the above}}
//! ```
//!
//! It is written part by part and read part by part: beside the answers, one cluster's text is in memory. A digest is that of a
//! part's text as it stands there, so a file that was formatted anew counts as edited.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::answers::Text;
use super::{FleetCapture, HeldCluster, Taken};
use crate::domain::hex::hex;
use crate::domain::ids::ClusterName;

/// The format that this refit writes and reads.
pub const FORMAT: u32 = 1;

/// The member of a `ReleaseList` that holds it.
pub const MEMBER: &str = "capture";

/// A file whose capture cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// It has none.
    #[error("it lists releases and holds no answers of clusters")]
    Absent,
    /// It is of another format.
    #[error("its capture is of format {found}, and this refit reads format {FORMAT}")]
    Format {
        /// The format.
        found: u32,
    },
    /// It does not read.
    #[error("{place} does not read: {why}")]
    Unreadable {
        /// Where: a JSON pointer.
        place: String,
        /// What the reader says.
        why: String,
    },
    /// A part is not what its digest says.
    #[error(
        "{place} was changed after it was written: its digest is {found}, and {written} is written down"
    )]
    Edited {
        /// Where: a JSON pointer.
        place: String,
        /// The digest of what is there.
        found: String,
        /// The digest in the file.
        written: String,
    },
}

impl CaptureError {
    /// Where in the file: a JSON pointer.
    pub fn place(&self) -> &str {
        match self {
            Self::Absent => "/capture",
            Self::Format { .. } => "/capture/format",
            Self::Unreadable { place, .. } | Self::Edited { place, .. } => place,
        }
    }
}

/// `sha256:…` of a text.
pub(super) fn digest(text: &str) -> String {
    format!("sha256:{}", hex(&Sha256::digest(text.as_bytes())))
}

/// All but the parts that have digests of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Head {
    format: u32,
    taken_at: Timestamp,
    fleet: String,
    scope: Taken,
    digests: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct OnlyFormat {
    format: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Parts<'a> {
    format: u32,
    taken_at: Timestamp,
    fleet: String,
    scope: Taken,
    #[serde(borrow)]
    clusters: BTreeMap<String, &'a RawValue>,
    #[serde(borrow)]
    documents: BTreeMap<String, &'a RawValue>,
    digests: BTreeMap<String, String>,
    digest: String,
}

/// Members of a document, unread.
pub type Members<'a> = BTreeMap<String, &'a RawValue>;

impl FleetCapture {
    /// Writes the document of an inventory with the capture in it, on one line.
    pub fn write(&self, document: &Map<String, Value>, to: &mut dyn Write) -> io::Result<()> {
        let mut head = Head {
            format: FORMAT,
            taken_at: self.taken_at,
            fleet: self.fleet.clone(),
            scope: self.scope.clone(),
            digests: BTreeMap::new(),
        };
        let mut part = |place: String, text: &str| {
            head.digests.insert(place, digest(text));
        };
        to.write_all(b"{")?;
        for (key, value) in document {
            let text = value.to_string();
            part(format!("/{key}"), &text);
            write!(to, "{}:{text},", Value::from(key.as_str()))?;
        }
        write!(to, "\"{MEMBER}\":{{\"clusters\":{{")?;
        let mut comma = "";
        for (name, cluster) in &self.clusters {
            let text = serde_json::to_string(cluster)?;
            part(format!("/{MEMBER}/clusters/{name}"), &text);
            write!(to, "{comma}{}:{text}", Value::from(name.as_str()))?;
            comma = ",";
        }
        write!(to, "}},\"documents\":{{")?;
        let mut comma = "";
        for (name, document) in &self.documents {
            part(format!("/{MEMBER}/documents/{name}"), document.as_str());
            write!(
                to,
                "{comma}{}:{}",
                Value::from(name.as_str()),
                document.as_str()
            )?;
            comma = ",";
        }
        let head = serde_json::to_string(&head)?;
        let seal = digest(&head);
        // The head's members stand beside the parts.
        writeln!(
            to,
            "}},\"digest\":\"{seal}\",{}}}",
            head.trim_start_matches('{')
        )
    }

    /// Reads it back out of a document's members, and refuses one that is not as it was written.
    pub fn read(members: &Members<'_>) -> Result<Self, CaptureError> {
        let unreadable = |place: &str, error: &serde_json::Error| CaptureError::Unreadable {
            place: place.to_owned(),
            why: error.to_string(),
        };
        let whole = members.get(MEMBER).ok_or(CaptureError::Absent)?.get();
        let at = format!("/{MEMBER}");
        let only: OnlyFormat =
            serde_json::from_str(whole).map_err(|error| unreadable(&at, &error))?;
        if only.format != FORMAT {
            return Err(CaptureError::Format { found: only.format });
        }
        let parts: Parts<'_> =
            serde_json::from_str(whole).map_err(|error| unreadable(&at, &error))?;
        let head = Head {
            format: parts.format,
            taken_at: parts.taken_at,
            fleet: parts.fleet,
            scope: parts.scope,
            digests: parts.digests,
        };
        let text = serde_json::to_string(&head).map_err(|error| unreadable(&at, &error))?;
        same(&at, &digest(&text), &parts.digest)?;
        let mut places: Vec<(String, &RawValue)> = Vec::new();
        let beside = members.iter().filter(|(key, _)| *key != MEMBER);
        places.extend(beside.map(|(key, part)| (format!("/{key}"), *part)));
        let clusters = parts.clusters.iter();
        places.extend(clusters.map(|(name, part)| (format!("{at}/clusters/{name}"), *part)));
        let documents = parts.documents.iter();
        places.extend(documents.map(|(name, part)| (format!("{at}/documents/{name}"), *part)));
        for (place, part) in &places {
            let written = head.digests.get(place).map_or(NONE, String::as_str);
            same(place, &digest(part.get()), written)?;
        }
        let is_there = |place: &String| places.iter().any(|(it, _)| it == place);
        if let Some((place, written)) = head.digests.iter().find(|(place, _)| !is_there(place)) {
            same(place, NONE, written)?;
        }
        let mut clusters = BTreeMap::new();
        for (name, text) in parts.clusters {
            let cluster: HeldCluster = serde_json::from_str(text.get())
                .map_err(|error| unreadable(&format!("/{MEMBER}/clusters/{name}"), &error))?;
            clusters.insert(ClusterName::new(name), cluster);
        }
        let documents = parts.documents.into_iter();
        Ok(Self {
            taken_at: head.taken_at,
            fleet: head.fleet,
            scope: head.scope,
            clusters,
            documents: documents
                .map(|(name, text)| (name, Text::from(text.to_owned())))
                .collect(),
        })
    }
}

/// What stands for the digest of a part that is not there.
const NONE: &str = "none";

fn same(place: &str, found: &str, written: &str) -> Result<(), CaptureError> {
    if found == written {
        return Ok(());
    }
    Err(CaptureError::Edited {
        place: place.to_owned(),
        found: found.to_owned(),
        written: written.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::release::Driver;
    use crate::engine::capture::Answers;

    fn capture() -> FleetCapture {
        let text = Text::of(&json!({"openapi": "3.0.0"})).unwrap();
        let held = |answers| HeldCluster {
            context: "acme-eu-1".into(),
            kubeconfig: None,
            labels: [("env".to_owned(), "prod".to_owned())].into(),
            answers,
        };
        FleetCapture {
            taken_at: "2026-11-23T10:00:00.25Z".parse().unwrap(),
            fleet: "acme".into(),
            scope: Taken {
                driver: Driver::Secret,
                namespaces: Vec::new(),
            },
            clusters: [
                (
                    ClusterName::new("eu-1"),
                    held(Ok(Answers {
                        version: "v1.36.3".into(),
                        ..Answers::default()
                    })),
                ),
                (
                    ClusterName::new("eu-2"),
                    held(Err("token \"expired\"".into())),
                ),
            ]
            .into(),
            documents: [(digest(text.as_str()), text)].into(),
        }
    }

    fn written() -> String {
        let mut bytes = Vec::new();
        let document = json!({"apiVersion": "refit.dev/v1", "kind": "ReleaseList", "items": [{"name": "web", "half": 0.1}]});
        capture()
            .write(document.as_object().unwrap(), &mut bytes)
            .unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn read(text: &str) -> Result<FleetCapture, CaptureError> {
        FleetCapture::read(&serde_json::from_str::<Members<'_>>(text).unwrap())
    }

    #[test]
    fn it_comes_back_as_it_was() {
        assert_eq!(read(&written()), Ok(capture()));
    }

    #[test]
    fn every_edit_is_found_at_its_place() {
        let text = written();
        for (from, to, place) in [
            ("v1.36.3", "v1.36.4", "/capture/clusters/eu-1"),
            ("expired", "revoked", "/capture/clusters/eu-2"),
            ("3.0.0", "3.1.0", "/capture/documents/"),
            ("\"web\"", "\"wob\"", "/items"),
            ("\"ReleaseList\"", "\"ReleaseMist\"", "/kind"),
            ("10:00:00.25Z", "10:00:00.26Z", "/capture"),
            ("\"acme\"", "\"acne\"", "/capture"),
            (
                "\"driver\":\"secret\"",
                "\"driver\":\"configmap\"",
                "/capture",
            ),
            ("\"items\":[", "\"more\":1,\"items\":[", "/more"),
            ("\"items\":[", "\"things\":[", "/things"),
            (
                "{\"clusters\":{",
                "{\"clusters\":{\"eu-0\":{},",
                "/capture/clusters/eu-0",
            ),
            ("\"digest\":\"sha256:", "\"digest\":\"sha256:0", "/capture"),
        ] {
            assert!(text.contains(from), "{from} is not in {text}");
            let error = read(&text.replacen(from, to, 1)).unwrap_err();
            assert!(
                matches!(error, CaptureError::Edited { .. }),
                "{from}: {error}"
            );
            assert!(error.place().starts_with(place), "{from}: {error}");
        }
        let gone = {
            let start = text.find("\"eu-2\":").unwrap() - 1;
            let end = text[start..].find("},\"documents\"").unwrap() + start;
            format!("{}{}", &text[..start], &text[end..])
        };
        assert_eq!(read(&gone).unwrap_err().place(), "/capture/clusters/eu-2");
    }

    #[test]
    fn what_is_no_capture_of_ours_is_told_from_one_that_was_edited() {
        let text = written();
        let list = "{\"kind\":\"ReleaseList\"}";
        assert_eq!(read(list), Err(CaptureError::Absent));
        let later = text.replace("\"format\":1", "\"format\":2");
        assert_eq!(read(&later), Err(CaptureError::Format { found: 2 }));
        for (from, to) in [
            ("\"format\":1", "\"format\":\"x\""),
            ("\"scope\":", "\"scape\":"),
        ] {
            let error = read(&text.replace(from, to)).unwrap_err();
            assert!(matches!(error, CaptureError::Unreadable { .. }), "{error}");
        }
    }
}
