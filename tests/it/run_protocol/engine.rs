//! The engine's loop, live and for recovery, in the world: `decide`, then do what it says.

use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use refit::domain::ids::{
    AttemptNo, ClusterName, Digest, Namespace, ReleaseId, ReleaseName, Revision, RunId,
};
use refit::domain::object::ObjectRef;
use refit::domain::run::{
    Answer, Attempt, BaseCell, CommitCell, Content, Decision, Direction, Entry, Guard, Intent,
    IntentNo, Job, Look, ObjectCell, ObjectRequest, ObjectSeen, Observation, Opened, OpenedObject,
    Outcome, RecordImage, RecordSeen, Reply, Seen, Step, Target, Token, View, WaitFor, decide,
    sweepable,
};

use super::world::{
    Base, Body, Config, HELM, Message, N, OBJECTS, Obj, Record, Request, Run, SLOTS, Status, Wish,
    World, image, read_image, rv_of, slot, uid_of,
};

/// The undo's lock stays this long.
pub const DWELL_SECONDS: u32 = 30;
/// More decisions than a step ever needs without a request, an end or a wait between them.
const DECISIONS: usize = 30;

pub fn token(tag: u8) -> Token {
    Token::new(&format!("store-{tag}"), &run_id(tag), AttemptNo(1))
}

fn run_id(tag: u8) -> RunId {
    RunId::new(format!("run-{tag}"))
}

fn digest(wish: Wish) -> Digest {
    Digest::new(image(wish))
}

impl World {
    fn identity(record: &Record) -> Digest {
        Digest::new(match record.body {
            Body::Before => "before".to_owned(),
            Body::Lock(tag) => format!("lock of {tag}"),
            Body::Migrated(tag) => format!("migrated by {tag}"),
            Body::Helm => "helm's".to_owned(),
        })
    }

    fn see_record(&self, slot: usize, reader: u8, content: bool) -> Option<RecordSeen> {
        let record = self.records[slot]?;
        let status = match record.status {
            Status::Deployed => "deployed",
            Status::Superseded => "superseded",
            Status::Pending if slot == 2 => "pending-rollback",
            Status::Pending => "pending-upgrade",
            Status::Failed => "failed",
            Status::Uninstalling => "uninstalling",
        };
        let ours = matches!(record.body, Body::Lock(tag) | Body::Migrated(tag) if tag == reader);
        Some(RecordSeen {
            revision: Revision(N + u32::try_from(slot).unwrap()),
            uid: uid_of(record.uid),
            resource_version: rv_of(record.rv),
            status: status.to_owned(),
            token: (record.token > 0).then(|| token(record.token)),
            content: content.then(|| Content {
                status: status.to_owned(),
                ssa: record.ssa,
                identity: Self::identity(&record),
                ours,
            }),
        })
    }

    /// The forward request that would adopt an object as it is.
    fn forward(object: &Obj, own: u8) -> ObjectRequest {
        let wish = Wish {
            entry: own,
            mark: false,
            ..object.wish()
        };
        Self::request(object, wish, Wish { entry: 0, ..wish })
    }

    fn request(object: &Obj, wish: Wish, inverse: Wish) -> ObjectRequest {
        ObjectRequest {
            uid: uid_of(object.uid),
            resource_version: rv_of(object.rv),
            wish: digest(wish),
            inverse: digest(inverse),
        }
    }

    /// The request that sets the value that a policy wants.
    fn set_value(object: &Obj) -> ObjectRequest {
        let wish = Wish {
            value: 1,
            mark: true,
            ..object.wish()
        };
        Self::request(object, wish, object.wish())
    }

