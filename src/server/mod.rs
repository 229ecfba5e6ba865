//! The reference server: a device authorization server that keeps to the standards, for tests only.
//!
//! The pure part (`config`, `session`, `tokens`, `rules`, `policy`, `reply`, ...) takes the present moment as an
//! argument and touches neither sockets nor clocks; `routes`, `pages`, `admin` and `serve` bring it to HTTP. Every
//! request takes the same way, so that a misbehaviour can be data:
//!
//! ```text
//! bytes -> Request -> terms of this request (Rules, Policy) -> handler -> Reply -> headers of the Policy -> bytes
//! ```
//!
//! The places where a misbehaviour acts, one for each kind:
//!
//! | what it does | where |
//! | --- | --- |
//! | leave a rule out, change a number | `state::Server::terms_of`, once a request |
//! | hold at some requests of a session, or in a crowd of polls only | `state::Server::terms_of`, which counts them |
//! | refuse what it should not, misread a request, wait | `routes::answer`, before the handler |
//! | take one outcome of a poll for another, edit its answer | `routes::token`, between session and reply |
//! | edit an ID token before it is signed | `routes::token`, at the key |
//! | edit an answer: status, headers, members, body | `routes::answer`, after the headers of the policy |
//! | write a stale session back | `routes::token` and `pages::decision`: a session is one value that can be cloned and put back |
//!
//! It knows nothing of suites, expectations or load. It binds loopback only and forgets everything on exit.

// Pure: values in, values out.
pub mod authentication;
pub mod browser;
pub mod codes;
pub mod config;
pub mod crowd;
pub mod endpoint;
pub mod error;
pub mod faults;
pub mod form;
pub mod id_token;
pub mod limit;
pub mod moment;
pub mod policy;
pub mod reply;
pub mod request;
pub mod rules;
pub mod schedule;
pub mod scope;
pub mod session;
pub mod sessions;
pub mod table;
pub mod terms;
pub mod tokens;

// Doing: HTTP, locks, the clock.
mod admin;
mod app;
mod pages;
mod routes;
mod serve;
mod signing;
mod state;

#[cfg(test)]
mod tests;

pub use app::{App, app};
pub use config::Config;
pub use serve::{Running, start};
