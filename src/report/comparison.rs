//! Two records beside each other, for people and for programs.

use serde::Serialize;

use crate::compare::{CaseChange, Comparison, Direction, LineChange, Lone};
use crate::event::Reading;
use crate::record::{RunRecord, plural};

use super::terminal::{Ink, Style, clean, wrap};

/// The version of the JSON document's shape.
const VERSION: u32 = 1;

/// How far the lines below a heading are set in.
const INDENT: usize = 9;

/// How many cases that only one record has are named.
const MOST_LONE: usize = 10;

/// For people: which two records, what is worse, better and different, and the judgement.
#[must_use]
pub fn text(a: &RunRecord, b: &RunRecord, comparison: &Comparison, style: &Style) -> String {
    let mut parts = vec![heads(a, b, comparison, style)];
    parts.extend(comparison.cases.iter().map(|change| case(change, style)));
    parts.push(card(&comparison.card, style));
    parts.push(lone("A", &comparison.only_in_a, style));
    parts.push(lone("B", &comparison.only_in_b, style));
    parts.push(closing(comparison, style));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// For programs: one JSON document with everything that differs.
#[must_use]
pub fn json(comparison: &Comparison) -> String {
    document(comparison.is_worse(), comparison)
}

/// A comparison for programs, of whatever records.
pub(super) fn document(worse: bool, comparison: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Document<'a, T> {
        version: u32,
        worse: bool,
        #[serde(flatten)]
        comparison: &'a T,
    }
    let document = Document { version: VERSION, worse, comparison };
    // Every map has words as keys and writing into memory cannot fail.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn heads(a: &RunRecord, b: &RunRecord, comparison: &Comparison, style: &Style) -> String {
    let what = |record: &RunRecord| {
        record.began.as_ref().map_or_else(
            || "a record without a beginning".to_owned(),
            |began| {
                format!("{} at {} · devgrant {} · {}", began.target, began.at, began.devgrant, began.started)
            },
        )
    };
    head(&[what(a), what(b)], &comparison.doubts, style)
}

/// Which two records, and why a difference may not be the server's.
pub(super) fn head(records: &[String; 2], doubts: &[String], style: &Style) -> String {
    let mut text = String::new();
    for (name, what) in ["A", "B"].into_iter().zip(records) {
        for (index, line) in wrap(what, style.text_width() - 3).iter().enumerate() {
            let name = if index == 0 { name } else { " " };
            text.push_str(&format!("{}  {line}\n", style.paint(Ink::Strong, name)));
        }
    }
    for doubt in doubts {
        for line in wrap(&format!("note: {doubt}"), style.text_width()) {
            text.push_str(&format!("{}\n", style.paint(Ink::Warn, &line)));
        }
    }
    text
}

fn case(change: &CaseChange, style: &Style) -> String {
    let (label, ink) = match change.direction {
        Direction::Worse => ("WORSE", Ink::Fail),
        Direction::Better => ("BETTER", Ink::Pass),
        Direction::Changed => ("CHANGED", Ink::Dim),
    };
    let mut text = format!("{}{}\n", style.paint(ink, &format!("{label:INDENT$}")), clean(&change.case));
    let weight = format!("{} · {}", change.weight.label(), change.clause);
    let mut row = |line: &str| {
        for line in wrap(line, style.text_width() - INDENT) {
            text.push_str(&format!("{:INDENT$}{line}\n", ""));
        }
    };
    // A failure that is known in one record and not in the other has one word.
    let verdicts = if change.before == change.after {
        format!("{}, which is known in one of them only   {weight}", change.after)
    } else {
        format!("{} → {}   {weight}", change.before, change.after)
    };
    row(&verdicts);
    row(&change.title);
    if let Some(because) = &change.because {
        row(&format!("in B: {because}"));
    }
    text
}

fn card(changes: &[LineChange], style: &Style) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let said = |reading: &Reading| match reading {
        Reading::Measured(text) => text.clone(),
        Reading::NotMeasured(reason) => format!("not measured: {reason}"),
    };
    let mut text = format!("{}\n", style.paint(Ink::Strong, "Behaviour, which is neither right nor wrong"));
    for change in changes {
        text.push_str(&format!("  {}\n", clean(&change.title)));
        for (name, reading) in [("A", &change.before), ("B", &change.after)] {
            for (index, line) in wrap(&said(reading), style.text_width() - 7).iter().enumerate() {
                let name = if index == 0 { name } else { " " };
                text.push_str(&format!("    {}  {line}\n", style.paint(Ink::Dim, name)));
            }
        }
    }
    text
}

fn lone(name: &str, cases: &[Lone], style: &Style) -> String {
    if cases.is_empty() {
        return String::new();
    }
    let n = cases.len();
    let mut text = format!("Only {name} has {n} {}\n", plural(n, "case", "cases"));
    for Lone { case, verdict } in cases.iter().take(MOST_LONE) {
        text.push_str(&format!("  {}  {}\n", clean(case), style.paint(Ink::of(*verdict), verdict.word())));
    }
    if n > MOST_LONE {
        text.push_str(&format!("  and {} more, all of them with --format json\n", n - MOST_LONE));
    }
    text
}

fn closing(comparison: &Comparison, style: &Style) -> String {
    let count = |direction, word: &str| {
        let n = comparison.count(direction);
        (n > 0).then(|| format!("{n} {} {word}", plural(n, "case is", "cases are")))
    };
    let lines = comparison.card.len();
    let card = (lines > 0).then(|| {
        format!("{lines} {}", plural(lines, "line of the card differs", "lines of the card differ"))
    });
    let parts: Vec<String> = [
        count(Direction::Worse, "worse"),
        count(Direction::Better, "better"),
        count(Direction::Changed, "otherwise"),
        card,
    ]
    .into_iter()
    .flatten()
    .collect();
    let counts = if parts.is_empty() { "nothing differs".to_owned() } else { parts.join(", ") };
    let (word, ink, code) =
        if comparison.is_worse() { ("B is worse", Ink::Fail, 1) } else { ("B is not worse", Ink::Pass, 0) };
    let mut lines = wrap(&format!("{word}: {counts}. exit {code}"), style.text_width());
    for line in &mut lines {
        *line = style.paint(ink, line);
    }
    lines.join("\n") + "\n"
}
