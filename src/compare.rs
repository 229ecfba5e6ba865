//! Two records beside each other: verdicts that differ, lines of the behaviour card that differ, and whether the second
//! record is worse. Knows no file and no terminal.
//!
//! B is worse when a case is red that was not, when one that was good warns, or when one that was good can no longer be
//! judged. A failure on the list of known failures is not red, a case that was left out says nothing, and neither does
//! a case that only one record has: none of them makes B worse. The card judges nobody, so it never does either.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::event::{Began, CardLine, CaseResult, Reading};
use crate::record::{RunRecord, plural};
use crate::verdict::{Verdict, Weight};

/// What is different between two records.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Why the difference may not be the server's.
    pub doubts: Vec<String>,
    /// The cases with another verdict: the worse ones first, then the better ones, then the others.
    pub cases: Vec<CaseChange>,
    /// The lines of the card that differ.
    pub card: Vec<LineChange>,
    /// The cases that only the first record has.
    pub only_in_a: Vec<Lone>,
    /// The cases that only the second record has.
    pub only_in_b: Vec<Lone>,
}

/// A case with another verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseChange {
    /// Its name, `suite/check[variant]`.
    pub case: String,
    /// For whom it is good.
    pub direction: Direction,
    /// What the first record says.
    pub before: Verdict,
    /// What the second record says.
    pub after: Verdict,
    /// How much it weighs.
    pub weight: Weight,
    /// The clause, `RFC 8628 §3.5`.
    pub clause: String,
    /// What is true of a good server.
    pub title: String,
    /// What the second record gives as the reason: the first mismatch, or why it could not be judged.
    pub because: Option<String>,
}

/// Which way a case went. Ordered by how much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The second record is worse.
    Worse,
    /// The second record is better.
    Better,
    /// Neither can be said.
    Changed,
}

/// A line of the card that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineChange {
    /// Its key.
    pub key: String,
    /// What it is about.
    pub title: String,
    /// What the first record says.
    pub before: Reading,
    /// What the second record says.
    pub after: Reading,
}

/// A case that only one record has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lone {
    /// Its name.
    pub case: String,
    /// What became of it.
    pub verdict: Verdict,
}

/// Why two records cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Incomparable {
    /// One has nothing in it.
    #[error("{0} holds no verdict and no line of a card: nothing came of that run")]
    Nothing(&'static str),
    /// The verdicts are not of one kind.
    #[error(
        "one of them was judged with --mode strict and the other without, so that their verdicts mean different \
         things\nhelp: run devgrant check again, with the same mode"
    )]
    Modes,
}

impl LineChange {
    /// Do both records say what the server does? Where one could not measure it, the server need not have changed.
    #[must_use]
    pub const fn is_measured(&self) -> bool {
        matches!((&self.before, &self.after), (Reading::Measured(_), Reading::Measured(_)))
    }
}

impl Comparison {
    /// Is the second record worse?
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.count(Direction::Worse) > 0
    }

    /// How many cases went this way.
    #[must_use]
    pub fn count(&self, direction: Direction) -> usize {
        self.cases.iter().filter(|change| change.direction == direction).count()
    }
}

/// What is different in `b`, seen from `a`.
///
/// # Errors
///
/// One of them holds nothing, or their verdicts mean different things.
pub fn compare(a: &RunRecord, b: &RunRecord) -> Result<Comparison, Incomparable> {
    for (name, record) in [("A", a), ("B", b)] {
        if record.cases.is_empty() && record.card.is_empty() {
            return Err(Incomparable::Nothing(name));
        }
    }
    if let (Some(a), Some(b)) = (&a.began, &b.began)
        && a.strict != b.strict
    {
        return Err(Incomparable::Modes);
    }
    let (in_a, in_b) = (by_name(a), by_name(b));
    let mut cases: Vec<CaseChange> =
        in_b.iter().filter_map(|(name, after)| case_change(name, in_a.get(name)?, after)).collect();
    cases.sort_by_key(|change| change.direction);
    let lone = |here: &BTreeMap<String, &CaseResult>, there: &BTreeMap<String, &CaseResult>| -> Vec<Lone> {
        here.iter()
            .filter(|(name, _)| !there.contains_key(*name))
            .map(|(name, case)| Lone { case: name.clone(), verdict: case.verdict })
            .collect()
    };
    Ok(Comparison {
        doubts: doubts(a, b),
        cases,
        card: card_changes(a, b),
        only_in_a: lone(&in_a, &in_b),
        only_in_b: lone(&in_b, &in_a),
    })
}

