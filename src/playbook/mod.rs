//! What refit does by data, not by code: files that are built in and that users add to. Each is validated with places
//! in the file, and its texts are templates in strict mode.

pub mod triage;
