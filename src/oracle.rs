//! The life of one device code, and what a server may answer at each moment of it: read by checks, by load and by tests.
//!
//! Knows no clock, no socket and no bytes. It is told what was done and what came, with instants of one monotonic clock,
//! and says of every answer how right it was and why, in constant work and without allocating. What it says stands in
//! `suites/oracle.yaml`; what it knows is the order of events:
//!
//! ```text
//! pending --approve--> approved --poll--> redeemed
//!    \-----deny------> denied
//! pending, approved, denied --lifetime over--> expired
//! expired, denied, redeemed --some time--> gone          any --a stranger's poll, on some servers--> killed
//! ```
//!
//! Whoever uses it makes one [`Life`] for each code by [`Oracle::issued`], tells it of each request that goes out
//! ([`Life::sent`]) and of each decision ([`Life::decision_began`], [`Life::decision_came_out`]), and gives every answer to
//! [`Oracle::judge`], in the order in which the answers end.

mod life;
mod table;
#[cfg(test)]
mod tests;
mod words;

use std::time::Duration;

pub use life::{Choice, Life};
pub use table::{Row, Table, schema};
pub use words::{Condition, Grade, Said, State, States};

use crate::timing::{Constant, Constants};

/// The tolerances (requirements 0.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How long a decision may take to reach the node that is polled.
    pub propagation: Duration,
    /// What storing whole seconds may add to a gap.
    pub g_round: Duration,
    /// How much earlier than announced a code may end; a thousandth of its lifetime is added.
    pub tol_early: Duration,
    /// How much later than announced a code may end; a thousandth of its lifetime is added.
    pub tol_late: Duration,
    /// Until when after the announced end a sweep may come.
    pub late_band: Duration,
}

/// Who sent a request with a device code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// The client that the code belongs to, as the standard has it.
    Owner,
    /// Another client.
    Stranger,
    /// The right client without its credentials.
    Unauthenticated,
    /// Somebody with a request that no client sends: nobody can say what it is taken for, so its answer is not judged.
    Anybody,
}

/// One answer to a request with a device code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// When the request went out.
    pub sent: Duration,
    /// When the whole answer was in, or was given up.
    pub done: Duration,
    /// What it said.
    pub said: Said,
    /// A fingerprint of the tokens in it.
    pub tokens: Option<u64>,
}

/// How right an answer was.
#[derive(Debug, Clone, Copy)]
pub struct Finding<'a> {
    /// The row of the table that says so.
    pub row: &'a Row,
    /// The state that explains the answer best.
    pub state: State,
    /// Every state that was possible.
    pub possible: States,
    /// The token was made, and its answer lost on the way: nobody's fault, and counted.
    pub is_lost_token: bool,
}

/// The table with the tolerances of one target; shared by the lives of all codes.
#[derive(Debug, Clone)]
pub struct Oracle {
    table: Table,
    terms: Terms,
}

impl Terms {
    /// The tolerances of a target.
    #[must_use]
    pub fn new(constants: &Constants) -> Self {
        let of = |constant: Constant| {
            constants.get(&constant).copied().unwrap_or_else(|| constant.default_value())
        };
        Self {
            propagation: of(Constant::Propagation),
            g_round: of(Constant::GRound),
            tol_early: of(Constant::TolEarly),
            tol_late: of(Constant::TolLate),
            late_band: of(Constant::LateBand),
        }
    }
}

impl Oracle {
    /// A table with tolerances.
    #[must_use]
    pub const fn new(table: Table, terms: Terms) -> Self {
        Self { table, terms }
    }

    /// The tolerances.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// A code that was asked for at `sent` and received at `received`. Without an `interval` it is 5 s (RFC 8628 §3.2);
    /// without a `lifetime` the code may end at any moment, and never has to.
    #[must_use]
    pub fn issued(
        &self,
        sent: Duration,
        received: Duration,
        interval: Option<Duration>,
        lifetime: Option<Duration>,
    ) -> Life {
        Life::new(&self.terms, sent, received, interval, lifetime)
    }

    /// Judges an answer and learns from it; nothing is said of answers to [`Asker::Anybody`].
    pub fn judge(&self, life: &mut Life, asker: Asker, answered: &Answered) -> Option<Finding<'_>> {
        let state = match asker {
            Asker::Owner => return self.judge_owner(life, answered),
            Asker::Stranger => Some(State::Foreign),
            Asker::Unauthenticated => Some(State::Unauthenticated),
            Asker::Anybody => None,
        };
        life.disturbed(answered);
        self.without_life(state?, answered.said)
    }

    /// Judges the answer to a poll with a code that was never issued.
    #[must_use]
    pub fn judge_unknown(&self, said: Said) -> Option<Finding<'_>> {
        self.without_life(State::Unknown, said)
    }

    /// The mildest grade over all states that were possible.
    fn judge_owner(&self, life: &mut Life, answered: &Answered) -> Option<Finding<'_>> {
        let seen = life.see(answered, &self.terms);
        let mut best: Option<(State, &Row)> = None;
        let mut alone = true;
        for state in seen.possible.iter() {
            let row = self
                .table
                .row(state, seen.said, |condition| life.holds(condition, state, &seen, &self.terms))?;
            match best {
                Some((_, known)) if known.grade < row.grade => {}
                Some((_, known)) if known.grade == row.grade => alone = false,
                _ => {
                    best = Some((state, row));
                    alone = true;
                }
            }
        }
        let (state, row) = best?;
        let is_lost_token = life.is_lost_token(&seen, state);
        life.learn(&seen, state, alone);
        Some(Finding { row, state, possible: seen.possible, is_lost_token })
    }

    /// Of who asks and not of a life; that a gap may have been short is always so.
    fn without_life(&self, state: State, said: Said) -> Option<Finding<'_>> {
        let row = self.table.row(state, said, |condition| condition == Condition::GapMaybeShort)?;
        Some(Finding { row, state, possible: States::default().with(state), is_lost_token: false })
    }
}
