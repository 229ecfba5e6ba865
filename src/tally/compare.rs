//! Two load records beside each other: times by outcome, rates, ends of devices, violations, and whether the second one is
//! worse.
//!
//! Times and rates are compared where neither generator was the limit. A time is worse when it is more than its tolerance
//! and a millisecond longer, a rate or a share when it is less by more than its tolerance, and every kind of violation
//! that came more often is worse.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Serialize;

use super::figures::{LatencySummary, Spread};
use super::record::{Began, LoadRecord};
use super::slice::End;
use super::violation::Kind;
use crate::outcome::Outcome;
use crate::protocol::words::words;
use crate::scenario::{Figures as _, Operation};

/// Times of two runs of the same server differ by this much, in microseconds.
const NOISE: u64 = 1000;

words! {
    /// What has a tolerance.
    Tolerated {
        /// The median response time of each answer.
        P50 = "p50",
        /// The 99th percentile.
        P99 = "p99",
        /// Of 1,000 answers 999 are not slower.
        P999 = "p99.9",
        /// Answers in a second.
        Rate = "rate",
        /// The share of devices that ended so.
        Ends = "ends",
    }
}

/// How much worse the second run may be, 0.2 being 20 %; what is not named is shown and not judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Tolerances(BTreeMap<Tolerated, f64>);

impl Default for Tolerances {
    /// `p99=20%`, `rate=10%`, `ends=1%`.
    fn default() -> Self {
        Self(BTreeMap::from([(Tolerated::P99, 0.2), (Tolerated::Rate, 0.1), (Tolerated::Ends, 0.01)]))
    }
}

impl Tolerances {
    /// With these in place of the defaults of the same name.
    #[must_use]
    pub fn with(mut self, more: impl IntoIterator<Item = Tolerance>) -> Self {
        self.0.extend(more.into_iter().map(|one| (one.what, one.part)));
        self
    }
}

/// `p99=20%`
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    what: Tolerated,
    part: f64,
}

impl FromStr for Tolerance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = || Tolerated::ALL.iter().map(|what| what.word()).collect::<Vec<_>>().join(", ");
        let (name, part) = text.split_once('=').ok_or("write WHAT=PERCENT, such as p99=20%")?;
        let what = Tolerated::ALL.iter().copied().find(|what| what.word() == name.trim());
        let what = what.ok_or_else(|| format!("nothing is called {name}; one of: {}", names()))?;
        let percent = part.trim().strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
        let percent = percent.filter(|percent| *percent >= 0.0 && percent.is_finite());
        let percent =
            percent.ok_or_else(|| format!("cannot read {part}; write a percentage, such as 20%"))?;
        Ok(Self { what, part: percent / 100.0 })
    }
}

/// A figure of a histogram.
type Pick = fn(&Spread) -> u64;

/// One figure of both records.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// What it is: `token pending p99`.
    pub what: String,
    /// In the first record.
    pub before: f64,
    /// In the second one.
    pub after: f64,
    /// `us`, `/s`, `%`, or nothing for counts.
    pub unit: &'static str,
    /// Is the second one worse?
    pub is_worse: bool,
}

/// What is different between two load records.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LoadComparison {
    /// Why a difference may not be the server's, or is not judged.
    pub doubts: Vec<String>,
    /// Every figure that both have.
    pub rows: Vec<Row>,
}

impl LoadComparison {
    /// Is the second record worse?
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.rows.iter().any(|row| row.is_worse)
    }
}

/// Compares two load records.
///
/// # Errors
/// They are of different scenarios, or one of them has no beginning.
pub fn compare(a: &LoadRecord, b: &LoadRecord, tolerances: &Tolerances) -> Result<LoadComparison, String> {
    let began = |record: &LoadRecord| record.began.clone().ok_or("a record without a beginning".to_owned());
    let (before, after) = (began(a)?, began(b)?);
    if before.fingerprint != after.fingerprint {
        return Err(format!(
            "the records are of different scenarios, {} and {}, or of the same one scaled differently: their figures cannot be compared",
            named(&before),
            named(&after)
        ));
    }
    let mut found = LoadComparison { doubts: doubts(a, b, &before, &after), rows: Vec::new() };
    let was_limited = |record: &LoadRecord| record.ended.as_ref().is_none_or(|ended| !ended.limit.is_empty());
    if was_limited(a) || was_limited(b) {
        found.doubts.push(
            "times and rates are not compared: a generator was the limit, or a run has no end".to_owned(),
        );
    } else {
        found.rows.extend(times(a, b, tolerances));
    }
    found.rows.extend(ends(a, b, tolerances));
    found.rows.extend(violations(a, b));
    Ok(found)
}

