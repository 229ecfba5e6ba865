//! Thresholds are read as people write them, hold or do not, and say what was measured.

use std::time::Duration;

use crate::outcome::Outcome;
use crate::scenario::{
    AbortRule, AbortWatch, Amount, Counted, Counter, Figures, Generator, Judgement, Operation, Percentile,
    Series, Setting, Share, Threshold, Timed, Unjudged,
};

/// A run of ten seconds and a thousand requests. Of times it has the percentile in milliseconds, times a factor.
#[derive(Clone, Copy)]
struct Run {
    slowness: u32,
}

const RUN: Run = Run { slowness: 1 };

impl Figures for Run {
    fn seconds(&self) -> f64 {
        10.0
    }

    fn requests(&self) -> u64 {
        1_000
    }

    fn count(&self, counted: Counted) -> Option<u64> {
        match counted {
            Counted::Counter(Counter::Violations) => Some(0),
            Counted::Counter(Counter::Errors) => Some(5),
            Counted::Answers(Series::Outcome(Outcome::Pending)) => Some(800),
            Counted::Answers(Series::Operation(Operation::Token)) => Some(900),
            _ => None,
        }
    }

    fn share(&self, share: Share) -> Option<f64> {
        (share == Share::Grants).then_some(0.999_5)
    }

    fn percentile(&self, timed: Timed, percentile: Percentile) -> Option<Duration> {
        let factor = match timed {
            Timed::Response(Series::Outcome(Outcome::Pending)) => 2.0,
            Timed::Service(Series::Operation(Operation::Token)) => 1.0,
            Timed::Lag => 0.05,
            Timed::ApprovalToToken => 70.0,
            Timed::Response(_) | Timed::Service(_) | Timed::Wait => return None,
        };
        Some(Duration::from_secs_f64(percentile.of_a_hundred() * factor / 1000.0) * self.slowness)
    }
}

fn setting() -> Setting {
    Setting::new(Duration::from_secs(5), Duration::from_secs(120))
}

fn judged(text: &str) -> Judgement {
    let threshold: Threshold = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(threshold.to_string(), text);
    threshold.judge(&RUN, &setting(), Generator::KeptUp)
}

#[test]
fn every_kind_of_figure_is_judged_and_shown() {
    for (text, shown) in [
        ("violations == 0", "met: 0"),
        ("errors == 0", "missed: 5"),
        ("errors <= 5", "met: 5"),
        ("errors < 5", "missed: 5"),
        ("errors > 4", "met: 5"),
        ("errors < 1 %", "met: 0.5 %"),
        ("errors < 0.5 %", "missed: 0.5 %"),
        ("errors < 1/s", "met: 30/min"),
        ("count(pending) >= 80/s", "met: 80/s"),
        ("count(pending) > 80 %", "missed: 80 %"),
        ("count(token) == 900", "met: 900"),
        ("grants >= 99.9 %", "met: 99.95 %"),
        ("grants >= 99.99 %", "missed: 99.95 %"),
        ("p99(pending) < 200 ms", "met: 198 ms"),
        ("p99(pending) < 198 ms", "missed: 198 ms"),
        ("p99.9(pending) < 200 ms", "met: 199.8 ms"),
        ("max(pending) < 200 ms", "missed: 200 ms"),
        ("service_p50(token) <= 50 ms", "met: 50 ms"),
        ("lag_p99 < 10 ms", "met: 4.95 ms"),
        ("lag_max < 5 ms", "missed: 5 ms"),
        ("approval_to_token_p99 < interval + 2 s", "met: 6.93 s"),
        ("approval_to_token_p99 < 1 interval", "missed: 6.93 s"),
        ("p99(denied) < 1 s", "not judged: nothing was measured"),
        ("lost == 0", "not judged: nothing was measured"),
        ("run_queue < 2 %", "not judged: nothing was measured"),
    ] {
        assert_eq!(judged(text).to_string(), shown, "{text}");
    }
}

#[test]
fn a_slow_generator_excuses_times_and_rates_and_no_violation() {
    for (text, is_judged) in [
        ("violations == 0", true),
        ("p99(pending) < 200 ms", false),
        ("grants >= 99.9 %", false),
        ("errors == 0", false),
        ("violations < 1/s", false),
    ] {
        let threshold: Threshold = text.parse().unwrap();
        let judgement = threshold.judge(&RUN, &setting(), Generator::WasTheLimit);
        let excused = judgement == Judgement::NotJudged(Unjudged::GeneratorWasTheLimit);
        assert_eq!(excused, !is_judged, "{text}");
    }
}

#[test]
fn a_mistake_says_what_would_have_been_right() {
    for (text, what) in [
        ("violatons == 0", "did you mean \"violations\"?"),
        ("p99(pendng) < 200 ms", "did you mean \"pending\"?"),
        ("p99 < 200 ms", "write p99(token)"),
        ("service_p99 < 200 ms", "write service_p99(token)"),
        ("p99(pending < 200 ms", "write p99(pending)"),
        ("p101(pending) < 200 ms", "unknown figure"),
        ("p0(pending) < 200 ms", "unknown figure"),
        ("violations = 0", "write =="),
        ("violations != 0", "unknown comparison \"!=\""),
        ("violations", "compares nothing"),
        ("violations ==", "nothing stands behind"),
        ("violations == 5 s", "write a bound such as 0"),
        ("p99(pending) < 5", "write a bound such as 200 ms"),
        ("p99(pending) < 5 %", "write a bound such as 200 ms"),
        ("p99(pending) < 5 parsecs", "interval + 1 s"),
        ("p99(pending) < expiry", "interval + 1 s"),
        ("p99(pending) == 5 ms", "== is for counts"),
        ("grants >= 999 %", "99.9 %"),
        ("grants >= 1", "write a bound such as 99.9 %"),
        ("errors < 5/d", "500/s"),
    ] {
        let error = text.parse::<Threshold>().unwrap_err().to_string();
        assert!(error.contains(what) && error.contains("\nhelp: "), "{text}:\n{error}");
    }
}

#[test]
fn an_abort_rule_must_hold_without_a_break() {
    let rule: AbortRule = "p99(pending) > 300 ms for 10 s".parse().unwrap();
    assert_eq!(rule.lasting, Duration::from_secs(10));
    let mut watch = AbortWatch::new(rule);
    let mut ends =
        |second: u64, slowness: u32| watch.sees(Duration::from_secs(second), &Run { slowness }, &setting());
    assert!((0..30).all(|second| !ends(second, 1)));
    assert!((30..40).all(|second| !ends(second, 2)));
    assert!(!ends(40, 1), "a break");
    assert!((41..51).all(|second| !ends(second, 2)));
    assert!(ends(51, 2));

    let at_once: AbortRule = "errors > 0".parse().unwrap();
    assert!(AbortWatch::new(at_once).sees(Duration::ZERO, &RUN, &setting()));
    let never: AbortRule = "p99(denied) > 0 ms for 1 s".parse().unwrap();
    assert!(!AbortWatch::new(never).sees(Duration::MAX, &RUN, &setting()), "nothing was measured");
    assert!("errors > 0 for ever".parse::<AbortRule>().unwrap_err().to_string().contains("for 10 s"));
    assert!(matches!(judged("errors > 0"), Judgement::Met(Amount::Count(5))));
}
