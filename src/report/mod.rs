//! Views of a record. Each format is a pure function of a [`RunRecord`], in a file of its own; none knows the runner,
//! so that a report can be made a year later from a record on disk.

use crate::record::RunRecord;

pub mod beside;
pub mod comparison;
mod json;
pub mod judgement;
mod junit;
pub mod live;
pub mod load;
mod markdown;
mod sarif;
pub mod span;
pub mod terminal;
#[cfg(test)]
mod tests;

/// One way to write a report.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is for, in a few words.
    pub purpose: &'static str,
    /// Writes the report.
    pub write: fn(&RunRecord) -> Vec<u8>,
}

/// Every format.
pub const FORMATS: &[Format] = &[
    Format { name: "json", purpose: "everything, for programs", write: json::write },
    Format { name: "junit", purpose: "JUnit XML, for CI servers", write: junit::write },
    Format { name: "markdown", purpose: "for the summary of a CI step", write: markdown::write },
    Format { name: "sarif", purpose: "SARIF, for pages of code scanning", write: sarif::write },
    Format { name: "terminal", purpose: "plain text, for people", write: terminal::write },
];

/// The text of a JUnit document.
fn xml(report: &quick_junit::Report) -> Vec<u8> {
    let mut text = Vec::new();
    // Writing into memory cannot fail, and what XML cannot hold was taken out of every text.
    let _ = report.serialize(&mut text);
    text
}
