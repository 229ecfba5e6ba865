//! `--write-known-failures`: what failed goes to the end of the list, and what stands there stays.

use std::path::Path;

use super::console::Console;
use super::exit::Exit;
use crate::event::CaseResult;
use crate::known::{KnownFailure, with_entries};
use crate::record::{RunRecord, plural};
use crate::yaml::Source;

/// Adds an entry for each failure that turned the run red; an exit only when that cannot be done.
pub(super) fn write(console: &Console, path: &Path, record: &RunRecord) -> Option<Exit> {
    let red: Vec<&CaseResult> = record.cases.iter().filter(|case| case.is_red()).collect();
    let at = path.display();
    if red.is_empty() {
        console.note(&format!("nothing to write to {at}: nothing fails that is not on the list"));
        return None;
    }
    match added(path, &red) {
        Ok(text) => match std::fs::write(path, text) {
            Ok(()) => {
                let n = red.len();
                let them = plural(n, "its reason", "their reasons");
                console.note(&format!(
                    "{n} {} written to {at}: fill in {them}, or mend the server",
                    plural(n, "known failure", "known failures")
                ));
                None
            }
            Err(error) => Some(refused(console, &format!("{at} cannot be written: {error}"))),
        },
        Err(message) => Some(refused(console, &message)),
    }
}

/// The whole text of the list with these on it.
fn added(path: &Path, red: &[&CaseResult]) -> Result<String, String> {
    let read = |source: &Source| KnownFailure::read(source).ok();
    let (before, known) = if path.exists() {
        let source = Source::read(path).map_err(|diagnostic| diagnostic.message)?;
        let known = read(&source).map_or(0, |entries| entries.len());
        (source.text, known)
    } else {
        (String::new(), 0)
    };
    let text = with_entries(&before, red);
    // A list in one pair of brackets cannot be added to line by line.
    let source = Source { name: path.display().to_string(), text };
    let is_good = read(&source).is_some_and(|entries| entries.len() == known + red.len());
    if is_good {
        Ok(source.text)
    } else {
        Err(format!("{} is not a list of one entry a line that could be added to", path.display()))
    }
}

fn refused(console: &Console, message: &str) -> Exit {
    console.note(&format!("error: {message}\nhelp: give another file: --write-known-failures other.yaml"));
    Exit::NotJudged
}
