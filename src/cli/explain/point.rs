//! `devgrant explain A4`: one point that the standards leave open, and everything that applies it.

use super::Page;
use crate::ambiguous::{Points, Standing, uses};
use crate::catalog::Catalog;

/// Everything about a point.
///
/// # Errors
///
/// A text for people with the id that comes near, if there is no such point.
pub(super) fn explain(catalog: &Catalog, id: &str, width: usize) -> Result<String, String> {
    let points = Points::builtin(&catalog.requirements)
        .map_err(|mistakes| format!("suites/ambiguous.yaml has {} mistakes", mistakes.len()))?;
    let point = points.get(id).ok_or_else(|| {
        let near = points.closest(id).unwrap_or("A1");
        format!("there is no ambiguous point \"{id}\"\nhelp: did you mean {near}?")
    })?;
    let mut page = Page { width, lines: vec![point.id.clone(), point.point.clone()] };
    page.gap();
    page.row("open", &point.open);
    for (index, id) in point.clauses.iter().enumerate() {
        let Some(row) = catalog.requirements.get(id) else { continue };
        let label = if index == 0 { "standard" } else { "" };
        page.row(label, &format!("{} ({id}): {}", row.clause(), row.text));
    }
    page.gap();
    for (index, reading) in point.readings.iter().enumerate() {
        let label = if index == 0 { "readings" } else { "" };
        let because =
            reading.because.as_ref().map_or_else(String::new, |because| format!(", because {because}"));
        page.row(label, &format!("{} {}{because}", reading.reading, verb(reading.grade)));
    }
    page.gap();
    let mut applied: Vec<String> = uses(catalog)
        .into_iter()
        .filter(|found| found.point == point.id)
        .map(|found| match found.graded {
            Some((value, grade)) if found.by != value => format!("{} ({value} {})", found.by, verb(grade)),
            _ => found.by,
        })
        .collect();
    applied.dedup();
    for (index, line) in applied.iter().enumerate() {
        page.row(if index == 0 { "applied by" } else { "" }, line);
    }
    if let Some(elsewhere) = &point.elsewhere {
        page.row(if applied.is_empty() { "applied by" } else { "" }, &format!("no check: {elsewhere}"));
    }
    Ok(page.lines.join("\n") + "\n")
}

const fn verb(standing: Standing) -> &'static str {
    match standing {
        Standing::Pass => "passes",
        Standing::Acceptable => "passes with a remark",
        Standing::Warn => "warns",
        Standing::SecurityMedium => "warns in the security tally",
        Standing::Fail => "fails",
        Standing::SecurityHigh => "fails in the security tally, severity high",
        Standing::SecurityCritical => "fails in the security tally, severity critical",
    }
}
