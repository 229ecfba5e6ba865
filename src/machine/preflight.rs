//! Can this machine carry the run? Asked before anything is sent; each answer says what the limit is, what is wanted, and
//! what to do. Knows no scenario: its numbers come as [`Wanted`].

use std::time::Duration;

use tokio::time::Instant;

use super::limits::{self, Cores, Descriptors, Memory, Ports, Reuse};

/// Descriptors that are not connections: files, the runtime's own, the standard streams.
pub const RESERVED_DESCRIPTORS: u64 = 64;

/// How long a port rests after its connection has ended (`TIME_WAIT`), and how long where it can be taken again.
const REST: Duration = Duration::from_secs(60);
const SHORT_REST: Duration = Duration::from_secs(1);

/// How late a sleep may come back without a word, and from where on no run can be valid: the bound of the lag.
const LATE: Duration = Duration::from_millis(2);
const TOO_LATE: Duration = Duration::from_millis(10);

/// The coarsest step of a clock that can still tell a lag of milliseconds.
const COARSE: Duration = Duration::from_millis(1);

/// How often a sleep of one millisecond is measured.
const SLEEPS: usize = 45;

/// What a run is going to take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wanted {
    /// Connections at once.
    pub sockets: u64,
    /// Connections that are opened each second, once the run is under way.
    pub new_connections_per_second: f64,
    /// Local addresses that connections come from.
    pub sources: usize,
    /// Memory in bytes, of this process and of a server that it starts.
    pub memory: u64,
    /// Threads that are to keep a core each.
    pub shards: usize,
    /// The server runs on this machine.
    pub server_is_here: bool,
}

/// What this machine has; `None` where it does not tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// File descriptors.
    pub descriptors: Option<Descriptors>,
    /// Local ports.
    pub ports: Option<Ports>,
    /// Memory.
    pub memory: Option<Memory>,
    /// Cores.
    pub cores: Option<Cores>,
    /// Threads that were ready to run in the last minute, on the average.
    pub load: Option<f64>,
    /// The step of the monotonic clock.
    pub resolution: Option<Duration>,
    /// By how much sleeps of one millisecond came back late.
    pub late: Vec<Duration>,
}

/// How a limit compares with what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// There is enough.
    Ok,
    /// The run may suffer, and its report will show whether it did.
    Warning,
    /// The run cannot be what was asked for.
    Failed,
}

/// One line of a preflight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whether there is enough.
    pub verdict: Verdict,
    /// What is wanted and what there is.
    pub what: String,
    /// What to do about it; nothing where nothing need be done.
    pub help: Option<String>,
}

/// Looks at this machine and compares it with what is wanted. Takes about 50 ms, for the sleeps that it measures.
#[must_use]
pub fn preflight(wanted: &Wanted) -> Vec<Line> {
    judge(wanted, &look())
}

/// What this machine has now.
#[must_use]
pub fn look() -> Found {
    Found {
        descriptors: limits::descriptors(),
        ports: limits::ports(),
        memory: limits::memory(),
        cores: limits::cores(),
        load: limits::load_average(),
        resolution: limits::clock_resolution(),
        late: (0..SLEEPS).map(|_| late_sleep()).collect(),
    }
}

/// Compares what is wanted with what there is: descriptors, ports, memory, clock, CPU.
#[must_use]
pub fn judge(wanted: &Wanted, found: &Found) -> Vec<Line> {
    let mut lines = vec![
        found.descriptors.map_or_else(|| unknown("descriptors"), |limit| descriptors(wanted, limit)),
        found.ports.as_ref().map_or_else(|| unknown("local ports"), |ports| open_ports(wanted, ports)),
    ];
    lines.extend(found.ports.as_ref().and_then(|ports| fresh_ports(wanted, ports)));
    lines.push(found.memory.map_or_else(|| unknown("memory"), |has| memory(wanted, has)));
    lines.push(clock(found.resolution, &found.late));
    lines.push(found.cores.as_ref().map_or_else(|| unknown("cores"), |cores| cpu(wanted, cores)));
    lines.extend(found.load.zip(found.cores.as_ref()).and_then(|(load, cores)| busy(wanted, load, cores)));
    lines
}

fn late_sleep() -> Duration {
    let length = Duration::from_millis(1);
    let before = Instant::now();
    std::thread::sleep(length);
    before.elapsed().saturating_sub(length)
}

impl Line {
    fn new(verdict: Verdict, what: String, help: impl Into<Option<String>>) -> Self {
        Self { verdict, what, help: help.into() }
    }
}

fn unknown(what: &str) -> Line {
    let help = "nothing to do; if connections fail or the lag grows, look at this first".to_owned();
    Line::new(Verdict::Warning, format!("{what}: this system does not tell how many there are"), help)
}

fn descriptors(wanted: &Wanted, limit: Descriptors) -> Line {
    let all = wanted.sockets.saturating_add(RESERVED_DESCRIPTORS);
    let what = format!("descriptors: {all} wanted, {} allowed", limit.soft);
    if all <= limit.soft {
        return Line::new(Verdict::Ok, what, None);
    }
    let fit = limit.soft.saturating_sub(RESERVED_DESCRIPTORS);
    let raise = if all <= limit.hard {
        format!("raise the limit: ulimit -n {all}")
    } else {
        "have the hard limit raised (LimitNOFILE= of systemd, nofile in limits.conf)".to_owned()
    };
    let fewer = if fit == 0 { String::new() } else { format!("; or use at most {fit} connections") };
    let help = format!("{raise}{fewer}");
    Line::new(Verdict::Failed, what, help)
}

