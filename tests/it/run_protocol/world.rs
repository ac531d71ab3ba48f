//! The world: record slots N..N+3, two objects, a network that may hold any request for ever, runs with their attempts.

use std::rc::Rc;

use refit::domain::ids::{ResourceVersion, Uid};
use refit::domain::run::{Answer, Attempt, Entry, Guard, Intent, Outcome, Step, Target};

use super::actors::Helm;

/// Revision N of the model's release.
pub const N: u32 = 4;
pub const SLOTS: usize = 4;
pub const OBJECTS: usize = 2;
/// The tag of Helm's own server-side entries.
pub const HELM: u8 = 9;

/// What is explored: budgets of faults and foreign moves, and which guards stand.
#[derive(Clone, Debug)]
pub struct Config {
    pub undo: bool,
    /// A policy changes a value of the first object.
    pub values: bool,
    pub stores: usize,
    pub interrupts: u8,
    pub helm: u8,
    pub ops: &'static [Op],
    pub helm_fails: bool,
    pub helm_dies: bool,
    pub foreign: u8,
    pub human: u8,
    pub history_max: usize,
    /// An operator may want the attempt undone at any time before the commit.
    pub choice: bool,
    // The guards. Each can be taken away, to show that it is needed.
    pub rv_objects: bool,
    pub rv_base: bool,
    pub rv_commit: bool,
    pub delete_preconditions: bool,
    pub token: bool,
    pub reissue: bool,
    pub fence: bool,
    pub intent_first: bool,
    pub direction_journaled: bool,
    pub image_per_attempt: bool,
    pub three_way: bool,
    pub compare: bool,
    pub heed: bool,
    pub verify: bool,
    pub look_after_commit: bool,
    pub sweep: bool,
    pub annotation: bool,
    pub dwell: bool,
    pub lock_as_base: bool,
    pub renew: bool,
    pub finalizer: bool,
    pub own_time: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            undo: false,
            values: false,
            stores: 1,
            interrupts: 1,
            helm: 0,
            ops: &[Op::Upgrade, Op::Rollback, Op::Uninstall],
            helm_fails: true,
            helm_dies: false,
            foreign: 0,
            human: 0,
            history_max: 0,
            choice: true,
            rv_objects: true,
            rv_base: true,
            rv_commit: true,
            delete_preconditions: true,
            token: true,
            reissue: true,
            fence: true,
            intent_first: true,
            direction_journaled: true,
            image_per_attempt: true,
            three_way: true,
            compare: true,
            heed: true,
            verify: true,
            look_after_commit: true,
            sweep: true,
            annotation: true,
            dwell: true,
            lock_as_base: true,
            renew: true,
            finalizer: false,
            own_time: true,
        }
    }
}

impl Config {
    /// The slot of the lock: N+1, for an undo N+2.
    pub fn lock(&self) -> usize {
        1 + usize::from(self.undo)
    }
}

/// What Helm may be asked to do; `Unlock` is Flux's way: the pending record becomes `failed`, then an upgrade.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    Upgrade,
    Rollback,
    Uninstall,
    Install,
    Unlock,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Status {
    Deployed,
    Superseded,
    Pending,
    Failed,
    Uninstalling,
}

/// Whose manifest a record holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Body {
    /// N's, as it was before.
    Before,
    /// N's, in the lock of a run.
    Lock(u8),
    /// N's, committed by a run.
    Migrated(u8),
    /// A new one of Helm's.
    Helm,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Writer {
    Found,
    Refit,
    Helm,
}

/// One stored revision.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Record {
    pub status: Status,
    pub body: Body,
    pub ssa: bool,
    /// 0: none.
    pub token: u8,
    pub writer: Writer,
    /// Its managedFields are as before the migration.
    pub owners: bool,
    pub finalizer: bool,
    pub terminating: bool,
    pub uid: u32,
    pub rv: u32,
}

