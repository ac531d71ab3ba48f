//! One row of the case table as a value: what Helm 3 installs, what happens to it, what refit must say and do, and how
//! Helm 4 goes on.

use super::site::Site;

/// Something done to a case's release, with the tools that do it in life.
pub type Deed = fn(&Site<'_>);

/// What refit says of a case.
#[derive(Debug, Clone, Copy)]
pub enum Verdict {
    /// It is migrated; content and generation stay, undo is byte for byte.
    Migrates,
    /// It is held for these causes, and not written.
    Held(&'static [&'static str]),
    /// It is planned, and the run hands it back untouched, with these words.
    HandedBack(&'static str),
    /// There is no release.
    Nothing,
}

/// What Helm 4 does with a migrated release and the very same chart.
#[derive(Debug, Clone, Copy)]
pub enum Same {
    /// Every object stays as it is, to the resource version.
    NoOp,
    /// It writes, for this reason, which is not adoption's doing.
    Writes(&'static str),
    /// It is refused, with these words.
    Refused(&'static str),
}

/// What comes between a migration and its undo, and what undo makes of it. Such a case ends there.
#[derive(Clone, Copy)]
pub struct Between {
    /// What happens.
    pub deed: Deed,
    /// How the undo of the release ends: `Undone`, `MovedOn`.
    pub end: &'static str,
    /// What must hold then.
    pub then: Deed,
}

/// A row, or part of one.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its name: of the release and of its namespace, and in every cluster-scoped object's name.
    pub name: &'static str,
    /// The chart's one template; `.Values.value` is `a`, and `b` in the last upgrade.
    pub template: &'static str,
    /// CRDs, on the cluster before the first case.
    pub crds: &'static str,
    /// Before the install.
    pub prepare: Option<Deed>,
    /// Instead of `helm install` by Helm 3.
    pub install: Option<Deed>,
    /// After the install.
    pub drift: Option<Deed>,
    /// What refit says.
    pub verdict: Verdict,
    /// Causes of notes that must be there.
    pub notes: &'static [&'static str],
    /// Causes of notes that must not be there.
    pub silent: &'static [&'static str],
    /// What the undo says it cannot put back: owners of objects may then differ after it.
    pub unrestored: &'static [&'static str],
    /// After the undo, before the next run.
    pub undone: Option<Deed>,
    /// Before the undo.
    pub between: Option<Between>,
    /// Helm 4 with the same chart.
    pub same: Same,
    /// Helm 4 with `value=b`: passes, or is refused with these words.
    pub changed: Option<&'static str>,
    /// After the migration and Helm 4's upgrades.
    pub afterwards: Option<Deed>,
}

impl Case {
    /// A case that is migrated without a word.
    pub const fn new(name: &'static str, template: &'static str) -> Self {
        Self {
            name,
            template,
            crds: "",
            prepare: None,
            install: None,
            drift: None,
            verdict: Verdict::Migrates,
            notes: &[],
            silent: &[],
            unrestored: &[],
            undone: None,
            between: None,
            same: Same::NoOp,
            changed: None,
            afterwards: None,
        }
    }

    pub const fn crds(mut self, crds: &'static str) -> Self {
        self.crds = crds;
        self
    }

    pub const fn prepare(mut self, deed: Deed) -> Self {
        self.prepare = Some(deed);
        self
    }

    pub const fn install(mut self, deed: Deed) -> Self {
        self.install = Some(deed);
        self
    }

    pub const fn drift(mut self, deed: Deed) -> Self {
        self.drift = Some(deed);
        self
    }

    pub const fn held(mut self, causes: &'static [&'static str]) -> Self {
        self.verdict = Verdict::Held(causes);
        self
    }

    pub const fn handed_back(mut self, words: &'static str) -> Self {
        self.verdict = Verdict::HandedBack(words);
        self
    }

    pub const fn nothing(mut self) -> Self {
        self.verdict = Verdict::Nothing;
        self
    }

    pub const fn between(mut self, deed: Deed, end: &'static str, then: Deed) -> Self {
        self.between = Some(Between { deed, end, then });
        self
    }

    pub const fn noted(mut self, causes: &'static [&'static str]) -> Self {
        self.notes = causes;
        self
    }

    pub const fn silent(mut self, causes: &'static [&'static str]) -> Self {
        self.silent = causes;
        self
    }

    pub const fn unrestored(mut self, words: &'static [&'static str], undone: Deed) -> Self {
        self.unrestored = words;
        self.undone = Some(undone);
        self
    }

    pub const fn same(mut self, same: Same) -> Self {
        self.same = same;
        self
    }

    pub const fn changed_is_refused(mut self, words: &'static str) -> Self {
        self.changed = Some(words);
        self
    }

    pub const fn afterwards(mut self, deed: Deed) -> Self {
        self.afterwards = Some(deed);
        self
    }

    /// Does another value render another manifest?
    pub fn has_value(&self) -> bool {
        self.template.contains(".Values.value")
    }

    /// Is an object with this snapshot key this case's?
    pub fn owns(&self, key: &str) -> bool {
        key.contains(self.name)
    }
}
