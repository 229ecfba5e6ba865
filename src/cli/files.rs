//! Suites, targets and known failures from files; every mistake of all of them is shown at once.

use std::path::{Path, PathBuf};

use super::console::Console;
use crate::catalog::Catalog;
use crate::diagnostic::{Colour, Diagnostic, summary};
use crate::http::Roots;
use crate::known::KnownFailure;
use crate::report;
use crate::target::Target;
use crate::yaml::Source;

/// The target that `check` brings along; its port is put in once the server listens.
const EMBEDDED: &str = include_str!("../../fixtures/targets/embedded.yaml");

/// What a check run reads.
pub(super) struct Files {
    pub(super) catalog: Catalog,
    pub(super) target: Option<Target>,
    pub(super) known_failures: Vec<KnownFailure>,
    /// Where they stand, whether there is a file yet or not.
    pub(super) known_path: Option<PathBuf>,
}

/// Which list of known failures is read.
#[derive(Clone, Copy, Default)]
pub(super) struct KnownList<'a> {
    /// The list, in place of the target's.
    pub(super) file: Option<&'a Path>,
    /// It may be that there is none yet: it is going to be written.
    pub(super) may_be_missing: bool,
}

/// The target of the embedded server.
pub(super) fn embedded() -> Result<Target, Vec<Diagnostic>> {
    let source = Source { name: "fixtures/targets/embedded.yaml".to_owned(), text: EMBEDDED.to_owned() };
    Target::read(&source)
}

/// A target file.
pub(super) fn target(path: &Path) -> Result<Target, Vec<Diagnostic>> {
    let source = Source::read(path).map_err(|diagnostic| vec![diagnostic])?;
    let mut target = Target::read(&source)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    target.approval = target.approval.map(|approval| approval.beside(folder));
    Ok(target)
}

/// The authorities that are trusted beside those of the platform: those of `ca`, or else those that the target names.
pub(super) fn roots(
    ca: Option<&Path>,
    target_file: Option<&Path>,
    target: &Target,
) -> Result<Roots, Diagnostic> {
    let of_target = || {
        let directory = target_file?.parent().unwrap_or(Path::new(""));
        Some(directory.join(&target.tls.as_ref()?.ca))
    };
    let Some(path) = ca.map(Path::to_owned).or_else(of_target) else { return Ok(Roots::default()) };
    let wrong = |why: String| {
        Diagnostic::error("no-authority", format!("{} {why}", path.display())).help(
            "give a PEM file with the certificate of the authority: -----BEGIN CERTIFICATE----- ..., with --ca FILE \
             or tls: { ca: FILE } in the target file",
        )
    };
    let text = std::fs::read(&path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    Roots::from_pem(&text).map_err(|error| wrong(error.to_string()))
}

/// Everything a run reads: the shipped suites and those of `suites`, the target, its known failures.
///
/// # Errors
/// All mistakes of all files.
pub(super) fn read(
    suites: &[PathBuf],
    target_file: Option<&Path>,
    known: KnownList<'_>,
) -> Result<Files, (Vec<Diagnostic>, usize)> {
    let mut diagnostics = Vec::new();
    let mut sources = Catalog::builtin_sources();
    for path in suites {
        match suite_sources(path) {
            Ok(more) => sources.extend(more),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    let mut files = sources.len();
    let catalog = Catalog::load(&sources);
    let target = target_file.map(|path| {
        files += 1;
        target(path)
    });
    let known_path = known.file.map(Path::to_owned).or_else(|| {
        let file = target_file?;
        let known = target.as_ref()?.as_ref().ok()?.known_failures.as_ref()?;
        Some(file.parent().unwrap_or(Path::new("")).join(known))
    });
    let is_to_be_read = |path: &&PathBuf| path.exists() || !known.may_be_missing;
    let known = known_path.as_ref().filter(is_to_be_read).map(|path| {
        files += 1;
        let source = Source::read(path).map_err(|diagnostic| vec![diagnostic]);
        source.and_then(|source| KnownFailure::read(&source))
    });
    let mut keep = |result: Result<(), Vec<Diagnostic>>| {
        if let Err(more) = result {
            diagnostics.extend(more);
        }
    };
    let (mut good_catalog, mut good_target, mut good_known) = (None, None, Vec::new());
    keep(catalog.map(|catalog| good_catalog = Some(catalog)));
    keep(target.transpose().map(|target| good_target = target));
    keep(known.transpose().map(|known| good_known = known.unwrap_or_default()));
    match good_catalog {
        Some(catalog) if diagnostics.is_empty() => {
            Ok(Files { catalog, target: good_target, known_failures: good_known, known_path })
        }
        _ => Err((diagnostics, files)),
    }
}

/// The suite files at a path: itself, or every `.yaml` file in a directory.
pub(super) fn suite_sources(path: &Path) -> Result<Vec<Source>, Diagnostic> {
    if !path.is_dir() {
        return Source::read(path).map(|source| vec![source]);
    }
    let unreadable = |error: std::io::Error| {
        Diagnostic::error("unreadable-directory", format!("cannot read {}: {error}", path.display()))
            .help("give a YAML file, or a directory of them")
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_suite = path.file_name().and_then(|name| name.to_str()).is_some_and(Catalog::is_suite_file);
        if is_suite && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        return Err(Diagnostic::error("no-suites", format!("there is no .yaml file in {}", path.display()))
            .help("give a YAML file, or a directory of them"));
    }
    paths.iter().map(Source::read).collect()
}

/// Shows mistakes as they are drawn everywhere.
pub(super) fn show(console: &Console, diagnostics: &[Diagnostic], files: usize) {
    for diagnostic in diagnostics {
        console.note(&format!("{}\n", diagnostic.draw(colour(console))));
    }
    console.note(&summary(diagnostics, files));
}

/// Whether mistakes are drawn in colour.
pub(super) fn colour(console: &Console) -> Colour {
    match console.style().colour {
        report::terminal::Colour::On => Colour::Ansi,
        report::terminal::Colour::Off => Colour::Plain,
    }
}
