//! When devices start: instants in order, each shard its own ones, the same for any number of shards.
//!
//! All but the Poisson arrivals are computed from the number alone. A Poisson arrival stands on the one before: every shard
//! walks the whole sequence, whose gaps are drawn from the numbers, and keeps its own. That is constant work and no memory
//! for each arrival, some ten nanoseconds even for those of others.

use std::time::Duration;

use super::draw::Stream;
use super::model::Arrive;
use super::setting::Setting;

/// A part of a run: this shard of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shard {
    index: u32,
    of: u32,
}

impl Shard {
    /// The whole run.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Shard `index`, from 0, of so many; nothing where there is no such shard.
    #[must_use]
    pub const fn new(index: u32, of: u32) -> Option<Self> {
        if index < of { Some(Self { index, of }) } else { None }
    }

    /// Which one, from 0.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// Of how many.
    #[must_use]
    pub const fn of(self) -> u32 {
        self.of
    }
}

/// A device, or a request of a stranger, and when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Its number within its group.
    pub number: u64,
    /// When, from the start of the run.
    pub at: Duration,
}

/// The arrivals of one group that belong to one shard, in order of time, until nothing new starts.
#[derive(Debug, Clone)]
pub struct Arrivals {
    course: Course,
    stream: Stream,
    shard: Shard,
    next: u64,
    /// Of Poisson arrivals: the instant of the last one, whosever it was, in nanoseconds.
    clock: u64,
    until: Duration,
}

/// A way to arrive with all times in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Course {
    Hold { devices: u64, fill: f64 },
    Poisson { rate: f64 },
    Ramp { from: f64, to: f64, over: f64 },
    Burst { devices: u64, at: f64, over: f64 },
}

impl Course {
    pub(super) fn new(arrive: &Arrive, setting: &Setting) -> Self {
        let seconds = |timing: &crate::timing::Timing| timing.length(setting).as_secs_f64();
        match arrive {
            Arrive::Hold(hold) => Self::Hold { devices: hold.devices, fill: seconds(&hold.fill) },
            Arrive::Constant(rule) => Self::constant(rule.rate.in_a_second()),
            Arrive::Poisson(rule) => Self::Poisson { rate: rule.rate.in_a_second() },
            Arrive::Ramp(ramp) => Self::Ramp {
                from: ramp.from.in_a_second(),
                to: ramp.to.in_a_second(),
                over: seconds(&ramp.over),
            },
            Arrive::Burst(burst) => {
                Self::Burst { devices: burst.devices, at: seconds(&burst.at), over: seconds(&burst.over) }
            }
        }
    }

    /// At equal distances: a ramp that does not rise.
    pub(super) const fn constant(rate: f64) -> Self {
        Self::Ramp { from: rate, to: rate, over: 0.0 }
    }

    /// When a device arrives, in seconds; nothing if it never does, or if it depends on those before it.
    fn at(self, number: u64, stream: Stream) -> Option<f64> {
        let start = match self {
            Self::Hold { .. } => 0.0,
            Self::Burst { at, .. } => at,
            Self::Ramp { from, to, over } => return ramped(number as f64, from, to, over),
            Self::Poisson { .. } => return None,
        };
        let (place, over) = self.place(number, stream)?;
        Some(start + place * over)
    }

    /// Where within the time that its group takes to arrive a device of a known number of them stands, from 0 to 1: at a
    /// random place of its even slot. With it how long that time is, in seconds.
    pub(super) fn place(self, number: u64, stream: Stream) -> Option<(f64, f64)> {
        let (Self::Hold { devices, fill: over } | Self::Burst { devices, over, .. }) = self else {
            return None;
        };
        let place = number as f64 + stream.draw(number).unit();
        (number < devices).then(|| (place / devices as f64, over))
    }
}

/// When so many have come, at a rate that goes evenly from one to another and stays there.
fn ramped(count: f64, from: f64, to: f64, over: f64) -> Option<f64> {
    let during = f64::midpoint(from, to) * over;
    if count < during {
        let root = (from * from + 2.0 * count * (to - from) / over).max(0.0).sqrt();
        return Some(if count > 0.0 { 2.0 * count / (from + root) } else { 0.0 });
    }
    (to > 0.0).then(|| over + (count - during) / to)
}