    /// The same for an object whose value changes: as the engine's own classification does it.
    fn see_valued(attempt: &Attempt, object: &Obj, own: u8, place: usize) -> ObjectSeen {
        let cell = &attempt.objects[place].state;
        let inverse = cell.inverse().map_or_else(
            || read_image(attempt.opened.objects[place].request.inverse.as_str()),
            |inverse| read_image(inverse.as_str()),
        );
        let version = (uid_of(object.uid), rv_of(object.rv));
        let is_back = matches!(cell, ObjectCell::Unvalued { .. });
        let is_set = !is_back && object.value == 1;
        let adopted = object.entry == own;
        let unset = || {
            let wish = Wish {
                value: 0,
                mark: true,
                ..object.wish()
            };
            Some(Self::request(object, wish, inverse))
        };
        if is_set && adopted {
            return ObjectSeen::After {
                version,
                back: unset(),
            };
        }
        if is_set {
            let next = if attempt.direction == Direction::Back {
                unset()
            } else {
                Some(Self::forward(object, own))
            };
            return ObjectSeen::Valued { version, next };
        }
        if !adopted && !object.mark && !is_back && object.value == 0 {
            return ObjectSeen::Before {
                forward: Self::set_value(object),
            };
        }
        if !adopted && !object.mark && !cell.is_changed() {
            return ObjectSeen::Refused {
                why: "the value is another now".into(),
            };
        }
        let kept = matches!(object.base, Base::Taken | Base::Stolen);
        let wish = Wish {
            base: if kept { object.base } else { inverse.base },
            entry: 0,
            mark: false,
            ..object.wish()
        };
        if wish == object.wish() && !is_back {
            return ObjectSeen::Before {
                forward: Self::set_value(object),
            };
        }
        ObjectSeen::Unvalued {
            version,
            adopted,
            back: Some(Self::request(object, wish, inverse)),
        }
    }

    /// An object as the engine classifies it for an attempt.
    fn see_object(&self, config: &Config, attempt: &Attempt, tag: u8, place: usize) -> ObjectSeen {
        let own = if config.undo { 1 } else { tag };
        let Some(object) = self.objects[place] else {
            return ObjectSeen::Gone;
        };
        let inverse = match &attempt.objects[place].state {
            ObjectCell::Migrated { inverse } => Some(read_image(inverse.as_str())),
            _ => None,
        };
        if config.compare {
            if uid_of(object.uid) != attempt.opened.objects[place].request.uid {
                return ObjectSeen::Recreated;
            }
            if object.base == Base::Helm {
                return ObjectSeen::Rewritten { by: "helm".into() };
            }
            if object.entry != 0 && object.entry != own && config.own_time {
                return ObjectSeen::Rewritten {
                    by: format!("the run {}", object.entry),
                };
            }
        }
        if attempt.opened.objects[place].values.is_some() {
            return Self::see_valued(attempt, &object, own, place);
        }
        if object.entry == 0 && (config.compare || inverse.is_none()) {
            return ObjectSeen::Before {
                forward: Self::forward(&object, own),
            };
        }
        let back = inverse.map(|inverse| {
            let taken = config.three_way && object.base == Base::Taken;
            ObjectRequest {
                uid: uid_of(object.uid),
                resource_version: rv_of(object.rv),
                wish: digest(Wish {
                    base: if taken { Base::Taken } else { inverse.base },
                    entry: 0,
                    foreign: if config.three_way {
                        object.foreign
                    } else {
                        inverse.foreign
                    },
                    ..object.wish()
                }),
                inverse: digest(inverse),
            }
        });
        ObjectSeen::After {
            version: (uid_of(object.uid), rv_of(object.rv)),
            back,
        }
    }

    fn view(
        &self,
        config: &Config,
        run: &Run,
        attempt: &Attempt,
        look: &Look,
        clock: &Clock,
    ) -> View {
        let objects = look
            .objects
            .iter()
            .map(|place| {
                (
                    *place,
                    self.see_object(config, attempt, run.tag, *place as usize),
                )
            })
            .collect();
        let mut records: Vec<_> = (0..SLOTS)
            .filter_map(|slot| {
                let wanted = look
                    .contents
                    .contains(&Revision(N + u32::try_from(slot).unwrap()));
                self.see_record(slot, run.tag, wanted)
            })
            .collect();
        blind(config, attempt, &mut records);
        View {
            now: clock.now,
            objects,
            records,
            undo_wished: clock.wish.then(|| "the operator asks for it".to_owned()),
            waited_enough: clock.waited,
        }
    }

