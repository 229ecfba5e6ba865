//! What must be true of suites before anything is sent: every mistake of meaning, each at its place.

use super::Suite;
use crate::diagnostic::Diagnostic;
use crate::requirement::Requirements;
use crate::yaml::{Loaded, Source};

/// A suite file and what came of reading it.
#[derive(Debug)]
pub struct SuiteFile<'a> {
    /// The file.
    pub source: &'a Source,
    /// What it says.
    pub loaded: Loaded<Suite>,
}

/// Every mistake of these files: of their words and of their meaning, in the order of the files.
#[must_use]
pub fn validate(files: &[SuiteFile<'_>], _requirements: &Requirements) -> Vec<Diagnostic> {
    files.iter().flat_map(|file| file.loaded.diagnostics.clone()).collect()
}
