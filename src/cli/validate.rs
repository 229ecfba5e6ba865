//! `devgrant validate`: are these suites without mistake?

use crate::catalog::Catalog;
use crate::diagnostic::{Colour, Diagnostic, Severity, summary};
use crate::record::plural;

/// Every mistake as it is drawn, and a last line that says how many there are: `3 files, 41 checks, no mistakes`.
///
/// `files` is how many files were read.
#[must_use]
pub fn validate(loaded: &Result<Catalog, Vec<Diagnostic>>, files: usize, colour: Colour) -> String {
    let mistakes = match loaded {
        Ok(catalog) => &catalog.warnings,
        Err(mistakes) => mistakes,
    };
    let mut out: String = mistakes.iter().map(|mistake| mistake.draw(colour) + "\n").collect();
    let end = match loaded {
        Ok(catalog) => {
            let checks = catalog.entries.len();
            let warnings = mistakes.iter().filter(|mistake| mistake.severity == Severity::Warning).count();
            let found = match warnings {
                0 => "no mistakes".to_owned(),
                _ => format!("no errors, {warnings} {}", plural(warnings, "warning", "warnings")),
            };
            let (file, check) = (plural(files, "file", "files"), plural(checks, "check", "checks"));
            format!("{files} {file}, {checks} {check}, {found}")
        }
        Err(mistakes) => summary(mistakes, files),
    };
    out.push_str(&end);
    out.push('\n');
    out
}
