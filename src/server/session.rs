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
    /// What its ID token is to repeat (OpenID Connect Core §2; this grant does not define it).
    pub nonce: Option<Arc<str>>,
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
    /// When somebody decided.
    decided: Option<Moment>,
    /// Whether somebody came to its page after its end.
    found_over: bool,
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
    /// `invalid_grant`: no such code.
    Unknown,
    /// `invalid_grant`: another client's code.
    Foreign,
    /// `invalid_grant`: the code has brought its token.
    Used,
}

/// A poll's outcome without what it brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollKind {
    /// The user said no.
    Denied,
    /// The lifetime is over.
    Expired,
    /// Another client's code.
    Foreign,
    /// The token.
    Granted,
    /// Nobody has decided.
    Pending,
    /// Nobody has decided, and the poll came too early.
    SlowDown,
    /// No such code.
    Unknown,
    /// The code has brought its token.
    Used,
}

impl PollOutcome {
    /// The outcome without what it brings.
    #[must_use]
    pub const fn kind(&self) -> PollKind {
        match self {
            Self::Denied => PollKind::Denied,
            Self::Expired => PollKind::Expired,
            Self::Foreign => PollKind::Foreign,
            Self::Granted(..) => PollKind::Granted,
            Self::Pending => PollKind::Pending,
            Self::SlowDown => PollKind::SlowDown,
            Self::Unknown => PollKind::Unknown,
            Self::Used => PollKind::Used,
        }
    }
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
    /// What the next `slow_down` adds, if one came before.
    next_step: Option<Duration>,
}

impl Throttle {
    /// Nobody has polled yet.
    #[must_use]
    pub const fn new(interval: Duration, start: Moment) -> Self {
        Self { interval, start, last_poll: None, last_slow_down: None, next_step: None }
    }

    /// Whether a poll now comes before the interval since the previous one is over.
    fn is_early(&self, now: Moment, rules: Rules, policy: &Policy) -> bool {
        let now = if rules.waived(Rule::FinePace) { now.whole_seconds() } else { now };
        let start = rules.waived(Rule::FirstPollIsFree).then_some(self.start);
        let counted = self.last_poll.filter(|&last| now - last >= policy.throttle_lag);
        let previous = counted.or(start);
        let early = previous.is_some_and(|previous| now - previous < self.interval);
        rules.broken(Rule::ThrottleEarlyPolls, early)
    }

