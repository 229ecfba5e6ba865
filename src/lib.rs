//! devgrant judges OAuth 2.0 device authorization (RFC 8628) servers.
//!
//! The modules stand in layer order: each may use those above it, see `ARCHITECTURE.md`.

// 0 vocabulary: words; no async, no clock, no files
pub mod diagnostic;
pub mod protocol;
pub mod secret;
pub mod timing;
pub mod yaml;

// 1 pure: values in, values out
pub mod ambiguous;
pub mod card;
pub mod catalog;
pub mod compare;
pub mod compose;
pub mod coverage;
pub mod device;
pub mod diagnosis;
pub mod edition;
pub mod event;
pub mod exchange;
pub mod expect;
pub mod known;
pub mod oracle;
pub mod outcome;
pub mod plan;
pub mod record;
pub mod redact;
pub mod requirement;
pub mod scenario;
pub mod suite;
pub mod tally;
pub mod target;
pub mod verdict;

// 2 doing: the only async code
pub mod approval;
pub mod clock;
pub mod http;
pub mod load;
pub mod login;
pub mod machine;
pub mod runner;
pub mod server;

// 3 showing
pub mod generated;
pub mod matrix;
pub mod report;

// 4 the rim
pub mod cli;
pub mod judge;
pub mod selftest;

pub use judge::judge;
