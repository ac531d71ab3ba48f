//! Which requests reached the API server: its audit log, read and counted.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Deserialize;

use crate::{Api, Error};

/// The log line of a request is written before its handler returns; this covers a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// The verbs that change something.
const MUTATING: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];

/// One answered request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it came in.
    pub at: Timestamp,
    /// When it was answered.
    pub done: Timestamp,
    /// The API's verb: `get`, `list`, `create`, `update`, `patch`, `delete`, `deletecollection`, for other paths the HTTP method in lower case.
    pub verb: String,
    /// API group; empty for the core group.
    pub group: String,
    /// Resource in plural; empty for paths that are no resource.
    pub resource: String,
    /// Subresource, or empty.
    pub subresource: String,
    /// Namespace, or empty.
    pub namespace: String,
    /// Object name, or empty.
    pub name: String,
    /// Who asked.
    pub user: String,
    /// The client's name for itself.
    pub user_agent: String,
    /// Path and query.
    pub uri: String,
    /// The HTTP status of the answer.
    pub code: u16,
}

impl Entry {
    /// Whether it asked for a rehearsal only (`dryRun=All` in the URI; a body's `dryRun` is not in the log).
    pub fn is_dry_run(&self) -> bool {
        self.uri
            .split(['?', '&'])
            .any(|part| part.starts_with("dryRun="))
    }

    /// Whether it changed something: a mutating verb, no dry run, answered 2xx. Access reviews are POSTs that store nothing.
    pub fn is_write(&self) -> bool {
        MUTATING.contains(&self.verb.as_str())
            && !self.is_dry_run()
            && (200..300).contains(&self.code)
            && !matches!(
                self.group.as_str(),
                "authorization.k8s.io" | "authentication.k8s.io"
            )
    }
}

/// Answered requests, in the order of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditLog {
    /// The requests.
    pub entries: Vec<Entry>,
}

impl AuditLog {
    /// Reads the log up to a marker request of its own, so that every request answered before is in it.
    pub(crate) fn read(path: &Path, api: &Api) -> Result<Self, Error> {
        let before = fs::metadata(path).map_or(0, |meta| meta.len());
        let marker = format!("/version?marker={before}-{}", std::process::id());
        api.get(&marker)?;
        let start = Instant::now();
        loop {
            let log = Self::parse(&fs::read(path).map_err(Error::file("read", path))?)?;
            if let Some(end) = log.entries.iter().rposition(|entry| entry.uri == marker) {
                let mut log = log;
                log.entries.truncate(end);
                return Ok(log);
            }
            if start.elapsed() > PATIENCE {
                return Err(Error::NotReady {
                    what: format!("the audit log {}", path.display()),
                    after: start.elapsed(),
                    last: format!("{marker} is not in it"),
                    log: String::new(),
                });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Parses the text of a log; an unfinished last line is left out.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        let end = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let lines = text[..end]
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        let entries = lines
            .map(|line| serde_json::from_slice::<Event>(line).map(Entry::from))
            .collect::<Result<_, _>>()
            .map_err(|source| Error::Json {
                what: "a line of the audit log".into(),
                source,
            })?;
        Ok(Self { entries })
    }

    /// The requests that pass the test.
    #[must_use]
    pub fn filter(&self, keep: impl Fn(&Entry) -> bool) -> Self {
        Self {
            entries: self
                .entries
                .iter()
                .filter(|entry| keep(entry))
                .cloned()
                .collect(),
        }
    }

    /// The requests of clients whose user agent starts so (`refit/`, `Helm/`, `kubectl/`).
    #[must_use]
    pub fn by_agent(&self, prefix: &str) -> Self {
        self.filter(|entry| entry.user_agent.starts_with(prefix))
    }

    /// The requests that came in at `from` or later and before `to`.
    #[must_use]
    pub fn between(&self, from: Timestamp, to: Timestamp) -> Self {
        self.filter(|entry| (from..to).contains(&entry.at))
    }

    /// The requests after the first `count`: with the length of an earlier reading, what came since.
    #[must_use]
    pub fn since(&self, count: usize) -> Self {
        Self {
            entries: self.entries.get(count..).unwrap_or_default().to_vec(),
        }
    }

    /// The requests that changed something: mutating, no dry run, answered 2xx.
    #[must_use]
    pub fn writes(&self) -> Self {
        self.filter(Entry::is_write)
    }

    /// How many there are with this verb and resource; `""` stands for any.
    pub fn count(&self, verb: &str, resource: &str) -> usize {
        let fits = |want: &str, have: &str| want.is_empty() || want == have;
        self.entries
            .iter()
            .filter(|entry| fits(verb, &entry.verb) && fits(resource, &entry.resource))
            .count()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// An event as the API server writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    request_received_timestamp: Timestamp,
    stage_timestamp: Timestamp,
    verb: String,
    #[serde(rename = "requestURI")]
    request_uri: String,
    user: Subject,
    #[serde(default)]
    user_agent: String,
    #[serde(default)]
    object_ref: ObjectRef,
    #[serde(default)]
    response_status: ResponseStatus,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    username: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ObjectRef {
    api_group: String,
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ResponseStatus {
    code: u16,
}

impl From<Event> for Entry {
    fn from(event: Event) -> Self {
        Self {
            at: event.request_received_timestamp,
            done: event.stage_timestamp,
            verb: event.verb,
            group: event.object_ref.api_group,
            resource: event.object_ref.resource,
            subresource: event.object_ref.subresource,
            namespace: event.object_ref.namespace,
            name: event.object_ref.name,
            user: event.user.username,
            user_agent: event.user_agent,
            uri: event.request_uri,
            code: event.response_status.code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(verb: &str, uri: &str, code: u16) -> Entry {
        Entry {
            at: Timestamp::UNIX_EPOCH,
            done: Timestamp::UNIX_EPOCH,
            verb: verb.into(),
            group: String::new(),
            resource: "configmaps".into(),
            subresource: String::new(),
            namespace: "default".into(),
            name: "x".into(),
            user: "admin".into(),
            user_agent: "refit/0.1".into(),
            uri: uri.into(),
            code,
        }
    }

    #[test]
    fn only_accepted_real_mutations_are_writes() {
        let path = "/api/v1/namespaces/default/configmaps/x";
        assert!(entry("patch", path, 200).is_write());
        assert!(entry("patch", &format!("{path}?force=true"), 201).is_write());
        assert!(!entry("patch", &format!("{path}?force=true&dryRun=All"), 200).is_write());
        assert!(!entry("patch", path, 409).is_write());
        assert!(!entry("get", path, 200).is_write());
        let review = Entry {
            group: "authorization.k8s.io".into(),
            ..entry("create", path, 201)
        };
        assert!(!review.is_write());
    }

    #[test]
    fn an_unfinished_line_waits_for_its_end() {
        let line = r#"{"requestReceivedTimestamp":"2026-01-02T03:04:05.000006Z","stageTimestamp":"2026-01-02T03:04:05.000016Z","verb":"get","requestURI":"/version","user":{"username":"admin"},"responseStatus":{"code":200}}"#;
        let text = format!("{line}\n{}", &line[..40]);
        assert_eq!(AuditLog::parse(text.as_bytes()).unwrap().len(), 1);
        assert!(AuditLog::parse(b"{}\n").is_err());
    }
}