    /// A poll has been answered.
    fn polled(&mut self, now: Moment, slowed: bool, rules: Rules, policy: &Policy) {
        if slowed {
            let in_burst = self.last_slow_down.is_some_and(|last| now - last < policy.burst);
            let counts = !rules.broken(Rule::BurstCountsOnce, in_burst);
            if rules.broken(Rule::SlowDownGrowsInterval, counts) {
                let step = self.next_step.unwrap_or(policy.slow_down_step);
                self.interval = self.interval.saturating_add(step);
                self.next_step = Some(step.saturating_mul(policy.slow_down_ratio));
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
            decided: None,
            found_over: false,
            issued: now,
            asked,
            device_code,
            user_code,
        }
    }

    /// What a poll by the right client comes to. `shared` is the throttle to use in place of the session's own.
    pub fn poll(&mut self, now: Moment, terms: &Terms, shared: Option<&mut Throttle>) -> PollOutcome {
        let rules = terms.rules;
        let early = shared.as_deref().unwrap_or(&self.throttle).is_early(now, rules, &terms.policy);
        let outcome = self.outcome(now, early, terms);
        let throttle = shared.unwrap_or(&mut self.throttle);
        throttle.polled(now, outcome == PollOutcome::SlowDown, rules, &terms.policy);
        if let PollOutcome::Granted(approval, _) = &outcome {
            self.state = State::Redeemed(approval.clone());
        }
        if rules.waived(Rule::PollsKeepLifetime) && outcome == PollOutcome::Pending {
            self.expires = now + self.asked.lifetime;
        }
        outcome
    }

    /// Whether this user approved it before then, and the device has its token.
    #[must_use]
    pub fn brought_token_to(&self, user: &str, before: Moment) -> bool {
        let is_theirs = matches!(&self.state, State::Redeemed(approval) if &*approval.user == user);
        is_theirs && self.decided.is_some_and(|decided| decided < before)
    }

    /// Whether the user code can still lead to a decision.
    ///
    /// # Errors
    ///
    /// Says why not.
    pub fn open(&mut self, now: Moment, terms: &Terms) -> Result<(), Settled> {
        let rules = terms.rules;
        self.found_over |= now >= self.expires;
        let final_by = match self.state {
            State::Pending => None,
            State::Approved(_) => Some(Rule::ApprovalIsFinal),
            State::Denied => Some(Rule::DenialIsFinal),
            State::Redeemed(_) => Some(Rule::RedemptionIsFinal),
        };
        if final_by.is_some_and(|rule| rules.broken(rule, true)) {
            return Err(Settled::Decided);
        }
        let usable = self.asked.lifetime * terms.policy.user_code_share / 100;
        let over = now >= self.expires || now >= self.issued + usable;
        if rules.broken(Rule::ExpireUserCodes, over) {
            return Err(Settled::Expired);
        }
        Ok(())
    }

    /// Takes a decision.
    ///
    /// # Errors
    ///
    /// If nothing can be decided any more.
    pub fn decide(&mut self, now: Moment, decision: Decision, terms: &Terms) -> Result<(), Settled> {
        self.open(now, terms)?;
        self.decided = Some(now);
        self.state = match decision {
            Decision::Approve(approval) => State::Approved(approval),
            Decision::Deny => State::Denied,
        };
        Ok(())
    }

    fn outcome(&self, now: Moment, early: bool, terms: &Terms) -> PollOutcome {
        let rules = terms.rules;
        let unnoticed = rules.waived(Rule::ExpiryNeedsNoVisit) && !self.found_over;
        let over = now >= self.expires && !unnoticed;
        let granted = |approval: &Approval| PollOutcome::Granted(approval.clone(), self.asked.scopes.clone());
        let unheard = self.decided.is_some_and(|decided| now - decided < terms.policy.propagation);
        let heard = if unheard { &State::Pending } else { &self.state };
        let settled = match heard {
            State::Redeemed(_) if rules.broken(Rule::SingleUse, true) => PollOutcome::Used,
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
            PollOutcome::Foreign
            | PollOutcome::Pending
            | PollOutcome::SlowDown
            | PollOutcome::Unknown
            | PollOutcome::Used => false,
        };
        if early && hidden { PollOutcome::SlowDown } else { settled }
    }
}

#[cfg(test)]
mod tests {
    use super::super::faults::Effects;
    use super::*;

    fn at(seconds: f64) -> Moment {
        Moment::after_start(Duration::from_secs_f64(seconds))
    }

    fn terms(rules: Rules) -> Terms {
        Terms { rules, policy: Arc::new(Policy::reference()), effects: Effects::default() }
    }

    fn approval() -> Decision {
        Decision::Approve(Approval { user: "alice".into(), signed_in: 0 })
    }

    fn session() -> Session {
        let asked = Asked {
            client: "tv".into(),
            scopes: Scopes::default(),
            interval: Duration::from_secs(5),
            lifetime: Duration::from_secs(600),
            nonce: None,
            from: None,
        };
        Session::new(asked, "device".into(), "USER".into(), at(0.0))
    }

    /// Polls at these moments; the outcomes in short.
    fn polls(session: &mut Session, rules: Rules, moments: &[f64]) -> Vec<&'static str> {
        let outcomes = moments.iter().map(|&moment| session.poll(at(moment), &terms(rules), None));
        outcomes
            .map(|outcome| match outcome {
                PollOutcome::Denied => "denied",
                PollOutcome::Expired => "expired",
                PollOutcome::Granted(..) => "granted",
                PollOutcome::Pending => "pending",
                PollOutcome::SlowDown => "slow_down",
                PollOutcome::Foreign => "foreign",
                PollOutcome::Unknown => "unknown",
                PollOutcome::Used => "used",
            })
            .collect()
    }

    #[test]
    fn the_first_poll_is_free_and_the_interval_counts_from_each_poll() {
        let outcomes = polls(&mut session(), Rules::all(), &[0.0, 5.0, 10.0, 14.999, 24.999]);
        assert_eq!(outcomes, ["pending", "pending", "pending", "slow_down", "pending"]);
    }

