//! Whether many polls come at once. Knows nothing of what they ask.

use std::collections::VecDeque;
use std::time::Duration;

use super::faults::{CROWD, Load};
use super::moment::Moment;

/// The time in which polls are counted; it slides.
const SPAN: Duration = Duration::from_secs(1);

/// The latest polls: just as many as it takes to see that there were too many.
#[derive(Debug, Default)]
pub struct Crowd(VecDeque<Moment>);

impl Crowd {
    /// Notes a poll.
    pub fn note(&mut self, now: Moment) {
        self.0.push_back(now);
        if self.0.len() > CROWD + 1 {
            self.0.pop_front();
        }
    }

    /// Whether there were more than [`CROWD`] polls in the second that ends now.
    #[must_use]
    pub fn load(&self, now: Moment) -> Load {
        match self.0.front() {
            Some(&oldest) if self.0.len() > CROWD && now - oldest < SPAN => Load::Crowd,
            _ => Load::Usual,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_more_than_the_bound_within_one_second() {
        let at = |milliseconds| Moment::after_start(Duration::from_millis(milliseconds));
        let mut crowd = Crowd::default();
        assert_eq!(crowd.load(at(0)), Load::Usual);
        for _ in 0..CROWD {
            crowd.note(at(0));
        }
        assert_eq!(crowd.load(at(0)), Load::Usual);
        crowd.note(at(999));
        assert_eq!(crowd.load(at(999)), Load::Crowd);
        assert_eq!(crowd.load(at(1000)), Load::Usual);
        for poll in 0..2000 {
            crowd.note(at(2000 + 2 * poll));
            assert_eq!(crowd.load(at(2000 + 2 * poll)), Load::Usual, "500 a second and no more");
        }
    }
}