    /// Everything that a run could be shown now.
    pub fn full_view(&self, config: &Config, at: usize) -> Option<(Attempt, View)> {
        let attempt = self.runs[at].attempt.as_deref()?.clone();
        let look = Look {
            objects: (0..).take(OBJECTS).collect(),
            contents: (N..).take(SLOTS).map(Revision).collect(),
        };
        let clock = Clock {
            now: Timestamp::UNIX_EPOCH,
            waited: false,
            wish: false,
        };
        let view = self.view(config, &self.runs[at], &attempt, &look, &clock);
        Some((attempt, view))
    }

    /// A `helm upgrade` that has LISTed and not yet POSTed, and lives.
    fn stale_helm(&self) -> bool {
        !self.env.dead
            && self
                .helm
                .as_ref()
                .is_some_and(super::actors::Helm::has_listed_only)
    }

    /// Does an owner of a pending revision above N live, other than this run?
    fn foreign_owner_lives(&self, tag: u8) -> bool {
        let helm = self.helm.is_some() && !self.env.dead;
        self.records.iter().skip(1).flatten().any(|record| {
            matches!(record.status, Status::Pending | Status::Uninstalling)
                && record.token != tag
                && (record.token > 0 || helm)
        })
    }

    /// The attempt's first entry, or why there is none.
    fn opening(&self, config: &Config, tag: u8) -> Result<Opened, Outcome> {
        let found = |what: &str| {
            Err(Outcome::Stale {
                what: what.to_owned(),
            })
        };
        let top = self.top();
        let own = if config.undo { 1 } else { tag };
        let base = self.records[0];
        let fits = if config.undo {
            let commit = self.records[1].is_some_and(|record| {
                record.status == Status::Deployed
                    && record.body == Body::Migrated(1)
                    && record.writer == super::world::Writer::Refit
            });
            let base = base.is_some_and(|record| {
                record.status == Status::Superseded && record.writer == super::world::Writer::Refit
            });
            let objects = self.objects.iter().all(|object| {
                object.is_some_and(|object| object.base == Base::Before && object.entry == 1)
            });
            if !(commit && base && objects && top == Some(1)) {
                return Err(Outcome::MovedOn {
                    why: vec!["not as it was left".to_owned()],
                    settled: true,
                });
            }
            true
        } else {
            let base = base.is_some_and(|record| record.writer == super::world::Writer::Found);
            let objects = self.objects.iter().all(|object| {
                object.is_some_and(|object| object.base != Base::Helm && object.entry == 0)
            });
            base && objects && top == Some(0)
        };
        let (true, Some(base)) = (fits, base) else {
            return found("not as planned");
        };
        let image_of = |record: &Record, slot: u32| RecordImage {
            revision: Revision(N + slot),
            uid: uid_of(record.uid),
            resource_version: rv_of(record.rv),
            identity: Self::identity(record),
            metadata: Digest::new("metadata"),
        };
        let lock = Revision(N + u32::try_from(config.lock()).unwrap());
        let objects = self
            .objects
            .iter()
            .flatten()
            .zip(["web", "db"])
            .map(|(object, name)| OpenedObject {
                object: ObjectRef {
                    api_version: "apps/v1".into(),
                    kind: "Deployment".into(),
                    namespace: Some(Namespace::new("shop")),
                    name: name.into(),
                },
                apply_set: Digest::new("set"),
                request: if config.values && name == "web" && !config.undo {
                    Self::set_value(object)
                } else {
                    Self::forward(object, own)
                },
                values: (config.values && name == "web").then(|| Digest::new("values")),
            })
            .collect();
        Ok(Opened {
            release: ReleaseId {
                cluster: ClusterName::new("eu-1"),
                namespace: Namespace::new("shop"),
                name: ReleaseName::new("web"),
            },
            attempt: AttemptNo(1),
            run: run_id(tag),
            job: if config.undo { Job::Undo } else { Job::Migrate },
            token: token(tag),
            base: image_of(&base, 0),
            committed: self.records[1]
                .filter(|_| config.undo)
                .map(|record| image_of(&record, 1)),
            lock,
            objects,
            dwell_seconds: if config.dwell { DWELL_SECONDS } else { 0 },
            finalizer: config.finalizer,
            unrestored: Vec::new(),
            intent: Intent {
                no: IntentNo(1),
                step: Step::Lock,
                target: Target::Record(lock),
                guard: Guard::NameFree,
                wish: None,
                inverse: None,
                at: Timestamp::UNIX_EPOCH,
            },
        })
    }

