//! The one place that reads a clock of the system: wall time that follows tokio's (possibly paused) clock.

use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
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
