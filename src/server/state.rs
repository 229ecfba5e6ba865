//! The running server's memory: short locks around the pure parts, and the clock. Knows no page and no parameter.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::authentication::{self, Failure};
use super::browser::Browsers;
use super::config::{Client, Config};
use super::crowd::Crowd;
use super::endpoint::Endpoint;
use super::error::{ErrorCode, Refusal};
use super::faults::{Effects, Load};
use super::form::Form;
use super::limit::Guesses;
use super::moment::Moment;
use super::policy::Policy;
use super::request::Request;
use super::rules::Rule;
use super::sessions::Sessions;
use super::terms::Terms;
use super::tokens::{Present, Tokens};
use axum::http::StatusCode;

/// One server.
pub(super) struct Server {
    pub(super) config: Config,
    pub(super) origin: String,
    policy: Arc<Policy>,
    effects: Effects,
    /// How many requests named a code, for effects that hold in their turn only.
    turns: Mutex<HashMap<(Endpoint, String), u32>>,
    /// The latest polls, for effects that hold in a crowd only.
    crowd: Mutex<Crowd>,
    started: Instant,
    sessions: Mutex<Sessions>,
    tokens: Mutex<Tokens>,
    browsers: Mutex<Browsers>,
    wrong_codes: Mutex<Guesses>,
    wrong_passwords: Mutex<Guesses>,
    wrong_secrets: Mutex<Guesses>,
}

impl Server {
    pub(super) fn new(config: Config, origin: &str) -> Self {
        Self {
            origin: origin.trim_end_matches('/').to_owned(),
            policy: Arc::new(config.policy().clone()),
            effects: config.effects(),
            turns: Mutex::default(),
            crowd: Mutex::default(),
            config,
            started: Instant::now(),
            sessions: Mutex::default(),
            tokens: Mutex::default(),
            browsers: Mutex::default(),
            wrong_codes: Mutex::default(),
            wrong_passwords: Mutex::default(),
            wrong_secrets: Mutex::default(),
        }
    }

    /// What holds for one request. The one place where a rule can be left out or a number changed.
    pub(super) fn terms_of(&self, request: &Request) -> Terms {
        let number = if self.effects.count() { self.turn(request) } else { 1 };
        if self.effects.heed_load() && request.endpoint == Endpoint::Token && request.is_poll() {
            held(&self.crowd).note(self.now());
        }
        self.terms(self.effects.at(number, self.load()))
    }

    /// What holds when the hooks for tests decide.
    pub(super) fn terms_of_hooks(&self) -> Terms {
        self.terms(self.effects.at(1, self.load()))
    }

    /// Whether a crowd of polls comes, as far as any effect heeds it.
    fn load(&self) -> Load {
        if self.effects.heed_load() { held(&self.crowd).load(self.now()) } else { Load::Usual }
    }

    fn terms(&self, effects: Effects) -> Terms {
        let mut policy = Arc::clone(&self.policy);
        if effects.tune_anything() {
            effects.tune(Arc::make_mut(&mut policy));
        }
        Terms { rules: effects.rules(), policy, effects }
    }

    /// The how-manieth request this is of those that name the same code at the same place.
    fn turn(&self, request: &Request) -> u32 {
        let form = Form::parse(&request.body).unwrap_or_default();
        let code = ["device_code", "user_code"].iter().find_map(|name| form.first(name)).unwrap_or_default();
        let mut turns = held(&self.turns);
        let number = turns.entry((request.endpoint, code.to_owned())).or_default();
        *number += 1;
        *number
    }

    pub(super) fn now(&self) -> Moment {
        Moment::after_start(Instant::now().saturating_duration_since(self.started))
    }

    pub(super) fn present(&self) -> Present {
        Present { moment: self.now(), wall: crate::clock::wall().as_second() }
    }

    /// The time on the wall, in milliseconds since 1970.
    pub(super) fn wall_milliseconds(&self) -> u64 {
        // Not before 1970.
        crate::clock::wall().as_millisecond().try_into().unwrap_or_default()
    }

    /// The absolute URL of a place.
    pub(super) fn url(&self, endpoint: Endpoint) -> String {
        format!("{}{}", self.origin, self.config.path(endpoint))
    }

    pub(super) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        held(&self.sessions)
    }

    pub(super) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        held(&self.tokens)
    }

    pub(super) fn browsers(&self) -> MutexGuard<'_, Browsers> {
        held(&self.browsers)
    }

    pub(super) fn wrong_codes(&self) -> MutexGuard<'_, Guesses> {
        held(&self.wrong_codes)
    }

    pub(super) fn wrong_passwords(&self) -> MutexGuard<'_, Guesses> {
        held(&self.wrong_passwords)
    }

    /// The client of a protocol request; counts wrong secrets.
    ///
    /// Only requests with a wrong secret are held back, so that a stranger cannot lock a client's devices out; the
    /// secrets are far too long to be found by those who then go on guessing.
    pub(super) fn client(&self, request: &Request, form: &Form, terms: &Terms) -> Result<&Client, Refusal> {
        let failure = match authentication::authenticate(&self.config, request, form, terms.rules) {
            Ok(client) => return Ok(client),
            Err(failure) => failure,
        };
        let Failure { refusal, wrong_secret_for: Some(id) } = failure else { return Err(failure.refusal) };
        if let Some(device_code) = form.first("device_code")
            && terms.rules.waived(Rule::FailedAuthenticationSparesCode)
        {
            self.sessions().kill(device_code);
        }
        let now = self.now();
        let (limit, span) = (terms.policy.wrong_secrets_per_client, terms.policy.limit_span);
        let mut guesses = held(&self.wrong_secrets);
        let wait = guesses.wait(&id, now, limit, span);
        if terms.rules.broken(Rule::SecretLimit, wait.is_some()) {
            return Err(Refusal::new(
                ErrorCode::InvalidClient,
                "Too many wrong secrets; wait before the next try.",
            )
            .status(StatusCode::TOO_MANY_REQUESTS)
            .retry_after(wait.unwrap_or(span)));
        }
        guesses.note(&id, now);
        Err(refusal)
    }
}

/// Takes a lock. Nothing panics while holding one, so a poisoned lock's data are whole all the same.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
