//! What stands below the table: what was left out, how much was covered, and the judgement.

use crate::event::{CaseResult, Coverage};
use crate::outcome::Outcome;
use crate::record::{RunRecord, plural};
use crate::report::{judgement, span};
use crate::verdict::Verdict;

use super::style::{Ink, Style, Verbosity};
use super::wrap::{clean, columns, wrap};

/// How wide the labels of the lines below the table are.
const LABEL: usize = 13;

/// How far the lines of a block are set in.
const INDENT: usize = 6;

/// Everything between the table and the judgement, in order.
#[must_use]
pub fn summary(record: &RunRecord, style: &Style) -> String {
    [
        remarks(record, style),
        limited(record, style),
        alone(record, style),
        left_out(record, style),
        never_came_out(record, style),
        stale_known(record, style),
        coverage(record, style),
        next(record, style),
    ]
    .concat()
}

/// How often a limiter answered, which no check counts as a failure of the server.
fn limited(record: &RunRecord, style: &Style) -> String {
    let count = record.exchanges.values().filter(|exchange| exchange.outcome == Outcome::Limited).count();
    if count == 0 {
        return String::new();
    }
    let text = format!(
        "{count} {} of a rate limiter, waited out; fewer --jobs meet fewer",
        plural(count, "answer", "answers")
    );
    labelled("limited", &[(text, None)], style)
}

/// What was played once more with nothing beside it, which comes on top of the longest case.
fn alone(record: &RunRecord, style: &Style) -> String {
    let Some(again) = record.ended.as_ref().and_then(|ended| ended.alone).filter(|again| again.cases > 0)
    else {
        return String::new();
    };
    let text = format!(
        "{} {} played or repeated by themselves, {}",
        again.cases,
        plural(again.cases, "case was", "cases were"),
        // Milliseconds below 2^53: exact.
        span::about(again.took_ms as f64)
    );
    labelled("alone", &[(text, None)], style)
}

/// The cases left out beforehand, by reason, the most frequent first; with `-v` which they are.
#[must_use]
pub fn left_out(record: &RunRecord, style: &Style) -> String {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for case in record.cases.iter().filter(|case| case.verdict == Verdict::Skip) {
        let reason = case.reason.as_deref().unwrap_or("no reason given");
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, cases)) => cases.push(case.case()),
            None => reasons.push((reason, vec![case.case()])),
        }
    }
    reasons.sort_by_key(|(_, cases)| std::cmp::Reverse(cases.len()));
    let digits = reasons.first().map_or(0, |(_, cases)| cases.len().to_string().len());
    let mut lines = Vec::new();
    for (reason, cases) in reasons {
        let room = style.text_width() - LABEL - 1 - digits - 2;
        let more = if style.verbose == Verbosity::Verbose { cases.as_slice() } else { &[] };
        for (index, line) in wrap(reason, room).iter().enumerate() {
            let count = if index == 0 { cases.len().to_string() } else { String::new() };
            lines.push((format!("{count:>digits$}  {line}"), None));
        }
        lines.extend(more.iter().map(|case| (format!("{:digits$}    {case}", ""), Some(Ink::Dim))));
    }
    labelled("left out", &lines, style)
}

/// The cases that were not exercised, together by what was in their way; with `-v` each is a finding of its own.
#[must_use]
pub(super) fn not_exercised(record: &RunRecord, style: &Style) -> String {
    let mut causes: Vec<(String, &str, Vec<&CaseResult>)> = Vec::new();
    if style.verbose == Verbosity::Normal {
        for case in record.cases.iter().filter(|case| case.verdict == Verdict::NotExercised) {
            let reason = case.reason.as_deref().unwrap_or("no reason given");
            // The number of the exchange is all that tells two cases of one cause apart.
            let cause: String = reason.chars().filter(|c| !c.is_ascii_digit()).collect();
            match causes.iter_mut().find(|(known, ..)| *known == cause) {
                Some((.., cases)) => cases.push(case),
                None => causes.push((cause, reason, vec![case])),
            }
        }
    }
    causes.sort_by_key(|(.., cases)| std::cmp::Reverse(cases.len()));
    let mut text = String::new();
    for (_, reason, cases) in causes {
        let label = "NOT EXERCISED";
        let count = cases.len();
        let head = format!(
            "{count} {} of which nothing can be said{}",
            plural(count, "case", "cases"),
            style.hint(" (-v shows each)"),
        );
        text.push_str(&format!("{}  {head}\n", style.paint(Ink::of(Verdict::NotExercised), label)));
        for line in wrap(&format!("reason  {}", clean(reason)), style.text_width() - INDENT) {
            text.push_str(&format!("{:INDENT$}{line}\n", ""));
        }
        for case in cases {
            text.push_str(&format!("{:INDENT$}{}\n", "", style.paint(Ink::Dim, &clean(&case.case()))));
        }
        text.push('\n');
    }
    text
}

/// The documents whose coverage everybody wants to know; the others are one sum unless `-v` asks for each.
const MAIN_DOCUMENTS: [&str; 2] = ["RFC 8628", "RFC 6749"];

