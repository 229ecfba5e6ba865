//! Failures that are known and defended: what their file says, which of them excuse a case, and which are stale.
//! Knows no clock: today is told.
//!
//! ```yaml
//! - id: token-request/malformed-escape       # a check, or one case of it: suite/check[variant]
//!   reason: the form reader of our framework throws, and the answer is 500
//!   until: 2027-03-31                        # the last day on which it excuses anything
//!   link: https://bugs.example/4711
//! - { id: token-response/losers-of-a-race-are-refused, reason: "a race in our store", sometimes: true }
//! ```

use std::fmt::Write as _;
use std::str::FromStr;

use jiff::civil::Date;
use serde::Deserialize;

use crate::diagnostic::{Diagnostic, closest};
use crate::event::CaseResult;
use crate::verdict::Verdict;
use crate::yaml::{Source, load};

/// What stands in the place of a reason until somebody writes one.
const TO_FILL_IN: &str = "TODO: why this is known and defended";

/// One known failure.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownFailure {
    /// `suite/check`, or `suite/check[variant]` for one case of it.
    pub id: String,
    /// Why it is defended.
    pub reason: String,
    /// The last day on which it excuses anything.
    #[serde(default)]
    pub until: Option<Day>,
    /// Where it is written about.
    #[serde(default)]
    pub link: Option<String>,
    /// A race decides whether it fails: it is not stale when it does not.
    #[serde(default)]
    pub sometimes: bool,
}

/// A day: `2027-03-31`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Day(pub Date);

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = text.parse().ok().filter(|_| text.len() == "2027-03-31".len());
        read.map(Self).ok_or_else(|| {
            format!("\"{text}\" is no day of the calendar\nhelp: write year, month and day: 2027-03-31")
        })
    }
}

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// A list of them, and what day it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFailures {
    entries: Vec<KnownFailure>,
    today: Date,
}

impl KnownFailures {
    /// These, looked at on this day.
    #[must_use]
    pub const fn new(entries: Vec<KnownFailure>, today: Date) -> Self {
        Self { entries, today }
    }

    /// Why this case is known to fail, if it is: the entry of the case goes before that of its check.
    #[must_use]
    pub fn reason(&self, case: &str, check: &str) -> Option<String> {
        let live = |id: &str| self.entries.iter().find(|entry| entry.id == id && !self.is_over(entry));
        let entry = live(case).or_else(|| live(check))?;
        Some(
            entry
                .link
                .as_ref()
                .map_or_else(|| entry.reason.clone(), |link| format!("{} ({link})", entry.reason)),
        )
    }

    /// The entries that are out of date, each with what is wrong with it. Only an entry whose check was judged can be
    /// stale, or names nothing at all: `names` are the cases of all checks, those that are no more included.
    #[must_use]
    pub fn stale(&self, results: &[CaseResult], names: &[String]) -> Vec<String> {
        self.entries.iter().filter_map(|entry| self.stale_entry(entry, results, names)).collect()
    }

    fn stale_entry(&self, entry: &KnownFailure, results: &[CaseResult], names: &[String]) -> Option<String> {
        let id = &entry.id;
        if !names.iter().any(|name| name == id || without_variant(name) == id) {
            let near = closest(id, names.iter().map(String::as_str));
            let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
            return Some(format!("{id}: there is no such check{near}"));
        }
        let judged: Vec<&CaseResult> = results
            .iter()
            .filter(|result| (result.check == *id || result.case() == *id) && result.verdict.is_judged())
            .collect();
        if judged.is_empty() {
            return None;
        }
        if let Some(Day(until)) = entry.until.filter(|_| self.is_over(entry)) {
            return Some(format!("{id}: it was to be over by {until}"));
        }
        let holds = judged.iter().all(|result| result.verdict != Verdict::Fail);
        (holds && !entry.sometimes).then(|| format!("{id}: it does not fail any more"))
    }

    fn is_over(&self, entry: &KnownFailure) -> bool {
        entry.until.is_some_and(|Day(until)| until < self.today)
    }
}

