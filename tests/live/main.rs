//! Tests on a real control plane: etcd, API server, controllers and kwok nodes, started by `testbed` and shared by all
//! modules of this binary. Each test works in namespaces of its own.
//!
//! A module for each part that talks to a cluster; this file is their list.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod bad_inputs;
#[cfg(test)]
mod capture;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod estimate;
#[cfg(test)]
mod forecast;
#[cfg(test)]
mod from_file;
#[cfg(test)]
mod graph;
#[cfg(test)]
mod helm4;
#[cfg(test)]
mod holds;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod main_job;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod next;
#[cfg(test)]
mod next_upgrade;
#[cfg(test)]
mod offline;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod rivals;
#[cfg(test)]
mod support;
#[cfg(test)]
mod triage;
#[cfg(test)]
mod values;
#[cfg(test)]
mod values_guards;
#[cfg(test)]
mod waves;
