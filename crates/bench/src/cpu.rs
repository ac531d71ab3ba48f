//! Time on the processor, as the kernel accounts for it: other processes of the machine do not count.

use std::error::Error;
use std::fs;
use std::time::Duration;

/// Time that this thread was on a processor.
pub fn time() -> Result<Duration, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split_whitespace().next().unwrap_or_default();
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}
