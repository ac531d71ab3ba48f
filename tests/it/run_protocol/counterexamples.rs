//! The counterexamples.