/// Who owns what Helm applied to an object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Base {
    /// As before.
    Before,
    /// A foreign manager took a field before our patch.
    Stolen,
    /// A foreign manager took a field after our patch.
    Taken,
    /// Made again by somebody else.
    Recreated,
    /// Written by Helm meanwhile.
    Helm,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Obj {
    pub base: Base,
    /// The Apply entry: 0 none, else whose.
    pub entry: u8,
    /// A foreign manager's entry is there.
    pub foreign: bool,
    /// The value that a policy changes: 0 as before, 1 as it wants it, 2 somebody else's.
    pub value: u8,
    /// The trace of a request that changed the value.
    pub mark: bool,
    pub uid: u32,
    pub rv: u32,
}

impl Obj {
    /// Its state, as a request that changes nothing would write it.
    pub fn wish(&self) -> Wish {
        Wish {
            base: self.base,
            entry: self.entry,
            foreign: self.foreign,
            value: self.value,
            mark: self.mark,
        }
    }
}

/// What a request to an object writes: the state after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wish {
    pub base: Base,
    pub entry: u8,
    pub foreign: bool,
    pub value: u8,
    pub mark: bool,
}

/// A request in the network.
#[derive(Clone)]
pub struct Message {
    pub run: usize,
    pub what: Request,
    /// Does the sender still wait for the answer?
    pub reply: bool,
}

#[derive(Clone)]
pub enum Request {
    Step(Rc<Intent>),
    Sweep { slot: usize, uid: u32, rv: u32 },
}

/// One run's attempt, and what an old process with a journal of its own would know.
#[derive(Clone)]
pub struct Run {
    /// Whose: names the run and its token.
    pub tag: u8,
    pub attempt: Option<Rc<Attempt>>,
    /// Closed before anything was journaled.
    pub unopened: Option<Outcome>,
    /// The journal, if it is kept (random schedules).
    pub journal: Option<Rc<Vec<Entry>>>,
}

impl Run {
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.attempt {
            Some(attempt) => attempt.outcome.as_ref(),
            None => self.unopened.as_ref(),
        }
    }
}

/// Budgets left, and what has happened so far.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Env {
    pub interrupts: u8,
    pub helm: u8,
    pub foreign: u8,
    pub human: u8,
    /// Helm died at work.
    pub dead: bool,
    /// Helm wrote something.
    pub helm_wrote: bool,
    /// Helm itself left, or may leave, nothing deployed.
    pub zero: bool,
    /// Uninstalled.
    pub gone: bool,
}

#[derive(Clone)]
pub struct World {
    pub records: [Option<Record>; SLOTS],
    pub objects: [Option<Obj>; OBJECTS],
    pub runs: Vec<Run>,
    pub net: Vec<Message>,
    pub helm: Option<Helm>,
    pub env: Env,
    /// Next resourceVersion and uid.
    pub clock: u32,
    /// What went wrong, if something did.
    pub wrong: Option<String>,
}

impl World {
    pub fn start(config: &Config) -> Self {
        let record = |status, body, ssa, writer, owners, uid| Record {
            status,
            body,
            ssa,
            token: 0,
            writer,
            owners,
            finalizer: false,
            terminating: false,
            uid,
            rv: uid,
        };
        let mut records = [None; SLOTS];
        if config.undo {
            records[0] = Some(record(
                Status::Superseded,
                Body::Before,
                true,
                Writer::Refit,
                false,
                1,
            ));
            records[1] = Some(record(
                Status::Deployed,
                Body::Migrated(1),
                true,
                Writer::Refit,
                true,
                2,
            ));
        } else {
            records[0] = Some(record(
                Status::Deployed,
                Body::Before,
                false,
                Writer::Found,
                true,
                1,
            ));
        }
        let object = |uid| {
            Some(Obj {
                base: Base::Before,
                entry: u8::from(config.undo),
                foreign: false,
                value: u8::from(config.undo && config.values && uid == 3),
                mark: false,
                uid,
                rv: uid,
            })
        };
        let run = |tag| Run {
            tag,
            attempt: None,
            unopened: None,
            journal: None,
        };
        let first = 1 + u8::from(config.undo);
        Self {
            records,
            objects: [object(3), object(4)],
            runs: (0..config.stores)
                .zip(first..)
                .map(|(_, tag)| run(if config.token { tag } else { first }))
                .collect(),
            net: Vec::new(),
            helm: None,
            env: Env {
                interrupts: config.interrupts,
                helm: config.helm,
                foreign: config.foreign,
                human: config.human,
                dead: false,
                helm_wrote: false,
                zero: false,
                gone: false,
            },
            clock: 10,
            wrong: None,
        }
    }

