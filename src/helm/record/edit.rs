//! Changes to a record that leave every other byte of it alone.
use super::{ApplyMethod, FIELDS, INFO_FIELDS, Record, RecordError, Status, present};
use crate::helm::json_text::{Members, string};

/// A change to a record: what is none stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// New number of the revision.
    pub revision: Option<u32>,
    /// New state.
    pub status: Option<Status>,
    /// New apply method; `Some(None)` removes it.
    pub apply_method: Option<Option<ApplyMethod>>,
    /// New log line.
    pub description: Option<String>,
    /// New time of deployment, RFC 3339 with no zeros at the end of the fraction (as Go prints it).
    pub last_deployed: Option<String>,
    /// Forget that the revision was a rollback.
    pub no_rollback_revision: bool,
}

impl Record {
    /// The record with `edit` done to it. Every member that the edit does not name keeps its bytes.
    pub fn with(&self, edit: &Edit) -> Result<Self, RecordError> {
        let mut members = Members::parse(&self.json).map_err(RecordError::Json)?;
        let info_text = present(&members, "info")
            .ok_or(RecordError::Missing { field: "info" })?
            .to_owned();
        let mut info = Members::parse(&info_text).map_err(|fault| RecordError::Field {
            field: "info",
            fault,
        })?;
        let mut put = |key: &str, value: String| info.set(key, value, &INFO_FIELDS);
        if let Some(time) = &edit.last_deployed {
            put("last_deployed", string(time));
        }
        if let Some(description) = &edit.description {
            put("description", string(description));
        }
        if let Some(status) = &edit.status {
            put("status", string(status.as_str()));
        }
        if edit.no_rollback_revision {
            info.remove("rollback_revision");
        }
        members.set("info", info.text(), &FIELDS);
        if let Some(revision) = edit.revision {
            members.set("version", revision.to_string(), &FIELDS);
        }
        match &edit.apply_method {
            Some(Some(method)) => members.set("apply_method", string(method.as_str()), &FIELDS),
            Some(None) => members.remove("apply_method"),
            None => {}
        }
        Self::from_json(members.text())
    }
}
