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
//!
//! A row that binds the client may be judged at our own device, by a test of this repository, and a row that nothing
//! judges says why:
//!
//! ```yaml
//!     judged_by: device-test unknown-errors-stop
//!     uncovered: "a permission: nothing that a server does can break it"
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::diagnostic::{Diagnostic, Place, closest};
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
    /// The test that judges our own device by it.
    #[serde(default)]
    pub judged_by: Option<DeviceTest>,
    /// Why nothing judges it: in our words, without a full stop.
    #[serde(default)]
    pub uncovered: Option<String>,
}

/// A test that judges our own device, by name: `device-test unknown-errors-stop` is the function
/// `unknown_errors_stop` under `tests/it/device_tests/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String", rename = "judge")]
pub struct DeviceTest(String);

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
        /// At our own device: it binds the client.
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

/// All requirements.
#[derive(Debug, Clone)]
pub struct Requirements {
    /// In the order of the file.
    rows: Vec<Requirement>,
    /// Where each stands in it.
    places: BTreeMap<String, usize>,
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
        Self::load(&source)
    }

    fn load(source: &Source) -> Result<Self, Vec<Diagnostic>> {
        let loaded = yaml::load::<Rows>(source);
        let mut diagnostics = loaded.diagnostics;
        let rows = loaded.value.map_or_else(Vec::new, |file| file.requirements);
        let mut places = BTreeMap::new();
        for (index, row) in rows.iter().enumerate() {
            let place = |key: &str| loaded.marks.place(&["requirements".into(), index.into(), key.into()]);
            diagnostics.extend(row.contradiction(place));
            if places.insert(row.id.clone(), index).is_some() {
                diagnostics.push(
                    Diagnostic::error(
                        "duplicate-requirement",
                        format!("two requirements have the id \"{}\"", row.id),
                    )
                    .at(place("id"))
                    .help("give each its own letter"),
                );
            }
        }
        if diagnostics.is_empty() { Ok(Self { rows, places }) } else { Err(diagnostics) }
    }

    /// The requirement of an id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Requirement> {
        self.places.get(id).and_then(|place| self.rows.get(*place))
    }

    /// Every requirement, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Requirement> {
        self.rows.iter()
    }

    /// The id that was most likely meant.
    #[must_use]
    pub fn closest(&self, id: &str) -> Option<&str> {
        closest(id, self.places.keys().map(String::as_str))
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

    /// Can anything judge it?
    #[must_use]
    pub const fn is_testable(&self) -> bool {
        !matches!(self.test, Testability::Not)
    }

    /// What the row says about its judges that cannot all be true.
    fn contradiction(&self, place: impl Fn(&str) -> Option<Place>) -> Option<Diagnostic> {
        let id = &self.id;
        let of =
            |code, message, key, help: &str| Some(Diagnostic::error(code, message).at(place(key)).help(help));
        match (&self.judged_by, self.uncovered.as_deref(), self.test) {
            (Some(_), Some(_), _) => of(
                "judged-and-uncovered",
                format!("{id} is judged by a device test and says why nothing judges it"),
                "uncovered",
                "leave out one of the two",
            ),
            (Some(_), None, Testability::Not) => of(
                "judged-and-untestable",
                format!("{id} cannot be judged (test: N), but is judged by a device test"),
                "judged_by",
                "give it another test code, or take judged_by out",
            ),
            (None, None, Testability::Not) => of(
                "no-reason",
                format!("{id} cannot be judged (test: N), and does not say why"),
                "id",
                "add  uncovered: \"the reason\"",
            ),
            (_, Some(reason), _) if reason.trim().is_empty() || reason.ends_with('.') => of(
                "bad-reason",
                format!("{id}: a reason is some words without a full stop"),
                "uncovered",
                "say in a few words why nothing judges it",
            ),
            _ => None,
        }
    }
}

impl DeviceTest {
    /// What stands before the name.
    const KIND: &str = "device-test ";

    /// Its name, `unknown-errors-stop`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DeviceTest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_slug = |name: &&str| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        text.strip_prefix(Self::KIND).filter(is_slug).map(|name| Self(name.to_owned())).ok_or_else(|| {
            format!(
                "\"{text}\" names no judge\nhelp: write  device-test  and the name of the test, with hyphens"
            )
        })
    }
}

impl std::fmt::Display for DeviceTest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", Self::KIND, self.0)
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

    const ROW: &str = "\
requirements:
  - id: RFC8628-3.5-c
    document: RFC 8628
    section: \"3.5\"
    keyword: implicit
    level: implicit
    binds: AS
    text: Pending means to go on.
    source: read
    test: ";

    fn mistake(rest: &str) -> String {
        let source = Source { name: "rows.yaml".to_owned(), text: format!("{ROW}{rest}\n") };
        let mistakes = Requirements::load(&source).unwrap_err();
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(mistakes[0].place.is_some() && mistakes[0].help.is_some(), "{mistakes:?}");
        mistakes[0].message.clone()
    }

    #[test]
    fn a_row_cannot_be_judged_and_say_why_it_is_not() {
        let judged = "\n    judged_by: device-test it-goes-on";
        let reason = "\n    uncovered: nobody can see it";
        assert!(mistake(&format!("C{judged}{reason}")).contains("judged by a device test and says why"));
        assert!(mistake(&format!("N{judged}")).contains("cannot be judged (test: N), but"));
        assert!(mistake("N").contains("does not say why"));
        assert!(mistake("N\n    uncovered: \" \"").contains("a reason is some words"));
        assert!(mistake("Y\n    uncovered: It is so.").contains("without a full stop"));
        for judge in ["check a/b", "device-test", "device-test It Goes", "device-test it_goes_on"] {
            assert!(mistake(&format!("C\n    judged_by: {judge}")).contains("names no judge"), "{judge}");
        }
        for good in [format!("C{judged}"), format!("N{reason}"), format!("Y{reason}"), "Y".to_owned()] {
            let source = Source { name: "rows.yaml".to_owned(), text: format!("{ROW}{good}\n") };
            assert!(Requirements::load(&source).is_ok(), "{good}");
        }
    }
}