fn named(began: &Began) -> String {
    format!("{} ({})", began.scenario, began.fingerprint)
}

fn doubts(a: &LoadRecord, b: &LoadRecord, before: &Began, after: &Began) -> Vec<String> {
    let mut doubts = Vec::new();
    let mut differ = |what: &str, before: &str, after: &str| {
        if before != after {
            doubts.push(format!("{what}: {before}, and {after} in the second record"));
        }
    };
    differ("devgrant", &before.devgrant, &after.devgrant);
    differ("engine", &before.engine, &after.engine);
    differ("target", &before.target, &after.target);
    differ("seed", &before.seed.to_string(), &after.seed.to_string());
    differ("shards", &before.shards.to_string(), &after.shards.to_string());
    differ("cores", &before.machine.cores.to_string(), &after.machine.cores.to_string());
    let ending =
        |record: &LoadRecord| record.ended.as_ref().map_or("killed", |ended| ended.ending.word()).to_owned();
    differ("how the run ended", &ending(a), &ending(b));
    doubts
}

/// Times and rates of the answers that both records have.
fn times(a: &LoadRecord, b: &LoadRecord, tolerances: &Tolerances) -> Vec<Row> {
    let after: BTreeMap<(Operation, Outcome), LatencySummary> =
        b.totals.latencies().into_iter().map(|row| ((row.operation, row.outcome), row)).collect();
    let mut rows = Vec::new();
    for row in a.totals.latencies() {
        let Some(other) = after.get(&(row.operation, row.outcome)) else { continue };
        let name = format!("{} {}", row.operation, row.outcome);
        let picks: [(Tolerated, Pick); 3] =
            [(Tolerated::P50, |s| s.p50), (Tolerated::P99, |s| s.p99), (Tolerated::P999, |s| s.p99_9)];
        for (what, pick) in picks {
            let (before, after) = (pick(&row.response), pick(&other.response));
            let most = tolerances.0.get(&what).map(|part| before as f64 * (1.0 + part));
            let is_worse = most.is_some_and(|most| after as f64 > most && after > before + NOISE);
            let (before, after) = (before as f64, after as f64);
            rows.push(Row { what: format!("{name} {what}"), before, after, unit: "us", is_worse });
        }
    }
    let rate = |record: &LoadRecord| record.totals.requests() as f64 / record.totals.seconds().max(1e-9);
    let (before, after) = (rate(a), rate(b));
    let least = tolerances.0.get(&Tolerated::Rate).map(|part| before * (1.0 - part));
    let is_worse = least.is_some_and(|least| after < least);
    rows.push(Row { what: "answers".to_owned(), before, after, unit: "/s", is_worse });
    rows
}

/// Shares of the devices by their end: fewer grants are worse, and more of every end that is no user's doing.
fn ends(a: &LoadRecord, b: &LoadRecord, tolerances: &Tolerances) -> Vec<Row> {
    let all = |record: &LoadRecord| record.totals.whole.ends.iter().sum::<u64>().max(1) as f64;
    let share = |record: &LoadRecord, end: End| {
        record.totals.whole.ends.get(end as usize).copied().unwrap_or(0) as f64 / all(record) * 100.0
    };
    let allowed = tolerances.0.get(&Tolerated::Ends).map(|part| part * 100.0);
    let row = |end: &End| {
        let (before, after) = (share(a, *end), share(b, *end));
        let loss = match end {
            End::Granted => before - after,
            End::Refused | End::Unusable | End::NoCodes => after - before,
            End::Denied | End::Expired | End::Abandoned => 0.0,
        };
        let is_worse = allowed.is_some_and(|allowed| loss > allowed);
        let what = format!("devices {}", end.word().replace('_', " "));
        (before > 0.0 || after > 0.0).then_some(Row { what, before, after, unit: "%", is_worse })
    };
    End::ALL.iter().filter_map(row).collect()
}

