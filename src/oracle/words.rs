//! The words of `suites/oracle.yaml`: states, answers, conditions and grades.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::outcome::Outcome;
use crate::protocol::words::words;
use crate::verdict;

words! {
    /// What a device code may be when a server answers; the last two speak of who asks, whatever the code is.
    State {
        /// Never issued.
        Unknown = "unknown",
        /// Nobody has decided. Whether somebody is about to, cannot be seen from outside.
        Pending = "pending",
        /// Approved; no token has been given out.
        Approved = "approved",
        /// Denied.
        Denied = "denied",
        /// One token response has been made.
        Redeemed = "redeemed",
        /// The lifetime is over, and the record is kept.
        Expired = "expired",
        /// The record is gone, after the device was told how it ended or could have been.
        Gone = "gone",
        /// Made invalid by the server, because somebody else presented the code.
        Killed = "killed",
        /// Polled by a client that it does not belong to.
        Foreign = "foreign",
        /// Polled by its confidential client without its credentials.
        Unauthenticated = "unauthenticated",
    }
}

words! {
    /// What the server said to a poll.
    Said {
        /// A token response.
        Granted = "granted",
        /// `authorization_pending`.
        Pending = "pending",
        /// `slow_down`.
        SlowDown = "slow_down",
        /// `access_denied`.
        Denied = "denied",
        /// `expired_token`.
        Expired = "expired",
        /// `invalid_grant`.
        InvalidGrant = "invalid_grant",
        /// `invalid_client`.
        InvalidClient = "invalid_client",
        /// Any other error word.
        OtherError = "other_error",
        /// Refused without an error word.
        Wordless = "wordless",
        /// A success that is none.
        Malformed = "malformed",
        /// A rate limit of HTTP.
        Limited = "limited",
        /// A server error, or no answer.
        Broken = "broken",
    }
}

words! {
    /// How right or wrong an answer is, the mildest first.
    Grade {
        /// As it should be.
        Ok = "ok",
        /// Permitted, and worth a remark.
        Acceptable = "acceptable",
        /// Should be otherwise; a conforming client survives it.
        Warn = "warn",
        /// A safeguard is missing: a warning of the security tally.
        SecurityMedium = "security-medium",
        /// The standard says otherwise.
        Fail = "fail",
        /// An attack that needs little luck.
        SecurityHigh = "security-high",
        /// The user's access goes to somebody else.
        SecurityCritical = "security-critical",
    }
}

/// What the oracle can know about an answer, beside the state; all conditions of a row must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Asked within `propagation` of the decision's end.
    WithinPropagation,
    /// At most so many polls, each a whole interval after the last answer, were told to go on since the decision's end,
    /// this one included.
    PollsAfter(u8),
    /// As the server saw it, the poll may have come before the interval was over, `g_round` of rounding included.
    GapMaybeShort,
    /// The same tokens as before.
    SameToken,
    /// The device was told before how it ended: for `approved` and `redeemed` the token, for `denied` and `expired` their
    /// own word, for `gone` any of these.
    DeliveredBefore,
    /// An approval began before the code must have ended.
    ApprovedBeforeExpiry,
    /// Asked within one interval of when the code must have ended.
    WithinInterval,
    /// Asked within `late_band` of the announced end.
    WithinLateBand,
}

/// Any number of states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct States(u16);

impl States {
    /// With one more.
    #[must_use]
    pub const fn with(self, state: State) -> Self {
        Self(self.0 | 1 << state as u16)
    }

    /// Is it one of them?
    #[must_use]
    pub const fn has(self, state: State) -> bool {
        self.0 & 1 << state as u16 != 0
    }

    /// Have the two one in common?
    #[must_use]
    pub const fn meet(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// They, in the order of their declaration.
    pub fn iter(self) -> impl Iterator<Item = State> {
        State::ALL.iter().copied().filter(move |&state| self.has(state))
    }
}

impl std::fmt::Display for States {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<&str> = self.iter().map(State::word).collect();
        f.write_str(&words.join(" or "))
    }
}

impl Said {
    /// What an answer of this meaning and with this `error` word said.
    #[must_use]
    pub fn of(outcome: Outcome, error: Option<&str>) -> Self {
        match (outcome, error) {
            (Outcome::Granted, _) => Self::Granted,
            (Outcome::Pending, _) => Self::Pending,
            (Outcome::SlowDown, _) => Self::SlowDown,
            (Outcome::Denied, _) => Self::Denied,
            (Outcome::Expired, _) => Self::Expired,
            (Outcome::Refused, Some("invalid_grant")) => Self::InvalidGrant,
            (Outcome::Refused, Some("invalid_client")) => Self::InvalidClient,
            (Outcome::Refused, _) => Self::OtherError,
            (Outcome::Wordless, _) => Self::Wordless,
            (Outcome::Codes | Outcome::Malformed, _) => Self::Malformed,
            (Outcome::Limited, _) => Self::Limited,
            (Outcome::Broken, _) => Self::Broken,
        }
    }
}

impl Grade {
    /// Does an answer of this grade break a rule, rather than the expectations of a careful reader?
    #[must_use]
    pub fn is_violation(self) -> bool {
        self >= Self::Fail
    }

    /// The verdict on an answer of this grade, in the default mode.
    #[must_use]
    pub const fn verdict(self) -> verdict::Verdict {
        match self {
            Self::Ok => verdict::Verdict::Pass,
            Self::Acceptable => verdict::Verdict::Acceptable,
            Self::Warn | Self::SecurityMedium => verdict::Verdict::Warn,
            Self::Fail | Self::SecurityHigh | Self::SecurityCritical => verdict::Verdict::Fail,
        }
    }

    /// The grade of a mismatch for a check that judges by the oracle; nothing when all is well.
    #[must_use]
    pub const fn mismatch(self) -> Option<verdict::Grade> {
        match self {
            Self::Ok => None,
            Self::Acceptable => Some(verdict::Grade::Acceptable),
            Self::Warn | Self::SecurityMedium => Some(verdict::Grade::Warn),
            Self::Fail | Self::SecurityHigh | Self::SecurityCritical => Some(verdict::Grade::Mismatch),
        }
    }
}

impl Condition {
    /// The word as written in YAML.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::WithinPropagation => "within_propagation",
            Self::PollsAfter(_) => "polls_after",
            Self::GapMaybeShort => "gap_maybe_short",
            Self::SameToken => "same_token",
            Self::DeliveredBefore => "delivered_before",
            Self::ApprovedBeforeExpiry => "approved_before_expiry",
            Self::WithinInterval => "within_interval",
            Self::WithinLateBand => "within_late_band",
        }
    }

    /// Can it ever hold for this answer in this state?
    #[must_use]
    pub const fn can_hold(self, state: State, said: Said) -> bool {
        match self {
            Self::WithinPropagation | Self::PollsAfter(_) => matches!(state, State::Approved | State::Denied),
            Self::GapMaybeShort => true,
            Self::SameToken => {
                matches!(said, Said::Granted) && matches!(state, State::Approved | State::Redeemed)
            }
            Self::DeliveredBefore => matches!(
                state,
                State::Approved | State::Denied | State::Redeemed | State::Expired | State::Gone
            ),
            Self::ApprovedBeforeExpiry | Self::WithinInterval | Self::WithinLateBand => {
                matches!(state, State::Expired | State::Gone)
            }
        }
    }
}
