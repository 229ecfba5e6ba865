//! `devgrant explain`: everything about one check, one requirement, one open point or one fault, on one page.

mod fault;
mod point;
mod requirement;

use crate::ambiguous::{self, named_in};
use crate::catalog::{Catalog, Entry};
use crate::coverage::Coverage;
use crate::expect::describe;
use crate::protocol::{Level, Severity};
use crate::report::terminal::wrap;
use crate::server::faults;
use crate::suite::{Bits, Bound, Entropy, Expectation, Graded, Step, Unordered, Unrelated};
use crate::verdict::{Verdict, Weight};

/// Columns of the names at the left.
const LABEL: usize = 11;

/// Everything about a check, a requirement, a point that the standards leave open, or a fault of the reference server.
///
/// # Errors
///
/// A text for people with the ids that come near, if there is none.
pub fn explain(catalog: &Catalog, id: &str, width: usize) -> Result<String, String> {
    if ambiguous::is_id(id) {
        return point::explain(catalog, id, width);
    }
    if let Some(row) = Coverage::of(catalog).row(id) {
        return Ok(requirement::page(row, width));
    }
    if let Some(fault) = faults::find(id) {
        return fault::explain(catalog, fault, width);
    }
    let entry = find(catalog, id)?;
    let check = &entry.check;
    let mut page = Page { width, lines: vec![entry.id.clone(), check.title.clone()] };
    page.gap();
    page.row("weight", &weight(entry));
    page.row("why", &check.why);
    if check.needs.is_empty() {
        page.row("needs", "nothing but a client that gets codes");
    } else {
        let needs: Vec<&str> = check.needs.iter().map(|need| need.word()).collect();
        page.row("needs", &format!("a target with {}", needs.join(", ")));
    }
    if let Some(control) = check.control_id(&entry.suite) {
        page.row("control", &format!("counts only if {control} holds"));
    }
    if check.destructive {
        page.row("when", "last, and only with --destructive or against the embedded server");
    }
    page.gap();
    for (index, id) in check.requirements.iter().enumerate() {
        let Some(row) = catalog.requirements.get(id) else { continue };
        let label = if index == 0 { "standard" } else { "" };
        let clause = row.clause();
        // The clause of an invariant is its id already.
        let of = if clause.ends_with(id.as_str()) {
            row.keyword.clone()
        } else {
            format!("{id}, {}", row.keyword)
        };
        page.row(label, &format!("{clause} ({of}): {}", row.text));
    }
    page.gap();
    page.verdicts(entry);
    let mut points: Vec<&str> = Vec::new();
    for point in named_in(&entry.yaml).filter(|point| ambiguous::is_id(point)) {
        if !points.contains(&point) {
            points.push(point);
        }
    }
    if !points.is_empty() {
        page.row("rests on", &format!("{}: devgrant explain {}", points.join(", "), points[0]));
    }
    page.gap();
    page.lines.push("As written".to_owned());
    page.lines.extend(entry.yaml.lines().map(|line| format!("  {line}").trim_end().to_owned()));
    page.gap();
    page.lines.push("Only this".to_owned());
    page.lines.push(format!("  devgrant check --check {} --target <your target file>", entry.id));
    Ok(page.lines.join("\n") + "\n")
}

fn find<'a>(catalog: &'a Catalog, id: &str) -> Result<&'a Entry, String> {
    // Reports write the variant behind the id.
    let base = id.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')).map_or(id, |(base, _)| base);
    if let Some(entry) = catalog.get(base) {
        return Ok(entry);
    }
    let named: Vec<&Entry> = catalog.entries.iter().filter(|entry| entry.check.id == base).collect();
    if let [entry] = named[..] {
        return Ok(entry);
    }
    let near: Vec<&Entry> = match named.is_empty() {
        false => named,
        true => near(catalog, base),
    };
    let mut ids: Vec<String> = near.iter().map(|entry| format!("  {}", entry.id)).collect();
    if ids.is_empty() {
        ids.extend(catalog.requirements.closest(id).map(|row| format!("  {row}")));
    }
    Err(if ids.is_empty() {
        format!(
            "there is no check and no requirement \"{id}\"\nhelp: devgrant list shows all checks, devgrant coverage \
             --format markdown all requirements"
        )
    } else {
        format!(
            "there is no check and no requirement \"{id}\"; did you mean one of these?\n{}",
            ids.join("\n")
        )
    })
}

