//! Every bound of the adapter, with its reason.

use std::time::Duration;

/// DNS, TCP and TLS together. Two lost SYNs (1 s, then 2 s) still fit; an unreachable cluster of a fleet is told apart soon.
pub(super) const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// `?timeout=` of writes and dry runs: the server gives up by then. It bounds how late a request that
/// we no longer wait for can still take effect (run protocol, section 2).
pub(super) const SERVER_TIMEOUT: &str = "10s";

/// Our own time-out of writes and dry runs: above connecting plus [`SERVER_TIMEOUT`], so that the server's own answer
/// (504) is seen wherever the network carries it.
pub(super) const WRITE_WITHIN: Duration = Duration::from_secs(20);

/// Our own time-out of one read or of one page of a list: just above the API server's default of 60 s a request.
pub(super) const READ_WITHIN: Duration = Duration::from_secs(65);

/// A credential plugin of a kubeconfig may open a browser and wait for a person.
pub(super) const CREDENTIALS_WITHIN: Duration = Duration::from_mins(2);

/// Objects a page: kubectl's own chunk size, which the API server's priority and fairness is tuned for.
pub(super) const PAGE: u32 = 500;

/// A page larger than [`ANSWER_BYTES`] is asked for again with this many times fewer objects.
pub(super) const SMALLER_PAGE: u32 = 8;

/// How often a list that the server gave up on (410, its continue token expired) starts over. A token lives for
/// 5 minutes; a list that fails three times on that is too slow to ever end.
pub(super) const LIST_STARTS: u32 = 4;

/// The largest answer that is read. An object is at most about 1.5 MiB (etcd's limit), so a page that is larger than this can
/// always be asked for in smaller pages.
pub(super) const ANSWER_BYTES: usize = 64 << 20;

/// How much of a server's text goes into an error: enough for the longest message of the API server's own, not for a page of HTML.
pub(super) const MESSAGE_CHARS: usize = 1_000;

/// A kind that discovery did not know is looked up afresh, but not more often than this: a manifest of
/// fifty objects of an unserved kind costs one refresh.
pub(super) const DISCOVERY_REST: Duration = Duration::from_secs(10);

/// How many plain discovery documents are asked for at a time (only servers before 1.26).
pub(super) const DISCOVERY_AT_ONCE: usize = 8;