    pub fn blame(&mut self, why: impl Into<String>) {
        self.wrong.get_or_insert(why.into());
    }

    /// A fresh number for a resourceVersion or uid.
    pub fn tick(&mut self) -> u32 {
        self.clock += 1;
        self.clock
    }

    pub fn top(&self) -> Option<usize> {
        (0..SLOTS).rev().find(|slot| self.records[*slot].is_some())
    }

    /// Writes a record: a new one, or a new version of the one that is there.
    pub fn put(&mut self, slot: usize, record: Record) {
        let rv = self.tick();
        let uid = self.records[slot].map_or(rv, |there| there.uid);
        let gone = record.terminating && !record.finalizer;
        self.records[slot] = (!gone).then_some(Record { uid, rv, ..record });
    }

    /// Deletes a record; one with a finalizer stays, on its way out.
    pub fn delete(&mut self, slot: usize) {
        match self.records[slot] {
            Some(record) if record.finalizer => {
                if !record.terminating {
                    self.put(
                        slot,
                        Record {
                            terminating: true,
                            ..record
                        },
                    );
                }
            }
            _ => self.records[slot] = None,
        }
    }

    /// Writes an object that is there.
    pub fn write(&mut self, place: usize, base: Base, entry: u8, foreign: bool) {
        let rv = self.tick();
        if let Some(object) = &mut self.objects[place] {
            *object = Obj {
                base,
                entry,
                foreign,
                rv,
                ..*object
            };
        }
    }

    /// Is `version` that of the live target?
    pub fn is_live(&self, target: Target, version: &(Uid, ResourceVersion)) -> bool {
        self.version(target)
            .is_some_and(|(uid, rv)| uid_of(uid) == version.0 && rv_of(rv) == version.1)
    }

    pub fn is_live_uid(&self, target: Target, uid: &Uid) -> bool {
        self.version(target)
            .is_some_and(|(live, _)| uid_of(live) == *uid)
    }

    fn version(&self, target: Target) -> Option<(u32, u32)> {
        match target {
            Target::Record(revision) => slot(revision.0)
                .and_then(|slot| self.records[slot])
                .map(|record| (record.uid, record.rv)),
            Target::Object(place) => {
                self.objects[place as usize].map(|object| (object.uid, object.rv))
            }
        }
    }

    fn passes(&self, config: &Config, intent: &Intent) -> Result<(), Answer> {
        match &intent.guard {
            Guard::NameFree => match self.version(intent.target) {
                None => Ok(()),
                Some(_) => Err(Answer::Exists),
            },
            Guard::Version {
                uid,
                resource_version,
            } => {
                let checked = match intent.step {
                    Step::Value | Step::Forward | Step::Unvalue | Step::Back => config.rv_objects,
                    Step::Supersede | Step::Restore | Step::RestoreOwners => config.rv_base,
                    Step::Commit => config.rv_commit,
                    Step::Unlock | Step::DropCommit => config.delete_preconditions,
                    _ => true,
                };
                if self.version(intent.target).is_none() {
                    Err(Answer::Refused { code: 404 })
                } else if checked
                    && !self.is_live(intent.target, &(uid.clone(), resource_version.clone()))
                {
                    Err(Answer::Refused { code: 409 })
                } else {
                    Ok(())
                }
            }
        }
    }

