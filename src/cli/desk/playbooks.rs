//! The folder `playbooks/` beside fleet.toml, and a playbook for the fleet that names it.

use std::path::Path;

use super::look;
use crate::cli::context::Invocation;
use crate::cli::error::{CliError, ErrorCode};
use crate::config::PlaybookText;
use crate::playbook::{Library, OwnFile, PlaybookError};

/// The folder's name.
const FOLDER: &str = "playbooks";

/// Files of the folder that are read at most: nobody chooses from more.
const MAX_FILES: usize = 200;

/// A file is not read past this; the library refuses less.
const MAX_BYTES: u64 = 1 << 20;

/// The library of the fleet that this call is about.
pub fn of_call(invocation: &Invocation) -> Result<Library, CliError> {
    let file = look::fleet_file(&invocation.globals);
    let folder = file.as_deref().and_then(Path::parent);
    library(folder.unwrap_or(Path::new("")))
}

/// The built-in playbooks and those of a folder beside fleet.toml, if there is one.
pub fn library(folder: &Path) -> Result<Library, CliError> {
    let folder = folder.join(FOLDER);
    if !folder.is_dir() {
        return Ok(Library::with(Vec::new()));
    }
    let failed = |path: &Path, error: &std::io::Error| {
        CliError::new(
            ErrorCode::FileFailed,
            format!("cannot read {}", path.display()),
        )
        .because(error.to_string())
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(|error| failed(&folder, &error))? {
        let path = entry.map_err(|error| failed(&folder, &error))?.path();
        if path.extension().is_some_and(|ending| ending == "toml") && path.is_file() {
            paths.push(path);
        }
    }
    if paths.len() > MAX_FILES {
        return Err(CliError::new(
            ErrorCode::FileInvalid,
            format!("{} has {} playbooks", folder.display(), paths.len()),
        )
        .because(format!("at most {MAX_FILES} are read")));
    }
    paths.sort();
    let mut own = Vec::new();
    for path in paths {
        let mut text = String::new();
        let read = std::fs::File::open(&path).and_then(|opened| {
            use std::io::Read as _;
            opened.take(MAX_BYTES).read_to_string(&mut text)
        });
        read.map_err(|error| failed(&path, &error))?;
        own.push(OwnFile {
            name: path
                .file_stem()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            file: path.display().to_string(),
            text,
        });
    }
    Ok(Library::with(own))
}

/// A playbook as `config` takes it.
pub fn text_of(library: &Library, name: &str) -> Result<PlaybookText, String> {
    match library.get(name) {
        Ok(playbook) => Ok(PlaybookText {
            name: playbook.name.clone(),
            file: playbook.origin.file(&playbook.name),
            text: playbook.source.clone(),
        }),
        Err(error @ PlaybookError::Unknown { .. }) => Err(error.to_string()),
        Err(PlaybookError::Invalid { name, source }) => {
            let first = source.lines().into_iter().next().unwrap_or_default();
            Err(format!(
                "playbook {name} cannot be used, {source}: {first}; refit playbook show {name} lists them"
            ))
        }
    }
}
