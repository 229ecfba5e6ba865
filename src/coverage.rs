//! How much of the catalogue is judged, by what, and why the rest is not. Knows nothing of runs but their judged rows.
//!
//! Two figures come of it. The catalogue's own: of all testable rows, those judged by a check or, where they bind the
//! client, by a device test of this repository. And a target's: of the rows that show at a server, those judged by a
//! check. A row that binds the client is among the latter when a check probes what a server makes of its breach.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::catalog::Catalog;
use crate::event;
use crate::requirement::{Bindingness, Document, Requirement, Requirements, Testability};

/// Every row of the catalogue with its judges.
#[derive(Debug, Clone)]
pub struct Coverage<'a> {
    /// The rows, in the order of their file.
    pub rows: Vec<Row<'a>>,
}

/// One row and its judges.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    /// What it says.
    pub requirement: &'a Requirement,
    /// The checks that name it, `suite/check`.
    pub checks: Vec<&'a str>,
}

/// What judges a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// A check does; a device test may do so besides.
    Check,
    /// A device test does, and no check.
    DeviceTest,
    /// Nothing can.
    NotTestable,
    /// Nothing does, though something could.
    Uncovered,
}

/// How many rows there are, and what judges them: every row is counted once besides in `rows` and `testable`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// All.
    pub rows: usize,
    /// Those that something could judge.
    pub testable: usize,
    /// Those that a check judges.
    pub checks: usize,
    /// Those that a device test judges, and no check.
    pub device_tests: usize,
    /// Those that nothing judges, though something could.
    pub uncovered: usize,
}

/// The counts of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which.
    pub document: Document,
    /// Of all its rows.
    pub all: Count,
    /// By level; levels without a row are left out.
    pub levels: Vec<(Bindingness, Count)>,
}

impl<'a> Coverage<'a> {
    /// The rows of a catalogue with the checks that name them.
    #[must_use]
    pub fn of(catalog: &'a Catalog) -> Self {
        let named = catalog.entries.iter().flat_map(|entry| {
            entry.check.requirements.iter().map(move |id| (id.as_str(), entry.id.as_str()))
        });
        Self::with(&catalog.requirements, named)
    }

    /// The rows with the checks that name them: pairs of a row's id and a check's.
    #[must_use]
    pub fn with(requirements: &'a Requirements, named: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut checks: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (row, check) in named {
            checks.entry(row).or_default().push(check);
        }
        let rows = requirements
            .iter()
            .map(|requirement| Row {
                requirement,
                checks: checks.remove(requirement.id.as_str()).unwrap_or_default(),
            })
            .collect();
        Self { rows }
    }

    /// The row of an id.
    #[must_use]
    pub fn row(&self, id: &str) -> Option<&Row<'a>> {
        self.rows.iter().find(|row| row.requirement.id == id)
    }

    /// The counts of all rows.
    #[must_use]
    pub fn total(&self) -> Count {
        Count::of(self.rows.iter())
    }

    /// The counts of each document that has rows.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        let of_document = |document| self.rows.iter().filter(move |row| row.requirement.document == document);
        Document::ALL
            .iter()
            .map(|&document| Part {
                document,
                all: Count::of(of_document(document)),
                levels: Bindingness::ALL
                    .iter()
                    .map(|&level| {
                        let rows = of_document(document).filter(|row| row.requirement.level == level);
                        (level, Count::of(rows))
                    })
                    .filter(|(_, count)| count.rows > 0)
                    .collect(),
            })
            .filter(|part| part.all.rows > 0)
            .collect()
    }

    /// The rows that show at a server: how many there are, and how many a check judges.
    #[must_use]
    pub fn at_a_server(&self) -> Count {
        Count::of(self.rows.iter().filter(|row| row.shows_at_a_server()))
    }

    /// How much of each document a run judged, of the rows that show at a server.
    #[must_use]
    pub fn of_a_run<'b>(&self, judged: impl IntoIterator<Item = &'b str>) -> Vec<event::Coverage> {
        let judged: BTreeSet<&str> = judged.into_iter().collect();
        Document::ALL
            .iter()
            .filter_map(|&document| {
                let of_document = |row: &&Row<'_>| row.requirement.document == document;
                let rows: Vec<_> =
                    self.rows.iter().filter(of_document).filter(|row| row.shows_at_a_server()).collect();
                let seen = rows.iter().filter(|row| judged.contains(row.requirement.id.as_str())).count();
                (!rows.is_empty()).then(|| event::Coverage {
                    document: document.to_string(),
                    judged: seen,
                    testable: rows.len(),
                })
            })
            .collect()
    }
}

