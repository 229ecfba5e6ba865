//! What `devgrant doctor` shows: a line for each thing as soon as it is known, and the judgement.
//!
//! ```text
//!  ok    host         127.0.0.1:9000 answers in 1 ms
//!  warn  metadata     no device_authorization_endpoint: the one of the target file is used
//!                     help: ...
//! ```

use super::{Ink, Style, wrap};
use crate::diagnosis::{Diagnosis, Line, State};

/// How wide the words for the state and the names are.
const STATE: usize = 5;
const NAME: usize = 14;

/// One line of a diagnosis, with its line ends.
#[must_use]
pub fn diagnosis_line(line: &Line, style: &Style) -> String {
    let (word, ink) = match line.state {
        State::Ok => ("ok", Ink::Pass),
        State::Warning => ("warn", Ink::Warn),
        State::Failed => ("fail", Ink::Fail),
        State::NotLookedAt => ("skip", Ink::Dim),
    };
    let indent = STATE + NAME + 3;
    let width = style.text_width().saturating_sub(indent);
    let about = line.about.as_ref().map_or_else(String::new, |about| format!("{about}: "));
    let mut rows = wrap(&format!("{about}{}", line.seen), width);
    rows.extend(line.detail.iter().flat_map(|detail| wrap(detail, width)));
    rows.extend(line.help.iter().flat_map(|help| wrap(&format!("help: {help}"), width)));
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let head = if index == 0 {
            format!(" {} {:<NAME$} ", style.paint(ink, &format!("{word:<STATE$}")), line.name)
        } else {
            " ".repeat(indent)
        };
        text.push_str(format!("{head}{row}").trim_end());
        text.push('\n');
    }
    text
}

/// The judgement in a line.
#[must_use]
pub fn diagnosis_end(diagnosis: &Diagnosis, exit: u8) -> String {
    let counted = |state, noun: &str| match diagnosis.count(state) {
        0 => None,
        1 => Some(format!("1 {noun}")),
        many => Some(format!("{many} {noun}s")),
    };
    let parts: Vec<String> = [counted(State::Failed, "problem"), counted(State::Warning, "warning")]
        .into_iter()
        .flatten()
        .collect();
    let words = if parts.is_empty() { "Nothing to mend".to_owned() } else { parts.join(", ") };
    format!("{words}. exit {exit}\n")
}
