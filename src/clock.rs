//! The one place that reads a clock of the system: wall time that follows tokio's (possibly paused) clock.

use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use tokio::time::Instant;

/// Wall time: the system time at the first call plus what tokio's clock has gone on since.
///
/// Under a paused clock (tests in virtual time) dates therefore move with the timers.
#[must_use]
pub fn wall() -> Timestamp {
    static START: LazyLock<(Timestamp, Instant)> = LazyLock::new(|| (Timestamp::now(), Instant::now()));
    let (timestamp, instant) = *START;
    let elapsed: Duration = Instant::now().saturating_duration_since(instant);
    timestamp.checked_add(elapsed).unwrap_or(timestamp)
}

/// Today in UTC, by [`wall`].
#[must_use]
pub fn today() -> Date {
    jiff::tz::Offset::UTC.to_datetime(wall()).date()
}

/// By how many seconds a `Date` header (RFC 9110 §5.6.7) is ahead of [`wall`] at the instant it was received; below zero
/// where it is behind. It says whole seconds, and takes some time to arrive: the clocks agree when it is behind by less
/// than a second and that. Nothing where it is no date.
#[must_use]
pub fn ahead(date: &str, received: Instant) -> Option<f64> {
    let theirs = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date.trim()).ok()?;
    let ours = wall().checked_sub(Instant::now().saturating_duration_since(received)).ok()?;
    Some(theirs.duration_since(ours).as_secs_f64())
}

/// Is tokio's clock paused, as in a test with `start_paused = true`? It stands still then while nothing is awaited.
/// Takes a millisecond.
#[must_use]
pub fn is_paused() -> bool {
    let before = Instant::now();
    std::thread::sleep(Duration::from_millis(1));
    Instant::now() == before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_date_is_held_against_the_instant_of_its_receipt() {
        let received = Instant::now();
        let now = wall();
        let written = |seconds: i64| {
            let then = now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
            then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
        };
        let (same, ahead_of_us) = (written(0), written(90));
        tokio::time::advance(Duration::from_secs(30)).await;
        let near = |date: &str, expected: f64| {
            let off = ahead(date, received).unwrap();
            assert!((expected - 1.0..=expected).contains(&off), "{date}: {off}");
        };
        near(&same, 0.0);
        near(&ahead_of_us, 90.0);
        assert_eq!(ahead("yesterday", received), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_paused_clock_is_seen_to_stand_still() {
        assert!(is_paused());
        tokio::time::resume();
        assert!(!is_paused());
    }
}
