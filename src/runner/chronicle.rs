//! What was done with each code of the run, and what the oracle makes of it once the run is over.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::session::{Codes, TokenSet};
use crate::compose::Composed;
use crate::event::CaseResult;
use crate::exchange::Exchange;
use crate::oracle::{Answered, Asker, Choice, Finding, Grade, Oracle, Said, State};
use crate::protocol::Role;
use crate::suite::{Edits, Over};
use crate::target::{Client, Decision};
use crate::verdict::{Mismatch, Verdict};

/// How many offenders are named one by one.
const MOST_NAMED: usize = 3;

/// All codes of the run, by the number of the exchange that brought them.
#[derive(Default)]
pub(super) struct Chronicle(Mutex<BTreeMap<u32, Log>>);

/// What was done with one code.
struct Log {
    case: String,
    issued: Arc<Exchange>,
    codes: Codes,
    asked: Vec<(Asker, Arc<Exchange>)>,
    decisions: Vec<Decided>,
}

/// One decision: the instants between which the server took it, if it did.
struct Decided {
    choice: Choice,
    began: Duration,
    came_out: Option<Duration>,
}

/// What the oracle says of one answer of a case.
struct Remark<'a> {
    case: &'a str,
    exchange: u32,
    said: Said,
    finding: Finding<'a>,
}

/// What the oracle says of the run.
#[derive(Default)]
pub(super) struct Overview {
    /// How many answers it judged.
    pub(super) judged: usize,
    pub(super) mismatches: Vec<Mismatch>,
    /// The cases that found what the oracle found, and are red for it already.
    pub(super) found_elsewhere: BTreeSet<String>,
}

/// Whether a request is as any device sends it, whoever the client is and however it authenticates.
///
/// Codes that another request brought are not followed: a server may itself deny what asks for no scope, say, once the
/// user has approved it.
pub(super) fn is_plain(edits: &Edits) -> bool {
    *edits == Edits { client: edits.client, auth: edits.auth, ..Edits::default() }
}

/// Who is taken to ask, by what is done to a poll.
pub(super) fn asker(
    edits: &Edits,
    role: Role,
    client: &Client,
    owner: Option<&Client>,
    failed: bool,
) -> Asker {
    let is_owner = owner.is_some_and(|owner| owner.id == client.id);
    // Whether these two may have codes at all has checks of its own.
    if !is_plain(edits) || matches!(role, Role::Unknown | Role::NoGrant) {
        Asker::Anybody
    } else if failed {
        if is_owner { Asker::Unauthenticated } else { Asker::Anybody }
    } else if edits.auth.is_some() {
        // It may not be registered for this way.
        Asker::Anybody
    } else if is_owner {
        Asker::Owner
    } else {
        Asker::Stranger
    }
}

impl Chronicle {
    /// Codes were given out.
    pub(super) fn issued(&self, case: &str, issued: &Arc<Exchange>, codes: &Codes) {
        let log = Log {
            case: case.to_owned(),
            issued: issued.clone(),
            codes: codes.clone(),
            asked: Vec::new(),
            decisions: Vec::new(),
        };
        self.logs().insert(issued.number, log);
    }

    /// The code was presented.
    pub(super) fn asked(&self, issued: u32, asker: Asker, exchange: &Arc<Exchange>) {
        if let Some(log) = self.logs().get_mut(&issued) {
            log.asked.push((asker, exchange.clone()));
        }
    }

    /// A decision was brought before the server; it is certain when it came out.
    pub(super) fn decided(
        &self,
        issued: u32,
        decision: Decision,
        began: Duration,
        came_out: Option<Duration>,
    ) {
        let choice = match decision {
            Decision::Approve => Choice::Approve,
            Decision::Deny => Choice::Deny,
        };
        if let Some(log) = self.logs().get_mut(&issued) {
            log.decisions.push(Decided { choice, began, came_out });
        }
    }

