//! Numbers and choices of the server, as data. Knows nothing of how they are kept.

use std::time::Duration;

use super::codes::{DeviceCodeForm, Draw, Symbols};
use super::endpoint::Audience;
use super::scope::Scope;

/// Headers by their lower-case names.
pub type Headers = &'static [(&'static str, &'static str)];

/// Every number and choice that the standards leave to the server.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The polling interval that is announced and enforced (RFC 8628 §3.2), unless a client has its own.
    pub interval: Duration,
    /// How much each `slow_down` adds to a session's interval (RFC 8628 §3.5).
    pub slow_down_step: Duration,
    /// How many times as much each further `slow_down` of a session adds.
    pub slow_down_ratio: u32,
    /// Early polls that follow a `slow_down` within this time are one burst and raise the interval once.
    pub burst: Duration,
    /// How long it takes until a poll counts as the last one.
    pub throttle_lag: Duration,
    /// The lifetime of both codes (RFC 8628 §3.2), unless a client has its own.
    pub lifetime: Duration,
    /// How much of the lifetime a user code can be used, in percent; the rest is for the device alone.
    pub user_code_share: u32,
    /// How long it takes until polls hear of a decision.
    pub propagation: Duration,
    /// How long an expired session is remembered, so that it can still be told `expired_token`.
    pub retention: Duration,
    /// Random bytes of a device code (RFC 8628 §5.2).
    pub device_code_bytes: usize,
    /// What a device code is made of.
    pub device_code_form: DeviceCodeForm,
    /// What a user code is made of (RFC 8628 §6.1 suggests these twenty letters).
    pub user_code_symbols: Symbols,
    /// How the symbols of a user code are chosen.
    pub user_code_draw: Draw,
    /// The lengths of a user code's groups in symbols, joined by dashes.
    pub user_code_groups: &'static [usize],
    /// Random bytes of access and refresh tokens (RFC 6749 §10.10).
    pub token_bytes: usize,
    /// The lifetime of an access token, unless a client has its own (RFC 6750 §5.3: an hour or less).
    pub access_token_lifetime: Duration,
    /// The lifetime of a refresh token.
    pub refresh_token_lifetime: Duration,
    /// The lifetime of an ID token.
    pub id_token_lifetime: Duration,
    /// The scopes there are.
    pub scopes: &'static [Scope],
    /// What is granted if no scope is asked for (RFC 6749 §3.3).
    pub default_scope: &'static str,
    /// The scopes of which the protected API wants one.
    pub api_scopes: &'static [&'static str],
    /// Wrong user codes after which a person must sign in anew (RFC 8628 §5.1).
    pub wrong_codes_per_sign_in: u32,
    /// Wrong user codes of one user within `limit_span`, whatever the number of sign-ins (RFC 8628 §5.1).
    pub wrong_codes_per_user: usize,
    /// Wrong passwords for one user within `limit_span`.
    pub wrong_passwords_per_user: usize,
    /// Wrong secrets for one client within `limit_span` (RFC 6749 §2.3.1).
    pub wrong_secrets_per_client: usize,
    /// The span in which wrong guesses are counted.
    pub limit_span: Duration,
    /// How long an idle browser session lasts.
    pub sign_in_lifetime: Duration,
    /// Headers of every answer to a client (RFC 6749 §5.1).
    pub client_headers: Headers,
    /// Headers of every page (RFC 9700 §4.16).
    pub page_headers: Headers,
}

impl Policy {
    /// The policy of the reference server.
    #[must_use]
    pub const fn reference() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        Self {
            interval: Duration::from_secs(5),
            slow_down_step: Duration::from_secs(5),
            slow_down_ratio: 1,
            burst: Duration::from_secs(1),
            throttle_lag: Duration::ZERO,
            lifetime: Duration::from_secs(600),
            user_code_share: 100,
            propagation: Duration::ZERO,
            retention: Duration::from_secs(15 * 60),
            device_code_bytes: 32,
            device_code_form: DeviceCodeForm::UrlSafe,
            user_code_symbols: Symbols::Characters("BCDFGHJKLMNPQRSTVWXZ"),
            user_code_draw: Draw::AtRandom,
            user_code_groups: &[4, 4],
            token_bytes: 32,
            access_token_lifetime: Duration::from_secs(3600),
            refresh_token_lifetime: Duration::from_secs(14 * 24 * 3600),
            id_token_lifetime: Duration::from_secs(3600),
            scopes: SCOPES,
            default_scope: "api",
            api_scopes: &["openid", "api"],
            wrong_codes_per_sign_in: 5,
            wrong_codes_per_user: 40,
            wrong_passwords_per_user: 40,
            wrong_secrets_per_client: 40,
            limit_span: MINUTE,
            sign_in_lifetime: Duration::from_secs(30 * 60),
            client_headers: CLIENT_HEADERS,
            page_headers: PAGE_HEADERS,
        }
    }

    /// The headers that every answer of this kind carries.
    #[must_use]
    pub const fn headers(&self, audience: Audience) -> Headers {
        match audience {
            Audience::Client => self.client_headers,
            Audience::Everyone => &[],
            Audience::Person => self.page_headers,
        }
    }
}

const SCOPES: &[Scope] = &[
    Scope { token: "openid", words: "Know who you are: your account's identifier" },
    Scope { token: "profile", words: "See your name" },
    Scope { token: "email", words: "See your e-mail address" },
    Scope { token: "offline_access", words: "Stay connected while you are away, until you revoke it" },
    Scope { token: "api", words: "Use the demonstration API in your name" },
];

const CLIENT_HEADERS: Headers =
    &[("cache-control", "no-store"), ("pragma", "no-cache"), ("x-content-type-options", "nosniff")];

const PAGE_HEADERS: Headers = &[
    ("cache-control", "no-store"),
    ("pragma", "no-cache"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    // Not `no-referrer`: with it, browsers send `Origin: null` with our own forms.
    ("referrer-policy", "same-origin"),
    (
        "content-security-policy",
        "default-src 'none'; script-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'",
    ),
];
