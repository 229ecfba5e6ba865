//! The search for the largest number of waiting devices that still meets the thresholds: upwards by doubling, then by
//! halving what is left.

/// Between these, the answer is exact enough: a twentieth.
const EXACT: u64 = 20;

/// Where the search stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Search {
    /// The largest number that was borne.
    good: u64,
    /// The smallest one that was not; nothing yet.
    bad: Option<u64>,
    /// The next one to be tried.
    next: u64,
    most: u64,
}

impl Search {
    /// Begins with so many, and never tries more than `most`.
    #[must_use]
    pub fn new(first: u64, most: u64) -> Self {
        let next = first.clamp(1, most.max(1));
        Self { good: 0, bad: None, next, most: most.max(1) }
    }

    /// How many are to be tried now.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// The largest number that was borne; 0 where none was.
    #[must_use]
    pub const fn best(&self) -> u64 {
        self.good
    }

    /// Was everything borne that may be tried?
    #[must_use]
    pub const fn is_at_most(&self) -> bool {
        self.good == self.most
    }

    /// Takes note of a step; false when the search is over.
    pub fn step(&mut self, was_borne: bool) -> bool {
        if was_borne {
            self.good = self.next;
        } else {
            self.bad = Some(self.next);
        }
        let Some(bad) = self.bad else {
            self.next = self.next.saturating_mul(2).min(self.most);
            return self.good < self.most;
        };
        self.next = self.good.midpoint(bad);
        bad - self.good > (bad / EXACT).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps of a search on a server that bears so many.
    fn search(bears: u64, first: u64, most: u64) -> (u64, Vec<u64>) {
        let mut search = Search::new(first, most);
        let mut tried = Vec::new();
        loop {
            tried.push(search.next());
            if !search.step(search.next() <= bears) {
                return (search.best(), tried);
            }
        }
    }

    #[test]
    fn it_comes_within_a_twentieth_in_few_steps() {
        for bears in [1, 17, 999, 12_345, 77_000, 640_000] {
            let (best, tried) = search(bears, 1000, 1_000_000);
            assert!(best <= bears, "{bears}: {tried:?}");
            assert!(bears - best <= bears / 15 + 1, "{bears}: {best} {tried:?}");
            assert!(tried.len() <= 20, "{bears}: {tried:?}");
        }
    }

    #[test]
    fn what_bears_everything_is_not_asked_for_more() {
        assert_eq!(search(u64::MAX, 1000, 3000), (3000, vec![1000, 2000, 3000]));
        assert_eq!(search(0, 4, 3000).0, 0);
    }
}
