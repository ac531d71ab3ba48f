//! The next command that a screen offers: complete, ready to paste.
//!
//! Every one stands in the table below and nowhere else: a test parses each with the real command line, so a screen
//! cannot name a verb or flag that this build lacks.

use super::text::shell;

macro_rules! next_lines {
    ($($(#[doc = $doc:literal])+ $name:ident $({ $($field:ident),+ })? => $template:literal;)+) => {
        /// A command of refit, offered as the next one. Fields are put in as they are, quoted for a shell.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Next {
            $($(#[doc = $doc])+ $name $({ $(#[doc = "Text to put in."] $field: String),+ })?,)+
        }

        impl Next {
            /// Every template, with its fields in braces.
            pub const TEMPLATES: &'static [&'static str] = &[$($template,)+];

            /// The command.
            pub fn command(&self) -> String {
                match self {
                    $(Self::$name $({ $($field),+ })? => {
                        let made = $template.to_owned();
                        $($(let made = made.replace(concat!("{", stringify!($field), "}"), &shell($field));)+)?
                        made
                    })+
                }
            }
        }
    };
}

next_lines! {
    /// Read everything again.
    Inventory => "refit inventory";
    /// Read only some contexts.
    InventoryOf { glob } => "refit inventory --context {glob}";
    /// Read one cluster again.
    InventoryCluster { cluster } => "refit inventory --cluster {cluster}";
    /// Read everything again and keep it.
    InventorySave { inventory } => "refit inventory --save {inventory}";
    /// Make a plan and keep it.
    Plan => "refit plan --save refit.plan.json";
    /// Make a plan of a saved inventory.
    PlanFrom { inventory } => "refit plan --from {inventory} --save refit.plan.json";
    /// Make a plan and keep it under a name.
    PlanSave { plan } => "refit plan --save {plan}";
    /// Look at a plan.
    Show { plan } => "refit show {plan}";
    /// What a plan holds back, and why.
    ShowHeld { plan } => "refit show {plan} --held";
    /// Make a plan again, and say what changed.
    PlanRefresh { plan } => "refit plan --refresh {plan}";
    /// Compare two plans.
    Diff { before, after } => "refit diff {before} {after}";
    /// Which playbooks there are.
    PlaybookList => "refit playbook list";
    /// What a playbook does.
    PlaybookShow { name } => "refit playbook show {name}";
    /// A playbook's file.
    PlaybookSource { name } => "refit playbook show {name} --source";
    /// What a migration would meet, everywhere.
    ShadowAll => "refit shadow";
    /// The same for one release, field by field.
    Shadow { release } => "refit shadow {release}";
    /// The same from a saved inventory.
    ShadowFrom { inventory } => "refit shadow --from {inventory}";
    /// The same for one release.
    ShadowOneFrom { inventory, release } => "refit shadow --from {inventory} {release}";
    /// Causes, and their fixes.
    Triage => "refit triage";
    /// The same from a saved inventory or forecast.
    TriageFrom { from } => "refit triage --from {from}";
    /// One cause in full, from such a file.
    TriageCauseFrom { from, cause } => "refit triage --from {from} {cause}";
    /// Policy rules, from such a file.
    TriageRulesFrom { from } => "refit triage --from {from} --rules";
    /// Patches, from such a file.
    TriagePatchesFrom { from, folder } => "refit triage --from {from} --patches {folder}";
    /// One cause in full.
    TriageCause { cause } => "refit triage {cause}";
    /// Policy rules that settle causes.
    TriageRules => "refit triage --rules";
    /// Patches to be made elsewhere.
    TriagePatches { folder } => "refit triage --patches {folder}";
    /// Who owns the fields of an object.
    Fields { object } => "refit fields {object}";
    /// Carry a plan out.
    Run { plan } => "refit run {plan}";
    /// Carry a plan out without a question.
    RunYes { plan } => "refit run {plan} --yes";
    /// Carry a plan out without a question, on production.
    RunConfirm { plan, fleet } => "refit run {plan} --yes --confirm {fleet}";
    /// Go on.
    Resume { run } => "refit resume {run}";
    /// Go on without a question.
    ResumeYes { run } => "refit resume {run} --yes";
    /// Go on without a question, on production.
    ResumeConfirm { run, fleet } => "refit resume {run} --yes --confirm {fleet}";
    /// Go on in place of a process that is gone.
    TakeOver { run } => "refit resume {run} --take-over";
    /// All runs.
    StatusAll => "refit status";
    /// One run.
    Status { run } => "refit status {run}";
    /// Put a run back.
    Undo { run } => "refit undo {run}";
    /// Put a run back without a question.
    UndoYes { run } => "refit undo {run} --yes";
    /// Put a run back without a question, on production.
    UndoConfirm { run, fleet } => "refit undo {run} --yes --confirm {fleet}";
    /// Put one release back.
    UndoRelease { run, release } => "refit undo {run} {release}";
    /// What an undo would do.
    UndoDryRun { run } => "refit undo {run} --dry-run";
    /// Remove a lock that its owner left behind.
    Unlock { release } => "refit unlock {release}";
    /// Remove such a lock without a question.
    UnlockYes { release } => "refit unlock {release} --yes";
    /// Remove such a lock without a question, on production.
    UnlockConfirm { release, fleet } => "refit unlock {release} --yes --confirm {fleet}";
    /// Look again at a release that was not settled.
    Settle { release } => "refit settle {release}";
    /// Look again at all that were not settled.
    SettleAll => "refit settle";
    /// The same without a question.
    SettleYes => "refit settle --yes";
    /// The same without a question, on production.
    SettleConfirm { fleet } => "refit settle --yes --confirm {fleet}";
    /// Who owns what, all over the fleet.
    Audit => "refit audit";
    /// Is there one manager everywhere?
    AuditGate => "refit audit --gate one-manager";
    /// Who owns what on a cluster.
    AuditCluster { cluster } => "refit audit --cluster {cluster}";
    /// Which rule decides what of a release.
    Explain { release } => "refit policy explain {release}";
    /// Who owns what of a release, and who moved it.
    AuditRelease { release } => "refit audit {release}";
    /// What changed between two captures.
    AuditDiff { before, after } => "refit audit diff {before} {after}";
    /// What an exit code, outcome, error or verb means.
    Help { topic } => "refit help {topic}";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_put_in_and_quoted() {
        let next = Next::RunConfirm {
            plan: "my plan.json".into(),
            fleet: "acme".into(),
        };
        assert_eq!(
            next.command(),
            "refit run 'my plan.json' --yes --confirm acme"
        );
    }

    #[test]
    fn no_template_leaves_a_brace() {
        let next = Next::UndoRelease {
            run: "run-7k3f".into(),
            release: "eu-1/shop/web".into(),
        };
        assert_eq!(next.command(), "refit undo run-7k3f eu-1/shop/web");
    }
}
