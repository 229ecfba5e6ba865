//! Deliberate misbehaviour, as data: which faults there are. Knows no request and no answer.
//!
//! A fault has an effect that acts through the rules, the policy and the fixed places of the server (`mod.rs` has
//! the table). Every fault was seen on some real server, or follows from a sentence that somebody can overlook; and
//! every one is caught by a check that is about it, which the fault matrix proves.

mod answers;
mod clients;
mod codes;
mod denial;
mod edits;
mod effect;
mod expiry;
mod format;
mod id_tokens;
mod metadata;
mod pages;
mod parameters;
mod polling;
mod redemption;
mod resources;
mod scope;
mod spent;
mod tokens;

pub use effect::{Effect, Effects, Operation, Turn};

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
    /// The faults.
    pub faults: &'static [Fault],
}

/// Every fault, by family.
pub const FAMILIES: &[Family] = &[
    Family { title: "Polling and throttle", faults: polling::FAULTS },
    Family { title: "Expiry", faults: expiry::FAULTS },
    Family { title: "Denial", faults: denial::FAULTS },
    Family { title: "Redemption and races", faults: redemption::FAULTS },
    Family { title: "Binding and client authentication", faults: clients::FAULTS },
    Family { title: "The form of codes", faults: format::FAULTS },
    Family { title: "The form of tokens and errors", faults: answers::FAULTS },
    Family { title: "Parameters", faults: parameters::FAULTS },
    Family { title: "Codes", faults: codes::FAULTS },
    Family { title: "Metadata", faults: metadata::FAULTS },
    Family { title: "Scope", faults: scope::FAULTS },
    Family { title: "Pages", faults: pages::FAULTS },
    Family { title: "Tokens and what they open", faults: tokens::FAULTS },
    Family { title: "Tokens that should have ended, and those that should not", faults: spent::FAULTS },
    Family { title: "Resources and audiences", faults: resources::FAULTS },
    Family { title: "ID tokens", faults: id_tokens::FAULTS },
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
