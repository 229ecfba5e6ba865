//! The device's pace: when it polls next, and when it stops. Knows no clock, no socket and no code.
//!
//! Instants are lengths of time since an epoch that the caller chooses once. Whoever plays a device asks
//! [`Device::next`], polls at that instant, and reports the receipt of the whole answer to [`Device::answered`].
//!
//! ```text
//! codes     poll      poll                poll         (RFC 8628 §3.5)
//!   |--5 s--|pending--5 s--|slow_down--10 s--|granted
//! ```

use std::time::Duration;

use crate::outcome::Outcome;

/// The interval where the server names none (RFC 8628 §3.2).
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);

/// What every slow_down adds to the interval for good (RFC 8628 §3.5).
pub const SLOW_DOWN_STEP: Duration = Duration::from_secs(5);

/// The longest wait that back-off alone may reach.
pub const LONGEST_BACK_OFF: Duration = Duration::from_secs(300);

/// No own deadline.
const NEVER: u64 = u64::MAX;

/// One device waiting for its user: 32 bytes, because the load engine holds ten million of them.
///
/// Instants are kept in nanoseconds, so that nothing is rounded (584 years fit); lengths in whole seconds, rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    /// Receipt of the last answer, the device authorization response being the first.
    heard: u64,
    /// The last instant at which a poll may be due.
    deadline: u64,
    interval: u32,
    /// Polls that were answered or given up.
    answers: u32,
    slow_downs: u16,
    /// Seconds that the last answer asked to stay away without changing the interval.
    retry_after: u16,
    /// Polls in a row that got no answer.
    failures: u8,
    stop: Option<Stop>,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Poll, not before this instant.
    Poll {
        /// Since the caller's epoch.
        at: Duration,
    },
    /// Never poll again.
    Stop(Stop),
}

/// Why a device polls no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It has its token.
    Granted,
    /// The user said no: `access_denied`.
    Denied,
    /// The server said `expired_token`.
    Expired,
    /// The announced lifetime leaves no room for another poll.
    LifetimeOver,
    /// Any other error code (RFC 8628 §3.5: the device MUST stop polling).
    Refused,
    /// An answer from which nothing follows.
    Unusable,
}

/// What one poll came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// `authorization_pending`.
    Pending,
    /// `slow_down`.
    SlowDown {
        /// The interval that the answer asks for besides, as an `interval` member or a Retry-After.
        given: Option<Duration>,
    },
    /// A token.
    Granted,
    /// `access_denied`.
    Denied,
    /// `expired_token`.
    Expired,
    /// Any other error code.
    Refused,
    /// A time-out while connecting or reading, a reset, a name that does not resolve; a 5xx or 429 without an OAuth
    /// word.
    NoAnswer {
        /// How long the server wants to be left alone, if it said.
        retry_after: Option<Duration>,
    },
    /// A whole answer that is none of these.
    Unusable,
}

impl Answer {
    /// What a device makes of an answer to its poll: `interval` is the answer's member, `retry_after` its header, both
    /// asked for only where they matter.
    pub fn of(
        outcome: Outcome,
        interval: impl FnOnce() -> Option<Duration>,
        retry_after: impl FnOnce() -> Option<Duration>,
    ) -> Self {
        match outcome {
            Outcome::Pending => Self::Pending,
            Outcome::SlowDown => Self::SlowDown { given: interval().max(retry_after()) },
            Outcome::Granted => Self::Granted,
            Outcome::Denied => Self::Denied,
            Outcome::Expired => Self::Expired,
            Outcome::Refused => Self::Refused,
            Outcome::Limited | Outcome::Broken => Self::NoAnswer { retry_after: retry_after() },
            Outcome::Codes | Outcome::Malformed | Outcome::Wordless => Self::Unusable,
        }
    }
}

impl Device {
    /// A device that has received its codes at `received`.
    ///
    /// Without an `interval` it waits 5 s (RFC 8628 §3.2); fractions are rounded up, and less than a second is a
    /// second. Without a `lifetime` it has no deadline of its own.
    #[must_use]
    pub fn new(received: Duration, interval: Option<Duration>, lifetime: Option<Duration>) -> Self {
        Self {
            heard: nanos(received),
            deadline: lifetime.map_or(NEVER, |lifetime| nanos(received.saturating_add(lifetime))),
            interval: whole_seconds(interval.unwrap_or(DEFAULT_INTERVAL)).max(1),
            answers: 0,
            slow_downs: 0,
            retry_after: 0,
            failures: 0,
            stop: None,
        }
    }

    /// The present interval, grown by every slow_down.
    #[must_use]
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.interval.into())
    }

    /// How many slow_downs it was given.
    #[must_use]
    pub const fn slow_downs(&self) -> u16 {
        self.slow_downs
    }

    /// How many of its polls were answered or given up.
    #[must_use]
    pub const fn answers(&self) -> u32 {
        self.answers
    }

    /// When the codes end by the announced lifetime.
    #[must_use]
    pub const fn deadline(&self) -> Option<Duration> {
        if self.deadline == NEVER { None } else { Some(Duration::from_nanos(self.deadline)) }
    }

    /// When to poll next, or why not to. Stays the same until the next answer.
    #[must_use]
    pub fn next(&self) -> Next {
        if let Some(stop) = self.stop {
            return Next::Stop(stop);
        }
        let at = self.heard.saturating_add(nanos(self.wait()));
        if at > self.deadline {
            return Next::Stop(Stop::LifetimeOver);
        }
        Next::Poll { at: Duration::from_nanos(at) }
    }

    /// Takes note of an answer, received in full at `at`. Changes nothing once the device has stopped.
    pub fn answered(&mut self, at: Duration, answer: Answer) {
        if matches!(self.next(), Next::Stop(_)) {
            return;
        }
        self.heard = self.heard.max(nanos(at));
        self.answers = self.answers.saturating_add(1);
        self.retry_after = 0;
        match answer {
            Answer::Pending => self.failures = 0,
            Answer::SlowDown { given } => {
                self.failures = 0;
                self.slow_downs = self.slow_downs.saturating_add(1);
                self.interval = self
                    .interval
                    .saturating_add(whole_seconds(SLOW_DOWN_STEP))
                    .max(given.map_or(0, whole_seconds));
            }
            Answer::NoAnswer { retry_after } => {
                self.failures = self.failures.saturating_add(1);
                let seconds = retry_after.map_or(0, whole_seconds);
                self.retry_after = u16::try_from(seconds).unwrap_or(u16::MAX);
            }
            Answer::Granted => self.stop = Some(Stop::Granted),
            Answer::Denied => self.stop = Some(Stop::Denied),
            Answer::Expired => self.stop = Some(Stop::Expired),
            Answer::Refused => self.stop = Some(Stop::Refused),
            Answer::Unusable => self.stop = Some(Stop::Unusable),
        }
    }

    /// How long to wait after the last answer: the interval, doubled for every poll in a row without an answer (RFC
    /// 8628 §3.5). Back-off ends at 300 s and at the deadline, where one last poll is due; a Retry-After does not.
    fn wait(&self) -> Duration {
        let interval = self.interval();
        let doubled = interval.saturating_mul(1_u32.checked_shl(self.failures.into()).unwrap_or(u32::MAX));
        let left = Duration::from_nanos(self.deadline.saturating_sub(self.heard));
        doubled
            .min(LONGEST_BACK_OFF)
            .min(left)
            .max(interval)
            .max(Duration::from_secs(self.retry_after.into()))
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(NEVER)
}

fn whole_seconds(duration: Duration) -> u32 {
    let seconds = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0));
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