/// How many of the requirements that can be judged from outside were judged, by document.
#[must_use]
pub fn coverage(record: &RunRecord, style: &Style) -> String {
    let all = record.ended.as_ref().map_or(&[][..], |ended| &ended.coverage);
    let is_main = |of: &&Coverage| MAIN_DOCUMENTS.contains(&of.document.as_str());
    let mut shown: Vec<Coverage> = all.to_vec();
    let others: Vec<&Coverage> = all.iter().filter(|of| !is_main(of)).collect();
    if style.verbose == Verbosity::Normal && others.len() > 1 {
        shown.retain(|of| is_main(&of));
        shown.push(Coverage {
            document: format!("{} others", others.len()),
            judged: others.iter().map(|of| of.judged).sum(),
            testable: others.iter().map(|of| of.testable).sum(),
        });
    }
    let name = shown.iter().map(|of| columns(&of.document)).max().unwrap_or_default();
    let digits = shown.iter().map(|of| of.testable.to_string().len()).max().unwrap_or_default();
    let lines: Vec<_> = shown
        .iter()
        .enumerate()
        .map(|(index, of)| {
            let what = if index == 0 { " testable server requirements judged" } else { "" };
            let text =
                format!("{:name$}  {:>digits$} of {:>digits$}{what}", of.document, of.judged, of.testable);
            (text, None)
        })
        .collect();
    labelled("coverage", &lines, style)
}

/// The judgement in words, and at the right how long it took and the exit code.
#[must_use]
pub fn closing(record: &RunRecord, style: &Style) -> String {
    let code = record.exit_code();
    let sentence = judgement::sentence(record);
    let ink = match code {
        0 if record.count(Verdict::Warn) == 0
            && judgement::known(record) == 0
            && judgement::unscored(record) == 0 =>
        {
            Ink::Pass
        }
        0 | 130 => Ink::Warn,
        _ => Ink::Fail,
    };
    let exit = format!("exit {code}");
    // Milliseconds below 2^53: exact.
    let facts = record
        .ended
        .as_ref()
        .map_or_else(|| exit.clone(), |ended| format!("{} · {exit}", span::took(ended.took_ms as f64)));
    let width = style.text_width();
    let mut lines = wrap(&sentence, width);
    let last = lines.pop().unwrap_or_default();
    let mut text: String = lines.iter().map(|line| style.paint(ink, line) + "\n").collect();
    let room = width.saturating_sub(columns(&facts));
    if columns(&last) + 2 <= room {
        let gap = room - columns(&last);
        text.push_str(&format!("{}{:gap$}{}\n", style.paint(ink, &last), "", style.paint(Ink::Dim, &facts)));
    } else {
        text.push_str(&format!(
            "{}\n{:room$}{}\n",
            style.paint(ink, &last),
            "",
            style.paint(Ink::Dim, &facts)
        ));
    }
    text
}

fn remarks(record: &RunRecord, style: &Style) -> String {
    let n = record.count(Verdict::Acceptable);
    if n == 0 || style.verbose == Verbosity::Verbose {
        return String::new();
    }
    let text = format!(
        "{n} {}{}",
        plural(n, "case with a remark", "cases with a remark"),
        style.hint(": -v shows why")
    );
    labelled("acceptable", &[(text, None)], style)
}

fn never_came_out(record: &RunRecord, style: &Style) -> String {
    let entries = record.ended.as_ref().map_or(&[][..], |ended| &ended.never_came_out);
    let mut lines = bulleted(entries, style);
    if !entries.is_empty() {
        let help = "declared in the target file: take it out there, or see with devgrant login what stands in the way";
        lines.extend(help_lines(help, style));
    }
    labelled("never seen", &lines, style)
}

fn stale_known(record: &RunRecord, style: &Style) -> String {
    let entries = record.ended.as_ref().map_or(&[][..], |ended| &ended.stale_known);
    let mut lines = bulleted(entries, style);
    if !entries.is_empty() {
        let help = plural(
            entries.len(),
            "take it off the list of known failures, or mend its id or its day",
            "take them off the list of known failures, or mend their ids or their days",
        );
        lines.extend(help_lines(help, style));
    }
    labelled("stale known", &lines, style)
}

/// What to type next where the findings do not say it.
fn next(record: &RunRecord, style: &Style) -> String {
    let help = match record.exit_code() {
        3 => "devgrant login --target FILE plays the flow once and says what stands in the way",
        130 if record.ended.is_none() => "the process ended early: run devgrant check again",
        _ => return String::new(),
    };
    if style.hint(help).is_empty() {
        String::new()
    } else {
        labelled("next", &[(help.to_owned(), None)], style)
    }
}

fn bulleted(entries: &[String], style: &Style) -> Vec<(String, Option<Ink>)> {
    entries
        .iter()
        .flat_map(|entry| wrap(entry, style.text_width() - LABEL - 1))
        .map(|line| (line, Some(Ink::Fail)))
        .collect()
}

fn help_lines(help: &str, style: &Style) -> Vec<(String, Option<Ink>)> {
    wrap(help, style.text_width() - LABEL - 1).into_iter().map(|line| (line, None)).collect()
}

/// Lines under one label; nothing when there are none.
pub(in crate::report) fn labelled(label: &str, lines: &[(String, Option<Ink>)], style: &Style) -> String {
    lines
        .iter()
        .enumerate()
        .map(|(index, (line, ink))| {
            let label = style.paint(Ink::Dim, &format!("{:LABEL$}", if index == 0 { label } else { "" }));
            let line = ink.map_or_else(|| line.clone(), |ink| style.paint(ink, line));
            format!(" {label}{line}\n")
        })
        .collect()
}
