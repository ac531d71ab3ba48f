//! Telling what happens: events, numbered and timed, to whoever listens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use crate::domain::ids::{ClusterName, RunId};
use crate::domain::run_event::{Event, What};
use crate::engine::ports::Clock;

/// Tells the events of one run.
pub struct Teller {
    run: RunId,
    seq: AtomicU64,
    clock: Arc<dyn Clock>,
    events: mpsc::Sender<Event>,
}

impl Teller {
    /// A teller into a bounded queue.
    pub fn new(run: RunId, clock: Arc<dyn Clock>, events: mpsc::Sender<Event>) -> Self {
        Self {
            run,
            seq: AtomicU64::new(1),
            clock,
            events,
        }
    }

    /// Tells. Waits while the queue is full; nobody listening is fine, since events are for people and the journal is
    /// the truth.
    pub async fn tell(&self, wave: Option<u32>, cluster: Option<&ClusterName>, what: What) {
        let event = Event {
            time: self.clock.now(),
            run: self.run.clone(),
            seq: self.seq.fetch_add(1, Ordering::Relaxed),
            wave,
            cluster: cluster.cloned(),
            what,
        };
        let _ = self.events.send(event).await;
    }
}
