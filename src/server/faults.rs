//! Deliberate misbehaviour, as data: which faults there are. Knows no request and no answer.
//!
//! A fault has an effect that acts through the rules, the policy and the fixed places of the server (`mod.rs` has
//! the table). Every fault was seen on some real server, or follows from a sentence that somebody can overlook. Every
//! one is caught by a check that is about it, which the fault matrix proves; those of one family show only under load,
//! and no check may notice them.

mod answers;
mod clients;
mod codes;
mod denial;
mod edits;
mod effect;
mod expiry;
mod format;
mod id_tokens;
mod load;
mod metadata;
mod pages;
mod parameters;
mod polling;
mod redemption;
mod resources;
mod scope;
mod spent;
mod tokens;

pub use effect::{Effect, Effects, Load, Operation, Turn};
pub use load::CROWD;

/// One deliberate misbehaviour.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// What it is called: `interval-not-enforced`.
    pub id: &'static str,
    /// What it is an offence against: `RFC 8628 §3.5`.
    pub clause: &'static str,
    /// What the server does, in one line.
    pub summary: &'static str,
    /// The kind of real server it was seen on.
    pub seen: &'static str,
    /// What it does to the server.
    pub effect: Effect,
}

/// Faults about the same thing.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// What they are about.
    pub title: &'static str,
    /// What brings them out.
    pub shows: Shows,
    /// The faults.
    pub faults: &'static [Fault],
}

impl Family {
    const fn of_checks(title: &'static str, faults: &'static [Fault]) -> Self {
        Self { title, shows: Shows::ToChecks, faults }
    }
}

/// What brings a fault out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// The checks: some check is about it.
    ToChecks,
    /// More than [`CROWD`] polls a second. A run of the checks stays below that, and sees nothing of it.
    UnderLoad,
}

impl Fault {
    /// What brings it out.
    #[must_use]
    pub fn shows(&self) -> Shows {
        let family = FAMILIES.iter().find(|family| family.faults.iter().any(|fault| fault.id == self.id));
        family.map_or(Shows::ToChecks, |family| family.shows)
    }
}

/// Every fault, by family.
pub const FAMILIES: &[Family] = &[
    Family::of_checks("Polling and throttle", polling::FAULTS),
    Family::of_checks("Expiry", expiry::FAULTS),
    Family::of_checks("Denial", denial::FAULTS),
    Family::of_checks("Redemption and races", redemption::FAULTS),
    Family::of_checks("Binding and client authentication", clients::FAULTS),
    Family::of_checks("The form of codes", format::FAULTS),
    Family::of_checks("The form of tokens and errors", answers::FAULTS),
    Family::of_checks("Parameters", parameters::FAULTS),
    Family::of_checks("Codes", codes::FAULTS),
    Family::of_checks("Metadata", metadata::FAULTS),
    Family::of_checks("Scope", scope::FAULTS),
    Family::of_checks("Pages", pages::FAULTS),
    Family::of_checks("Tokens and what they open", tokens::FAULTS),
    Family::of_checks("Tokens that should have ended, and those that should not", spent::FAULTS),
    Family::of_checks("Resources and audiences", resources::FAULTS),
    Family::of_checks("ID tokens", id_tokens::FAULTS),
    Family { title: "Only under load", shows: Shows::UnderLoad, faults: load::FAULTS },
];

/// Every fault.
pub fn all() -> impl Iterator<Item = &'static Fault> {
    FAMILIES.iter().flat_map(|family| family.faults)
}

/// The fault of this id; underscores are as good as dashes.
#[must_use]
pub fn find(id: &str) -> Option<&'static Fault> {
    let id = id.replace('_', "-");
    all().find(|fault| fault.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_fault_is_described_and_has_an_id_of_its_own() {
        let mut ids = HashSet::new();
        for fault in all() {
            let Fault { id, clause, summary, seen, .. } = fault;
            assert!(ids.insert(id), "{id}");
            assert!(id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{id}");
            for text in [clause, summary, seen] {
                assert!(!text.is_empty() && !text.ends_with('.') && !text.contains('|'), "{id}: {text}");
            }
        }
    }
}
