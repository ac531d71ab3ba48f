//! What a verb is given: flags, environment, clock, streams, and the backend.

use std::sync::Arc;

use jiff::Timestamp;

use super::backend::Backend;
use super::console::Console;
use super::env::Env;
use super::error::{CliError, ErrorCode};
use super::exit::Exit;
use super::globals::Globals;
use super::scope::Scope;
use crate::domain::fleet::Fleet;
use crate::domain::release::Inventory;
use crate::render::{Document, text};

/// How refit was called.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Flags of all verbs.
    pub globals: Globals,
    /// The environment.
    pub env: Env,
    clock: fn() -> Timestamp,
}

impl Invocation {
    /// With a clock; tests give their own.
    pub fn new(globals: Globals, env: Env, clock: fn() -> Timestamp) -> Self {
        Self {
            globals,
            env,
            clock,
        }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// What it is about.
    pub fn scope(&self) -> Scope {
        Scope::of(&self.globals)
    }
}

/// The machine's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the command line's one clock; everything else is given the time"
)]
pub fn clock() -> Timestamp {
    Timestamp::now()
}

/// Everything that a verb works with.
pub struct Ctx {
    /// How refit was called.
    pub invocation: Arc<Invocation>,
    /// The streams.
    pub console: Console,
    backend: Arc<dyn Backend>,
}

impl Ctx {
    /// Puts the parts together.
    pub fn new(invocation: Invocation, mut console: Console, backend: Arc<dyn Backend>) -> Self {
        console.configure(&invocation.globals, &invocation.env);
        Self {
            invocation: Arc::new(invocation),
            console,
            backend,
        }
    }

    /// The rest of refit.
    pub fn backend(&self) -> Arc<dyn Backend> {
        Arc::clone(&self.backend)
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.invocation.now()
    }

    /// What the verb is about.
    pub fn scope(&self) -> Scope {
        self.invocation.scope()
    }

    /// A line on stderr, at once.
    pub fn say(&mut self, line: &str) {
        self.console.err(&format!("{}\n", text::one_line(line)));
    }

    /// The first word of a verb that reads clusters.
    pub fn say_reading(&mut self, fleet: &Fleet) {
        self.say(&format!(
            "reading {} ...",
            text::counted(text::len(&fleet.clusters), "cluster")
        ));
        if let Some(namespace) = self.invocation.env.helm_namespace.clone()
            && self.invocation.globals.namespaces.is_empty()
        {
            self.say(&format!(
                "note: HELM_NAMESPACE={namespace} is ignored: a fleet is read in all namespaces unless -n is given"
            ));
        }
    }

    /// Prints a document in the format asked for.
    pub fn show(&mut self, document: &Document) -> Result<(), CliError> {
        let globals = &self.invocation.globals;
        let printed = document
            .print(
                globals.output,
                globals.sort_by.as_deref(),
                &self.console.out_frame(),
                &self.console.err_frame(),
            )
            .map_err(|error| CliError::usage(error.to_string()))?;
        self.console.out(&printed.stdout)?;
        self.console.err(&printed.stderr);
        Ok(())
    }

    /// The exit of a verb that is no check: 2 for findings only with `--detailed-exitcode`.
    pub fn findings(&self, found: bool) -> Exit {
        if found && self.invocation.globals.detailed_exitcode {
            Exit::Findings
        } else {
            Exit::Ok
        }
    }

    /// The error of an inventory without a release.
    pub fn nothing_found(&self, inventory: &Inventory) -> CliError {
        let mut error = CliError::new(
            ErrorCode::NothingFound,
            format!(
                "0 releases on {}",
                text::counted(text::len(&inventory.clusters), "cluster")
            ),
        );
        if let Some(driver) = self.invocation.env.helm_driver() {
            error = error
                .because(format!(
                    "HELM_DRIVER={driver} is set in your shell: only such records were read"
                ))
                .next("env -u HELM_DRIVER refit inventory");
        }
        if !self.scope().namespaces().is_empty() {
            error = error.because(format!(
                "only these namespaces were read: {}",
                self.scope().namespaces().join(", ")
            ));
        }
        error
    }
}
