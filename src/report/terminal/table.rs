//! The counts: a row for every suite and one for all.

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, Color, Table};

use crate::event::CaseResult;
use crate::record::RunRecord;
use crate::report::judgement::{is_known, is_unscored};
use crate::verdict::Verdict;

use super::style::{Colour, Ink, Style};
use super::wrap::{columns, wrap};

/// Below this width a table gives way to one line per suite.
const NARROW: usize = 80;

/// What a column counts.
#[derive(Clone, Copy)]
enum Column {
    /// Failures on the list of known failures.
    Known,
    /// Failures of cases that are newer than the edition that is scored.
    Unscored,
    /// Cases with this verdict; known and unscored failures are no failures here.
    Verdict(Verdict),
}

/// The columns from left to right. Those behind `not exercised` are shown only when there is something to count.
const COLUMNS: [Column; 10] = [
    Column::Verdict(Verdict::Pass),
    Column::Verdict(Verdict::Acceptable),
    Column::Verdict(Verdict::Warn),
    Column::Verdict(Verdict::Fail),
    Column::Verdict(Verdict::Skip),
    Column::Verdict(Verdict::NotExercised),
    Column::Verdict(Verdict::Inconclusive),
    Column::Verdict(Verdict::Error),
    Column::Known,
    Column::Unscored,
];

impl Column {
    const fn word(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Unscored => "unscored",
            Self::Verdict(verdict) => verdict.word(),
        }
    }

    const fn is_rare(self) -> bool {
        matches!(self, Self::Known | Self::Unscored | Self::Verdict(Verdict::Inconclusive | Verdict::Error))
    }

    const fn ink(self) -> Ink {
        match self {
            Self::Known | Self::Unscored => Ink::Warn,
            Self::Verdict(verdict) => Ink::of(verdict),
        }
    }

    fn counts(self, case: &CaseResult) -> bool {
        match self {
            Self::Known => is_known(case),
            Self::Unscored => is_unscored(case),
            Self::Verdict(verdict) => case.verdict == verdict && !is_known(case) && !is_unscored(case),
        }
    }
}

/// How the words above the columns are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heads {
    OneLine,
    /// Words of two words in two lines, to save columns.
    TwoLines,
}

/// A row: its name and a number for each column.
struct Row<'a> {
    name: &'a str,
    counts: Vec<usize>,
}

/// The counts of every suite, in run order, and of all.
#[must_use]
pub fn table(record: &RunRecord, style: &Style) -> String {
    let shown: Vec<Column> = COLUMNS
        .into_iter()
        .filter(|column| !column.is_rare() || record.cases.iter().any(|case| column.counts(case)))
        .collect();
    let rows = rows(record, &shown);
    if style.width >= NARROW {
        for heads in [Heads::OneLine, Heads::TwoLines] {
            let plain = drawn(&shown, &rows, heads, Colour::Off);
            if plain.lines().all(|line| columns(line) <= style.width) {
                return if style.colour == Colour::Off {
                    plain
                } else {
                    drawn(&shown, &rows, heads, Colour::On)
                };
            }
        }
    }
    let name = rows.iter().map(|row| columns(row.name)).max().unwrap_or_default();
    rows.iter().map(|row| one_line(row, name, &shown, style)).collect()
}

fn rows<'a>(record: &'a RunRecord, shown: &[Column]) -> Vec<Row<'a>> {
    let mut suites: Vec<&str> = Vec::new();
    let told = record.began.iter().flat_map(|began| &began.suites);
    suites.extend(told.map(String::as_str).filter(|id| record.cases.iter().any(|case| case.suite == *id)));
    for case in &record.cases {
        if !suites.contains(&case.suite.as_str()) {
            suites.push(&case.suite);
        }
    }
    let count = |column: &Column, suite: Option<&str>| {
        let of_suite = |case: &&CaseResult| suite.is_none_or(|suite| case.suite == suite);
        record.cases.iter().filter(of_suite).filter(|case| column.counts(case)).count()
    };
    suites
        .into_iter()
        .map(|suite| (suite, Some(suite)))
        .chain([("total", None)])
        .map(|(name, suite)| Row { name, counts: shown.iter().map(|column| count(column, suite)).collect() })
        .collect()
}

fn drawn(shown: &[Column], rows: &[Row<'_>], heads: Heads, colour: Colour) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    match colour {
        Colour::Off => table.force_no_tty(),
        Colour::On => table.enforce_styling(),
    };
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let head = |column: &Column| match heads {
        Heads::OneLine => right(column.word().to_owned()),
        Heads::TwoLines => right(column.word().replace(' ', "\n")),
    };
    table.set_header([Cell::new("suite")].into_iter().chain(shown.iter().map(head)));
    for row in rows {
        let is_total = row.name == "total";
        let strong = |cell: Cell| if is_total { cell.add_attribute(Attribute::Bold) } else { cell };
        table.add_row([strong(Cell::new(row.name))].into_iter().chain(shown.iter().zip(&row.counts).map(
            |(column, count)| {
                let cell = strong(right(if *count == 0 { "–".to_owned() } else { count.to_string() }));
                match column.ink() {
                    Ink::Fail if *count > 0 => cell.fg(Color::Red),
                    Ink::Warn if *count > 0 => cell.fg(Color::Yellow),
                    _ => cell,
                }
            },
        )));
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// `token-response  38 pass, 3 acceptable, 2 skip`.
fn one_line(row: &Row<'_>, name: usize, shown: &[Column], style: &Style) -> String {
    let parts: Vec<String> = shown
        .iter()
        .zip(&row.counts)
        .filter(|(_, count)| **count > 0)
        // A count stays on one line with its word.
        .map(|(column, count)| format!("{count} {}", column.word()).replace(' ', "\u{a0}"))
        .collect();
    wrap(&parts.join(", "), style.text_width().saturating_sub(name + 3))
        .iter()
        .enumerate()
        .map(|(index, line)| (if index == 0 { row.name } else { "" }, line.replace('\u{a0}', " ")))
        .map(|(label, line)| format!(" {label:name$}  {line}\n"))
        .collect()
}
