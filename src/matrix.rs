//! The reviewed fault matrix: which checks catch which fault, and which others rightly notice it, with the reason.
//!
//! ```yaml
//! pending-without-a-body:
//!   caught_by:
//!     rfc6749-error-response/errors-carry-an-error-code: fail
//!   also:
//!     token-request/form-is-understood: { is: fail, because: "an answer without a word is no sign of understanding" }
//! ```
//!
//! Knows faults and checks by their names only, and nothing of runs: what a run found is compared with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Deserialize;

use crate::catalog::{Catalog, Entry};
use crate::diagnostic::{Diagnostic, closest};
use crate::protocol::Level;
use crate::server::faults::{self, Fault, Shows};
use crate::suite::OneOrMany;
use crate::verdict::{Verdict, Weight};
use crate::yaml::{self, Segment, Source};

/// Where the reviewed matrix stands in the repository.
pub const FILE: &str = "src/matrix/reviewed.yaml";

/// What stands there.
const REVIEWED: &str = include_str!("matrix/reviewed.yaml");

/// Checks of the transport. They are skipped without a socket and on loopback without TLS, so that no fault of this matrix
/// can trip them; `tests/it/over_tls.rs` does.
pub const OVER_TLS_ONLY: [&str; 7] = [
    "device-authorization-request/plain-http-is-refused",
    "device-authorization-request/tls-of-the-endpoint",
    "metadata/tls-of-the-document",
    "rfc6749-client-authentication/no-secret-over-plain-http",
    "rfc6750-bearer-use/tls-of-the-api",
    "token-request/no-token-over-plain-http",
    "token-request/tls-of-the-endpoint",
];

/// The verdicts that a fault brings out.
pub const TRIPPED: [Verdict; 3] = [Verdict::Acceptable, Verdict::Warn, Verdict::Fail];

/// The checks that a fault trips, each with the verdicts of its cases.
pub type Tripped = BTreeMap<String, BTreeSet<Verdict>>;

/// Every fault that was reviewed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matrix {
    /// By the fault's id.
    pub rows: BTreeMap<String, Row>,
}

/// What one fault trips.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Why nothing but the checks that are about it can be judged, where a fault spoils every session.
    #[serde(default)]
    alone: Option<String>,
    /// The checks that are about the fault.
    caught_by: BTreeMap<String, OneOrMany<Verdict>>,
    /// The checks that are about something else, and rightly notice it.
    #[serde(default)]
    also: BTreeMap<String, Also>,
}

/// A check that is about something else.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Also {
    is: OneOrMany<Verdict>,
    /// Why it is right to notice.
    pub because: String,
}

/// One difference between what was reviewed and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// A check is not tripped that should be.
    Missing(String),
    /// A check is tripped and nobody said why.
    Unexplained(String, BTreeSet<Verdict>),
    /// A check is tripped with other verdicts than were reviewed.
    Otherwise(String, BTreeSet<Verdict>),
}

impl Matrix {
    /// The reviewed matrix.
    ///
    /// # Errors
    ///
    /// Every mistake in it, with its place: a fault or a check that does not exist, a fault that is left out, a reason
    /// that is missing. A test proves that it has none.
    pub fn builtin(catalog: &Catalog) -> Result<Self, Vec<Diagnostic>> {
        Self::read(&Source { name: FILE.to_owned(), text: REVIEWED.to_owned() }, catalog)
    }

    /// What stands in a file, whatever is wrong with it beyond its form.
    ///
    /// # Errors
    ///
    /// The mistakes of its form.
    pub fn draft(name: &str, text: String) -> Result<Self, Vec<Diagnostic>> {
        let loaded = yaml::load::<BTreeMap<String, Row>>(&Source { name: name.to_owned(), text });
        match loaded.value {
            Some(rows) if loaded.diagnostics.is_empty() => Ok(Self { rows }),
            _ => Err(loaded.diagnostics),
        }
    }