/// Ports for the connections that are open at the same time.
fn open_ports(wanted: &Wanted, ports: &Ports) -> Line {
    let all = ports_of_all_sources(wanted, ports);
    let from = sources(wanted.sources);
    let what = format!("local ports: {} wanted at once, {all} there are {from}", wanted.sockets);
    let help = || {
        let needed = wanted.sockets.div_ceil((ports.count() / 2).max(1));
        format!(
            "use {needed} local addresses, or widen the range: sysctl net.ipv4.ip_local_port_range=\"1024 65535\""
        )
    };
    if wanted.sockets > all {
        Line::new(Verdict::Failed, what, help())
    } else if wanted.sockets > all / 2 {
        // The kernel tries every other port first; what is beyond has to be searched for.
        Line::new(Verdict::Warning, format!("{what}; connecting grows slow beyond half of them"), help())
    } else {
        Line::new(Verdict::Ok, what, None)
    }
}

/// Ports for the connections that come one after the other.
fn fresh_ports(wanted: &Wanted, ports: &Ports) -> Option<Line> {
    let rate = wanted.new_connections_per_second;
    if rate <= 0.0 {
        return None;
    }
    let reused = match ports.reuse {
        Reuse::All => true,
        Reuse::Loopback => wanted.server_is_here,
        Reuse::Never => false,
    };
    let rest = if reused { SHORT_REST } else { REST };
    let all = ports_of_all_sources(wanted, ports);
    let taken = wanted.sockets.saturating_add(if reused { 0 } else { ports.resting });
    let free = all.saturating_sub(taken) as f64;
    let most = free / rest.as_secs_f64();
    let what = format!(
        "new connections: {rate:.0}/s wanted, {most:.0}/s can go on for ever {}, since a port rests for {} s",
        sources(wanted.sources),
        rest.as_secs(),
    );
    Some(if rate <= most {
        Line::new(Verdict::Ok, what, None)
    } else {
        let help = format!(
            "the ports last for {:.0} s: keep connections open, use more local addresses, or set net.ipv4.tcp_tw_reuse=1",
            free / rate
        );
        Line::new(Verdict::Warning, what, help)
    })
}

fn memory(wanted: &Wanted, has: Memory) -> Line {
    let limited = has.allowed.is_some_and(|allowed| allowed < has.available);
    let by = if limited { "left by the limit of the control group" } else { "available" };
    let room = has.room();
    let what = format!("memory: {} wanted, {} {by}", size(wanted.memory), size(room));
    let help = || "fewer devices, or fewer of them at a time; memory grows with their number".to_owned();
    if wanted.memory > room {
        Line::new(Verdict::Failed, what, help())
    } else if wanted.memory > room / 5 * 4 {
        Line::new(Verdict::Warning, what, help())
    } else {
        Line::new(Verdict::Ok, what, None)
    }
}

fn clock(resolution: Option<Duration>, late: &[Duration]) -> Line {
    if let Some(step) = resolution.filter(|&step| step > COARSE) {
        let what = format!("clock: its step is {step:.1?}, the lag is told in milliseconds");
        let help = "use a machine whose monotonic clock has a high resolution".to_owned();
        return Line::new(Verdict::Failed, what, help);
    }
    let mut late = late.to_vec();
    late.sort_unstable();
    let at = |percent: usize| late.get(late.len() * percent / 100).copied().unwrap_or_default();
    let (median, most) = (at(50), at(90));
    let what = format!("clock: a sleep of 1 ms comes back {median:.1?} late, nine of ten within {most:.1?}");
    let help = || "end what else runs on this machine, or use one that does not share its cores".to_owned();
    if median > TOO_LATE {
        Line::new(Verdict::Failed, format!("{what}; the lag may be 10 ms"), help())
    } else if most > LATE {
        Line::new(Verdict::Warning, what, help())
    } else {
        Line::new(Verdict::Ok, what, None)
    }
}

fn cpu(wanted: &Wanted, cores: &Cores) -> Line {
    let (share, shards) = (cores.share(), wanted.shards as f64);
    // A server on this machine wants a core of its own at the least.
    let server = if wanted.server_is_here { 1.0 } else { 0.0 };
    let with = if wanted.server_is_here { ", one more for the server" } else { "" };
    let what = format!("cores: {} wanted{with}, {share} there are", wanted.shards);
    if shards + server <= share {
        return Line::new(Verdict::Ok, what, None);
    }
    let fit = (share - server).floor().max(1.0);
    let help = if shards > fit {
        format!("use --shards {fit}; more threads than cores wait for each other")
    } else {
        "put the server on another machine; here it and the generator take the CPU from each other".to_owned()
    };
    Line::new(Verdict::Warning, what, help)
}

/// Whether others keep the cores busy.
fn busy(wanted: &Wanted, load: f64, cores: &Cores) -> Option<Line> {
    let free = cores.share() - load;
    (free < wanted.shards as f64).then(|| {
        let what = format!(
            "load: {load:.1} threads were ready to run in the last minute, which leaves {:.1} cores for {}",
            free.max(0.0),
            wanted.shards
        );
        Line::new(Verdict::Warning, what, "end what else runs here, or wait for a minute".to_owned())
    })
}

fn ports_of_all_sources(wanted: &Wanted, ports: &Ports) -> u64 {
    ports.count().saturating_mul(u64::try_from(wanted.sources.max(1)).unwrap_or(u64::MAX))
}

fn sources(count: usize) -> String {
    match count {
        0 | 1 => "from one local address".to_owned(),
        more => format!("from {more} local addresses"),
    }
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    const GIB: u64 = 1024 * MIB;
    if bytes < GIB {
        format!("{} MiB", bytes.div_ceil(MIB))
    } else {
        format!("{:.1} GiB", bytes as f64 / GIB as f64)
    }
}

#[cfg(test)]
mod tests;
