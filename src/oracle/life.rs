//! What is known of one device code: bounds of the instants at which its state changed. Knows no table and no grade.
//!
//! Whatever happened on the server happened at one unknown instant between the sending of a request and the end of its
//! answer. So each change of state has two bounds, and a state is possible for an answer when some instant between its
//! sending and its end lies behind the earliest entry and before the latest exit.
//!
//! Instants are lengths of time since an epoch that the caller chooses once, kept as tenths of a millisecond in 32 bits
//! (119 hours), lower bounds rounded down and upper bounds up.

use std::time::Duration;

use super::words::{Condition, Said, State, States};
use super::{Answered, Asker, Terms};
use crate::device::{DEFAULT_INTERVAL, SLOW_DOWN_STEP};

/// No bound: not yet, or not known.
const NEVER: u32 = u32::MAX;

/// What a user decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Let the device in.
    Approve,
    /// Do not.
    Deny,
}

/// The life of one device code as far as it is known: 48 bytes, because the load engine holds ten million of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// The announced end, counted from the receipt of the codes.
    end: u32,
    /// The code lives before this, for certain.
    expiry_from: u32,
    /// The code is over after this, for certain.
    expiry_until: u32,
    /// Nobody had decided before this; [`NEVER`] while nobody tried.
    decision_from: u32,
    /// Somebody had decided after this.
    decision_until: u32,
    /// No token was made before this.
    redeemed_from: u32,
    /// A token was made after this.
    redeemed_until: u32,
    /// A stranger presented the code at this instant or later; once [`KILLED`]: it is dead after this.
    killed: u32,
    /// The end of the last answer.
    heard: u32,
    /// The announced interval.
    interval: u32,
    /// The tokens that it brought, folded.
    tokens: u32,
    slow_downs: u8,
    /// Polls on their way.
    flying: u8,
    /// Polls at full pace that were told to go on since the decision.
    after: u8,
    flags: u8,
}

/// An approval was tried.
const APPROVE: u8 = 1;
/// A denial was tried.
const DENY: u8 = 1 << 1;
/// The device was told that it has the token, or that ...
const TOLD_TOKEN: u8 = 1 << 2;
const TOLD_DENIED: u8 = 1 << 3;
const TOLD_EXPIRED: u8 = 1 << 4;
/// An answer that may have carried the token was lost.
const LOST: u8 = 1 << 5;
/// Only a death by a stranger's poll explains an answer.
const KILLED: u8 = 1 << 6;
/// Another poll was on its way at the same time.
const OVERLAP: u8 = 1 << 7;

/// One answer with all that follows from its instants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    from: u32,
    until: u32,
    /// The least gap that the server can have seen.
    gap: u32,
    tokens: u32,
    pub(super) said: Said,
    pub(super) possible: States,
}

impl Life {
    /// A code that was asked for at `sent` and received at `received`.
    pub(super) fn new(
        terms: &Terms,
        sent: Duration,
        received: Duration,
        interval: Option<Duration>,
        lifetime: Option<Duration>,
    ) -> Self {
        let bounds = lifetime.map(|lifetime| {
            let drift = lifetime / 1000;
            let early = (sent + lifetime).saturating_sub(terms.tol_early + drift);
            (up(received + lifetime), down(early), up(received + lifetime + terms.tol_late + drift))
        });
        // Where nothing was announced, any moment may be the end.
        let (end, expiry_from, expiry_until) = bounds.unwrap_or((NEVER, down(received), NEVER));
        Self {
            end,
            expiry_from,
            expiry_until,
            decision_from: NEVER,
            decision_until: NEVER,
            redeemed_from: NEVER,
            redeemed_until: NEVER,
            killed: NEVER,
            heard: up(received),
            interval: down(interval.unwrap_or(DEFAULT_INTERVAL)),
            tokens: 0,
            slow_downs: 0,
            flying: 0,
            after: 0,
            flags: 0,
        }
    }

    /// A request with this code goes out.
    pub fn sent(&mut self, asker: Asker, at: Duration) {
        self.set(OVERLAP, self.flying > 0);
        self.flying = self.flying.saturating_add(1);
        if asker != Asker::Owner && !self.is(KILLED) {
            self.killed = self.killed.min(down(at));
        }
    }

    /// A user begins to decide. What comes after the end of the code's life changes nothing on a good server.
    pub fn decision_began(&mut self, choice: Choice, at: Duration) {
        let at = down(at);
        let is_denied = self.is(DENY) && !self.is(APPROVE) && self.decision_until < at;
        let is_over = self.is(TOLD_TOKEN | TOLD_DENIED | KILLED) || is_denied || self.expiry_until < at;
        if !is_over {
            self.flags |= choice.flag();
            self.decision_from = self.decision_from.min(at);
        }
    }

