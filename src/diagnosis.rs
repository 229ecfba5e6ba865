//! What `devgrant doctor` found out about a target: line by line, each with what was seen and what to do next. Knows
//! neither how it was looked at nor how it is drawn.

use serde::Serialize;

/// The version of the JSON that is made of a [`Diagnosis`].
pub const FORMAT: u32 = 1;

/// How a thing that was looked at is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// As it should be.
    Ok,
    /// A run is possible; something may not be as it is meant.
    Warning,
    /// Something is in the way of a run, most likely the configuration.
    Failed,
    /// It could not be looked at, or there is nothing to look at.
    NotLookedAt,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What it is: `client`.
    pub name: &'static str,
    /// Which of several: the role of the client, `tv`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// How it is.
    pub state: State,
    /// What was seen, in a sentence.
    pub seen: String,
    /// More of what was seen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub detail: Vec<String>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// All that was looked at, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// [`FORMAT`].
    pub format: u32,
    /// The target's name.
    pub target: String,
    /// Each thing.
    pub lines: Vec<Line>,
}

impl Line {
    /// A thing that was looked at, and what was seen.
    #[must_use]
    pub fn new(name: &'static str, state: State, seen: impl Into<String>) -> Self {
        Self { name, about: None, state, seen: seen.into(), detail: Vec::new(), help: None }
    }

    /// Which of several.
    #[must_use]
    pub fn about(self, about: impl Into<String>) -> Self {
        Self { about: Some(about.into()), ..self }
    }

    /// More of what was seen.
    #[must_use]
    pub fn detail(mut self, detail: impl IntoIterator<Item = String>) -> Self {
        self.detail.extend(detail);
        self
    }

    /// What to do next.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl Diagnosis {
    /// Nothing was looked at yet.
    #[must_use]
    pub fn of(target: impl Into<String>) -> Self {
        Self { format: FORMAT, target: target.into(), lines: Vec::new() }
    }

    /// How many lines are so.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.lines.iter().filter(|line| line.state == state).count()
    }

    /// Is anything in the way of a run?
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.count(State::Failed) > 0
    }
}