    /// The next step of a run: up to its next request, end, wait or look. `None` if it cannot do anything now.
    pub fn step(&self, config: &Config, at: usize, wish: bool) -> Option<(String, Self)> {
        let mut next = self.clone();
        if self
            .net
            .iter()
            .any(|message| message.run == at && message.reply)
        {
            return None;
        }
        if self.runs[at].outcome().is_some() {
            return next.sweep(config, at).map(|label| (label, next));
        }
        let mut label = format!("P{}:", at + 1);
        let mut recovering = true;
        let mut attempt = match &self.runs[at].attempt {
            Some(attempt) => (**attempt).clone(),
            None => match self.opening(config, self.runs[at].tag) {
                Ok(opened) => {
                    recovering = false;
                    label += " opens;";
                    let attempt = Attempt::open(opened.clone());
                    if let Some(journal) = &mut next.runs[at].journal {
                        Rc::make_mut(journal).push(Entry::Opened(Box::new(opened)));
                    }
                    attempt
                }
                Err(outcome) => {
                    label += &format!(" closes {}", outcome.word());
                    next.runs[at].unopened = Some(outcome);
                    return Some((label, next));
                }
            },
        };
        let mut clock = Clock {
            now: Timestamp::UNIX_EPOCH,
            waited: false,
            wish,
        };
        let mut seen = Observation::Nothing;
        for _ in 0..DECISIONS {
            match decide(&attempt, &seen) {
                Decision::Closed => break,
                Decision::Look(look) => {
                    seen = Observation::View(self.view(
                        config,
                        &self.runs[at],
                        &attempt,
                        &look,
                        &clock,
                    ));
                }
                Decision::Append(entries) => {
                    recovering = false;
                    for entry in entries {
                        label += &describe(&entry);
                        attempt = next.append(at, attempt, entry);
                    }
                    seen = Observation::Nothing;
                    // A step of its own follows, unless it is the sending of what was just journaled.
                    if attempt.outcome.is_some() || attempt.open_intents().is_empty() {
                        break;
                    }
                }
                Decision::Send(numbers) => {
                    if numbers.iter().any(|no| attempt.open_intent(*no).is_none()) {
                        next.blame("x: a request to be sent is not in the journal");
                    }
                    if recovering && !config.reissue {
                        label += " resolves by reading";
                        attempt = next.resolve_by_reading(config, at, attempt);
                        break;
                    }
                    label += if recovering { " again:" } else { "" };
                    for intent in attempt.open_intents() {
                        label += &format!(" {}", step_name(intent));
                        next.net.push(Message {
                            run: at,
                            what: Request::Step(Rc::new(intent.clone())),
                            reply: true,
                        });
                    }
                    break;
                }
                Decision::Wait(WaitFor::Dwell { until }) => {
                    if self.stale_helm() {
                        return None;
                    }
                    clock.now = until.max(clock.now + SignedDuration::from_nanos(1));
                    seen = Observation::Nothing;
                }
                Decision::Wait(WaitFor::Foreign { .. }) => {
                    if self.foreign_owner_lives(self.runs[at].tag) || clock.waited {
                        return None;
                    }
                    clock.waited = true;
                    seen = Observation::Nothing;
                }
            }
        }
        next.runs[at].attempt = Some(Rc::new(attempt));
        Some((label, next))
    }

    fn append(&mut self, at: usize, attempt: Attempt, entry: Entry) -> Attempt {
        match attempt.clone().apply(&entry) {
            Ok(next) => {
                if let Some(journal) = &mut self.runs[at].journal {
                    Rc::make_mut(journal).push(entry);
                }
                next
            }
            Err(illegal) => {
                self.blame(format!("x: {illegal} ({entry:?} on {attempt:?})"));
                self.runs[at].unopened = Some(Outcome::Stale {
                    what: "broken".into(),
                });
                attempt
            }
        }
    }

