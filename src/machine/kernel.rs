//! Files of the kernel, as texts. Knows nothing of what they say.

use std::fs;
use std::path::Path;

/// A whole file of the kernel; nothing where there is none, as on other systems than Linux.
pub(super) fn text(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// The names in a directory of the kernel that are numbers: processes, or the threads of one.
pub(super) fn numbers(directory: &str) -> Option<Vec<u32>> {
    let entries = fs::read_dir(directory).ok()?;
    Some(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

/// The bytes behind a name in a file of lines such as `VmRSS:     1234 kB`.
pub(super) fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_found_by_their_whole_name() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t     100 kB\nThreads:\t1\n";
        assert_eq!(kilobytes(status, "VmRSS"), Some(102_400));
        assert_eq!(kilobytes(status, "VmHWM"), Some(2_097_152));
        assert_eq!(kilobytes(status, "Vm"), None);
        assert_eq!(kilobytes(status, "Threads"), None);
    }
}
