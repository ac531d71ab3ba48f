//! Breadth-first search over everything that can happen, so that the first violation found has a shortest trace.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;

use refit::domain::ids::{ResourceVersion, Uid};
use refit::domain::run::{
    Attempt, BaseCell, CommitCell, Direction, Guard, Intent, LockCell, ObjectCell, Outcome, Target,
};

use super::world::{Config, Request, World};

/// What a step is: free ones happen by themselves, the others need somebody new to act.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Free,
    Budget,
}

pub struct Successor {
    pub label: String,
    pub kind: Kind,
    pub world: World,
}

/// All that can happen next.
pub fn successors(world: &World, config: &Config) -> Vec<Successor> {
    let mut steps = Vec::new();
    let mut free = |(label, world)| {
        steps.push(Successor {
            label,
            kind: Kind::Free,
            world,
        });
    };
    for at in 0..world.net.len() {
        free(world.deliver(config, at));
    }
    for at in 0..world.runs.len() {
        let plain = world.step(config, at, false);
        let open = world.runs[at].attempt.as_ref().is_some_and(|attempt| {
            attempt.outcome.is_none()
                && attempt.open_intents().is_empty()
                && attempt.direction == Direction::Forward
                && !attempt.is_committed()
        });
        if config.choice
            && open
            && plain.is_some()
            && let Some((label, world)) = world.step(config, at, true)
            && label.contains("the operator")
        {
            free((label, world));
        }
        plain.into_iter().for_each(&mut free);
    }
    for (label, next) in world.helm_steps(config) {
        let kind = if label.contains(": LIST,") || label == "helm dies" {
            Kind::Budget
        } else {
            Kind::Free
        };
        steps.push(Successor {
            label,
            kind,
            world: next,
        });
    }
    let faults = interrupts(world, config)
        .into_iter()
        .chain(world.foreign_steps())
        .chain(world.human_steps());
    steps.extend(faults.map(|(label, world)| Successor {
        label,
        kind: Kind::Budget,
        world,
    }));
    steps
}

/// Crash, pause, lost reply, time-out: the request is lost, or stays under way; the successor goes on from the journal.
fn interrupts(world: &World, config: &Config) -> Vec<(String, World)> {
    let mut steps = Vec::new();
    for (at, run) in world.runs.iter().enumerate() {
        let out = world
            .net
            .iter()
            .any(|message| message.run == at && message.reply);
        if world.env.interrupts == 0 || !out || run.outcome().is_some() {
            continue;
        }
        for lost in [false, true] {
            let mut next = world.clone();
            next.env.interrupts -= 1;
            next.net
                .retain(|message| !(lost && message.run == at && message.reply));
            for message in next.net.iter_mut().filter(|message| message.run == at) {
                message.reply = false;
            }
            if let Some(attempt) = &run.attempt {
                let mut attempt = (**attempt).clone();
                if !config.intent_first {
                    forget_intents(&mut attempt);
                }
                if !config.direction_journaled && !config.undo {
                    attempt.direction = Direction::Forward;
                    attempt.why_back = None;
                }
                next.runs[at].attempt = Some(Rc::new(attempt));
            }
            steps.push((
                format!(
                    "INTERRUPT P{} ({})",
                    at + 1,
                    if lost { "lost" } else { "still under way" }
                ),
                next,
            ));
        }
    }
    let opened = world.runs[0]
        .attempt
        .as_ref()
        .is_some_and(|attempt| attempt.outcome.is_none());
    if !config.fence && world.runs.len() == 1 && opened {
        let mut next = world.clone();
        next.runs.push(world.runs[0].clone());
        steps.push(("TAKEOVER while the old process lives".to_owned(), next));
    }
    steps
}

fn forget_intents(attempt: &mut Attempt) {
    attempt.base.open = None;
    attempt.commit.open = None;
    for slot in &mut attempt.objects {
        slot.open = None;
    }
    // The lock's intent is part of the attempt's first entry.
    if attempt
        .lock
        .open
        .as_ref()
        .is_some_and(|intent| intent.no.0 > 1)
    {
        attempt.lock.open = None;
    }
}

