//! All device authorization sessions, found by either code. Knows no HTTP.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use rand::Rng;

use super::codes::{self, Serial};
use super::moment::Moment;
use super::rules::{Rule, Rules};
use super::schedule::Schedule;
use super::session::{Asked, PollOutcome, Session, Throttle};
use super::table::Table;
use super::terms::Terms;

/// So many characters of a device code count, where the rest of it does not.
const SIGNIFICANT: usize = 16;

/// The sessions that the server remembers.
#[derive(Debug, Default)]
pub struct Sessions {
    /// Boxed: a table has up to twice as many places as it has sessions, and moves them when it grows.
    by_device_code: Table<Arc<str>, Box<Session>>,
    /// Canonical user code to device code. Two look-up spaces: neither code is ever taken for the other.
    by_user_code: Table<Box<str>, Arc<str>>,
    /// When to forget which device code.
    forget: Schedule<Arc<str>>,
    /// Throttles by client, for when sessions have none of their own.
    by_client: HashMap<Arc<str>, Throttle>,
    /// How many user codes were drawn.
    drawn: u64,
    /// The device code that was issued last, for when they are not drawn anew.
    last_issued: Option<Arc<str>>,
    /// The device code that was polled last, for when polls are mixed up.
    last_polled: Option<Arc<str>>,
}

/// No session was started: its user code is another one's, and no other was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken;

impl Sessions {
    /// Starts a session and gives it both codes; `wall` is the time in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// Only a server that draws no second time fails.
    pub fn issue(
        &mut self,
        rng: &mut impl Rng,
        now: Moment,
        wall: u64,
        terms: &Terms,
        asked: Asked,
    ) -> Result<&Session, Taken> {
        self.sweep(now);
        let policy = &terms.policy;
        let mut serial = self.next(wall);
        let mut user_code = codes::user_code(rng, policy, serial);
        while terms.rules.broken(Rule::UserCodesUnique, self.is_taken(&user_code)) {
            if terms.rules.waived(Rule::TakenCodesAreDrawnAgain) {
                return Err(Taken);
            }
            serial = self.next(wall);
            user_code = codes::user_code(rng, policy, serial);
        }
        let repeated = self.last_issued.take().filter(|_| terms.rules.waived(Rule::DeviceCodesUnique));
        let device_code: Arc<str> =
            repeated.unwrap_or_else(|| codes::device_code(rng, policy, serial, &user_code).into());
        self.last_issued = Some(Arc::clone(&device_code));
        self.by_user_code.insert(codes::canonical(&user_code).into(), Arc::clone(&device_code));
        let session = Session::new(asked, Arc::clone(&device_code), user_code.into(), now);
        self.forget.add(session.expires + policy.retention, Arc::clone(&device_code));
        Ok(self.by_device_code.insert(device_code, Box::new(session)))
    }

    /// What a poll comes to, for any device code and any client.
    pub fn poll(&mut self, device_code: &str, client: &str, now: Moment, terms: &Terms) -> PollOutcome {
        let device_code = &*self.meant(device_code, terms.rules);
        let device_code = &*self.asked_about(device_code, client, terms.rules);
        if terms.rules.waived(Rule::KeepsSessions) {
            self.kill(device_code);
        }
        let Some(session) = self.by_device_code.get_mut(device_code) else { return PollOutcome::Unknown };
        if terms.rules.broken(Rule::CodeBoundToClient, &*session.asked.client != client) {
            if terms.rules.waived(Rule::ForeignPollSparesCode) {
                self.kill(device_code);
            }
            return PollOutcome::Foreign;
        }
        let shared = terms.rules.waived(Rule::ThrottlePerSession).then(|| {
            let of_client = self.by_client.entry(Arc::clone(&session.asked.client));
            of_client.or_insert_with(|| Throttle::new(session.asked.interval, session.issued))
        });
        session.poll(now, terms, shared)
    }

    /// Writes a session back whole, in place of what has become of it meanwhile.
    pub fn put_back(&mut self, session: Session) {
        self.by_device_code.insert(Arc::clone(&session.device_code), Box::new(session));
    }

