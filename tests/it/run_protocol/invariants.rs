//! What must hold: at each effect (`world`), at each close, and when nothing can happen any more.
//!
//! a reported = real, and no effect after the close; b no foreign entry and nobody else's ownership overwritten;
//! c Undone = identity; d never two deployed revisions or none at rest, unless Helm itself left it so, and no record of
//! Helm's overwritten; e every run ends; f Helm never meets itself in a 409; x the functions' own laws.

use refit::domain::run::Outcome;

use super::world::{Base, Body, Config, Record, Status, World, Writer};

impl World {
    fn base_is_as_before(&self) -> bool {
        self.records[0].is_some_and(|r| {
            matches!(
                r,
                Record {
                    status: Status::Deployed,
                    body: Body::Before,
                    ssa: false,
                    token: 0,
                    owners: true,
                    finalizer: false,
                    ..
                }
            ) && r.writer != Writer::Helm
        })
    }

    fn commit_is_of(&self, tag: u8) -> bool {
        self.records[1].is_some_and(|r| {
            matches!(
                r,
                Record {
                    status: Status::Deployed,
                    ssa: true,
                    writer: Writer::Refit,
                    ..
                }
            ) && r.body == Body::Migrated(tag)
        })
    }

    /// Is every run closed, other than stuck?
    fn all_closed(&self) -> bool {
        self.runs.iter().all(|run| {
            run.outcome()
                .is_some_and(|outcome| !matches!(outcome, Outcome::Stuck { .. }))
        })
    }

    pub fn count_deployed(&self) -> usize {
        self.records
            .iter()
            .flatten()
            .filter(|r| r.status == Status::Deployed)
            .count()
    }

    /// At any time.
    pub fn check_state(&self) -> Option<String> {
        if let Some(why) = &self.wrong {
            return Some(why.clone());
        }
        if self.all_closed() && !self.env.helm_wrote && self.count_deployed() > 1 {
            return Some("d: two deployed revisions after the close".into());
        }
        // The benign mix: a record that says ssa while an object is not migrated never stands (I9).
        let quiet = !self.env.helm_wrote
            && self
                .objects
                .iter()
                .flatten()
                .all(|o| matches!(o.base, Base::Before | Base::Stolen | Base::Taken));
        let deployed_ssa = self
            .top()
            .and_then(|top| self.records[top])
            .is_some_and(|r| r.status == Status::Deployed && r.ssa);
        if quiet
            && deployed_ssa
            && self.objects.iter().flatten().any(|o| o.entry == 0)
            && self.runs.len() == 1
            && self.env.human > 0
        {
            return Some("f: the record says ssa, an object is not migrated".into());
        }
        None
    }

    /// At a close: what is reported must be so at that moment.
    pub fn check_close(&self, before: &World, config: &Config) -> Option<String> {
        for (was, run) in before.runs.iter().zip(&self.runs) {
            let Some(outcome) = run.outcome().filter(|_| was.outcome().is_none()) else {
                continue;
            };
            // With two stores the other run may already be at work again.
            if self.runs.len() > 1 && config.fence {
                continue;
            }
            let ours = |base| matches!(base, Base::Before | Base::Stolen | Base::Taken);
            match outcome {
                Outcome::Undone { .. } => {
                    let records = self.base_is_as_before() || self.env.helm_wrote;
                    let mut objects = self.objects.iter().flatten();
                    if !records
                        || objects.any(|o| {
                            (o.entry != 0 || o.value == 1 || o.mark) && o.base != Base::Helm
                        })
                    {
                        return Some("a: reported Undone, but the release is not as before".into());
                    }
                }
                Outcome::Done => {
                    if self
                        .objects
                        .iter()
                        .flatten()
                        .any(|o| o.entry == 0 && ours(o.base))
                    {
                        return Some("a: reported Done, but an object is not migrated".into());
                    }
                    let unset = self.objects[0].is_some_and(|o| o.value == 0 && ours(o.base));
                    if config.values && unset {
                        return Some("a: reported Done, but a value is not set".into());
                    }
                    if !self.commit_is_of(run.tag)
                        || self.records[0].is_some_and(|r| r.status != Status::Superseded)
                    {
                        return Some("a: reported Done, but the records say otherwise".into());
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// When no step is possible any more: all faults spent, every late request has arrived.
    pub fn check_quiet(&self, config: &Config, soft: bool) -> Option<String> {
        let outcomes: Option<Vec<_>> = self.runs.iter().map(super::world::Run::outcome).collect();
        let Some(outcomes) = outcomes else {
            return Some("e: no progress: the release stays open".into());
        };
        if outcomes
            .iter()
            .any(|outcome| matches!(outcome, Outcome::Stuck { .. }))
        {
            return None;
        }
        let words: Vec<_> = outcomes.iter().map(|outcome| outcome.word()).collect();
        let pending = self.records.iter().flatten().any(|r| {
            r.status == Status::Pending
                && r.writer == Writer::Refit
                && self.runs.iter().any(|run| run.tag == r.token)
        });
        if pending {
            return Some(format!(
                "a: refit's pending record stays behind after {words:?}"
            ));
        }
        if self.records.iter().flatten().any(|r| r.finalizer) {
            return Some(format!("a: refit's finalizer stays behind after {words:?}"));
        }
        match self.count_deployed() {
            0 if !self.env.gone && !self.env.zero => {
                return Some("d: no deployed revision is left".into());
            }
            0 | 1 => {}
            _ => return Some("d: two deployed revisions for ever".into()),
        }
        if self.env.helm_wrote || self.env.human < config.human {
            return None;
        }
        let before = self.base_is_as_before() && self.records[1..].iter().all(Option::is_none);
        let after = self.records[0].is_some_and(|r| r.status == Status::Superseded)
            && self.records[1].is_some_and(|r| r.status == Status::Deployed)
            && self.records[2].is_none();
        if !before && !after {
            return Some("a: records neither before nor after".into());
        }
        let ours = self
            .objects
            .iter()
            .flatten()
            .filter(|o| matches!(o.base, Base::Before | Base::Stolen | Base::Taken));
        if !words.contains(&"MovedOn") && ours.into_iter().any(|o| (o.entry != 0) != after) {
            return Some(format!("a: records and objects disagree ({words:?})"));
        }
        if self.env.foreign == config.foreign && self.runs.len() == 1 {
            if words.contains(&"MovedOn") && !soft {
                return Some("a: reported MovedOn, but nobody moved".into());
            }
            let untouched = self.objects.iter().all(|o| {
                o.is_some_and(|o| {
                    let values = o.value == 0 && !o.mark;
                    o.base == Base::Before && o.entry == 0 && !o.foreign && values
                })
            });
            if words.contains(&"Undone") && !(before && untouched) {
                return Some("c: undo is not the identity".into());
            }
        }
        None
    }
}
