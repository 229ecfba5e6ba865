//! What this machine allows: descriptors, local ports, memory, cores. Knows nothing of what they are wanted for.

use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::kernel;

/// How many descriptors a process may hold (`RLIMIT_NOFILE`); no limit is `u64::MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors {
    /// What holds.
    pub soft: u64,
    /// How far the process may raise it by itself.
    pub hard: u64,
}

/// The descriptors of this process. Nothing on other systems than Unix.
#[must_use]
#[cfg(unix)]
pub fn descriptors() -> Option<Descriptors> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    Some(Descriptors { soft: limit.current.unwrap_or(u64::MAX), hard: limit.maximum.unwrap_or(u64::MAX) })
}

/// The descriptors of this process. Nothing on other systems than Unix.
#[must_use]
#[cfg(not(unix))]
pub fn descriptors() -> Option<Descriptors> {
    None
}

/// Raises the soft limit of the descriptors to the hard one, where the system lets us, and says what holds then.
/// Children inherit it. Nothing on other systems than Unix.
#[cfg(unix)]
pub fn raise_descriptors() -> Option<Descriptors> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Some systems refuse what they call their own hard limit (macOS); the soft one holds on then, and is reported.
    let _ = setrlimit(Resource::Nofile, limit);
    descriptors()
}

/// Raises the soft limit of the descriptors. Nothing on other systems than Unix.
#[cfg(not(unix))]
pub fn raise_descriptors() -> Option<Descriptors> {
    None
}

/// Whether this process is root's; never on other systems than Unix.
#[must_use]
pub fn is_root() -> bool {
    #[cfg(unix)]
    return rustix::process::geteuid().is_root();
    #[cfg(not(unix))]
    return false;
}

/// The local ports that connections get: so many from one address to one port of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Which they are (`net.ipv4.ip_local_port_range`).
    pub range: RangeInclusive<u16>,
    /// Connections of this machine that have ended and hold their ports for another minute (`TIME_WAIT`).
    pub resting: u64,
    /// Which ports may be taken again after a second, while they rest (`net.ipv4.tcp_tw_reuse`).
    pub reuse: Reuse,
}

/// For which connections a resting port can be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// For all.
    All,
    /// For those within this machine.
    Loopback,
    /// For none.
    Never,
}

impl Ports {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        u64::try_from(self.range.clone().count()).unwrap_or(u64::MAX)
    }

    fn parse(range: &str, sockstat: &str, reuse: &str) -> Option<Self> {
        let mut ends = range.split_whitespace().map(|end| end.parse::<u16>().ok());
        let (first, last) = (ends.next()??, ends.next()??);
        let reuse = match reuse.trim() {
            "1" => Reuse::All,
            "2" => Reuse::Loopback,
            _ => Reuse::Never,
        };
        Some(Self { range: first..=last, resting: resting(sockstat).unwrap_or(0), reuse })
    }
}

/// The local ports of this machine, or of its network namespace. Nothing on other systems than Linux.
#[must_use]
pub fn ports() -> Option<Ports> {
    let range = kernel::text("/proc/sys/net/ipv4/ip_local_port_range")?;
    let sockstat = kernel::text("/proc/net/sockstat").unwrap_or_default();
    let reuse = kernel::text("/proc/sys/net/ipv4/tcp_tw_reuse").unwrap_or_default();
    Ports::parse(&range, &sockstat, &reuse)
}

/// `TCP: inuse 5 orphan 0 tw 12 alloc 6 mem 1` says 12.
fn resting(sockstat: &str) -> Option<u64> {
    let line = sockstat.lines().find_map(|line| line.strip_prefix("TCP:"))?;
    let mut words = line.split_whitespace().skip_while(|word| *word != "tw");
    words.nth(1)?.parse().ok()
}

/// The memory that can still be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Without swapping (`MemAvailable`), in bytes.
    pub available: u64,
    /// Within the limits of this process's control groups (cgroup v2, `memory.max`), in bytes; nothing where none is
    /// set.
    pub allowed: Option<u64>,
}

impl Memory {
    /// What can be taken: the less of the two, in bytes.
    #[must_use]
    pub fn room(&self) -> u64 {
        self.allowed.map_or(self.available, |allowed| allowed.min(self.available))
    }
}

