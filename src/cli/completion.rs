//! `refit completion`: a script that completes refit's verbs and flags.

use clap::CommandFactory;

use super::context::Ctx;
use super::error::CliError;
use super::exit::Exit;

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # bash, for this shell and for good
  source <(refit completion bash)
  refit completion bash > ~/.local/share/bash-completion/completions/refit

  # zsh
  refit completion zsh > \"${fpath[1]}/_refit\"

  # fish
  refit completion fish > ~/.config/fish/completions/refit.fish";

/// Shells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Shell {
    /// GNU bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
}

/// Prints a completion script.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// For which shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints the script.
pub fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    ctx.console.out(&script(args.shell))?;
    Ok(Exit::Ok)
}

/// The script.
fn script(shell: Shell) -> String {
    use clap_complete::shells::{Bash, Fish, Zsh};
    let mut command = super::Cli::command();
    let mut bytes = Vec::new();
    match shell {
        Shell::Bash => clap_complete::generate(Bash, &mut command, "refit", &mut bytes),
        Shell::Zsh => clap_complete::generate(Zsh, &mut command, "refit", &mut bytes),
        Shell::Fish => clap_complete::generate(Fish, &mut command, "refit", &mut bytes),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_knows_every_verb() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let text = script(shell);
            for verb in super::super::Cli::command().get_subcommands() {
                assert!(
                    text.contains(verb.get_name()),
                    "{shell:?} lacks {}",
                    verb.get_name()
                );
            }
        }
    }
}