    /// What the oracle says of the cases that were judged, as far as no other check has said it.
    ///
    /// One cause, one red: the same answer to codes that can have been in the same state has one cause. What a row of the
    /// table says is left to the checks whose cases saw an answer of that cause and are at least as red by themselves.
    pub(super) fn look(
        &self,
        oracle: &Oracle,
        over: &Over,
        results: &[CaseResult],
        strict: bool,
    ) -> Overview {
        let of_case: BTreeMap<u32, &CaseResult> = results
            .iter()
            .flat_map(|result| result.exchanges.iter().map(move |&number| (number, result)))
            .collect();
        let logs = self.logs();
        let codes = |log: &Log| (log.codes.device_code.clone(), log.codes.user_code.clone());
        let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
        logs.values().for_each(|log| *seen.entry(codes(log)).or_default() += 1);
        let mut overview = Overview::default();
        let mut by_row: Vec<(usize, Vec<(Remark<'_>, &CaseResult)>)> = Vec::new();
        for log in logs.values() {
            // A play that was repeated says nothing; two sessions of one code are a finding of their own.
            let Some(result) = of_case.get(&log.issued.number) else { continue };
            if seen.get(&codes(log)) != Some(&1) {
                continue;
            }
            for remark in remarks(log, oracle) {
                let outcome = log.asked.iter().find(|(_, asked)| asked.number == remark.exchange);
                let outcome = outcome.map(|(_, asked)| asked.outcome());
                if !over.outcome.is_empty() && outcome.is_none_or(|outcome| !over.outcome.contains(&outcome))
                {
                    continue;
                }
                overview.judged += 1;
                if remark.finding.row.grade == Grade::Ok || remark.finding.row.requirement.is_none() {
                    continue;
                }
                let row = std::ptr::from_ref(remark.finding.row).addr();
                match by_row.iter_mut().find(|(known, _)| *known == row) {
                    Some((_, remarks)) => remarks.push((remark, result)),
                    None => by_row.push((row, vec![(remark, result)])),
                }
            }
        }
        for (_, remarks) in &by_row {
            let Some((first, _)) = remarks.first() else { continue };
            let verdict = first.finding.row.grade.verdict();
            let verdict = if strict { verdict.strict() } else { verdict };
            let mut found = BTreeSet::new();
            for (remark, result) in by_row.iter().flat_map(|(_, all)| all) {
                let is_of_one_cause = |(own, _): &(Remark<'_>, &CaseResult)| {
                    own.said == remark.said && own.finding.possible.meet(remark.finding.possible)
                };
                if is_as_red(result, verdict) && remarks.iter().any(is_of_one_cause) {
                    found.insert(result.case());
                }
            }
            if found.is_empty() {
                overview.mismatches.extend(mismatch(remarks));
            } else {
                overview.found_elsewhere.extend(found);
            }
        }
        overview
    }

    fn logs(&self) -> std::sync::MutexGuard<'_, BTreeMap<u32, Log>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Codes {
    /// Is the device code in this request, as it is or as forms write it?
    pub(super) fn is_in(&self, composed: &Composed) -> bool {
        let encoded: String = url::form_urlencoded::byte_serialize(self.device_code.as_bytes()).collect();
        let body = String::from_utf8_lossy(&composed.body);
        [&self.device_code, &encoded]
            .into_iter()
            .any(|code| body.contains(code) || composed.url.contains(code))
    }
}

fn is_as_red(result: &CaseResult, verdict: Verdict) -> bool {
    result.verdict.is_judged() && result.verdict >= verdict && !result.mismatches.is_empty()
}

/// One finding for all answers of one row.
fn mismatch(remarks: &[(Remark<'_>, &CaseResult)]) -> Option<Mismatch> {
    let (first, _) = remarks.first()?;
    let row = first.finding.row;
    let named: Vec<String> = remarks
        .iter()
        .take(MOST_NAMED)
        .map(|(remark, _)| format!("exchange {} of {}", remark.exchange, remark.case))
        .collect();
    let more = match remarks.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(Mismatch {
        grade: row.grade.mismatch()?,
        expected: expected(first.finding.state, row.requirement.as_deref()),
        actual: format!(
            "{} (the code was {}) in {}{more}",
            first.said,
            first.finding.possible,
            named.join(", ")
        ),
        because: row.because.clone(),
        exchange: Some(first.exchange),
    })
}

fn expected(state: State, requirement: Option<&str>) -> String {
    let whose = match state {
        State::Foreign => "for another client's code".to_owned(),
        State::Unauthenticated => "without the client's credentials".to_owned(),
        state => format!("for a code that is {state}"),
    };
    match requirement {
        Some(requirement) => format!("an answer {whose}, see {requirement}"),
        None => format!("an answer {whose}"),
    }
}

/// What happened to one code, in order.
enum Happened<'a> {
    Asked(Asker),
    Began(Choice),
    CameOut(Choice),
    Answered(Asker, &'a Exchange),
}

/// What the oracle says of each answer about one code.
fn remarks<'a>(log: &'a Log, oracle: &'a Oracle) -> Vec<Remark<'a>> {
    let mut all: Vec<(Duration, u8, Happened<'_>)> = Vec::new();
    for (asker, exchange) in &log.asked {
        all.push((exchange.sent, 0, Happened::Asked(*asker)));
        all.push((exchange.done, 2, Happened::Answered(*asker, exchange)));
    }
    for Decided { choice, began, came_out } in &log.decisions {
        all.push((*began, 0, Happened::Began(*choice)));
        all.extend(came_out.map(|at| (at, 1, Happened::CameOut(*choice))));
    }
    all.sort_by_key(|&(at, rank, _)| (at, rank));
    let mut life = oracle.issued(log.issued.sent, log.issued.done, log.codes.interval, log.codes.lifetime);
    let mut remarks = Vec::new();
    for (at, _, happened) in all {
        match happened {
            Happened::Asked(asker) => life.sent(asker, at),
            Happened::Began(choice) => life.decision_began(choice, at),
            Happened::CameOut(choice) => life.decision_came_out(choice, at),
            Happened::Answered(asker, exchange) => {
                let answered = answered(exchange);
                let finding = oracle.judge(&mut life, asker, &answered);
                remarks.extend(finding.map(|finding| Remark {
                    case: &log.case,
                    exchange: exchange.number,
                    said: answered.said,
                    finding,
                }));
            }
        }
    }
    remarks
}

fn answered(exchange: &Exchange) -> Answered {
    let error = exchange.error_word();
    let tokens = TokenSet::read(exchange, None).map(|set| {
        let mut hasher = DefaultHasher::new();
        (set.access_token, set.refresh_token).hash(&mut hasher);
        hasher.finish()
    });
    Answered { sent: exchange.sent, done: exchange.done, said: Said::of(exchange.outcome(), error), tokens }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::{Answer, Asked, Manner};
    use crate::oracle::{Table, Terms};
    use crate::outcome::Outcome;
    use crate::protocol::{Endpoint, Level, Tally};
    use crate::requirement::Requirements;
    use crate::verdict::Weight;

    fn exchange(number: u32, at: u64, body: &str) -> Arc<Exchange> {
        let asked = Asked {
            endpoint: Endpoint::Token,
            method: "POST".to_owned(),
            url: "https://as.example/token".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            client: Role::Tv,
            manner: Manner::default(),
        };
        let answer = Answer {
            status: if body.contains("error") { 400 } else { 200 },
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        };
        let sent = Duration::from_secs(at);
        Arc::new(Exchange::new(number, asked, Ok(answer), sent, sent + Duration::from_millis(50)))
    }

    /// A case whose code was approved, redeemed, and brings the same tokens again.
    fn chronicle() -> Chronicle {
        let chronicle = Chronicle::default();
        let issued = exchange(
            1,
            0,
            r#"{"device_code":"d","user_code":"WDJB","verification_uri":"https://as.example/device","expires_in":600}"#,
        );
        chronicle.issued("tea/hot", &issued, &Codes::read(&issued).unwrap());
        let seconds = Duration::from_secs;
        chronicle.decided(1, Decision::Approve, seconds(3), Some(seconds(4)));
        for (number, at) in [(2, 6), (3, 12)] {
            chronicle.asked(1, Asker::Owner, &exchange(number, at, r#"{"access_token":"t"}"#));
        }
        chronicle
    }

    fn result(verdict: Verdict, exchanges: Vec<u32>) -> CaseResult {
        let mismatch = Mismatch {
            grade: crate::verdict::Grade::Mismatch,
            expected: String::new(),
            actual: String::new(),
            because: None,
            exchange: None,
        };
        CaseResult {
            suite: "tea".to_owned(),
            check: "tea/hot".to_owned(),
            variant: None,
            title: String::new(),
            weight: Weight::Level(Level::Must),
            tally: Tally::Security,
            requirements: Vec::new(),
            clause: String::new(),
            why: String::new(),
            verdict,
            reason: None,
            mismatches: if verdict == Verdict::Pass { Vec::new() } else { vec![mismatch] },
            known: None,
            unscored: None,
            exchanges,
            took_ms: 0,
        }
    }

    fn look(results: &[CaseResult], outcome: &[Outcome], strict: bool) -> Overview {
        let table = Table::builtin(&Requirements::builtin().unwrap()).unwrap();
        let oracle = Oracle::new(table, Terms::new(&BTreeMap::new()));
        let over = Over {
            endpoint: vec![Endpoint::Token],
            outcome: outcome.to_vec(),
            status: None,
            raw: false,
            kept_pace: false,
            oracle: true,
        };
        chronicle().look(&oracle, &over, results, strict)
    }

    #[test]
    fn a_row_of_the_table_becomes_a_mismatch_of_its_grade_with_its_offenders() {
        let overview = look(&[result(Verdict::Pass, vec![1, 2, 3])], &[], false);
        assert_eq!((overview.judged, overview.mismatches.len()), (2, 1));
        let mismatch = &overview.mismatches[0];
        assert_eq!(mismatch.actual, "granted (the code was redeemed) in exchange 3 of tea/hot");
        assert_eq!(mismatch.expected, "an answer for a code that is redeemed, see INV-5");
        let verdict = Weight::Level(Level::Must).judge(&overview.mismatches);
        assert_eq!((verdict, verdict.strict()), (Verdict::Warn, Verdict::Fail));
    }

    #[test]
    fn what_its_own_case_says_as_clearly_is_a_note() {
        let warned = [result(Verdict::Warn, vec![1, 2, 3])];
        let overview = look(&warned, &[], false);
        assert_eq!((overview.mismatches.len(), overview.found_elsewhere.len()), (0, 1));
        // By the same measure a warning says less than a failure.
        assert_eq!(look(&warned, &[], true).mismatches.len(), 1);
        assert_eq!(look(&[result(Verdict::Acceptable, vec![1, 2, 3])], &[], false).mismatches.len(), 1);
    }

    #[test]
    fn plays_that_do_not_count_and_outcomes_that_are_not_asked_for_are_left_alone() {
        let pass = [result(Verdict::Pass, vec![1, 2, 3])];
        assert_eq!(look(&pass, &[Outcome::Pending], false).judged, 0);
        assert_eq!(look(&[result(Verdict::Pass, vec![7])], &[], false).judged, 0);
    }
}
