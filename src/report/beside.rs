//! Any number of records of check runs beside each other: what each server is, what the verdicts come to, and the
//! behaviour cards. As Markdown, for a page that people read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::judgement::is_known;
use super::span;
use crate::event::{CardLine, CaseResult};
use crate::record::RunRecord;
use crate::verdict::Verdict;

/// Verdicts in the order of the table, each with what it is called there.
const COUNTED: [(Verdict, &str); 8] = [
    (Verdict::Pass, "pass"),
    (Verdict::Acceptable, "acceptable"),
    (Verdict::Warn, "warn"),
    (Verdict::Fail, "fail"),
    (Verdict::Error, "error"),
    (Verdict::Inconclusive, "inconclusive"),
    (Verdict::NotExercised, "not exercised"),
    (Verdict::Skip, "skipped"),
];

/// The page, without a title: three tables, and what is known to fail with its reason.
#[must_use]
pub fn page(records: &[RunRecord]) -> String {
    let mut out = String::new();
    row(&mut out, "", records, name);
    row(&mut out, "---", records, |_| "---".to_owned());
    row(&mut out, "devgrant", records, |record| began(record, |began| began.devgrant.clone()));
    row(&mut out, "run", records, |record| began(record, |began| began.started.clone()));
    row(&mut out, "interval, lifetime", records, |record| {
        began(record, |began| format!("{} s, {} s", began.interval_s, began.lifetime_s))
    });
    row(&mut out, "approval driver", records, |record| {
        began(record, |began| began.driver.clone().unwrap_or_else(|| "none".to_owned()))
    });
    row(&mut out, "took", records, |record| {
        // Milliseconds below 2^53: exact.
        record.ended.as_ref().map_or_else(String::new, |ended| span::about(ended.took_ms as f64))
    });
    for (verdict, label) in COUNTED {
        let count = |record: &RunRecord| {
            record.cases.iter().filter(|case| case.verdict == verdict && !is_known(case)).count()
        };
        if verdict == Verdict::Error && records.iter().all(|record| count(record) == 0) {
            continue;
        }
        row(&mut out, label, records, |record| count(record).to_string());
        if verdict == Verdict::Fail {
            row(&mut out, "fail, known", records, |record| known(record).count().to_string());
        }
    }
    cards(&mut out, records);
    warnings(&mut out, records);
    for record in records {
        let mut reasons: Vec<(String, &str)> =
            known(record).map(|case| (case.case(), case.known.as_deref().unwrap_or_default())).collect();
        reasons.sort_unstable();
        if reasons.is_empty() {
            continue;
        }
        // Writing to a String cannot fail, here and below.
        let _ = write!(out, "\n## Known failures: {}\n\n| check | why |\n| --- | --- |\n", name(record));
        for (case, reason) in reasons {
            let _ = writeln!(out, "| `{case}` | {} |", cell(reason));
        }
    }
    out
}

/// The behaviour cards: a line for each that any server has.
fn cards(out: &mut String, records: &[RunRecord]) {
    let mut lines: BTreeMap<usize, &CardLine> = BTreeMap::new();
    for line in records.iter().flat_map(|record| &record.card).filter(|line| line.measured().is_some()) {
        lines.entry(line.place).or_insert(line);
    }
    out.push_str(
        "\n## Behaviour\n\nWhat each does where the standards leave it open: neither right nor wrong.\n\n",
    );
    row(out, "", records, name);
    row(out, "---", records, |_| "---".to_owned());
    for line in lines.values() {
        row(out, &line.title, records, |record| {
            let own = record.card.iter().find(|own| own.key == line.key);
            own.and_then(CardLine::measured).unwrap_or("–").to_owned()
        });
    }
}

/// What any server is warned of, and which.
fn warnings(out: &mut String, records: &[RunRecord]) {
    let mut warned: BTreeMap<String, &CaseResult> = BTreeMap::new();
    for case in records.iter().flat_map(|record| &record.cases).filter(|case| case.verdict == Verdict::Warn) {
        warned.entry(case.case()).or_insert(case);
    }
    if warned.is_empty() {
        return;
    }
    out.push_str(
        "\n## Warnings\n\nWhat is true of a good server, and not of each of these; no MUST is behind it.\n\n",
    );
    row(out, "", records, name);
    row(out, "---", records, |_| "---".to_owned());
    for (case, first) in warned {
        row(out, &format!("{} (`{case}`)", first.title), records, |record| {
            let own = record.cases.iter().find(|own| own.case() == case);
            own.map_or("–", |own| own.verdict.word()).to_owned()
        });
    }
}

fn known(record: &RunRecord) -> impl Iterator<Item = &CaseResult> {
    record.cases.iter().filter(|case| is_known(case))
}

fn name(record: &RunRecord) -> String {
    began(record, |began| began.target.clone())
}

fn began(record: &RunRecord, of: impl Fn(&crate::event::Began) -> String) -> String {
    record.began.as_ref().map_or_else(String::new, of)
}

fn row(out: &mut String, label: &str, records: &[RunRecord], of: impl Fn(&RunRecord) -> String) {
    let cells: Vec<String> = records.iter().map(|record| cell(&of(record))).collect();
    let _ = writeln!(out, "| {} | {} |", cell(label), cells.join(" | "));
}

/// A text that ends no cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
