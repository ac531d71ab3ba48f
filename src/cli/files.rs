//! Saved documents: plans, inventories, audits.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use serde_json::error::Category;
use serde_json::{Map, Value};

use super::console::Console;
use super::error::{CliError, ErrorCode};
use crate::engine::capture::{MEMBER, Members};
use crate::render::{API_VERSION, Next, format};

/// A saved document may be so large: a plan of a million releases is about half of it.
const MAX_BYTES: u64 = 2 << 30;

/// A path as a user typed it.
pub fn name(path: &Path) -> String {
    path.display().to_string()
}

/// An object's text may be so large: etcd takes 1.5 MB, and YAML and a `List` around it do not make it ten times more.
const MAX_TEXT_BYTES: u64 = 16 << 20;

/// Reads a text; `-` is stdin.
pub fn text(file: &str, console: &mut Console) -> Result<String, CliError> {
    let failed = |error: &io::Error| {
        CliError::new(ErrorCode::FileFailed, format!("{file} cannot be read"))
            .because(error.to_string())
    };
    let mut text = String::new();
    if file == "-" {
        console
            .input()
            .take(MAX_TEXT_BYTES + 1)
            .read_to_string(&mut text)
    } else {
        File::open(file)
            .and_then(|opened| opened.take(MAX_TEXT_BYTES + 1).read_to_string(&mut text))
    }
    .map_err(|error| failed(&error))?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > MAX_TEXT_BYTES {
        return Err(CliError::new(
            ErrorCode::FileInvalid,
            format!("{file} is larger than 16 MiB"),
        )
        .because("no object of Kubernetes is"));
    }
    Ok(text)
}

/// Reads a document of a kind; `-` is stdin.
pub fn read<T, E: std::fmt::Display>(
    path: &Path,
    kind: &str,
    parse: impl Fn(&Value) -> Result<T, E>,
) -> Result<T, CliError> {
    let file = name(path);
    let value = document(&file, kind, &bytes(path)?)?;
    parse(&value).map_err(|error| {
        CliError::new(
            ErrorCode::FileInvalid,
            format!("{file} is not a {kind} that this refit understands"),
        )
        .because(error.to_string())
    })
}

/// Checks that these bytes are a document of one of several kinds, the first of which is the wanted one in messages.
pub fn document_of(file: &str, kinds: &[&str], bytes: &[u8]) -> Result<Value, CliError> {
    let mut refused = None;
    for kind in kinds {
        match document(file, kind, bytes) {
            Ok(value) => return Ok(value),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or_else(|| CliError::internal("no kind of document is wanted")))
}

/// The bytes of a file, within bounds; `-` is stdin.
pub fn bytes(path: &Path) -> Result<Vec<u8>, CliError> {
    let file = name(path);
    let failed = |error: &io::Error| {
        CliError::new(ErrorCode::FileFailed, format!("{file} cannot be read"))
            .because(error.to_string())
    };
    let mut bytes = Vec::new();
    if file == "-" {
        io::stdin()
            .lock()
            .take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|opened| opened.take(MAX_BYTES + 1).read_to_end(&mut bytes))
    }
    .map_err(|error| failed(&error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_BYTES {
        return Err(CliError::new(
            ErrorCode::FileInvalid,
            format!("{file} is larger than 2 GiB"),
        )
        .because("no document of refit is"));
    }
    Ok(bytes)
}

/// Checks that these bytes are a document of a kind.
pub fn document(file: &str, kind: &str, bytes: &[u8]) -> Result<Value, CliError> {
    checked(file, kind, parsed(file, bytes)?)
}

fn parsed(file: &str, bytes: &[u8]) -> Result<Value, CliError> {
    // What clusters answered is most of a saved inventory, and only forecasts read it.
    let mut members = members(file, bytes)?;
    members.remove(MEMBER);
    let mut document = Map::new();
    for (key, text) in members {
        let value = serde_json::from_str(text.get()).map_err(|error| not_json(file, &error))?;
        document.insert(key, value);
    }
    Ok(Value::Object(document))
}

/// The members of a document, unread.
pub fn members<'a>(file: &str, bytes: &'a [u8]) -> Result<Members<'a>, CliError> {
    serde_json::from_slice(bytes).map_err(|error| not_json(file, &error))
}

fn not_json(file: &str, error: &serde_json::Error) -> CliError {
    let what = match error.classify() {
        Category::Eof => format!("{file} is cut off: it ends in the middle of a document"),
        Category::Data => format!("{file} is no document of refit: it is no JSON object"),
        Category::Syntax | Category::Io => format!("{file} is not JSON"),
    };
    CliError::new(ErrorCode::FileInvalid, what)
        .at(format!("{file}:{}:{}", error.line(), error.column()))
        .because(error.to_string())
}

