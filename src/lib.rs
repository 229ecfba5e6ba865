//! devgrant judges OAuth 2.0 device authorization (RFC 8628) servers.
//!
//! The modules stand in layer order: each may use those above it, see `ARCHITECTURE.md`.

// 0 vocabulary: words; no async, no clock, no files
pub mod protocol;
pub mod secret;
pub mod timing;

// 1 pure: values in, values out
pub mod target;

// 2 doing: the only async code
pub mod clock;
pub mod server;
