//! All cases side by side, then what can only be said afterwards: doubts repeated alone, controls by other checks,
//! checks over all answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::case::{Played, Player, Stop};
use super::chronicle::Overview;
use super::decide::Round;
use super::run::Run;
use super::scope::Values;
use crate::catalog::{Catalog, Entry};
use crate::coverage::Coverage;
use crate::edition::Frozen;
use crate::event::{self, CardLine, CaseResult, Ended, Event, Reading};
use crate::exchange::Exchange;
use crate::expect;
use crate::known::KnownFailures;
use crate::oracle::{Oracle, Terms};
use crate::outcome::Outcome;
use crate::plan::{Case, Plan, needs_polling};
use crate::suite::{Alone, Check, Over, mentions};
use crate::verdict::{Grade, Mismatch, Verdict};

/// How the verdicts are taken.
#[derive(Debug, Clone)]
pub struct Options {
    /// `--mode strict`.
    pub strict: bool,
    /// Failures that are known and defended.
    pub known_failures: KnownFailures,
    /// `--edition`: what came later is judged and does not count.
    pub edition: Option<Frozen>,
}

/// Plays the plan and tells everything as events, [`Event::Ended`] last; `carried` was found before, `interrupt` ends it
/// early.
pub async fn play(
    run: &Run,
    catalog: &Catalog,
    plan: &Plan<'_>,
    options: &Options,
    carried: Vec<CaseResult>,
    interrupt: impl Future<Output = ()>,
) {
    let start = run.link.now();
    for skipped in &plan.skipped {
        let reason = Some(skipped.reason.clone());
        let ended = Ending { verdict: skipped.verdict, reason, ..Ending::default() };
        tell(run, catalog, &skipped.case, ended, options).await;
    }
    let results = std::sync::Mutex::new(carried);
    let again = std::sync::Mutex::new(event::Alone::default());
    let interrupted = tokio::select! {
        () = settle(run, catalog, plan, options, &results, &again) => false,
        () = interrupt => true,
    };
    let results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let names = [catalog.cases(), catalog.editions.retired.clone()].concat();
    let judged: BTreeSet<&str> = results
        .iter()
        .filter(|result: &&CaseResult| result.verdict.is_judged())
        .flat_map(|result| result.requirements.iter().map(String::as_str))
        .collect();
    run.link
        .tell(Event::Ended(Box::new(Ended {
            interrupted,
            took_ms: whole_ms(run.link.now().saturating_sub(start)),
            never_came_out: run.never_came_out(),
            stale_known: if interrupted {
                Vec::new()
            } else {
                options.known_failures.stale(&results, &names)
            },
            coverage: Coverage::of(catalog).of_a_run(judged),
            because: None,
            alone: Some(again.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)),
        })))
        .await;
}

/// How one case ended.
struct Ending {
    verdict: Verdict,
    reason: Option<String>,
    mismatches: Vec<Mismatch>,
    exchanges: Vec<u32>,
    took: Duration,
    /// Something that it needed was never answered.
    unanswered: bool,
    /// The line of the behaviour card, where the check has one.
    line: Option<String>,
}

impl Default for Ending {
    fn default() -> Self {
        Self {
            verdict: Verdict::Pass,
            reason: None,
            mismatches: Vec::new(),
            exchanges: Vec::new(),
            took: Duration::ZERO,
            unanswered: false,
            line: None,
        }
    }
}

