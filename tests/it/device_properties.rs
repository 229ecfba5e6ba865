//! What must be true of the device's pace whatever a server answers: random answers at random moments, shrunk to the
//! shortest list that breaks a rule.

use std::time::Duration;

use devgrant::device::{Answer, DEFAULT_INTERVAL, Device, LONGEST_BACK_OFF, Next, SLOW_DOWN_STEP, Stop};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// The same cases each time.
fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[8; 32]))
}

fn milliseconds(range: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_millis)
}

fn maybe(range: std::ops::Range<u64>) -> impl Strategy<Value = Option<Duration>> {
    proptest::option::of(milliseconds(range))
}

fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![
        6 => Just(Answer::Pending),
        3 => maybe(0..40_000).prop_map(|given| Answer::SlowDown { given }),
        4 => maybe(0..400_000).prop_map(|retry_after| Answer::NoAnswer { retry_after }),
        1 => prop_oneof![
            Just(Answer::Granted),
            Just(Answer::Denied),
            Just(Answer::Expired),
            Just(Answer::Refused),
            Just(Answer::Unusable),
        ],
    ]
}

/// What a device makes of a fraction of a second.
fn whole(length: Duration) -> Duration {
    Duration::from_secs(length.as_secs() + u64::from(length.subsec_nanos() > 0))
}

/// Answers, each with how long after the due instant the poll goes out, and how long it takes.
fn course() -> impl Strategy<Value = Vec<(Duration, Duration, Answer)>> {
    proptest::collection::vec((milliseconds(0..3_000), milliseconds(1..30_000), answers()), 1..40)
}

/// What the standard asks for, kept in another way than the device keeps it.
struct Duty {
    interval: Duration,
    deadline: Option<Duration>,
    heard: Duration,
    timeouts: u32,
    retry_after: Duration,
}

impl Duty {
    /// The earliest instant of the next poll that gives a server nothing to complain of: one interval after the last
    /// answer, doubled for each that never came, up to five minutes and to the end of the code.
    fn earliest(&self) -> Duration {
        let most = LONGEST_BACK_OFF.max(self.interval);
        let backed_off = (0..self.timeouts).fold(self.interval, |wait, _| (wait * 2).min(most));
        let left = self.deadline.map_or(Duration::MAX, |deadline| deadline.saturating_sub(self.heard));
        self.heard + backed_off.min(left).max(self.interval).max(self.retry_after)
    }

    fn hear(&mut self, at: Duration, answer: Answer) {
        self.heard = at;
        self.retry_after = Duration::ZERO;
        self.timeouts = if matches!(answer, Answer::NoAnswer { .. }) { self.timeouts + 1 } else { 0 };
        match answer {
            Answer::SlowDown { given } => {
                self.interval += SLOW_DOWN_STEP;
                self.interval = self.interval.max(whole(given.unwrap_or_default()));
            }
            Answer::NoAnswer { retry_after } => self.retry_after = whole(retry_after.unwrap_or_default()),
            _ => {}
        }
    }
}

#[test]
fn a_device_keeps_its_pace_whatever_it_is_told() {
    let setting = (milliseconds(0..5_000), maybe(0..20_000), maybe(0..3_600_000), course());
    let played = runner(2_000).run(&setting, |(received, interval, lifetime, course)| {
        let mut device = Device::new(received, interval, lifetime);
        let mut duty = Duty {
            interval: whole(interval.unwrap_or(DEFAULT_INTERVAL)).max(Duration::from_secs(1)),
            deadline: lifetime.map(|lifetime| received + lifetime),
            heard: received,
            timeouts: 0,
            retry_after: Duration::ZERO,
        };
        for (late, took, answer) in course {
            let before = device.interval();
            let at = match device.next() {
                Next::Stop(stop) => {
                    prop_assert_eq!(stop, Stop::LifetimeOver);
                    let deadline = duty.deadline.unwrap_or(Duration::MAX);
                    prop_assert!(duty.earliest() > deadline, "stopped too early");
                    return Ok(());
                }
                Next::Poll { at } => at,
            };
            prop_assert_eq!(at, duty.earliest());
            prop_assert!(duty.deadline.is_none_or(|deadline| at <= deadline), "polls a dead code");
            let done = at + late + took;
            device.answered(done, answer);
            duty.hear(done, answer);
            let grown = device.interval() - before;
            match answer {
                Answer::SlowDown { .. } => prop_assert!(grown >= SLOW_DOWN_STEP),
                _ => prop_assert_eq!(grown, Duration::ZERO),
            }
            let stop = match answer {
                Answer::Granted => Some(Stop::Granted),
                Answer::Denied => Some(Stop::Denied),
                Answer::Expired => Some(Stop::Expired),
                Answer::Refused => Some(Stop::Refused),
                Answer::Unusable => Some(Stop::Unusable),
                _ => None,
            };
            if let Some(stop) = stop {
                prop_assert_eq!(device.next(), Next::Stop(stop));
                let ended = device;
                device.answered(done + took, Answer::Pending);
                device.answered(done + took, Answer::SlowDown { given: None });
                prop_assert_eq!(device, ended, "it goes on after the end");
                return Ok(());
            }
        }
        Ok(())
    });
    if let Err(broken) = played {
        panic!("{broken}");
    }
}