/// Checks whose ids have the word in them, or come near it, or those of the suite; five at most.
fn near<'a>(catalog: &'a Catalog, word: &str) -> Vec<&'a Entry> {
    let closest = catalog.closest(word).unwrap_or(word);
    let of = |text: &str| -> Vec<&'a Entry> {
        let fits = |entry: &&Entry| entry.id.contains(text);
        catalog.entries.iter().filter(fits).take(5).collect()
    };
    let found = of(word);
    if found.is_empty() { of(closest) } else { found }
}

fn weight(entry: &Entry) -> String {
    let words = match entry.weight {
        Weight::Level(Level::Must) => "a literal MUST, or what no conforming client can do without",
        Weight::Level(Level::Should) => "a SHOULD",
        Weight::Level(Level::Implied) => "no sentence binds the server, but a duty of the client implies it",
        Weight::Level(Level::May) => "a permission worth showing",
        Weight::Severity(Severity::Critical) => "the user's access goes to somebody else",
        Weight::Severity(Severity::High) => "an attack that needs little luck",
        Weight::Severity(Severity::Medium) => "a missing safeguard",
        Weight::Severity(Severity::Low) => "a detail that helps an attacker",
        Weight::Card => return "none: it judges nothing and gives a line of the behaviour card".to_owned(),
    };
    format!("{}: {words}; counted under {}", entry.weight.label(), entry.tally)
}

struct Page {
    width: usize,
    lines: Vec<String>,
}

impl Page {
    fn gap(&mut self) {
        self.lines.push(String::new());
    }

    fn row(&mut self, label: &str, text: &str) {
        let lines = wrap(text, self.width.saturating_sub(LABEL));
        for (index, line) in lines.iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            self.lines.push(format!("{label:LABEL$}{line}"));
        }
    }

    /// What must hold, what a mismatch is, and what is tolerated.
    fn verdicts(&mut self, entry: &Entry) {
        let check = &entry.check;
        if entry.weight == Weight::Card {
            for (index, reading) in check.say.iter().enumerate() {
                self.row(if index == 0 { "may say" } else { "" }, &reading.text);
            }
            return;
        }
        let mut held = Vec::new();
        let mut tolerated = Vec::new();
        for step in check.all_steps() {
            let subject = subject(step);
            if let Step::PollUntil(until) = step
                && let Some(by) = &until.by
            {
                let outcomes: Vec<String> = until.outcome.iter().map(ToString::to_string).collect();
                let bounds: Vec<String> = by.is.iter().map(in_words).collect();
                held.push(format!("{subject}: {} {}", outcomes.join(" or "), bounds.join(" or ")));
                grades(by, in_words, &subject, &mut tolerated);
            }
            if matches!(step, Step::Tls(_)) {
                held.push(format!("{subject}: TLS 1.2 or later, with a certificate that can be verified"));
            }
            for expectation in step.expect() {
                held.push(format!("{subject}: {}", describe(expectation)));
                tolerance(expectation, &subject, &mut tolerated);
            }
        }
        for variant in check.each.iter().filter(|variant| !variant.expect.is_empty()) {
            let subject = format!("{}, in the variant {}", variant.at, variant.variant);
            for expectation in &variant.expect {
                held.push(format!("{subject}: {}", describe(expectation)));
                tolerance(expectation, &subject, &mut tolerated);
            }
        }
        if check.over.as_ref().is_some_and(|over| over.oracle) {
            held.push(
                "all answers: what suites/oracle.yaml allows for what the code can have been".to_owned(),
            );
        }
        for expectation in &check.expect {
            held.push(format!("all answers: {}", describe(expectation)));
            tolerance(expectation, "all answers", &mut tolerated);
        }
        let otherwise = match entry.weight.of_mismatch() {
            Verdict::Fail => "otherwise it fails, and so does the run",
            Verdict::Warn => "otherwise it warns",
            _ => "otherwise it passes with a remark",
        };
        for (index, line) in held.iter().enumerate() {
            self.row(if index == 0 { "must hold" } else { "" }, line);
        }
        self.row("", otherwise);
        for (index, line) in tolerated.iter().enumerate() {
            self.row(if index == 0 { "tolerated" } else { "" }, line);
        }
    }
}

