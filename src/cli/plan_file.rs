//! Saved plans: read with the domain's eyes, which see what was edited.

use std::path::Path;

use super::error::{CliError, ErrorCode};
use super::{VERSION, files};
use crate::domain::plan::{Plan, PlanRefused, PlanUnreadable};
use crate::render::Next;

/// Reads a plan. It may be expired or another tool's: `run` checks that.
pub fn read(path: &Path) -> Result<Plan, CliError> {
    let file = files::name(path);
    let bytes = files::bytes(path)?;
    Plan::parse(&String::from_utf8_lossy(&bytes)).map_err(|error| refuse(&file, &error))
}

/// Writes a plan whole or not at all. The same plan gives the same bytes.
pub fn write(path: &Path, plan: &Plan) -> Result<(), CliError> {
    let text = plan
        .to_json()
        .map_err(|error| CliError::of(ErrorCode::Internal, &error))?;
    files::write_text(path, &text)
}

/// Why a run refuses a plan, with what to do.
pub fn refused(refused: &PlanRefused, file: &str) -> CliError {
    let again = Next::PlanSave {
        plan: file.to_owned(),
    };
    match refused {
        PlanRefused::Edited {
            place,
            stated,
            content,
        } => CliError::new(
            ErrorCode::PlanEdited,
            format!("{file} was edited after it was made"),
        )
        .at(format!("{place}   digest {stated}, content {content}"))
        .because("what a plan says is what runs, so a changed plan is refused")
        .next("change fleet.toml instead, then plan again")
        .next(again),
        PlanRefused::Expired { start_before } => CliError::new(
            ErrorCode::PlanExpired,
            format!("{file} had to be started before {start_before}"),
        )
        .at("/metadata/startBefore")
        .next(Next::PlanRefresh {
            plan: file.to_owned(),
        }),
        PlanRefused::ForeignTool { .. } => CliError::of(ErrorCode::PlanOfOtherTool, refused)
            .at("/metadata/tool")
            .next(again),
        PlanRefused::OtherPlan { .. } | PlanRefused::Broken { .. } => {
            CliError::of(ErrorCode::PlanEdited, refused).next(again)
        }
    }
}

/// What somebody who reads the plan should know before he signs it: that no run would take it. Its start date is in the plan.
pub fn doubt(plan: &Plan, file: &str) -> Option<String> {
    let why = match plan.clone().check(None, VERSION, None) {
        Ok(_) => return None,
        Err(PlanRefused::Edited { place, .. }) => {
            format!("{file} was edited after it was made, at {place}")
        }
        Err(other) => format!("{file}: {other}"),
    };
    Some(format!(
        "{why}: it is shown as it is now, and run refuses it"
    ))
}

fn refuse(file: &str, error: &PlanUnreadable) -> CliError {
    let again = Next::PlanSave {
        plan: file.to_owned(),
    };
    match error {
        PlanUnreadable::NotJson {
            line,
            column,
            message,
        } => CliError::new(ErrorCode::FileInvalid, format!("{file} is not JSON"))
            .at(format!("{file}:{line}:{column}"))
            .because(message),
        PlanUnreadable::WrongKind { found: Some(found) } => files::wrong_kind(file, found, "Plan"),
        PlanUnreadable::WrongKind { found: None } => CliError::new(
            ErrorCode::FileInvalid,
            format!("{file} is no document of refit"),
        )
        .next(again),
        PlanUnreadable::WrongVersion { .. } => {
            CliError::new(ErrorCode::PlanOfOtherTool, format!("{file} cannot be read"))
                .at("/apiVersion")
                .because(error.to_string())
                .next(again)
        }
        PlanUnreadable::Shape {
            line,
            column,
            message,
            tool,
        } => {
            let (code, why) = match tool {
                Some(tool) if tool != VERSION => (
                    ErrorCode::PlanOfOtherTool,
                    format!("refit {tool} made it; this is {VERSION}"),
                ),
                _ => (
                    ErrorCode::FileInvalid,
                    "a part is missing or wrong".to_owned(),
                ),
            };
            CliError::new(
                code,
                format!("{file} is not a plan that this refit understands"),
            )
            .at(format!("{file}:{line}:{column}   {message}"))
            .because(why)
            .next(again)
        }
        PlanUnreadable::Foreign { place, .. } => CliError::new(
            ErrorCode::PlanEdited,
            format!("{file} was edited after it was made"),
        )
        .at(place)
        .next("change fleet.toml instead, then plan again")
        .next(again),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn code(change: impl Fn(&mut Value)) -> &'static str {
        let plan = crate::render::screen::plan::tests::acme();
        let mut value: Value = serde_json::from_str(&plan.to_json().unwrap()).unwrap();
        change(&mut value);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.json");
        files::write(&path, &value).unwrap();
        read(&path).map_or_else(|error| error.code.word(), |_| "ok")
    }

    #[test]
    fn every_wrong_plan_has_its_word() {
        assert_eq!(code(|_| {}), "ok");
        assert_eq!(
            code(|plan| plan["kind"] = json!("ReleaseList")),
            "WrongKind"
        );
        assert_eq!(
            code(|plan| plan["apiVersion"] = json!("refit.dev/v2")),
            "PlanOfOtherTool"
        );
        assert_eq!(
            code(|plan| plan["waves"][0]["hidden"] = json!(1)),
            "PlanEdited"
        );
        assert_eq!(code(|plan| plan["waves"] = json!(3)), "FileInvalid");
        let other = |plan: &mut Value| {
            plan["metadata"]["tool"] = json!("9.9.9");
            plan["waves"] = json!(3);
        };
        assert_eq!(code(other), "PlanOfOtherTool");
        assert_eq!(code(|plan| *plan = json!([])), "FileInvalid");
    }

    #[test]
    fn a_plan_reads_back() {
        let plan = crate::render::screen::plan::tests::acme();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.json");
        write(&path, &plan).unwrap();
        assert_eq!(read(&path).unwrap(), plan);
    }
}
