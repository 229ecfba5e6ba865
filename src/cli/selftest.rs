//! `devgrant selftest`: are the checks able to fail? The reference server without a fault and with each one, judged in
//! process and in virtual time.

use std::fmt::Write as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Duration;

use globset::Glob;
use serde_json::{Value, json};

use super::console::Console;
use super::exit::Exit;
use super::files;
use crate::diagnostic::closest;
use crate::matrix::{Difference, Matrix};
use crate::record::plural;
use crate::selftest::{Compared, Played, Report, run, side_by_side};
use crate::server::faults::{self, FAMILIES, Family, Fault, Shows};
use crate::verdict::Verdict;

/// Prove that the checks can fail: every fault of the reference server, in virtual time.
#[derive(Debug, clap::Args)]
pub(super) struct Selftest {
    /// Only these faults: `interval-*`; all of them unless given
    #[arg(long, value_name = "GLOB")]
    fault: Vec<Glob>,
    /// So many runs at once; one a processor unless given
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
    /// As text, or as one JSON object
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write the reviewed matrix anew, with what came; what is new waits there for a reason
    #[arg(long, value_name = "FILE", hide = true)]
    write: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Json,
    Text,
}

impl Selftest {
    pub(super) fn run(&self, console: &Console) -> Exit {
        let faults = match self.faults() {
            Ok(faults) => faults,
            Err(message) => {
                console.note(&format!("error: {message}"));
                return Exit::Usage;
            }
        };
        let jobs =
            self.jobs.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZero::<usize>::MIN);
        if let Some(file) = &self.write {
            return write(console, file, &faults, jobs);
        }
        let report = match run(&faults, jobs, &|_: &Played| ()) {
            Ok(report) => report,
            Err(mistakes) => {
                files::show(console, &mistakes, 1);
                return Exit::Usage;
            }
        };
        console.out(&match self.format {
            Format::Json => pretty(&json(&report)),
            Format::Text => text(&report),
        });
        if report.is_as_reviewed() { Exit::Good } else { Exit::Failed }
    }

    fn faults(&self) -> Result<Vec<&'static Fault>, String> {
        let matchers: Vec<_> = self.fault.iter().map(Glob::compile_matcher).collect();
        for (glob, matcher) in self.fault.iter().zip(&matchers) {
            if !faults::all().any(|fault| matcher.is_match(fault.id)) {
                let near = closest(glob.glob(), faults::all().map(|fault| fault.id))
                    .map_or("devgrant faults lists them".to_owned(), |near| format!("did you mean {near}?"));
                return Err(format!("no fault matches {}\nhelp: {near}", glob.glob()));
            }
        }
        let wanted =
            |fault: &&Fault| matchers.is_empty() || matchers.iter().any(|matcher| matcher.is_match(fault.id));
        Ok(faults::all().filter(wanted).collect())
    }
}

