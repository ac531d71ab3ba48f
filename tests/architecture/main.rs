//! The house rules that a compiler does not know: who may name whom, who may write, what each file owes its reader.
//!
//! | module | rule |
//! |---|---|
//! | [`imports`] | which part of `src/` may name which, and which outside crate |
//! | [`writers`] | who may change a cluster |
//! | [`ambient`] | who may read the clock and the environment |
//! | [`graph`] | the module graph is the one in `docs/module-graph.txt`, and the pure core has no cycle |
//! | [`rooms`] | a module doc in each file, no file too long, no silenced lint, no ignored test |
//! | [`pages`] | links lead somewhere; each "Invariant:" line names a check that exists |
//!
//! [`tree`] finds and parses the files, [`names`] resolves what they name. Blind spots: names made by macros of other
//! crates, and names inside string literals.

#[cfg(test)]
mod ambient;
#[cfg(test)]
mod graph;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod names;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod rooms;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod writers;