    fn read(source: &Source, catalog: &Catalog) -> Result<Self, Vec<Diagnostic>> {
        let loaded = yaml::load::<BTreeMap<String, Row>>(source);
        let mut mistakes = loaded.diagnostics;
        let rows = loaded.value.unwrap_or_default();
        let mut say = |path: &[Segment], code, message: String, help: String| {
            mistakes.push(Diagnostic::error(code, message).at(loaded.marks.place(path)).help(help));
        };
        for (id, row) in &rows {
            if faults::find(id).is_none_or(|fault| fault.id != id) {
                let near = closest(id, faults::all().map(|fault| fault.id));
                let help = near.map_or("devgrant faults lists them".to_owned(), |near| {
                    format!("did you mean \"{near}\"?")
                });
                say(&[id.as_str().into()], "no-such-fault", format!("there is no fault \"{id}\""), help);
            }
            if faults::find(id).is_some_and(|fault| fault.shows() == Shows::UnderLoad) {
                let help = "take the row out; what a check notices of it is a difference".to_owned();
                say(
                    &[id.as_str().into()],
                    "shows-under-load",
                    format!("\"{id}\" shows only under load"),
                    help,
                );
            } else if row.caught_by.is_empty() {
                let help = "name the check that is about this fault, or write one".to_owned();
                say(&[id.as_str().into()], "uncaught-fault", format!("no check catches \"{id}\""), help);
            }
            for (key, check) in row.keys() {
                let path = [id.as_str().into(), key.into(), check.into()];
                if catalog.get(check).is_none() {
                    let near = catalog.closest(check).map(|near| format!("did you mean \"{near}\"?"));
                    let help = near.unwrap_or_else(|| "devgrant list shows all checks".to_owned());
                    say(&path, "no-such-check", format!("there is no check \"{check}\""), help);
                }
                if row.verdicts(check).is_none_or(|is| is.iter().any(|verdict| !TRIPPED.contains(verdict))) {
                    let help = "one of: acceptable, warn, fail".to_owned();
                    say(
                        &path,
                        "not-tripped",
                        format!("this verdict does not say that {check} noticed it"),
                        help,
                    );
                }
            }
            for (check, also) in &row.also {
                let path = [id.as_str().into(), "also".into(), check.as_str().into()];
                if also.because.trim().is_empty() {
                    let help =
                        "say why this check is right to notice the fault, or mend the check".to_owned();
                    say(&path, "unexplained", format!("{check} is tripped without a reason"), help);
                }
                if row.caught_by.contains_key(check) {
                    let help = "take one of the two out".to_owned();
                    say(&path, "named-twice", format!("{check} stands under caught_by too"), help);
                }
            }
        }
        let to_checks = faults::all().filter(|fault| fault.shows() == Shows::ToChecks);
        for fault in to_checks.filter(|fault| !rows.contains_key(fault.id)) {
            let help = format!("add it: devgrant selftest --fault {} --write {FILE}", fault.id);
            say(&[], "not-reviewed", format!("the fault \"{}\" is not in the matrix", fault.id), help);
        }
        if mistakes.is_empty() { Ok(Self { rows }) } else { Err(mistakes) }
    }

    /// What is reviewed of a fault. Those that show only under load have no row: no check may notice them.
    #[must_use]
    pub fn row(&self, fault: &Fault) -> Row {
        self.rows.get(fault.id).cloned().unwrap_or_default()
    }

