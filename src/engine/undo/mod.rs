//! Back again, at any scope: open attempts are turned, migrated releases get an attempt of their own.
//!
//! The way back takes Helm's own lock first, turns the records, then the objects (three-way: what others took stays
//! theirs), and keeps the lock for a while, so that a `helm upgrade` that listed before us meets "already exists".

mod open;
mod settle;
mod targets;
mod unlock;

pub use open::{BackOpening, Survey, open_undo, survey};
pub use settle::{Unsettled, settle, unsettled};
pub use targets::{UndoEnd, UndoTarget, preview, previews, targets, undo};
pub use unlock::{LockFound, look_at_lock, parts};