fn violations(a: &LoadRecord, b: &LoadRecord) -> Vec<Row> {
    let of = |record: &LoadRecord| -> BTreeMap<Kind, u64> {
        let all = record.totals.whole.violations.iter();
        all.filter(|(kind, ..)| kind.is_violation).map(|(kind, count, _)| (kind.clone(), count)).collect()
    };
    let (before, after) = (of(a), of(b));
    let mut kinds: Vec<&Kind> = before.keys().chain(after.keys()).collect();
    kinds.sort();
    kinds.dedup();
    kinds
        .into_iter()
        .map(|kind| {
            let count = |of: &BTreeMap<Kind, u64>| of.get(kind).copied().unwrap_or(0);
            let (before, after) = (count(&before), count(&after));
            let requirement = kind.requirement.as_deref().unwrap_or("violation");
            let what = format!("{requirement}: {}", kind.because);
            Row { what, before: before as f64, after: after as f64, unit: "", is_worse: after > before }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::oracle::Grade;
    use crate::tally::{Ended, Ending, Slice};

    fn record(ms: u64, granted: u64, violations: u64) -> LoadRecord {
        let mut slice = Slice::default();
        for _ in 0..1000 {
            let time = Duration::from_millis(ms);
            slice.answered(Operation::Token, Outcome::Pending, time, time);
        }
        for nth in 0..100 {
            slice.ended(if nth < granted { End::Granted } else { End::Expired });
        }
        let kind = Kind {
            is_violation: true,
            grade: Grade::Fail,
            requirement: Some("INV-12".to_owned()),
            answer: None,
            because: "lost".to_owned(),
        };
        for _ in 0..violations {
            slice.violations.add(&kind, crate::tally::Transcript::default);
        }
        let mut record = LoadRecord::default();
        record.totals.add(&slice, true);
        record.totals.length = Duration::from_secs(10);
        record.began = Some(Began { fingerprint: "f".to_owned(), ..Began::default() });
        record.ended = Some(Ended { ending: Ending::Complete, ..Ended::default() });
        record
    }

    fn worse(a: &LoadRecord, b: &LoadRecord, tolerances: &[&str]) -> Vec<String> {
        let tolerances = Tolerances::default().with(tolerances.iter().map(|text| text.parse().unwrap()));
        let found = compare(a, b, &tolerances).unwrap();
        assert_eq!(found.is_worse(), found.rows.iter().any(|row| row.is_worse));
        found.rows.into_iter().filter(|row| row.is_worse).map(|row| row.what).collect()
    }

    #[test]
    fn what_is_worse_by_more_than_its_tolerance_is_named() {
        let good = record(10, 90, 0);
        assert!(worse(&good, &good, &[]).is_empty());
        assert_eq!(worse(&good, &record(15, 90, 0), &[]), ["token pending p99"]);
        assert!(worse(&good, &record(15, 90, 0), &["p99=60%"]).is_empty());
        assert_eq!(worse(&good, &record(15, 90, 0), &["p99=60%", "p50 = 5 %"]), ["token pending p50"]);
        assert_eq!(worse(&good, &record(10, 80, 0), &[]), ["devices granted"]);
        assert_eq!(worse(&good, &record(10, 90, 2), &[]), ["INV-12: lost"]);
        assert!(worse(&record(10, 90, 2), &good, &[]).is_empty());
    }

    #[test]
    fn a_millisecond_is_noise() {
        assert!(worse(&record(1, 90, 0), &record(2, 90, 0), &[]).is_empty());
    }

    #[test]
    fn times_of_a_slow_generator_and_other_scenarios_are_not_compared() {
        let good = record(10, 90, 0);
        let mut slow = record(50, 90, 0);
        slow.ended.as_mut().unwrap().limit.push("lag".to_owned());
        assert!(worse(&good, &slow, &[]).is_empty());
        let mut other = good.clone();
        other.began.as_mut().unwrap().fingerprint = "g".to_owned();
        assert!(compare(&good, &other, &Tolerances::default()).unwrap_err().contains("different scenarios"));
    }

    #[test]
    fn a_tolerance_says_what_and_how_much() {
        for wrong in ["p99", "p98=2%", "p99=2", "p99=-3%"] {
            assert!(wrong.parse::<Tolerance>().is_err(), "{wrong}");
        }
    }
}
