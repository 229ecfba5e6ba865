//! devgrant judges OAuth 2.0 device authorization (RFC 8628) servers.
//!
//! The modules stand in layer order: each may use those above it, see `ARCHITECTURE.md`.

// 0 vocabulary
pub mod diagnostic;
pub mod secret;
pub mod yaml;

// 2 doing
pub mod clock;
