//! Records on disk: where they are, and the commands that show one again.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use etcetera::AppStrategy;

use super::console::Console;
use super::exit::Exit;
use super::show;
use crate::record::RunRecord;
use crate::report::terminal::render;
use crate::report::{FORMATS, load};
use crate::tally::{self, LoadRecord};

/// So many records are kept; older ones are removed when a new one is made.
const KEPT: usize = 50;

/// Show a record again.
#[derive(Debug, clap::Args)]
pub(super) struct Report {
    /// The record; the last one unless given
    #[arg(value_name = "RECORD")]
    record: Option<PathBuf>,
    /// Another format, written to stdout
    #[arg(long, value_name = "FORMAT", value_parser = format_names())]
    format: Option<String>,
    /// Acceptable remarks too
    #[arg(short, long)]
    pub(super) verbose: bool,
}

/// Show one exchange of a record in full.
#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// The exchange's number
    #[arg(value_name = "N")]
    number: u32,
    /// The record; the last one unless given
    #[arg(long, value_name = "PATH")]
    record: Option<PathBuf>,
}

impl Report {
    pub(super) fn run(self, console: &Console) -> Exit {
        let record = match read_any(self.record.as_deref()) {
            Ok(Read::Run(record)) => record,
            Ok(Read::Load(record)) => {
                console.out(&match self.format.as_deref() {
                    Some("json") => load::json(&record),
                    Some("junit") => String::from_utf8_lossy(&load::junit(&record)).into_owned(),
                    None | Some("terminal") => load::render(&record, console.style()),
                    Some(format) => {
                        let message = format!(
                            "a load run has no report as {format}\nhelp: json, junit and terminal it has"
                        );
                        return refused(console, &message);
                    }
                });
                return Exit::Good;
            }
            Err(message) => return refused(console, &message),
        };
        match self.format.as_deref().and_then(|name| FORMATS.iter().find(|format| format.name == name)) {
            Some(format) => console.out(&String::from_utf8_lossy(&(format.write)(&record))),
            None => console.out(&render(&record, console.style())),
        }
        Exit::Good
    }
}

impl Show {
    pub(super) fn run(self, console: &Console) -> Exit {
        let shown = read(self.record.as_deref())
            .and_then(|record| show::exchange(&record, self.number, console.style()));
        match shown {
            Ok(text) => {
                console.out(&text);
                Exit::Good
            }
            Err(message) => refused(console, &message),
        }
    }
}

fn refused(console: &Console, message: &str) -> Exit {
    console.note(&format!("error: {message}"));
    Exit::Usage
}

fn format_names() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(FORMATS.iter().map(|format| format.name))
}

/// A record of one of the two kinds.
pub(super) enum Read {
    /// Of `check`.
    Run(Box<RunRecord>),
    /// Of `load`.
    Load(Box<LoadRecord>),
}

/// A record of `check` by path, or the last one.
pub(super) fn read(path: Option<&Path>) -> Result<RunRecord, String> {
    match read_any(path)? {
        Read::Run(record) => Ok(*record),
        Read::Load(_) => Err("this is the record of a load run, whose exchanges are not kept one by one\nhelp: devgrant report -v shows the transcripts of what was wrong".to_owned()),
    }
}

/// A record by path, or the last one.
pub(super) fn read_any(path: Option<&Path>) -> Result<Read, String> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => {
            last().ok_or("there is no record yet\nhelp: run devgrant check, or give the path of a record")?
        }
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read the record {}: {error}", path.display()))?;
    let wrong = |error: String| format!("{}: {error}", path.display());
    if text.starts_with(tally::RECORD_BEGINS) {
        let record = tally::read(&text).map_err(|error| wrong(error.to_string()))?;
        return Ok(Read::Load(Box::new(record)));
    }
    RunRecord::read(&text).map(|record| Read::Run(Box::new(record))).map_err(|error| wrong(error.to_string()))
}

/// The directory of records in the user's state directory.
fn directory() -> io::Result<PathBuf> {
    let strategy = etcetera::choose_app_strategy(etcetera::AppStrategyArgs {
        top_level_domain: "org".to_owned(),
        author: "devgrant".to_owned(),
        app_name: "devgrant".to_owned(),
    })
    .map_err(io::Error::other)?;
    let base = strategy.state_dir().unwrap_or_else(|| strategy.data_dir());
    Ok(base.join("records"))
}

fn existing() -> Vec<PathBuf> {
    let Ok(entries) = directory().and_then(std::fs::read_dir) else { return Vec::new() };
    let mut records: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .collect();
    records.sort();
    records
}

fn last() -> Option<PathBuf> {
    existing().pop()
}

/// Makes a record file that only its owner can read: at `path`, or a new one in the state directory.
pub(super) fn create(path: Option<&Path>) -> io::Result<(PathBuf, File)> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => {
            let directory = directory()?;
            private_directory(&directory)?;
            let mut old = existing();
            old.truncate(old.len().saturating_sub(KEPT - 1));
            for record in old {
                // One that cannot be removed is in nobody's way.
                let _ = std::fs::remove_file(record);
            }
            let now = crate::clock::wall().strftime("%Y-%m-%dT%H-%M-%S.%3fZ");
            directory.join(format!("{now}-{}.jsonl", std::process::id()))
        }
    };
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok((path, file))
}

fn private_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
