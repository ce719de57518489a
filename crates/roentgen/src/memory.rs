//! The most memory that this process has held, where the system says so.

use std::fs;

/// In MiB, since the start or since [`forget_peak`].
pub(crate) fn peak_mib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}

/// Lets the next run of this process have a peak of its own; where the system cannot, the peak stays
/// that of the whole process.
pub(crate) fn forget_peak() {
    // Linux: 5 resets the peak and nothing else.
    let _ = fs::write("/proc/self/clear_refs", "5");
}
