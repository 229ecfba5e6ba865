//! Access and refresh tokens: issued, refreshed, looked up, revoked. Knows no HTTP and no JSON.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::Rng;

use super::codes;
use super::config::{Client, Grant};
use super::moment::Moment;
use super::rules::{Rule, Rules};
use super::schedule::Schedule;
use super::scope::Scopes;
use super::session::Approval;
use super::table::Table;
use super::terms::Terms;

/// A scope token that asks for a refresh token (OpenID Connect Core §11).
const OFFLINE_ACCESS: &str = "offline_access";

/// What one approval gave, whatever the number of tokens.
#[derive(Debug)]
pub struct Consent {
    /// The client.
    pub client: Arc<str>,
    /// Who approved.
    pub approval: Approval,
    /// What was approved.
    pub scopes: Scopes,
    /// The device code that was redeemed for it.
    code: Arc<str>,
    /// Whether it is over: revoked, or a used refresh token came again.
    ended: AtomicBool,
}

/// When something happens: in the server's life and on the wall.
#[derive(Clone, Copy, Debug)]
pub struct Present {
    /// In the server's life.
    pub moment: Moment,
    /// On the wall, in seconds since 1970.
    pub wall: i64,
}

/// Any token of ours.
#[derive(Clone, Debug)]
pub struct Token {
    /// What it stands for.
    pub consent: Arc<Consent>,
    /// What it reaches.
    pub scopes: Scopes,
    /// Which of the two kinds it is.
    pub kind: Kind,
    /// When it was issued, in seconds of wall time.
    pub issued: i64,
    /// When it ends, in seconds of wall time.
    pub ends: i64,
    /// When it ends, by the server's own clock.
    expires: Moment,
    /// Revoked, or used where one use is all there is.
    spent: bool,
}

/// The two kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// For the API.
    Access,
    /// For the token endpoint.
    Refresh,
}

/// What a successful token response says (RFC 6749 §5.1).
#[derive(Clone, Debug)]
pub struct Issued {
    /// The access token.
    pub access_token: Arc<str>,
    /// Its lifetime.
    pub expires_in: Duration,
    /// The refresh token, if a new one was issued.
    pub refresh_token: Option<Arc<str>>,
    /// What the access token reaches.
    pub scopes: Scopes,
    /// What it stands for.
    pub consent: Arc<Consent>,
    /// When it was issued, in seconds of wall time.
    pub at: i64,
}

/// Why a refresh is refused (RFC 6749 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRefresh {
    /// Unknown, expired, revoked, used, or another client's.
    InvalidToken,
    /// More than was approved.
    ScopeTooWide,
}

/// A token that another client holds cannot be revoked (RFC 7009 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotYours;

/// All tokens.
#[derive(Debug, Default)]
pub struct Tokens {
    by_value: Table<Arc<str>, Token>,
    forget: Schedule<Arc<str>>,
    /// What the last grant gave, for when grants are mixed up.
    last: Option<Issued>,
}

impl Token {
    /// Whether it is good for anything now (RFC 7662 §4).
    #[must_use]
    pub fn is_active(&self, now: Moment, rules: Rules) -> bool {
        !self.spent
            && !self.consent.ended.load(Ordering::Relaxed)
            && !rules.broken(Rule::ExpireAccessTokens, now >= self.expires)
    }
}

impl Tokens {
    /// Tokens for a device whose user approved. A refresh token comes with `offline_access` only.
    #[expect(clippy::too_many_arguments, reason = "what a grant is made of")]
    pub fn issue(
        &mut self,
        rng: &mut impl Rng,
        now: Present,
        terms: &Terms,
        client: &Client,
        approval: Approval,
        scopes: Scopes,
        code: &str,
    ) -> Issued {
        if let Some(last) = self.last.take().filter(|_| terms.rules.waived(Rule::TokensOfOwnGrant)) {
            return self.last.insert(last).clone();
        }
        let consent = Arc::new(Consent {
            client: Arc::clone(&client.id),
            approval,
            scopes,
            code: code.into(),
            ended: AtomicBool::new(false),
        });
        let unasked = !consent.scopes.contains(OFFLINE_ACCESS);
        let lasting =
            !terms.rules.broken(Rule::OfflineAccessAsked, unasked) && client.may_use(Grant::RefreshToken);
        let refresh_token =
            lasting.then(|| self.refresh_token(rng, now, terms, &consent, consent.scopes.clone()));
        let issued =
            self.access_token(rng, now, terms, client, &consent, consent.scopes.clone(), refresh_token);
        self.last.insert(issued).clone()
    }

