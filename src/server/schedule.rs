//! What to look at when: for forgetting what has ended, a little at a time. Knows nothing of what it is.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::moment::Moment;

/// Keys by their moments.
#[derive(Debug)]
pub struct Schedule<K: Ord>(BinaryHeap<Reverse<(Moment, K)>>);

impl<K: Ord> Schedule<K> {
    /// How many keys to take at a time: more than one, so that a backlog melts, and few, so that nobody waits.
    pub const BATCH: usize = 4;

    /// Adds a key to be taken at `when` or later.
    pub fn add(&mut self, when: Moment, key: K) {
        self.0.push(Reverse((when, key)));
    }

    /// Takes the next key whose moment has come.
    pub fn due(&mut self, now: Moment) -> Option<K> {
        let next = self.0.peek_mut()?;
        if next.0.0 > now {
            return None;
        }
        Some(PeekMut::pop(next).0.1)
    }
}

impl<K: Ord> Default for Schedule<K> {
    fn default() -> Self {
        Self(BinaryHeap::new())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn keys_come_in_the_order_of_their_moments_and_not_before() {
        let at = |seconds| Moment::after_start(Duration::from_secs(seconds));
        let mut schedule = Schedule::default();
        schedule.add(at(2), "late");
        schedule.add(at(1), "soon");
        assert_eq!(schedule.due(at(0)), None);
        assert_eq!(schedule.due(at(2)), Some("soon"));
        assert_eq!(schedule.due(at(2)), Some("late"));
        assert_eq!(schedule.due(at(9)), None);
    }
}
