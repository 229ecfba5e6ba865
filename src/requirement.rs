//! The catalogue of requirements: which sentences of which documents a check can judge, and how many of them were.
//!
//! ```yaml
//! requirements:
//!   - id: RFC8628-3.5-c
//!     document: RFC 8628
//!     section: "3.5"
//!     keyword: implicit
//!     level: implicit
//!     binds: AS
//!     text: "authorization_pending means: not decided yet, keep polling."
//!     test: Y
//!     source: read
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::diagnostic::{Diagnostic, closest};
use crate::event::Coverage;
use crate::protocol::Tally;
use crate::protocol::words::words;
use crate::yaml::{self, Source};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    requirements: Vec<Requirement>,
}

/// One sentence of a document, paraphrased.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// `RFC8628-3.5-c`: document, section, letter. Never changes.
    pub id: String,
    /// Where it stands.
    pub document: Document,
    /// The section, `3.5`.
    pub section: String,
    /// The keyword in the text, or `implicit` with what it follows from.
    pub keyword: String,
    /// How binding the keyword is.
    pub level: Bindingness,
    /// Who has the duty.
    pub binds: Party,
    /// What it says, in our words.
    pub text: String,
    /// How it can be judged.
    pub test: Testability,
    /// How the sentence was taken.
    pub source: Provenance,
}

words! {
    /// A document that has requirements.
    Document {
        /// The device authorization grant.
        Rfc8628 = "RFC 8628",
        /// OAuth 2.0.
        Rfc6749 = "RFC 6749",
        /// Bearer tokens.
        Rfc6750 = "RFC 6750",
        /// Token revocation.
        Rfc7009 = "RFC 7009",
        /// Token introspection.
        Rfc7662 = "RFC 7662",
        /// Authorization server metadata.
        Rfc8414 = "RFC 8414",
        /// Resource indicators.
        Rfc8707 = "RFC 8707",
        /// Best current practice for OAuth security.
        Rfc9700 = "RFC 9700",
        /// HTTP semantics.
        Rfc9110 = "RFC 9110",
        /// Further status codes of HTTP.
        Rfc6585 = "RFC 6585",
        /// JSON.
        Rfc8259 = "RFC 8259",
        /// ID tokens and discovery.
        OpenidConnect = "OpenID Connect Core",
        /// Best current practice for flows over two devices.
        CrossDevice = "Cross-device flows BCP (draft)",
        /// What follows from the purpose of the grant and stands in no single sentence.
        Invariants = "Invariants",
    }
}

words! {
    /// How binding the keyword of a sentence is.
    Bindingness {
        /// MUST, REQUIRED and their negatives.
        Must = "must",
        /// SHOULD, RECOMMENDED and their negatives.
        Should = "should",
        /// MAY, OPTIONAL.
        May = "may",
        /// No keyword: a definition, a sentence in lower case, an import.
        Implicit = "implicit",
    }
}

words! {
    /// Who has a duty.
    Party {
        /// The authorization server.
        AuthorizationServer = "AS",
        /// The verification page.
        Page = "UI",
        /// The protected API.
        ResourceServer = "RS",
        /// The device.
        Client = "client",
        /// Whoever decides to use the grant.
        Implementer = "implementer",
    }
}

words! {
    /// How a requirement can be judged.
    Testability {
        /// By plain HTTP.
        Plain = "Y",
        /// By measuring times.
        Timing = "T",
        /// With a user's decision.
        User = "U",
        /// By looking at the page.
        Page = "B",
        /// With many samples.
        Load = "L",
        /// It binds our own client.
        Client = "C",
        /// Not from outside.
        Not = "N",
    }
}

words! {
    /// How a sentence was taken.
    Provenance {
        /// Read as published.
        Read = "read",
        /// Read as a late draft.
        Draft = "draft",
        /// From memory.
        Memory = "memory",
    }
}

/// All requirements, by id.
#[derive(Debug, Clone)]
pub struct Requirements {
    rows: BTreeMap<String, Requirement>,
}

impl Requirements {
    /// The requirements that devgrant knows.
    ///
    /// # Errors
    ///
    /// The mistakes of `suites/requirements.yaml`; a test proves that it has none.
    pub fn builtin() -> Result<Self, Vec<Diagnostic>> {
        let source = Source {
            name: "suites/requirements.yaml".to_owned(),
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/suites/requirements.yaml")).to_owned(),
        };
        let loaded = yaml::load::<Rows>(&source);
        let mut diagnostics = loaded.diagnostics;
        let mut rows = BTreeMap::new();
        for (index, row) in
            loaded.value.map_or_else(Vec::new, |file| file.requirements).into_iter().enumerate()
        {
            let id = row.id.clone();
            if rows.insert(id.clone(), row).is_some() {
                let place = loaded.marks.place(&["requirements".into(), index.into(), "id".into()]);
                diagnostics.push(
                    Diagnostic::error(
                        "duplicate-requirement",
                        format!("two requirements have the id \"{id}\""),
                    )
                    .at(place)
                    .help("give each its own letter"),
                );
            }
        }
        if diagnostics.is_empty() { Ok(Self { rows }) } else { Err(diagnostics) }
    }

