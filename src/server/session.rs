//! The life of one device authorization session (RFC 8628 §3.3, §3.5). Knows no client table, no page, no HTTP.
//!
//! ```text
//! pending --approve--> approved --poll--> redeemed
//!    \-----deny------> denied
//! pending, approved, denied --lifetime over--> expired
//! ```

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::moment::Moment;
use super::policy::Policy;
use super::rules::{Rule, Rules};
use super::scope::Scopes;
use super::terms::Terms;

/// What a device asked for, and from where.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The client.
    pub client: Arc<str>,
    /// The scopes it wants.
    pub scopes: Scopes,
    /// Its interval.
    pub interval: Duration,
    /// The lifetime of its codes.
    pub lifetime: Duration,
    /// The address it asked from, for the confirmation page (RFC 8628 §5.4).
    pub from: Option<IpAddr>,
}

/// One device authorization session: what a device code and a user code stand for.
#[derive(Clone, Debug)]
pub struct Session {
    /// What the device asked for.
    pub asked: Asked,
    /// The device's secret handle (RFC 8628 §3.2).
    pub device_code: Arc<str>,
    /// What the person types (RFC 8628 §3.2).
    pub user_code: Arc<str>,
    /// When both codes were issued.
    pub issued: Moment,
    /// When both codes end.
    pub expires: Moment,
    /// What became of it.
    pub state: State,
    /// How often its device may poll.
    pub throttle: Throttle,
}

/// What became of a session. Expiry is no state: it follows from the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has decided.
    Pending,
    /// Somebody approved; the device has not collected.
    Approved(Approval),
    /// Somebody denied.
    Denied,
    /// The device has its token.
    Redeemed(Approval),
}

/// Who approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The user's name.
    pub user: Arc<str>,
    /// When this user had signed in, in seconds of wall time (`auth_time`, OpenID Connect Core §2).
    pub signed_in: i64,
}

/// What a person decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Let the device in.
    Approve(Approval),
    /// Do not.
    Deny,
}

/// Why nothing can be decided any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Somebody decided already.
    Decided,
    /// The lifetime is over.
    Expired,
}

/// What one poll comes to (RFC 8628 §3.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PollOutcome {
    /// `access_denied`.
    Denied,
    /// `expired_token`.
    Expired,
    /// The one token.
    Granted(Approval, Scopes),
    /// `authorization_pending`.
    Pending,
    /// `slow_down`.
    SlowDown,
    /// `invalid_grant`: no such code, or none of this client's, or used.
    Unknown,
}

/// How often a device may poll (RFC 8628 §3.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// The present interval.
    pub interval: Duration,
    /// When the codes were issued.
    start: Moment,
    /// The last poll, early or not.
    last_poll: Option<Moment>,
    /// The last `slow_down`.
    last_slow_down: Option<Moment>,
}

impl Throttle {
    /// Nobody has polled yet.
    #[must_use]
    pub const fn new(interval: Duration, start: Moment) -> Self {
        Self { interval, start, last_poll: None, last_slow_down: None }
    }

    /// Whether a poll now comes before the interval since the previous one is over.
    fn is_early(&self, now: Moment, rules: Rules) -> bool {
        let start = rules.waived(Rule::FirstPollIsFree).then_some(self.start);
        let previous = self.last_poll.or(start);
        let early = previous.is_some_and(|previous| now - previous < self.interval);
        rules.broken(Rule::ThrottleEarlyPolls, early)
    }

    /// A poll has been answered.
    fn polled(&mut self, now: Moment, slowed: bool, rules: Rules, policy: &Policy) {
        if slowed {
            let in_burst = self.last_slow_down.is_some_and(|last| now - last < policy.burst);
            let counts = !rules.broken(Rule::BurstCountsOnce, in_burst);
            if rules.broken(Rule::SlowDownGrowsInterval, counts) {
                self.interval += policy.slow_down_step;
            }
            self.last_slow_down = Some(now);
        }
        self.last_poll = Some(now);
    }
}

impl Session {
    /// A new session.
    #[must_use]
    pub fn new(asked: Asked, device_code: Arc<str>, user_code: Arc<str>, now: Moment) -> Self {
        Self {
            expires: now + asked.lifetime,
            throttle: Throttle::new(asked.interval, now),
            state: State::Pending,
            issued: now,
            asked,
            device_code,
            user_code,
        }
    }

    /// What a poll by the right client comes to. `shared` is the throttle to use in place of the session's own.
    pub fn poll(&mut self, now: Moment, terms: &Terms, shared: Option<&mut Throttle>) -> PollOutcome {
        let rules = terms.rules;
        let early = shared.as_deref().unwrap_or(&self.throttle).is_early(now, rules);
        let outcome = self.outcome(now, early, rules);
        let throttle = shared.unwrap_or(&mut self.throttle);
        throttle.polled(now, outcome == PollOutcome::SlowDown, rules, &terms.policy);
        if let PollOutcome::Granted(approval, _) = &outcome {
            self.state = State::Redeemed(approval.clone());
        }
        outcome
    }

    /// Whether the user code can still lead to a decision.
    ///
    /// # Errors
    ///
    /// Says why not.
    pub fn open(&self, now: Moment, rules: Rules) -> Result<(), Settled> {
        if rules.broken(Rule::DecisionIsFinal, self.state != State::Pending) {
            return Err(Settled::Decided);
        }
        if rules.broken(Rule::ExpireUserCodes, now >= self.expires) {
            return Err(Settled::Expired);
        }
        Ok(())
    }

    /// Takes a decision.
    ///
    /// # Errors
    ///
    /// If nothing can be decided any more.
    pub fn decide(&mut self, now: Moment, decision: Decision, rules: Rules) -> Result<(), Settled> {
        self.open(now, rules)?;
        self.state = match decision {
            Decision::Approve(approval) => State::Approved(approval),
            Decision::Deny => State::Denied,
        };
        Ok(())
    }

    fn outcome(&self, now: Moment, early: bool, rules: Rules) -> PollOutcome {
        let over = now >= self.expires;
        let granted = |approval: &Approval| PollOutcome::Granted(approval.clone(), self.asked.scopes.clone());
        let settled = match &self.state {
            State::Redeemed(_) if rules.broken(Rule::SingleUse, true) => PollOutcome::Unknown,
            State::Redeemed(approval) => granted(approval),
            State::Approved(_) if rules.broken(Rule::ExpireApprovals, over) => PollOutcome::Expired,
            State::Approved(approval) => granted(approval),
            State::Pending | State::Denied if rules.broken(Rule::ExpireSessions, over) => {
                PollOutcome::Expired
            }
            State::Denied => PollOutcome::Denied,
            State::Pending if early => PollOutcome::SlowDown,
            State::Pending => PollOutcome::Pending,
        };
        let hidden = match settled {
            PollOutcome::Denied => rules.waived(Rule::DenialBeforeThrottle),
            PollOutcome::Expired => rules.waived(Rule::ExpiryBeforeThrottle),
            PollOutcome::Granted(..) => rules.waived(Rule::ApprovalBeforeThrottle),
            PollOutcome::Pending | PollOutcome::SlowDown | PollOutcome::Unknown => false,
        };
        if early && hidden { PollOutcome::SlowDown } else { settled }
    }
}
