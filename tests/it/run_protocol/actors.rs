//! The others: Helm (LIST, prune, POST, objects, unconditional PUTs from memory), a controller, a human.

use super::world::{
    Base, Body, Config, HELM, OBJECTS, Obj, Op, Record, SLOTS, Status, Wish, World, Writer,
};

/// What Helm holds in memory of a record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Memory {
    pub status: Status,
    pub body: Body,
    pub ssa: bool,
}

impl From<Record> for Memory {
    fn from(record: Record) -> Self {
        let Record {
            status, body, ssa, ..
        } = record;
        Self { status, body, ssa }
    }
}

/// How a Helm writes objects.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mode {
    ClientSide,
    /// Server-side, no csa upgrade since the deployed record says ssa already.
    ServerSide,
    /// Server-side after Helm's own csa upgrade of the objects.
    Upgrading,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum At {
    /// LISTed; the POST is next.
    Create,
    Object(usize),
    Supersede,
    /// A rollback supersedes what it found deployed after its objects were written.
    SupersedeFound([bool; SLOTS]),
    Deploy,
    /// Uninstall: mark, delete objects, purge.
    Mark,
    DeleteObjects,
    Purge,
    /// Unlock.
    Fail,
}

/// A Helm client at work, or about to start over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Helm {
    Again,
    Works {
        op: Op,
        at: At,
        last: usize,
        deployed: usize,
        deployed_memory: Option<Memory>,
        last_memory: Option<Memory>,
        listed: [bool; SLOTS],
        mode: Mode,
    },
}

impl Helm {
    /// An upgrade between its LIST and its POST.
    pub fn has_listed_only(&self) -> bool {
        matches!(
            self,
            Self::Works {
                op: Op::Upgrade,
                at: At::Create,
                ..
            }
        )
    }
}

type Steps = Vec<(String, World)>;

fn name(slot: usize) -> String {
    if slot == 0 {
        "N".into()
    } else {
        format!("N+{slot}")
    }
}

impl World {
    /// A PUT from memory: unconditional; annotations and finalizers go, a missing record is only logged.
    fn put_from_memory(&mut self, slot: usize, status: Status, memory: Memory) {
        if let Some(there) = self.records[slot] {
            let record = Record {
                status,
                body: memory.body,
                ssa: memory.ssa,
                token: 0,
                writer: Writer::Helm,
                finalizer: false,
                ..there
            };
            self.put(slot, record);
        }
    }

    /// All that Helm can do now.
    pub fn helm_steps(&self, config: &Config) -> Steps {
        match self.helm {
            None if self.env.helm == 0 => Vec::new(),
            None => config
                .ops
                .iter()
                .filter_map(|op| self.helm_starts(config, *op, false))
                .collect(),
            Some(Helm::Again) => self
                .helm_starts(config, Op::Upgrade, true)
                .into_iter()
                .collect(),
            Some(_) if self.env.dead => Vec::new(),
            Some(helm) => self.helm_works(config, helm),
        }
    }

    fn helm_starts(&self, _config: &Config, op: Op, again: bool) -> Option<(String, World)> {
        let mut w = self.clone();
        w.helm = None;
        let top = self.top();
        let last = top.unwrap_or(0);
        let record = self.records[last];
        let unfinished =
            record.is_some_and(|r| matches!(r.status, Status::Pending | Status::Uninstalling));
        let previous = last.checked_sub(1).map(|slot| self.records[slot]);
        let refused = top.is_none() != (op == Op::Install)
            || top == Some(SLOTS - 1)
            || (op == Op::Upgrade && unfinished)
            || (op == Op::Unlock && record.is_none_or(|r| r.status != Status::Pending))
            || (op == Op::Rollback && previous == Some(None));
        if refused {
            return again.then(|| ("helm Upgrade: refused".to_owned(), w));
        }
        if !again {
            w.env.helm -= 1;
        }
        let found = (0..SLOTS)
            .rev()
            .find(|slot| self.records[*slot].is_some_and(|r| r.status == Status::Deployed));
        let deployed = match (op, record) {
            (Op::Upgrade, Some(r)) if r.status != Status::Deployed => found.unwrap_or(last),
            _ => last,
        };
        let says_ssa = |slot: usize| self.records[slot].is_some_and(|r| r.ssa);
        let ssa = match op {
            Op::Upgrade => says_ssa(last),
            Op::Rollback => last > 0 && says_ssa(last - 1),
            _ => false,
        };
        let mode = if !ssa {
            Mode::ClientSide
        } else if op == Op::Rollback || !says_ssa(deployed) {
            Mode::Upgrading
        } else {
            Mode::ServerSide
        };
        w.helm = Some(Helm::Works {
            op,
            at: match op {
                Op::Uninstall => At::Mark,
                Op::Unlock => At::Fail,
                _ => At::Create,
            },
            last,
            deployed,
            deployed_memory: self.records[deployed].map(Memory::from),
            last_memory: record.map(Memory::from),
            listed: self.records.map(|r| r.is_some()),
            mode,
        });
        let seen = record.map_or("none".into(), |r| format!("{} {:?}", name(last), r.status));
        Some((
            format!(
                "helm {op:?}: LIST{}, last is {seen}",
                if again { " again" } else { "" }
            ),
            w,
        ))
    }

