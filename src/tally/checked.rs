//! The checks that were played beside a load run, and which of them are red under load alone. Pure: runs in, findings out.
//!
//! A case is a finding when it is red in two repeats under load or more, and green in the quiet runs before and after.
//! One red may be chance, and what is red without load too says nothing about load.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::event::CaseResult;
use crate::protocol::words::words;
use crate::verdict::{Mismatch, Verdict};

/// So often the checks are played under load, at most.
pub const REPEATS: usize = 3;

/// In so many of the repeats a case is red that is red under load.
const NEEDED: usize = 2;

words! {
    /// When the checks were played, seen from the load.
    When {
        /// Before it, in quiet.
        Before = "before",
        /// While it was measured.
        During = "during",
        /// After it, in quiet.
        After = "after",
    }
}

/// One run of the checks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckRun {
    /// When it was played.
    pub when: When,
    /// When it began, in ms since the start of the load; nothing for a quiet run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<u64>,
    /// How long it took, in ms.
    pub took_ms: u64,
    /// CPU seconds of its thread, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Why it does not count, if so: it did not come to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void: Option<String>,
    /// The cases, in the order in which they were judged.
    pub cases: Vec<CheckedCase>,
}

/// What became of one case in one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedCase {
    /// Its name, `token-response/pending-before-decision`, with `[variant]` behind it.
    pub case: String,
    /// What is true of a good server.
    pub title: String,
    /// What became of it.
    pub verdict: Verdict,
    /// It is on the target's list of known failures.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_known: bool,
    /// Why it was not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Every difference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mismatches: Vec<Mismatch>,
}

impl From<CaseResult> for CheckedCase {
    fn from(result: CaseResult) -> Self {
        Self {
            case: result.case(),
            is_known: result.known.is_some(),
            title: result.title,
            verdict: result.verdict,
            reason: result.reason,
            mismatches: result.mismatches,
        }
    }
}

impl CheckedCase {
    /// A failure that nobody knew of.
    fn is_red(&self) -> bool {
        self.verdict == Verdict::Fail && !self.is_known
    }

    fn is_green(&self) -> bool {
        self.verdict.is_judged() && !self.is_red()
    }
}

/// What the checks say about the server under load.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct UnderLoad {
    /// So many repeats under load came to their end.
    pub repeats: usize,
    /// Those that did not, by their number, and why.
    pub void: Vec<(usize, String)>,
    /// So many cases were judged in both quiet runs and in two repeats or more: of these alone something is said.
    pub compared: usize,
    /// Red under load, and green without.
    pub findings: Vec<RedCase>,
    /// Red in one repeat, and green without load: chance cannot be told from load.
    pub once: Vec<RedCase>,
    /// Red under load, and not known to be green without.
    pub unfounded: Vec<RedCase>,
    /// Red without load too, which says nothing about load.
    pub red_anyway: Vec<String>,
    /// Cases that were not judged in as many repeats as it takes, by the reason of the first time.
    pub not_judged: BTreeMap<String, Vec<String>>,
    /// Cores that the checks used while the load was measured, where the system tells.
    pub cores: Option<f64>,
    /// Why nothing can be said about any case, if so.
    pub doubt: Option<String>,
}

/// A case that was red under load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RedCase {
    /// Its name.
    pub case: String,
    /// What is true of a good server.
    pub title: String,
    /// The repeats in which it was red, by number, each with what was expected and what came.
    pub red: Vec<(usize, Vec<Mismatch>)>,
}

impl UnderLoad {
    /// Holds the runs under load against the quiet ones.
    #[must_use]
    pub fn of(runs: &[CheckRun]) -> Self {
        let counts = |run: &&CheckRun| run.void.is_none();
        let quiet = |when: When| runs.iter().filter(counts).find(|run| run.when == when).map(by_name);
        let (before, after) = (quiet(When::Before), quiet(When::After));
        let numbered: Vec<(usize, &CheckRun)> =
            (1..).zip(runs.iter().filter(|run| run.when == When::During)).collect();
        let repeats: Vec<(usize, BTreeMap<&str, &CheckedCase>)> = numbered
            .iter()
            .filter(|(_, run)| counts(run))
            .map(|(number, run)| (*number, by_name(run)))
            .collect();
        let mut found = Self {
            repeats: repeats.len(),
            void: numbered.iter().filter_map(|(number, run)| Some((*number, run.void.clone()?))).collect(),
            cores: cores(&numbered),
            ..Self::default()
        };
        let all = [&before, &after].into_iter().flatten().chain(repeats.iter().map(|(_, cases)| cases));
        let names: BTreeSet<&str> = all.flat_map(|cases| cases.keys().copied()).collect();
        for name in names {
            let in_quiet = [&before, &after].map(|run| run.as_ref().and_then(|run| run.get(name).copied()));
            let under_load: Vec<(usize, &CheckedCase)> =
                repeats.iter().filter_map(|(number, cases)| Some((*number, *cases.get(name)?))).collect();
            found.take(name, in_quiet, &under_load);
        }
        found.doubt = found.doubt(before.is_some(), after.is_some());
        found
    }

