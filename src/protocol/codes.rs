//! Error codes and the grant type, as registered.

/// The grant type of the device access token request (RFC 8628 §3.4).
pub const DEVICE_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The four error codes that say something about a device code (RFC 8628 §3.5).
pub const DEVICE_ERRORS: [&str; 4] = ["authorization_pending", "slow_down", "access_denied", "expired_token"];

/// Every error code registered for the token endpoint and its siblings (RFC 6749 §5.2, RFC 8628 §3.5, RFC 7009
/// §2.2.1, RFC 8707 §2, RFC 9449 §5, RFC 9470 §3).
pub const REGISTERED_ERRORS: [&str; 15] = [
    "access_denied",
    "authorization_pending",
    "expired_token",
    "insufficient_user_authentication",
    "invalid_client",
    "invalid_dpop_proof",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "slow_down",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_token_type",
    "use_dpop_nonce",
];

/// Where an error code stands in the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorStanding {
    /// One of the four of RFC 8628 §3.5.
    Device,
    /// Registered for these endpoints, but says nothing about the device code.
    Registered,
    /// In no registry.
    Unknown,
}

/// Where `code` stands in the registry.
#[must_use]
pub fn standing(code: &str) -> ErrorStanding {
    if DEVICE_ERRORS.contains(&code) {
        ErrorStanding::Device
    } else if REGISTERED_ERRORS.contains(&code) {
        ErrorStanding::Registered
    } else {
        ErrorStanding::Unknown
    }
}
