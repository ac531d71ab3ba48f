//! Time and randomness, as ports.

use jiff::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Rolls dice for ids.
pub trait Dice: Send + Sync {
    /// `length` letters and digits, lower case, without those that look alike.
    fn word(&self, length: usize) -> String;
}