/// Puts what came into the reviewed matrix. It is read from the file, so that it may be one that has mistakes.
fn write(console: &Console, file: &Path, faults: &[&'static Fault], jobs: NonZero<usize>) -> Exit {
    let mut matrix =
        match std::fs::read_to_string(file).map(|text| Matrix::draft(&file.display().to_string(), text)) {
            Ok(Ok(matrix)) => matrix,
            Ok(Err(mistakes)) => {
                files::show(console, &mistakes, 1);
                return Exit::Usage;
            }
            Err(error) => {
                console.note(&format!("error: {} could not be read: {error}", file.display()));
                return Exit::Usage;
            }
        };
    let played = side_by_side(faults, &matrix, jobs, &|_: &Played| ());
    for (fault, played) in played {
        matrix.take(fault, &played.tripped());
    }
    match std::fs::write(file, matrix.text()) {
        Ok(()) => Exit::Good,
        Err(error) => {
            console.note(&format!("error: {} could not be written: {error}", file.display()));
            Exit::NotJudged
        }
    }
}

/// By family: each fault and what caught it, then everything that is not as it was reviewed.
fn text(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail, here and below.
    for (family, compared) in by_family(report) {
        let good = compared.iter().filter(|compared| compared.is_as_reviewed()).count();
        let took: Duration = compared.iter().map(|compared| compared.played.took).sum();
        let _ = writeln!(
            out,
            "{}: {good} of {} {}, {:.1} s",
            family.title,
            compared.len(),
            came_as_reviewed(family.shows),
            took.as_secs_f64()
        );
        for compared in compared {
            let mark = if compared.is_as_reviewed() { " " } else { "!" };
            let _ = writeln!(out, "{mark} {}", compared.fault.id);
            for (check, verdicts) in compared.played.tripped() {
                let words: Vec<&str> = verdicts.iter().map(|verdict| verdict.word()).collect();
                let _ = writeln!(out, "      {check}: {}", words.join(", "));
            }
        }
        out.push('\n');
    }
    let wrong: Vec<&Compared> = report.faults.iter().filter(|compared| !compared.is_as_reviewed()).collect();
    for compared in &wrong {
        let _ = writeln!(out, "{}: not as reviewed", compared.fault.id);
        for line in unlike(compared) {
            let _ = writeln!(out, "    {line}");
        }
    }
    if !report.clean.cases.is_empty() || report.clean.trouble.is_some() {
        let _ = writeln!(out, "without a fault: not green\n{}", report.clean.details());
    }
    for check in &report.untripped {
        let _ = writeln!(out, "{check}: must-level, and no fault trips it");
    }
    if !out.ends_with("\n\n") {
        out.push('\n');
    }
    let count = report.faults.len();
    let good = |shows| {
        let of_it = report.faults.iter().filter(|compared| compared.fault.shows() == shows);
        (of_it.clone().count(), of_it.filter(|compared| compared.is_as_reviewed()).count())
    };
    let groups = [Shows::ToChecks, Shows::UnderLoad].map(|shows| (good(shows), came_as_reviewed(shows)));
    let groups = groups.iter().filter(|((all, _), _)| *all > 0);
    let groups = groups.map(|((_, good), words)| format!("{good} {words}")).collect::<Vec<_>>().join(", ");
    let _ = write!(
        out,
        "{count} {}, {groups}; the server without a fault is {}; {:.1} s",
        plural(count, "fault", "faults"),
        if report.clean.cases.is_empty() && report.clean.trouble.is_none() { "green" } else { "not green" },
        report.took.as_secs_f64(),
    );
    out
}

/// What is said of faults that came as they should.
const fn came_as_reviewed(shows: Shows) -> &'static str {
    match shows {
        Shows::ToChecks => "caught as reviewed",
        Shows::UnderLoad => "only under load and not noticed",
    }
}

/// What is not as it was reviewed, a line each, and why the checks said so.
fn unlike(compared: &Compared) -> Vec<String> {
    let mut lines: Vec<String> = compared.differences.iter().map(told).collect();
    for difference in &compared.differences {
        let (Difference::Unexplained(check, _) | Difference::Otherwise(check, _)) = difference else {
            continue;
        };
        for case in compared.played.cases.iter().filter(|case| case.check == *check) {
            lines.extend(case.mismatches.first().map(|mismatch| {
                format!("  {}: expected {}; came {}", case.case(), mismatch.expected, mismatch.actual)
            }));
        }
    }
    lines.extend(compared.played.trouble.iter().map(|trouble| format!("nothing was judged: {trouble}")));
    lines
}

fn told(difference: &Difference) -> String {
    let words =
        |is: &std::collections::BTreeSet<Verdict>| is.iter().map(|v| v.word()).collect::<Vec<_>>().join(", ");
    match difference {
        Difference::Missing(check) => format!("{check} did not notice it"),
        Difference::Unexplained(check, is) => format!("{check}: {}, and nobody said why", words(is)),
        Difference::Otherwise(check, is) => format!("{check}: {}, reviewed otherwise", words(is)),
    }
}

fn by_family(report: &Report) -> impl Iterator<Item = (&'static Family, Vec<&Compared>)> {
    FAMILIES.iter().filter_map(|family| {
        let of_it = |compared: &&Compared| family.faults.iter().any(|fault| fault.id == compared.fault.id);
        let faults: Vec<&Compared> = report.faults.iter().filter(of_it).collect();
        (!faults.is_empty()).then_some((family, faults))
    })
}

fn json(report: &Report) -> Value {
    let faults = by_family(report).flat_map(|(family, faults)| {
        faults.into_iter().map(move |compared| {
            json!({
                "fault": compared.fault.id,
                "family": family.title,
                "only_under_load": family.shows == Shows::UnderLoad,
                "tripped": compared.played.tripped(),
                "as_reviewed": compared.is_as_reviewed(),
                "differences": unlike(compared),
                "took_ms": compared.played.took.as_millis(),
            })
        })
    });
    json!({
        "as_reviewed": report.is_as_reviewed(),
        "clean": report.clean.cases.iter().map(|case| case.case()).collect::<Vec<_>>(),
        "faults": faults.collect::<Vec<_>>(),
        "untripped": report.untripped,
        "took_ms": report.took.as_millis(),
    })
}

fn pretty(value: &Value) -> String {
    // The alternate form of a JSON value is the indented one.
    format!("{value:#}")
}
