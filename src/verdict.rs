//! What became of a case, and every difference that was found on the way.

use serde::{Deserialize, Serialize};

use crate::protocol::words::words;
use crate::protocol::{Level, Severity};

words! {
    /// What became of a case.
    Verdict {
        /// As it should be.
        Pass = "pass",
        /// Permitted, and worth a remark.
        Acceptable = "acceptable",
        /// Should be otherwise; a conforming client survives it.
        Warn = "warn",
        /// The standard says otherwise.
        Fail = "fail",
        /// Known before sending: not declared, not selected, does not fit the time.
        Skip = "skip",
        /// Tried, and set-up or control failed.
        NotExercised = "not exercised",
        /// Measured, and not certain.
        Inconclusive = "inconclusive",
        /// Our own trouble.
        Error = "error",
    }
}

words! {
    /// How far one expectation was missed.
    Grade {
        /// It passes with a remark.
        Acceptable = "acceptable",
        /// It warns, whatever the level.
        Warn = "warn",
        /// It is the mismatch: the level decides.
        Mismatch = "mismatch",
    }
}

/// One difference between what was expected and what came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mismatch {
    /// How far it is off.
    pub grade: Grade,
    /// What was expected, for people: `error invalid_client`.
    pub expected: String,
    /// What came, redacted: `401  {"error":"unauthorized_client"}`.
    pub actual: String,
    /// Why this grade, where the suite says so.
    pub because: Option<String>,
    /// The exchange that shows it.
    pub exchange: Option<u32>,
}

/// How much a check weighs: a level, a severity, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Weight {
    /// By the standard's sentence.
    #[serde(rename = "level")]
    Level(Level),
    /// By the danger.
    #[serde(rename = "severity")]
    Severity(Severity),
    /// Nothing: it gives a line of the behaviour card, and judges nobody.
    #[serde(rename = "card")]
    Card,
}

impl Weight {
    /// The level or severity of a word, `must` or `critical`; or `card`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        if word == "card" {
            return Some(Self::Card);
        }
        let level = Level::ALL.iter().find(|level| level.word() == word).map(|&level| Self::Level(level));
        let mut severities = Severity::ALL.iter();
        level.or_else(|| severities.find(|s| s.word() == word).map(|&severity| Self::Severity(severity)))
    }

    /// `must`, `high security`.
    #[must_use]
    pub fn label(self) -> String {
        match self {
            Self::Level(level) => level.word().to_owned(),
            Self::Severity(severity) => format!("{severity} security"),
            Self::Card => "card".to_owned(),
        }
    }

    /// What a mismatch of this weight is.
    #[must_use]
    pub const fn of_mismatch(self) -> Verdict {
        match self {
            Self::Level(Level::Must) | Self::Severity(Severity::Critical | Severity::High) => Verdict::Fail,
            Self::Level(Level::Should | Level::Implied)
            | Self::Severity(Severity::Medium | Severity::Low) => Verdict::Warn,
            Self::Level(Level::May) => Verdict::Acceptable,
            Self::Card => Verdict::Pass,
        }
    }

    /// The verdict of a case of this weight with these differences: the worst of them.
    #[must_use]
    pub fn judge(self, mismatches: &[Mismatch]) -> Verdict {
        mismatches
            .iter()
            .map(|mismatch| match mismatch.grade {
                Grade::Acceptable => Verdict::Acceptable,
                Grade::Warn => self.of_mismatch().min(Verdict::Warn),
                Grade::Mismatch => self.of_mismatch(),
            })
            .max()
            .unwrap_or(Verdict::Pass)
    }
}

impl Verdict {
    /// The verdict of `--mode strict`: acceptable warns, a warning fails.
    #[must_use]
    pub const fn strict(self) -> Self {
        match self {
            Self::Acceptable => Self::Warn,
            Self::Warn => Self::Fail,
            other => other,
        }
    }

    /// Did the case say anything about the server?
    #[must_use]
    pub const fn is_judged(self) -> bool {
        matches!(self, Self::Pass | Self::Acceptable | Self::Warn | Self::Fail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mismatch(grade: Grade) -> Mismatch {
        Mismatch { grade, expected: String::new(), actual: String::new(), because: None, exchange: None }
    }

    #[test]
    fn the_level_decides_what_a_mismatch_is_and_the_worst_counts() {
        let must = Weight::Level(Level::Must);
        assert_eq!(must.judge(&[]), Verdict::Pass);
        assert_eq!(must.judge(&[mismatch(Grade::Acceptable), mismatch(Grade::Mismatch)]), Verdict::Fail);
        assert_eq!(must.judge(&[mismatch(Grade::Warn)]), Verdict::Warn);
        let implied = Weight::Level(Level::Implied);
        assert_eq!(implied.judge(&[mismatch(Grade::Mismatch)]), Verdict::Warn);
        let may = Weight::Level(Level::May);
        assert_eq!(may.judge(&[mismatch(Grade::Mismatch), mismatch(Grade::Warn)]), Verdict::Acceptable);
        assert_eq!(Weight::Severity(Severity::High).judge(&[mismatch(Grade::Mismatch)]), Verdict::Fail);
        assert_eq!(Weight::Severity(Severity::Medium).judge(&[mismatch(Grade::Mismatch)]), Verdict::Warn);
        assert_eq!(Verdict::Warn.strict(), Verdict::Fail);
        assert_eq!(Verdict::Acceptable.strict(), Verdict::Warn);
    }
}
