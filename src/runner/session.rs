//! What a device knows of its own session, and everything that was answered to it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::device::{Answer, Device};
use crate::exchange::{self, Exchange};
use crate::outcome::{Outcome, lenient_number, lenient_text, verification_uri};
use crate::protocol::Role;
use crate::timing::{Constant, Constants, Timekeeper};

/// One device authorization session of a case.
pub(super) struct Session {
    /// The client it was started by.
    pub(super) role: Role,
    /// Its codes, read leniently; none when the server gave none.
    pub(super) codes: Option<Codes>,
    /// The device authorization exchange.
    pub(super) authorized: Arc<Exchange>,
    /// The scope that was asked for.
    pub(super) requested_scope: Option<String>,
    /// Receipt of the last answer.
    pub(super) heard: Duration,
    /// The pace.
    pub(super) device: Device,
    /// Everything that was answered to polls of this session.
    pub(super) answers: Vec<Arc<Exchange>>,
    /// The token sets it was given, oldest first.
    pub(super) token_sets: Vec<TokenSet>,
    /// The case waited for expiry on purpose: what comes after it is about expiry.
    pub(super) is_past_expiry_on_purpose: bool,
    constants: Constants,
}

/// What a device needs to go on.
#[derive(Clone)]
pub(super) struct Codes {
    /// The exchange that brought them.
    pub(super) issued: u32,
    pub(super) device_code: String,
    pub(super) user_code: String,
    pub(super) verification_uri: String,
    pub(super) verification_uri_complete: Option<String>,
    /// The announced interval, read leniently.
    pub(super) interval: Option<Duration>,
    /// The announced lifetime, read leniently.
    pub(super) lifetime: Option<Duration>,
}

/// One token response.
#[derive(Clone)]
pub(super) struct TokenSet {
    /// The name a step gave it.
    pub(super) name: Option<String>,
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
    /// When the access token ends: receipt plus `expires_in`.
    pub(super) expiry: Option<Duration>,
}

/// The lifetime where the server announces none: long enough never to end a case.
const NO_LIFETIME: Duration = Duration::from_secs(1800);

impl Codes {
    /// Reads a device authorization response as leniently as a device would.
    pub(super) fn read(exchange: &Exchange) -> Option<Self> {
        if exchange.outcome() != Outcome::Codes {
            return None;
        }
        let members = exchange.members()?;
        let seconds = |name: &str| {
            let number = members.get(name).and_then(lenient_number)?;
            Duration::try_from_secs_f64(number).ok().filter(|length| !length.is_zero())
        };
        Some(Self {
            issued: exchange.number,
            device_code: lenient_text(members.get("device_code")?)?,
            user_code: lenient_text(members.get("user_code")?)?,
            verification_uri: verification_uri(members)?.to_owned(),
            verification_uri_complete: members
                .get("verification_uri_complete")
                .and_then(Value::as_str)
                .map(ToOwned::to_owned),
            interval: seconds("interval"),
            lifetime: seconds("expires_in"),
        })
    }
}

impl TokenSet {
    /// Reads a successful token response.
    pub(super) fn read(exchange: &Exchange, name: Option<&str>) -> Option<Self> {
        if exchange.outcome() != Outcome::Granted {
            return None;
        }
        let members = exchange.members()?;
        let lifetime = members.get("expires_in").and_then(lenient_number);
        Some(Self {
            name: name.map(ToOwned::to_owned),
            access_token: members.get("access_token").and_then(Value::as_str)?.to_owned(),
            refresh_token: members.get("refresh_token").and_then(Value::as_str).map(ToOwned::to_owned),
            expiry: lifetime
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .map(|lifetime| exchange.done + lifetime),
        })
    }
}

impl Session {
    /// What came of a device authorization request.
    pub(super) fn new(
        role: Role,
        authorized: Arc<Exchange>,
        requested_scope: Option<String>,
        constants: Constants,
    ) -> Self {
        let codes = Codes::read(&authorized);
        let heard = authorized.done;
        let device = Device::new(
            heard,
            codes.as_ref().and_then(|codes| codes.interval),
            codes.as_ref().and_then(|codes| codes.lifetime),
        );
        Self {
            role,
            codes,
            authorized,
            requested_scope,
            heard,
            device,
            answers: Vec::new(),
            token_sets: Vec::new(),
            is_past_expiry_on_purpose: false,
            constants,
        }
    }

    /// When the codes end by what was announced, if anything was that a device can count from.
    pub(super) fn announced_expiry(&self) -> Option<Duration> {
        Some(self.authorized.done + self.codes.as_ref()?.lifetime?)
    }

    /// When the codes end, by what was announced, counted from their receipt.
    pub(super) fn expiry(&self) -> Duration {
        self.authorized.done + self.lifetime()
    }

