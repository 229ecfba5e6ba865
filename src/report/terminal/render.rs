//! The whole screen of a record, and the two lines it begins with.

use crate::event::{Began, CaseResult};
use crate::record::{RunRecord, plural};
use crate::report::judgement::{is_known, is_unscored};
use crate::report::span;
use crate::verdict::Verdict;

use super::card::card;
use super::finding::finding;
use super::style::{Ink, Style, Verbosity};
use super::summary::{closing, not_exercised, summary};
use super::table::table;
use super::wrap::wrap;

/// The report in 100 columns without colour.
pub(in crate::report) fn write(record: &RunRecord) -> Vec<u8> {
    render(record, &Style::plain(Verbosity::Normal)).into_bytes()
}

/// A whole record, the worst findings first.
#[must_use]
pub fn render(record: &RunRecord, style: &Style) -> String {
    let mut text = record.began.as_ref().map_or_else(String::new, |began| header(began, style));
    let mut cases: Vec<&CaseResult> = record.cases.iter().collect();
    cases.sort_by_key(|case| rank(case));
    let (blocks, remarks) = cases.split_at(cases.partition_point(|case| rank(case) < REMARKS));
    let findings =
        |cases: &[&CaseResult]| -> String { cases.iter().map(|case| finding(case, record, style)).collect() };
    text.push_str(&findings(blocks));
    text.push_str(&paragraph(&findings(remarks)));
    text.push_str(&ending(record, style));
    text.trim_start_matches('\n').to_owned()
}

/// What comes after the findings: the table, the behaviour card, what was left out, the judgement. Begins with an empty line.
#[must_use]
pub fn ending(record: &RunRecord, style: &Style) -> String {
    let table = if record.cases.is_empty() { String::new() } else { table(record, style) };
    [not_exercised(record, style), table, card(record, style), summary(record, style), closing(record, style)]
        .iter()
        .map(|part| paragraph(part))
        .collect()
}

/// What is judged, where, how much, and how long it takes.
#[must_use]
pub fn header(began: &Began, style: &Style) -> String {
    let strict = if began.strict { " · strict" } else { "" };
    let edition = began.edition.as_ref().map_or_else(String::new, |edition| format!(" · edition {edition}"));
    let what = format!("{} at {} · devgrant {}{edition}{strict}", began.target, began.at, began.devgrant);
    let mut lines = wrap(&what, style.text_width());
    lines.extend(wrap(&scope(began), style.text_width()).iter().map(|line| line.replace('\u{a0}', " ")));
    if style.verbose == Verbosity::Verbose {
        lines.extend(
            wrap(&known_times(began), style.text_width()).iter().map(|line| style.paint(Ink::Dim, line)),
        );
    }
    for note in &began.notes {
        lines.extend(
            wrap(&format!("note: {note}"), style.text_width()).iter().map(|line| style.paint(Ink::Dim, line)),
        );
    }
    if let Some(first) = lines.first_mut() {
        *first = style.paint(Ink::Strong, first);
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// `74 checks in 96 cases, 31 by a user's decision (driver: form) · about 34 s`.
fn scope(began: &Began) -> String {
    let mut text = format!("{} {}", began.checks, plural(began.checks, "check", "checks"));
    if began.cases != began.checks {
        text.push_str(&format!(" in {} {}", began.cases, plural(began.cases, "case", "cases")));
    }
    if began.decisions > 0 {
        text.push_str(&format!(", {} by a user's decision", began.decisions));
        if let Some(driver) = &began.driver {
            text.push_str(&format!(" (driver: {driver})"));
        }
    }
    if began.left_out > 0 {
        text.push_str(&format!(" · {} left out, listed below", began.left_out));
    }
    // Milliseconds below 2^53: exact.
    // A length of time is not broken between two lines.
    let about = format!("about {}", span::about(began.estimate_ms as f64)).replace(' ', "\u{a0}");
    text.push_str(&format!(" · {about}"));
    text
}

/// What the server announced and what is tolerated.
fn known_times(began: &Began) -> String {
    let mut parts =
        vec![format!("interval {} s", began.interval_s), format!("lifetime {} s", began.lifetime_s)];
    parts.extend(began.constants.iter().map(|(name, value)| format!("{name} {value}")));
    parts.push(format!("about {} {}", began.requests, plural(began.requests, "request", "requests")));
    parts.join(" · ")
}

/// An empty line and the text; nothing for no text.
fn paragraph(text: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() { String::new() } else { format!("\n{text}\n") }
}

/// The first rank of those that are one line.
const REMARKS: u8 = 5;

/// Blocks before remarks, and among each the worst first.
fn rank(case: &CaseResult) -> u8 {
    match case.verdict {
        Verdict::Fail if is_known(case) => REMARKS,
        Verdict::Fail if is_unscored(case) => 2,
        Verdict::Fail => 0,
        Verdict::Error => 1,
        Verdict::Warn => 2,
        Verdict::Inconclusive => 3,
        Verdict::NotExercised => 4,
        Verdict::Acceptable => 6,
        Verdict::Pass => 7,
        Verdict::Skip => 8,
    }
}
