//! Integration tests: one binary, one module a subject.

#[cfg(test)]
mod helm;
#[cfg(test)]
mod plan_files;
#[cfg(test)]
mod playbooks;
#[cfg(test)]
mod run_protocol;
#[cfg(test)]
mod store;