impl KnownFailure {
    /// One without an end.
    #[must_use]
    pub fn new(id: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { id: id.into(), reason: reason.into(), until: None, link: None, sometimes: false }
    }

    /// Reads a list of known failures.
    ///
    /// # Errors
    /// Every mistake in it, with its place.
    pub fn read(source: &Source) -> Result<Vec<Self>, Vec<Diagnostic>> {
        let loaded = load::<Vec<Self>>(source);
        let mut diagnostics = loaded.diagnostics;
        let entries = loaded.value.unwrap_or_default();
        // Where something was left out, the places of the rest have moved.
        if diagnostics.is_empty() {
            for (index, entry) in entries.iter().enumerate() {
                let at = |key: &str| loaded.marks.place(&[index.into(), key.into()]);
                if entry.reason.trim().is_empty() {
                    diagnostics.push(
                        Diagnostic::error("no-reason", format!("{} has no reason", entry.id))
                            .at(at("reason"))
                            .help("say why it is known and defended: the next reader wants to know"),
                    );
                }
                if let Some(first) = entries[..index].iter().position(|other| other.id == entry.id) {
                    diagnostics.push(
                        Diagnostic::error("listed-twice", format!("{} is listed twice", entry.id))
                            .at(at("id"))
                            .note(loaded.marks.place(&[first.into(), "id".into()]), "first here")
                            .help("keep one of the two"),
                    );
                }
            }
        }
        if diagnostics.is_empty() { Ok(entries) } else { Err(diagnostics) }
    }
}

/// The text of a list with an entry more for each of these failures, whose reasons are to be filled in. What `text` says
/// already stays as it is.
#[must_use]
pub fn with_entries(text: &str, failures: &[&CaseResult]) -> String {
    let mut written: String =
        text.lines().filter(|line| line.trim() != "[]").map(|line| format!("{line}\n")).collect();
    for case in failures {
        let (weight, clause, title) = (case.weight.label(), &case.clause, &case.title);
        // Writing to a String cannot fail.
        let _ = write!(
            written,
            "- id: {}\n  # {weight} · {clause}: {title}\n  reason: \"{TO_FILL_IN}\"\n",
            case.case()
        );
    }
    written
}

