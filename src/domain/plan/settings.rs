//! What a playbook and fleet.toml tell the planner. The types stand beside the fleet, which carries them
//! ([`Fleet::planning`](crate::domain::fleet::Fleet::planning)).

pub use crate::domain::fleet::settings::*;