/// A world without what does not matter: a version that is not live is as good as any other that is not.
fn key(world: &World) -> Vec<u8> {
    let mut key = Vec::with_capacity(160);
    for record in &world.records {
        match record {
            None => key.push(255),
            Some(r) => {
                let body = match r.body {
                    super::world::Body::Before => 0,
                    super::world::Body::Helm => 1,
                    super::world::Body::Lock(tag) => 10 + tag,
                    super::world::Body::Migrated(tag) => 20 + tag,
                };
                let flags = [r.ssa, r.owners, r.finalizer, r.terminating]
                    .iter()
                    .fold(0, |n, flag| n * 2 + u8::from(*flag));
                key.extend([r.status as u8, body, r.token, r.writer as u8, flags]);
            }
        }
    }
    for object in &world.objects {
        match object {
            None => key.push(255),
            Some(o) => key.extend([
                o.base as u8,
                o.entry,
                u8::from(o.foreign),
                o.value * 2 + u8::from(o.mark),
            ]),
        }
    }
    for run in &world.runs {
        key.push(run.tag);
        key.push(
            run.unopened
                .as_ref()
                .map_or(0, |outcome| 1 + outcome.word().as_bytes()[0]),
        );
        match &run.attempt {
            None => key.push(255),
            Some(attempt) => attempt_key(world, attempt, &mut key),
        }
    }
    let mut messages: Vec<Vec<u8>> = world
        .net
        .iter()
        .map(|message| {
            let mut key = vec![u8::try_from(message.run).unwrap(), u8::from(message.reply)];
            match &message.what {
                Request::Step(intent) => intent_key(world, intent, &mut key),
                Request::Sweep { slot, uid, rv } => {
                    let live = world.records[*slot].is_some_and(|r| (r.uid, r.rv) == (*uid, *rv));
                    key.extend([254, u8::try_from(*slot).unwrap(), u8::from(live)]);
                }
            }
            key
        })
        .collect();
    messages.sort();
    for message in messages {
        key.extend(message);
    }
    key.extend(format!("{:?}{:?}", world.helm, world.env).bytes());
    key
}

fn version_key(world: &World, target: Target, version: &(Uid, ResourceVersion)) -> u8 {
    if world.is_live(target, version) {
        2
    } else {
        u8::from(world.is_live_uid(target, &version.0))
    }
}

fn intent_key(world: &World, intent: &Intent, key: &mut Vec<u8>) {
    key.push(intent.step as u8);
    match intent.target {
        Target::Record(revision) => key.push(u8::try_from(revision.0).unwrap()),
        Target::Object(place) => key.push(100 + u8::try_from(place).unwrap()),
    }
    match &intent.guard {
        Guard::NameFree => key.push(9),
        Guard::Version {
            uid,
            resource_version,
        } => {
            key.push(version_key(
                world,
                intent.target,
                &(uid.clone(), resource_version.clone()),
            ));
        }
    }
    for image in [&intent.wish, &intent.inverse].into_iter().flatten() {
        key.extend(image.as_str().bytes());
    }
}

fn open_key(world: &World, open: Option<&Intent>, key: &mut Vec<u8>) {
    match open {
        None => key.push(250),
        Some(intent) => intent_key(world, intent, key),
    }
}

fn attempt_key(world: &World, attempt: &Attempt, key: &mut Vec<u8>) {
    let opened = &attempt.opened;
    let base = Target::Record(opened.base.revision);
    let lock = Target::Record(opened.lock);
    let commit = Target::Record(attempt.commit_revision());
    key.push(version_key(
        world,
        base,
        &(
            opened.base.uid.clone(),
            opened.base.resource_version.clone(),
        ),
    ));
    if let Some(image) = &opened.committed {
        key.push(version_key(
            world,
            commit,
            &(image.uid.clone(), image.resource_version.clone()),
        ));
    }
    key.extend([
        attempt.direction as u8,
        u8::from(attempt.verified.is_some()),
        u8::from(attempt.checked),
        u8::from(attempt.moved.is_empty()),
        attempt.outcome.as_ref().map_or(0, |outcome| match outcome {
            Outcome::MovedOn { settled, .. } => 2 + u8::from(*settled),
            outcome => 10 + outcome.word().as_bytes()[0] / 2 + outcome.word().as_bytes()[1] / 2,
        }),
    ]);
    match &attempt.lock.state {
        LockCell::Free => key.push(0),
        LockCell::Held { version } => key.extend([1, version_key(world, lock, version)]),
        LockCell::Released { version } => key.extend([2, version_key(world, lock, version)]),
        LockCell::Busy { .. } => key.push(3),
        LockCell::Gone => key.push(4),
    }
    open_key(world, attempt.lock.open.as_ref(), key);
    for ((place, slot), object) in (0..).zip(&attempt.objects).zip(&opened.objects) {
        let target = Target::Object(place);
        key.push(u8::from(world.is_live_uid(target, &object.request.uid)));
        match &slot.state {
            ObjectCell::Before { request: None } => key.push(0),
            ObjectCell::Before {
                request: Some(request),
            } => {
                key.extend([
                    1,
                    version_key(
                        world,
                        target,
                        &(request.uid.clone(), request.resource_version.clone()),
                    ),
                ]);
                key.extend(request.wish.as_str().bytes());
            }
            ObjectCell::Migrated { inverse } => {
                key.push(2);
                key.extend(inverse.as_str().bytes());
            }
            ObjectCell::Valued { inverse } => {
                key.push(5);
                key.extend(inverse.as_str().bytes());
            }
            ObjectCell::Unvalued { inverse } => {
                key.push(6);
                key.extend(inverse.as_str().bytes());
            }
            ObjectCell::Restored => key.push(3),
            ObjectCell::Left { .. } => key.push(4),
        }
        open_key(world, slot.open.as_ref(), key);
    }
    match &attempt.base.state {
        BaseCell::Untouched => key.push(0),
        BaseCell::Superseded => key.push(1),
        BaseCell::ContentRestored { version } => key.extend([2, version_key(world, base, version)]),
        BaseCell::Restored { version } => key.extend([3, version_key(world, base, version)]),
        BaseCell::Settled { version } => key.extend([4, version_key(world, base, version)]),
        BaseCell::Demoted => key.push(5),
        BaseCell::Left => key.push(6),
    }
    open_key(world, attempt.base.open.as_ref(), key);
    match &attempt.commit.state {
        CommitCell::Pending => key.push(0),
        CommitCell::Deployed { version } => key.extend([1, version_key(world, commit, version)]),
        CommitCell::Deleted => key.push(2),
        CommitCell::Demoted => key.push(3),
        CommitCell::Left => key.push(4),
    }
    open_key(world, attempt.commit.open.as_ref(), key);
}