    fn helm_works(&self, config: &Config, helm: Helm) -> Steps {
        let Helm::Works {
            op,
            at,
            last,
            deployed,
            deployed_memory,
            last_memory,
            listed,
            mode,
        } = helm
        else {
            return Vec::new();
        };
        let mut steps = Vec::new();
        if config.helm_dies {
            let mut w = self.clone();
            w.env.dead = true;
            steps.push(("helm dies".to_owned(), w));
        }
        let mut w = self.clone();
        let goes_on = |at| {
            Some(Helm::Works {
                op,
                at,
                last,
                deployed,
                deployed_memory,
                last_memory,
                listed,
                mode,
            })
        };
        let new = if op == Op::Install { 0 } else { last + 1 };
        let body = Memory {
            status: Status::Pending,
            body: Body::Helm,
            ssa: mode != Mode::ClientSide,
        };
        if at != At::Create {
            w.env.helm_wrote = true;
        }
        let label = match at {
            At::Mark => {
                if let Some(memory) = last_memory {
                    w.put_from_memory(last, Status::Uninstalling, memory);
                }
                w.env.gone = true;
                w.helm = goes_on(At::DeleteObjects);
                "PUT last uninstalling".to_owned()
            }
            At::DeleteObjects => {
                w.objects = [None; OBJECTS];
                w.helm = goes_on(At::Purge);
                "objects deleted".to_owned()
            }
            At::Purge => {
                for slot in (0..SLOTS).filter(|slot| listed[*slot]) {
                    if w.records[slot].is_none() {
                        break;
                    }
                    w.delete(slot);
                }
                w.helm = None;
                "listed revisions purged".to_owned()
            }
            At::Fail => {
                let pending = self.records[last].is_some_and(|r| r.status == Status::Pending);
                w.env.zero |= !pending;
                if let Some(memory) = last_memory {
                    w.put_from_memory(last, Status::Failed, memory);
                }
                w.helm = Some(Helm::Again);
                format!("PUT {} failed from memory", name(last))
            }
            At::Create => {
                w.env.helm_wrote = true;
                w.prune(config);
                if w.records[new].is_some() {
                    w.env.helm_wrote = self.env.helm_wrote || w.records != self.records;
                    w.helm = None;
                    steps.push((format!("helm {op:?}: POST {} refused", name(new)), w));
                    return steps;
                }
                let changed = self.records[last].map(|r| (r.body, r.ssa))
                    != last_memory.map(|m| (m.body, m.ssa));
                // With the lock deleted by hand nothing stops a Helm that has LISTed; then the outcome alone counts.
                let by_hand = self.env.human < config.human;
                if op == Op::Upgrade && changed && config.history_max == 0 && !by_hand {
                    w.blame("d: Helm upgrades from a revision that was changed under it (stale LIST, yet its POST succeeded)");
                }
                let token = if config.annotation {
                    0
                } else {
                    self.records[last].map_or(0, |r| r.token)
                };
                // Whoever copies a label may copy the label of a record that was committed since: `Migrated` tells whose.
                let token = match (config.annotation, self.records[last].map(|r| r.body)) {
                    (false, Some(Body::Migrated(tag))) => tag,
                    _ => token,
                };
                w.put(
                    new,
                    Record {
                        status: Status::Pending,
                        body: Body::Helm,
                        ssa: body.ssa,
                        token,
                        writer: Writer::Helm,
                        owners: true,
                        finalizer: false,
                        terminating: false,
                        uid: 0,
                        rv: 0,
                    },
                );
                w.helm = goes_on(At::Object(0));
                format!("POST {}", name(new))
            }
            At::Object(place) => {
                let there = self.objects[place];
                if mode == Mode::ServerSide
                    && there.is_some_and(|o| o.base == Base::Before && o.entry == 0)
                {
                    w.blame("f: Helm upgrades by SSA, without its csa upgrade, an object that is not migrated: 409 with itself");
                }
                let entry = if mode != Mode::ClientSide || there.is_some_and(|o| o.entry != 0) {
                    HELM
                } else {
                    0
                };
                let foreign = there.is_some_and(|o| o.foreign);
                match there {
                    Some(_) => w.write(place, Base::Helm, entry, foreign),
                    None => {
                        let number = w.tick();
                        w.objects[place] = Some(Obj {
                            base: Base::Helm,
                            entry,
                            foreign,
                            value: 0,
                            mark: false,
                            uid: number,
                            rv: number,
                        });
                    }
                }
                w.helm = goes_on(match (place + 1 < OBJECTS, op) {
                    (true, _) => At::Object(place + 1),
                    (false, Op::Install) => At::Deploy,
                    (false, _) => At::Supersede,
                });
                if config.helm_fails && place + 1 == OBJECTS && op != Op::Install {
                    steps.push(self.helm_fails(helm, &w, body));
                }
                format!("writes o{place}")
            }
            At::Supersede if op == Op::Upgrade => {
                w.env.zero = true;
                if let Some(memory) = deployed_memory {
                    w.put_from_memory(deployed, Status::Superseded, memory);
                }
                w.helm = goes_on(At::Deploy);
                format!("PUT {} superseded from memory", name(deployed))
            }
            At::Supersede => {
                w.helm = goes_on(At::SupersedeFound(
                    self.records
                        .map(|r| r.is_some_and(|r| r.status == Status::Deployed)),
                ));
                "LIST status=deployed".to_owned()
            }
            At::SupersedeFound(found) => {
                w.env.zero = true;
                for slot in (0..SLOTS).filter(|slot| found[*slot]) {
                    if let Some(there) = self.records[slot] {
                        w.put_from_memory(slot, Status::Superseded, there.into());
                    }
                }
                w.helm = goes_on(At::Deploy);
                "PUT what is deployed superseded".to_owned()
            }
            At::Deploy => {
                w.env.zero = false;
                w.put_from_memory(new, Status::Deployed, body);
                w.helm = None;
                format!("PUT {} deployed", name(new))
            }
        };
        steps.insert(0, (format!("helm {op:?}: {label}"), w));
        steps
    }

