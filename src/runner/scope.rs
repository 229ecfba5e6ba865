//! What expectations may ask about the case around an answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::run::Run;
use super::session::{Session, Sessions, members};
use crate::exchange::Exchange;
use crate::expect::Scope;
use crate::outcome::lenient_text;
use crate::protocol::{Capability, Role};
use crate::timing::{Anchor, Constant, Timekeeper, Timing};

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

    /// The value of one name, such as `tv.user_code`, `client.tv.id` or `random`.
    fn value(&self, name: &str) -> Option<String> {
        if name == "random" {
            return Some(self.run.random.clone());
        }
        if name == "target.issuer" {
            return self.run.target.issuer.clone();
        }
        let (owner, member) = name.split_once('.')?;
        if owner == "client" {
            let (role, member) = member.split_once('.')?;
            let role = Role::ALL.iter().find(|known| known.word() == role)?;
            let client = self.run.client(*role)?;
            return match member {
                "id" => Some(client.id.clone()),
                "secret" => client.secret.as_ref().map(|secret| secret.expose().to_owned()),
                _ => None,
            };
        }
        if let Some(session) = self.session(owner) {
            let client_id = self.run.client(session.role).map(|client| client.id.as_str());
            if let Some(value) = session.value(member, client_id) {
                return Some(value);
            }
        }
        members(self.named.get(owner)?).and_then(|members| lenient_text(members.get(member)?))
    }

    /// The template with every name filled in by `write`; the first name that has no value otherwise.
    pub(super) fn filled(&self, template: &str, write: impl Fn(&str) -> String) -> Result<String, String> {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let is_name = |name: &str| name.contains('.') || name == "random";
            match after.split_once('}') {
                Some((name, after)) if is_name(name) && name.chars().all(is_name_char) => {
                    text.push_str(&write(&self.value(name).ok_or_else(|| name.to_owned())?));
                    rest = after;
                }
                _ => {
                    text.push('{');
                    rest = after;
                }
            }
        }
        text.push_str(rest);
        Ok(text)
    }
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
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
        let since_start = if text == Anchor::TokenExpiry.word() {
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