/// What a search found.
pub struct Found {
    /// What is broken, and how it came.
    pub violation: Option<(String, Vec<String>)>,
    pub states: usize,
    /// How often the runs ended in which way.
    pub ends: BTreeMap<String, usize>,
    /// The search gave up at its bound.
    pub cut: bool,
}

/// Explores everything that can happen from `start`, up to `limit` states. `soft`: variants may report MovedOn too often.
pub fn explore(start: World, config: &Config, soft: bool, limit: usize) -> Found {
    let mut ids: HashMap<Vec<u8>, usize> = HashMap::from([(key(&start), 0)]);
    let mut parents: Vec<(usize, String)> = vec![(0, String::new())];
    let mut edges: Vec<Vec<usize>> = Vec::new();
    let mut todo = VecDeque::from([start]);
    let mut ends = BTreeMap::new();
    let trace = |parents: &Vec<(usize, String)>, mut at: usize, last: Option<&str>| {
        let mut steps: Vec<String> = last.map(str::to_owned).into_iter().collect();
        while at > 0 {
            steps.push(parents[at].1.clone());
            at = parents[at].0;
        }
        steps.reverse();
        steps
    };
    while let Some(world) = todo.pop_front() {
        let from = edges.len();
        let mut out = Vec::new();
        let mut free = 0;
        for Successor {
            label,
            kind,
            world: next,
        } in successors(&world, config)
        {
            free += usize::from(kind == Kind::Free);
            let bad = next
                .check_state()
                .or_else(|| next.check_close(&world, config));
            if let Some(bad) = bad {
                let violation = Some((bad, trace(&parents, from, Some(&label))));
                return Found {
                    violation,
                    states: parents.len(),
                    ends,
                    cut: false,
                };
            }
            let fresh = parents.len();
            let id = *ids.entry(key(&next)).or_insert(fresh);
            if id == fresh {
                parents.push((from, label));
                todo.push_back(next);
                if parents.len() > limit {
                    return Found {
                        violation: None,
                        states: parents.len(),
                        ends,
                        cut: true,
                    };
                }
            }
            out.push(id);
        }
        edges.push(out);
        if free == 0 {
            let words: Vec<_> = world
                .runs
                .iter()
                .map(|run| run.outcome().map_or("open", Outcome::word))
                .collect();
            *ends.entry(words.join("/")).or_insert(0) += 1;
            if let Some(bad) = world.check_quiet(config, soft) {
                let violation = Some((bad, trace(&parents, from, None)));
                return Found {
                    violation,
                    states: parents.len(),
                    ends,
                    cut: false,
                };
            }
        }
    }
    let violation =
        has_cycle(&edges).then(|| ("e: a cycle: a run need not end".to_owned(), Vec::new()));
    Found {
        violation,
        states: parents.len(),
        ends,
        cut: false,
    }
}

/// Kahn's algorithm: whatever cannot be peeled off is on, or behind, a cycle.
fn has_cycle(edges: &[Vec<usize>]) -> bool {
    let mut degree = vec![0usize; edges.len()];
    for to in edges.iter().flatten() {
        degree[*to] += 1;
    }
    let mut ready = vec![0];
    let mut peeled = 0;
    while let Some(at) = ready.pop() {
        peeled += 1;
        for to in &edges[at] {
            degree[*to] -= 1;
            if degree[*to] == 0 {
                ready.push(*to);
            }
        }
    }
    peeled < edges.len()
}