    /// The session of a device code.
    #[must_use]
    pub fn with_device_code(&mut self, device_code: &str) -> Option<&mut Session> {
        self.by_device_code.get_mut(device_code).map(Box::as_mut)
    }

    /// The session of a user code as somebody entered it.
    #[must_use]
    pub fn with_user_code(&mut self, entered: &str, rules: Rules) -> Option<&mut Session> {
        if rules.waived(Rule::DeviceCodeIsNotTyped) && self.by_device_code.contains_key(entered) {
            return self.with_device_code(entered);
        }
        let device_code = self.by_user_code.get(&codes::canonical(entered))?;
        let session = self.by_device_code.get_mut(device_code)?;
        let same_punctuation = session.user_code.replace(|c: char| c.is_alphanumeric(), "")
            == entered.replace(|c: char| c.is_alphanumeric(), "");
        if rules.waived(Rule::IgnorePunctuation) && !same_punctuation {
            return None;
        }
        if rules.waived(Rule::IgnoreCase) && entered.chars().any(char::is_lowercase) {
            return None;
        }
        Some(session)
    }

    /// Whether this user had connected a device of the same client before this user code was issued.
    #[must_use]
    pub fn connected_before(&self, user: &str, entered: &str) -> bool {
        let code = self.by_user_code.get(&codes::canonical(entered));
        let Some(session) = code.and_then(|code| self.by_device_code.get(code)) else { return false };
        let mut others = self.by_device_code.values();
        others.any(|other| {
            other.asked.client == session.asked.client && other.brought_token_to(user, session.issued)
        })
    }

    /// Ends a session as though it had never been.
    pub fn kill(&mut self, device_code: &str) {
        if let Some(session) = self.by_device_code.remove(device_code) {
            self.forget_user_code(&session);
        }
    }

    /// The device code that is meant by what was sent: that very text.
    fn meant<'sent>(&self, sent: &'sent str, rules: Rules) -> Cow<'sent, str> {
        let known = |code: Option<&Arc<str>>| code.map(|code| Cow::Owned(code.to_string()));
        let mut meant = Cow::Borrowed(sent);
        if rules.waived(Rule::WholeCodeCounts) {
            let start = sent.get(..SIGNIFICANT).unwrap_or(sent);
            // The least of them, not the first that a table happens to give.
            let of_start = self.by_device_code.keys().filter(|code| code.starts_with(start)).min();
            meant = known(of_start.filter(|_| start.len() == SIGNIFICANT)).unwrap_or(meant);
        }
        if rules.waived(Rule::CodesApart) {
            meant = known(self.by_user_code.get(&codes::canonical(sent))).unwrap_or(meant);
        }
        meant
    }

    const fn next(&mut self, wall: u64) -> Serial {
        self.drawn += 1;
        Serial { number: self.drawn, wall }
    }

    /// The device code that a poll is answered about: its own.
    fn asked_about<'sent>(&mut self, sent: &'sent str, client: &str, rules: Rules) -> Cow<'sent, str> {
        let own = Cow::Borrowed(sent);
        if !rules.waived(Rule::AnswersAboutOwnCode) {
            return own;
        }
        let before = self.last_polled.replace(sent.into());
        let known = before.and_then(|code| self.by_device_code.get(&code));
        let of_client = known.filter(|session| *session.asked.client == *client);
        of_client.map_or(own, |session| Cow::Owned(session.device_code.to_string()))
    }

    fn is_taken(&self, user_code: &str) -> bool {
        self.by_user_code.contains_key(&codes::canonical(user_code))
    }

    fn sweep(&mut self, now: Moment) {
        for _ in 0..Schedule::<Arc<str>>::BATCH {
            let Some(device_code) = self.forget.due(now) else { return };
            self.kill(&device_code);
        }
    }

    fn forget_user_code(&mut self, session: &Session) {
        let canonical = codes::canonical(&session.user_code);
        if self.by_user_code.get(&canonical) == Some(&session.device_code) {
            self.by_user_code.remove(&canonical);
        }
    }
}