    fn helm_fails(&self, helm: Helm, written: &World, new_body: Memory) -> (String, World) {
        let mut w = written.clone();
        if let Helm::Works {
            op,
            last,
            deployed,
            deployed_memory,
            last_memory,
            ..
        } = helm
        {
            if op == Op::Rollback {
                w.env.zero |= self.records[last].is_some_and(|r| r.status == Status::Deployed);
                if let Some(memory) = last_memory {
                    w.put_from_memory(last, Status::Superseded, memory);
                }
            } else if let Some(memory) = deployed_memory {
                w.put_from_memory(deployed, memory.status, memory);
            }
            w.put_from_memory(last + 1, Status::Failed, new_body);
            w.helm = None;
            return (format!("helm {op:?}: fails"), w);
        }
        (String::new(), w)
    }

    /// Prune as Helm does, before its POST: the oldest, but never the last deployed.
    fn prune(&mut self, config: &Config) {
        if config.history_max == 0 {
            return;
        }
        let mut have: Vec<usize> = (0..SLOTS)
            .filter(|slot| self.records[*slot].is_some())
            .collect();
        let keep = have
            .iter()
            .copied()
            .rev()
            .find(|slot| self.records[*slot].is_some_and(|r| r.status == Status::Deployed));
        for slot in have.clone() {
            if have.len() >= config.history_max && Some(slot) != keep {
                have.retain(|other| *other != slot);
                self.delete(slot);
            }
        }
    }

    /// A controller or a person at an object.
    pub fn foreign_steps(&self) -> Steps {
        if self.env.foreign == 0 {
            return Vec::new();
        }
        let mut steps = Vec::new();
        for place in 0..OBJECTS {
            let Some(object) = self.objects[place] else {
                continue;
            };
            let Obj { base, entry, .. } = object;
            let stolen = match (base, entry) {
                (Base::Before | Base::Stolen | Base::Taken, 0) => Base::Stolen,
                (Base::Before | Base::Stolen | Base::Taken, _) => Base::Taken,
                _ => base,
            };
            let touched = Wish {
                foreign: true,
                ..object.wish()
            };
            let mut moves = vec![
                ("touches", Some(touched)),
                (
                    "takes a field of",
                    Some(Wish {
                        base: stolen,
                        ..touched
                    }),
                ),
            ];
            if stolen == base {
                moves.pop();
            }
            if object.value == 1 {
                let theirs = Wish {
                    value: 2,
                    mark: false,
                    ..touched
                };
                moves.push(("changes the value of", Some(theirs)));
            }
            for (verb, after) in moves {
                let mut w = self.clone();
                w.env.foreign -= 1;
                if let Some(after) = after {
                    w.write(place, after.base, after.entry, after.foreign);
                    if let Some(object) = &mut w.objects[place] {
                        (object.value, object.mark) = (after.value, after.mark);
                    }
                }
                steps.push((format!("foreign: {verb} o{place}"), w));
            }
            let mut w = self.clone();
            w.env.foreign -= 1;
            w.objects[place] = None;
            steps.push((format!("foreign: deletes o{place}"), w.clone()));
            let number = w.tick();
            w.objects[place] = Some(Obj {
                base: Base::Recreated,
                entry: 0,
                foreign: false,
                value: 0,
                mark: false,
                uid: number,
                rv: number,
            });
            steps.push((format!("foreign: recreates o{place}"), w));
        }
        steps
    }

    /// A human deletes the Secret of refit's pending revision.
    pub fn human_steps(&self) -> Steps {
        let Some(top) = self.top().filter(|_| self.env.human > 0) else {
            return Vec::new();
        };
        let ours = self.records[top].is_some_and(|r| r.status == Status::Pending && r.token > 0);
        if !ours {
            return Vec::new();
        }
        let mut w = self.clone();
        w.env.human -= 1;
        w.delete(top);
        vec![("human: deletes the lock".to_owned(), w)]
    }
}
