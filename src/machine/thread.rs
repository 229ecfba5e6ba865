//! How the kernel treats one thread: how long it ran, and how long it could have run and had to wait for a CPU.
//!
//! Preemption between sending and reading shows here alone: no clock inside the thread can tell it from a slow server.

use std::fs::File;
use std::ops::Sub;
use std::time::Duration;

/// What a thread got of the CPUs since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scheduled {
    /// Time on a CPU.
    pub ran: Duration,
    /// Time in the run queue: ready, and another one ran instead.
    pub waited: Duration,
}

impl Scheduled {
    /// Which part of a span of time the thread ran: 0.0 to 1.0, as a share of one core.
    #[must_use]
    pub fn ran_share(&self, span: Duration) -> f64 {
        share(self.ran, span)
    }

    /// Which part of a span of time the thread waited in the run queue.
    #[must_use]
    pub fn waited_share(&self, span: Duration) -> f64 {
        share(self.waited, span)
    }
}

impl Sub for Scheduled {
    type Output = Self;

    /// What came between an earlier look and this one.
    fn sub(self, earlier: Self) -> Self {
        Self { ran: self.ran.saturating_sub(earlier.ran), waited: self.waited.saturating_sub(earlier.waited) }
    }
}

fn share(part: Duration, span: Duration) -> f64 {
    if span.is_zero() { 0.0 } else { part.as_secs_f64() / span.as_secs_f64() }
}

/// Looks at one thread again and again; the file is opened once.
#[derive(Debug)]
pub struct RunQueue {
    schedstat: File,
}

impl RunQueue {
    /// Opens it for the calling thread; looks from other threads are at this one, too. Nothing on other systems than
    /// Linux, and where the kernel keeps no such figures (`CONFIG_SCHED_INFO`).
    #[must_use]
    pub fn of_this_thread() -> Option<Self> {
        let run_queue = Self { schedstat: File::open("/proc/thread-self/schedstat").ok()? };
        run_queue.look().map(|_| run_queue)
    }

    /// What the thread got until now. The kernel adds up `ran` at each clock tick and each switch, so a look may come
    /// up to a tick (1 to 10 ms) short.
    #[must_use]
    pub fn look(&self) -> Option<Scheduled> {
        let mut buffer = [0; 96];
        let length = self.read(&mut buffer)?;
        parse(std::str::from_utf8(buffer.get(..length)?).ok()?)
    }

    #[cfg(unix)]
    fn read(&self, buffer: &mut [u8]) -> Option<usize> {
        std::os::unix::fs::FileExt::read_at(&self.schedstat, buffer, 0).ok()
    }

    #[cfg(not(unix))]
    fn read(&self, _: &mut [u8]) -> Option<usize> {
        None
    }
}

/// `ran waited slices`, both times in nanoseconds; all zero where the kernel does not count.
fn parse(schedstat: &str) -> Option<Scheduled> {
    let mut numbers = schedstat.split_whitespace().map(|number| number.parse::<u64>().ok());
    let (ran, waited, slices) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let is_counted = ran > 0 || waited > 0 || slices > 0;
    is_counted.then(|| Scheduled { ran: Duration::from_nanos(ran), waited: Duration::from_nanos(waited) })
}

/// The time on a CPU of the calling thread, to the nanosecond. Nothing on other systems than Unix.
#[must_use]
#[cfg(unix)]
pub fn cpu() -> Option<Duration> {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).try_into().ok()
}

/// The time on a CPU of the calling thread. Nothing on other systems than Unix.
#[must_use]
#[cfg(not(unix))]
pub fn cpu() -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedstat_is_read_and_zeros_are_no_figures() {
        let scheduled = Scheduled { ran: Duration::from_millis(3), waited: Duration::from_micros(20) };
        assert_eq!(parse("3000000 20000 7\n"), Some(scheduled));
        assert_eq!(parse("0 0 0\n"), None);
        assert_eq!(parse("3000000 20000"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn shares_are_of_what_came_between_two_looks() {
        let at = |ran, waited| Scheduled {
            ran: Duration::from_millis(ran),
            waited: Duration::from_millis(waited),
        };
        let between = at(900, 30) - at(400, 10);
        assert_eq!(between, at(500, 20));
        let second = Duration::from_secs(1);
        assert!((between.ran_share(second) - 0.5).abs() < 1e-9);
        assert!((between.waited_share(second) - 0.02).abs() < 1e-9);
        assert!(between.ran_share(Duration::ZERO).abs() < 1e-9);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_that_works_is_seen_to_run_from_another_thread() {
        let Some(mine) = RunQueue::of_this_thread() else { return };
        let before = cpu().unwrap();
        // Work that ends by the thread's own CPU clock, however busy the machine is.
        while cpu().unwrap() - before < Duration::from_millis(30) {
            std::hint::black_box(0);
        }
        let seen = std::thread::spawn(move || mine.look().unwrap()).join().unwrap();
        assert!(seen.ran >= Duration::from_millis(15), "{seen:?}");
    }
}