    /// Without rule 3: an open intent is decided by looking at its target.
    fn resolve_by_reading(&mut self, config: &Config, at: usize, mut attempt: Attempt) -> Attempt {
        let replies: Vec<_> = attempt
            .open_intents()
            .into_iter()
            .map(|intent| Reply {
                intent: intent.no,
                answer: Answer::Refused { code: 409 },
                live: self.live(config, at, &attempt, intent.target),
            })
            .collect();
        if let Decision::Append(entries) = decide(&attempt, &Observation::Replies(replies)) {
            for entry in entries {
                attempt = self.append(at, attempt, entry);
            }
        }
        attempt
    }

    fn live(&self, config: &Config, at: usize, attempt: &Attempt, target: Target) -> Seen {
        match target {
            Target::Record(revision) => {
                let slot = slot(revision.0).expect("a slot of the world");
                Seen::Record(self.see_record(slot, self.runs[at].tag, true))
            }
            Target::Object(place) => {
                Seen::Object(self.see_object(config, attempt, self.runs[at].tag, place as usize))
            }
        }
    }

    /// A request of the network arrives; if its sender waits, the reply is resolved and journaled.
    pub fn deliver(&self, config: &Config, at: usize) -> (String, Self) {
        let mut next = self.clone();
        let message = next.net.remove(at);
        let answer = next.effect(config, &message);
        let name = match &message.what {
            Request::Step(intent) => step_name(intent),
            Request::Sweep { .. } => "Sweep".to_owned(),
        };
        let ok = matches!(answer, Answer::Accepted { .. });
        let verb = if message.reply { "arrives" } else { "late" };
        let label = format!("{verb}: {name} {}", if ok { "ok" } else { "refused" });
        let Request::Step(intent) = &message.what else {
            return (label, next);
        };
        let Some(attempt) = next.runs[message.run]
            .attempt
            .clone()
            .filter(|_| message.reply)
        else {
            return (label, next);
        };
        let live = if ok {
            Seen::NotRead
        } else {
            next.live(config, message.run, &attempt, intent.target)
        };
        let reply = Reply {
            intent: intent.no,
            answer,
            live,
        };
        let mut attempt = (*attempt).clone();
        match decide(&attempt, &Observation::Replies(vec![reply])) {
            Decision::Append(entries) => {
                for entry in entries {
                    attempt = next.append(message.run, attempt, entry);
                }
            }
            Decision::Closed | Decision::Send(_) => {}
            other => next.blame(format!("x: replies are answered by {other:?}")),
        }
        if !config.image_per_attempt {
            first_image(&mut attempt);
        }
        next.runs[message.run].attempt = Some(Rc::new(attempt));
        (label, next)
    }

    /// An answer that this API server never gives by itself, to the first request of a name that is waited for.
    pub fn answer(&self, config: &Config, name: &str, answer: &Answer) -> Self {
        let mut next = self.clone();
        let at = next
            .net
            .iter()
            .position(|message| matches!(&message.what, Request::Step(intent) if step_name(intent) == name))
            .expect("the request is under way");
        let message = next.net.remove(at);
        if matches!(answer, Answer::Different { .. }) {
            next.effect(config, &message);
        }
        let Request::Step(intent) = &message.what else {
            return next;
        };
        let mut attempt = next.runs[message.run]
            .attempt
            .as_deref()
            .expect("an attempt")
            .clone();
        let live = next.live(config, message.run, &attempt, intent.target);
        let reply = Reply {
            intent: intent.no,
            answer: answer.clone(),
            live,
        };
        if let Decision::Append(entries) = decide(&attempt, &Observation::Replies(vec![reply])) {
            for entry in entries {
                attempt = next.append(message.run, attempt, entry);
            }
        }
        next.runs[message.run].attempt = Some(Rc::new(attempt));
        next
    }

