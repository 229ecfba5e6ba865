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
    async fn a_paused_clock_is_seen_to_stand_still() {
        assert!(is_paused());
        tokio::time::resume();
        assert!(!is_paused());
    }
}
