//! Lines of the behaviour card: what is measured or read, and how the line is worded.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::expectation::Expectation;
use crate::protocol::Role;
use crate::protocol::words::words;
use crate::timing::Timing;

/// `measure: { threshold: gap, from: 0 s, to: 2 intervals, step: 10 % of interval, repeat: 3 }`
///
/// All values are tried at once, each on a code of its own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// What is varied.
    pub threshold: Threshold,
    /// The first value that is tried.
    pub from: Timing,
    /// The last one.
    pub to: Timing,
    /// How far two of them are apart.
    pub step: Timing,
    /// So many codes for each value; one unless said.
    #[serde(default)]
    pub repeat: Option<u32>,
    /// For gaps: after one `slow_down`, after two, and so on up to so many.
    #[serde(default)]
    pub slow_downs: Option<u32>,
    /// Whose codes; those of `tv` unless said.
    #[serde(default)]
    pub client: Option<Role>,
}

words! {
    /// What a measurement varies.
    Threshold {
        /// The time between two polls: from which gap on is the second one not slowed?
        Gap = "gap",
        /// The age of a code at its only poll: from which age on is it over?
        Age = "age",
    }
}

/// One wording of a line, and when it is the right one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// What these answers, by the names of their steps, must be; the last wording has none.
    #[serde(default)]
    pub when: BTreeMap<String, Vec<Expectation>>,
    /// The line: `{early.answer}` is the error word of a named answer, or what came in its place.
    pub text: String,
}
