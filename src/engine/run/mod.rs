//! Carries a plan out: wave by wave, cluster by cluster, release by release; and goes on with what was left open.

mod drive;
mod fleet;
mod hands;
mod ledger;
mod needs;
mod open;
mod pace;
mod patience;
pub mod preflight;
mod record;
mod request;
mod sight;
mod sweep;
mod tell;
mod words;

pub use drive::drive;
pub use fleet::{
    Crew, CrewError, Ends, RECORD_WRITES, RunContext, resume_open, run_waves, tell_start, why,
};
pub use hands::{DriveError, Eyes, Hands, Task};
pub use ledger::{Images, Ledger, LedgerError, digest, read_attempt, reopen};
pub use open::{Opening, open, record_image};
pub use pace::{FleetPace, Pacer, fleet_pace};
pub use patience::Patience;
pub use sight::{Memory, see};
pub use sweep::{Lock, remove, sweep};
pub use tell::Teller;