async fn settle(
    run: &Run,
    catalog: &Catalog,
    plan: &Plan<'_>,
    options: &Options,
    results: &std::sync::Mutex<Vec<CaseResult>>,
    again: &std::sync::Mutex<event::Alone>,
) {
    let keep = |result: Option<CaseResult>| {
        results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(result);
    };
    let (over, played): (Vec<&Case<'_>>, Vec<&Case<'_>>) =
        plan.cases.iter().partition(|case| case.entry.check.over.is_some());
    let (last, first): (Vec<&Case<'_>>, Vec<&Case<'_>>) =
        played.into_iter().partition(|case| case.entry.check.destructive);

    let mut side_by_side: FuturesUnordered<_> =
        first.into_iter().map(|case| async move { (case, play_case(run, case).await) }).collect();
    let mut doubtful = Vec::new();
    let mut held = Vec::new();
    while let Some((case, ending)) = side_by_side.next().await {
        if is_doubtful(case, &ending) {
            doubtful.push(case);
        } else if case.entry.check.control_by.is_some() {
            held.push((case, ending));
        } else {
            keep(tell(run, catalog, case, ending, options).await);
        }
    }
    for case in doubtful.into_iter().chain(last) {
        let ending = play_case(run, case).await;
        {
            let mut again = again.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            again.cases += 1;
            again.took_ms += whole_ms(ending.took);
        }
        if case.entry.check.control_by.is_some() {
            held.push((case, ending));
        } else {
            keep(tell(run, catalog, case, ending, options).await);
        }
    }
    while let Some((case, ending)) = next_held(&mut held) {
        let ending =
            controlled(case, ending, &results.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        keep(tell(run, catalog, case, ending, options).await);
    }
    let archive = run.link.archive();
    let oracle = Oracle::new(catalog.oracle.clone(), Terms::new(&run.found.constants));
    for case in over {
        let ending = {
            let results = results.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let beside = if newer(case, options).is_none() { unscored(&results) } else { BTreeSet::new() };
            match &case.entry.check.over {
                Some(over) if over.oracle => {
                    ask_oracle(case, run.chronicle.look(&oracle, over, &results, options.strict))
                }
                _ => look_over(run, case, &archive, &LeftOut { if_broken: blamed(&results), always: beside }),
            }
        };
        keep(tell(run, catalog, case, ending, options).await);
    }
}

/// Must the case be played again, with nothing beside it? Another case of the same user may have spoilt what this one
/// needs to begin with, too: some servers keep one refresh token of a user and client, the newest.
fn is_doubtful(case: &Case<'_>, ending: &Ending) -> bool {
    match ending.verdict {
        Verdict::Inconclusive => true,
        Verdict::Acceptable | Verdict::Warn | Verdict::Fail => case.entry.check.alone.is_some(),
        Verdict::NotExercised => case.entry.check.alone == Some(Alone::User) || ending.unanswered,
        Verdict::Pass | Verdict::Skip | Verdict::Error => false,
    }
}

/// Plays one case: its rounds side by side, and once more when a judging step was answered `broken`.
async fn play_case(run: &Run, case: &Case<'_>) -> Ending {
    let start = run.link.now();
    let mut ending = play_rounds(run, case).await;
    ending.took = run.link.now().saturating_sub(start);
    ending
}

async fn play_rounds(run: &Run, case: &Case<'_>) -> Ending {
    if needs_polling(&case.entry.check)
        && !run.found.capabilities.contains(&crate::protocol::Capability::Polling)
    {
        return Ending {
            verdict: Verdict::NotExercised,
            reason: Some(
                "the server does not understand polls, see token-request/form-is-understood".to_owned(),
            ),
            ..Ending::default()
        };
    }
    let rounds = case.entry.check.rounds.unwrap_or(1).max(1);
    let plays = (0..rounds).map(|number| async move {
        let round = Round { number, of: rounds };
        let first = play_once(run, case, round).await;
        if !first.broken {
            return first;
        }
        let mut second = play_once(run, case, round).await;
        second.exchanges.splice(0..0, first.exchanges);
        if !second.broken && second.stop.is_none() {
            second.mismatches.clear();
            second.stop = Some(Stop::Inconclusive(
                "answered with a server error once, and otherwise when repeated on a fresh session"
                    .to_owned(),
            ));
        }
        second
    });
    combine(case, futures_util::future::join_all(plays).await)
}

async fn play_once(run: &Run, case: &Case<'_>, round: Round) -> Played {
    match Player::new(run, *case, round) {
        Ok(player) => player.play().await,
        Err(trouble) => Played {
            mismatches: Vec::new(),
            stop: Some(Stop::Error(trouble.to_string())),
            broken: false,
            unanswered: false,
            exchanges: Vec::new(),
            line: None,
        },
    }
}

/// The verdict of all rounds: what any of them found counts; a round that says nothing does not undo another.
fn combine(case: &Case<'_>, rounds: Vec<Played>) -> Ending {
    let of = rounds.len();
    let mut ending = Ending::default();
    let mut stops = Vec::new();
    for round in rounds {
        ending.exchanges.extend(round.exchanges);
        ending.unanswered |= round.unanswered;
        ending.line = ending.line.or(round.line);
        match round.stop {
            Some(stop @ Stop::Control(_)) => {
                stops.push(stop);
                continue;
            }
            Some(stop) => stops.push(stop),
            None => {}
        }
        for mismatch in round.mismatches {
            let is_new = !ending.mismatches.iter().any(|known: &Mismatch| {
                known.expected == mismatch.expected && known.actual == mismatch.actual
            });
            if is_new {
                ending.mismatches.push(mismatch);
            }
        }
    }
    ending.exchanges.sort_unstable();
    ending.verdict = case.entry.weight.judge(&ending.mismatches);
    // Stops count where no round found anything and fewer than half of the rounds came to an end.
    let says_nothing = ending.mismatches.is_empty() && stops.len() * 2 >= of.max(1);
    if let Some(stop) = stops.into_iter().next().filter(|_| says_nothing) {
        let (verdict, reason) = match stop {
            Stop::Control(reason) | Stop::NotExercised(reason) => (Verdict::NotExercised, reason),
            Stop::Inconclusive(reason) => (Verdict::Inconclusive, reason),
            Stop::Error(reason) => (Verdict::Error, reason),
        };
        ending.verdict = verdict;
        ending.reason = Some(reason);
    }
    ending
}

/// Takes out a case whose control does not wait for a control of its own.
fn next_held<'a, 'b>(held: &mut Vec<(&'a Case<'b>, Ending)>) -> Option<(&'a Case<'b>, Ending)> {
    let is_ready = |case: &Case<'_>| {
        let control = case.entry.control_id();
        !held.iter().any(|(other, _)| Some(&other.entry.id) == control.as_ref())
    };
    // Controls that wait for each other are nobody's; the first one ends the circle.
    let next = held.iter().position(|(case, _)| is_ready(case)).unwrap_or_default();
    (!held.is_empty()).then(|| held.remove(next))
}

