//! Violations by kind, with the first transcripts of each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::oracle::{Grade, Said, State};

/// So many transcripts are kept of each kind.
const KEPT: usize = 5;

/// What was wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Kind {
    /// Does it count as a violation, or is it a milder finding?
    pub is_violation: bool,
    /// How bad it is.
    pub grade: Grade,
    /// The requirement that is broken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirement: Option<String>,
    /// What the server answered, and in which state of the code; nothing for what is not an answer to a poll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<(Said, State)>,
    /// Why that is wrong.
    pub because: String,
}

/// One occurrence, without secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    /// When the answer was in, in ms since the start of the run.
    pub at_ms: u64,
    /// The group of the device and its number in it; nothing for strangers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<(String, u64)>,
    /// What is known of the code, in order, each with its instant.
    pub history: Vec<String>,
    /// The request, redacted.
    pub request: String,
    /// The answer, redacted.
    pub answer: String,
}

/// Everything that the oracle found, by kind.
#[derive(Debug, Clone, Default)]
pub struct Violations {
    kinds: BTreeMap<Kind, (u64, Vec<Transcript>)>,
}

impl Violations {
    /// Takes note of one; the transcript is only made while there is room for it.
    pub fn add(&mut self, kind: &Kind, transcript: impl FnOnce() -> Transcript) {
        if let Some((count, kept)) = self.kinds.get_mut(kind) {
            *count += 1;
            if kept.len() < KEPT {
                kept.push(transcript());
            }
        } else {
            self.kinds.insert(kind.clone(), (1, vec![transcript()]));
        }
    }

    /// All kinds, the mildest first, each with how often and the first transcripts.
    pub fn iter(&self) -> impl Iterator<Item = (&Kind, u64, &[Transcript])> {
        self.kinds.iter().map(|(kind, (count, kept))| (kind, *count, kept.as_slice()))
    }

    /// How many are violations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.iter().filter(|(kind, ..)| kind.is_violation).map(|(_, count, _)| count).sum()
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (kind, (count, transcripts)) in &other.kinds {
            let mine = self.kinds.entry(kind.clone()).or_default();
            mine.0 += count;
            let room = KEPT.saturating_sub(mine.1.len());
            mine.1.extend(transcripts.iter().take(room).cloned());
        }
    }

    /// Puts what a record tells back.
    pub(super) fn put(&mut self, kind: Kind, count: u64, transcripts: Vec<Transcript>) {
        self.kinds.insert(kind, (count, transcripts));
    }
}
