//! What expectations may ask about the case around an answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::run::Run;
use super::session::{Session, Sessions};
use crate::exchange::Exchange;
use crate::expect::{self, Scope, answer_word};
use crate::outcome::lenient_text;
use crate::protocol::Capability;
use crate::suite::{ANSWER, ClientValue, Placeholder, TYPED_CODES, TargetValue, placeholders};
use crate::timing::{Anchor, Constant, NOW, Timekeeper, Timing};

/// The values of a case by name.
pub(super) struct Values<'a> {
    pub(super) run: &'a Run,
    pub(super) sessions: &'a Sessions,
    pub(super) named: &'a BTreeMap<String, Arc<Exchange>>,
}

impl Values<'_> {
    fn session(&self, name: &str) -> Option<&Session> {
        self.sessions.get(name)?.first()
    }

    fn value(&self, placeholder: Placeholder<'_>) -> Option<String> {
        match placeholder {
            Placeholder::Random => Some(self.run.random.clone()),
            Placeholder::Target(TargetValue::Issuer) => self.run.target.issuer.clone(),
            Placeholder::Target(TargetValue::Resource) => self.run.endpoints.resource.clone(),
            Placeholder::Client(role, ClientValue::Id) => Some(self.run.client(role)?.id.clone()),
            Placeholder::Client(role, ClientValue::Secret) => {
                self.run.client(role)?.secret.as_ref().map(|secret| secret.expose().to_owned())
            }
            Placeholder::Value { of, name } => {
                let of_session = self.session(of).and_then(|session| {
                    session.value(name, self.run.client(session.role).map(|client| client.id.as_str()))
                });
                of_session.or_else(|| of_answer(self.named.get(of)?, name))
            }
        }
    }

    /// The template with every placeholder filled in by `write`; the first that has no value otherwise.
    pub(super) fn filled(&self, template: &str, write: impl Fn(&str) -> String) -> Result<String, String> {
        let mut text = String::new();
        let mut rest = template;
        for (word, placeholder) in placeholders(template) {
            let value = placeholder.ok().and_then(|placeholder| self.value(placeholder));
            let value = value.ok_or_else(|| word.to_owned())?;
            if let Some((before, after)) = rest.split_once(&format!("{{{word}}}")) {
                text.push_str(before);
                text.push_str(&write(&value));
                rest = after;
            }
        }
        text.push_str(rest);
        Ok(text)
    }
}

/// A member of a named answer, or a claim of the JWT that is one: `id_token.sub`.
fn of_answer(answer: &Exchange, name: &str) -> Option<String> {
    if name == ANSWER {
        return Some(answer_word(answer));
    }
    if name == TYPED_CODES {
        return Some(answer.page.as_ref()?.typed_codes?.to_string());
    }
    let members = answer.members()?;
    let Some((member, claim)) = name.split_once('.') else { return lenient_text(members.get(name)?) };
    match expect::jwt_claims(members.get(member)?.as_str()?)?.get(claim)? {
        list @ serde_json::Value::Array(_) => Some(list.to_string()),
        value => lenient_text(value),
    }
}

impl Scope for Values<'_> {
    fn fill(&self, template: &str) -> Option<String> {
        self.filled(template, ToOwned::to_owned).ok()
    }

    fn exchange(&self, name: &str) -> Option<&Exchange> {
        self.named
            .get(name)
            .map(|exchange| &**exchange)
            .or_else(|| self.session(name).map(|s| &*s.authorized))
    }

    fn has(&self, capability: Capability) -> bool {
        self.run.found.capabilities.contains(&capability)
    }

    fn requested_scope(&self, session: &str) -> Option<String> {
        self.session(session)?.requested_scope.clone()
    }

    fn seconds(&self, timing: &Timing) -> f64 {
        match self.sessions.values().flatten().next() {
            Some(session) => timing.seconds(session),
            None => timing.seconds(&Announced(self.run)),
        }
    }

    fn instant(&self, text: &str) -> Option<f64> {
        let since_start = if text == NOW {
            Some(self.run.link.now())
        } else if text == Anchor::TokenExpiry.word() {
            self.sessions.values().flatten().find_map(|session| session.token_sets.last()?.expiry)
        } else if text == Anchor::Expiry.word() {
            self.sessions.values().flatten().next().map(Session::expiry)
        } else {
            return self.fill(text)?.parse().ok();
        };
        let now = self.run.link.now();
        let ahead = since_start?.as_secs_f64() - now.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^52")]
        let wall = crate::clock::wall().as_millisecond() as f64 / 1000.0;
        Some(wall + ahead)
    }

    fn has_device_code(&self, text: &str) -> bool {
        self.run.has_device_code(text)
    }

    fn is_loopback(&self) -> bool {
        self.run.found.plain_http
    }
}

/// The target's announced values, where there is no session.
pub(super) struct Announced<'a>(pub(super) &'a Run);

impl Timekeeper for Announced<'_> {
    fn interval(&self) -> Duration {
        self.0.found.interval
    }
    fn announced_interval(&self) -> Duration {
        self.0.found.interval
    }
    fn lifetime(&self) -> Duration {
        self.0.found.lifetime
    }
    fn constant(&self, constant: Constant) -> Duration {
        self.0.found.constants.get(&constant).copied().unwrap_or_default()
    }
}