    /// The must-level checks that no fault trips, apart from those that want TLS.
    #[must_use]
    pub fn untripped<'a>(&self, catalog: &'a Catalog) -> Vec<&'a Entry> {
        let tripped: BTreeSet<&str> =
            self.rows.values().flat_map(|row| row.keys().map(|(_, check)| check)).collect();
        let musts = catalog.entries.iter().filter(|entry| entry.weight == Weight::Level(Level::Must));
        musts
            .filter(|entry| !tripped.contains(entry.id.as_str()))
            .filter(|entry| !OVER_TLS_ONLY.contains(&entry.id.as_str()))
            .collect()
    }

    /// The file that says this, in the order of the faults.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = "# Which check catches which fault; reviewed line by line. `devgrant selftest --write` puts in what is new and\n\
                       # keeps the words. What src/matrix.rs says at its head holds here.\n"
            .to_owned();
        for (fault, row) in faults::all().filter_map(|fault| Some((fault, self.rows.get(fault.id)?))) {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "\n{}:", fault.id);
            if let Some(why) = &row.alone {
                let _ = writeln!(out, "  alone: {}", serde_json::Value::from(why.as_str()));
            }
            out.push_str(if row.caught_by.is_empty() { "  caught_by: {}\n" } else { "  caught_by:\n" });
            for (check, is) in &row.caught_by {
                let _ = writeln!(out, "    {check}: {}", words(&is.0));
            }
            if !row.also.is_empty() {
                out.push_str("  also:\n");
            }
            for (check, Also { is, because }) in &row.also {
                let because = serde_json::Value::from(because.as_str());
                let _ = writeln!(out, "    {check}: {{ is: {}, because: {because} }}", words(&is.0));
            }
        }
        out
    }

    /// Takes in what a fault tripped; nothing of those that show only under load. What was reviewed keeps its words;
    /// what is new waits for some, unless it is the only one that could be about the fault.
    pub fn take(&mut self, fault: &Fault, tripped: &Tripped) {
        if fault.shows() == Shows::UnderLoad {
            return;
        }
        let row = self.rows.entry(fault.id.to_owned()).or_default();
        row.caught_by.retain(|check, _| tripped.contains_key(check));
        row.also.retain(|check, _| tripped.contains_key(check));
        let alone = row.caught_by.is_empty() && tripped.len() == 1;
        for (check, verdicts) in tripped {
            let is = OneOrMany(verdicts.iter().copied().collect());
            if let Some(known) = row.caught_by.get_mut(check) {
                *known = is;
            } else if alone {
                row.caught_by.insert(check.clone(), is);
            } else {
                let also = row.also.entry(check.clone());
                also.or_insert_with(|| Also { is: OneOrMany(Vec::new()), because: String::new() }).is = is;
            }
        }
    }
}

impl Row {
    /// The checks that are about the fault.
    pub fn about(&self) -> impl Iterator<Item = (&str, BTreeSet<Verdict>)> {
        self.caught_by.iter().map(|(check, is)| (check.as_str(), is.0.iter().copied().collect()))
    }

    /// The checks that notice it too.
    #[must_use]
    pub const fn also(&self) -> &BTreeMap<String, Also> {
        &self.also
    }

    /// The checks that alone can be judged under this fault, and why; nothing where all of them can.
    #[must_use]
    pub fn alone(&self) -> Option<(Vec<&str>, &str)> {
        let why = self.alone.as_deref()?;
        Some((self.caught_by.keys().map(String::as_str).collect(), why))
    }

    /// Every check, with the key it stands under.
    fn keys(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let caught = self.caught_by.keys().map(|check| ("caught_by", check.as_str()));
        caught.chain(self.also.keys().map(|check| ("also", check.as_str())))
    }

    fn verdicts(&self, check: &str) -> Option<BTreeSet<Verdict>> {
        let is = self.caught_by.get(check).or_else(|| self.also.get(check).map(|also| &also.is))?;
        Some(is.0.iter().copied().collect())
    }

    /// What was found otherwise.
    #[must_use]
    pub fn differences(&self, tripped: &Tripped) -> Vec<Difference> {
        let missing = self.keys().filter(|(_, check)| !tripped.contains_key(*check));
        let missing = missing.map(|(_, check)| Difference::Missing(check.to_owned()));
        let found = tripped.iter().filter_map(|(check, found)| match self.verdicts(check) {
            None => Some(Difference::Unexplained(check.clone(), found.clone())),
            Some(known) if known != *found => Some(Difference::Otherwise(check.clone(), found.clone())),
            Some(_) => None,
        });
        missing.chain(found).collect()
    }
}

impl Also {
    /// Its verdicts.
    #[must_use]
    pub fn is(&self) -> BTreeSet<Verdict> {
        self.is.0.iter().copied().collect()
    }
}

/// `fail`, or `[warn, fail]`.
fn words(verdicts: &[Verdict]) -> String {
    match verdicts {
        [only] => only.word().to_owned(),
        several => {
            format!("[{}]", several.iter().map(|verdict| verdict.word()).collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests;