    /// What a request does when it arrives at the API server.
    pub fn effect(&mut self, config: &Config, message: &Message) -> Answer {
        match &message.what {
            Request::Sweep { slot, uid, rv } => {
                if self.records[*slot].is_some_and(|record| (record.uid, record.rv) == (*uid, *rv))
                {
                    self.check_writer(*slot, None);
                    self.delete(*slot);
                    Answer::Accepted {
                        code: 200,
                        version: None,
                    }
                } else {
                    Answer::Refused { code: 409 }
                }
            }
            Request::Step(intent) => {
                if let Err(refusal) = self.passes(config, intent) {
                    return refusal;
                }
                let before = self.version(intent.target);
                match intent.target {
                    Target::Record(revision) => {
                        let slot = slot(revision.0).expect("a slot of the world");
                        self.write_record(config, slot, intent.step, self.runs[message.run].tag);
                    }
                    Target::Object(place) => {
                        self.patch(config, place as usize, wish(intent), message.run);
                    }
                }
                // A request that changes nothing moves no resourceVersion: it is no effect.
                if self.version(intent.target) != before {
                    self.check_closed(config, message.run, intent.step);
                }
                let version = self
                    .version(intent.target)
                    .map(|(uid, rv)| (uid_of(uid), rv_of(rv)));
                Answer::Accepted { code: 200, version }
            }
        }
    }

    fn write_record(&mut self, config: &Config, slot: usize, step: Step, tag: u8) {
        let lock = Record {
            status: Status::Pending,
            body: if config.lock_as_base {
                Body::Lock(tag)
            } else {
                Body::Migrated(tag)
            },
            ssa: !config.lock_as_base,
            token: tag,
            writer: Writer::Refit,
            owners: true,
            finalizer: config.undo && config.finalizer,
            terminating: false,
            uid: 0,
            rv: 0,
        };
        let before = Record {
            status: Status::Deployed,
            body: Body::Before,
            ssa: false,
            token: 0,
            finalizer: false,
            ..lock
        };
        if matches!(step, Step::Lock | Step::Renew) {
            self.put(slot, if step == Step::Lock { lock } else { before });
            return;
        }
        self.check_writer(slot, Some(step));
        let Some(there) = self.records[slot] else {
            return;
        };
        let ours = Record {
            writer: Writer::Refit,
            token: 0,
            finalizer: false,
            ..there
        };
        match step {
            Step::Commit => self.put(
                slot,
                Record {
                    status: Status::Deployed,
                    body: Body::Migrated(tag),
                    ssa: true,
                    ..ours
                },
            ),
            Step::Supersede => self.put(
                slot,
                Record {
                    status: Status::Superseded,
                    body: Body::Before,
                    ssa: true,
                    owners: false,
                    ..ours
                },
            ),
            Step::Restore => self.put(
                slot,
                Record {
                    owners: false,
                    ..before
                },
            ),
            Step::RestoreOwners if there.owners => {}
            Step::RestoreOwners => self.put(
                slot,
                Record {
                    owners: true,
                    ..there
                },
            ),
            Step::DropCommit | Step::Unlock => self.delete(slot),
            Step::Release => self.put(
                slot,
                Record {
                    token: there.token,
                    ..ours
                },
            ),
            Step::Retire => self.put(
                slot,
                Record {
                    status: Status::Failed,
                    token: there.token,
                    ..ours
                },
            ),
            Step::Demote => self.put(
                slot,
                Record {
                    status: Status::Superseded,
                    ..ours
                },
            ),
            Step::Lock | Step::Renew | Step::Value | Step::Forward | Step::Unvalue | Step::Back => {
            }
        }
    }

