//! Flags that every verb takes, spelled as in kubectl and helm.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::scope::{Glob, Selector};
use crate::render::Format;
use crate::render::paint::ColorChoice;

/// Flags of all verbs.
#[derive(Debug, Clone, Default, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// The fleet's file; without one, looking verbs read the kubeconfig's contexts
    #[arg(short = 'f', long, global = true, value_name = "FILE")]
    pub fleet: Option<PathBuf>,

    /// Read this kubeconfig instead of KUBECONFIG
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Only contexts of the kubeconfig that match this glob; repeatable
    #[arg(
        long = "context",
        alias = "kube-context",
        global = true,
        value_name = "GLOB",
        action = ArgAction::Append
    )]
    pub contexts: Vec<Glob>,

    /// Only clusters of the fleet whose name matches this glob; repeatable
    #[arg(long = "cluster", global = true, value_name = "GLOB", action = ArgAction::Append)]
    pub clusters: Vec<Glob>,

    /// Only releases of this namespace; repeatable. The context's own namespace never narrows a fleet
    #[arg(short = 'n', long = "namespace", global = true, value_name = "NAME", action = ArgAction::Append)]
    pub namespaces: Vec<String>,

    /// All namespaces: the default; overrides -n
    #[arg(short = 'A', long, global = true)]
    pub all_namespaces: bool,

    /// Only clusters whose labels match, as in kubectl: env=prod,region!=us,tier in (a,b),!legacy
    #[arg(short = 'l', long, global = true, value_name = "SELECTOR")]
    pub selector: Option<Selector>,

    /// Output format
    #[arg(short = 'o', long, global = true, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    pub output: Format,

    /// Print no heads above tables
    #[arg(long, global = true)]
    pub no_headers: bool,

    /// Sort by a column's head (REV) or a path of the JSON item (.chart.version)
    #[arg(long, global = true, value_name = "KEY")]
    pub sort_by: Option<String>,

    /// When to use colour; NO_COLOR, CLICOLOR_FORCE and TERM=dumb are heeded
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub color: ColorChoice,

    /// Say more on stderr: -v what is done, -vv every request, -vvv everything
    #[arg(short = 'v', long, global = true, action = ArgAction::Count)]
    pub verbose: u8,

    /// Behave as if there were no terminal: plain lines, no questions, nothing rewritten
    #[arg(long, global = true)]
    pub no_tty: bool,

    /// End with exit code 2 if there are findings (held releases, unreachable clusters, work to do)
    #[arg(long, global = true)]
    pub detailed_exitcode: bool,
}

/// Answers given beforehand to a writing verb's question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct WriteArgs {
    /// Do not ask; where the fleet's name is asked for, --confirm must give it too
    #[arg(long)]
    pub yes: bool,

    /// The fleet's name, for verbs that touch clusters labelled env=prod
    #[arg(long, value_name = "FLEET")]
    pub confirm: Option<String>,
}
