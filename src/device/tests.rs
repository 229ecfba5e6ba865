//! Every rule of the pace, under its name.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

const NO_ANSWER: Answer = Answer::NoAnswer { retry_after: None };
const SLOW_DOWN: Answer = Answer::SlowDown { given: None };

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Received its codes 100 s after the epoch.
fn device(interval: Option<Duration>, lifetime: u64) -> Device {
    Device::new(s(100), interval, Some(s(lifetime)))
}

/// Plays the answers, each received `latency` after its poll was due; gives the wait before every poll, the one after
/// the last answer included.
fn waits(mut device: Device, latency: Duration, answers: &[Answer]) -> Vec<Duration> {
    let mut heard = s(100);
    let mut waits = Vec::new();
    for answer in answers.iter().copied().map(Some).chain([None]) {
        let Next::Poll { at } = device.next() else { break };
        waits.push(at - heard);
        if let Some(answer) = answer {
            heard = at + latency;
            device.answered(heard, answer);
        }
    }
    waits
}

#[test]
fn ten_million_devices_fit_into_half_a_gigabyte() {
    assert!(size_of::<Device>() <= 32, "{}", size_of::<Device>());
    assert!(size_of::<Next>() <= 16);
}

#[test]
fn the_first_poll_comes_one_interval_after_the_codes() {
    assert_eq!(device(Some(s(7)), 600).next(), Next::Poll { at: s(107) });
}

#[test]
fn an_absent_interval_is_five_seconds() {
    assert_eq!(device(None, 600).interval(), s(5));
    assert_eq!(waits(device(None, 600), ms(200), &[Answer::Pending; 3]), [s(5); 4]);
}

#[test]
fn fractions_are_rounded_up_and_nothing_is_below_a_second() {
    for (announced, used) in
        [(ms(0), s(1)), (ms(1), s(1)), (ms(1000), s(1)), (ms(1001), s(2)), (ms(4500), s(5)), (s(30), s(30))]
    {
        assert_eq!(device(Some(announced), 600).interval(), used, "{announced:?}");
    }
}

#[test]
fn the_wait_counts_from_the_receipt_of_the_last_answer() {
    let mut device = device(Some(s(5)), 600);
    device.answered(s(117), Answer::Pending);
    assert_eq!(device.next(), Next::Poll { at: s(122) });
}

#[test]
fn an_answer_dated_before_the_last_one_does_not_bring_the_next_poll_forward() {
    let mut device = device(Some(s(5)), 600);
    device.answered(s(50), Answer::Pending);
    assert_eq!(device.next(), Next::Poll { at: s(105) });
}

#[test]
fn every_slow_down_adds_five_seconds_for_good() {
    let answers = [Answer::Pending, SLOW_DOWN, Answer::Pending, SLOW_DOWN, SLOW_DOWN];
    for latency in [0, 200, 3000, 12_000] {
        let waits = waits(device(Some(s(5)), 600), ms(latency), &answers);
        assert_eq!(waits, [s(5), s(5), s(10), s(10), s(15), s(20)]);
    }
}

#[test]
fn slow_downs_are_counted() {
    let mut device = device(Some(s(5)), 600);
    for at in [105, 115, 130] {
        device.answered(s(at), SLOW_DOWN);
    }
    assert_eq!((device.slow_downs(), device.interval()), (3, s(20)));
}

#[test]
fn an_interval_given_with_slow_down_counts_when_it_is_longer() {
    for (given, interval) in [(Some(s(30)), 30), (Some(ms(10_200)), 11), (Some(s(3)), 10), (None, 10)] {
        let mut device = device(Some(s(5)), 600);
        device.answered(s(105), Answer::SlowDown { given });
        assert_eq!(device.interval(), s(interval), "{given:?}");
    }
}

#[test]
fn the_wait_doubles_with_every_poll_without_an_answer() {
    let waits = waits(device(Some(s(5)), 100_000), s(10), &[NO_ANSWER; 8]);
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300, 300].map(s));
}

#[test]
fn a_whole_answer_ends_the_back_off_and_keeps_the_slow_downs() {
    let answers = [SLOW_DOWN, NO_ANSWER, NO_ANSWER, Answer::Pending, NO_ANSWER, SLOW_DOWN, NO_ANSWER];
    let waits = waits(device(Some(s(5)), 100_000), ms(200), &answers);
    assert_eq!(waits, [5, 10, 20, 40, 10, 20, 15, 30].map(s));
}

#[test]
fn back_off_is_never_below_the_interval_even_above_its_cap() {
    assert_eq!(waits(device(Some(s(400)), 100_000), ms(0), &[NO_ANSWER; 2]), [s(400); 3]);
}

#[test]
fn back_off_ends_at_the_deadline_with_one_last_poll() {
    let mut device = device(Some(s(5)), 60);
    for at in [105, 115, 135] {
        device.answered(s(at), NO_ANSWER);
    }
    assert_eq!(device.next(), Next::Poll { at: s(160) });
    device.answered(s(161), NO_ANSWER);
    assert_eq!(device.next(), Next::Stop(Stop::LifetimeOver));
}

#[test]
fn very_many_failures_do_not_wrap_round() {
    let waits = waits(Device::new(s(100), None, None), ms(0), &[NO_ANSWER; 300]);
    assert_eq!(waits.last(), Some(&s(300)));
    assert!(waits.is_sorted());
}

#[test]
fn a_retry_after_is_kept_to_once_and_leaves_the_interval_alone() {
    let asked = Answer::NoAnswer { retry_after: Some(s(45)) };
    let waits = waits(device(Some(s(5)), 600), ms(0), &[asked, Answer::Pending]);
    assert_eq!(waits, [s(5), s(45), s(5)]);
}

