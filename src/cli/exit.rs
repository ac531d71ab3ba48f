//! Exit codes: what a script may conclude from the process's end.

/// How a verb ended, as a process exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything that was asked for holds or was done.
    Ok,
    /// An error; also wrong usage, and an answer to a question that was not yes.
    Error,
    /// A check found something. Checks always say so, other verbs only with `--detailed-exitcode`.
    Findings,
    /// Some releases failed, were undone, moved on, are stuck, or were handed back untouched.
    SomeNotDone,
    /// A run waits for longer than `--max-wait`.
    Waiting,
    /// The plan was refused: edited, expired, or made by another version of refit.
    StalePlan,
    /// A wave's budget is spent.
    BudgetSpent,
    /// Another process holds a cluster, or took it over.
    LockHeld,
    /// Interrupted (Ctrl-C); resumable.
    Interrupted,
}

impl Exit {
    /// All of them, by code.
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::Error,
        Self::Findings,
        Self::SomeNotDone,
        Self::Waiting,
        Self::StalePlan,
        Self::BudgetSpent,
        Self::LockHeld,
        Self::Interrupted,
    ];

    /// If several hold, the first of these is the process's code.
    pub const PRECEDENCE: [Self; 9] = [
        Self::Interrupted,
        Self::Error,
        Self::LockHeld,
        Self::StalePlan,
        Self::BudgetSpent,
        Self::SomeNotDone,
        Self::Waiting,
        Self::Findings,
        Self::Ok,
    ];

    /// The number that the process ends with.
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Error => 1,
            Self::Findings => 2,
            Self::SomeNotDone => 3,
            Self::Waiting => 4,
            Self::StalePlan => 5,
            Self::BudgetSpent => 6,
            Self::LockHeld => 7,
            Self::Interrupted => 130,
        }
    }

    /// What it means, in a line.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error, also wrong usage",
            Self::Findings => {
                "findings: always for checks (audit --gate), elsewhere with --detailed-exitcode"
            }
            Self::SomeNotDone => {
                "some releases failed, were undone, moved on, are stuck, or were handed back"
            }
            Self::Waiting => "waiting: the reason and the time are on stderr",
            Self::StalePlan => {
                "stale plan: edited, expired, or made by another version; nothing was written"
            }
            Self::BudgetSpent => "budget spent: too many releases of a wave failed",
            Self::LockHeld => "lock held: another process holds a cluster, or took it over",
            Self::Interrupted => "interrupted: stopped at a safe point, resumable",
        }
    }

    /// What to do, in a line.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Ok => "nothing",
            Self::Error => "read the error's where, why and next",
            Self::Findings => "read the rows that are not ok",
            Self::SomeNotDone => "refit status RUN lists them with their reasons",
            Self::Waiting => {
                "call refit resume RUN at the time that it names, from cron if you like"
            }
            Self::StalePlan => "make a new plan: refit plan --save FILE",
            Self::BudgetSpent => {
                "remove the cause, then refit resume RUN; or go back with refit undo RUN"
            }
            Self::LockHeld => "let the other run go on, or take over once its process is gone",
            Self::Interrupted => "refit resume RUN",
        }
    }

    /// The one code for several ends; [`Exit::Ok`] if there is none.
    pub fn worst(ends: impl IntoIterator<Item = Self>) -> Self {
        let rank = |end: &Self| Self::PRECEDENCE.iter().position(|other| other == end);
        ends.into_iter().min_by_key(rank).unwrap_or(Self::Ok)
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_is_the_documented_one() {
        let codes: Vec<u8> = Exit::PRECEDENCE.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, [130, 1, 7, 5, 6, 3, 4, 2, 0]);
        for exit in Exit::ALL {
            assert!(
                Exit::PRECEDENCE.contains(&exit),
                "{exit:?} has no precedence"
            );
        }
    }

    #[test]
    fn the_worst_of_several_is_taken() {
        assert_eq!(Exit::worst([]), Exit::Ok);
        assert_eq!(Exit::worst([Exit::Findings, Exit::Waiting]), Exit::Waiting);
        assert_eq!(
            Exit::worst([Exit::SomeNotDone, Exit::BudgetSpent]),
            Exit::BudgetSpent
        );
        assert_eq!(
            Exit::worst([Exit::LockHeld, Exit::Error, Exit::Ok]),
            Exit::Error
        );
        assert_eq!(
            Exit::worst([Exit::Error, Exit::Interrupted]),
            Exit::Interrupted
        );
    }
}
