//! How sure the times of polls are: what the way to the server and our own timer add to a gap (requirements 0.5 and 4).
//!
//! A device counts from when it received an answer, so the gap that a server sees is never shorter than the one that was
//! kept; but of a poll that was on its way for a good part of the interval nobody can say when it came.

use std::fmt;
use std::time::Duration;

use crate::exchange::Exchange;
use crate::timing::show;

/// A timer that fired later than this says more of this machine than of the server.
const LATEST_TIMER: Duration = Duration::from_millis(50);

/// Round trips longer than this part of the interval swallow the effect that is measured.
const LONGEST_PART: u32 = 4;

/// Of how many polls one may be unsure before nothing is said about pace.
const MOST_UNSURE: usize = 5;

/// Does this poll, due at `due`, prove nothing about pace?
pub(super) fn is_unsure(exchange: &Exchange, due: Duration, interval: Duration) -> bool {
    exchange.took() > interval / LONGEST_PART || exchange.sent.saturating_sub(due) > LATEST_TIMER
}

/// Are so many of these polls unsure that pace cannot be judged?
pub(super) const fn is_too_much(unsure: usize, polls: usize) -> bool {
    unsure * MOST_UNSURE > polls
}

/// The round trips of some polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measured {
    median: Duration,
    jitter: Duration,
}

impl Measured {
    /// Of polls that were answered, if there are any.
    pub(super) fn of<'a>(exchanges: impl IntoIterator<Item = &'a Exchange>) -> Option<Self> {
        let mut took: Vec<Duration> =
            exchanges.into_iter().filter(|exchange| exchange.answer.is_ok()).map(Exchange::took).collect();
        took.sort_unstable();
        let median = *took.get(took.len() / 2)?;
        let jitter = took.last()?.saturating_sub(*took.first()?);
        Some(Self { median, jitter })
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "round trip {}, jitter {}", show(self.median), show(self.jitter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::{Answer, Asked, Manner, NoAnswer};
    use crate::protocol::{Endpoint, Role};

    fn poll(sent: u64, took: u64, comes: bool) -> Exchange {
        let length = Duration::from_millis;
        let asked = Asked {
            endpoint: Endpoint::Token,
            method: "POST".to_owned(),
            url: String::new(),
            headers: Vec::new(),
            body: Vec::new(),
            client: Role::Tv,
            manner: Manner::default(),
        };
        let answer = if comes {
            Ok(Answer { status: 400, headers: Vec::new(), body: Vec::new() })
        } else {
            Err(NoAnswer::TimedOut(length(took)))
        };
        Exchange::new(1, asked, answer, length(sent), length(sent + took))
    }

    #[test]
    fn a_poll_that_was_long_on_its_way_or_late_proves_nothing() {
        let (due, interval) = (Duration::from_secs(5), Duration::from_secs(5));
        for (sent, took, unsure) in
            [(5_000, 1_250, false), (5_050, 30, false), (5_051, 30, true), (5_000, 1_251, true)]
        {
            assert_eq!(is_unsure(&poll(sent, took, true), due, interval), unsure, "{sent} {took}");
        }
        assert!(!is_too_much(4, 20) && is_too_much(5, 20) && !is_too_much(0, 0));
    }

    #[test]
    fn round_trips_are_told_in_the_middle_and_by_their_spread() {
        let polls = [poll(0, 10, true), poll(0, 90, true), poll(0, 20, true), poll(0, 9_000, false)];
        let measured = Measured::of(&polls).unwrap();
        assert_eq!(measured.to_string(), "round trip 20 ms, jitter 80 ms");
        assert_eq!(Measured::of(&polls[3..]), None);
    }
}
