//! Plays the cases of a plan against a target, side by side, and says what happened as events.
//!
//! Knows HTTP, OAuth words, sessions and clocks; knows no requirement: whatever a verdict depends on is in the YAML.

mod card;
mod carried;
mod case;
mod chronicle;
mod decide;
mod firsts;
mod judging;
mod link;
mod measure;
mod pages;
mod poll;
mod preflight;
mod prepare;
mod resolve;
mod run;
mod scope;
mod session;
mod settle;
mod tokens;
mod visit;

pub use carried::Carried;
pub use link::Link;
pub use preflight::{Metadata, Preflight, Trouble, announced, locate, preflight};
pub use prepare::{Ready, Wanted, prepare};
pub use resolve::Resolved;
pub use run::Run;
pub use settle::{Options, play};
