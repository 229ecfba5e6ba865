//! Markdown, for the summary of a CI step and for a comment: the judgement, then what failed, the rest folded up.

use std::fmt::Write as _;

use super::judgement::{self, is_known};
use super::span;
use super::terminal::{Style, Verbosity, finding};
use crate::event::CaseResult;
use crate::record::RunRecord;
use crate::verdict::Verdict;

/// What a summary may have, in bytes: CI services take a little more than this of one step.
const LARGEST: usize = 900_000;

/// Writes the document, the failures first.
pub(super) fn write(record: &RunRecord) -> Vec<u8> {
    let mut page = Page { text: String::new(), left_out: 0 };
    // Writing to a String cannot fail, here and below.
    let _ = write!(page.text, "## devgrant: {}\n\n", escaped(&judgement::sentence(record)));
    if let Some(began) = &record.began {
        let took = record.ended.as_ref().map(|ended| format!(" · {}", span::about(ended.took_ms as f64)));
        let _ = write!(
            page.text,
            "{} at `{}` · devgrant {}{}\n\n",
            escaped(&began.target),
            began.at,
            began.devgrant,
            took.unwrap_or_default()
        );
    }
    page.counts(record);
    let of = |wanted: fn(&CaseResult) -> bool| record.cases.iter().filter(move |case| wanted(case));
    for case in of(|case| case.verdict == Verdict::Fail && !is_known(case)) {
        page.block(case, record);
    }
    for case in of(|case| case.verdict == Verdict::Error) {
        page.block(case, record);
    }
    page.folded("Warnings", of(|case| case.verdict == Verdict::Warn), |case| {
        let said = case.mismatches.first().map(|first| format!("{}, not {}", first.actual, first.expected));
        said.unwrap_or_else(|| case.title.clone())
    });
    page.folded("Known failures", of(is_known), |case| case.known.clone().unwrap_or_default());
    page.folded("Inconclusive", of(|case| case.verdict == Verdict::Inconclusive), reason);
    page.folded("Not exercised", of(|case| case.verdict == Verdict::NotExercised), reason);
    page.folded("Skipped", of(|case| case.verdict == Verdict::Skip), reason);
    page.card(record);
    if page.left_out > 0 {
        let _ = write!(page.text, "\n{} more are in the record.\n", page.left_out);
    }
    page.text.into_bytes()
}

fn reason(case: &CaseResult) -> String {
    case.reason.clone().unwrap_or_default()
}

struct Page {
    text: String,
    /// Cases that there was no room for.
    left_out: usize,
}

impl Page {
    /// Adds a part, if there is room.
    fn add(&mut self, part: &str) -> bool {
        let fits = self.text.len() + part.len() <= LARGEST;
        if fits {
            self.text.push_str(part);
        }
        fits
    }

    fn counts(&mut self, record: &RunRecord) {
        let counts: Vec<(&str, usize)> =
            Verdict::ALL.iter().map(|verdict| (verdict.word(), record.count(*verdict))).collect();
        let shown: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
        if shown.is_empty() {
            return;
        }
        let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let head = row(shown.iter().map(|(word, _)| (*word).to_owned()).collect());
        let line = row(shown.iter().map(|_| "--:".to_owned()).collect());
        let counts = row(shown.iter().map(|(_, count)| count.to_string()).collect());
        self.add(&format!("{head}{line}{counts}"));
    }

    /// A case in full, with the exchange that shows it.
    fn block(&mut self, case: &CaseResult, record: &RunRecord) {
        let text = finding(case, record, &Style::plain(Verbosity::Verbose));
        let fence = fence(&text);
        let part = format!(
            "\n### {} `{}`\n\n{}\n\n{fence}text\n{}\n{fence}\n",
            case.verdict.word().to_uppercase(),
            case.case(),
            escaped(&case.title),
            text.trim()
        );
        if !self.add(&part) {
            self.left_out += 1;
        }
    }

    /// Many cases, a line each, that are seen when one opens them.
    fn folded<'a>(
        &mut self,
        title: &str,
        cases: impl Iterator<Item = &'a CaseResult>,
        says: impl Fn(&CaseResult) -> String,
    ) {
        let cases: Vec<&CaseResult> = cases.collect();
        if cases.is_empty() {
            return;
        }
        let mut part =
            format!("\n<details><summary>{title}: {}</summary>\n\n| check | |\n| --- | --- |\n", cases.len());
        for case in &cases {
            let _ = writeln!(part, "| `{}` | {} |", case.case(), cell(&says(case)));
        }
        part.push_str("\n</details>\n");
        if !self.add(&part) {
            self.left_out += cases.len();
        }
    }

    fn card(&mut self, record: &RunRecord) {
        let lines: Vec<String> = record
            .card
            .iter()
            .filter_map(|line| Some(format!("| {} | {} |\n", cell(&line.title), cell(line.measured()?))))
            .collect();
        if lines.is_empty() {
            return;
        }
        self.add(&format!(
            "\n<details><summary>How the server behaves where the standards leave it open</summary>\n\n| | |\n| --- | --- \
             |\n{}\n</details>\n",
            lines.concat()
        ));
    }
}

/// A fence that no line of the text ends.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// A text as it stands: no word of a server makes markup here.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => out.extend(['\\', c]),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// The same for a cell of a table.
fn cell(text: &str) -> String {
    escaped(text.trim())
}
