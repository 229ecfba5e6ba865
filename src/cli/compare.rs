//! `devgrant compare A B`: what is different in the second record.

use std::path::PathBuf;

use super::console::Console;
use super::exit::Exit;
use super::records;
use crate::compare::compare;
use crate::report::comparison;

/// What is different between two records, and whether the second is worse.
#[derive(Debug, clap::Args)]
pub(super) struct Compare {
    /// The record before
    #[arg(value_name = "A")]
    before: PathBuf,
    /// The record after
    #[arg(value_name = "B")]
    after: PathBuf,
    /// How it is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// How a comparison is written.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Compare {
    pub(super) fn run(self, console: &Console) -> Exit {
        let read = |path: &PathBuf| records::read(Some(path));
        let compared = read(&self.before).and_then(|a| Ok((a, read(&self.after)?))).and_then(|(a, b)| {
            let comparison = compare(&a, &b).map_err(|error| error.to_string())?;
            Ok((a, b, comparison))
        });
        let (a, b, comparison) = match compared {
            Ok(compared) => compared,
            Err(message) => {
                console.note(&format!("error: {message}"));
                return Exit::Usage;
            }
        };
        console.out(&match self.format {
            Format::Text => comparison::text(&a, &b, &comparison, console.style()),
            Format::Json => comparison::json(&comparison),
        });
        if comparison.is_worse() { Exit::Failed } else { Exit::Good }
    }
}
