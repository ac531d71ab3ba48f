//! The async shell: collects, paces, performs effects, recovers. Stages carry the names that they have in `domain`.
//!
//! | stage | reads | rehearses | writes |
//! |---|---|---|---|
//! | [`inventory`], [`audit`], [`fields`] | yes | | |
//! | [`shadow`], [`capture`], [`confirm`], [`next`], [`plan`] | yes | yes | |
//! | [`run`], [`undo`] (with resume, unlock, settle, sweep) | yes | yes | yes |

pub mod audit;
mod bounded;
pub mod capture;
pub mod chain;
pub mod confirm;
pub mod fields;
mod gathered;
pub mod graph;
pub mod inventory;
pub mod next;
mod packed;
pub mod plan;
pub mod ports;
pub mod records;
pub mod run;
pub mod seal;
pub mod shadow;
pub mod undo;
