//! From a target to the moment before its first case: preflight, the plan, and how the run begins.

use super::carried::Carried;
use super::link::Link;
use super::preflight::{Preflight, preflight};
use super::run::Run;
use super::settle::{Options, play};
use super::sign_in;
use super::trouble::Trouble;
use crate::approval::Driver;
use crate::catalog::{Catalog, Entry};
use crate::event::{Began, Event, FORMAT};
use crate::plan::{Limits, Plan};
use crate::target::Target;
use crate::timing::show;

/// What is to be judged.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// All checks.
    pub catalog: &'a Catalog,
    /// Those that are wanted, with the controls of each.
    pub entries: &'a [&'a Entry],
    /// The server.
    pub target: &'a Target,
    /// What is allowed.
    pub limits: Limits,
    /// How verdicts are taken.
    pub options: &'a Options,
    /// What plays the user, by name; none when nobody does.
    pub driver: Option<&'static str>,
    /// What an earlier run found, where this one goes on from it.
    pub carried: Option<&'a Carried>,
}

/// A run that may begin.
pub struct Ready<'a> {
    /// What its report begins with.
    pub began: Began,
    /// What is played.
    pub plan: Plan<'a>,
    wanted: Wanted<'a>,
    preflight: Preflight,
}

/// Looks at the target and makes the plan; no case is played yet.
///
/// # Errors
/// See [`preflight`].
pub async fn prepare<'a>(link: &Link, wanted: Wanted<'a>) -> Result<Ready<'a>, Trouble> {
    let preflight = preflight(link, wanted.target).await?;
    let done = wanted.carried.map(Carried::names).unwrap_or_default();
    let plan = Plan::new(wanted.entries, wanted.target, &preflight.found, wanted.limits, &done);
    let began = began(&wanted, &preflight, &plan);
    Ok(Ready { began, plan, wanted, preflight })
}

impl Ready<'_> {
    /// Signs every user of the target in once, if the plan has decisions; decides nothing. For who has the time: a run can
    /// be played without.
    ///
    /// # Errors
    /// The server refuses a sign-in. Any other trouble at the pages is no reason not to judge.
    pub async fn users_can_sign_in(&self, link: &Link, driver: &dyn Driver) -> Result<(), Trouble> {
        if !self.plan.cases.iter().any(|case| case.entry.check.needs_decision()) {
            return Ok(());
        }
        sign_in::nobody_is_refused(link, self.wanted.target, &self.preflight.endpoints, driver).await
    }

    /// Tells how the run begins and plays it; `driver` decides as the user, `interrupt` ends it early.
    pub async fn play(
        self,
        link: Link,
        driver: Option<Box<dyn Driver>>,
        interrupt: impl Future<Output = ()>,
    ) {
        let Self { began, plan, wanted, preflight } = self;
        let samples: Vec<_> = plan.cases.iter().filter_map(|case| case.entry.check.sample.clone()).collect();
        let nothing = Carried::default();
        let carried = wanted.carried.unwrap_or(&nothing);
        let run = Run::new(
            link.going_on(carried),
            wanted.target.clone(),
            preflight.endpoints,
            preflight.found,
            driver,
            &samples,
        );
        run.link.tell(Event::Began(Box::new(began))).await;
        for event in carried.events() {
            run.link.tell(event).await;
        }
        play(&run, wanted.catalog, &plan, wanted.options, carried.cases.clone(), interrupt).await;
    }
}

fn began(wanted: &Wanted<'_>, preflight: &Preflight, plan: &Plan<'_>) -> Began {
    let (found, target) = (&preflight.found, wanted.target);
    Began {
        format: FORMAT,
        devgrant: env!("CARGO_PKG_VERSION").to_owned(),
        target: target.target.clone(),
        at: target.issuer.clone().unwrap_or_else(|| preflight.endpoints.token.clone()),
        started: crate::clock::wall().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        checks: plan.checks(),
        cases: plan.cases.len(),
        left_out: plan.skipped.iter().filter(|skipped| !skipped.case.is_of_card()).count(),
        suites: suites_of(wanted.catalog, plan),
        decisions: plan.decisions(),
        driver: wanted.driver.map(ToOwned::to_owned),
        requests: plan.requests,
        estimate_ms: u64::try_from(plan.estimate.as_millis()).unwrap_or(u64::MAX),
        interval_s: found.interval.as_secs_f64(),
        lifetime_s: found.lifetime.as_secs_f64(),
        constants: found
            .constants
            .iter()
            .map(|(constant, length)| (constant.word().to_owned(), show(*length)))
            .collect(),
        strict: wanted.options.strict,
        edition: wanted.options.edition.as_ref().map(|frozen| frozen.edition.clone()),
        target_file: None,
        notes: preflight.notes.iter().cloned().chain(wanted.carried.map(resumed)).collect(),
    }
}

/// What a reader should know of a run that goes on from another.
fn resumed(carried: &Carried) -> String {
    format!(
        "goes on from an earlier run: {} cases and {} lines of the card are from there; checks over all answers looked at \
         those of each part alone",
        carried.cases.len(),
        carried.card.len()
    )
}

/// The suites of a plan, in the order of the catalogue.
fn suites_of(catalog: &Catalog, plan: &Plan<'_>) -> Vec<String> {
    let mut suites: Vec<String> = catalog.entries.iter().map(|entry| entry.suite.clone()).collect();
    suites.dedup();
    let cases = || plan.cases.iter().chain(plan.skipped.iter().map(|skipped| &skipped.case));
    suites.retain(|suite| cases().any(|case| case.entry.suite == *suite));
    suites
}
