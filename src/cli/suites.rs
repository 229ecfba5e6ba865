//! The commands about the checks themselves: `list`, `explain`, `validate`, and the hidden `generate`.

use std::path::{Path, PathBuf};

use super::console::Console;
use super::exit::Exit;
use super::files;
use super::list::Marked;
use super::select::Select;
use super::{explain, list, validate};
use crate::catalog::Catalog;
use crate::diagnostic::Diagnostic;
use crate::generated::generated_files;
use crate::known::KnownFailure;
use crate::target::{Approval, Target};
use crate::yaml::Source;

/// List the checks: id, level or severity, title.
#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Your own suites besides the shipped ones: a file, or a directory of them
    #[arg(long, value_name = "FILE|DIR")]
    suite: Vec<PathBuf>,
    /// Mark the checks that need a person, where this target has nobody else to decide
    #[arg(long, value_name = "FILE")]
    target: Option<PathBuf>,
    #[command(flatten)]
    select: Select,
}

/// Explain one check, or one requirement: what it judges, why, how, and what is tolerated.
#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// The id of a check, suite/check; of a requirement, RFC8628-3.5-c; or of a fault, expires-late
    #[arg(value_name = "CHECK|REQUIREMENT|FAULT")]
    check: String,
    /// Your own suites besides the shipped ones: a file, or a directory of them
    #[arg(long, value_name = "FILE|DIR")]
    suite: Vec<PathBuf>,
}

/// Find every mistake in suites and target files; sends nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Validate {
    /// Suites or target files, or directories of suites
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// Write the generated files of the repository anew.
#[derive(Debug, clap::Args)]
pub(super) struct Generate {
    /// Write nothing; fail when a file is stale
    #[arg(long)]
    check: bool,
}

impl List {
    pub(super) fn run(self, console: &Console) -> Exit {
        with_catalog(console, &self.suite, self.target.as_deref(), |catalog, target| {
            let person =
                matches!(target.and_then(|target| target.approval.as_ref()), Some(Approval::Manual(_)));
            let marked = if person { Marked::Person } else { Marked::Nothing };
            list::list(catalog, &self.select.selection(), marked, console.style().width)
        })
    }
}

impl Explain {
    pub(super) fn run(self, console: &Console) -> Exit {
        with_catalog(console, &self.suite, None, |catalog, _| {
            explain::explain(catalog, &self.check, console.style().width)
        })
    }
}

fn with_catalog(
    console: &Console,
    suites: &[PathBuf],
    target: Option<&Path>,
    text: impl FnOnce(&Catalog, Option<&Target>) -> Result<String, String>,
) -> Exit {
    let read = match files::read(suites, target, files::KnownList::default()) {
        Ok(read) => read,
        Err((diagnostics, count)) => {
            files::show(console, &diagnostics, count);
            return Exit::Usage;
        }
    };
    match text(&read.catalog, read.target.as_ref()) {
        Ok(text) => {
            console.out(&text);
            Exit::Good
        }
        Err(message) => {
            console.note(&format!("error: {message}"));
            Exit::Usage
        }
    }
}

impl Validate {
    pub(super) fn run(self, console: &Console) -> Exit {
        let mut diagnostics = Vec::new();
        let mut sources = Vec::new();
        let mut count = 0;
        for path in &self.files {
            match files::suite_sources(path) {
                Ok(more) => {
                    count += more.len();
                    sources.extend(more);
                }
                Err(diagnostic) => {
                    count += 1;
                    diagnostics.push(diagnostic);
                }
            }
        }
        let mut suites = Vec::new();
        for source in sources {
            match Kind::of(&source) {
                Kind::KnownFailures => {
                    diagnostics.extend(KnownFailure::read(&source).err().unwrap_or_default());
                }
                Kind::Suite => suites.push(source),
                Kind::Target => diagnostics.extend(Target::read(&source).err().unwrap_or_default()),
            }
        }
        let loaded = suites_beside_the_shipped(&suites).map_err(|more| {
            diagnostics.extend(more);
            std::mem::take(&mut diagnostics)
        });
        let loaded = if diagnostics.is_empty() { loaded } else { Err(diagnostics) };
        let text = validate::validate(&loaded, count, files::colour(console));
        match loaded {
            Ok(_) => {
                console.out(&text);
                Exit::Good
            }
            Err(_) => {
                console.note(&text);
                Exit::Usage
            }
        }
    }
}

/// What a file is for.
enum Kind {
    /// A list of failures that are known.
    KnownFailures,
    /// A suite, as long as it looks like nothing else.
    Suite,
    /// A target file.
    Target,
}

impl Kind {
    /// A target file names its target; known failures are a list.
    fn of(source: &Source) -> Self {
        let first = source.text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'));
        if source.text.lines().any(|line| line.starts_with("target:")) {
            Self::Target
        } else if first.is_some_and(|line| line.starts_with(['-', '['])) {
            Self::KnownFailures
        } else {
            Self::Suite
        }
    }
}

/// The given suites, read beside the shipped ones (which they may name), without those that they are themselves.
fn suites_beside_the_shipped(given: &[Source]) -> Result<Catalog, Vec<Diagnostic>> {
    let name = |source: &Source| Path::new(&source.name).file_name().map(ToOwned::to_owned);
    let mut sources: Vec<Source> = Catalog::builtin_sources()
        .into_iter()
        .filter(|shipped| !given.iter().any(|source| name(source) == name(shipped)))
        .collect();
    sources.extend(given.iter().cloned());
    let mut catalog = Catalog::load(&sources)?;
    let ids: Vec<String> = given.iter().filter_map(suite_id).collect();
    catalog.entries.retain(|entry| ids.contains(&entry.suite));
    Ok(catalog)
}

fn suite_id(source: &Source) -> Option<String> {
    let id = source.text.lines().find_map(|line| line.strip_prefix("suite:"))?;
    Some(id.trim().trim_matches(['"', '\'']).to_owned())
}

impl Generate {
    pub(super) fn run(self, console: &Console) -> Exit {
        let files = match generated_files() {
            Ok(files) => files,
            Err(diagnostics) => {
                files::show(console, &diagnostics, 1);
                return Exit::Usage;
            }
        };
        let mut stale = 0;
        for (path, text) in files {
            if std::fs::read_to_string(path).is_ok_and(|old| old == text) {
                continue;
            }
            stale += 1;
            if self.check {
                console
                    .note(&format!("{path} is stale: run devgrant generate in the root of the repository"));
                continue;
            }
            let written = Path::new(path).parent().map_or(Ok(()), std::fs::create_dir_all);
            if let Err(error) = written.and_then(|()| std::fs::write(path, text)) {
                console.note(&format!("error: {path} could not be written: {error}"));
                return Exit::NotJudged;
            }
            console.out(&format!("{path} written"));
        }
        if self.check && stale > 0 { Exit::Failed } else { Exit::Good }
    }
}