    /// A user has decided: it is certain from now on. One that did not come out may have been taken all the same, so it
    /// is never told.
    pub fn decision_came_out(&mut self, choice: Choice, at: Duration) {
        if self.is(choice.flag()) && self.decision_until == NEVER {
            self.decision_until = up(at);
        }
    }

    /// By when somebody had decided for certain.
    #[must_use]
    pub fn decided_at(&self) -> Option<Duration> {
        instant(self.decision_until)
    }

    /// The end of the last answer.
    #[must_use]
    pub fn heard(&self) -> Duration {
        instant(self.heard).unwrap_or_default()
    }

    /// Has the device been given a token?
    #[must_use]
    pub const fn has_token(&self) -> bool {
        self.is(TOLD_TOKEN)
    }

    /// What is known of the code, with its instants, for people.
    pub fn history(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        let choice = if self.is(APPROVE) { "somebody began to approve" } else { "somebody began to deny" };
        let known = [
            (choice, self.decision_from),
            ("the decision had come out", self.decision_until),
            ("no token was made before this", if self.is(TOLD_TOKEN) { self.redeemed_from } else { NEVER }),
            ("a token was made before this", self.redeemed_until),
            ("a stranger presented the code", self.killed),
            ("the last answer was in", self.heard),
            ("the announced end of the code", self.end),
        ];
        let mut known: Vec<(&'static str, u32)> = known.into_iter().filter(|(_, at)| *at != NEVER).collect();
        known.sort_by_key(|(_, at)| *at);
        known.into_iter().filter_map(|(what, at)| Some((what, instant(at)?)))
    }

    /// The answer, with the states that were possible for it.
    pub(super) fn see(&mut self, answered: &Answered, terms: &Terms) -> Seen {
        self.flying = self.flying.saturating_sub(1);
        let (from, until) = (down(answered.sent), up(answered.done));
        let gap = if self.is(OVERLAP) { 0 } else { from.saturating_sub(self.heard) };
        let tokens = answered.tokens.map_or(0, fold);
        let goes_on = matches!(answered.said, Said::Pending | Said::SlowDown);
        if goes_on && gap >= self.pace() && from > self.decision_until {
            self.after = self.after.saturating_add(1);
        }
        let possible = self.possible(from, until);
        debug_assert!(possible != States::default(), "{self:?} {answered:?} {terms:?}");
        Seen { from, until, gap, tokens, said: answered.said, possible }
    }

    /// Does a condition hold for an answer, were the code in this state?
    pub(super) fn holds(&self, condition: Condition, state: State, seen: &Seen, terms: &Terms) -> bool {
        match condition {
            Condition::WithinPropagation => {
                seen.from <= self.decision_until.saturating_add(up(terms.propagation))
            }
            Condition::PollsAfter(most) => self.after <= most,
            Condition::GapMaybeShort => seen.gap < self.pace().saturating_add(up(terms.g_round)),
            Condition::SameToken => seen.tokens == self.tokens,
            Condition::DeliveredBefore => self.is(match state {
                State::Approved | State::Redeemed => TOLD_TOKEN,
                State::Denied => TOLD_DENIED,
                State::Expired => TOLD_EXPIRED,
                State::Gone => TOLD_TOKEN | TOLD_DENIED | TOLD_EXPIRED,
                _ => 0,
            }),
            Condition::ApprovedBeforeExpiry => self.is(APPROVE) && self.decision_from <= self.expiry_until,
            Condition::WithinInterval => seen.from <= self.expiry_until.saturating_add(self.pace()),
            Condition::WithinLateBand => seen.from <= self.end.saturating_add(up(terms.late_band)),
        }
    }

    /// Learns from an answer that `state` explains best; `alone` when no other state explains it as well.
    pub(super) fn learn(&mut self, seen: &Seen, state: State, alone: bool) {
        let Seen { from, until, possible, .. } = *seen;
        self.heard = self.heard.max(until);
        match seen.said {
            Said::Pending if possible.has(State::Pending) => {
                raise(&mut self.decision_from, from);
                raise(&mut self.expiry_from, from.min(self.expiry_until));
                if !self.is(TOLD_TOKEN) {
                    raise(&mut self.redeemed_from, from);
                }
                if !self.is(KILLED) {
                    raise(&mut self.killed, from);
                }
            }
            Said::SlowDown => self.slow_downs = self.slow_downs.saturating_add(1),
            Said::Granted if !self.is(TOLD_TOKEN) => {
                self.flags |= TOLD_TOKEN;
                self.tokens = seen.tokens;
                (self.redeemed_from, self.redeemed_until) = (from, until);
                if self.is(APPROVE) {
                    self.decision_until = self.decision_until.min(until);
                }
            }
            Said::Denied if possible.has(State::Denied) => {
                self.flags |= TOLD_DENIED;
                self.decision_until = self.decision_until.min(until);
            }
            Said::Expired if possible.has(State::Expired) => {
                self.flags |= TOLD_EXPIRED;
                self.expiry_until = self.expiry_until.min(until);
                self.expiry_from = self.expiry_from.min(self.expiry_until);
            }
            Said::InvalidGrant if alone && state == State::Killed => {
                self.flags |= KILLED;
                self.killed = until;
            }
            Said::Broken | Said::Malformed => self.may_have_lost(from, possible),
            _ => {}
        }
    }

    /// A stranger's request was answered, or one of which nobody can say what it was taken for. It may have used the
    /// code up.
    pub(super) fn disturbed(&mut self, answered: &Answered) {
        self.flying = self.flying.saturating_sub(1);
        let (from, until) = (down(answered.sent), up(answered.done));
        let possible = self.possible(from, until);
        self.may_have_lost(from, possible);
        self.heard = self.heard.max(until);
        if answered.said == Said::SlowDown {
            self.slow_downs = self.slow_downs.saturating_add(1);
        }
    }

    /// Was an `invalid_grant` the trace of a token whose answer was lost on the way?
    pub(super) fn is_lost_token(&self, seen: &Seen, state: State) -> bool {
        seen.said == Said::InvalidGrant && state == State::Redeemed && self.is(LOST) && !self.is(TOLD_TOKEN)
    }

    fn may_have_lost(&mut self, from: u32, possible: States) {
        if possible.has(State::Approved) && !self.is(TOLD_TOKEN) {
            self.flags |= LOST;
            self.redeemed_from = self.redeemed_from.min(from);
        }
    }

    /// The states that some instant between these two can have seen.
    fn possible(&self, from: u32, until: u32) -> States {
        let redeemed = self.is(TOLD_TOKEN) && from > self.redeemed_until;
        let expired = from > self.expiry_until;
        let killed = self.is(KILLED) && from > self.killed;
        let decided = from > self.decision_until;
        let overlaps = self.is(OVERLAP);
        let lives = !redeemed && !expired && !killed;
        let in_time = self.decision_from <= until && self.decision_from <= self.expiry_until;
        // Once the device heard of a denial, no approval can have stood; another answer may have been made before.
        let approved = self.is(APPROVE) && in_time && lives && (overlaps || !self.is(TOLD_DENIED));
        // A record of the denial may outlive the code.
        let denied = self.is(DENY) && in_time && !redeemed && !killed;
        let used = self.redeemed_from <= until && self.is(TOLD_TOKEN | LOST);
        let over = self.expiry_from <= until && !redeemed && !killed;
        let forgotten = self.is(TOLD_DENIED)
            || (over && self.is(TOLD_EXPIRED))
            || (self.is(TOLD_TOKEN) && self.expiry_from <= until);
        [
            (State::Pending, lives && !decided),
            (State::Approved, approved),
            (State::Denied, denied),
            // The poll beside this one may have been first.
            (State::Redeemed, used || (approved && self.flying > 0)),
            (State::Expired, over),
            (State::Gone, forgotten),
            (State::Killed, self.killed <= until && self.killed != NEVER),
        ]
        .into_iter()
        .filter(|(_, possible)| *possible)
        .fold(States::default(), |states, (state, _)| states.with(state))
    }

    /// The interval that the device has to keep by now.
    fn pace(&self) -> u32 {
        self.interval.saturating_add(down(SLOW_DOWN_STEP).saturating_mul(self.slow_downs.into()))
    }

    const fn is(&self, flags: u8) -> bool {
        self.flags & flags != 0
    }

    const fn set(&mut self, flag: u8, to: bool) {
        self.flags = if to { self.flags | flag } else { self.flags & !flag };
    }
}

impl Choice {
    const fn flag(self) -> u8 {
        match self {
            Self::Approve => APPROVE,
            Self::Deny => DENY,
        }
    }
}

/// Lifts a lower bound that is there.
fn raise(bound: &mut u32, to: u32) {
    if *bound != NEVER {
        *bound = (*bound).max(to);
    }
}

/// Tenths of a millisecond, rounded down.
fn down(instant: Duration) -> u32 {
    u32::try_from(instant.as_micros() / 100).unwrap_or(NEVER - 1).min(NEVER - 1)
}

/// A bound as an instant, if it is one.
fn instant(bound: u32) -> Option<Duration> {
    (bound != NEVER).then(|| Duration::from_micros(u64::from(bound) * 100))
}

/// Tenths of a millisecond, rounded up.
fn up(instant: Duration) -> u32 {
    down(instant).saturating_add(u32::from(!instant.as_nanos().is_multiple_of(100_000))).min(NEVER - 1)
}

/// A fingerprint in half its bits: two different sets of tokens look the same once in four thousand million.
const fn fold(fingerprint: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "both halves are kept")]
    {
        (fingerprint >> 32) as u32 ^ fingerprint as u32
    }
}