/// Checks what a document says it is.
pub fn checked(file: &str, kind: &str, value: Value) -> Result<Value, CliError> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    match (text("apiVersion"), text("kind")) {
        (Some(API_VERSION), Some(found)) if found == kind => Ok(value),
        (Some(API_VERSION), Some(found)) => Err(wrong_kind(file, found, kind)),
        (Some(version), _) => Err(CliError::new(
            ErrorCode::FileInvalid,
            format!("{file} is a document of {version}, not of {API_VERSION}"),
        )),
        (None, _) => Err(CliError::new(
            ErrorCode::FileInvalid,
            format!("{file} is no document of refit: it has no apiVersion"),
        )),
    }
}

/// A document of another kind, and the verb that makes the right one of it.
pub fn wrong_kind(file: &str, found: &str, kind: &str) -> CliError {
    let error = CliError::new(
        ErrorCode::WrongKind,
        format!("{file} is a {found}; a {kind} is needed here"),
    );
    match (found, kind) {
        ("ReleaseList", "Plan") => error.next(Next::PlanFrom {
            inventory: file.to_owned(),
        }),
        ("Plan", _) => error.next(Next::Show {
            plan: file.to_owned(),
        }),
        _ => error,
    }
}

/// Writes a document whole or not at all.
pub fn write(path: &Path, document: &Value) -> Result<(), CliError> {
    write_text(path, &format::json(document))
}

/// The same on one line: of a whole fleet's managedFields, blanks would be most of the file.
pub fn write_compact(path: &Path, document: &Value) -> Result<(), CliError> {
    write_text(path, &format!("{document}\n"))
}

/// Writes a text whole or not at all: beside its place, then renamed.
pub fn write_text(path: &Path, text: &str) -> Result<(), CliError> {
    beside(path, &mut OpenOptions::new(), &mut |to| {
        to.write_all(text.as_bytes())
    })
}

/// The same part by part, into a file that only its owner may read (mode 0600).
pub fn write_private(
    path: &Path,
    write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> Result<(), CliError> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, OWNERS_ONLY);
    beside(path, &mut options, write)
}

/// Read and written by nobody but the owner.
#[cfg(unix)]
const OWNERS_ONLY: u32 = 0o600;

fn beside(
    path: &Path,
    options: &mut OpenOptions,
    write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> Result<(), CliError> {
    let file = name(path);
    let failed = |error: &io::Error| {
        CliError::new(ErrorCode::FileFailed, format!("{file} cannot be written"))
            .because(error.to_string())
    };
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = std::path::PathBuf::from(beside);
    // What a process of this number left behind may have another mode.
    let _ = std::fs::remove_file(&beside);
    let opened = options.write(true).create_new(true).open(&beside);
    let written = opened.and_then(|opened| {
        let mut buffered = BufWriter::new(opened);
        write(&mut buffered)?;
        buffered.into_inner()?.sync_all()?;
        std::fs::rename(&beside, path)
    });
    written.map_err(|error| {
        // What is left of the attempt is of no use; if it cannot be removed, the first error says more.
        let _ = std::fs::remove_file(&beside);
        failed(&error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn take(value: &Value) -> Result<u64, String> {
        value["n"].as_u64().ok_or_else(|| "n is missing".to_owned())
    }

    #[test]
    fn a_document_reads_back_and_leaves_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let document = json!({"apiVersion": API_VERSION, "kind": "Plan", "n": 3});
        write(&path, &document).unwrap();
        write(&path, &document).unwrap();
        assert_eq!(read(&path, "Plan", take).unwrap(), 3);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let error = read(&path, "ReleaseList", take).unwrap_err();
        assert_eq!(error.code, ErrorCode::WrongKind);
    }

    #[test]
    fn every_wrong_file_has_its_word() {
        let code = |bytes: &str| document("f", "Plan", bytes.as_bytes()).unwrap_err().code;
        assert_eq!(code("{"), ErrorCode::FileInvalid);
        assert_eq!(code("[]"), ErrorCode::FileInvalid);
        assert_eq!(
            code(r#"{"apiVersion":"refit.dev/v9","kind":"Plan"}"#),
            ErrorCode::FileInvalid
        );
        assert_eq!(
            code(r#"{"apiVersion":"refit.dev/v1","kind":"Audit"}"#),
            ErrorCode::WrongKind
        );
        let folder = tempfile::tempdir().unwrap();
        let missing = read(&folder.path().join("x"), "Plan", take).unwrap_err();
        assert_eq!(missing.code, ErrorCode::FileFailed);
        let nowhere = write(&folder.path().join("no/such/x"), &json!({})).unwrap_err();
        assert_eq!(nowhere.code, ErrorCode::FileFailed);
    }
}
