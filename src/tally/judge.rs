//! What a finished run is worth: thresholds, whether the generator kept up, and the exit code.

use std::collections::BTreeMap;
use std::time::Duration;

use super::checked::UnderLoad;
use super::figures::Totals;
use super::record::{Ended, Ending, Verdict};
use crate::scenario::{Figures as _, Generator, Judgement, Setting, Threshold, Unjudged};

/// From this share of its core on, a shard had no more to give.
const BUSY: f64 = 0.95;

/// Requests that failed on this machine and not at the server, by the kind that counts them.
const OURS: [(&str, &str); 3] = [
    ("connect_no_descriptor", "connections found no descriptor left on this machine"),
    ("connect_no_port", "connections found no local port left on this machine"),
    ("connect_source", "connections could not come from their source address"),
];

/// A run that has come to its end.
#[derive(Debug)]
pub struct Finished<'a> {
    /// Everything that was measured.
    pub totals: &'a Totals,
    /// What the server announces.
    pub setting: &'a Setting,
    /// What the run must come to.
    pub thresholds: &'a [Threshold],
    /// What must hold of the generator.
    pub validity: &'a [Threshold],
    /// Why it ended.
    pub ending: Ending,
    /// In words, where there is more to say.
    pub because: Option<String>,
    /// When, from its start.
    pub at: Duration,
    /// The part of the duration in which the busiest shard used its core.
    pub busiest: f64,
    /// What the checks beside the load say, where there were any.
    pub checks: Option<&'a UnderLoad>,
}

impl Finished<'_> {
    /// The end of the run with its exit code: 1 for a violation, a missed threshold, a check that is red under load
    /// alone or a condition of `--abort-on` that held, 3 where the generator was the limit or nothing could be judged, 130 where somebody stopped it. A run that
    /// the generator limited judges no time and no rate, so only a violation can make it 1.
    #[must_use]
    pub fn judge(self) -> Ended {
        let limit = self.limit();
        let generator = if limit.is_empty() { Generator::KeptUp } else { Generator::WasTheLimit };
        let thresholds = self.judged(self.thresholds, generator);
        let validity = self.judged(self.validity, Generator::KeptUp);
        let told = |judged: &[(&Threshold, Judgement)]| {
            judged.iter().map(|(threshold, judgement)| Verdict::of(threshold, judgement)).collect()
        };
        Ended {
            ending: self.ending,
            because: self.because.clone(),
            at_ms: u64::try_from(self.at.as_millis()).unwrap_or(u64::MAX),
            exit: self.exit(&thresholds, !limit.is_empty()),
            thresholds: told(&thresholds),
            validity: told(&validity),
            limit,
        }
    }

    fn judged<'a>(&self, all: &'a [Threshold], generator: Generator) -> Vec<(&'a Threshold, Judgement)> {
        all.iter()
            .map(|threshold| (threshold, threshold.judge(self.totals, self.setting, generator)))
            .collect()
    }

    /// Why the generator was the limit, if it was.
    fn limit(&self) -> Vec<String> {
        let missed = generator_limits(self.validity, self.totals, self.setting);
        let mut ours: BTreeMap<&str, u64> = BTreeMap::new();
        for ((_, kind), count) in &self.totals.whole.failures {
            *ours.entry(kind).or_default() += count;
        }
        let ours = OURS.iter().filter_map(|(kind, words)| Some(format!("{} {words}", ours.get(kind)?)));
        let busy =
            (self.busiest >= BUSY).then(|| format!("a shard used {:.0} % of its core", self.busiest * 100.0));
        missed.into_iter().chain(ours).chain(busy).collect()
    }

    fn exit(&self, thresholds: &[(&Threshold, Judgement)], was_limited: bool) -> u8 {
        let is_missed = |judgement: &Judgement| matches!(judgement, Judgement::Missed(_));
        let is_empty =
            |judgement: &Judgement| matches!(judgement, Judgement::NotJudged(Unjudged::NothingMeasured));
        if self.ending == Ending::Interrupted {
            130
        } else if self.totals.whole.violations.count() > 0
            || thresholds.iter().any(|(_, judgement)| is_missed(judgement))
            || self.checks.is_some_and(|checks| !checks.findings.is_empty())
            || self.ending == Ending::Aborted
        {
            1
        } else if self.ending == Ending::Refused
            || was_limited
            || self.totals.requests() == 0
            || thresholds.iter().any(|(_, judgement)| is_empty(judgement))
            || self.checks.is_some_and(|checks| checks.doubt.is_some())
        {
            3
        } else {
            0
        }
    }
}

