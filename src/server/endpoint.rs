//! The places of the server, their usual paths and their methods. Knows nothing of what they answer.

use axum::http::Method;

/// One place of the public server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// The page at `verification_uri` (RFC 8628 §3.3).
    Activate,
    /// Where the confirmation's form goes: approve or deny.
    Decision,
    /// Where a device asks for codes (RFC 8628 §3.1).
    DeviceAuthorization,
    /// Tells about a token (RFC 7662 §2).
    Introspection,
    /// The keys that verify ID tokens (RFC 7517 §5).
    Jwks,
    /// The sign-in page.
    Login,
    /// Authorization server metadata (RFC 8414 §3).
    Metadata,
    /// The same document at the place of OpenID Connect Discovery §4.
    OpenIdMetadata,
    /// Revokes a token (RFC 7009 §2).
    Revocation,
    /// Ends a sign-in.
    SignOut,
    /// The style of the pages.
    Stylesheet,
    /// Where devices poll and refresh (RFC 6749 §3.2).
    Token,
    /// The protected API (OpenID Connect Core §5.3, RFC 6750).
    UserInfo,
}

impl Endpoint {
    /// Every place there is.
    pub const ALL: [Self; 13] = [
        Self::Activate,
        Self::Decision,
        Self::DeviceAuthorization,
        Self::Introspection,
        Self::Jwks,
        Self::Login,
        Self::Metadata,
        Self::OpenIdMetadata,
        Self::Revocation,
        Self::SignOut,
        Self::Stylesheet,
        Self::Token,
        Self::UserInfo,
    ];

    /// The path where nothing else is configured.
    #[must_use]
    pub const fn usual_path(self) -> &'static str {
        match self {
            Self::Activate => "/activate",
            Self::Decision => "/activate/decision",
            Self::DeviceAuthorization => "/oauth/device/code",
            Self::Introspection => "/oauth/introspect",
            Self::Jwks => "/oauth/jwks",
            Self::Login => "/login",
            Self::Metadata => "/.well-known/oauth-authorization-server",
            Self::OpenIdMetadata => "/.well-known/openid-configuration",
            Self::Revocation => "/oauth/revoke",
            Self::SignOut => "/logout",
            Self::Stylesheet => "/style.css",
            Self::Token => "/oauth/token",
            Self::UserInfo => "/userinfo",
        }
    }

    /// The methods it understands; any other is answered 405 (RFC 9110 §15.5.6).
    #[must_use]
    pub fn methods(self) -> &'static [Method] {
        const POST: &[Method] = &[Method::POST];
        const GET: &[Method] = &[Method::GET, Method::HEAD];
        const GET_OR_POST: &[Method] = &[Method::GET, Method::HEAD, Method::POST];
        match self {
            Self::DeviceAuthorization
            | Self::Token
            | Self::Revocation
            | Self::Introspection
            | Self::Decision
            | Self::SignOut => POST,
            Self::Jwks | Self::Metadata | Self::OpenIdMetadata | Self::Stylesheet => GET,
            Self::Activate | Self::Login | Self::UserInfo => GET_OR_POST,
        }
    }

    /// What kind of answers it gives.
    #[must_use]
    pub const fn audience(self) -> Audience {
        match self {
            Self::Activate | Self::Decision | Self::Login | Self::SignOut => Audience::Person,
            Self::Jwks | Self::Metadata | Self::OpenIdMetadata | Self::Stylesheet => Audience::Everyone,
            Self::DeviceAuthorization
            | Self::Introspection
            | Self::Revocation
            | Self::Token
            | Self::UserInfo => Audience::Client,
        }
    }
}

/// Who an answer is for; decides the headers that every answer of that kind carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// A client or an API: credentials that no cache may keep.
    Client,
    /// Anybody: public documents.
    Everyone,
    /// A person in a browser.
    Person,
}
