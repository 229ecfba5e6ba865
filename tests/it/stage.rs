//! A run played in this process, as `check` plays it: preflight, plan, play; its events folded into a record.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use devgrant::approval::{Answer, Pages, Prompt, driver};
use devgrant::catalog::{Catalog, Entry, Selection};
use devgrant::event::{CaseResult, Event};
use devgrant::http::Transport;
use devgrant::plan::{Destructive, Limits, Plan};
use devgrant::record::RunRecord;
use devgrant::runner::{Link, Options, Run, Trouble, play, preflight};
use devgrant::target::Target;
use devgrant::verdict::Verdict;
use devgrant::yaml::{self, Source};
use futures_util::future::BoxFuture;
use tokio::sync::{Semaphore, mpsc};

/// The shipped catalogue, read once.
static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::builtin().unwrap());

/// Nobody sits there.
pub(crate) struct Nobody;

impl Prompt for Nobody {
    fn confirm<'a>(&'a self, _: &'a str) -> BoxFuture<'a, std::io::Result<Answer>> {
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
    let loaded = yaml::load(&Source { name: "target.yaml".to_owned(), text: text.to_owned() });
    assert_eq!(loaded.diagnostics, []);
    loaded.value.unwrap()
}

/// Plays the wanted checks of the shipped catalogue and folds what happens.
pub(crate) async fn judge(
    transport: Arc<dyn Transport>,
    pages: Option<Arc<dyn Pages>>,
    target: &Target,
    wanted: &Wanted<'_>,
) -> Result<RunRecord, Trouble> {
    let catalog = &*CATALOG;
    let texts = |globs: &[&str]| globs.iter().map(|&glob| glob.to_owned()).collect();
    let selection =
        Selection { checks: texts(wanted.checks), skip: texts(wanted.skip), ..Selection::default() };
    let entries = with_controls(catalog, catalog.select(&selection).unwrap());
    let (sender, mut receiver) = mpsc::channel(64);
    let link = Link::new(transport, Arc::new(Semaphore::new(64)), sender, target);
    let driver = target.approval.as_ref().zip(pages).map(|(how, pages)| driver(how, pages, Arc::new(Nobody)));
    let doing = async {
        let before = preflight(&link, target).await?;
        let limits = Limits { max_wait: wanted.max_wait, destructive: Destructive::Allowed };
        let plan = Plan::new(&entries, target, &before.found, limits);
        let samples: Vec<_> = plan.cases.iter().filter_map(|case| case.entry.check.sample.clone()).collect();
        let run = Run::new(link, target.clone(), before.endpoints, before.found, driver, &samples);
        let options = Options { strict: wanted.strict, ..Options::default() };
        play(&run, catalog, &plan, &options, std::future::pending()).await;
        Ok(())
    };
    let following = async {
        let mut record = RunRecord::default();
        while let Some(event) = receiver.recv().await {
            if !matches!(event, Event::Waiting(_)) {
                record.fold(event);
            }
        }
        record
    };
    let (done, record) = tokio::join!(doing, following);
    done.map(|()| record)
}

/// The checks, and those that are the positive beside one of them.
fn with_controls<'a>(catalog: &'a Catalog, mut entries: Vec<&'a Entry>) -> Vec<&'a Entry> {
    let mut next = 0;
    while let Some(entry) = entries.get(next).copied() {
        next += 1;
        if let Some(id) = entry.check.control_id(&entry.suite)
            && let Some(control) = catalog.get(&id)
            && !entries.iter().any(|known| known.id == id)
        {
            entries.push(control);
        }
    }
    entries
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