/// A negative whose positive is another check says nothing when that one did not hold, however little that weighs.
fn controlled(case: &Case<'_>, ending: Ending, results: &[CaseResult]) -> Ending {
    let Some(id) = case.entry.control_id() else { return ending };
    if !ending.verdict.is_judged() {
        return ending;
    }
    let held = results
        .iter()
        .filter(|result| result.check == id)
        .filter(|result| result.verdict.is_judged())
        .any(|result| result.mismatches.iter().all(|mismatch| mismatch.grade != Grade::Mismatch));
    if held {
        return ending;
    }
    Ending {
        verdict: Verdict::NotExercised,
        reason: Some(format!("its control {id} did not hold in this run")),
        mismatches: Vec::new(),
        ..ending
    }
}

/// The exchanges of cases that found something: a server error among them has turned a check red already, as has the
/// first of two that were answered to the same step.
fn blamed(results: &[CaseResult]) -> BTreeSet<u32> {
    let found = results.iter().filter(|result| !result.mismatches.is_empty());
    found.flat_map(|result| &result.exchanges).copied().collect()
}

/// The exchanges of cases that do not count, and of no other: what they brought must not turn red what counts.
fn unscored(results: &[CaseResult]) -> BTreeSet<u32> {
    if results.iter().all(|result| result.unscored.is_none()) {
        return BTreeSet::new();
    }
    let of = |scored: bool| {
        let cases = results.iter().filter(move |result| result.unscored.is_none() == scored);
        cases.flat_map(|result| &result.exchanges).copied().collect::<BTreeSet<u32>>()
    };
    &of(false) - &of(true)
}

/// The newer edition that a case came with, where an older one is scored.
fn newer<'a>(case: &Case<'_>, options: &'a Options) -> Option<&'a str> {
    options.edition.as_ref().and_then(|frozen| frozen.newer(&case.name()))
}

/// What a check over all answers does not look at, by number.
struct LeftOut {
    /// Server errors among these.
    if_broken: BTreeSet<u32>,
    /// All of these.
    always: BTreeSet<u32>,
}

/// A check over all well-formed answers of the run. A server error that some other check has called wrong already is
/// left out: one cause, one red.
fn look_over(run: &Run, case: &Case<'_>, archive: &[Arc<Exchange>], left_out: &LeftOut) -> Ending {
    let check = &case.entry.check;
    let Some(over) = &check.over else { return Ending::default() };
    let exchanges: Vec<&Exchange> = archive
        .iter()
        .map(|exchange| &**exchange)
        .filter(|exchange| is_meant(check, over, exchange))
        .filter(|exchange| {
            exchange.outcome() != Outcome::Broken || !left_out.if_broken.contains(&exchange.number)
        })
        .filter(|exchange| !left_out.always.contains(&exchange.number))
        .collect();
    let (sessions, named) = (BTreeMap::new(), BTreeMap::new());
    let values = Values { run, sessions: &sessions, named: &named };
    if exchanges.is_empty() {
        return Ending {
            verdict: Verdict::NotExercised,
            reason: Some("there was no such answer in this run".to_owned()),
            ..Ending::default()
        };
    }
    let mut overall = expect::judge_all(&check.expect, &exchanges, &values);
    for mismatch in &mut overall.mismatches {
        mismatch.actual = run.link.scrub(&mismatch.actual);
    }
    let verdict = case.entry.weight.judge(&overall.mismatches);
    let not_exercised = overall.not_exercised.filter(|_| overall.mismatches.is_empty());
    Ending {
        verdict: if not_exercised.is_some() { Verdict::NotExercised } else { verdict },
        reason: not_exercised,
        exchanges: overall.mismatches.iter().filter_map(|mismatch| mismatch.exchange).collect(),
        mismatches: overall.mismatches,
        ..Ending::default()
    }
}

