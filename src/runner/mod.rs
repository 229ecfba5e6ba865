//! Plays the cases of a plan against a target, side by side, and says what happened as events.
//!
//! Knows HTTP, OAuth words, sessions and clocks; knows no requirement: whatever a verdict depends on is in the YAML.

mod acquaint;
mod card;
mod carried;
mod case;
mod chronicle;
mod decide;
mod doctor;
mod hear;
mod judging;
mod link;
mod locate;
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
mod sign_in;
mod tokens;
mod trouble;
mod visit;
mod wait;

pub use acquaint::{Acquaintance, Published, acquaint, published};
pub use carried::Carried;
pub use doctor::{Look, Told, doctor};
pub use link::Link;
pub use locate::{Metadata, locate};
pub use preflight::{Preflight, announced, preflight};
pub use prepare::{Ready, Wanted, prepare};
pub use resolve::Resolved;
pub use run::Run;
pub use settle::{Options, play};
pub use trouble::Trouble;
pub use wait::wait_until_ready;
