//! One release's way through a run: the protocol as two pure functions.
//!
//! | decisions (here) | effects (`engine`) |
//! |---|---|
//! | [`Attempt::apply`]: journal entry → state, used live and for replay | durable, fenced append of the entries |
//! | [`decide()`]: state and what was seen → entries to append, requests to send, things to look at | reads, dry runs, requests, waits |
//!
//! The protocol's rules: an intent is journaled before its request is sent; an open intent is never resolved by
//! reading but by sending it again under the same guard; one commit point; whoever moved on wins.

mod apply;
mod attempt;
mod backward;
mod decide;
mod entry;
mod forward;
mod observation;
mod outcome;
mod records;
mod resolve;
mod stage;
mod sweep;

pub use apply::{IllegalEntry, fold};
pub use attempt::{Attempt, BaseCell, CommitCell, LockCell, ObjectCell, Slot};
pub use decide::{Decision, Look, WaitFor, decide};
pub use entry::{
    Direction, Entry, Guard, How, Intent, IntentNo, Job, ObjectRequest, Opened, OpenedObject,
    RecordImage, Step, Target, Token, Unrestored, Verdict,
};
pub use observation::{Answer, Content, ObjectSeen, Observation, RecordSeen, Reply, Seen, View};
pub use outcome::{Outcome, Side};
pub use stage::Stage;
pub use sweep::sweepable;
