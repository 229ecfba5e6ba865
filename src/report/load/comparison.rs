//! Two load records beside each other, for people and for programs.

use crate::report::comparison::{document, head};
use crate::report::span;
use crate::report::terminal::{Ink, Style, wrap};
use crate::tally::{LoadComparison, LoadRecord, Row};

/// For people: what is worse first, then everything that both have.
#[must_use]
pub fn text(a: &LoadRecord, b: &LoadRecord, comparison: &LoadComparison, style: &Style) -> String {
    let what = |record: &LoadRecord| {
        record.began.as_ref().map_or_else(String::new, |began| {
            format!(
                "{}, {} at {} · devgrant {} · {}",
                began.scenario, began.target, began.endpoint, began.devgrant, began.at
            )
        })
    };
    let mut text = head(&[what(a), what(b)], &comparison.doubts, style);
    text.push('\n');
    let width = comparison.rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0).min(48);
    for row in &comparison.rows {
        text.push_str(&line(row, width, style));
    }
    let count = comparison.rows.iter().filter(|row| row.is_worse).count();
    let (ink, sentence, exit) = match count {
        0 => (Ink::Pass, "B is not worse than A.".to_owned(), 0),
        1 => (Ink::Fail, "B is worse than A in 1 figure.".to_owned(), 1),
        many => (Ink::Fail, format!("B is worse than A in {many} figures."), 1),
    };
    text.push_str(&format!("\n{} · exit {exit}\n", style.paint(ink, &sentence)));
    text
}

fn line(row: &Row, width: usize, style: &Style) -> String {
    let shown = |value: f64| match row.unit {
        "us" => span::took(value / 1000.0),
        "%" => format!("{value:.2} %"),
        "/s" => format!("{value:.1}/s"),
        _ => format!("{value:.0}"),
    };
    let ratio = if row.before > 0.0 && row.unit != "%" {
        format!("x {:.2}", row.after / row.before)
    } else {
        String::new()
    };
    let label = if row.is_worse { "WORSE" } else { "" };
    let mut lines = wrap(&row.what, width.max(16)).into_iter();
    let first = lines.next().unwrap_or_default();
    let line =
        format!(" {label:<6} {first:<width$}  {:>10}  {:>10}  {ratio}", shown(row.before), shown(row.after));
    let mut text =
        if row.is_worse { style.paint(Ink::Fail, line.trim_end()) } else { line.trim_end().to_owned() };
    text.push('\n');
    for more in lines {
        text.push_str(&format!("        {more}\n"));
    }
    text
}

/// For programs: one JSON document with every figure.
#[must_use]
pub fn json(comparison: &LoadComparison) -> String {
    document(comparison.is_worse(), comparison)
}
