//! A backend that does nothing: every verb parses, helps and asks, and ends with an error.

use async_trait::async_trait;
use jiff::SignedDuration;

use super::backend::{
    Backend, Events, RunPreview, UndoPreview, UndoScope, UnlockPreview, Unlocked,
};
use super::context::Invocation;
use super::error::CliError;
use crate::domain::fleet::Fleet;
use crate::domain::ids::{ReleaseId, RunId};
use crate::domain::plan::Plan;
use crate::domain::release::Inventory;
use crate::domain::report::{RunReport, UndoReport};
use crate::render::screen::audit::AuditScreen;

/// See the module.
pub struct Unwired;

fn no<T>() -> Result<T, CliError> {
    Err(CliError::internal("not wired"))
}

#[async_trait]
impl Backend for Unwired {
    fn fleet(&self, _: &Invocation) -> Result<Fleet, CliError> {
        no()
    }
    async fn inventory(&self, _: &Invocation, _: &Fleet) -> Result<Inventory, CliError> {
        no()
    }
    async fn plan(
        &self,
        _: &Invocation,
        _: &Fleet,
        _: Option<Inventory>,
    ) -> Result<Plan, CliError> {
        no()
    }
    async fn prepare_run(&self, _: &Invocation, _: Plan, _: &str) -> Result<RunPreview, CliError> {
        no()
    }
    async fn prepare_resume(
        &self,
        _: &Invocation,
        _: Option<&RunId>,
        _: bool,
    ) -> Result<RunPreview, CliError> {
        no()
    }
    async fn run(
        &self,
        _: &Invocation,
        _: &RunPreview,
        _: Option<SignedDuration>,
        _: Events,
    ) -> Result<RunReport, CliError> {
        no()
    }
    async fn runs(&self, _: &Invocation, _: Option<&RunId>) -> Result<Vec<RunReport>, CliError> {
        no()
    }
    async fn prepare_undo(
        &self,
        _: &Invocation,
        _: &Fleet,
        _: &UndoScope,
    ) -> Result<UndoPreview, CliError> {
        no()
    }
    async fn undo(
        &self,
        _: &Invocation,
        _: &UndoPreview,
        _: Events,
    ) -> Result<UndoReport, CliError> {
        no()
    }
    async fn prepare_unlock(
        &self,
        _: &Invocation,
        _: &Fleet,
        _: &ReleaseId,
    ) -> Result<UnlockPreview, CliError> {
        no()
    }
    async fn unlock(
        &self,
        _: &Invocation,
        _: &Fleet,
        _: &UnlockPreview,
    ) -> Result<Unlocked, CliError> {
        no()
    }
    async fn prepare_settle(
        &self,
        _: &Invocation,
        _: &Fleet,
        _: Option<&ReleaseId>,
    ) -> Result<UndoPreview, CliError> {
        no()
    }
    async fn settle(
        &self,
        _: &Invocation,
        _: &Fleet,
        _: &UndoPreview,
        _: Events,
    ) -> Result<UndoReport, CliError> {
        no()
    }
    async fn audit(&self, _: &Invocation, _: &Fleet) -> Result<AuditScreen, CliError> {
        no()
    }
}