/// The memory of this machine. Nothing on other systems than Linux.
#[must_use]
pub fn memory() -> Option<Memory> {
    let available = kernel::kilobytes(&kernel::text("/proc/meminfo")?, "MemAvailable")?;
    let read = |group: &Path, file: &str| kernel::text(group.join(file));
    let rooms = groups().into_iter().filter_map(|group| {
        let (max, current) = (read(&group, "memory.max")?, read(&group, "memory.current")?);
        room_of_group(&max, &current, &read(&group, "memory.stat").unwrap_or_default())
    });
    Some(Memory { available, allowed: rooms.min() })
}

/// What a control group leaves: pages of files that nobody uses just now can be given back.
fn room_of_group(max: &str, current: &str, stat: &str) -> Option<u64> {
    let max: u64 = max.trim().parse().ok()?;
    let current: u64 = current.trim().parse().ok()?;
    let inactive = stat.lines().find_map(|line| line.strip_prefix("inactive_file ")?.parse::<u64>().ok());
    Some(max.saturating_sub(current.saturating_sub(inactive.unwrap_or(0))))
}

/// The cores that this process may use.
#[derive(Clone, Debug, PartialEq)]
pub struct Cores {
    /// The numbers of those that it may run on.
    pub allowed: Vec<usize>,
    /// How many cores' worth of time its control groups give it (cgroup v2, `cpu.max`); nothing where none is set.
    pub quota: Option<f64>,
}

impl Cores {
    /// How many cores' worth of time it can have: the less of the two.
    #[must_use]
    pub fn share(&self) -> f64 {
        let allowed = self.allowed.len() as f64;
        self.quota.map_or(allowed, |quota| quota.min(allowed))
    }
}

/// The cores that the calling thread may use. Nothing on other systems than Linux.
#[must_use]
pub fn cores() -> Option<Cores> {
    let quotas = groups().into_iter().filter_map(|group| quota(&kernel::text(group.join("cpu.max"))?));
    Some(Cores { allowed: allowed()?, quota: quotas.min_by(f64::total_cmp) })
}

/// `50000 100000` gives half a core; `max 100000` sets no limit.
fn quota(cpu_max: &str) -> Option<f64> {
    let mut numbers = cpu_max.split_whitespace();
    let (time, period) = (numbers.next()?.parse::<f64>().ok()?, numbers.next()?.parse::<f64>().ok()?);
    (period > 0.0).then(|| time / period)
}

/// How many threads were ready to run, on the average of the last minute. Nothing on other systems than Linux.
#[must_use]
pub fn load_average() -> Option<f64> {
    kernel::text("/proc/loadavg")?.split_whitespace().next()?.parse().ok()
}

/// The smallest step of the monotonic clock. Nothing on other systems than Unix.
#[must_use]
#[cfg(unix)]
pub fn clock_resolution() -> Option<std::time::Duration> {
    rustix::time::clock_getres(rustix::time::ClockId::Monotonic).try_into().ok()
}

/// The smallest step of the monotonic clock. Nothing on other systems than Unix.
#[must_use]
#[cfg(not(unix))]
pub fn clock_resolution() -> Option<std::time::Duration> {
    None
}

/// The directories of this process's control group and of all above it (cgroup v2).
fn groups() -> Vec<PathBuf> {
    let Some(text) = kernel::text("/proc/self/cgroup") else { return Vec::new() };
    let Some(own) = own_group(&text) else { return Vec::new() };
    let root = Path::new("/sys/fs/cgroup");
    let own = root.join(own.trim_start_matches('/'));
    own.ancestors().take_while(|group| group.starts_with(root)).map(Path::to_owned).collect()
}

/// `0::/user.slice/app` is the line of version 2.
fn own_group(cgroup: &str) -> Option<&str> {
    cgroup.lines().find_map(|line| line.strip_prefix("0::"))
}

/// Keeps the calling thread, and those that it starts from now on, on these cores.
///
/// # Errors
///
/// If none of the cores is there or may be used, and on other systems than Linux.
pub fn pin(cores: &[usize]) -> io::Result<()> {
    set_affinity(None, cores)
}

