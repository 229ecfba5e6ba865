//! The points that the standards leave open, as data: how each reading is graded, and which checks and rows of the oracle's
//! table apply it.
//!
//! ```yaml
//! - id: A8
//!   point: polling on after access_denied
//!   open: The device has to stop, so nothing is said about what it hears if it does not.
//!   clauses: [RFC8628-3.5-i]
//!   readings:
//!     - { reading: access_denied again, or invalid_grant, grade: pass }
//!     - { reading: pending or a token, grade: fail, because: a denial that does not last is none }
//! ```
//!
//! A reason that rests on a point names it in parentheses, `(A8)`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, closest};
use crate::oracle::Grade;
use crate::protocol::words::words;
use crate::requirement::Requirements;
use crate::suite::{
    Entropy, Expectation, Graded, MildGrade, Step, Together, Unordered, Unrelated, schema_of,
};
use crate::yaml::{self, Marks, Source};

words! {
    /// How a reading is graded.
    Standing {
        /// As it should be.
        Pass = "pass",
        /// It passes with a remark.
        Acceptable = "acceptable",
        /// It warns.
        Warn = "warn",
        /// It warns in the security tally.
        SecurityMedium = "security-medium",
        /// It fails.
        Fail = "fail",
        /// It fails in the security tally.
        SecurityHigh = "security-high",
        /// The same; somebody else gets the user's access.
        SecurityCritical = "security-critical",
    }
}

/// The file as it is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "file of ambiguous points", deny_unknown_fields)]
struct File {
    /// One line for people.
    #[expect(dead_code, reason = "for whoever reads the file")]
    title: String,
    /// The points, A1 first.
    points: Vec<Point>,
}

/// One point that the standards leave open.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// `A4`; never changes.
    pub id: String,
    /// What it is about.
    pub point: String,
    /// What the texts give, and what they leave open.
    pub open: String,
    /// The rows of the catalogue of requirements that it is about.
    pub clauses: Vec<String>,
    /// The ways to read them.
    pub readings: Vec<Reading>,
    /// Why no check can apply it, where none does.
    #[serde(default)]
    pub elsewhere: Option<String>,
}

/// One way to read a point.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// What a server does.
    pub reading: String,
    /// How that is graded.
    pub grade: Standing,
    /// The words under which it appears in checks and in the oracle's table: outcomes, error words, statuses.
    #[serde(default)]
    pub values: Vec<String>,
    /// Why; whatever does not pass has a reason.
    #[serde(default)]
    pub because: Option<String>,
}

/// All points.
#[derive(Debug, Clone)]
pub struct Points(Vec<Point>);

/// A place that rests on a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The point's id.
    pub point: String,
    /// The check's id, or the row of the oracle's table.
    pub by: String,
    /// What is graded there and how; nothing where a text only speaks of it.
    pub graded: Option<(String, Standing)>,
}

/// The schema of `suites/ambiguous.yaml`, for editors.
#[must_use]
pub fn schema() -> String {
    schema_of::<File>("The ambiguous points of devgrant", "ambiguous.schema.json")
}

impl Points {
    /// The points that devgrant brings along.
    ///
    /// # Errors
    ///
    /// The mistakes of the file; a test proves that it has none.
    pub fn builtin(requirements: &Requirements) -> Result<Self, Vec<Diagnostic>> {
        let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/suites/ambiguous.yaml"));
        Self::load(&Source { name: "suites/ambiguous.yaml".to_owned(), text: text.to_owned() }, requirements)
    }

    /// The points of a file.
    ///
    /// # Errors
    ///
    /// Every mistake of the file, each at its place.
    pub fn load(source: &Source, requirements: &Requirements) -> Result<Self, Vec<Diagnostic>> {
        let loaded = yaml::load::<File>(source);
        let mut out = loaded.diagnostics;
        let points = loaded.value.map_or_else(Vec::new, |file| file.points);
        if out.is_empty() {
            for (index, point) in points.iter().enumerate() {
                judge(index, point, requirements, &loaded.marks, &mut out);
            }
        }
        if out.is_empty() { Ok(Self(points)) } else { Err(out) }
    }

    /// Every point, A1 first.
    pub fn iter(&self) -> impl Iterator<Item = &Point> {
        self.0.iter()
    }

