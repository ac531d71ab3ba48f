//! Time on the processor and memory, as the kernel accounts for them: other processes of the machine do not count.

use std::error::Error;
use std::fs;
use std::time::Duration;

/// Time that this thread was on a processor.
pub fn time() -> Result<Duration, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split_whitespace().next().unwrap_or_default();
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

/// The most memory that this process ever held, in KiB.
pub fn peak_kib() -> Result<u64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.ok_or("the kernel tells no VmHWM")?.parse()?)
}
