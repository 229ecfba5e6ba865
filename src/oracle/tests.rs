use std::time::Duration;

use super::*;
use crate::diagnostic::Colour;
use crate::outcome::Outcome;
use crate::requirement::Requirements;
use crate::yaml::Source;

fn requirements() -> Requirements {
    Requirements::builtin().unwrap()
}

fn oracle() -> Oracle {
    Oracle::new(Table::builtin(&requirements()).unwrap(), Terms::new(&Constants::new()))
}

fn s(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// Codes asked for at 0 s and received at 0.1 s, with 5 s between polls and 600 s to live.
fn fresh(oracle: &Oracle) -> Life {
    oracle.issued(s(0.0), s(0.1), Some(s(5.0)), Some(s(600.0)))
}

fn answered(from: f64, until: f64, said: Said) -> Answered {
    let tokens = (said == Said::Granted).then_some(1);
    Answered { sent: s(from), done: s(until), said, tokens }
}

/// A poll of 50 ms by the owner, and how its answer was graded.
fn poll(oracle: &Oracle, life: &mut Life, at: f64, said: Said) -> Grade {
    life.sent(Asker::Owner, s(at));
    oracle.judge(life, Asker::Owner, &answered(at, at + 0.05, said)).unwrap().row.grade
}

fn decide(life: &mut Life, choice: Choice, from: f64, until: f64) {
    life.decision_began(choice, s(from));
    life.decision_came_out(choice, s(until));
}

#[test]
fn a_life_is_small() {
    assert_eq!(size_of::<Life>(), 48);
}

#[test]
fn the_table_is_without_mistake() {
    let table = Table::builtin(&requirements()).unwrap_or_else(|mistakes| {
        panic!("{}", mistakes.iter().map(|mistake| mistake.draw(Colour::Plain)).collect::<String>())
    });
    assert!(table.rows().count() > 50);
}

#[test]
fn an_ordinary_life_is_without_remark() {
    let oracle = oracle();
    let mut life = fresh(&oracle);
    assert_eq!(poll(&oracle, &mut life, 5.2, Said::Pending), Grade::Ok);
    assert_eq!(poll(&oracle, &mut life, 6.0, Said::SlowDown), Grade::Ok);
    decide(&mut life, Choice::Approve, 10.0, 10.2);
    assert_eq!(poll(&oracle, &mut life, 16.1, Said::Granted), Grade::Ok);
    assert_eq!(poll(&oracle, &mut life, 30.0, Said::InvalidGrant), Grade::Ok);
}

#[test]
fn each_state_has_its_answers() {
    let oracle = oracle();
    let undecided = fresh(&oracle);
    let mut approved = undecided;
    decide(&mut approved, Choice::Approve, 10.0, 10.2);
    let mut denied = undecided;
    decide(&mut denied, Choice::Deny, 10.0, 10.2);
    let mut redeemed = approved;
    assert_eq!(poll(&oracle, &mut redeemed, 15.0, Said::Granted), Grade::Ok);
    for (life, at, said, grade) in [
        (undecided, 20.0, Said::Granted, Grade::SecurityCritical),
        (undecided, 20.0, Said::Denied, Grade::Fail),
        (undecided, 20.0, Said::Expired, Grade::Fail),
        (undecided, 20.0, Said::OtherError, Grade::Fail),
        (undecided, 20.0, Said::SlowDown, Grade::Warn),
        (undecided, 6.0, Said::SlowDown, Grade::Ok),
        (undecided, 20.0, Said::Limited, Grade::Ok),
        (undecided, 606.0, Said::Granted, Grade::SecurityCritical),
        (undecided, 603.0, Said::Pending, Grade::Ok),
        (undecided, 640.0, Said::Pending, Grade::Warn),
        (undecided, 661.0, Said::Pending, Grade::Fail),
        (undecided, 640.0, Said::InvalidGrant, Grade::Warn),
        (undecided, 700.0, Said::InvalidGrant, Grade::Acceptable),
        (approved, 11.0, Said::Pending, Grade::Acceptable),
        (approved, 20.0, Said::Pending, Grade::Warn),
        (approved, 20.0, Said::InvalidGrant, Grade::Fail),
        (approved, 20.0, Said::Denied, Grade::Fail),
        (approved, 610.0, Said::Granted, Grade::Acceptable),
        (approved, 612.0, Said::Granted, Grade::SecurityHigh),
        (denied, 20.0, Said::Granted, Grade::SecurityCritical),
        (denied, 20.0, Said::Expired, Grade::Warn),
        (denied, 20.0, Said::InvalidGrant, Grade::Warn),
        (denied, 700.0, Said::Denied, Grade::Ok),
        (redeemed, 20.0, Said::Granted, Grade::SecurityMedium),
        (redeemed, 20.0, Said::Pending, Grade::Fail),
        (redeemed, 700.0, Said::Expired, Grade::Ok),
    ] {
        let mut life = life;
        assert_eq!(poll(&oracle, &mut life, at, said), grade, "{said} at {at} in {life:?}");
    }
    let mut life = redeemed;
    life.sent(Asker::Owner, s(20.0));
    let other = Answered { tokens: Some(2), ..answered(20.0, 20.1, Said::Granted) };
    assert_eq!(oracle.judge(&mut life, Asker::Owner, &other).unwrap().row.grade, Grade::SecurityHigh);
}

#[test]
fn an_approval_that_never_reaches_the_device_fails_at_the_third_poll() {
    let oracle = oracle();
    let mut life = fresh(&oracle);
    decide(&mut life, Choice::Approve, 10.0, 10.2);
    for (at, grade) in [(20.0, Grade::Warn), (21.0, Grade::Warn), (30.0, Grade::Warn), (40.0, Grade::Fail)] {
        assert_eq!(poll(&oracle, &mut life, at, Said::Pending), grade, "at {at}");
    }
}

#[test]
fn slow_down_may_cost_a_few_intervals_and_no_more() {
    let oracle = oracle();
    let mut life = fresh(&oracle);
    decide(&mut life, Choice::Approve, 1.0, 1.2);
    let mut at = 6.0;
    for (round, grade) in
        [(1, Grade::Acceptable), (2, Grade::Acceptable), (3, Grade::Acceptable), (4, Grade::Fail)]
    {
        assert_eq!(poll(&oracle, &mut life, at, Said::SlowDown), grade, "round {round}");
        at += 5.0 * f64::from(round + 1) + 0.1;
    }
}

#[test]
fn what_races_may_come_out_either_way() {
    let oracle = oracle();
    // The approval is on its way while the poll is.
    for said in [Said::Pending, Said::Granted] {
        let mut life = fresh(&oracle);
        life.sent(Asker::Owner, s(10.0));
        life.decision_began(Choice::Approve, s(10.1));
        let finding = oracle.judge(&mut life, Asker::Owner, &answered(10.0, 10.3, said)).unwrap();
        assert_eq!(finding.row.grade, Grade::Ok, "{said}");
        assert_eq!(finding.possible.to_string(), "pending or approved");
    }
    // Approve and deny at once: either, but one.
    let mut life = fresh(&oracle);
    life.decision_began(Choice::Approve, s(10.0));
    life.decision_began(Choice::Deny, s(10.0));
    life.decision_came_out(Choice::Approve, s(10.4));
    life.decision_came_out(Choice::Deny, s(10.5));
    let mut other = life;
    assert_eq!(poll(&oracle, &mut life, 15.0, Said::Denied), Grade::Ok);
    assert_eq!(poll(&oracle, &mut life, 20.0, Said::Granted), Grade::SecurityCritical);
    assert_eq!(poll(&oracle, &mut other, 15.0, Said::Granted), Grade::Ok);
    assert_eq!(poll(&oracle, &mut other, 20.0, Said::Denied), Grade::Warn);
}

#[test]
fn of_polls_at_the_same_moment_one_brings_the_token() {
    let oracle = oracle();
    let mut life = fresh(&oracle);
    decide(&mut life, Choice::Approve, 10.0, 10.2);
    for _ in 0..3 {
        life.sent(Asker::Owner, s(15.0));
    }
    let mut judge = |until, said, tokens| {
        let answered = Answered { sent: s(15.0), done: s(until), said, tokens };
        oracle.judge(&mut life, Asker::Owner, &answered).unwrap().row.grade
    };
    assert_eq!(judge(15.1, Said::InvalidGrant, None), Grade::Ok);
    assert_eq!(judge(15.2, Said::Granted, Some(1)), Grade::Ok);
    assert_eq!(judge(15.3, Said::Granted, Some(2)), Grade::SecurityHigh);
    // Where none of them does, the last one shows it.
    let mut life = fresh(&oracle);
    decide(&mut life, Choice::Approve, 10.0, 10.2);
    life.sent(Asker::Owner, s(15.0));
    life.sent(Asker::Owner, s(15.0));
    let mut judge = |until| {
        let answered = answered(15.0, until, Said::InvalidGrant);
        oracle.judge(&mut life, Asker::Owner, &answered).unwrap().row.grade
    };
    assert_eq!((judge(15.1), judge(15.2)), (Grade::Ok, Grade::Fail));
}

#[test]
fn a_token_whose_answer_was_lost_is_nobodys_fault() {
    let oracle = oracle();
    let mut life = fresh(&oracle);
    decide(&mut life, Choice::Approve, 10.0, 10.2);
    assert_eq!(poll(&oracle, &mut life, 15.0, Said::Broken), Grade::Ok);
    life.sent(Asker::Owner, s(25.0));
    let finding = oracle.judge(&mut life, Asker::Owner, &answered(25.0, 25.1, Said::InvalidGrant)).unwrap();
    assert!(finding.is_lost_token);
    assert_eq!((finding.row.grade, finding.state), (Grade::Ok, State::Redeemed));
}

#[test]
fn strangers_get_nothing_and_may_kill_the_code() {
    let oracle = oracle();
    let mut life = fresh(&oracle);
    let mut stranger = |asker, at, said| {
        life.sent(asker, s(at));
        oracle.judge(&mut life, asker, &answered(at, at + 0.1, said)).map(|finding| finding.row.grade)
    };
    assert_eq!(stranger(Asker::Stranger, 10.0, Said::InvalidGrant), Some(Grade::Ok));
    assert_eq!(stranger(Asker::Stranger, 11.0, Said::Granted), Some(Grade::SecurityCritical));
    assert_eq!(stranger(Asker::Unauthenticated, 12.0, Said::Pending), Some(Grade::Fail));
    assert_eq!(stranger(Asker::Anybody, 13.0, Said::Malformed), None);
    assert_eq!(poll(&oracle, &mut life, 20.0, Said::InvalidGrant), Grade::Ok);
    assert_eq!(poll(&oracle, &mut life, 30.0, Said::Pending), Grade::Fail);
    assert_eq!(oracle.judge_unknown(Said::Granted).unwrap().row.grade, Grade::SecurityCritical);
    assert_eq!(oracle.judge_unknown(Said::InvalidGrant).unwrap().row.grade, Grade::Ok);
}

#[test]
fn a_decision_after_the_end_changes_nothing() {
    let oracle = oracle();
    let mut life = fresh(&oracle);
    decide(&mut life, Choice::Approve, 606.0, 606.2);
    assert_eq!(poll(&oracle, &mut life, 607.0, Said::Granted), Grade::SecurityCritical);
    let mut life = fresh(&oracle);
    decide(&mut life, Choice::Deny, 10.0, 10.2);
    decide(&mut life, Choice::Approve, 20.0, 20.2);
    assert_eq!(poll(&oracle, &mut life, 26.0, Said::Granted), Grade::SecurityCritical);
}

#[test]
fn a_code_without_announced_end_may_end_at_any_moment_and_never_has_to() {
    let oracle = oracle();
    let mut life = oracle.issued(s(0.0), s(0.1), None, None);
    assert_eq!(poll(&oracle, &mut life, 86_400.0, Said::Pending), Grade::Ok);
    assert_eq!(poll(&oracle, &mut life, 86_410.0, Said::Expired), Grade::Ok);
    assert_eq!(poll(&oracle, &mut life, 86_420.0, Said::Pending), Grade::Fail);
}

#[test]
fn answers_are_told_apart_by_meaning_and_word() {
    for (outcome, error, said) in [
        (Outcome::Refused, Some("invalid_grant"), Said::InvalidGrant),
        (Outcome::Refused, Some("invalid_request"), Said::OtherError),
        (Outcome::Pending, Some("authorization_pending"), Said::Pending),
        (Outcome::Codes, None, Said::Malformed),
        (Outcome::Broken, None, Said::Broken),
    ] {
        assert_eq!(Said::of(outcome, error), said);
    }
}

#[test]
fn grades_lead_to_verdicts_in_both_modes() {
    use crate::verdict::Verdict;
    for (grade, verdict, strict) in [
        (Grade::Ok, Verdict::Pass, Verdict::Pass),
        (Grade::Acceptable, Verdict::Acceptable, Verdict::Warn),
        (Grade::Warn, Verdict::Warn, Verdict::Fail),
        (Grade::SecurityMedium, Verdict::Warn, Verdict::Fail),
        (Grade::SecurityCritical, Verdict::Fail, Verdict::Fail),
    ] {
        assert_eq!((grade.verdict(), grade.verdict().strict()), (verdict, strict), "{grade}");
    }
}

/// The shipped table with one text replaced: the one mistake that comes of it.
fn mistake(from: &str, to: &str) -> String {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/suites/oracle.yaml"));
    assert!(text.contains(from), "{from}");
    let source = Source { name: "oracle.yaml".to_owned(), text: text.replacen(from, to, 1) };
    let mistakes = Table::load(&source, &requirements()).unwrap_err();
    let drawn: Vec<String> = mistakes.iter().map(|mistake| mistake.draw(Colour::Plain)).collect();
    assert_eq!(drawn.len(), 1, "{}", drawn.join("\n"));
    assert!(drawn[0].contains("help: "), "{}", drawn[0]);
    drawn[0].clone()
}

#[test]
fn mistakes_of_the_table_are_found_and_shown_at_their_place() {
    for (from, to, message) in [
        ("grade: fail", "grade: faill", "unknown grade \"faill\""),
        ("when: [gap_maybe_short]", "when: [gap_maybe_shrt]", "unknown condition \"gap_maybe_shrt\""),
        ("requirement: INV-3", "requirement: INV-33", "there is no requirement \"INV-33\""),
        ("requirement: INV-3\n", "\n", "rests on no requirement"),
        ("    because: \"nobody has approved\"\n", "", "the grade security-critical has no reason"),
        (
            "{ state: denied, answer: denied, grade: ok }",
            "{ state: denied, answer: denied, grade: ok }\n  - { state: denied, answer: denied, grade: ok }",
            "last row",
        ),
        ("  - { state: redeemed, answer: invalid_grant, grade: ok }\n", "", "has no row for invalid_grant"),
        (
            "when: [delivered_before, same_token]",
            "when: [same_token, same_token]",
            "same_token is named twice",
        ),
        ("{ polls_after: 2 }", "{ polls_after: 0 }", "there is always one"),
        ("when: [within_late_band]", "when: [within_propagation]", "can never hold"),
        (
            "  - { state: unknown, answer: invalid_grant, grade: ok }",
            "  - { state: unknown, answer: invalid_grant, grade: ok, why: x }",
            "why",
        ),
    ] {
        let drawn = mistake(from, to);
        assert!(drawn.contains(message), "{from} -> {to}\n{drawn}");
    }
}
