//! Thresholds found with all values at once, each on a code of its own, and not by bisection: a server may change its
//! mind at more than one value, and then that is what the line says.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{listed, seconds};

/// One value that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The value: a gap between two polls, the age of a code.
    pub at: Duration,
    /// What came where it was not `authorization_pending`: `slow_down`, `expired_token`.
    pub other: Option<String>,
}

/// Where one kind of answer ends and the other begins.
enum Change {
    /// Everywhere the first.
    Never,
    /// Everywhere the second.
    Always,
    /// The last value with the first, and the first with the second.
    Between(Duration, Duration),
    /// Both came between these.
    Mixed(Duration, Duration),
}

/// From which gap on a poll is let through; values that were tried were `step` apart.
///
/// Nothing when nothing was tried.
#[must_use]
pub fn gap(probes: &[Probe], step: Duration, announced: Duration) -> Option<String> {
    let (first, last) = ends(probes)?;
    let words = words(probes);
    let announced = seconds(announced);
    // Gaps begin with what is slowed, and end with what is let through.
    Some(match change(probes, |probe| probe.other.is_some()) {
        Change::Never => {
            format!("not enforced: no gap from {} on was slowed (announced {announced})", seconds(first))
        }
        Change::Always => {
            format!("{words} even after {} (announced {announced})", seconds(last))
        }
        // What lies between was tried, and dropped.
        Change::Between(slowed, through) if through > slowed + step + step / 10 => format!(
            "{words} up to {}, none from {} on (announced {announced})",
            seconds(slowed),
            seconds(through)
        ),
        Change::Between(_, through) => {
            format!("{words} below {} (announced {announced})", seconds(through))
        }
        Change::Mixed(from, to) => format!(
            "{words} below {} and now and then up to {} (announced {announced})",
            seconds(from),
            seconds(to)
        ),
    })
}

/// From which age on a code is over.
///
/// Nothing when nothing was tried.
#[must_use]
pub fn age(probes: &[Probe], announced: Duration) -> Option<String> {
    let (first, last) = ends(probes)?;
    let announced = seconds(announced);
    Some(match change(probes, |probe| probe.other.is_none()) {
        Change::Never => format!("over before {} (announced {announced})", seconds(first)),
        Change::Always => format!("still alive at {} (announced {announced})", seconds(last)),
        Change::Between(alive, over) => {
            format!("between {} and {} (announced {announced})", seconds(alive), seconds(over))
        }
        Change::Mixed(from, to) => {
            format!("some {}, some {} (announced {announced})", seconds(from), seconds(to))
        }
    })
}

/// The error words that came, each once.
pub(super) fn words(probes: &[Probe]) -> String {
    let words: BTreeSet<String> = probes.iter().filter_map(|probe| probe.other.clone()).collect();
    listed(&words.into_iter().collect::<Vec<_>>())
}

fn ends(probes: &[Probe]) -> Option<(Duration, Duration)> {
    let values = || probes.iter().map(|probe| probe.at);
    values().min().zip(values().max())
}

/// Where the answers that `is_first` names give way to the others.
fn change(probes: &[Probe], is_first: impl Fn(&Probe) -> bool) -> Change {
    let last_first = probes.iter().filter(|probe| is_first(probe)).map(|probe| probe.at).max();
    let first_second = probes.iter().filter(|probe| !is_first(probe)).map(|probe| probe.at).min();
    match (last_first, first_second) {
        (None, _) => Change::Never,
        (_, None) => Change::Always,
        (Some(first), Some(second)) if first < second => Change::Between(first, second),
        (Some(first), Some(second)) => Change::Mixed(second, first),
    }
}

/// The least gap from which on nothing is slowed; nothing where the greatest one is.
pub(super) fn let_through(probes: &[Probe]) -> Option<Duration> {
    let slowed = probes.iter().filter(|probe| probe.other.is_some()).map(|probe| probe.at).max();
    let free = |at: &Duration| slowed.is_none_or(|slowed| *at > slowed);
    probes.iter().map(|probe| probe.at).filter(free).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probes(of: &[(u64, Option<&str>)]) -> Vec<Probe> {
        of.iter()
            .map(|(ms, other)| Probe { at: Duration::from_millis(*ms), other: other.map(ToOwned::to_owned) })
            .collect()
    }

    #[test]
    fn a_gap_is_where_slow_down_ends() {
        let five = Duration::from_secs(5);
        let slow = Some("slow_down");
        for (tried, line) in [
            (
                vec![(0, slow), (4500, slow), (5000, None), (5500, None)],
                "slow_down below 5 s (announced 5 s)",
            ),
            (
                vec![(0, slow), (4000, slow), (5500, None)],
                "slow_down up to 4 s, none from 5.5 s on (announced 5 s)",
            ),
            (vec![(0, None), (5000, None)], "not enforced: no gap from 0 s on was slowed (announced 5 s)"),
            (vec![(0, slow), (10_000, slow)], "slow_down even after 10 s (announced 5 s)"),
            (
                vec![(0, slow), (4000, None), (4500, slow), (5000, None)],
                "slow_down below 4 s and now and then up to 4.5 s (announced 5 s)",
            ),
            (
                vec![(0, Some("invalid_grant")), (500, slow), (1000, None)],
                "invalid_grant and slow_down below 1 s (announced 5 s)",
            ),
        ] {
            assert_eq!(gap(&probes(&tried), Duration::from_millis(500), five).as_deref(), Some(line));
        }
        assert_eq!(gap(&[], five, five), None);
    }

    #[test]
    fn an_age_is_where_pending_ends() {
        let minute = Duration::from_secs(60);
        let over = Some("expired_token");
        for (tried, line) in [
            (vec![(59_500, None), (60_000, over)], "between 59.5 s and 60 s (announced 60 s)"),
            (vec![(58_000, over), (60_000, over)], "over before 58 s (announced 60 s)"),
            (vec![(58_000, None), (65_000, None)], "still alive at 65 s (announced 60 s)"),
            (vec![(58_000, None), (59_000, over), (61_000, None)], "some 59 s, some 61 s (announced 60 s)"),
        ] {
            assert_eq!(age(&probes(&tried), minute).as_deref(), Some(line));
        }
    }

    #[test]
    fn only_what_lies_above_every_slowed_gap_is_let_through() {
        let slow = Some("slow_down");
        assert_eq!(
            let_through(&probes(&[(5, slow), (10, None), (15, slow), (20, None)])),
            Some(Duration::from_millis(20))
        );
        assert_eq!(let_through(&probes(&[(5, None), (10, None)])), Some(Duration::from_millis(5)));
        assert_eq!(let_through(&probes(&[(5, slow)])), None);
    }
}
