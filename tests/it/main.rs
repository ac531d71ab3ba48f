//! Integration tests: one binary, one module a subject.

#[cfg(test)]
mod helm;
mod playbooks;
#[cfg(test)]
mod run_protocol;
#[cfg(test)]
mod store;