    fn take(
        &mut self,
        name: &str,
        in_quiet: [Option<&CheckedCase>; 2],
        under_load: &[(usize, &CheckedCase)],
    ) {
        let judged = under_load.iter().filter(|(_, case)| case.verdict.is_judged()).count();
        let red: Vec<(usize, &CheckedCase)> =
            under_load.iter().filter(|(_, case)| case.is_red()).copied().collect();
        let is_green = in_quiet.iter().all(|case| case.is_some_and(CheckedCase::is_green));
        let is_red = in_quiet.iter().flatten().any(|case| case.is_red());
        if judged >= NEEDED && in_quiet.iter().flatten().filter(|case| case.verdict.is_judged()).count() == 2
        {
            self.compared += 1;
        }
        if is_red {
            self.red_anyway.push(name.to_owned());
            return;
        }
        let open = under_load.iter().find(|(_, case)| !case.verdict.is_judged());
        if let Some((_, case)) = open.filter(|_| red.is_empty() && judged < NEEDED) {
            let why = case.reason.as_deref().unwrap_or("no reason was given");
            let words = format!("{}: {why}", case.verdict);
            self.not_judged.entry(words).or_default().push(name.to_owned());
        }
        let Some((_, first)) = red.first() else { return };
        let place = match (red.len() >= NEEDED, is_green) {
            (true, true) => &mut self.findings,
            (true, false) => &mut self.unfounded,
            (false, _) => &mut self.once,
        };
        place.push(RedCase {
            case: name.to_owned(),
            title: first.title.clone(),
            red: red.iter().map(|(number, case)| (*number, case.mismatches.clone())).collect(),
        });
    }

    fn doubt(&self, has_before: bool, has_after: bool) -> Option<String> {
        let quiet = |when: &str| format!("the quiet run {when} the load did not come to its end");
        if !has_before {
            Some(quiet("before"))
        } else if self.repeats < NEEDED {
            Some(format!("{} of the repeats under load came to an end, and it takes {NEEDED}", self.repeats))
        } else if !has_after {
            Some(quiet("after"))
        } else if self.compared == 0 {
            Some(format!("no case was judged in both quiet runs and in {NEEDED} repeats"))
        } else {
            None
        }
    }
}

fn by_name(run: &CheckRun) -> BTreeMap<&str, &CheckedCase> {
    run.cases.iter().map(|case| (case.case.as_str(), case)).collect()
}

