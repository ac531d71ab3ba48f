//! What refit writes into Helm's descriptions: read by people in `helm history`, and by refit to know its own records.

use crate::domain::ids::{Revision, RunId};
use crate::domain::run::{Job, Opened};

/// Description of a lock: what somebody who meets it should do.
pub fn lock(opened: &Opened) -> String {
    let release = &opened.release;
    let doing = match opened.job {
        Job::Migrate => "moving to server-side apply",
        Job::Undo => "going back to client-side apply",
    };
    format!(
        "refit {} holds this release: {doing}. Left behind? refit resume {}, or refit unlock {release}; \
         by hand: kubectl delete secret sh.helm.release.v1.{}.v{} -n {}",
        opened.run, opened.run, release.name, opened.lock, release.namespace
    )
}

/// Description of the revision that commits a migration.
pub fn commit(run: &RunId, base: Revision) -> String {
    format!(
        "{}: moved to server-side apply, objects of revision {base} unchanged",
        mark(run)
    )
}

/// Description of a lock that stays because somebody built upon it.
pub fn retired(run: &RunId) -> String {
    format!("{}: given up, a newer revision stands upon it", mark(run))
}

/// Is this a description of a commit of `run`?
pub fn is_commit_of(run: &RunId, description: &str) -> bool {
    description
        .strip_prefix(&mark(run))
        .is_some_and(|rest| rest.starts_with(": moved"))
}

fn mark(run: &RunId) -> String {
    format!("Adopted by refit {run}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_known_by_its_run() {
        let text = commit(&RunId::new("run-7k3f"), Revision(3));
        assert!(is_commit_of(&RunId::new("run-7k3f"), &text));
        assert!(!is_commit_of(&RunId::new("run-7k3"), &text));
        assert!(!is_commit_of(&RunId::new("run-7k3f"), "Upgrade complete"));
    }
}