    /// The requirement of an id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Requirement> {
        self.rows.get(id)
    }

    /// Every requirement, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Requirement> {
        self.rows.values()
    }

    /// The id that was most likely meant.
    #[must_use]
    pub fn closest(&self, id: &str) -> Option<&str> {
        closest(id, self.rows.keys().map(String::as_str))
    }

    /// Where a requirement stands, for people: `RFC 8628 §3.5`. Of an unknown id: the id.
    #[must_use]
    pub fn clause(&self, id: &str) -> String {
        self.get(id).map_or_else(|| id.to_owned(), Requirement::clause)
    }

    /// The tally in which a requirement counts.
    #[must_use]
    pub fn tally(&self, id: &str) -> Option<Tally> {
        self.get(id).map(|row| row.document.tally())
    }

    /// How much of each document was judged: of its rows that bind a server and can be judged from outside.
    #[must_use]
    pub fn coverage<'a>(&self, judged: impl IntoIterator<Item = &'a str>) -> Vec<Coverage> {
        let judged: BTreeSet<&str> = judged.into_iter().collect();
        Document::ALL
            .iter()
            .filter_map(|&document| {
                let rows: Vec<_> =
                    self.iter().filter(|row| row.document == document && row.counts()).collect();
                let seen = rows.iter().filter(|row| judged.contains(row.id.as_str())).count();
                let coverage =
                    Coverage { document: document.to_string(), judged: seen, testable: rows.len() };
                (!rows.is_empty()).then_some(coverage)
            })
            .collect()
    }
}

impl Requirement {
    /// Where it stands, for people: `RFC 8628 §3.5`, `invariant INV-3`.
    #[must_use]
    pub fn clause(&self) -> String {
        match self.document {
            Document::Invariants => format!("invariant {}", self.id),
            document => match self.section.strip_prefix("App. ") {
                Some(letter) => format!("{document} appendix {letter}"),
                None => format!("{document} §{}", self.section.replace(" / ", ", §")),
            },
        }
    }

    /// Does it count in the coverage: does it bind a server, and can that be judged from outside?
    #[must_use]
    pub const fn counts(&self) -> bool {
        matches!(self.binds, Party::AuthorizationServer | Party::Page | Party::ResourceServer)
            && !matches!(self.test, Testability::Client | Testability::Not)
    }
}

impl Document {
    /// The tally in which checks of this document count.
    #[must_use]
    pub const fn tally(self) -> Tally {
        match self {
            Self::Rfc8628 => Tally::Rfc8628,
            // Revocation, introspection and resource indicators extend the endpoints of RFC 6749.
            Self::Rfc6749 | Self::Rfc7009 | Self::Rfc7662 | Self::Rfc8707 => Tally::Rfc6749,
            Self::Rfc6750 => Tally::ResourceServer,
            Self::Rfc8414 => Tally::Metadata,
            Self::Rfc9110 | Self::Rfc6585 | Self::Rfc8259 => Tally::Http,
            Self::OpenidConnect => Tally::Openid,
            Self::Rfc9700 | Self::CrossDevice | Self::Invariants => Tally::Security,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requirements_are_without_mistake_and_complete() {
        let requirements = Requirements::builtin().unwrap();
        assert_eq!(requirements.iter().count(), 344);
        let row = requirements.get("RFC8628-3.5-c").unwrap();
        assert_eq!(row.document, Document::Rfc8628);
        assert_eq!(requirements.clause("RFC8628-3.5-c"), "RFC 8628 §3.5");
        assert_eq!(requirements.clause("RFC6749-B-a"), "RFC 6749 appendix B");
        assert_eq!(requirements.clause("INV-3"), "invariant INV-3");
        assert_eq!(requirements.tally("RFC6750-5.3-a"), Some(Tally::ResourceServer));
        assert_eq!(requirements.tally("nothing"), None);
        assert_eq!(requirements.closest("RFC8628-3.5-cc"), Some("RFC8628-3.5-c"));
    }

    #[test]
    fn only_what_binds_a_server_and_shows_outside_counts() {
        let requirements = Requirements::builtin().unwrap();
        let coverage = requirements.coverage(["RFC8628-3.5-c", "RFC8628-1-a", "RFC8628-3.1-a"]);
        assert_eq!(coverage[0].document, "RFC 8628");
        assert_eq!(coverage[0].judged, 2);
        assert!(coverage[0].testable > 40 && coverage[0].testable < 108, "{coverage:?}");
        assert!(coverage[1..].iter().all(|document| document.judged == 0));
        let all: Vec<&str> = requirements.iter().map(|row| row.id.as_str()).collect();
        assert!(requirements.coverage(all).iter().all(|document| document.judged == document.testable));
    }
}
