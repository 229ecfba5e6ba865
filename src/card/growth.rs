//! How a server's interval grows with every `slow_down` (RFC 8628 §3.5 adds five seconds on the device's side; what
//! the server does is left to it).

use std::collections::BTreeMap;
use std::time::Duration;

use super::threshold::{let_through, words};
use super::{Probe, listed, seconds};

/// The gaps that were tried after so many `slow_down`s.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct After {
    /// What was tried.
    pub probes: Vec<Probe>,
    /// A greater gap did not fit into the lifetime: where all that were tried were slowed, nothing follows.
    pub is_cut: bool,
}

/// What a device adds for each `slow_down`.
const STEP: Duration = Duration::from_secs(5);

/// The class of growth: not enforced, static, mirrored, capped, or the gaps themselves; by the number of `slow_down`s
/// that came before. Nothing when nothing was tried.
#[must_use]
pub fn growth(tried: &BTreeMap<u32, After>, announced: Duration) -> Option<String> {
    let after_some: Vec<(u32, &After)> =
        tried.iter().filter(|(n, after)| **n > 0 && !after.probes.is_empty()).map(|(n, a)| (*n, a)).collect();
    if after_some.is_empty() {
        let is_tried = tried.get(&0).is_some_and(|after| !after.probes.is_empty());
        return is_tried.then(|| "no: an early poll is not slowed".to_owned());
    }
    let mut through: Vec<(u32, Duration)> = Vec::new();
    for (n, after) in &after_some {
        match let_through(&after.probes) {
            Some(gap) => through.push((*n, gap)),
            None if after.is_cut => {}
            None => {
                let most = after.probes.iter().map(|probe| probe.at).max().unwrap_or_default();
                return Some(format!(
                    "{} even {} after {}",
                    words(&after.probes),
                    seconds(most),
                    slow_downs(&[*n])
                ));
            }
        }
    }
    let (last, gap) = *through.last()?;
    let numbers: Vec<u32> = through.iter().map(|(n, _)| *n).collect();
    let all = |grown: fn(u32) -> Duration| through.iter().all(|(n, gap)| *gap == announced + grown(*n));
    let is_capped = through.windows(2).any(|pair| matches!(pair, [(_, a), (_, b)] if a == b));
    let gaps: Vec<String> = through.iter().map(|(_, gap)| seconds(*gap)).collect();
    Some(if all(|_| Duration::ZERO) {
        format!("static: still {} after {}", seconds(gap), slow_downs(&numbers))
    } else if all(|n| STEP * n) {
        let most = after_some.last().is_some_and(|(n, _)| *n > last);
        let beyond = if most { ", no more fits into the lifetime" } else { "" };
        format!("mirrored: {} after {}{beyond}", listed(&gaps), slow_downs(&numbers))
    } else if is_capped && through.windows(2).all(|pair| matches!(pair, [(_, a), (_, b)] if a <= b)) {
        format!("capped: {} after {}", listed(&gaps), slow_downs(&numbers))
    } else {
        format!("{} after {}", listed(&gaps), slow_downs(&numbers))
    })
}

/// `1, 2 and 3 slow_downs`
fn slow_downs(numbers: &[u32]) -> String {
    let word = if numbers == [1] { "slow_down" } else { "slow_downs" };
    format!("{} {word}", listed(&numbers.iter().map(ToString::to_string).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: [u64; 5] = [5, 10, 15, 20, 25];

    /// After each number of `slow_down`s, gaps below so many seconds are slowed.
    fn tried(slowed_below: &[(u32, u64)], most: u64) -> BTreeMap<u32, After> {
        let of = |below: u64| After {
            probes: GRID
                .into_iter()
                .filter(|gap| *gap <= most)
                .map(|gap| Probe {
                    at: Duration::from_secs(gap),
                    other: (gap < below).then(|| "slow_down".to_owned()),
                })
                .collect(),
            is_cut: most < 25,
        };
        slowed_below.iter().map(|(n, below)| (*n, of(*below))).collect()
    }

    fn line(slowed_below: &[(u32, u64)], most: u64) -> Option<String> {
        growth(&tried(slowed_below, most), Duration::from_secs(5))
    }

    #[test]
    fn each_class_of_growth_has_its_words() {
        for (slowed_below, most, text) in [
            (&[(0, 0)][..], 25, "no: an early poll is not slowed"),
            (&[(1, 5), (2, 5), (3, 5)], 25, "static: still 5 s after 1, 2 and 3 slow_downs"),
            (&[(1, 10), (2, 15), (3, 20)], 25, "mirrored: 10 s, 15 s and 20 s after 1, 2 and 3 slow_downs"),
            (&[(1, 10), (2, 15), (3, 15)], 25, "capped: 10 s, 15 s and 15 s after 1, 2 and 3 slow_downs"),
            (&[(1, 25), (2, 45)], 25, "slow_down even 25 s after 2 slow_downs"),
            (&[(1, 15), (2, 25)], 25, "15 s and 25 s after 1 and 2 slow_downs"),
            (
                &[(1, 10), (2, 15), (3, 20)],
                15,
                "mirrored: 10 s and 15 s after 1 and 2 slow_downs, no more fits into the lifetime",
            ),
            (&[(1, 10)], 25, "mirrored: 10 s after 1 slow_down"),
        ] {
            assert_eq!(line(slowed_below, most).as_deref(), Some(text));
        }
        assert_eq!(line(&[(1, 20)], 15), None, "too short a lifetime to say anything");
        assert_eq!(growth(&BTreeMap::new(), Duration::from_secs(5)), None);
    }
}