impl Arrivals {
    pub(super) const fn new(course: Course, stream: Stream, shard: Shard, until: Duration) -> Self {
        let next = match course {
            Course::Poisson { .. } => 0,
            _ => shard.index as u64,
        };
        Self { course, stream, shard, next, clock: 0, until }
    }

    fn poisson(&mut self, rate: f64) -> Option<Arrival> {
        if rate <= 0.0 {
            return None;
        }
        loop {
            let number = self.next;
            let gap = self.stream.draw(number).gap(rate) * 1e9;
            self.clock = self.clock.saturating_add(gap as u64);
            self.next += 1;
            let at = Duration::from_nanos(self.clock);
            if at >= self.until {
                return None;
            }
            if number % u64::from(self.shard.of) == u64::from(self.shard.index) {
                return Some(Arrival { number, at });
            }
        }
    }
}

impl Iterator for Arrivals {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        if let Course::Poisson { rate } = self.course {
            return self.poisson(rate);
        }
        let number = self.next;
        let seconds = self.course.at(number, self.stream)?;
        let at = Duration::try_from_secs_f64(seconds).ok().filter(|at| *at < self.until)?;
        self.next += u64::from(self.shard.of);
        Some(Arrival { number, at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::draw::Purpose;

    fn all(course: Course, seconds: u64) -> Vec<Arrival> {
        let stream = Stream::new(7, "a", Purpose::Arrival);
        Arrivals::new(course, stream, Shard::WHOLE, Duration::from_secs(seconds)).collect()
    }

    #[test]
    fn arrivals_come_at_their_rate_and_in_order() {
        let courses = [
            (Course::constant(50.0), 100, 5_000),
            (Course::Poisson { rate: 50.0 }, 100, 5_000),
            (Course::Ramp { from: 0.0, to: 100.0, over: 100.0 }, 100, 5_000),
            (Course::Ramp { from: 100.0, to: 0.0, over: 100.0 }, 1_000, 5_000),
            (Course::Ramp { from: 0.0, to: 50.0, over: 100.0 }, 150, 5_000),
            (Course::Hold { devices: 5_000, fill: 5.0 }, 100, 5_000),
            (Course::Burst { devices: 5_000, at: 60.0, over: 1.0 }, 100, 5_000),
            (Course::Burst { devices: 5_000, at: 60.0, over: 0.0 }, 100, 5_000),
        ];
        for (course, seconds, expected) in courses {
            let arrivals = all(course, seconds);
            let random = if matches!(course, Course::Poisson { .. }) { 250 } else { 1 };
            assert!(arrivals.len().abs_diff(expected) <= random, "{course:?}: {}", arrivals.len());
            assert!(arrivals.is_sorted_by_key(|arrival| arrival.at), "{course:?}");
            assert!(arrivals.iter().enumerate().all(|(index, arrival)| arrival.number == index as u64));
        }
    }

    #[test]
    fn a_ramp_is_at_half_its_rate_in_the_middle() {
        let arrivals = all(Course::Ramp { from: 0.0, to: 100.0, over: 100.0 }, 100);
        let within = |from: u64, to: u64| {
            let between = Duration::from_secs(from)..Duration::from_secs(to);
            arrivals.iter().filter(|arrival| between.contains(&arrival.at)).count()
        };
        assert!((495..=505).contains(&within(45, 55)), "{}", within(45, 55));
        assert!((895..=905).contains(&within(85, 95)), "{}", within(85, 95));
    }

    #[test]
    fn gaps_of_poisson_arrivals_are_exponential() {
        let arrivals = all(Course::Poisson { rate: 100.0 }, 200);
        let gaps: Vec<f64> =
            arrivals.windows(2).map(|pair| (pair[1].at - pair[0].at).as_secs_f64() * 100.0).collect();
        // One in e is longer than the mean, one in e^2 longer than twice the mean.
        for (mean, share) in [(1.0, 0.368), (2.0, 0.135)] {
            let longer = gaps.iter().filter(|gap| **gap > mean).count() as f64 / gaps.len() as f64;
            assert!((longer - share).abs() < 0.015, "{longer}");
        }
    }
}
