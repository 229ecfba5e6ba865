//! `devgrant coverage`: how much of the standards is judged, by what, and why the rest is not.

use std::fmt::Write as _;

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, Table};
use serde::Serialize;

use super::console::Console;
use super::exit::Exit;
use super::files;
use crate::catalog::Catalog;
use crate::coverage::{self, Count, Standing};
use crate::generated;
use crate::record::plural;
use crate::report::terminal::{columns, wrap};
use crate::requirement::Requirement;

/// The version of the JSON document's shape.
const VERSION: u32 = 1;

/// With less room a reason goes on a line of its own.
const NARROWEST_REASON: usize = 40;

/// A column: its head, the same in words, and what it counts.
type Column = (&'static str, &'static str, fn(&Count) -> usize);

/// The columns from left to right.
const COLUMNS: [Column; 5] = [
    ("rows", "rows", |count| count.rows),
    ("testable", "testable", |count| count.testable),
    ("check", "by a check", |count| count.checks),
    ("device test", "by a device test", |count| count.device_tests),
    ("uncovered", "uncovered", |count| count.uncovered),
];

/// Show how much of the standards is judged, by what, and why the rest is not.
#[derive(Debug, clap::Args)]
pub(super) struct Coverage {
    /// As text, for programs, or as docs/coverage.md
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Json,
    Markdown,
    Text,
}

impl Coverage {
    pub(super) fn run(self, console: &Console) -> Exit {
        let catalog = match Catalog::builtin() {
            Ok(catalog) => catalog,
            Err(diagnostics) => {
                files::show(console, &diagnostics, 1);
                return Exit::Usage;
            }
        };
        let coverage = coverage::Coverage::of(&catalog);
        console.out(&match self.format {
            Format::Json => json(&coverage),
            Format::Markdown => generated::coverage(&coverage),
            Format::Text => text(&coverage, console.style().text_width()),
        });
        Exit::Good
    }
}

/// To be read in a terminal of this width.
#[must_use]
pub fn text(coverage: &coverage::Coverage<'_>, width: usize) -> String {
    let total = coverage.total();
    let mut out = String::new();
    for line in wrap(&opening(&total), width) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{line}");
    }
    out.push('\n');
    out.push_str(&table(coverage, width));
    for (title, standing) in [
        ("Testable, and judged by nothing", Standing::Uncovered),
        ("Cannot be judged from outside", Standing::NotTestable),
    ] {
        out.push_str(&reasons(coverage, title, standing, width));
    }
    out.push('\n');
    let here = coverage.at_a_server();
    let last = format!(
        "{} of the {} requirements that show at a server are judged by a check; devgrant check ends with how many of \
         them it judged. devgrant explain <id> tells all about one requirement.",
        here.checks, here.rows
    );
    for line in wrap(&last, width) {
        let _ = writeln!(out, "{line}");
    }
    out
}

fn opening(total: &Count) -> String {
    let uncovered = match total.uncovered {
        0 => "none is left".to_owned(),
        n => format!("{n} {} left, with the reason below", plural(n, "is", "are")),
    };
    format!(
        "The standards of the device grant make {} requirements; {} of them can be tested. Checks judge {} of these, at \
         a server. {} more bind the client alone: tests of this repository judge devgrant's own device by them. {}.",
        total.rows,
        total.testable,
        total.checks,
        total.device_tests,
        capital(&uncovered),
    )
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The counts of every document and level, and of all; in words where a table has no room.
fn table(coverage: &coverage::Coverage<'_>, width: usize) -> String {
    let mut rows: Vec<(String, Count)> = Vec::new();
    for part in coverage.parts() {
        rows.push((part.document.to_string(), part.all));
        rows.extend(part.levels.iter().map(|(level, count)| (format!("  {level}"), *count)));
    }
    rows.push(("total".to_owned(), coverage.total()));
    let mut table = Table::new();
    table.load_style(NOTHING).force_no_tty();
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let heads = COLUMNS.iter().map(|(head, ..)| right((*head).to_owned()));
    table.set_header([Cell::new("requirements")].into_iter().chain(heads));
    for (name, count) in &rows {
        let numbers = COLUMNS.iter().map(|(.., of)| match of(count) {
            0 => right("–".to_owned()),
            n => right(n.to_string()),
        });
        table.add_row([Cell::new(name)].into_iter().chain(numbers));
    }
    let drawn: Vec<String> = table.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    if drawn.iter().any(|line| columns(line) > width) {
        return rows.iter().map(|(name, count)| narrow(name, count, width)).collect();
    }
    drawn.concat()
}

/// `RFC 8628` and, below it, its counts in words.
fn narrow(name: &str, count: &Count, width: usize) -> String {
    let parts: Vec<String> = COLUMNS
        .iter()
        .map(|(_, words, of)| (words, of(count)))
        .filter(|(_, n)| *n > 0)
        // A count stays on one line with its words.
        .map(|(words, n)| format!("{n} {words}").replace(' ', "\u{a0}"))
        .collect();
    let indent = columns(name) - columns(name.trim_start()) + 2;
    let mut out = format!("{name}\n");
    for line in wrap(&parts.join(", "), width - indent) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{:indent$}{}", "", line.replace('\u{a0}', " "));
    }
    out
}