/// The lines of the card that both records have and that say different things, in the order of the second card. Two
/// lines that could not be measured do not differ, whatever the reasons.
#[must_use]
pub fn card_changes(before: &RunRecord, after: &RunRecord) -> Vec<LineChange> {
    let of = |key: &str| before.card.iter().find(|line| line.key == key);
    let differs = |(before, after): &(&CardLine, &CardLine)| before.measured() != after.measured();
    let both = after.card.iter().filter_map(|after| Some((of(&after.key)?, after)));
    both.filter(differs)
        .map(|(before, after)| LineChange {
            key: after.key.clone(),
            title: after.title.clone(),
            before: before.reading.clone(),
            after: after.reading.clone(),
        })
        .collect()
}

fn by_name(record: &RunRecord) -> BTreeMap<String, &CaseResult> {
    record.cases.iter().map(|case| (case.case(), case)).collect()
}

/// What a result is worth.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Worth {
    Good,
    Warned,
    Red,
    /// It fails, and that is known.
    Known,
    /// It was tried, and nothing can be said.
    Unknown,
    /// It was left out beforehand.
    LeftOut,
}

fn worth(case: &CaseResult) -> Worth {
    match case.verdict {
        Verdict::Pass | Verdict::Acceptable => Worth::Good,
        Verdict::Warn => Worth::Warned,
        Verdict::Fail if case.is_red() => Worth::Red,
        Verdict::Fail => Worth::Known,
        Verdict::Skip => Worth::LeftOut,
        Verdict::NotExercised | Verdict::Inconclusive | Verdict::Error => Worth::Unknown,
    }
}

fn case_change(name: &str, before: &CaseResult, after: &CaseResult) -> Option<CaseChange> {
    let (was, is) = (worth(before), worth(after));
    if before.verdict == after.verdict && was == is {
        return None;
    }
    let direction = match (was, is) {
        (was, Worth::Red) if was != Worth::Red => Direction::Worse,
        (Worth::Good, Worth::Warned | Worth::Unknown) => Direction::Worse,
        (Worth::Red | Worth::Known, Worth::Good | Worth::Warned)
        | (Worth::Warned | Worth::Unknown, Worth::Good) => Direction::Better,
        _ => Direction::Changed,
    };
    let mismatch = || {
        let worst = after.mismatches.iter().max_by_key(|mismatch| mismatch.grade)?;
        Some(format!("{} was expected, and came {}", worst.expected, worst.actual))
    };
    Some(CaseChange {
        case: name.to_owned(),
        direction,
        before: before.verdict,
        after: after.verdict,
        weight: after.weight,
        clause: after.clause.clone(),
        title: after.title.clone(),
        because: after.reason.clone().or_else(mismatch),
    })
}

/// What is different besides the server.
fn doubts(a: &RunRecord, b: &RunRecord) -> Vec<String> {
    let mut doubts = Vec::new();
    if let (Some(a), Some(b)) = (&a.began, &b.began) {
        doubts.extend(different_runs(a, b));
    }
    for (name, record) in [("A", a), ("B", b)] {
        if record.began.is_none() {
            doubts.push(format!("{name} does not say how it began, so nobody can tell what was judged"));
        }
        if record.ended.as_ref().is_none_or(|ended| ended.interrupted) {
            let n = record.cases.len();
            doubts.push(format!("{name} was interrupted after {n} {}", plural(n, "case", "cases")));
        }
    }
    let (of_a, of_b) = (a.card.is_empty(), b.card.is_empty());
    if of_a != of_b {
        let name = if of_a { "A" } else { "B" };
        doubts.push(format!("{name} has no behaviour card, so the cards are not compared"));
    }
    doubts
}