    /// The sweep of a closed run: a lock that a late POST brought back.
    fn sweep(&mut self, config: &Config, at: usize) -> Option<String> {
        let out = self
            .net
            .iter()
            .any(|message| matches!(message.what, Request::Sweep { .. }));
        let attempt = self.runs[at].attempt.as_ref()?;
        if !config.sweep || out {
            return None;
        }
        let closed = attempt.sweep_token().into_iter().cloned().collect();
        let records: Vec<_> = (0..SLOTS)
            .filter_map(|slot| self.see_record(slot, self.runs[at].tag, false))
            .collect();
        let found = sweepable(&records, &closed).first().copied()?.clone();
        let slot = slot(found.revision.0)?;
        let record = self.records[slot]?;
        // A finalizer of ours goes with it.
        if record.finalizer {
            self.records[slot] = Some(Record {
                finalizer: false,
                ..record
            });
        }
        self.net.push(Message {
            run: at,
            what: Request::Sweep {
                slot,
                uid: record.uid,
                rv: record.rv,
            },
            reply: false,
        });
        Some(format!("P{}: sweeps revision {}", at + 1, found.revision))
    }
}

/// What an engine's loop keeps between decisions.
struct Clock {
    now: Timestamp,
    waited: bool,
    wish: bool,
}

/// Takes a check away by showing the attempt what it hopes to see.
fn blind(config: &Config, attempt: &Attempt, records: &mut Vec<RecordSeen>) {
    let opened = &attempt.opened;
    let forward = attempt.direction == Direction::Forward;
    if !config.verify && forward && !attempt.is_committed() {
        records.retain(|record| record.revision <= opened.lock);
        for record in records.iter_mut() {
            if record.revision == opened.lock {
                record.status = "pending-upgrade".into();
                record.token = Some(opened.token.clone());
            } else if record.revision == opened.base.revision {
                record.resource_version = opened.base.resource_version.clone();
                record.uid = opened.base.uid.clone();
            }
        }
    }
    if let (false, true, CommitCell::Deployed { version }) = (
        config.look_after_commit,
        attempt.is_committed(),
        &attempt.commit.state,
    ) && attempt.base.state != BaseCell::Untouched
    {
        records.retain(|record| record.revision <= opened.lock);
        for record in records.iter_mut() {
            if record.revision == opened.lock {
                (record.uid, record.resource_version) = version.clone();
            } else {
                record.status = "superseded".into();
            }
        }
    }
    if !config.heed && !forward {
        for record in records
            .iter_mut()
            .filter(|record| record.token.as_ref() != Some(&opened.token))
        {
            record.token = None;
            if let Some(content) = &mut record.content {
                content.ssa = false;
            }
        }
    }
    if let (false, BaseCell::Restored { version }, CommitCell::Deleted) =
        (config.renew, &attempt.base.state, &attempt.commit.state)
        && records
            .iter()
            .all(|record| record.revision != opened.base.revision)
    {
        records.push(RecordSeen {
            revision: opened.base.revision,
            uid: version.0.clone(),
            resource_version: version.1.clone(),
            status: "deployed".into(),
            token: None,
            content: None,
        });
    }
}

/// Without rule 1: undo knows only the image of the first attempt at an object.
fn first_image(attempt: &mut Attempt) {
    for (slot, opened) in attempt.objects.iter_mut().zip(&attempt.opened.objects) {
        if let ObjectCell::Migrated { inverse } = &mut slot.state {
            inverse.clone_from(&opened.request.inverse);
        }
    }
}

fn step_name(intent: &Intent) -> String {
    match intent.target {
        Target::Object(place) => format!("{:?} o{place}", intent.step),
        Target::Record(_) => format!("{:?}", intent.step),
    }
}

fn describe(entry: &Entry) -> String {
    match entry {
        Entry::Decided { why, .. } => format!(" back ({why});"),
        Entry::Left { target, .. } => format!(" leaves {target:?};"),
        Entry::Settled { .. } => " settled;".to_owned(),
        Entry::LockLost { .. } => " lock lost;".to_owned(),
        Entry::Closed { outcome } => format!(" closes {}", outcome.word()),
        _ => String::new(),
    }
}

const _: () = assert!(HELM > 3 && OBJECTS == 2);