    /// The point of an id, in either letter case.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Point> {
        self.0.iter().find(|point| point.id.eq_ignore_ascii_case(id))
    }

    /// The id that was most likely meant.
    #[must_use]
    pub fn closest(&self, id: &str) -> Option<&str> {
        closest(id, self.0.iter().map(|point| point.id.as_str()))
    }
}

/// Is this how points are called: `A4`?
#[must_use]
pub fn is_id(text: &str) -> bool {
    let number = text.strip_prefix(['A', 'a']);
    number.is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
}

/// Everything in the checks and in the oracle's table that names a point.
#[must_use]
pub fn uses(catalog: &Catalog) -> Vec<Use> {
    let mut uses = Vec::new();
    for entry in &catalog.entries {
        let check = &entry.check;
        let mut found = Found { by: &entry.id, uses: &mut uses };
        found.text(&check.title);
        found.text(&check.why);
        for step in check.all_steps() {
            if let Step::PollUntil(until) = step
                && let Some(by) = &until.by
            {
                found.graded(by);
            }
            step.expect().iter().for_each(|expectation| found.expectation(expectation));
            if let Step::Together(steps) = step {
                for step in steps {
                    if let Together::Poll(poll) = step {
                        poll.expect.iter().for_each(|expectation| found.expectation(expectation));
                    }
                }
            }
        }
        let variants = check.each.iter().flat_map(|variant| &variant.expect);
        variants.chain(&check.expect).for_each(|expectation| found.expectation(expectation));
    }
    for row in catalog.oracle.rows() {
        let Some(because) = &row.because else { continue };
        for state in row.states() {
            for said in row.answers() {
                let by = format!("the oracle's table, for a code that is {state}");
                let mut found = Found { by: &by, uses: &mut uses };
                found.value(because, said.word(), row.grade.into());
            }
        }
    }
    uses
}

/// The points that a text names in parentheses.
pub fn named_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('(')
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .flat_map(|(inside, _)| inside.split(','))
        .map(str::trim)
        .filter(|word| word.starts_with('A') && is_id(word))
}

impl From<Grade> for Standing {
    fn from(grade: Grade) -> Self {
        match grade {
            Grade::Ok => Self::Pass,
            Grade::Acceptable => Self::Acceptable,
            Grade::Warn => Self::Warn,
            Grade::SecurityMedium => Self::SecurityMedium,
            Grade::Fail => Self::Fail,
            Grade::SecurityHigh => Self::SecurityHigh,
            Grade::SecurityCritical => Self::SecurityCritical,
        }
    }
}

/// Collects the uses in one check or row.
struct Found<'a> {
    by: &'a str,
    uses: &'a mut Vec<Use>,
}

impl Found<'_> {
    fn text(&mut self, text: &str) {
        for point in named_in(text) {
            self.uses.push(Use { point: point.to_owned(), by: self.by.to_owned(), graded: None });
        }
    }

    fn value(&mut self, because: &str, value: &str, standing: Standing) {
        for point in named_in(because) {
            let graded = Some((value.to_owned(), standing));
            self.uses.push(Use { point: point.to_owned(), by: self.by.to_owned(), graded });
        }
    }

    fn graded<T: ToString>(&mut self, graded: &Graded<T>) {
        let Some(because) = &graded.because else { return };
        for value in &graded.acceptable {
            self.value(because, &value.to_string(), Standing::Acceptable);
        }
        for value in &graded.warn {
            self.value(because, &value.to_string(), Standing::Warn);
        }
    }

    fn expectation(&mut self, expectation: &Expectation) {
        match expectation {
            Expectation::Outcome(graded) => self.graded(graded),
            Expectation::Error(graded) | Expectation::ContentType(graded) => self.graded(graded),
            Expectation::Status(graded) => self.graded(graded),
            Expectation::Not(inner) => self.expectation(inner),
            Expectation::AnyOf(alternatives) => {
                alternatives.iter().flatten().for_each(|inner| self.expectation(inner));
            }
            Expectation::When(when) => when.expect.iter().for_each(|inner| self.expectation(inner)),
            Expectation::Lenient(lenient) => {
                let standing = match lenient.grade {
                    MildGrade::Acceptable => Standing::Acceptable,
                    MildGrade::Warn => Standing::Warn,
                };
                self.value(&lenient.because, "lenient", standing);
                lenient.expect.iter().for_each(|inner| self.expectation(inner));
            }
            Expectation::Entropy(Entropy { because, .. })
            | Expectation::Unordered(Unordered { because, .. })
            | Expectation::Unrelated(Unrelated { because, .. }) => {
                self.text(because.as_deref().unwrap_or_default());
            }
            Expectation::Tokens(tokens) => self.text(tokens.because.as_deref().unwrap_or_default()),
            _ => {}
        }
    }
}

