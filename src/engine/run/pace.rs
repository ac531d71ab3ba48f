//! Pacing: writes per second of a cluster and of the fleet, releases in flight on a cluster.

use std::num::NonZeroU32;
use std::sync::Arc;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::fleet::Limits;

/// The fleet's limit, shared by all clusters.
pub type FleetPace = Arc<DefaultDirectRateLimiter>;

/// A limiter of `writes_per_second`, with a burst of one second's worth.
pub fn fleet_pace(writes_per_second: u32) -> FleetPace {
    Arc::new(limiter(writes_per_second))
}

fn limiter(writes_per_second: u32) -> DefaultDirectRateLimiter {
    RateLimiter::direct(Quota::per_second(
        NonZeroU32::new(writes_per_second).unwrap_or(NonZeroU32::MIN),
    ))
}

/// One cluster's pace.
pub struct Pacer {
    cluster: DefaultDirectRateLimiter,
    fleet: FleetPace,
    slots: Arc<Semaphore>,
}

impl Pacer {
    /// A pacer for a cluster of the fleet.
    pub fn new(limits: Limits, fleet: FleetPace) -> Self {
        let slots = Arc::new(Semaphore::new(limits.in_flight.max(1) as usize));
        Self {
            cluster: limiter(limits.writes_per_second),
            fleet,
            slots,
        }
    }

    /// Waits until one more write is allowed. Cancel safe.
    pub async fn write(&self) {
        self.cluster.until_ready().await;
        self.fleet.until_ready().await;
    }

    /// Waits for a place among the releases in flight; given back when dropped. Cancel safe.
    pub async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }
}