/// Keeps all threads that another process has now on these cores, and with them those that they start later.
///
/// # Errors
///
/// As [`pin`], and if the process is gone or is not ours.
pub fn pin_process(pid: u32, cores: &[usize]) -> io::Result<()> {
    let gone = || io::Error::new(io::ErrorKind::NotFound, format!("there is no process {pid}"));
    for thread in kernel::numbers(&format!("/proc/{pid}/task")).ok_or_else(gone)? {
        set_affinity(Some(thread), cores)?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn set_affinity(thread: Option<u32>, cores: &[usize]) -> io::Result<()> {
    use rustix::thread::{CpuSet, sched_setaffinity};
    let thread = thread.and_then(|thread| rustix::process::Pid::from_raw(i32::try_from(thread).ok()?));
    let mut set = CpuSet::new();
    for &core in cores {
        if core >= CpuSet::MAX_CPU {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("there is no core {core}")));
        }
        set.set(core);
    }
    sched_setaffinity(thread, &set).map_err(|error| {
        let error = io::Error::from(error);
        io::Error::new(error.kind(), format!("pin to the cores {cores:?}: {error}"))
    })
}

#[cfg(not(target_os = "linux"))]
fn set_affinity(_: Option<u32>, _: &[usize]) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "threads can be pinned to cores on Linux only"))
}

#[cfg(target_os = "linux")]
fn allowed() -> Option<Vec<usize>> {
    use rustix::thread::{CpuSet, sched_getaffinity};
    let set = sched_getaffinity(None).ok()?;
    Some((0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).collect())
}

#[cfg(not(target_os = "linux"))]
fn allowed() -> Option<Vec<usize>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_come_with_those_that_rest() {
        let sockstat = "sockets: used 40\nTCP: inuse 5 orphan 0 tw 12 alloc 6 mem 1\nUDP: inuse 1 mem 0\n";
        let ports = Ports::parse("32768\t60999\n", sockstat, "2\n").unwrap();
        assert_eq!(ports, Ports { range: 32768..=60999, resting: 12, reuse: Reuse::Loopback });
        assert_eq!(ports.count(), 28_232);
        let all = Ports::parse("1024 65535", "", "").unwrap();
        assert_eq!((all.count(), all.resting, all.reuse), (64_512, 0, Reuse::Never));
        assert_eq!(Ports::parse("many few", sockstat, "1"), None);
    }

    #[test]
    fn a_group_leaves_what_is_below_its_limit_and_what_can_be_given_back() {
        assert_eq!(room_of_group("1000\n", "700\n", "anon 500\ninactive_file 100\n"), Some(400));
        assert_eq!(room_of_group("1000", "1200", ""), Some(0));
        assert_eq!(room_of_group("max\n", "700\n", ""), None);
        let memory = Memory { available: 500, allowed: Some(400) };
        assert_eq!(memory.room(), 400);
        assert_eq!(Memory { allowed: None, ..memory }.room(), 500);
    }

    #[test]
    fn a_quota_is_a_share_of_cores() {
        assert_eq!(quota("150000 100000\n"), Some(1.5));
        assert_eq!(quota("max 100000\n"), None);
        let cores = Cores { allowed: vec![0, 1], quota: Some(1.5) };
        assert!((cores.share() - 1.5).abs() < 1e-9);
        assert!((Cores { quota: None, ..cores }.share() - 2.0).abs() < 1e-9);
        assert_eq!(own_group("4:memory:/x\n0::/user.slice/app\n"), Some("/user.slice/app"));
    }

    #[cfg(unix)]
    #[test]
    fn the_soft_limit_of_descriptors_is_raised_to_the_hard_one() {
        let before = descriptors().unwrap();
        let raised = raise_descriptors().unwrap();
        assert!(raised.soft >= before.soft && raised.hard == before.hard, "{before:?} {raised:?}");
        assert!(cfg!(not(target_os = "linux")) || raised.soft == raised.hard, "{raised:?}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_is_pinned_with_those_that_it_starts() {
        let first = cores().unwrap().allowed[0];
        let pinned = std::thread::spawn(move || {
            pin(&[first]).unwrap();
            std::thread::spawn(|| cores().unwrap().allowed).join().unwrap()
        });
        assert_eq!(pinned.join().unwrap(), [first]);
        assert!(pin(&[]).is_err() && pin(&[1_000_000]).is_err());
        assert_eq!(pin_process(u32::MAX, &[first]).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_says_what_it_has() {
        assert!(ports().unwrap().count() > 0);
        assert!(memory().unwrap().available > 0);
        assert!(cores().unwrap().share() > 0.0);
        assert!(load_average().unwrap() >= 0.0);
        assert!(clock_resolution().unwrap() > std::time::Duration::ZERO);
    }
}
