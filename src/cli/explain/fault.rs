//! The page of one fault: what the reference server does with it, and which checks catch it.

use super::Page;
use crate::catalog::Catalog;
use crate::matrix::Matrix;
use crate::report::terminal::wrap;
use crate::server::faults::{CROWD, Fault, Shows};

/// Everything about a fault.
///
/// # Errors
///
/// A text for people, if the reviewed matrix has mistakes; a test proves that it has none.
pub(super) fn explain(catalog: &Catalog, fault: &Fault, width: usize) -> Result<String, String> {
    let matrix = Matrix::builtin(catalog)
        .map_err(|mistakes| format!("the fault matrix has {} mistakes", mistakes.len()))?;
    let mut page = Page { width, lines: vec![fault.id.to_owned()] };
    page.lines.extend(wrap(fault.summary, width));
    page.gap();
    page.row("against", fault.clause);
    page.row("seen on", fault.seen);
    if fault.shows() == Shows::UnderLoad {
        page.row(
            "shows",
            &format!("only under load, while more than {CROWD} polls come in a second; no check notices it"),
        );
    }
    let row = matrix.row(fault);
    for (index, (check, _)) in row.about().enumerate() {
        page.row(if index == 0 { "caught by" } else { "" }, check);
    }
    for (index, (check, also)) in row.also().iter().enumerate() {
        page.row(if index == 0 { "noticed by" } else { "" }, &format!("{check}: {}", also.because));
    }
    page.gap();
    page.lines.push("With it".to_owned());
    page.lines.push(format!("  devgrant serve --fault {}", fault.id));
    Ok(page.lines.join("\n") + "\n")
}