    #[test]
    fn every_slow_down_adds_five_seconds_but_a_burst_adds_them_once() {
        let mut session = session();
        polls(&mut session, Rules::all(), &[0.0, 0.1, 0.2, 0.9]);
        assert_eq!(session.throttle.interval, Duration::from_secs(10));
        polls(&mut session, Rules::all(), &[2.0]);
        assert_eq!(session.throttle.interval, Duration::from_secs(15));
        assert_eq!(polls(&mut session, Rules::all(), &[17.0, 32.0]), ["pending", "pending"]);
    }

    #[test]
    fn a_device_that_obeys_every_slow_down_is_always_pending_again() {
        let mut session = session();
        let mut now = 0.0;
        let mut interval = 5.0;
        polls(&mut session, Rules::all(), &[now]);
        for _ in 0..20 {
            now += interval / 2.0;
            assert_eq!(polls(&mut session, Rules::all(), &[now]), ["slow_down"]);
            interval += 5.0;
            now += interval;
            if now >= 600.0 {
                return;
            }
            assert_eq!(polls(&mut session, Rules::all(), &[now]), ["pending"]);
        }
    }

    #[test]
    fn an_approved_code_gives_one_token_however_early_the_poll() {
        let mut session = session();
        polls(&mut session, Rules::all(), &[0.0]);
        session.decide(at(0.1), approval(), &terms(Rules::all())).unwrap();
        assert_eq!(polls(&mut session, Rules::all(), &[0.2, 0.3, 700.0]), ["granted", "used", "used"]);
    }

    #[test]
    fn decisions_are_final() {
        for first in [approval(), Decision::Deny] {
            let mut session = session();
            session.decide(at(1.0), first, &terms(Rules::all())).unwrap();
            for second in [approval(), Decision::Deny] {
                assert_eq!(session.decide(at(2.0), second, &terms(Rules::all())), Err(Settled::Decided));
            }
        }
    }

    #[test]
    fn everything_ends_with_the_lifetime_and_not_a_moment_before() {
        for decision in [None, Some(approval()), Some(Decision::Deny)] {
            let mut session = session();
            if let Some(decision) = decision {
                session.decide(at(599.9), decision, &terms(Rules::all())).unwrap();
            }
            assert_eq!(polls(&mut session, Rules::all(), &[600.0]), ["expired"]);
        }
        assert_eq!(session().decide(at(600.0), approval(), &terms(Rules::all())), Err(Settled::Expired));
        assert_eq!(session().open(at(599.999), &terms(Rules::all())), Ok(()));
    }

    #[test]
    fn leaving_a_rule_out_changes_what_the_rule_is_about() {
        let approved = |rule| {
            let mut session = session();
            session.decide(at(0.0), approval(), &terms(Rules::all())).unwrap();
            polls(&mut session, Rules::all().without(rule), &[600.0, 600.1, 700.0])
        };
        assert_eq!(approved(Rule::ExpireApprovals), ["granted", "used", "used"]);
        let undecided = |rule, moments: &[f64]| polls(&mut session(), Rules::all().without(rule), moments);
        assert_eq!(undecided(Rule::ExpireSessions, &[700.0]), ["pending"]);
        assert_eq!(undecided(Rule::ExpiryNeedsNoVisit, &[700.0]), ["pending"]);
        let mut visited = session();
        let rules = Rules::all().without(Rule::ExpiryNeedsNoVisit);
        assert_eq!(visited.open(at(700.0), &terms(rules)), Err(Settled::Expired));
        assert_eq!(polls(&mut visited, rules, &[701.0]), ["expired"]);
        assert_eq!(undecided(Rule::FirstPollIsFree, &[1.0]), ["slow_down"]);
        assert_eq!(undecided(Rule::ThrottleEarlyPolls, &[1.0, 1.1]), ["pending", "pending"]);
        assert_eq!(
            undecided(Rule::SlowDownGrowsInterval, &[1.0, 1.1, 6.1]),
            ["pending", "slow_down", "pending"]
        );
        assert_eq!(undecided(Rule::ExpiryBeforeThrottle, &[599.0, 600.0]), ["pending", "slow_down"]);
        let mut twice = session();
        twice.decide(at(0.0), approval(), &terms(Rules::all())).unwrap();
        let rules = Rules::all().without(Rule::SingleUse);
        assert_eq!(polls(&mut twice, rules, &[1.0, 1.1]), ["granted", "granted"]);
    }
}
