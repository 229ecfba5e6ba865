//! A run that is shortened, and the one that finishes it.

use devgrant::event::CaseResult;
use devgrant::record::RunRecord;
use devgrant::verdict::Verdict;

use crate::binary::{Binary, Ended};

/// A check of a second or two, one that waits for a code's end, and one over all answers.
const CHECKS: [&str; 3] = [
    "device-authorization-request/public-client-gets-codes",
    "token-response/expired-after-lifetime",
    "token-response/errors-have-status-400",
];

fn check(binary: &Binary, record: &str, more: &[&str]) -> (Ended, RunRecord) {
    let path = binary.name(record);
    let mut arguments = vec!["check", "-v", "--record", &path];
    CHECKS.iter().for_each(|check| arguments.extend(["--check", check]));
    arguments.extend(more);
    let ended = binary.run(&arguments);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{}", ended.all()));
    (ended, RunRecord::read(&text).unwrap())
}

fn verdict(record: &RunRecord, check: &str) -> Option<Verdict> {
    let cases: Vec<&CaseResult> = record.cases.iter().filter(|case| case.check == check).collect();
    assert!(cases.len() <= 1, "{check} was judged {} times", cases.len());
    cases.first().map(|case| case.verdict)
}

#[test]
fn what_a_shortened_run_left_is_played_and_what_it_judged_stands() {
    let binary = Binary::new();
    let (ended, short) = check(&binary, "short.jsonl", &["--max-wait", "3 s"]);
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    let [codes, expiry, _] = CHECKS;
    assert_eq!(verdict(&short, codes), Some(Verdict::Pass));
    assert_eq!(verdict(&short, expiry), Some(Verdict::NotExercised), "{}", ended.all());
    assert!(ended.out.contains("more than --max-wait 3 s"), "{}", ended.all());

    let (ended, whole) = check(&binary, "whole.jsonl", &["--resume", &binary.name("short.jsonl")]);
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    for check in CHECKS {
        assert_eq!(verdict(&whole, check), Some(Verdict::Pass), "{check}: {}", ended.all());
    }
    let took = |record: &RunRecord| {
        record
            .cases
            .iter()
            .find(|case| case.check == codes)
            .map(|case| (case.took_ms, case.exchanges.clone()))
    };
    assert_eq!(took(&whole), took(&short), "it was not played again");
    assert!(
        !short.exchanges.is_empty()
            && short.exchanges.iter().all(|(n, old)| whole.exchanges.get(n) == Some(old))
    );
    let new: Vec<_> =
        whole.exchanges.iter().filter(|(number, _)| !short.exchanges.contains_key(number)).collect();
    let last = short.exchanges.values().map(|exchange| exchange.done_ms).fold(0.0, f64::max);
    assert!(
        !new.is_empty() && new.iter().all(|(_, exchange)| exchange.sent_ms >= last),
        "one clock for both parts"
    );
    assert!(ended.out.contains("goes on from an earlier run"), "{}", ended.all());
}

#[test]
fn only_the_same_run_can_be_finished() {
    let binary = Binary::new();
    let (ended, _) = check(&binary, "run.jsonl", &["--max-wait", "3 s"]);
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    let record = binary.name("run.jsonl");
    let target = binary.target("http://127.0.0.1:9");
    let load = binary.file("load.jsonl", "{\"begun\":{}}\n");
    for (arguments, why) in [
        (vec!["--resume", &record, "--record", &record], "the record of the earlier run would be lost"),
        (vec!["--resume", &record, "--target", &target], "the target of that run was"),
        (vec!["--resume", &record, "--mode", "strict"], "--mode of that run was"),
        (vec!["--resume", &load], "load.jsonl"),
        (vec!["--resume", "nowhere.jsonl"], "cannot read the record nowhere.jsonl"),
    ] {
        let ended = binary.run(&[vec!["check"], arguments].concat());
        assert_eq!(ended.code, Some(2), "{}", ended.all());
        assert!(ended.err.contains(why), "{why}: {}", ended.all());
    }
    assert!(std::fs::metadata(&record).unwrap().len() > 1000, "nothing was lost");
}