/// CPU time over time, of all repeats together.
fn cores(repeats: &[(usize, &CheckRun)]) -> Option<f64> {
    let cpu: f64 = repeats.iter().map(|(_, run)| run.cpu).sum::<Option<f64>>()?;
    let took: u64 = repeats.iter().map(|(_, run)| run.took_ms).sum();
    (took > 0).then(|| cpu / (took as f64 / 1000.0))
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Acceptable, Error, Fail, Inconclusive, NotExercised, Pass, Warn};
    use super::*;
    use crate::verdict::Grade;

    fn case(name: &str, verdict: Verdict) -> CheckedCase {
        let mismatch = Mismatch {
            grade: Grade::Mismatch,
            expected: "outcome pending".to_owned(),
            actual: "400  {\"error\":\"expired_token\"}".to_owned(),
            because: None,
            exchange: None,
        };
        let is_off = matches!(verdict, Warn | Fail);
        CheckedCase {
            case: name.to_owned(),
            title: "A code lives on".to_owned(),
            verdict,
            is_known: false,
            reason: (!verdict.is_judged()).then(|| "still limited after 3 tries".to_owned()),
            mismatches: is_off.then_some(mismatch).into_iter().collect(),
        }
    }

    fn run(when: When, cases: Vec<CheckedCase>) -> CheckRun {
        let at_ms = (when == When::During).then_some(1000);
        CheckRun { when, at_ms, took_ms: 2000, cpu: Some(0.5), void: None, cases }
    }

    /// One case with these verdicts before, under load and after.
    fn judged(before: Verdict, during: &[Verdict], after: Verdict) -> UnderLoad {
        let one = |when, verdict| run(when, vec![case("a/b", verdict)]);
        let during = during.iter().map(|verdict| one(When::During, *verdict));
        let runs: Vec<CheckRun> = std::iter::once(one(When::Before, before))
            .chain(during)
            .chain([one(When::After, after)])
            .collect();
        UnderLoad::of(&runs)
    }

    #[test]
    fn red_in_two_of_three_and_green_without_load_is_a_finding() {
        for (before, during, after) in [
            (Pass, [Fail, Fail, Fail], Pass),
            (Warn, [Fail, Pass, Fail], Acceptable),
            (Pass, [Inconclusive, Fail, Fail], Warn),
        ] {
            let found = judged(before, &during, after);
            assert_eq!(found.findings.len(), 1, "{before} {during:?} {after}");
            assert_eq!((found.compared, &found.doubt), (1, &None), "{before} {during:?} {after}");
            assert!(found.once.is_empty() && found.unfounded.is_empty() && found.red_anyway.is_empty());
        }
        let found = judged(Pass, &[Fail, Pass, Fail], Pass);
        let numbers: Vec<usize> = found.findings[0].red.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 3]);
        assert_eq!(found.findings[0].red[0].1[0].expected, "outcome pending");
        assert_eq!(found.cores, Some(0.25));
    }

    #[test]
    fn red_once_is_no_finding() {
        let found = judged(Pass, &[Pass, Fail, Warn], Pass);
        assert_eq!((found.findings.len(), found.once.len()), (0, 1));
        assert_eq!(found.once[0].red[0].0, 2);
    }

    #[test]
    fn warnings_and_our_own_trouble_are_not_red() {
        for verdict in [Warn, Acceptable, Error, Inconclusive, NotExercised] {
            let found = judged(Pass, &[verdict; 3], Pass);
            assert!(found.findings.is_empty() && found.once.is_empty(), "{verdict}");
        }
    }

    #[test]
    fn red_without_load_says_nothing_about_load() {
        for (before, after) in [(Fail, Pass), (Pass, Fail), (Fail, Inconclusive)] {
            let found = judged(before, &[Fail; 3], after);
            assert!(found.findings.is_empty() && found.unfounded.is_empty(), "{before} {after}");
            assert_eq!(found.red_anyway, ["a/b"]);
        }
    }

    #[test]
    fn what_is_not_known_to_be_green_without_load_is_no_finding() {
        let found = judged(Inconclusive, &[Fail; 3], Pass);
        assert_eq!((found.findings.len(), found.unfounded.len()), (0, 1));
        assert_eq!(found.doubt.as_deref(), Some("no case was judged in both quiet runs and in 2 repeats"));
    }

    #[test]
    fn a_known_failure_is_not_red() {
        let known = CheckedCase { is_known: true, ..case("a/b", Fail) };
        let mut runs = vec![run(When::Before, vec![case("a/b", Pass)])];
        runs.extend([0; 3].map(|_| run(When::During, vec![known.clone()])));
        runs.push(run(When::After, vec![case("a/b", Pass)]));
        let found = UnderLoad::of(&runs);
        assert!(found.findings.is_empty() && found.once.is_empty());
        assert_eq!(found.compared, 1);
    }

    #[test]
    fn what_was_not_judged_under_load_is_told_with_its_reason() {
        let found = judged(Pass, &[Inconclusive, Inconclusive, Pass], Pass);
        assert_eq!(found.not_judged["inconclusive: still limited after 3 tries"], ["a/b"]);
        assert_eq!(found.compared, 0);
        // Twice is enough.
        assert!(judged(Pass, &[Inconclusive, Pass, Pass], Pass).not_judged.is_empty());
    }

    #[test]
    fn a_repeat_that_was_cut_short_does_not_count() {
        let one = |when, verdict| run(when, vec![case("a/b", verdict)]);
        let cut = CheckRun { void: Some("cut".to_owned()), ..one(When::During, Fail) };
        let all = [one(When::Before, Pass), one(When::During, Fail), cut, one(When::After, Pass)];
        let found = UnderLoad::of(&all);
        assert_eq!((found.repeats, found.findings.len(), found.once.len()), (1, 0, 1));
        assert_eq!(found.void, [(2, "cut".to_owned())]);
        let doubt = "1 of the repeats under load came to an end, and it takes 2";
        assert_eq!(found.doubt.as_deref(), Some(doubt));
    }

    #[test]
    fn without_both_quiet_runs_nothing_is_found() {
        let one = |when, verdict| run(when, vec![case("a/b", verdict)]);
        let under_load = [one(When::During, Fail), one(When::During, Fail)];
        let found = UnderLoad::of(&[&[one(When::Before, Pass)], &under_load[..]].concat());
        assert_eq!((found.findings.len(), found.unfounded.len()), (0, 1));
        assert_eq!(found.doubt.as_deref(), Some("the quiet run after the load did not come to its end"));
        let found = UnderLoad::of(&[&under_load[..], &[one(When::After, Pass)]].concat());
        assert_eq!(found.doubt.as_deref(), Some("the quiet run before the load did not come to its end"));
    }
}
