//! One suite file as its author wrote it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::card::{Measure, Reading};
use super::expectation::Expectation;
use super::graded::many;
use super::pages::{Tamper, Typed};
use super::request::{Alteration, Auth, Edits, Encode, Scheme, with_edits};
use super::steps::Step;
use super::values::CodeKind;
use crate::outcome::Outcome;
use crate::protocol::words::words;
use crate::protocol::{Capability, Endpoint, Level, Role, Severity, UserRole};
use crate::verdict::Weight;

/// A suite: checks on one theme.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// The id of the suite; the file's name without section number and ending.
    pub suite: String,
    /// One line for people.
    pub title: String,
    /// The checks.
    pub checks: Vec<Check>,
}

/// One documented requirement that can be judged.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// A slug, never a position.
    pub id: String,
    /// What is true of a good server, in one line.
    pub title: String,
    /// How binding the sentence is; or `severity`.
    #[serde(default)]
    pub level: Option<Level>,
    /// How bad a security finding is; or `level`.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// Neither: a line of the behaviour card, under this key.
    #[serde(default)]
    pub card: Option<String>,
    /// The rows of the catalogue that it judges.
    pub requirements: Vec<String>,
    /// What the target must be able to do.
    #[serde(default)]
    pub needs: Vec<Capability>,
    /// What goes wrong for somebody when this does not hold.
    pub why: String,
    /// What may reach across codes: such a case's mismatch is repeated alone before it counts.
    #[serde(default)]
    pub alone: Option<Alone>,
    /// Runs last and only with `--destructive`.
    #[serde(default)]
    pub destructive: bool,
    /// So many fresh rounds.
    #[serde(default)]
    pub rounds: Option<u32>,
    /// Variants of the step that `at:` names; one case each.
    #[serde(default)]
    pub each: Vec<Variant>,
    /// Many samples, taken once and shared by the checks that name them.
    #[serde(default)]
    pub sample: Option<Sample>,
    /// What is done.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Looks at all well-formed answers of the run instead.
    #[serde(default)]
    pub over: Option<Over>,
    /// For the card: a threshold that is measured.
    #[serde(default)]
    pub measure: Option<Measure>,
    /// For the card: how these codes of the sample are spelled.
    #[serde(default)]
    pub spelling: Option<CodeKind>,
    /// For the card: how the line is worded; the first that fits.
    #[serde(default)]
    pub say: Vec<Reading>,
    /// Another check of the run that is this negative's positive.
    #[serde(default)]
    pub control_by: Option<String>,
    /// What must hold over all answers of the case, the sample or the run.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

words! {
    /// What may reach across codes.
    Alone {
        /// The client.
        Client = "client",
        /// The user.
        User = "user",
        /// Everything.
        Run = "run",
    }
}

with_edits! {
    /// One variant of a step.
    pub struct Variant {
        /// Its name.
        pub variant: String,
        /// The step it changes, by name.
        pub at: String,
        /// Who decides or opens, in this variant.
        #[serde(default)]
        pub user: Option<UserRole>,
        /// What is typed for the user code, in this variant.
        #[serde(default)]
        pub typed: Option<Typed>,
        /// How the decision is forged, in this variant.
        #[serde(default)]
        pub tamper: Option<Tamper>,
        /// The expectations of the step in this variant, in place of its own.
        #[serde(default)]
        pub expect: Vec<Expectation>,
    }
}

/// `sample: { of: authorize, count: 200, name: codes }`
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// What is sampled.
    pub of: SampleKind,
    /// How many.
    pub count: u32,
    /// The name under which checks share it.
    pub name: String,
}

words! {
    /// What can be sampled.
    SampleKind {
        /// Device authorization responses.
        Authorize = "authorize",
    }
}

/// `over: { endpoint: token, outcome: [pending, slow_down] }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Over {
    /// Answers of these endpoints.
    #[serde(deserialize_with = "many")]
    #[schemars(with = "super::graded::OneOrMany<Endpoint>")]
    pub endpoint: Vec<Endpoint>,
    /// That mean one of these; all unless said.
    #[serde(default, deserialize_with = "many")]
    #[schemars(with = "super::graded::OneOrMany<Outcome>")]
    pub outcome: Vec<Outcome>,
    /// With this status; any unless said.
    #[serde(default)]
    pub status: Option<u16>,
    /// Answers to raw and malformed requests too.
    #[serde(default)]
    pub raw: bool,
    /// Only polls whose device kept its pace.
    #[serde(default)]
    pub kept_pace: bool,
    /// Polls of the checks' own sessions are held against the oracle's table: does the answer fit what the code can
    /// have been at that moment?
    #[serde(default)]
    pub oracle: bool,
}

impl Check {
    /// How much it weighs; nothing unless it has exactly one of level, severity and card.
    #[must_use]
    pub fn weight(&self) -> Option<Weight> {
        match (self.level, self.severity, &self.card) {
            (Some(level), None, None) => Some(Weight::Level(level)),
            (None, Some(severity), None) => Some(Weight::Severity(severity)),
            (None, None, Some(_)) => Some(Weight::Card),
            _ => None,
        }
    }

    /// The full id of the check that is its control, `suite/check`, for a check of this suite.
    #[must_use]
    pub fn control_id(&self, suite: &str) -> Option<String> {
        let control = self.control_by.as_ref()?;
        Some(if control.contains('/') { control.clone() } else { format!("{suite}/{control}") })
    }

    /// Every step, those inside `only_if` included, in order.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().flat_map(|step| {
            let inner: &[Step] = if let Step::OnlyIf(only_if) = step { &only_if.then } else { &[] };
            std::iter::once(step).chain(inner)
        })
    }

    /// Does it need a user's decision?
    #[must_use]
    pub fn needs_decision(&self) -> bool {
        self.all_steps().any(|step| {
            matches!(
                step,
                Step::Approve(_) | Step::Deny(_) | Step::OpenPage(_) | Step::EnterCode(_) | Step::Together(_)
            )
        })
    }
}
