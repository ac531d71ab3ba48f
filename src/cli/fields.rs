//! `refit fields`: who owns which field of an object.

use std::path::Path;

use super::context::Ctx;
use super::error::{CliError, ErrorCode};
use super::exit::Exit;
use super::files;
use super::object_name::{NotAnObject, ObjectName};
use super::simulate;
use crate::domain::fields::{FieldsError, Who, field_owners};
use crate::engine::fields::object_of_text;
use crate::render::screen::fields::FieldsScreen;

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # Who owns what, of an object in a cluster
  refit fields eu-1/shop/deployment/checkout

  # Without a cluster: what kubectl prints
  kubectl get deploy checkout -o yaml --show-managed-fields | refit fields -

  # One field: a line an owner, exit code 2 if nobody owns it
  refit fields eu-1/shop/deployment/checkout --who .spec.replicas

  # For scripts: a line a field and owner
  refit fields checkout.yaml --flat --no-headers";

/// Shows who owns which field of an object, since when, and what stands there. Values of Secrets are hidden.
///
/// A tree on a terminal: a branch whose fields all have the same owners is folded. One line a field and owner when
/// piped. Only owned fields are listed: defaults have no owner.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    /// Instead of an object's owners.
    #[command(subcommand)]
    pub other: Option<Other>,

    /// An object's file (JSON or YAML), - for stdin, or cluster/namespace/kind/name (cluster/kind/name if the kind
    /// has no namespaces); kinds as in kubectl
    #[arg(value_name = "OBJECT", required = true)]
    pub object: Option<String>,

    /// Only the owners of this field, a line each; exit code 2 if nobody owns it
    #[arg(long, value_name = "PATH", conflicts_with_all = ["flat", "all"])]
    pub who: Option<String>,

    /// Full paths, also on a terminal
    #[arg(long)]
    pub flat: bool,

    /// Open folded branches, and show who owns the branches themselves
    #[arg(long)]
    pub all: bool,
}

/// What else the verb does.
#[expect(
    missing_docs,
    reason = "a text here would stand in the help instead of the one at its Args"
)]
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Other {
    Simulate(simulate::Args),
}

/// Shows the owners.
pub async fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    match (&args.other, &args.object) {
        (Some(Other::Simulate(args)), _) => simulate::exec(args, ctx),
        (None, Some(object)) => show(args, object, ctx).await,
        (None, None) => Err(CliError::usage("fields needs an object")),
    }
}

async fn show(args: &Args, named: &str, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let is_text = named == "-" || Path::new(named).is_file();
    let object = if is_text {
        let text = files::text(named, &mut ctx.console)?;
        object_of_text(&text).map_err(|error| invalid(named, &error))?
    } else {
        let name: ObjectName = named.parse().map_err(|error: NotAnObject| {
            CliError::usage(error.to_string()).because(format!("there is no file {named}"))
        })?;
        let backend = ctx.backend();
        let fleet = backend.fleet(&ctx.invocation)?;
        backend.object(&ctx.invocation, &fleet, &name).await?
    };
    let owners = field_owners(&object).map_err(|error| match error {
        FieldsError::NoManagedFields if is_text => invalid(named, &error)
            .because("kubectl leaves them out unless it is told not to")
            .next("kubectl get KIND NAME -o yaml --show-managed-fields | refit fields -"),
        FieldsError::NoManagedFields => CliError::of(ErrorCode::NothingFound, &error)
            .because("the server keeps no book of it: nobody owns anything until it is applied"),
        error => invalid(named, &error),
    })?;
    let screen = FieldsScreen {
        owners: &owners,
        now: ctx.now(),
        flat: args.flat,
        all: args.all,
        live: !is_text,
    };
    let Some(typed) = &args.who else {
        ctx.show(&screen.document())?;
        return Ok(Exit::Ok);
    };
    match owners.who(typed) {
        Who::Owned(nodes) => {
            ctx.show(&screen.who(&nodes))?;
            Ok(Exit::Ok)
        }
        Who::Nobody(near) => {
            ctx.show(&screen.nobody(typed, &near))?;
            Ok(Exit::Findings)
        }
    }
}

fn invalid(named: &str, error: &dyn std::error::Error) -> CliError {
    let mut made = CliError::of(ErrorCode::FileInvalid, error);
    let file = if named == "-" { "stdin" } else { named };
    let words = std::mem::replace(&mut made.what, format!("{file} shows no owners"));
    made.why.insert(0, words);
    made
}