fn without_variant(case: &str) -> &str {
    case.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')).map_or(case, |(check, _)| check)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RunRecord;

    fn read(text: &str) -> Result<Vec<KnownFailure>, String> {
        KnownFailure::read(&Source { name: "known.yaml".to_owned(), text: text.to_owned() })
            .map_err(|mistakes| crate::diagnostic::Mistakes(mistakes).to_string())
    }

    fn known(text: &str, today: &str) -> KnownFailures {
        KnownFailures::new(read(text).unwrap(), today.parse().unwrap())
    }

    /// Cases with these names and verdicts.
    fn results(verdicts: &[(&str, Verdict)]) -> Vec<CaseResult> {
        let record = RunRecord::read(include_str!("../fixtures/records/green.jsonl")).unwrap();
        verdicts
            .iter()
            .map(|(name, verdict)| {
                let check = without_variant(name).to_owned();
                let variant = name.strip_prefix(&check).filter(|rest| !rest.is_empty());
                let variant = variant.map(|rest| rest.trim_matches(['[', ']']).to_owned());
                CaseResult { check, variant, verdict: *verdict, ..record.cases[0].clone() }
            })
            .collect()
    }

    fn names() -> Vec<String> {
        ["a/one", "a/two[x]", "a/two[y]"].map(ToOwned::to_owned).to_vec()
    }

    #[test]
    fn an_entry_excuses_its_check_or_its_case_until_its_day_is_over() {
        let list = "- { id: a/one, reason: one, until: 2027-03-31, link: \"https://bugs.example/1\" }\n\
                    - { id: \"a/two[x]\", reason: x }\n- { id: a/two, reason: all }\n";
        let reason = |today: &str, case: &str| known(list, today).reason(case, without_variant(case));
        assert_eq!(reason("2027-03-31", "a/one").as_deref(), Some("one (https://bugs.example/1)"));
        assert_eq!(reason("2027-04-01", "a/one"), None);
        assert_eq!(reason("2027-04-01", "a/two[x]").as_deref(), Some("x"));
        assert_eq!(reason("2027-04-01", "a/two[y]").as_deref(), Some("all"));
        assert_eq!(reason("2027-04-01", "a/three"), None);
    }

    #[test]
    fn what_holds_is_over_or_names_nothing_is_stale() {
        let stale = |list: &str, verdicts: &[(&str, Verdict)]| {
            known(list, "2027-04-01").stale(&results(verdicts), &names())
        };
        let one = "- { id: a/one, reason: r }\n";
        assert_eq!(stale(one, &[("a/one", Verdict::Fail)]), Vec::<String>::new());
        assert_eq!(stale(one, &[("a/one", Verdict::Warn)]), ["a/one: it does not fail any more"]);
        assert_eq!(
            stale("- { id: a/one, reason: r, sometimes: true }\n", &[("a/one", Verdict::Pass)]),
            [""; 0]
        );
        assert_eq!(
            stale("- { id: a/on, reason: r }\n", &[]),
            ["a/on: there is no such check; did you mean a/one?"]
        );
        let two = "- { id: a/two, reason: r }\n- { id: \"a/two[x]\", reason: r }\n";
        let both = [("a/two[x]", Verdict::Pass), ("a/two[y]", Verdict::Fail)];
        assert_eq!(stale(two, &both), ["a/two[x]: it does not fail any more"]);
        let over = "- { id: a/one, reason: r, until: 2027-03-31, sometimes: true }\n";
        assert_eq!(stale(over, &[("a/one", Verdict::Fail)]), ["a/one: it was to be over by 2027-03-31"]);
        assert_eq!(stale(&over.replace("03-31", "04-01"), &[("a/one", Verdict::Fail)]), [""; 0]);
    }

    #[test]
    fn what_was_not_judged_is_never_stale() {
        let list = "- { id: a/one, reason: r, until: 2027-03-31 }\n- { id: a/two, reason: r }\n";
        let results = results(&[("a/one", Verdict::Skip), ("a/two[x]", Verdict::NotExercised)]);
        assert_eq!(known(list, "2027-04-01").stale(&results, &names()), [""; 0]);
    }

    #[test]
    fn mistakes_are_shown_at_their_places() {
        for (text, place, said) in [
            ("- { id: a/one }\n", "1:5", "missing key \"reason\""),
            ("- { id: a/one, reason: \" \" }\n", "1:24", "a/one has no reason"),
            ("- { id: a, reason: r }\n- { id: a, reason: r }\n", "2:9", "a is listed twice"),
            (
                "- { id: a, reason: r, until: 2027-02-30 }\n",
                "1:30",
                "\"2027-02-30\" is no day of the calendar",
            ),
            ("- { id: a, reason: r, until: soon }\n", "1:30", "help: write year, month and day: 2027-03-31"),
            ("- { id: a, reason: r, untill: 2027-02-28 }\n", "1:23", "did you mean \"until\"?"),
            ("- { id: a, reason: r, sometimes: maybe }\n", "1:34", "maybe"),
            ("id: a\n", "1:1", "list"),
        ] {
            let drawn = read(text).unwrap_err();
            assert!(
                drawn.contains(&format!("known.yaml:{place}\n")) && drawn.contains(said),
                "{text}{drawn}"
            );
        }
    }

    #[test]
    fn written_entries_can_be_read_again_and_what_was_there_stays() {
        let cases = results(&[("a/one", Verdict::Fail), ("a/two[x]", Verdict::Fail)]);
        let cases: Vec<&CaseResult> = cases.iter().collect();
        let written = with_entries("# Ours.\n[]\n", &cases);
        let entries = read(&written).unwrap();
        assert_eq!(entries.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), ["a/one", "a/two[x]"]);
        assert!(entries.iter().all(|entry| entry.reason == TO_FILL_IN));
        assert!(written.starts_with("# Ours.\n- id: a/one\n  # must · RFC 8628"), "{written}");
        assert_eq!(with_entries(&written, &[]), written);
        assert_eq!(read("# nothing yet\n[]\n").unwrap(), []);
    }
}
