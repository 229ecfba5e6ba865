//! `devgrant list`: which checks there are.

use crate::catalog::{Catalog, Entry, Selection};
use crate::record::plural;
use crate::report::terminal::{columns, wrap};
use crate::suite::Check;

/// With less room for a title it goes on a line of its own.
const NARROWEST_TITLE: usize = 30;

/// Which checks are marked, and what the mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked {
    /// None.
    Nothing,
    /// Those that wait for a person who decides.
    Person,
}

/// What stands before the title of a check that waits for a person.
const PERSON: &str = "[person] ";

/// The checks that are wanted, by suite: id, weight and title; and how many they are.
///
/// # Errors
///
/// A text for people if the selection matches nothing.
pub fn list(
    catalog: &Catalog,
    selection: &Selection,
    marked: Marked,
    width: usize,
) -> Result<String, String> {
    let entries = catalog.select(selection)?;
    let waits = |check: &Check| marked == Marked::Person && check.needs_decision();
    let widest =
        |text: fn(&Entry) -> String| entries.iter().map(|entry| columns(&text(entry))).max().unwrap_or(0);
    let id_width = widest(|entry| entry.check.id.clone());
    let weight_width = widest(|entry| entry.weight.label());
    let before = 2 + id_width + 2 + weight_width + 2;
    let fits = before + NARROWEST_TITLE <= width;
    let (indent, room) = if fits { (before, width - before) } else { (6, width.saturating_sub(6)) };
    let mut lines = Vec::new();
    for suite in Catalog::suites(&entries) {
        let Some(first) = suite.first() else { continue };
        lines.extend(wrap(&format!("{}: {}", first.suite, first.suite_title), width));
        for Entry { check, weight, .. } in suite {
            let head = format!("  {:id_width$}  {:weight_width$}", check.id, weight.label());
            let mark = if waits(check) { PERSON } else { "" };
            let mut title = wrap(&format!("{mark}{}", check.title), room).into_iter();
            if fits {
                lines.push(format!("{head}  {}", title.next().unwrap_or_default()));
            } else {
                lines.push(head.trim_end().to_owned());
            }
            lines.extend(title.map(|line| format!("{:indent$}{line}", "")));
        }
        lines.push(String::new());
    }
    lines.push(count(catalog, &entries));
    if marked == Marked::Person {
        let number = entries.iter().filter(|entry| waits(&entry.check)).count();
        lines.push(format!("{number} {PERSON}need you at the terminal: the target's driver is `manual`"));
    }
    Ok(lines.join("\n") + "\n")
}

fn count(catalog: &Catalog, entries: &[&Entry]) -> String {
    let all = catalog.entries.len();
    let suites = Catalog::suites(entries).count();
    let number = entries.len();
    let of = if number < all { format!(" of {all}") } else { String::new() };
    format!(
        "{number}{of} {} in {suites} {}; devgrant explain <check> tells all about one",
        plural(if of.is_empty() { number } else { all }, "check", "checks"),
        plural(suites, "suite", "suites"),
    )
}
