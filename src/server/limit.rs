//! How many wrong guesses are too many. Knows nothing of what is guessed.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::moment::Moment;

/// Wrong guesses by whom or at what, within a span of time.
#[derive(Debug, Default)]
pub struct Guesses(HashMap<String, VecDeque<Moment>>);

impl Guesses {
    /// Notes a wrong guess.
    pub fn note(&mut self, key: &str, now: Moment) {
        self.0.entry(key.to_owned()).or_default().push_back(now);
    }

    /// How long to wait, if there were `limit` wrong guesses within `span`.
    pub fn wait(&mut self, key: &str, now: Moment, limit: usize, span: Duration) -> Option<Duration> {
        let guesses = self.0.get_mut(key)?;
        guesses.retain(|&at| now - at < span);
        let oldest_that_counts = guesses.len().checked_sub(limit)?;
        guesses.get(oldest_that_counts).map(|&at| span - (now - at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> Moment {
        Moment::after_start(Duration::from_secs(seconds))
    }

    #[test]
    fn the_limit_holds_until_the_oldest_guess_that_counts_is_a_span_old() {
        let mut guesses = Guesses::default();
        for second in 0..3 {
            assert_eq!(guesses.wait("alice", at(second), 3, SPAN), None);
            guesses.note("alice", at(second));
        }
        assert_eq!(guesses.wait("alice", at(10), 3, SPAN), Some(Duration::from_secs(50)));
        assert_eq!(guesses.wait("bob", at(10), 3, SPAN), None);
        assert_eq!(guesses.wait("alice", at(60), 3, SPAN), None);
    }
}