impl Row<'_> {
    /// What judges it.
    #[must_use]
    pub fn standing(&self) -> Standing {
        if !self.checks.is_empty() {
            Standing::Check
        } else if self.requirement.judged_by.is_some() {
            Standing::DeviceTest
        } else if self.requirement.is_testable() {
            Standing::Uncovered
        } else {
            Standing::NotTestable
        }
    }

    /// Why nothing judges it, where it says so.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.requirement.uncovered.as_deref()
    }

    /// Does its breach show at a server? What only our own device could break shows nowhere else.
    #[must_use]
    pub fn shows_at_a_server(&self) -> bool {
        match self.requirement.test {
            Testability::Not => false,
            Testability::Client => !self.checks.is_empty(),
            _ => true,
        }
    }
}

impl Count {
    fn of<'a, 'b: 'a>(rows: impl Iterator<Item = &'a Row<'b>>) -> Self {
        let mut count = Self::default();
        for row in rows {
            count.rows += 1;
            count.testable += usize::from(row.requirement.is_testable());
            match row.standing() {
                Standing::Check => count.checks += 1,
                Standing::DeviceTest => count.device_tests += 1,
                Standing::Uncovered => count.uncovered += 1,
                Standing::NotTestable => {}
            }
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirements() -> Requirements {
        Requirements::builtin().unwrap()
    }

    #[test]
    fn every_row_counts_once_and_parts_add_up() {
        let requirements = requirements();
        let coverage = Coverage::with(&requirements, [("RFC8628-3.5-c", "a/b"), ("RFC8628-3.5-c", "a/c")]);
        let total = coverage.total();
        assert_eq!((total.rows, total.testable, total.checks), (344, 308, 1));
        assert_eq!(total.testable, total.checks + total.device_tests + total.uncovered);
        assert_eq!(coverage.row("RFC8628-3.5-c").unwrap().checks, ["a/b", "a/c"]);
        let mut sum = Count::default();
        for part in coverage.parts() {
            let rows: usize = part.levels.iter().map(|(_, count)| count.rows).sum();
            assert_eq!(rows, part.all.rows, "{}", part.document);
            sum.rows += part.all.rows;
            sum.testable += part.all.testable;
            sum.checks += part.all.checks;
            sum.device_tests += part.all.device_tests;
            sum.uncovered += part.all.uncovered;
        }
        assert_eq!(sum, total);
    }

    #[test]
    fn a_row_for_our_own_device_counts_at_a_server_only_with_a_check() {
        let requirements = requirements();
        let without = Coverage::with(&requirements, []);
        let with = Coverage::with(&requirements, [("RFC8628-3.1-b", "a/b"), ("RFC8628-3.1-d", "a/b")]);
        // 3.1-b binds the client and is tested at our own device; 3.1-d binds it and is tested at a server anyway.
        assert_eq!(with.at_a_server().rows, without.at_a_server().rows + 1);
        assert_eq!(with.at_a_server().checks, 2);
        assert!(!without.row("RFC8628-3.1-b").unwrap().shows_at_a_server());
    }

    #[test]
    fn a_run_is_measured_by_what_shows_at_a_server() {
        let requirements = requirements();
        let named = [("RFC8628-3.5-c", "a/b"), ("RFC8628-3.1-b", "a/c")];
        let coverage = Coverage::with(&requirements, named);
        let run = coverage.of_a_run(["RFC8628-3.5-c", "RFC8628-1-a"]);
        assert_eq!((run[0].document.as_str(), run[0].judged), ("RFC 8628", 1));
        assert!(run[1..].iter().all(|document| document.judged == 0));
        assert_eq!(run.iter().map(|of| of.testable).sum::<usize>(), coverage.at_a_server().rows);
        let all: Vec<&str> = requirements.iter().map(|row| row.id.as_str()).collect();
        assert!(coverage.of_a_run(all).iter().all(|document| document.judged == document.testable));
    }
}
