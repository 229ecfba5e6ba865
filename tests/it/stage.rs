//! Runs of the tests: what is judged and how, and what they came to in a few lines.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use devgrant::approval::{Answer, Errand, Pages, Prompt};
use devgrant::event::CaseResult;
use devgrant::http::Transport;
use devgrant::judge::Judge;
use devgrant::record::RunRecord;
use devgrant::runner::Trouble;
use devgrant::target::Target;
use devgrant::verdict::Verdict;
use futures_util::future::BoxFuture;

/// Nobody sits there.
pub(crate) struct Nobody;

impl Prompt for Nobody {
    fn confirm<'a>(&'a self, _: Errand<'a>) -> BoxFuture<'a, std::io::Result<Answer>> {
        Box::pin(std::future::ready(Err(std::io::ErrorKind::UnexpectedEof.into())))
    }
}

/// What is judged, and how.
#[derive(Default)]
pub(crate) struct Wanted<'a> {
    /// Globs, as `--check` takes them; everything when empty.
    pub(crate) checks: &'a [&'a str],
    /// Globs, as `--skip` takes them.
    pub(crate) skip: &'a [&'a str],
    /// `--max-wait`.
    pub(crate) max_wait: Option<Duration>,
    /// `--mode strict`.
    pub(crate) strict: bool,
}

/// A target file.
pub(crate) fn target(text: &str) -> Target {
    Target::from_yaml(text).unwrap()
}

/// Plays the wanted checks of the shipped catalogue and folds what happens.
pub(crate) async fn judge(
    transport: Arc<dyn Transport>,
    pages: Option<Arc<dyn Pages>>,
    target: &Target,
    wanted: &Wanted<'_>,
) -> Result<RunRecord, Trouble> {
    let judge = Judge::through(transport, pages, target.clone())
        .only(wanted.checks.iter().copied())
        .skip(wanted.skip.iter().copied())
        .in_real_time();
    let judge = match wanted.max_wait {
        Some(longest) => judge.max_wait(longest),
        None => judge,
    };
    let judge = if wanted.strict { judge.strict() } else { judge };
    judge.await.map(|judged| judged.record)
}

/// Every case that is not simply good, `suite/check[variant]: verdict`, sorted; skipped ones left out.
pub(crate) fn not_green(record: &RunRecord) -> Vec<String> {
    let mut lines: Vec<String> = record
        .cases
        .iter()
        .filter(|case| !matches!(case.verdict, Verdict::Pass | Verdict::Skip))
        .map(|case| format!("{}: {}", case.case(), case.verdict))
        .collect();
    lines.sort();
    lines
}

/// The cases of the worst kinds only.
pub(crate) fn of_verdict(record: &RunRecord, verdict: Verdict) -> Vec<String> {
    let mut lines: Vec<String> =
        record.cases.iter().filter(|case| case.verdict == verdict).map(CaseResult::case).collect();
    lines.sort();
    lines
}

/// Everything about what is not green, for the message of an assertion.
pub(crate) fn details(record: &RunRecord) -> String {
    let mut text = String::new();
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    for case in &record.cases {
        *counts.entry(case.verdict).or_default() += 1;
        if matches!(case.verdict, Verdict::Pass | Verdict::Skip) {
            continue;
        }
        text.push_str(&format!(
            "{} {}: {}\n",
            case.verdict,
            case.case(),
            case.reason.as_deref().unwrap_or_default()
        ));
        for mismatch in &case.mismatches {
            text.push_str(&format!("    expected {}\n    actual   {}\n", mismatch.expected, mismatch.actual));
        }
    }
    format!("{counts:?}\n{text}")
}
