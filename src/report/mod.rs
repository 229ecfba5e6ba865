//! Views of a record. Each format is a pure function of a [`RunRecord`], in a file of its own; none knows the runner,
//! so that a report can be made a year later from a record on disk.

use crate::record::RunRecord;

pub mod beside;
pub mod comparison;
mod json;
pub mod judgement;
pub mod live;
pub mod load;
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
    Format { name: "terminal", purpose: "plain text, for people", write: terminal::write },
];
