//! `suites/oracle.yaml`: state × answer × conditions -> grade, requirement, because. Read as strictly as a suite.
//!
//! ```yaml
//! - state: expired
//!   answer: invalid_grant
//!   when: [within_late_band]
//!   grade: warn
//!   because: "the record went at once, and the device cannot say why it stops (A1)"
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::words::{Condition, Grade, Said, State};
use crate::diagnostic::{Diagnostic, Place};
use crate::requirement::Requirements;
use crate::suite::{OneOrMany, schema_of};
use crate::yaml::{self, Marks, Source};

/// The file as it is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "oracle file", deny_unknown_fields)]
struct File {
    /// One line for people.
    #[expect(dead_code, reason = "for whoever reads the file")]
    title: String,
    /// For each state and answer the rows in order: the first whose conditions hold counts, the last has none.
    rows: Vec<Row>,
}

/// One row of the table.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// In these states.
    state: OneOrMany<State>,
    /// These answers.
    answer: OneOrMany<Said>,
    /// When all of this holds; always unless said.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// Are of this grade.
    pub grade: Grade,
    /// The row of the catalogue of requirements that it rests on; whatever is worse than `warn` has one.
    #[serde(default)]
    pub requirement: Option<String>,
    /// Why; whatever is not `ok` has a reason.
    #[serde(default)]
    pub because: Option<String>,
}

/// The table, with every state and answer in it.
#[derive(Debug, Clone)]
pub struct Table {
    rows: Vec<Row>,
    /// For each state and answer the numbers of its rows.
    cells: Vec<Vec<usize>>,
}

/// The schema of `suites/oracle.yaml`, for editors.
#[must_use]
pub fn schema() -> String {
    schema_of::<File>("The oracle's table of devgrant", "oracle.schema.json")
}

impl Table {
    /// The table that devgrant brings along.
    ///
    /// # Errors
    ///
    /// The mistakes of the file; a test proves that it has none.
    pub fn builtin(requirements: &Requirements) -> Result<Self, Vec<Diagnostic>> {
        let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/suites/oracle.yaml"));
        Self::load(&Source { name: "suites/oracle.yaml".to_owned(), text: text.to_owned() }, requirements)
    }

    /// The table of a file.
    ///
    /// # Errors
    ///
    /// Every mistake of the file, each at its place.
    pub fn load(source: &Source, requirements: &Requirements) -> Result<Self, Vec<Diagnostic>> {
        let loaded = yaml::load::<File>(source);
        let mut out = loaded.diagnostics;
        let rows = loaded.value.map_or_else(Vec::new, |file| file.rows);
        let mut cells = vec![Vec::new(); State::ALL.len() * Said::ALL.len()];
        // What could not be read may be the very row that is missing.
        if out.is_empty() {
            for (index, row) in rows.iter().enumerate() {
                judge_row(index, row, requirements, &loaded.marks, &mut out);
                enter(index, &rows, &mut cells, &loaded.marks, &mut out);
            }
            complete(&rows, &cells, &loaded.marks, &mut out);
        }
        if out.is_empty() { Ok(Self { rows, cells }) } else { Err(out) }
    }

    /// Every row, in the order of the file.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    /// The first row for this state and answer whose conditions all hold.
    pub(super) fn row(&self, state: State, said: Said, holds: impl Fn(Condition) -> bool) -> Option<&Row> {
        let cell = self.cells.get(cell(state, said))?;
        let mut rows = cell.iter().filter_map(|&index| self.rows.get(index));
        rows.find(|row| row.when.iter().all(|&condition| holds(condition)))
    }
}

impl Row {
    /// The states it speaks of.
    pub fn states(&self) -> impl Iterator<Item = State> {
        self.state.0.iter().copied()
    }

    /// The answers it speaks of.
    pub fn answers(&self) -> impl Iterator<Item = Said> {
        self.answer.0.iter().copied()
    }

    fn pairs(&self) -> impl Iterator<Item = (State, Said)> {
        self.states().flat_map(|state| self.answers().map(move |said| (state, said)))
    }
}

const fn cell(state: State, said: Said) -> usize {
    state as usize * Said::ALL.len() + said as usize
}

fn place(marks: &Marks, index: usize, key: &str) -> Option<Place> {
    marks.place(&["rows".into(), index.into(), key.into()])
}