    /// Is it uncertain whether the codes still lived when this was answered, so that an end of the session proves
    /// nothing? The codes may end from `tol_early` before their announced end on, counted from when they were asked
    /// for, and need not have ended until `tol_late` after it, counted from their receipt (requirements 2.3 and 4.3).
    pub(super) fn may_have_ended_by_itself(&self, exchange: &Exchange) -> bool {
        let is_end = matches!(exchange.outcome(), Outcome::Expired | Outcome::Refused);
        let earliest = self.earliest_end();
        let latest = self.expiry() + self.constant(Constant::TolLate);
        let is_certainly_over = exchange.sent >= latest;
        is_end && exchange.done > earliest && !(self.is_past_expiry_on_purpose && is_certainly_over)
    }

    /// From when on what a page says of the code proves nothing, because it may have ended by itself; never where a step
    /// waited for that.
    pub(super) fn may_end(&self) -> Option<Duration> {
        (!self.is_past_expiry_on_purpose).then(|| self.earliest_end())
    }

    fn earliest_end(&self) -> Duration {
        (self.authorized.sent + self.lifetime()).saturating_sub(self.constant(Constant::TolEarly))
    }

    /// Takes note of an answer to a poll.
    pub(super) fn answered(&mut self, exchange: &Arc<Exchange>) {
        self.heard = exchange.done;
        self.device.answered(exchange.done, device_answer(exchange));
        self.keep(exchange);
    }

    /// Takes note of the answers of a race: all its slow_downs count once.
    pub(super) fn raced(&mut self, exchanges: &[Arc<Exchange>]) {
        let slowed = exchanges.iter().find(|exchange| exchange.outcome() == Outcome::SlowDown);
        if let Some(slowed) = slowed {
            self.device.answered(slowed.done, device_answer(slowed));
        }
        for exchange in exchanges {
            self.heard = self.heard.max(exchange.done);
            self.keep(exchange);
        }
    }

    fn keep(&mut self, exchange: &Arc<Exchange>) {
        self.answers.push(exchange.clone());
        self.token_sets.extend(TokenSet::read(exchange, None));
    }

    /// A token set by name, or the newest.
    pub(super) fn token_set(&self, name: Option<&str>) -> Option<&TokenSet> {
        match name {
            Some("first") if !self.token_sets.iter().any(|set| set.name.as_deref() == Some("first")) => {
                self.token_sets.first()
            }
            Some(name) => self.token_sets.iter().find(|set| set.name.as_deref() == Some(name)),
            None => self.token_sets.last(),
        }
    }

    /// A value that templates may name: `{tv.user_code}`.
    pub(super) fn value(&self, member: &str, client_id: Option<&str>) -> Option<String> {
        let codes = self.codes.as_ref();
        match member {
            "device_code" => codes.map(|codes| codes.device_code.clone()),
            "user_code" => codes.map(|codes| codes.user_code.clone()),
            "verification_uri" => codes.map(|codes| codes.verification_uri.clone()),
            "verification_uri_complete" => codes.and_then(|codes| codes.verification_uri_complete.clone()),
            "client_id" => client_id.map(ToOwned::to_owned),
            "less_scope" => {
                self.requested_scope.as_deref()?.rsplit_once(' ').map(|(less, _)| less.to_owned())
            }
            "access_token" => self.token_sets.last().map(|set| set.access_token.clone()),
            "refresh_token" => self.token_sets.last().and_then(|set| set.refresh_token.clone()),
            member => self.authorized.members().and_then(|members| lenient_text(members.get(member)?)),
        }
    }
}

impl Timekeeper for Session {
    fn interval(&self) -> Duration {
        self.device.interval()
    }

    fn announced_interval(&self) -> Duration {
        let announced = self.codes.as_ref().and_then(|codes| codes.interval);
        announced.unwrap_or(crate::device::DEFAULT_INTERVAL)
    }

    fn lifetime(&self) -> Duration {
        self.codes.as_ref().and_then(|codes| codes.lifetime).unwrap_or(NO_LIFETIME)
    }

    fn constant(&self, constant: Constant) -> Duration {
        let base = self.constants.get(&constant).copied().unwrap_or_default();
        match constant {
            Constant::TolEarly | Constant::TolLate => base + self.lifetime() / 1000,
            _ => base,
        }
    }
}

/// The sessions of a case by name; more than one where `sessions:` asks for them.
pub(super) type Sessions = BTreeMap<String, Vec<Session>>;

/// What the device makes of an answer.
fn device_answer(exchange: &Exchange) -> Answer {
    let interval = || {
        let seconds = lenient_number(exchange.members()?.get("interval")?)?;
        Duration::try_from_secs_f64(seconds).ok()
    };
    let retry_after = || exchange.answer.as_ref().ok().and_then(exchange::Answer::retry_after);
    Answer::of(exchange.outcome(), interval, retry_after)
}
