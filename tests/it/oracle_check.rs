//! The check that holds every session of a run against the oracle's table: red for what no other check finds, and silent
//! about what one has found already.

use std::sync::Arc;

use devgrant::event::CaseResult;
use devgrant::http::InProcess;
use devgrant::record::RunRecord;
use devgrant::server::{Config, app, faults};
use devgrant::verdict::Verdict;

use crate::stage::{Wanted, details, judge};
use crate::virtual_time::{ORIGIN, reference_target};

const CHECK: &str = "token-response/every-answer-fits-its-code";

async fn play(fault: &str, wanted: &Wanted<'_>) -> RunRecord {
    let config = Config::reference().with_faults(faults::find(fault));
    let server = InProcess::new(app(config, ORIGIN).public, 1);
    judge(Arc::new(server.clone()), Some(Arc::new(server)), &reference_target(), wanted).await.unwrap()
}

fn result<'a>(record: &'a RunRecord, check: &str) -> &'a CaseResult {
    record.cases.iter().find(|case| case.check == check).unwrap_or_else(|| panic!("{}", details(record)))
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_now_and_then_is_found_by_the_oracle() {
    let record = play("storage-error-is-access-denied", &Wanted::default()).await;
    let red: Vec<String> =
        record.cases.iter().filter(|case| case.verdict == Verdict::Fail).map(CaseResult::case).collect();
    assert_eq!(red, [CHECK], "{}", details(&record));
    let found = &result(&record, CHECK).mismatches;
    assert!(found[0].actual.starts_with("denied (the code was pending) in exchange "), "{found:?}");
    assert!(found[0].actual.contains(" of token-response/") && found[0].exchange.is_some(), "{found:?}");
    assert_eq!(found[0].expected, "an answer for a code that is pending, see RFC8628-3.5-i");
}

#[tokio::test(start_paused = true)]
async fn what_another_check_has_found_is_a_note() {
    let checks = ["token-response/denial-is-final", "token-response/slow-down-does-not-hide-a-denial", CHECK];
    let wanted = Wanted { checks: &checks, ..Wanted::default() };
    let record = play("denial-is-told-once", &wanted).await;
    assert_eq!(result(&record, checks[0]).verdict, Verdict::Fail, "{}", details(&record));
    let oracle = result(&record, CHECK);
    assert_eq!((oracle.verdict, oracle.mismatches.len()), (Verdict::Pass, 0), "{}", details(&record));
    let reason = oracle.reason.as_deref().unwrap_or_default();
    let found = ["token-response/denial-is-final", "token-response/slow-down-does-not-hide-a-denial"];
    assert_eq!(reason, format!("found by other checks already: {}", found.join(", ")));
}

#[tokio::test(start_paused = true)]
async fn what_the_other_checks_of_a_short_run_do_not_look_for_is_red() {
    let checks = ["token-response/redeemed-code-brings-no-second-token", CHECK];
    let wanted = Wanted { checks: &checks, ..Wanted::default() };
    let record = play("replay-pending", &wanted).await;
    assert_eq!(result(&record, checks[0]).verdict, Verdict::Pass, "{}", details(&record));
    assert_eq!(result(&record, CHECK).verdict, Verdict::Fail, "{}", details(&record));
}

#[tokio::test(start_paused = true)]
async fn strict_mode_raises_every_verdict_by_one() {
    let checks = ["token-response/interval-is-enforced", "token-response/hammering-is-noticed"];
    let mut verdicts = Vec::new();
    for strict in [false, true] {
        let wanted = Wanted { checks: &checks, strict, ..Wanted::default() };
        let record = play("interval-not-enforced", &wanted).await;
        verdicts.push((checks.map(|check| result(&record, check).verdict), record.exit_code()));
    }
    assert_eq!(verdicts, [([Verdict::Acceptable, Verdict::Warn], 0), ([Verdict::Warn, Verdict::Fail], 1)]);
}
