//! One answer under judgement.

use serde_json::{Map, Value};

use super::{Scope, show};
use crate::exchange::{Answer, Exchange};
use crate::outcome::Outcome;
use crate::verdict::{Grade, Mismatch};

/// One answer under judgement.
pub(super) struct View<'a> {
    /// The exchange.
    pub(super) exchange: &'a Exchange,
    /// The case around it.
    pub(super) scope: &'a dyn Scope,
    /// What it means.
    pub(super) outcome: Outcome,
    /// The JSON object in its body, if there is one.
    pub(super) members: Option<&'a Map<String, Value>>,
}

impl<'a> View<'a> {
    /// Reads the answer of an exchange.
    pub(super) fn new(exchange: &'a Exchange, scope: &'a dyn Scope) -> Self {
        Self { exchange, scope, outcome: exchange.outcome(), members: exchange.members() }
    }

    /// The complete answer, if one came.
    pub(super) fn answer(&self) -> Option<&'a Answer> {
        self.exchange.answer.as_ref().ok()
    }

    /// The `error` member, when it is a string.
    pub(super) fn error(&self) -> Option<&str> {
        self.text("error")
    }

    /// A member that is a string.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.members?.get(name)?.as_str()
    }

    /// The mismatch that the whole answer shows.
    pub(super) fn miss(&self, expected: impl Into<String>) -> Mismatch {
        self.miss_with(expected, show::answer(self.exchange))
    }

    /// A mismatch that a part of the answer shows.
    pub(super) fn miss_with(&self, expected: impl Into<String>, actual: impl Into<String>) -> Mismatch {
        Mismatch {
            grade: Grade::Mismatch,
            expected: expected.into(),
            actual: actual.into(),
            because: None,
            exchange: Some(self.exchange.number),
        }
    }
}

/// How bad a value is, and the reason where it is let pass.
pub(super) type Found = (Grade, Option<String>);

/// Gives a mismatch its grade and the reason for it.
pub(super) fn graded((grade, because): Found, mismatch: Mismatch) -> Mismatch {
    Mismatch { grade, because, ..mismatch }
}
