//! `devgrant compare A B`: what is different in the second record; or any number of them beside each other.

use std::path::PathBuf;

use super::console::Console;
use super::exit::Exit;
use super::records::{self, Read};
use crate::compare::compare;
use crate::record::RunRecord;
use crate::report::{beside, comparison, load};
use crate::tally::{self, LoadRecord, Tolerance, Tolerances};

/// What is different between two records, and whether the second is worse; with --beside any number side by side.
#[derive(Debug, clap::Args)]
pub(super) struct Compare {
    /// The record before
    #[arg(value_name = "A")]
    before: PathBuf,
    /// The record after
    #[arg(value_name = "B")]
    after: PathBuf,
    /// More records, with --beside
    #[arg(value_name = "C", requires = "beside")]
    more: Vec<PathBuf>,
    /// Verdict counts, behaviour cards, warnings and known failures of check runs side by side, as Markdown
    #[arg(long, conflicts_with_all = ["tolerance", "format"])]
    beside: bool,
    /// How much worse figures of a load run may be: p50, p99, p99.9, rate, ends. p99=20%, rate=10% and ends=1% unless given
    #[arg(long, value_name = "WHAT=PERCENT")]
    tolerance: Vec<Tolerance>,
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
        if self.beside {
            return self.side_by_side(console);
        }
        let read = |path: &PathBuf| records::read_any(Some(path));
        let compared = read(&self.before).and_then(|a| Ok((a, read(&self.after)?)));
        let compared = compared.and_then(|records| match records {
            (Read::Run(a), Read::Run(b)) => self.runs(console, &a, &b),
            (Read::Load(a), Read::Load(b)) => self.loads(console, &a, &b),
            _ => Err("one record is of check and the other of load".to_owned()),
        });
        match compared {
            Ok(true) => Exit::Failed,
            Ok(false) => Exit::Good,
            Err(message) => {
                console.note(&format!("error: {message}"));
                Exit::Usage
            }
        }
    }

    fn side_by_side(&self, console: &Console) -> Exit {
        let paths = [&self.before, &self.after].into_iter().chain(&self.more);
        let records: Result<Vec<RunRecord>, String> = paths.map(|path| records::read(Some(path))).collect();
        match records {
            Ok(records) => {
                console.out(&beside::page(&records));
                Exit::Good
            }
            Err(message) => {
                console.note(&format!("error: {message}"));
                Exit::Usage
            }
        }
    }

    fn runs(&self, console: &Console, a: &RunRecord, b: &RunRecord) -> Result<bool, String> {
        if !self.tolerance.is_empty() {
            return Err("--tolerance is for records of load runs".to_owned());
        }
        let comparison = compare(a, b).map_err(|error| error.to_string())?;
        console.out(&match self.format {
            Format::Text => comparison::text(a, b, &comparison, console.style()),
            Format::Json => comparison::json(&comparison),
        });
        Ok(comparison.is_worse())
    }

    fn loads(&self, console: &Console, a: &LoadRecord, b: &LoadRecord) -> Result<bool, String> {
        let tolerances = Tolerances::default().with(self.tolerance.iter().copied());
        let comparison = tally::compare(a, b, &tolerances)?;
        console.out(&match self.format {
            Format::Text => load::comparison::text(a, b, &comparison, console.style()),
            Format::Json => load::comparison::json(&comparison),
        });
        Ok(comparison.is_worse())
    }
}
