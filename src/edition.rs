//! The editions of the catalogue: which cases came when, so that a pipeline can say which it is judged by.
//!
//! An edition that is closed never changes; new cases go to the last one, which is open until it is released. `devgrant
//! generate` puts them there. A case that is given up moves to `retired`, and its id is never used again.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Deserialize;

use crate::diagnostic::{Diagnostic, closest};
use crate::yaml::{Source, load};

/// All editions, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Editions {
    /// The editions.
    pub editions: Vec<Edition>,
    /// Cases that are no more.
    #[serde(default)]
    pub retired: Vec<String>,
}

/// One edition.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edition {
    /// Its name: the year, and which one of the year.
    pub edition: String,
    /// It is released, and never changes again.
    #[serde(default)]
    pub closed: bool,
    /// The cases that came with it: `suite/check`, with `[variant]` behind it where the check has variants.
    pub cases: Vec<String>,
}

/// One edition to be judged by, and all that came after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    /// The name of the edition.
    pub edition: String,
    newer: Vec<Edition>,
}

impl Editions {
    /// The editions of the shipped suites.
    ///
    /// # Errors
    /// The mistakes of the file; a test proves that it has none.
    pub fn builtin() -> Result<Self, Vec<Diagnostic>> {
        let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/suites/editions.yaml"));
        let loaded = load::<Self>(&Source { name: "suites/editions.yaml".to_owned(), text: text.to_owned() });
        if loaded.diagnostics.is_empty() {
            loaded.value.ok_or_else(Vec::new)
        } else {
            Err(loaded.diagnostics)
        }
    }

    /// The edition of this name, to be judged by.
    ///
    /// # Errors
    /// A text for people: there is none of this name.
    pub fn frozen(&self, name: &str) -> Result<Frozen, String> {
        let names = || self.editions.iter().map(|edition| edition.edition.as_str());
        let at = names().position(|edition| edition == name).ok_or_else(|| {
            let near =
                closest(name, names()).map_or_else(String::new, |near| format!("; did you mean {near}?"));
            format!(
                "there is no edition {name}\nhelp: one of: {}{near}",
                names().collect::<Vec<_>>().join(", ")
            )
        })?;
        Ok(Frozen { edition: name.to_owned(), newer: self.editions[at + 1..].to_vec() })
    }

    /// The edition a case came with.
    #[must_use]
    pub fn of(&self, case: &str) -> Option<&str> {
        came_with(&self.editions, case)
    }

    /// The same with the cases that no edition has yet, in the last one if that is open, in a new one if not.
    #[must_use]
    pub fn with(mut self, cases: &[String]) -> Self {
        let known: BTreeSet<String> =
            self.editions.iter().flat_map(|edition| &edition.cases).chain(&self.retired).cloned().collect();
        let new = cases.iter().filter(|case| !known.contains(*case)).cloned();
        let mut new = new.peekable();
        if new.peek().is_none() {
            return self;
        }
        match self.editions.last_mut() {
            Some(last) if !last.closed => last.cases.extend(new),
            last => {
                let edition = last.map_or_else(|| "2026.1".to_owned(), |last| next_name(&last.edition));
                self.editions.push(Edition { edition, closed: false, cases: new.collect() });
            }
        }
        self
    }

    /// The file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = "\
# Which case came with which edition, for `devgrant check --edition`. `devgrant generate` adds new cases to the last
# edition, which is open until it is released and says `closed: true`. A closed edition never changes. A case that is
# given up moves to `retired`, and its id is never used again.
editions:
"
        .to_owned();
        let list = |out: &mut String, cases: &[String]| {
            for case in cases {
                // Writing to a String cannot fail.
                let _ = writeln!(out, "      - {case}");
            }
        };
        for Edition { edition, closed, cases } in &self.editions {
            let _ = writeln!(out, "  - edition: \"{edition}\"");
            if *closed {
                out.push_str("    closed: true\n");
            }
            out.push_str("    cases:\n");
            list(&mut out, cases);
        }
        if !self.retired.is_empty() {
            out.push_str("retired:\n");
            list(&mut out, &self.retired);
        }
        out
    }
}

impl Frozen {
    /// The newer edition a case came with, if it is no part of this one. A case of nobody's edition, such as one of a
    /// suite of one's own, is part of it.
    #[must_use]
    pub fn newer(&self, case: &str) -> Option<&str> {
        came_with(&self.newer, case)
    }
}

fn came_with<'a>(editions: &'a [Edition], case: &str) -> Option<&'a str> {
    let edition = editions.iter().find(|edition| edition.cases.iter().any(|listed| listed == case))?;
    Some(&edition.edition)
}

/// `2026.2` after `2026.1`.
fn next_name(last: &str) -> String {
    let next = last.rsplit_once('.').and_then(|(year, n)| Some((year, n.parse::<u32>().ok()? + 1)));
    next.map_or_else(|| format!("{last}.1"), |(year, n)| format!("{year}.{n}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn editions() -> Editions {
        let edition = |name: &str, closed, cases: &[&str]| Edition {
            edition: name.to_owned(),
            closed,
            cases: cases.iter().map(|&case| case.to_owned()).collect(),
        };
        Editions {
            editions: vec![edition("2026.1", true, &["a/one"]), edition("2026.9", false, &["a/two[x]"])],
            retired: vec!["a/zero".to_owned()],
        }
    }

    #[test]
    fn what_came_later_is_newer_and_what_is_ones_own_is_not() {
        let frozen = editions().frozen("2026.1").unwrap();
        assert_eq!(frozen.newer("a/two[x]"), Some("2026.9"));
        assert_eq!((frozen.newer("a/one"), frozen.newer("mine/one")), (None, None));
        assert_eq!(editions().frozen("2026.9").unwrap().newer("a/two[x]"), None);
        assert_eq!(editions().of("a/two[x]"), Some("2026.9"));
        let unknown = editions().frozen("2025.1").unwrap_err();
        assert!(unknown.starts_with("there is no edition 2025.1\nhelp: one of: 2026.1, 2026.9"), "{unknown}");
    }

    #[test]
    fn new_cases_go_to_the_open_edition_and_never_to_a_closed_one() {
        let cases = ["a/one", "a/two[x]", "a/two[y]", "a/zero"].map(ToOwned::to_owned);
        let with = editions().with(&cases);
        assert_eq!(with.editions[1].cases, ["a/two[x]", "a/two[y]"]);
        assert_eq!((&with.editions[0], &with.retired), (&editions().editions[0], &editions().retired));
        let mut closed = editions();
        closed.editions[1].closed = true;
        let with = closed.with(&cases);
        assert_eq!(
            (with.editions[2].edition.as_str(), &with.editions[2].cases[..]),
            ("2026.10", &cases[2..3])
        );
    }

    #[test]
    fn the_file_says_what_was_read_from_it() {
        let text = editions().text();
        let loaded = load::<Editions>(&Source { name: "editions.yaml".to_owned(), text });
        assert_eq!((loaded.diagnostics, loaded.value), (vec![], Some(editions())));
    }
}