#[test]
fn a_retry_after_past_the_deadline_ends_it() {
    let mut device = device(Some(s(5)), 60);
    device.answered(s(105), Answer::NoAnswer { retry_after: Some(s(3600)) });
    assert_eq!(device.next(), Next::Stop(Stop::LifetimeOver));
}

#[test]
fn every_terminal_answer_stops_it_and_nothing_changes_after_that() {
    for (answer, stop) in [
        (Answer::Granted, Stop::Granted),
        (Answer::Denied, Stop::Denied),
        (Answer::Expired, Stop::Expired),
        (Answer::Refused, Stop::Refused),
        (Answer::Unusable, Stop::Unusable),
    ] {
        let mut device = device(Some(s(5)), 600);
        device.answered(s(105), answer);
        let stopped = device;
        assert_eq!(device.next(), Next::Stop(stop));
        for later in [Answer::Pending, SLOW_DOWN, Answer::Granted, Answer::Denied, NO_ANSWER] {
            device.answered(s(110), later);
            assert_eq!(device, stopped, "{later:?} after {answer:?}");
        }
    }
}

#[test]
fn no_poll_is_due_after_the_lifetime() {
    let mut device = device(Some(s(5)), 12);
    device.answered(s(105), Answer::Pending);
    assert_eq!(device.next(), Next::Poll { at: s(110) });
    device.answered(s(110), Answer::Pending);
    assert_eq!(device.next(), Next::Stop(Stop::LifetimeOver));
    let stopped = device;
    device.answered(s(111), Answer::Granted);
    assert_eq!(device, stopped);
}

#[test]
fn a_poll_may_be_due_at_the_very_deadline() {
    assert_eq!(device(Some(s(5)), 5).next(), Next::Poll { at: s(105) });
    assert_eq!(device(Some(s(5)), 4).next(), Next::Stop(Stop::LifetimeOver));
}

#[test]
fn a_token_received_after_the_deadline_counts() {
    let mut device = device(Some(s(5)), 6);
    device.answered(s(117), Answer::Granted);
    assert_eq!(device.next(), Next::Stop(Stop::Granted));
}

#[test]
fn without_a_lifetime_it_goes_on_until_told() {
    let device = Device::new(s(100), None, None);
    assert_eq!(device.deadline(), None);
    assert_eq!(waits(device, ms(0), &[Answer::Pending; 10_000]).len(), 10_001);
}

#[test]
fn twenty_pending_answers_and_a_token_are_twenty_one_polls() {
    let mut answers = vec![Answer::Pending; 20];
    answers.extend([Answer::Granted, Answer::Pending]);
    assert_eq!(waits(device(None, 600), ms(200), &answers).len(), 21);
}

#[test]
fn absurd_numbers_do_no_harm() {
    let device = Device::new(Duration::MAX, Some(Duration::MAX), Some(Duration::MAX));
    assert!(matches!(device.next(), Next::Poll { .. }));
    let mut device = Device::new(s(0), Some(Duration::MAX), None);
    device.answered(s(1), Answer::SlowDown { given: Some(Duration::MAX) });
    assert_eq!(device.interval(), s(u32::MAX.into()));
}

/// The rule, written down a second time and apart from [`Device`]: the least wait after the answers so far.
struct Rule {
    interval: Duration,
    failures: u32,
}

impl Rule {
    fn hear(&mut self, answer: Answer) {
        match answer {
            Answer::NoAnswer { .. } => self.failures += 1,
            Answer::SlowDown { given } => {
                self.failures = 0;
                self.interval = (self.interval + s(5)).max(given.unwrap_or_default());
            }
            _ => self.failures = 0,
        }
    }

    fn least_wait(&self, left: Duration) -> Duration {
        let doubled = self.interval * 2_u32.pow(self.failures.min(20));
        doubled.min(s(300)).min(left).max(self.interval)
    }
}

#[test]
fn random_answers_and_latencies_never_break_a_rule() {
    for seed in 0..2000 {
        let mut dice = StdRng::seed_from_u64(seed);
        let announced = [None, Some(ms(0)), Some(ms(2500)), Some(s(5)), Some(s(30))][dice.random_range(0..5)];
        let interval = announced.map_or(s(5), |i| s(i.as_millis().div_ceil(1000).max(1) as u64));
        let lifetime = s(dice.random_range(1..2000));
        let received = ms(dice.random_range(0..100_000));
        let mut device = Device::new(received, announced, Some(lifetime));
        let mut rule = Rule { interval, failures: 0 };
        let (mut heard, mut polls) = (received, 0);
        while let Next::Poll { at } = device.next() {
            let left = (received + lifetime).saturating_sub(heard);
            assert!(at >= heard + rule.least_wait(left), "seed {seed}: a gap of {:?}", at - heard);
            assert!(at <= received + lifetime, "seed {seed}: a poll after the lifetime");
            polls += 1;
            let sent = at + ms([0, 0, 1, 40][dice.random_range(0..4)]);
            heard = sent + ms([0, 200, 3000, 12_000][dice.random_range(0..4)]);
            let answer = match dice.random_range(0..100) {
                0..70 => Answer::Pending,
                70..80 => SLOW_DOWN,
                80..83 => Answer::SlowDown { given: Some(s(dice.random_range(0..60))) },
                83..97 => NO_ANSWER,
                97 => Answer::Granted,
                98 => Answer::Refused,
                _ => Answer::Expired,
            };
            device.answered(heard, answer);
            rule.hear(answer);
        }
        let most = lifetime.as_secs() / interval.as_secs() + 1;
        assert!(polls <= most, "seed {seed}: {polls} polls, at most {most}");
        assert!(matches!(device.next(), Next::Stop(_)));
    }
}