/// The bounds of the generator that it missed, with what came.
#[must_use]
pub fn generator_limits(validity: &[Threshold], totals: &Totals, setting: &Setting) -> Vec<String> {
    let missed = validity.iter().filter_map(|bound| match bound.judge(totals, setting, Generator::KeptUp) {
        Judgement::Missed(amount) => Some(format!("{} was {amount} ({bound})", bound.left())),
        Judgement::Met(_) | Judgement::NotJudged(_) => None,
    });
    missed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;
    use crate::scenario::Operation;
    use crate::tally::{RedCase, Slice, record};

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn totals(lag: Duration, pending: Duration) -> Totals {
        let mut slice = Slice::default();
        for _ in 0..100 {
            slice.answered(Operation::Token, Outcome::Pending, pending, pending);
            record(&mut slice.lag, lag);
        }
        let mut totals = Totals { length: Duration::from_secs(10), ..Totals::default() };
        totals.add(&slice, true);
        totals
    }

    fn judged(totals: &Totals, thresholds: &[&str], ending: Ending, busiest: f64) -> Ended {
        let read = |all: &[&str]| all.iter().map(|text| text.parse().unwrap()).collect::<Vec<Threshold>>();
        let setting = Setting::new(Duration::from_secs(5), Duration::from_secs(60));
        Finished {
            totals,
            setting: &setting,
            thresholds: &read(thresholds),
            validity: &read(&["lag_p99 < 10 ms"]),
            ending,
            because: None,
            at: Duration::from_secs(12),
            busiest,
            checks: None,
        }
        .judge()
    }

    #[test]
    fn a_missed_threshold_fails_and_a_slow_generator_judges_no_time() {
        let slow = &["p99(pending) < 20 ms", "violations == 0"];
        let good = totals(MS(1), MS(5));
        assert_eq!(judged(&good, slow, Ending::Complete, 0.4).exit, 0);
        assert_eq!(judged(&totals(MS(1), MS(50)), slow, Ending::Complete, 0.4).exit, 1);
        let late = judged(&totals(MS(30), MS(50)), slow, Ending::Complete, 0.4);
        assert_eq!(late.exit, 3);
        assert_eq!(late.thresholds[0].text, "not judged: the generator was the limit");
        assert_eq!(late.thresholds[1].verdict, "met");
        assert!(late.limit[0].starts_with("lag_p99 was 30"), "{:?}", late.limit);
        assert_eq!(judged(&good, slow, Ending::Complete, 0.97).limit, ["a shard used 97 % of its core"]);
    }

    #[test]
    fn what_never_happened_is_no_success() {
        let good = totals(MS(1), MS(5));
        assert_eq!(judged(&good, &["grants >= 99 %"], Ending::Complete, 0.4).exit, 3);
        assert_eq!(judged(&Totals::default(), &["violations == 0"], Ending::Complete, 0.4).exit, 3);
        assert_eq!(judged(&good, &[], Ending::Refused, 0.4).exit, 3);
        assert_eq!(judged(&good, &[], Ending::Aborted, 0.4).exit, 1);
        assert_eq!(judged(&good, &[], Ending::Interrupted, 0.4).exit, 130);
    }

    #[test]
    fn a_check_that_is_red_under_load_alone_fails_and_checks_that_say_nothing_are_no_success() {
        let good = totals(MS(1), MS(5));
        let setting = Setting::new(Duration::from_secs(5), Duration::from_secs(60));
        let exit = |checks: &UnderLoad| {
            Finished {
                totals: &good,
                setting: &setting,
                thresholds: &[],
                validity: &[],
                ending: Ending::Complete,
                because: None,
                at: Duration::from_secs(12),
                busiest: 0.4,
                checks: Some(checks),
            }
            .judge()
            .exit
        };
        let red = RedCase { case: "a/b".to_owned(), title: String::new(), red: Vec::new() };
        let mut checks = UnderLoad { once: vec![red.clone()], ..UnderLoad::default() };
        assert_eq!(exit(&checks), 0);
        checks.doubt = Some("1 of the repeats under load came to an end, and it takes 2".to_owned());
        assert_eq!(exit(&checks), 3);
        checks.findings.push(red);
        assert_eq!(exit(&checks), 1);
    }

    #[test]
    fn connections_that_failed_here_are_the_generators() {
        let mut some = totals(MS(1), MS(5));
        some.whole.failed(Operation::Token, "connect_no_port");
        let ended = judged(&some, &["violations == 0"], Ending::Complete, 0.4);
        assert_eq!(ended.exit, 3);
        assert_eq!(ended.limit, ["1 connections found no local port left on this machine"]);
    }
}
