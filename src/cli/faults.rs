//! `devgrant faults`: what the reference server can do wrong on purpose.

use std::fmt::Write as _;

use super::console::Console;
use super::exit::Exit;
use crate::diagnostic::closest;
use crate::generated;
use crate::report::terminal::{columns, wrap};
use crate::server::faults::{self, CROWD, Fault, Shows};

/// With less room a summary goes on a line of its own.
const NARROWEST_SUMMARY: usize = 30;

/// List the faults of the reference server.
#[derive(Debug, clap::Args)]
pub(super) struct Faults {
    /// As text, or as the table of docs/faults.md
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Markdown,
    Text,
}

impl Faults {
    pub(super) fn run(&self, console: &Console) -> Exit {
        console.out(&match self.format {
            Format::Markdown => generated::faults(),
            Format::Text => text(console.style().width),
        });
        Exit::Good
    }
}

/// The fault of this id, for flags.
///
/// # Errors
///
/// A text for people with the id that comes nearest, if there is none.
pub(super) fn parse(id: &str) -> Result<&'static Fault, String> {
    faults::find(id).ok_or_else(|| {
        let nearest = closest(id, faults::all().map(|fault| fault.id))
            .map_or_else(String::new, |near| format!(", did you mean {near}?"));
        format!("there is no such fault{nearest}  (devgrant faults lists them)")
    })
}

/// The faults by family, to be read in a terminal.
fn text(width: usize) -> String {
    let id_width = faults::all().map(|fault| columns(fault.id)).max().unwrap_or(0);
    let before = 2 + id_width + 2;
    let fits = before + NARROWEST_SUMMARY <= width;
    let (indent, room) = if fits { (before, width - before) } else { (6, width.saturating_sub(6)) };
    let mut out = String::new();
    for family in faults::FAMILIES {
        // Writing to a String cannot fail.
        let _ = match family.shows {
            Shows::ToChecks => writeln!(out, "{}", family.title),
            Shows::UnderLoad => {
                writeln!(out, "{}: more than {CROWD} polls a second; no check notices these", family.title)
            }
        };
        for Fault { id, summary, clause, .. } in family.faults {
            let mut lines = wrap(&format!("{summary} ({clause})"), room).into_iter();
            if fits {
                let _ = writeln!(out, "  {id:id_width$}  {}", lines.next().unwrap_or_default());
            } else {
                let _ = writeln!(out, "  {id}");
            }
            for line in lines {
                let _ = writeln!(out, "{:indent$}{line}", "");
            }
        }
        out.push('\n');
    }
    let _ = write!(
        out,
        "{} faults; devgrant serve --fault <id> has one, devgrant check --fault <id> shows what it turns red",
        faults::all().count()
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_fault_is_told_the_nearest() {
        assert_eq!(parse("interval-not-enforced").unwrap().id, "interval-not-enforced");
        // The names of the literature have underscores.
        assert_eq!(parse("interval_not_enforced").unwrap().id, "interval-not-enforced");
        let error = parse("intervall-not-enforced").unwrap_err();
        assert!(error.contains("did you mean interval-not-enforced?"), "{error}");
        assert!(!parse("zz").unwrap_err().contains("did you mean"));
    }
}
