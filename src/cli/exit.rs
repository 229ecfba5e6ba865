//! What the exit code says.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Nothing failed.
    Good,
    /// A fail, a stale known failure, a violation.
    Failed,
    /// Flags or YAML are wrong.
    Usage,
    /// Nothing could be judged, or our own trouble.
    NotJudged,
    /// `login`: the user denied.
    Denied,
    /// `login`: the code expired.
    Expired,
    /// `login`: any other protocol error.
    Protocol,
    /// Interrupted.
    Interrupted,
}

impl Exit {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotJudged => 3,
            Self::Denied => 4,
            Self::Expired => 5,
            Self::Protocol => 6,
            Self::Interrupted => 130,
        }
    }

    /// The end that a run's exit code stands for.
    #[must_use]
    pub const fn of_run(code: u8) -> Self {
        match code {
            0 => Self::Good,
            1 => Self::Failed,
            130 => Self::Interrupted,
            _ => Self::NotJudged,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
