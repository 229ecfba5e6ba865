//! What a process takes: CPU and memory, of this one, of another, or of one with all that it started. Knows no thread.

use std::collections::HashMap;
use std::time::Duration;

use super::kernel;

/// What a process has taken since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time on a CPU, in user and in kernel mode.
    pub cpu: Duration,
    /// Resident memory now, in bytes.
    pub memory: u64,
    /// The most resident memory at once, in bytes.
    pub peak_memory: u64,
}

/// What this process has taken; its CPU to the nanosecond. Nothing on other systems than Linux.
#[must_use]
pub fn of_self() -> Option<Usage> {
    of(std::process::id()).map(|usage| Usage { cpu: own_cpu().unwrap_or(usage.cpu), ..usage })
}

/// What one process has taken, its CPU in steps of a clock tick (10 ms). Nothing if it is gone, and on other systems
/// than Linux.
#[must_use]
pub fn of(pid: u32) -> Option<Usage> {
    let stat = Stat::read(pid)?;
    usage(pid, stat.ticks)
}

/// What a process and all that it started have taken together. Nothing if it is gone, and on other systems than Linux.
///
/// The CPU of a descendant that has ended counts once its parent has waited for it. The peaks of the memory are added
/// up, though they may have been at different times; memory that processes share counts in each.
#[must_use]
pub fn of_tree(pid: u32) -> Option<Usage> {
    let stats: HashMap<u32, Stat> = kernel::numbers("/proc")?
        .into_iter()
        .filter_map(|other| Stat::read(other).map(|stat| (other, stat)))
        .collect();
    stats.get(&pid)?;
    let parents = stats.iter().map(|(&child, stat)| (child, stat.parent));
    let usages = tree(pid, &parents.collect::<Vec<_>>()).into_iter().filter_map(|member| {
        let stat = &stats[&member];
        usage(member, stat.ticks + stat.ticks_of_children)
    });
    usages.reduce(|sum, usage| Usage {
        cpu: sum.cpu + usage.cpu,
        memory: sum.memory + usage.memory,
        peak_memory: sum.peak_memory + usage.peak_memory,
    })
}

/// Whether a process is there and has not ended. Nothing on other systems than Linux.
#[must_use]
pub fn is_alive(pid: u32) -> Option<bool> {
    // This very process shows whether the system tells at all.
    Stat::read(std::process::id())?;
    Some(Stat::read(pid).is_some_and(|stat| stat.is_running))
}

/// What `/proc/<pid>/stat` says.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    is_running: bool,
    parent: u32,
    /// Of all its threads, in user and in kernel mode.
    ticks: u64,
    /// Of the children that it has waited for, and theirs.
    ticks_of_children: u64,
}

impl Stat {
    fn read(pid: u32) -> Option<Self> {
        Self::parse(&kernel::text(format!("/proc/{pid}/stat"))?)
    }

    /// `17 (a name) S 1 ...`: the name may hold anything, spaces and brackets too (proc_pid_stat(5)).
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        // The third field of the manual page comes first here.
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        Some(Self {
            is_running: !matches!(*fields.first()?, "Z" | "X" | "x"),
            parent: u32::try_from(number(4)?).ok()?,
            ticks: number(14)? + number(15)?,
            ticks_of_children: number(16)? + number(17)?,
        })
    }
}

/// A process with its descendants, by pairs of child and parent.
fn tree(root: u32, parents: &[(u32, u32)]) -> Vec<u32> {
    let mut members = vec![root];
    let mut looked_at = 0;
    while let Some(&parent) = members.get(looked_at) {
        members.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(child, _)| child));
        looked_at += 1;
    }
    members
}

fn usage(pid: u32, ticks: u64) -> Option<Usage> {
    let status = kernel::text(format!("/proc/{pid}/status"))?;
    // What has ended and is not waited for yet has no memory any more.
    let memory = kernel::kilobytes(&status, "VmRSS").unwrap_or(0);
    let peak_memory = kernel::kilobytes(&status, "VmHWM").unwrap_or(memory);
    Some(Usage { cpu: of_ticks(ticks)?, memory, peak_memory })
}

#[cfg(unix)]
fn of_ticks(ticks: u64) -> Option<Duration> {
    let a_second = rustix::param::clock_ticks_per_second();
    Some(Duration::from_nanos(ticks.checked_mul(1_000_000_000)?.checked_div(a_second)?))
}

#[cfg(not(unix))]
fn of_ticks(_: u64) -> Option<Duration> {
    None
}

#[cfg(unix)]
fn own_cpu() -> Option<Duration> {
    rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime).try_into().ok()
}

#[cfg(not(unix))]
fn own_cpu() -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_is_read_whatever_the_process_is_called() {
        let text = "4711 (odd) name (x) S 17 4711 4711 0 -1 4194560 1 2 3 4 150 50 30 20 20 0 4 0 99 1 2\n";
        let stat = Stat { is_running: true, parent: 17, ticks: 200, ticks_of_children: 50 };
        assert_eq!(Stat::parse(text), Some(stat));
        assert!(!Stat::parse(&text.replace(" S 17", " Z 17")).unwrap().is_running);
        assert_eq!(Stat::parse("4711 (cut off) S 17"), None);
    }

    #[test]
    fn a_tree_is_the_process_and_whatever_descends_from_it() {
        let parents = [(1, 0), (10, 1), (11, 10), (12, 10), (13, 12), (20, 1), (21, 20)];
        assert_eq!(tree(10, &parents), [10, 11, 12, 13]);
        assert_eq!(tree(21, &parents), [21]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_alive_and_has_memory() {
        let own = std::process::id();
        assert_eq!(is_alive(own), Some(true));
        // Above the largest number that Linux gives to a process (2^22).
        assert_eq!(is_alive(u32::MAX), Some(false));
        let usage = of_self().unwrap();
        assert!(usage.memory > 0 && usage.peak_memory >= usage.memory / 2, "{usage:?}");
        assert!(usage.cpu > Duration::ZERO);
        assert!(of(own).is_some() && of(u32::MAX).is_none() && of_tree(u32::MAX).is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_child_counts_in_the_tree_and_is_not_alive_once_it_ended() {
        use std::process::{Command, Stdio};
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let pid = child.id();
        assert_eq!(is_alive(pid), Some(true));
        let parents: Vec<(u32, u32)> = vec![(pid, Stat::read(pid).unwrap().parent)];
        assert_eq!(tree(std::process::id(), &parents), [std::process::id(), pid]);
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(is_alive(pid), Some(false));
    }
}