/// What is wrong with one row by itself.
fn judge_row(index: usize, row: &Row, requirements: &Requirements, marks: &Marks, out: &mut Vec<Diagnostic>) {
    if row.grade != Grade::Ok && row.because.as_ref().is_none_or(|because| because.trim().is_empty()) {
        out.push(
            Diagnostic::error("grade-without-reason", format!("the grade {} has no reason", row.grade))
                .at(place(marks, index, "grade"))
                .help("say why with because: \"...\""),
        );
    }
    match &row.requirement {
        Some(id) if requirements.get(id).is_none() => out.push(
            Diagnostic::error("unknown-requirement", format!("there is no requirement \"{id}\""))
                .at(place(marks, index, "requirement"))
                .help(requirements.closest(id).map_or_else(
                    || "suites/requirements.yaml has all of them".to_owned(),
                    |near| format!("did you mean \"{near}\"?"),
                )),
        ),
        None if row.grade.is_violation() => out.push(
            Diagnostic::error("no-requirement", format!("the grade {} rests on no requirement", row.grade))
                .at(place(marks, index, "grade"))
                .help("name the row of suites/requirements.yaml that is broken, such as INV-7"),
        ),
        _ => {}
    }
    for (key, is_empty) in [("state", row.state.0.is_empty()), ("answer", row.answer.0.is_empty())] {
        if is_empty {
            out.push(
                Diagnostic::error("empty-list", format!("the row names no {key}"))
                    .at(place(marks, index, key))
                    .help(format!("name at least one {key}")),
            );
        }
    }
    for (nth, condition) in row.when.iter().enumerate() {
        let at = marks.place(&["rows".into(), index.into(), "when".into(), nth.into()]);
        let word = condition.word();
        if row.when.iter().take(nth).any(|before| before.word() == word) {
            out.push(
                Diagnostic::error("condition-twice", format!("{word} is named twice"))
                    .at(at)
                    .help("keep one of them"),
            );
        } else if *condition == Condition::PollsAfter(0) {
            out.push(
                Diagnostic::error("never-holds", "the poll that is judged counts, so there is always one")
                    .at(at)
                    .help("write polls_after: 1 or more"),
            );
        } else if let Some((state, said)) =
            row.pairs().find(|&(state, said)| !condition.can_hold(state, said))
        {
            out.push(
                Diagnostic::error(
                    "never-holds",
                    format!("{word} can never hold for the answer {said} in the state {state}"),
                )
                .at(at)
                .help("leave it out, or give that pair a row of its own"),
            );
        }
    }
}

/// Puts a row into the cells of its pairs. Behind a row without conditions nothing comes any more.
fn enter(index: usize, rows: &[Row], cells: &mut [Vec<usize>], marks: &Marks, out: &mut Vec<Diagnostic>) {
    let Some(row) = rows.get(index) else { return };
    let mut hidden = None;
    for (state, said) in row.pairs() {
        let Some(known) = cells.get_mut(cell(state, said)) else { continue };
        let last =
            known.iter().copied().find(|&before| rows.get(before).is_some_and(|row| row.when.is_empty()));
        match last {
            Some(before) => hidden = hidden.or(Some((state, said, before))),
            None => known.push(index),
        }
    }
    if let Some((state, said, before)) = hidden {
        out.push(
            Diagnostic::error(
                "row-never-counts",
                format!("the pair of {state} and {said} has its last row already"),
            )
            .at(place(marks, index, "answer"))
            .note(place(marks, before, "answer"), "this row has no conditions, so nothing behind it counts")
            .help("put rows with conditions first, and keep one without"),
        );
    }
}

/// Every pair ends with a row without conditions.
fn complete(rows: &[Row], cells: &[Vec<usize>], marks: &Marks, out: &mut Vec<Diagnostic>) {
    for &state in State::ALL {
        let mut missing = Vec::new();
        for &said in Said::ALL {
            let cell = cells.get(cell(state, said));
            let last = cell.and_then(|cell| cell.last()).copied();
            match last {
                None => missing.push(said.word()),
                Some(index) if rows.get(index).is_some_and(|row| !row.when.is_empty()) => out.push(
                    Diagnostic::error(
                        "pair-without-end",
                        format!("the pair of {state} and {said} has no row without conditions"),
                    )
                    .at(place(marks, index, "when"))
                    .help("add a row that says what holds otherwise"),
                ),
                Some(_) => {}
            }
        }
        if !missing.is_empty() {
            out.push(
                Diagnostic::error(
                    "pair-without-row",
                    format!("the state {state} has no row for {}", missing.join(", ")),
                )
                .at(marks.key_place(&["rows".into()]))
                .help("every state needs a row for every answer; one row may name several"),
            );
        }
    }
}
