//! Error responses: the registered codes and the refusal that becomes a reply. Knows nothing of why one is given.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};

use super::reply::Reply;

/// An error code of the endpoints for clients, as registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// RFC 8628 §3.5: the user said no.
    AccessDenied,
    /// RFC 8628 §3.5: not decided yet.
    AuthorizationPending,
    /// RFC 8628 §3.5: the device code's lifetime is over.
    ExpiredToken,
    /// RFC 6750 §3.1: the token does not reach this far.
    InsufficientScope,
    /// RFC 6749 §5.2: client authentication failed.
    InvalidClient,
    /// RFC 6749 §5.2: the code or refresh token is invalid, revoked, used, or another client's.
    InvalidGrant,
    /// RFC 6749 §5.2: malformed in some way.
    InvalidRequest,
    /// RFC 6749 §5.2: unknown, malformed or excessive scope.
    InvalidScope,
    /// RFC 8707 §2: no such resource.
    InvalidTarget,
    /// RFC 6750 §3.1: expired, revoked, malformed or unknown access token.
    InvalidToken,
    /// RFC 8628 §3.5: pending, and polled too early.
    SlowDown,
    /// RFC 6749 §5.2: this client may not use this grant.
    UnauthorizedClient,
    /// RFC 6749 §5.2: no such grant here.
    UnsupportedGrantType,
}

impl ErrorCode {
    /// The registered spelling.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::AuthorizationPending => "authorization_pending",
            Self::ExpiredToken => "expired_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidToken => "invalid_token",
            Self::SlowDown => "slow_down",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
        }
    }
}

/// An error response before it has a body (RFC 6749 §5.2).
///
/// Descriptions are literals of our own, in the characters that §5.2 allows: nothing of a request is echoed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The error code.
    pub code: ErrorCode,
    /// For the developer of a client.
    pub description: &'static str,
    /// 400, or 401 for a client that must authenticate.
    pub status: StatusCode,
    /// Headers beside those of every answer: a challenge, `Allow`, `Retry-After`.
    pub headers: Vec<(header::HeaderName, HeaderValue)>,
}

impl Refusal {
    /// A refusal with status 400.
    #[must_use]
    pub const fn new(code: ErrorCode, description: &'static str) -> Self {
        Self { code, description, status: StatusCode::BAD_REQUEST, headers: Vec::new() }
    }

    /// `invalid_request` with status 400.
    #[must_use]
    pub const fn invalid_request(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }

    /// `invalid_client` with status 401 and a challenge of the scheme we support (RFC 6749 §5.2).
    #[must_use]
    pub fn unauthenticated(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidClient, description).status(StatusCode::UNAUTHORIZED).header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"devgrant test server\", charset=\"UTF-8\""),
        )
    }

    /// The same with another status.
    #[must_use]
    pub const fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same, saying when to come again, in whole seconds rounded up (RFC 6585 §4).
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(whole_seconds_up(wait)))
    }
}

/// Whole seconds, rounded up, at least one.
#[must_use]
pub const fn whole_seconds_up(length: Duration) -> u64 {
    let seconds = length.as_secs() + if length.subsec_nanos() > 0 { 1 } else { 0 };
    if seconds == 0 { 1 } else { seconds }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let mut reply = Self::json(refusal.status)
            .member("error", refusal.code.word())
            .member("error_description", refusal.description);
        reply.headers.extend(refusal.headers);
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_times_are_rounded_up_to_whole_seconds() {
        assert_eq!(whole_seconds_up(Duration::ZERO), 1);
        assert_eq!(whole_seconds_up(Duration::from_millis(1001)), 2);
        assert_eq!(whole_seconds_up(Duration::from_secs(5)), 5);
    }
}
