//! `cargo xtask`: control planes, demo and checks of this workspace.
fn main() {}