    /// No record that Helm wrote last is overwritten, but N with the very content that Helm knew.
    fn check_writer(&mut self, slot: usize, step: Option<Step>) {
        let Some(there) = self.records[slot].filter(|there| there.writer == Writer::Helm) else {
            return;
        };
        let same = match step {
            Some(Step::Restore) => there.body == Body::Before && there.status == Status::Superseded,
            Some(Step::Supersede | Step::RestoreOwners) => {
                there.body == Body::Before && there.status == Status::Deployed
            }
            // Only the status of N or N+1, and only while Helm's rewrite says what ours said.
            Some(Step::Demote) => {
                matches!(there.body, Body::Before | Body::Migrated(_))
                    && there.status == Status::Deployed
            }
            _ => false,
        };
        if !same {
            let delete = matches!(step, None | Some(Step::Unlock | Step::DropCommit));
            let verb = if delete { "deleted" } else { "overwrote" };
            self.blame(format!("d: refit {verb} a record that Helm wrote last"));
        }
    }

    fn patch(&mut self, config: &Config, place: usize, wish: Wish, run: usize) {
        let Some(there) = self.objects[place] else {
            return;
        };
        if there.base != wish.base {
            self.blame("b: ownership written by another party (or of a new object) overwritten");
        } else if there.foreign && !wish.foreign {
            self.blame("b: a foreign manager's entry lost");
        }
        if there.value == 2 && wish.value != 2 {
            self.blame("b: a value that somebody else wrote overwritten");
        }
        if there.wish() != wish {
            self.write(place, wish.base, wish.entry, wish.foreign);
            if let Some(object) = &mut self.objects[place] {
                (object.value, object.mark) = (wish.value, wish.mark);
            }
        }
        let committed = self.records[config.lock()].and_then(|record| match record {
            Record {
                status: Status::Deployed,
                body: Body::Migrated(tag),
                writer: Writer::Refit,
                ..
            } => Some(tag),
            _ => None,
        });
        let other_done = self.runs.iter().enumerate().any(|(at, other)| {
            at != run
                && matches!(other.outcome(), Some(Outcome::Done))
                && committed == Some(other.tag)
        });
        if other_done {
            self.blame("a: an object written after another run had reported Done");
        }
    }

    fn check_closed(&mut self, config: &Config, run: usize, step: Step) {
        if matches!(step, Step::Lock | Step::Renew) {
            return;
        }
        let closed = |run: &Run| {
            run.outcome()
                .filter(|outcome| !matches!(outcome, Outcome::Stuck { .. }))
                .map(Outcome::word)
        };
        let by_own = closed(&self.runs[run]);
        let by_any = self.runs.iter().find_map(closed).filter(|_| !config.fence);
        if let Some(word) = by_own.or(by_any) {
            self.blame(format!(
                "a: a late {step:?} took effect after the release was closed as {word}"
            ));
        }
    }
}

/// The slot of a revision.
pub fn slot(revision: u32) -> Option<usize> {
    revision
        .checked_sub(N)
        .map(|slot| slot as usize)
        .filter(|slot| *slot < SLOTS)
}

pub fn uid_of(number: u32) -> Uid {
    Uid::new(number.to_string())
}

pub fn rv_of(number: u32) -> ResourceVersion {
    ResourceVersion::new(number.to_string())
}

/// An image's text: what a real one says, as far as this world goes.
pub fn image(wish: Wish) -> String {
    let base = match wish.base {
        Base::Before => 'B',
        Base::Stolen => 'S',
        Base::Taken => 'T',
        Base::Recreated => 'R',
        Base::Helm => 'H',
    };
    format!(
        "{base}{}{}{}{}",
        wish.entry,
        u8::from(wish.foreign),
        wish.value,
        u8::from(wish.mark)
    )
}

/// The state that an image's text says.
pub fn read_image(text: &str) -> Wish {
    let bytes = text.as_bytes();
    Wish {
        base: match bytes[0] {
            b'B' => Base::Before,
            b'S' => Base::Stolen,
            b'T' => Base::Taken,
            b'R' => Base::Recreated,
            _ => Base::Helm,
        },
        entry: bytes[1] - b'0',
        foreign: bytes[2] == b'1',
        value: bytes[3] - b'0',
        mark: bytes[4] == b'1',
    }
}

fn wish(intent: &Intent) -> Wish {
    read_image(intent.wish.as_ref().expect("a wish").as_str())
}
