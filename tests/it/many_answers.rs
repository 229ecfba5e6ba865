//! What an expectation about many answers says in a step that brings many: it is judged over all of them.

use devgrant::judge::judge;
use devgrant::record::RunRecord;
use devgrant::server::{Config, app, faults};

use crate::stage::not_green;
use crate::virtual_time::{ORIGIN, reference_target};

/// A check of these steps against the reference server, with a fault or without.
async fn judged(fault: Option<&str>, steps: &[&str]) -> RunRecord {
    let steps: String = steps.iter().map(|step| format!("      - {step}\n")).collect();
    let suite = format!(
        "suite: mine\ntitle: Many answers\nchecks:\n  - id: many\n    title: Many answers\n    level: must\n    \
         requirements: [RFC8628-3.5-a]\n    needs: [approval]\n    why: A step may bring many.\n    \
         steps:\n{steps}"
    );
    let fault = fault.map(|id| faults::find(id).unwrap());
    let server = app(Config::reference().with_faults(fault), ORIGIN).public;
    judge(server, reference_target()).suite("mine.yaml", suite).only(["mine/many"]).await.unwrap().record
}

/// The one mismatch of the check.
fn found(record: &RunRecord) -> (&str, &str) {
    let [mismatch] = &record.cases[0].mismatches[..] else { panic!("{:?}", record.cases) };
    (&mismatch.expected, &mismatch.actual)
}

const APPROVED: [&str; 2] = ["authorize: { as: tv }", "approve: { session: tv }"];

#[tokio::test(start_paused = true)]
async fn the_tokens_of_a_race_are_counted_over_all_its_answers() {
    for (race, expected) in [
        (
            "race: { session: tv, polls: 8, expect: [{ count: { outcome: granted, at_least: 1, at_most: 1 } }] }",
            "at least 1 and at most 1 granted answers",
        ),
        (
            "race: { session: tv, polls: 8, expect: [{ tokens: { of: tv, is: 1 } }] }",
            "1 distinct token set for tv",
        ),
    ] {
        let steps = [APPROVED[0], APPROVED[1], race];
        assert_eq!(not_green(&judged(None, &steps).await), Vec::<String>::new(), "{race}");
        let record = judged(Some("double-redeem-race"), &steps).await;
        assert_eq!(not_green(&record), ["mine/many: fail"], "{race}");
        assert_eq!(found(&record).0, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_race_without_the_answers_that_are_needed_is_not_exercised() {
    let race = "race: { session: tv, polls: 8, expect: [{ count: { outcome: granted, at_least: 2 } }] }";
    let record = judged(None, &[APPROVED[0], APPROVED[1], race]).await;
    assert_eq!(not_green(&record), ["mine/many: not exercised"]);
    assert_eq!(record.cases[0].reason.as_deref(), Some("only 1 granted answer, 2 needed"));
}

#[tokio::test(start_paused = true)]
async fn polls_and_codes_of_all_sessions_of_a_step_are_counted_together() {
    let many = "authorize: { as: many, sessions: 3 }";
    let polls = |rule: &str| format!("polls: {{ session: many, count: 2, expect: [{{ count: {rule} }}] }}");
    let enough = polls("{ outcome: pending, at_least: 6, at_most: 6 }");
    assert_eq!(not_green(&judged(None, &[many, &enough]).await), Vec::<String>::new());
    let few = polls("{ outcome: pending, at_least: 1, at_most: 5 }");
    let record = judged(None, &[many, &few]).await;
    assert_eq!(not_green(&record), ["mine/many: fail"]);
    let (expected, actual) = found(&record);
    assert_eq!(expected, "at least 1 and at most 5 pending answers");
    assert!(actual.starts_with("6 of 6 answers"), "{actual}");
    let codes = "authorize: { as: many, sessions: 3, expect: [{ distinct: { of: user_code } }, { count: { outcome: codes, at_most: 2 } }] }";
    let record = judged(None, &[codes]).await;
    assert_eq!(found(&record).0, "at most 2 codes answers");
}

#[tokio::test(start_paused = true)]
async fn what_looks_at_one_answer_is_still_asked_of_each() {
    let race = "race: { session: tv, polls: 4, expect: [{ outcome: granted }, { count: { outcome: granted, at_most: 0 } }] }";
    let record = judged(None, &[APPROVED[0], APPROVED[1], race]).await;
    assert_eq!(not_green(&record), ["mine/many: fail"]);
    let expected: Vec<&str> = record.cases[0].mismatches.iter().map(|it| it.expected.as_str()).collect();
    assert_eq!(expected, ["outcome granted", "at most 0 granted answers"]);
}
