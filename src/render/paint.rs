//! Colour: a role beside a word, never alone.

use std::borrow::Cow;

/// What a text is, for the eye. Colour only repeats what the word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// Ordinary text.
    #[default]
    Plain,
    /// Heads and ids.
    Strong,
    /// Done, Ready, Passed.
    Good,
    /// NeedsChoice, Waiting, Throttled.
    Attention,
    /// Blocked, Undone, Stuck.
    Bad,
    /// `<none>`, hints, ages.
    Quiet,
}

impl Role {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "1",
            Self::Good => "32",
            Self::Attention => "33",
            Self::Bad => "31",
            Self::Quiet => "2",
        }
    }

    /// The role of a state word, the same on every screen.
    pub fn of_state(word: &str) -> Self {
        match word {
            "Done" | "Ready" | "Passed" | "Ok" | "Complete" | "PASS" => Self::Good,
            "NeedsChoice" | "Waiting" | "Throttled" | "Slowed" | "MovedOn" | "Held" | "Busy"
            | "Stale" | "WillUndo" | "Interrupted" => Self::Attention,
            "Blocked" | "Failed" | "Undone" | "Stuck" | "Unreachable" | "Unreadable"
            | "BudgetSpent" | "LockHeld" | "FAIL" => Self::Bad,
            _ => Self::Plain,
        }
    }
}

/// A text with its role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The text, as it came.
    pub text: String,
    /// Its role.
    pub role: Role,
}

impl Span {
    /// Plain text.
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            role: Role::Plain,
        }
    }

    /// Text with a role.
    pub fn with(text: impl Into<String>, role: Role) -> Self {
        Self {
            text: text.into(),
            role,
        }
    }

    /// A state word in its colour.
    pub fn state(word: impl Into<String>) -> Self {
        let text = word.into();
        let role = Role::of_state(&text);
        Self { text, role }
    }

    /// Nothing there: `<none>`.
    pub fn none() -> Self {
        Self::with("<none>", Role::Quiet)
    }

    /// Not read: `?`. Unknown is never zero.
    pub fn unread() -> Self {
        Self::with("?", Role::Quiet)
    }

    /// The text if there is one, else `<none>`.
    pub fn or_none(text: Option<impl Into<String>>) -> Self {
        text.map_or_else(Self::none, Self::plain)
    }

    /// A number that is bad unless it is 0.
    pub fn bad_count(count: u32, text: impl Into<String>) -> Self {
        Self::with(text, if count == 0 { Role::Plain } else { Role::Bad })
    }
}

/// The text with its colour, if colour is on.
pub fn paint(text: &str, role: Role, color: bool) -> Cow<'_, str> {
    if color && role != Role::Plain && !text.is_empty() {
        Cow::Owned(format!("\u{1b}[{}m{text}\u{1b}[0m", role.code()))
    } else {
        Cow::Borrowed(text)
    }
}

/// When colour is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` or `TERM=dumb` says no.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What the environment says of colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ColorEnv {
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// `CLICOLOR_FORCE` is set, not empty and not 0.
    pub force: bool,
    /// `TERM` is `dumb`.
    pub dumb: bool,
}

/// Is a stream coloured? The flag wins over `NO_COLOR`, which wins over `CLICOLOR_FORCE`.
pub fn is_colored(choice: ColorChoice, env: ColorEnv, terminal: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if env.no_color => false,
        ColorChoice::Auto if env.force => true,
        ColorChoice::Auto => terminal && !env.dumb,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_wins_then_no_color_then_force() {
        let env = |no_color, force, dumb| ColorEnv {
            no_color,
            force,
            dumb,
        };
        assert!(is_colored(
            ColorChoice::Always,
            env(true, false, true),
            false
        ));
        assert!(!is_colored(
            ColorChoice::Never,
            env(false, true, false),
            true
        ));
        assert!(!is_colored(ColorChoice::Auto, env(true, true, false), true));
        assert!(is_colored(ColorChoice::Auto, env(false, true, true), false));
        assert!(is_colored(
            ColorChoice::Auto,
            env(false, false, false),
            true
        ));
        assert!(!is_colored(
            ColorChoice::Auto,
            env(false, false, false),
            false
        ));
        assert!(!is_colored(
            ColorChoice::Auto,
            env(false, false, true),
            true
        ));
    }

    #[test]
    fn off_means_no_escape_at_all() {
        assert_eq!(paint("Blocked", Role::Bad, false), "Blocked");
        assert_eq!(
            paint("Blocked", Role::Bad, true),
            "\u{1b}[31mBlocked\u{1b}[0m"
        );
        assert_eq!(paint("x", Role::Plain, true), "x");
    }
}
