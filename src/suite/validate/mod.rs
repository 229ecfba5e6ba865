//! What must be true of suites before anything is sent: every mistake of meaning, each at its place.
//!
//! A check in which something could not be read is left alone, so that one mistake gives one message. One file per
//! question:
//!
//! - `files`: the suites beside each other: ids, file names, `control_by`
//! - `check`: the keys of one check: ids, weight, requirements, what goes with what
//! - `card`: lines of the behaviour card
//! - `names`: sessions, named answers, token sets and placeholders
//! - `variants`: `each` and the requests it changes
//! - `matchers`: expectations that can never fail, or never hold
//! - `needs`: capabilities that the steps imply
//! - `pages`: what goes with what at the verification pages
//! - `control`: negatives without a positive
//! - `times`: waits, bounds and how long it all takes

mod card;
mod check;
mod control;
mod files;
mod matchers;
mod names;
mod needs;
mod pages;
mod spot;
mod times;
mod variants;

pub use files::{SuiteFile, validate};
