//! The behaviour card: what the server does where it may choose.

use crate::event::{CardLine, Reading};
use crate::record::RunRecord;

use super::style::{Ink, Style};
use super::wrap::{clean, columns, wrap};

/// How wide the names of the lines get at the most; longer ones are broken.
const WIDEST_TITLE: usize = 24;

/// Columns before a name, and between a name and what it says.
const MARGIN: usize = 2;

/// The card of a run; nothing when it has none.
#[must_use]
pub(super) fn card(record: &RunRecord, style: &Style) -> String {
    if record.card.is_empty() {
        return String::new();
    }
    let title =
        record.card.iter().map(|line| columns(&line.title)).max().unwrap_or_default().min(WIDEST_TITLE);
    let mut text = format!("{}\n", style.paint(Ink::Strong, "Behaviour, which is neither right nor wrong"));
    for line in &record.card {
        text.push_str(&one(line, title, style));
    }
    text
}

fn one(line: &CardLine, title: usize, style: &Style) -> String {
    let (said, ink) = match &line.reading {
        Reading::Measured(text) => (text.clone(), None),
        Reading::NotMeasured(reason) => (format!("not measured: {reason}"), Some(Ink::Dim)),
    };
    let names = wrap(&line.title, title);
    let said = wrap(&said, style.text_width().saturating_sub(MARGIN * 2 + title));
    let rows = names.len().max(said.len());
    (0..rows)
        .map(|row| {
            let part = |lines: &[String]| lines.get(row).cloned().unwrap_or_default();
            let name = style.paint(Ink::Dim, &format!("{:title$}", part(&names)));
            let said = clean(&part(&said));
            let said = ink.map_or_else(|| said.clone(), |ink| style.paint(ink, &said));
            format!("{:MARGIN$}{name}{:MARGIN$}{said}", "", "").trim_end().to_owned() + "\n"
        })
        .collect()
}