/// A check by the oracle's table. What other checks found already is a note.
fn ask_oracle(case: &Case<'_>, overview: Overview) -> Ending {
    if overview.judged == 0 {
        return Ending {
            verdict: Verdict::NotExercised,
            reason: Some("no device of this run polled".to_owned()),
            ..Ending::default()
        };
    }
    let elsewhere: Vec<&str> = overview.found_elsewhere.iter().map(String::as_str).collect();
    Ending {
        verdict: case.entry.weight.judge(&overview.mismatches),
        reason: (!elsewhere.is_empty())
            .then(|| format!("found by other checks already: {}", elsewhere.join(", "))),
        exchanges: overview.mismatches.iter().filter_map(|mismatch| mismatch.exchange).collect(),
        mismatches: overview.mismatches,
        ..Ending::default()
    }
}

fn is_meant(check: &Check, over: &Over, exchange: &Exchange) -> bool {
    let manner = exchange.asked.manner;
    let outcome = exchange.outcome();
    over.endpoint.contains(&exchange.asked.endpoint)
        && (over.raw || !manner.raw)
        && (!over.kept_pace || manner.kept_pace)
        && (over.outcome.is_empty() || over.outcome.contains(&outcome))
        // What never came, or came from a limiter or a crash, is the subject only of checks that name it.
        && (!over.outcome.is_empty()
            || !matches!(outcome, Outcome::Broken | Outcome::Limited)
            || mentions(check, None, outcome))
        && over.status.is_none_or(|status| exchange.answer.as_ref().is_ok_and(|answer| answer.status == status))
}

/// Makes the case's result and tells it; a line of the card is no result.
async fn tell(
    run: &Run,
    catalog: &Catalog,
    case: &Case<'_>,
    ending: Ending,
    options: &Options,
) -> Option<CaseResult> {
    let entry = case.entry;
    if case.is_of_card() {
        let line = card_line(run, catalog, entry, ending);
        run.link.tell(Event::Measured(Box::new(line))).await;
        return None;
    }
    let name = case.name();
    let mut mismatches = ending.mismatches;
    for mismatch in &mut mismatches {
        mismatch.actual = run.link.scrub(&mismatch.actual);
    }
    let result = CaseResult {
        suite: entry.suite.clone(),
        check: entry.id.clone(),
        variant: case.variant.map(|variant| variant.variant.clone()),
        title: entry.check.title.clone(),
        weight: entry.weight,
        tally: entry.tally,
        requirements: entry.check.requirements.clone(),
        clause: entry.clause.clone(),
        why: entry.check.why.clone(),
        verdict: if options.strict { ending.verdict.strict() } else { ending.verdict },
        reason: ending.reason.map(|reason| run.link.scrub(&reason)),
        mismatches,
        known: options.known_failures.reason(&name, &entry.id),
        unscored: newer(case, options).map(ToOwned::to_owned),
        exchanges: ending.exchanges,
        took_ms: whole_ms(ending.took),
    };
    run.link.tell(Event::Judged(Box::new(result.clone()))).await;
    Some(result)
}

/// What a measurement came to, or why it came to nothing.
fn card_line(run: &Run, catalog: &Catalog, entry: &Entry, ending: Ending) -> CardLine {
    let reading = match (ending.line, ending.reason) {
        (Some(line), _) => Reading::Measured(run.link.scrub(&line)),
        (None, reason) => {
            Reading::NotMeasured(run.link.scrub(&reason.unwrap_or_else(|| "nothing came of it".to_owned())))
        }
    };
    CardLine {
        key: entry.check.card.clone().unwrap_or_default(),
        place: catalog.entries.iter().position(|known| known.id == entry.id).unwrap_or(usize::MAX),
        check: entry.id.clone(),
        title: entry.check.title.clone(),
        reading,
        exchanges: ending.exchanges,
        took_ms: whole_ms(ending.took),
    }
}

fn whole_ms(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}