    /// New tokens for a refresh token (RFC 6749 §6).
    ///
    /// # Errors
    ///
    /// If the token is not an active refresh token of this client, or `wanted` is more than was approved.
    pub fn refresh(
        &mut self,
        rng: &mut impl Rng,
        now: Present,
        terms: &Terms,
        client: &Client,
        refresh_token: &str,
        wanted: Option<Scopes>,
    ) -> Result<Issued, NoRefresh> {
        let rules = terms.rules;
        let token = self.by_value.get_mut(refresh_token).filter(|token| token.kind == Kind::Refresh);
        let token = token.ok_or(NoRefresh::InvalidToken)?;
        if rules.broken(Rule::RefreshBoundToClient, *token.consent.client != *client.id) {
            return Err(NoRefresh::InvalidToken);
        }
        if token.spent && !rules.waived(Rule::ReuseEndsGrant) {
            token.consent.ended.store(true, Ordering::Relaxed);
        }
        if !token.is_active(now.moment, rules) {
            return Err(NoRefresh::InvalidToken);
        }
        let consent = Arc::clone(&token.consent);
        let whole = token.scopes.clone();
        let scopes = wanted.unwrap_or_else(|| whole.clone());
        if rules.broken(Rule::RefreshKeepsScope, !scopes.within(&whole)) {
            return Err(NoRefresh::ScopeTooWide);
        }
        let rotates = rules.broken(Rule::RotateRefreshTokens, client.is_public());
        token.spent = rotates;
        let kept = if rules.waived(Rule::RotationKeepsScope) { scopes.clone() } else { whole };
        let next = rotates.then(|| self.refresh_token(rng, now, terms, &consent, kept));
        Ok(self.access_token(rng, now, terms, client, &consent, scopes, next))
    }

    /// Takes note that a used device code came again.
    pub fn replayed(&mut self, code: &str, rules: Rules) {
        if rules.waived(Rule::ReplaySparesToken) {
            let of_code = self.by_value.values().filter(|token| *token.consent.code == *code);
            of_code.for_each(|token| token.consent.ended.store(true, Ordering::Relaxed));
        }
    }

    /// An active token, whatever its kind.
    #[must_use]
    pub fn active(&self, value: &str, now: Moment, rules: Rules) -> Option<&Token> {
        self.by_value.get(value).filter(|token| token.is_active(now, rules))
    }

    /// Whether this is a refresh token, spent or not.
    #[must_use]
    pub fn is_refresh_token(&self, value: &str) -> bool {
        self.by_value.get(value).is_some_and(|token| token.kind == Kind::Refresh)
    }

    /// Revokes a token of this client; an unknown one is as good as revoked (RFC 7009 §2.2).
    ///
    /// # Errors
    ///
    /// If it is another client's.
    pub fn revoke(&mut self, value: &str, client: &Client, rules: Rules) -> Result<(), NotYours> {
        let Some(token) = self.by_value.get_mut(value) else { return Ok(()) };
        if rules.broken(Rule::RevokeOwnTokens, *token.consent.client != *client.id) {
            return Err(NotYours);
        }
        if rules.waived(Rule::RevocationTakesEffect) {
            return Ok(());
        }
        token.spent = true;
        if token.kind == Kind::Refresh && !rules.waived(Rule::RevocationEndsGrant) {
            token.consent.ended.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "one response is made of that much, and only here")]
    fn access_token(
        &mut self,
        rng: &mut impl Rng,
        now: Present,
        terms: &Terms,
        client: &Client,
        consent: &Arc<Consent>,
        scopes: Scopes,
        refresh_token: Option<Arc<str>>,
    ) -> Issued {
        let lifetime = client.access_token_lifetime.unwrap_or(terms.policy.access_token_lifetime);
        let access_token = self.keep(rng, now, terms, consent, scopes.clone(), Kind::Access, lifetime);
        let consent = Arc::clone(consent);
        Issued { access_token, expires_in: lifetime, refresh_token, scopes, consent, at: now.wall }
    }

    fn refresh_token(
        &mut self,
        rng: &mut impl Rng,
        now: Present,
        terms: &Terms,
        consent: &Arc<Consent>,
        scopes: Scopes,
    ) -> Arc<str> {
        let lifetime = terms.policy.refresh_token_lifetime;
        self.keep(rng, now, terms, consent, scopes, Kind::Refresh, lifetime)
    }

    #[expect(clippy::too_many_arguments, reason = "the one place where a token is made")]
    fn keep(
        &mut self,
        rng: &mut impl Rng,
        now: Present,
        terms: &Terms,
        consent: &Arc<Consent>,
        scopes: Scopes,
        kind: Kind,
        lifetime: Duration,
    ) -> Arc<str> {
        self.sweep(now.moment);
        let value: Arc<str> = codes::opaque(rng, terms.policy.token_bytes).into();
        let expires = now.moment + lifetime;
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let token = Token {
            consent: Arc::clone(consent),
            scopes,
            kind,
            issued: now.wall,
            ends: now.wall.saturating_add(seconds),
            expires,
            spent: false,
        };
        self.by_value.insert(Arc::clone(&value), token);
        self.forget.add(expires + terms.policy.retention, Arc::clone(&value));
        value
    }

    fn sweep(&mut self, now: Moment) {
        for _ in 0..Schedule::<Arc<str>>::BATCH {
            let Some(value) = self.forget.due(now) else { return };
            self.by_value.remove(&value);
        }
    }
}
