//! Suites, targets and known failures from files; every mistake of all of them is shown at once.

use std::env::VarError;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::console::Console;
use crate::catalog::Catalog;
use crate::diagnostic::{Colour, Diagnostic, summary};
use crate::event::TargetFile;
use crate::http::Trust;
use crate::known::KnownFailure;
use crate::report;
use crate::target::{Elsewhere, Target};
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
    let directory = beside(path).to_owned();
    let folder = directory.clone();
    let mut target = Target::read_with(&source, Rc::new(move |place| kept(place, &folder)))?;
    target.approval = target.approval.map(|approval| approval.beside(&directory));
    Ok(target)
}

/// Where a target file says which server is judged.
pub(super) fn place_of(path: &Path) -> TargetFile {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().position(|line| line.starts_with("target:")).unwrap_or_default() + 1;
    TargetFile { path: path.display().to_string(), line }
}

/// The directory of a file.
fn beside(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

/// A secret from where the target file says that it is kept.
fn kept(place: &Elsewhere, directory: &Path) -> Result<String, String> {
    let (what, text) = match place {
        Elsewhere::Env(name) => {
            let text = std::env::var(name).map_err(|error| match error {
                VarError::NotPresent => {
                    format!("the environment has no {name}\nhelp: export {name}=... first")
                }
                VarError::NotUnicode(_) => format!("{name} of the environment is no text"),
            })?;
            (name.clone(), text)
        }
        Elsewhere::File(file) => {
            let path = directory.join(file);
            let shown = path.display().to_string();
            let text =
                std::fs::read_to_string(&path).map_err(|error| format!("cannot read {shown}: {error}"))?;
            let text = text.strip_suffix('\n').unwrap_or(&text);
            (shown, text.strip_suffix('\r').unwrap_or(text).to_owned())
        }
    };
    if text.is_empty() { Err(format!("{what} is empty")) } else { Ok(text) }
}

/// The authorities that are trusted beside those of the platform: those of `ca`, or else those that the target names.
pub(super) fn trust(
    ca: Option<&Path>,
    target_file: Option<&Path>,
    target: &Target,
) -> Result<Trust, Diagnostic> {
    let directory = target_file.map_or(Path::new(""), beside);
    let tls = target.tls.clone().unwrap_or_default();
    let read = |path: &Path, wrong: &dyn Fn(String) -> Diagnostic| {
        std::fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))
    };
    let mut trust = Trust::default();
    if let Some(path) = ca.map(Path::to_owned).or_else(|| Some(directory.join(tls.ca?))) {
        let wrong = |why: String| {
            Diagnostic::error("no-authority", format!("{} {why}", path.display())).help(
                "give a PEM file with the certificate of the authority: -----BEGIN CERTIFICATE----- ..., with --ca \
                 FILE or tls: { ca: FILE } in the target file",
            )
        };
        trust = Trust::from_pem(&read(&path, &wrong)?).map_err(|error| wrong(error.to_string()))?;
    }
    if let Some(path) = tls.certificate.map(|file| directory.join(file)) {
        let key = tls.key.map_or_else(|| path.clone(), |file| directory.join(file));
        let wrong = |why: String| {
            Diagnostic::error("no-client-certificate", format!("{} {why}", path.display())).help(
                "give PEM files: tls: { certificate: FILE, key: FILE } in the target file; the key may stand in the same \
                 file as the certificate",
            )
        };
        let certificate = read(&path, &wrong)?;
        let wrong_key =
            |why: String| Diagnostic { message: format!("{} {why}", key.display()), ..wrong(String::new()) };
        let key_text = read(&key, &wrong_key)?;
        trust = trust.showing(&certificate, &key_text).map_err(|error| wrong(error.to_string()))?;
    }
    Ok(if tls.insecure { trust.trusting_anybody() } else { trust })
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
        Some(beside(file).join(known))
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
