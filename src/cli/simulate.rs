//! `refit fields simulate`: what the server would answer, request by request, without a server.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};

use managed_fields::{Schema, Time};

use super::console::Console;
use super::context::Ctx;
use super::error::{CliError, ErrorCode};
use super::exit::Exit;
use crate::domain::fields::simulate::{Answer, Request};

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # Would applying config conflict with an owner of live?
  refit fields simulate --jsonl < requests.jsonl | jq -c '.conflicts'

  # A request; openapi is what kubectl get --raw /openapi/v3/apis/apps/v1 prints
  {\"op\": \"apply\", \"openapi\": [\"apps-v1.json\"], \"manager\": \"helm\", \"live\": {...}, \"config\": {...}}";

/// A line may be so long: two objects of the largest size that etcd takes, with room for escapes.
const MAX_LINE: usize = 16 << 20;

/// An OpenAPI document may be so large: the whole of `/openapi/v2` with hundreds of CRDs is some 20 MB. A device that
/// never ends is refused, too.
const MAX_DOCUMENT: u64 = 256 << 20;

/// So many sets of documents are kept parsed; a set is some 10 MB.
const SCHEMAS_KEPT: usize = 16;

/// Reads requests from stdin, one JSON object a line, and answers each with one line: what server-side apply would do.
///
/// A request: `{"op":"apply|update|csa", "openapi":[files], "manager", "subresource", "force", "live", "config",
/// "csaManagers":[names], "ignore":[paths], "flavor":"original|fixed", "now"}`. Its answer: `{"object", "managedFields",
/// "conflicts":[{"manager","message","field"}], "error", "patch"}`, in the server's words; what does not apply is left
/// out; members that are null are as if left out. A line that does not read is answered with an error, and the next one
/// is read. Needs no cluster; 0 writes.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// One request a line, one answer a line: the only form there is
    #[arg(long, required = true)]
    pub jsonl: bool,
}

/// Answers until stdin ends. Exit code 0 also if requests were refused: each answer says so itself.
pub fn exec(_: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let mut schemas = Schemas::default();
    while let Some(line) = next_line(&mut ctx.console)? {
        let answer = match line {
            Line::Text(line) if line.iter().all(u8::is_ascii_whitespace) => continue,
            Line::Text(line) => answer(&line, &mut schemas, ctx),
            Line::TooLong => Answer::error("the line is longer than 16 MiB"),
        };
        let mut text = serde_json::to_string(&answer).map_err(|error| {
            CliError::internal("an answer cannot be written").because(error.to_string())
        })?;
        text.push('\n');
        ctx.console.out(&text)?;
    }
    Ok(Exit::Ok)
}

enum Line {
    Text(Vec<u8>),
    TooLong,
}

/// The next line without its end; of one that is too long nothing is kept.
fn next_line(console: &mut Console) -> Result<Option<Line>, CliError> {
    let failed = |error: &std::io::Error| {
        CliError::new(ErrorCode::FileFailed, "stdin cannot be read").because(error.to_string())
    };
    let mut line = Vec::new();
    let mut read = |line: &mut Vec<u8>| {
        let mut input = console.input().take(MAX_LINE as u64);
        input
            .read_until(b'\n', line)
            .map_err(|error| failed(&error))
    };
    if read(&mut line)? == 0 {
        return Ok(None);
    }
    let is_whole = |line: &[u8]| line.ends_with(b"\n") || line.len() < MAX_LINE;
    if is_whole(&line) {
        return Ok(Some(Line::Text(line)));
    }
    while !is_whole(&line) {
        line.clear();
        read(&mut line)?;
    }
    Ok(Some(Line::TooLong))
}

fn answer(line: &[u8], schemas: &mut Schemas, ctx: &Ctx) -> Answer {
    let request = match Request::read(line) {
        Ok(request) => request,
        Err(words) => return Answer::error(words),
    };
    let Ok(now) = Time::from_unix(ctx.now().as_second()) else {
        return Answer::error("the clock is out of range");
    };
    match schemas.of(&request.openapi) {
        Ok(schema) => request.answer(schema, now),
        Err(words) => Answer::error(words),
    }
}

/// Schemas by the files that they were read from.
#[derive(Default)]
struct Schemas(BTreeMap<Vec<String>, Schema>);

impl Schemas {
    fn of(&mut self, files: &[String]) -> Result<&Schema, String> {
        if self.0.len() >= SCHEMAS_KEPT && !self.0.contains_key(files) {
            self.0.clear();
        }
        match self.0.entry(files.to_vec()) {
            std::collections::btree_map::Entry::Occupied(known) => Ok(known.into_mut()),
            std::collections::btree_map::Entry::Vacant(free) => Ok(free.insert(read(files)?)),
        }
    }
}

fn read(files: &[String]) -> Result<Schema, String> {
    if files.is_empty() {
        return Ok(Schema::deduced());
    }
    let mut documents = Vec::new();
    for file in files {
        let mut bytes = Vec::new();
        std::fs::File::open(file)
            .and_then(|opened| opened.take(MAX_DOCUMENT + 1).read_to_end(&mut bytes))
            .map_err(|error| format!("{file} cannot be read: {error}"))?;
        if bytes.len() as u64 > MAX_DOCUMENT {
            return Err(format!("{file} is larger than 256 MiB"));
        }
        let document: serde_json::Value = serde_json::from_slice(&bytes)
            .map_err(|error| format!("{file} is not JSON: {error}"))?;
        documents.push(document);
    }
    Schema::from_openapi(&documents).map_err(|error| format!("{}: {error}", files.join(", ")))
}
