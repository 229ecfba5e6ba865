//! Suites, targets and known failures from files; every mistake of all of them is shown at once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::console::Console;
use crate::catalog::Catalog;
use crate::diagnostic::{Colour, Diagnostic, summary};
use crate::report;
use crate::target::Target;
use crate::yaml::{Source, load};

/// The target that `check` brings along; its port is put in once the server listens.
const EMBEDDED: &str = include_str!("../../fixtures/targets/embedded.yaml");

/// One known failure.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownFailure {
    id: String,
    reason: String,
}

/// What a check run reads.
pub(super) struct Files {
    pub(super) catalog: Catalog,
    pub(super) target: Option<Target>,
    pub(super) known_failures: BTreeMap<String, String>,
}

/// The target of the embedded server.
pub(super) fn embedded() -> Result<Target, Vec<Diagnostic>> {
    let source = Source { name: "fixtures/targets/embedded.yaml".to_owned(), text: EMBEDDED.to_owned() };
    Target::read(&source)
}

/// A target file.
pub(super) fn target(path: &Path) -> Result<Target, Vec<Diagnostic>> {
    Source::read(path).map_err(|diagnostic| vec![diagnostic]).and_then(|source| Target::read(&source))
}

/// Everything a run reads: the shipped suites and those of `suites`, the target, its known failures.
///
/// # Errors
/// All mistakes of all files.
pub(super) fn read(
    suites: &[PathBuf],
    target_file: Option<&Path>,
    known_failures: Option<&Path>,
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
    let known_path = known_failures.map(Path::to_owned).or_else(|| {
        let file = target_file?;
        let known = target.as_ref()?.as_ref().ok()?.known_failures.as_ref()?;
        Some(file.parent().unwrap_or(Path::new("")).join(known))
    });
    let known = known_path.map(|path| {
        files += 1;
        Source::read(&path).map_err(|diagnostic| vec![diagnostic]).and_then(|source| read_known(&source))
    });
    let mut keep = |result: Result<(), Vec<Diagnostic>>| {
        if let Err(more) = result {
            diagnostics.extend(more);
        }
    };
    let (mut good_catalog, mut good_target, mut good_known) = (None, None, BTreeMap::new());
    keep(catalog.map(|catalog| good_catalog = Some(catalog)));
    keep(target.transpose().map(|target| good_target = target));
    keep(known.transpose().map(|known| good_known = known.unwrap_or_default()));
    match good_catalog {
        Some(catalog) if diagnostics.is_empty() => {
            Ok(Files { catalog, target: good_target, known_failures: good_known })
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

/// A list of known failures.
pub(super) fn read_known(source: &Source) -> Result<BTreeMap<String, String>, Vec<Diagnostic>> {
    let loaded = load::<Vec<KnownFailure>>(source);
    if !loaded.diagnostics.is_empty() {
        return Err(loaded.diagnostics);
    }
    Ok(loaded.value.unwrap_or_default().into_iter().map(|known| (known.id, known.reason)).collect())
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