/// What a step is called in prose: its name, or its verb.
fn subject(step: &Step) -> String {
    match (step.verb(), step.name()) {
        (verb, Some(name)) => format!("{verb} ({name})"),
        (verb, None) => verb.to_owned(),
    }
}

fn in_words(bound: &Bound) -> String {
    match bound {
        Bound::Poll(1) => "at the first poll".to_owned(),
        Bound::Poll(n) => format!("by poll {n}"),
        Bound::Within(timing) => format!("within {timing}"),
    }
}

/// The milder grades of an expectation and of those inside it.
fn tolerance(expectation: &Expectation, subject: &str, found: &mut Vec<String>) {
    match expectation {
        Expectation::Outcome(graded) => grades(graded, |o| format!("outcome {o}"), subject, found),
        Expectation::Error(graded) => grades(graded, |word| error_word(word), subject, found),
        Expectation::Status(graded) => grades(graded, |status| format!("status {status}"), subject, found),
        Expectation::ContentType(graded) => grades(graded, |t| format!("content type {t}"), subject, found),
        Expectation::AnyOf(alternatives) => {
            for inner in alternatives.iter().flatten() {
                tolerance(inner, subject, found);
            }
        }
        Expectation::When(when) => when.expect.iter().for_each(|inner| tolerance(inner, subject, found)),
        Expectation::Lenient(lenient) => {
            let grade = if lenient.grade.word() == "warn" { "warns" } else { "passes with a remark" };
            let inner: Vec<String> = lenient.expect.iter().map(describe).collect();
            found.push(format!(
                "{subject}: without \"{}\" it {grade}: {}",
                inner.join(" and "),
                lenient.because
            ));
        }
        Expectation::Entropy(Entropy { acceptable, warn, because, .. }) => {
            bits("", [*acceptable, *warn], because.as_deref(), subject, found);
        }
        Expectation::Unordered(Unordered { acceptable, warn, because, .. }) => {
            bits("in order, but followed by ", [*acceptable, *warn], because.as_deref(), subject, found);
        }
        Expectation::Unrelated(Unrelated { to, acceptable, warn, because, .. }) => {
            let what = format!("with the {to} in it, and beside it ");
            bits(&what, [*acceptable, *warn], because.as_deref(), subject, found);
        }
        _ => {}
    }
}

/// Grades by bits, `acceptable` first.
fn bits(
    what: &str,
    grades: [Option<Bits>; 2],
    because: Option<&str>,
    subject: &str,
    found: &mut Vec<String>,
) {
    let because = because.unwrap_or("no reason given");
    for (grade, bits) in ["passes with a remark", "warns"].into_iter().zip(grades) {
        if let Some(bits) = bits {
            found.push(format!("{subject}: {what}{} bits or more {grade}: {because}", bits.0));
        }
    }
}

fn error_word(word: &str) -> String {
    if word == "other" { "any other registered error".to_owned() } else { format!("error {word}") }
}

fn grades<T>(graded: &Graded<T>, show: impl Fn(&T) -> String, subject: &str, found: &mut Vec<String>) {
    let because = graded.because.as_deref().unwrap_or("no reason given");
    for (grade, values) in [("passes with a remark", &graded.acceptable), ("warns", &graded.warn)] {
        if !values.is_empty() {
            let words: Vec<String> = values.iter().map(&show).collect();
            found.push(format!("{subject}: {} {grade}: {because}", words.join(" or ")));
        }
    }
}