/// The rows of one standing, each with its reason; nothing if there are none.
fn reasons(coverage: &coverage::Coverage<'_>, title: &str, standing: Standing, width: usize) -> String {
    let rows: Vec<_> = coverage.rows.iter().filter(|row| row.standing() == standing).collect();
    if rows.is_empty() {
        return String::new();
    }
    let ids = rows.iter().map(|row| columns(&row.requirement.id)).max().unwrap_or_default();
    let fits = 2 + ids + 2 + NARROWEST_REASON <= width;
    let indent = if fits { 2 + ids + 2 } else { 6 };
    let mut out = format!("\n{title}\n");
    for row in rows {
        let reason = row.reason().unwrap_or("nobody has written a check yet");
        let mut lines = wrap(reason, width - indent).into_iter();
        if fits {
            let _ = writeln!(out, "  {:ids$}  {}", row.requirement.id, lines.next().unwrap_or_default());
        } else {
            let _ = writeln!(out, "  {}", row.requirement.id);
        }
        for line in lines {
            let _ = writeln!(out, "{:indent$}{line}", "");
        }
    }
    out
}

/// Everything for programs: the version of the shape, the counts, and every row with its judges.
fn json(coverage: &coverage::Coverage<'_>) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        version: u32,
        total: Count,
        at_a_server: Count,
        documents: Vec<Part>,
        requirements: Vec<Row<'a>>,
    }
    #[derive(Serialize)]
    struct Part {
        document: &'static str,
        #[serde(flatten)]
        all: Count,
        levels: Vec<Level>,
    }
    #[derive(Serialize)]
    struct Level {
        level: &'static str,
        #[serde(flatten)]
        count: Count,
    }
    #[derive(Serialize)]
    struct Row<'a> {
        id: &'a str,
        clause: String,
        keyword: &'a str,
        level: &'static str,
        binds: &'static str,
        text: &'a str,
        shows_at_a_server: bool,
        judged_by: Standing,
        checks: &'a [&'a str],
        device_test: Option<&'a str>,
        reason: Option<&'a str>,
    }
    let document = Document {
        version: VERSION,
        total: coverage.total(),
        at_a_server: coverage.at_a_server(),
        documents: coverage
            .parts()
            .into_iter()
            .map(|part| Part {
                document: part.document.word(),
                all: part.all,
                levels: part
                    .levels
                    .into_iter()
                    .map(|(level, count)| Level { level: level.word(), count })
                    .collect(),
            })
            .collect(),
        requirements: coverage
            .rows
            .iter()
            .map(|row| {
                let Requirement { id, keyword, level, binds, text, judged_by, .. } = row.requirement;
                Row {
                    id,
                    clause: row.requirement.clause(),
                    keyword,
                    level: level.word(),
                    binds: binds.word(),
                    text,
                    shows_at_a_server: row.shows_at_a_server(),
                    judged_by: row.standing(),
                    checks: &row.checks,
                    device_test: judged_by.as_ref().map(|test| test.name()),
                    reason: row.reason(),
                }
            })
            .collect(),
    };
    // Nothing in it can fail to be written: names are texts, and there are no maps with other keys.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}
