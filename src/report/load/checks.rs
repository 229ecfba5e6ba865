//! The checks that were played beside a load run: what is red under load alone, and what cannot be said.

use super::ending::{LABEL, lines};
use crate::record::plural;
use crate::report::terminal::{Ink, Style, Verbosity, labelled, wrap};
use crate::tally::{LoadRecord, Machine, REPEATS, RedCase, UnderLoad};

/// So many reasons are shown why cases were not judged, unless all are asked for.
const REASONS: usize = 5;

/// A line, and how it is painted.
type Painted = (String, Option<Ink>);

/// The section; empty where no checks were played.
///
/// ```text
///  checks        12 cases compared, 3 of 3 repeats under load: 1 is red under load alone
///                token-response/pending-before-decision  Before the decision polls are pending
///                  repeat 1: expected outcome pending, came 400  {"error":"expired_token"}
/// ```
pub(super) fn checks(record: &LoadRecord, style: &Style) -> String {
    let Some(found) = record.under_load() else { return String::new() };
    let say = |text: &str, ink: Ink| -> Vec<Painted> {
        lines(text, style).into_iter().map(|(line, _)| (line, Some(ink))).collect()
    };
    let mut all = lines(&head(&found), style);
    if let Some(doubt) = &found.doubt {
        all.extend(say(&format!("nothing can be said: {doubt}"), Ink::Warn));
    }
    for (number, why) in &found.void {
        all.extend(say(&format!("repeat {number} does not count: {why}"), Ink::Warn));
    }
    for case in &found.findings {
        all.extend(say(&format!("{}  {}", case.case, case.title), Ink::Fail));
        all.extend(occurrences(case, style));
    }
    for (what, cases) in [
        ("red in one repeat, which is no finding", names(&found.once)),
        ("red under load, and not judged without it", names(&found.unfounded)),
        ("red without load, which says nothing about load", found.red_anyway.join(", ")),
    ] {
        if !cases.is_empty() {
            all.extend(say(&format!("{what}: {cases}"), Ink::Warn));
        }
    }
    for line in not_judged(&found, style) {
        all.extend(say(&line, Ink::Dim));
    }
    if let Some(line) = shared(record, &found) {
        all.extend(say(&line, Ink::Warn));
    }
    labelled("checks", &all, style)
}

fn head(found: &UnderLoad) -> String {
    let red = match (found.findings.len(), &found.doubt) {
        (0, Some(_)) => String::new(),
        (0, None) => ": none is red under load alone".to_owned(),
        (red, _) => format!(": {red} {} red under load alone", plural(red, "is", "are")),
    };
    let cores = found.cores.map_or_else(String::new, |cores| format!(" · {cores:.2} of a core"));
    format!(
        "{} {} compared, {} of {REPEATS} repeats under load{red}{cores}",
        found.compared,
        plural(found.compared, "case", "cases"),
        found.repeats
    )
}

fn names(cases: &[RedCase]) -> String {
    cases.iter().map(|case| case.case.as_str()).collect::<Vec<_>>().join(", ")
}

/// What was expected and what came, in each repeat.
fn occurrences(case: &RedCase, style: &Style) -> Vec<Painted> {
    let room = style.text_width().saturating_sub(LABEL + 4);
    let mut all = Vec::new();
    for (number, mismatches) in &case.red {
        for mismatch in mismatches {
            let text = format!("repeat {number}: expected {}, came {}", mismatch.expected, mismatch.actual);
            let lines = wrap(&text, room).into_iter().enumerate();
            all.extend(lines.map(|(nth, line)| {
                let indent = if nth == 0 { 2 } else { 4 };
                (format!("{:indent$}{line}", ""), Some(Ink::Dim))
            }));
        }
    }
    all
}

/// `not judged under load: security/guess-limit (not exercised: destructive)`, by reason
fn not_judged(found: &UnderLoad, style: &Style) -> Vec<String> {
    let mut reasons: Vec<_> = found.not_judged.iter().collect();
    reasons.sort_by_key(|(_, cases)| std::cmp::Reverse(cases.len()));
    let most = if style.verbose == Verbosity::Verbose { usize::MAX } else { REASONS };
    let left: usize = reasons.iter().skip(most).map(|(_, cases)| cases.len()).sum();
    let mut all: Vec<String> = reasons
        .iter()
        .take(most)
        .map(|(reason, cases)| {
            let first = cases.first().map_or("", String::as_str);
            let who = match cases.len() {
                1 => first.to_owned(),
                many if style.verbose == Verbosity::Verbose => format!("{many}: {}", cases.join(", ")),
                many => format!("{first} and {} more", many - 1),
            };
            format!("not judged under load: {who} ({})", reason.replace('\n', " "))
        })
        .collect();
    if left > 0 {
        all.push(format!("not judged under load: {left} more, for other reasons (-v)"));
    }
    all
}

/// That the generator may have been late because of the checks: it was the limit, and they had no core of their own.
fn shared(record: &LoadRecord, found: &UnderLoad) -> Option<String> {
    let is_limit = record.ended.as_ref().is_some_and(|ended| !ended.limit.is_empty());
    let machine = record.began.as_ref().map(|began| &began.machine)?;
    let is_played = found.repeats > 0 || !found.void.is_empty();
    (is_limit && is_played && !is_apart(machine)).then(|| {
        "the checks had no core of their own, and the generator may have been late because of them: play the load \
         without them to know its times"
            .to_owned()
    })
}

/// Do the checks keep off the cores of the shards?
fn is_apart(machine: &Machine) -> bool {
    let is_pinned = !machine.pinned.is_empty() && !machine.checks_pinned.is_empty();
    is_pinned && !machine.checks_pinned.iter().any(|core| machine.pinned.contains(core))
}
