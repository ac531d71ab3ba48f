//! Patience with a cluster: a read or a request that is not decided (429, 5xx, cut, not connected) is tried again for a
//! while. A release must not be left open, with its lock in place, because of one answer that got lost.

use std::time::Duration;

use jiff::Timestamp;

use super::hands::{DriveError, Hands, SEND_PATIENCE};
use crate::cluster::ErrorKind;

/// First pause; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Longest pause between two tries, unless the server asks for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Longest `Retry-After` that is heeded: a server's word must not hold a release, and its lock, for an hour.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30);

/// The tries at one thing.
pub struct Patience {
    since: Timestamp,
    pause: Duration,
}

impl Patience {
    /// Patience that begins now.
    pub fn new(hands: &Hands) -> Self {
        Self {
            since: hands.clock.now(),
            pause: FIRST_PAUSE,
        }
    }

    /// Waits before the next try; gives the error back if it is none that passes, or if it lasted for `SEND_PATIENCE`.
    pub async fn pause(&mut self, hands: &Hands, error: DriveError) -> Result<(), DriveError> {
        let asked = match &error {
            DriveError::Cluster { source, .. } if passes(&source.kind) => source.retry_after,
            _ => return Err(error),
        };
        let waited = hands.clock.now().duration_since(self.since);
        if Duration::try_from(waited).unwrap_or(Duration::ZERO) > SEND_PATIENCE {
            return Err(error);
        }
        tokio::time::sleep(next_pause(&mut self.pause, asked)).await;
        Ok(())
    }
}

fn next_pause(pause: &mut Duration, asked: Option<Duration>) -> Duration {
    let now = *pause;
    *pause = (now * 2).min(LONGEST_PAUSE);
    asked.map_or(now, |asked| asked.min(LONGEST_RETRY_AFTER))
}

/// Does a failure of this kind say nothing about the request?
pub fn passes(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Throttled
            | ErrorKind::Server
            | ErrorKind::Unreachable
            | ErrorKind::Cut
            | ErrorKind::Malformed
            | ErrorKind::Unauthorized
    )
}

/// Does it mean that the whole cluster is away, not one kind or one webhook of it?
pub fn is_away(error: &DriveError) -> bool {
    matches!(
        error,
        DriveError::Cluster { source, .. }
            if matches!(source.kind, ErrorKind::Unreachable | ErrorKind::Unauthorized)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_a_limit_and_a_servers_wish_is_heeded_within_reason() {
        let mut pause = FIRST_PAUSE;
        let pauses: Vec<u128> = (0..7)
            .map(|_| next_pause(&mut pause, None).as_millis())
            .collect();
        assert_eq!(pauses, [200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        let asked =
            |seconds| next_pause(&mut FIRST_PAUSE.clone(), Some(Duration::from_secs(seconds)));
        assert_eq!(asked(2), Duration::from_secs(2));
        assert_eq!(asked(86_400), LONGEST_RETRY_AFTER);
    }

    #[test]
    fn a_refusal_does_not_pass() {
        for kind in [
            ErrorKind::NotFound,
            ErrorKind::Conflict,
            ErrorKind::Invalid,
            ErrorKind::Forbidden,
            ErrorKind::WrongUid,
        ] {
            assert!(!passes(&kind), "{kind:?}");
        }
        assert!(passes(&ErrorKind::Cut) && passes(&ErrorKind::Throttled));
    }
}