fn different_runs(a: &Began, b: &Began) -> Vec<String> {
    let mut doubts = Vec::new();
    let mut differs = |what: &str, a: &str, b: &str| {
        if a != b {
            doubts.push(format!("{what}: {a} in A, {b} in B"));
        }
    };
    differs("other servers", &a.target, &b.target);
    differs("other versions of devgrant, and so perhaps other checks", &a.devgrant, &b.devgrant);
    differs("other suites", &a.suites.join(", "), &b.suites.join(", "));
    differs("other users", a.driver.as_deref().unwrap_or("nobody"), b.driver.as_deref().unwrap_or("nobody"));
    for (name, in_b) in &b.constants {
        if let Some(in_a) = a.constants.get(name) {
            differs(&format!("another tolerance {name}"), in_a, in_b);
        }
    }
    for (what, in_a, in_b) in
        [("interval", a.interval_s, b.interval_s), ("lifetime", a.lifetime_s, b.lifetime_s)]
    {
        differs(&format!("another announced {what}"), &format!("{in_a} s"), &format!("{in_b} s"));
    }
    doubts
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: &str = include_str!("../fixtures/records/mixed.jsonl");

    fn record() -> RunRecord {
        RunRecord::read(MIXED).unwrap()
    }

    /// The direction of one case that had the first verdict and has the second; `known` failures of either side.
    fn direction(before: (Verdict, bool), after: (Verdict, bool)) -> Option<Direction> {
        let with = |(verdict, known): (Verdict, bool)| {
            let mut record = record();
            record.cases.truncate(1);
            record.cases[0].verdict = verdict;
            record.cases[0].known = known.then(|| "listed".to_owned());
            record
        };
        compare(&with(before), &with(after)).unwrap().cases.first().map(|change| change.direction)
    }

    #[test]
    fn a_record_is_the_same_as_itself() {
        let same = compare(&record(), &record()).unwrap();
        assert_eq!((&same.cases, &same.card, &same.doubts), (&vec![], &vec![], &vec![]));
        assert!(!same.is_worse());
    }

    #[test]
    fn a_new_red_and_a_lost_green_are_worse_and_a_known_failure_is_not() {
        use Verdict::{Acceptable, Error, Fail, Inconclusive, NotExercised, Pass, Skip, Warn};
        let of = |before, after| direction((before, false), (after, false));
        for before in [Pass, Acceptable, Warn, Skip, NotExercised, Inconclusive, Error] {
            assert_eq!(of(before, Fail), Some(Direction::Worse), "{before}");
        }
        for after in [Warn, NotExercised, Inconclusive, Error] {
            assert_eq!(of(Pass, after), Some(Direction::Worse), "{after}");
            assert_eq!(of(Acceptable, after), Some(Direction::Worse), "{after}");
        }
        for before in [Fail, Warn, NotExercised, Inconclusive, Error] {
            assert_eq!(of(before, Pass), Some(Direction::Better), "{before}");
        }
        for (before, after) in [(Pass, Acceptable), (Pass, Skip), (Skip, Pass), (Fail, Skip), (Warn, Error)] {
            assert_eq!(of(before, after), Some(Direction::Changed), "{before} {after}");
        }
        assert_eq!(direction((Pass, false), (Fail, true)), Some(Direction::Changed));
        assert_eq!(direction((Fail, true), (Fail, false)), Some(Direction::Worse));
        assert_eq!(direction((Fail, true), (Pass, false)), Some(Direction::Better));
        assert_eq!(direction((Fail, false), (Fail, false)), None);
    }

    #[test]
    fn what_only_one_has_is_named_and_makes_nothing_worse() {
        let (mut a, mut b) = (record(), record());
        let red = b.cases.iter().position(CaseResult::is_red).unwrap();
        let name = b.cases[red].case();
        a.cases.remove(red);
        let comparison = compare(&a, &b).unwrap();
        assert_eq!(comparison.only_in_b, [Lone { case: name, verdict: Verdict::Fail }]);
        assert!(!comparison.is_worse());
        b.cases.clear();
        assert_eq!(compare(&a, &b), Err(Incomparable::Nothing("B")));
    }

    #[test]
    fn the_lines_of_two_cards_are_compared_by_their_keys() {
        let line = |key: &str, reading: Reading| CardLine {
            key: key.to_owned(),
            place: 0,
            check: format!("card/{key}"),
            title: key.to_owned(),
            reading,
            exchanges: Vec::new(),
            took_ms: 0,
        };
        let said = |text: &str| Reading::Measured(text.to_owned());
        let unknown = |text: &str| Reading::NotMeasured(text.to_owned());
        let with = |lines: Vec<CardLine>| RunRecord { card: lines, ..record() };
        let a = with(vec![
            line("same", said("5 s")),
            line("other", said("5 s")),
            line("lost", said("5 s")),
            line("never", unknown("no codes")),
            line("gone", said("x")),
        ]);
        let b = with(vec![
            line("never", unknown("no token")),
            line("lost", unknown("no codes")),
            line("other", said("6 s")),
            line("same", said("5 s")),
            line("new", said("x")),
        ]);
        let changes = card_changes(&a, &b);
        let keys: Vec<(&str, bool)> =
            changes.iter().map(|change| (change.key.as_str(), change.is_measured())).collect();
        assert_eq!(keys, [("lost", false), ("other", true)]);
        assert!(!compare(&a, &b).unwrap().is_worse());
        let old = record();
        assert_eq!(
            compare(&old, &b).unwrap().doubts,
            ["A has no behaviour card, so the cards are not compared"]
        );
    }

    #[test]
    fn what_is_different_besides_the_server_is_told() {
        let (a, mut b) = (record(), record());
        let began = b.began.as_mut().unwrap();
        began.target = "another".to_owned();
        began.devgrant = "9.9.9".to_owned();
        began.constants.insert("tol_late".to_owned(), "77 s".to_owned());
        b.ended = None;
        let doubts = compare(&a, &b).unwrap().doubts;
        for part in ["other servers", "9.9.9 in B", "tol_late", "B was interrupted after"] {
            assert!(doubts.iter().any(|doubt| doubt.contains(part)), "{part}: {doubts:?}");
        }
        b.began.as_mut().unwrap().strict = true;
        assert_eq!(compare(&a, &b), Err(Incomparable::Modes));
    }
}