/// What is wrong with one point.
fn judge(index: usize, point: &Point, requirements: &Requirements, marks: &Marks, out: &mut Vec<Diagnostic>) {
    let path = |key: &str| vec!["points".into(), index.into(), key.into()];
    let expected = format!("A{}", index + 1);
    if point.id != expected {
        out.push(
            Diagnostic::error(
                "point-out-of-order",
                format!("point {} stands where {expected} is due", point.id),
            )
            .at(marks.place(&path("id")))
            .help("points are numbered in order; a new one comes last, and none is ever taken out"),
        );
    }
    if point.readings.is_empty() {
        out.push(
            Diagnostic::error("no-reading", format!("the point {} has no reading", point.id))
                .at(marks.key_place(&path("readings")))
                .help("name at least one way to read it, with its grade"),
        );
    }
    for (nth, id) in point.clauses.iter().enumerate() {
        if requirements.get(id).is_none() {
            let mut at = path("clauses");
            at.push(nth.into());
            out.push(
                Diagnostic::error("unknown-requirement", format!("there is no requirement \"{id}\""))
                    .at(marks.place(&at))
                    .help(requirements.closest(id).map_or_else(
                        || "suites/requirements.yaml has all of them".to_owned(),
                        |near| format!("did you mean \"{near}\"?"),
                    )),
            );
        }
    }
    for (nth, reading) in point.readings.iter().enumerate() {
        if reading.grade != Standing::Pass && reading.because.is_none() {
            let mut at = path("readings");
            at.extend([nth.into(), "grade".into()]);
            out.push(
                Diagnostic::error(
                    "grade-without-reason",
                    format!("the grade {} has no reason", reading.grade),
                )
                .at(marks.place(&at))
                .help("say why with because:"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Colour;

    #[test]
    fn the_points_are_without_mistake() {
        let requirements = Requirements::builtin().unwrap();
        let points = Points::builtin(&requirements).unwrap_or_else(|mistakes| {
            panic!("{}", mistakes.iter().map(|mistake| mistake.draw(Colour::Plain)).collect::<String>())
        });
        assert_eq!(points.iter().count(), 43);
        assert_eq!(points.get("a4").map(|point| point.id.as_str()), Some("A4"));
        assert!(points.closest("A44").is_some_and(|near| points.get(near).is_some()));
    }

    #[test]
    fn points_are_named_in_parentheses() {
        let named = |text| named_in(text).collect::<Vec<_>>();
        assert_eq!(named("the record is gone (A1)"), ["A1"]);
        assert_eq!(named("both (A4, A14) and (see A3) and (A) and A9 (B7)"), ["A4", "A14"]);
    }

    #[test]
    fn mistakes_of_the_points_are_found_and_shown_at_their_place() {
        let requirements = Requirements::builtin().unwrap();
        let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/suites/ambiguous.yaml"));
        for (from, to, message) in [
            ("  - id: A2\n", "  - id: A1\n", "point A1 stands where A2 is due"),
            (
                "grade: acceptable, because: some libraries",
                "grade: accptable, because: some libraries",
                "unknown",
            ),
            ("clauses: [RFC8628-3.1-i]", "clauses: [RFC8628-3.1-zz]", "there is no requirement"),
            (
                "grade: warn, because: a recommendation of a section without force",
                "grade: warn",
                "has no reason",
            ),
            ("    open: Undefined.\n", "    opn: Undefined.\n", "opn"),
        ] {
            assert!(text.contains(from), "{from}");
            let source = Source { name: "ambiguous.yaml".to_owned(), text: text.replacen(from, to, 1) };
            let mistakes = Points::load(&source, &requirements).unwrap_err();
            let drawn: String = mistakes.iter().map(|mistake| mistake.draw(Colour::Plain)).collect();
            assert!(drawn.contains(message) && drawn.contains("help: "), "{from}\n{drawn}");
        }
    }
}
