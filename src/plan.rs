//! Which cases a run plays: the selected checks, made concrete for one target. Knows no clock and sends nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::catalog::Entry;
use crate::event::case_name;
use crate::protocol::{Capability, Endpoint, Role, UserRole};
use crate::suite::{Check, Count, Edits, Expectation, Measure, Sample, Step, Threshold, Together, Variant};
use crate::target::Target;
use crate::timing::{Constant, Constants, Timekeeper, Timing};
use crate::verdict::{Verdict, Weight};

/// What preflight found out about the target.
#[derive(Debug, Clone)]
pub struct Found {
    /// Everything the target can do, declared or found.
    pub capabilities: BTreeSet<Capability>,
    /// Every constant.
    pub constants: Constants,
    /// The announced interval, 5 s when there was none.
    pub interval: Duration,
    /// The announced lifetime of `tv`'s codes.
    pub lifetime: Duration,
    /// The announced lifetime of the codes of `pace`.
    pub pace_lifetime: Duration,
    /// Plain http on loopback: addresses need no https.
    pub plain_http: bool,
    /// Why transport is not assessed, where it is not.
    pub unassessed_transport: Option<&'static str>,
}

/// One check made concrete.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The check.
    pub entry: &'a Entry,
    /// Its variant, where it has some.
    pub variant: Option<&'a Variant>,
    /// How long it takes, about.
    pub time: Duration,
}

/// A case that is not played, and why.
#[derive(Debug, Clone)]
pub struct Skipped<'a> {
    /// The case.
    pub case: Case<'a>,
    /// Why.
    pub reason: String,
    /// What that is called: a skip where the target or its user rules the case out, not exercised where the time does.
    pub verdict: Verdict,
}

/// What a run does.
#[derive(Debug, Clone, Default)]
pub struct Plan<'a> {
    /// What is played.
    pub cases: Vec<Case<'a>>,
    /// What is not.
    pub skipped: Vec<Skipped<'a>>,
    /// How many requests that sends, about; pages not counted.
    pub requests: usize,
    /// How long the longest case takes, about; the run takes little more.
    pub estimate: Duration,
}

/// What the user of the tool allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Cases that take longer are left out.
    pub max_wait: Option<Duration>,
    /// Whether guessing and flooding is allowed.
    pub destructive: Destructive,
}

/// Whether checks that may lock a user out or trip a limiter are played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destructive {
    /// They are.
    Allowed,
    /// They are left out.
    LeftOut,
}

impl Case<'_> {
    /// The check's id, with the variant behind it.
    #[must_use]
    pub fn name(&self) -> String {
        case_name(&self.entry.id, self.variant.map(|variant| variant.variant.as_str()))
    }

    /// Does it give a line of the behaviour card, and no verdict?
    #[must_use]
    pub fn is_of_card(&self) -> bool {
        self.entry.weight == Weight::Card
    }

    /// What the variant does to the step of this name.
    #[must_use]
    pub fn edits_at(&self, step_name: Option<&str>, own: Edits) -> Edits {
        match self.variant {
            Some(variant) if step_name == Some(variant.at.as_str()) => own.overlaid(&variant.edits()),
            _ => own,
        }
    }

    /// The expectations of the step of this name: its own, or the variant's.
    #[must_use]
    pub fn expect_at<'s>(&'s self, step: &'s Step) -> &'s [Expectation] {
        match self.variant {
            Some(variant) if step.name() == Some(variant.at.as_str()) && !variant.expect.is_empty() => {
                &variant.expect
            }
            _ => step.expect(),
        }
    }
}

impl<'a> Plan<'a> {
    /// Matches what the checks need with what the target can do; `done` names cases and checks that are not wanted again.
    #[must_use]
    pub fn new(
        entries: &[&'a Entry],
        target: &Target,
        found: &Found,
        limits: Limits,
        done: &BTreeSet<String>,
    ) -> Self {
        let mut plan = Self::default();
        let mut samples: BTreeSet<&Sample> = BTreeSet::new();
        for entry in entries.iter().copied() {
            let variants: Vec<Option<&Variant>> = if entry.check.each.is_empty() {
                vec![None]
            } else {
                entry.check.each.iter().map(Some).collect()
            };
            for variant in variants {
                let case = Case { entry, variant, time: Duration::ZERO };
                if done.contains(&case.name()) || case.is_of_card() && done.contains(&entry.id) {
                    continue;
                }
                let cost = Cost::of(&case, found);
                let case = Case { time: cost.time, ..case };
                let ruled_out = skip_reason(&case, target, found, limits).map(|why| (why, Verdict::Skip));
                let takes_longer = || Some((too_long(&case, limits)?, Verdict::NotExercised));
                match ruled_out.or_else(takes_longer) {
                    Some((reason, verdict)) => plan.skipped.push(Skipped { case, reason, verdict }),
                    None => {
                        plan.requests += cost.requests;
                        plan.estimate = plan.estimate.max(cost.time);
                        samples.extend(entry.check.sample.as_ref());
                        plan.cases.push(case);
                    }
                }
            }
        }
        plan.requests += samples.iter().map(|sample| sample.count as usize).sum::<usize>();
        plan
    }

    /// The cases that end in a verdict: all but those that give a line of the card.
    pub fn judging(&self) -> impl Iterator<Item = &Case<'a>> {
        self.cases.iter().filter(|case| !case.is_of_card())
    }

    /// How many checks are played.
    #[must_use]
    pub fn checks(&self) -> usize {
        self.judging().map(|case| case.entry.id.as_str()).collect::<BTreeSet<_>>().len()
    }

    /// How many cases need a user's decision.
    #[must_use]
    pub fn decisions(&self) -> usize {
        self.judging().filter(|case| case.entry.check.needs_decision()).count()
    }
}

fn skip_reason(case: &Case<'_>, target: &Target, found: &Found, limits: Limits) -> Option<String> {
    let check = &case.entry.check;
    if check.destructive && limits.destructive == Destructive::LeftOut {
        return Some("may trip limiters: allow it with --destructive".to_owned());
    }
    if let Some(why) = found.unassessed_transport.filter(|_| is_about_transport(case)) {
        return Some(why.to_owned());
    }
    let mut missing: Vec<&Capability> = check
        .needs
        .iter()
        .filter(|need| **need != Capability::Polling && !found.capabilities.contains(need))
        .collect();
    missing.dedup();
    let left_out = |capability: &&Capability| {
        let approval = target.approval.as_ref().filter(|_| !target.lacks.contains(capability));
        approval.and_then(|approval| approval.lacks(**capability))
    };
    if let Some(reason) = missing.iter().find_map(left_out) {
        return Some(reason);
    }
    let missing: Vec<&str> = missing.into_iter().map(|need| need.word()).collect();
    if !missing.is_empty() {
        return Some(format!("the target has no {}", missing.join(", no ")));
    }
    if let Some(role) =
        roles(case).into_iter().find(|role| *role != Role::Unknown && target.client(*role).is_none())
    {
        return Some(format!("the target names no client for the role {role}"));
    }
    if let Some(endpoint) = endpoints(check).into_iter().find(|endpoint| !has_endpoint(found, *endpoint)) {
        return Some(format!("the target has no {endpoint} endpoint"));
    }
    None
}

/// Why the time that there is does not suffice, if so.
fn too_long(case: &Case<'_>, limits: Limits) -> Option<String> {
    let max = limits.max_wait.filter(|max| case.time > *max)?;
    let (takes, max) = (crate::timing::show(case.time), crate::timing::show(max));
    Some(format!("takes about {takes}, more than --max-wait {max}"))
}

fn has_endpoint(found: &Found, endpoint: Endpoint) -> bool {
    let need = match endpoint {
        Endpoint::Api => Capability::Api,
        Endpoint::Revocation => Capability::Revocation,
        Endpoint::Introspection => Capability::Introspection,
        Endpoint::Metadata => Capability::Metadata,
        Endpoint::Pages => Capability::Page,
        Endpoint::DeviceAuthorization | Endpoint::Token => return true,
    };
    found.capabilities.contains(&need)
}

fn is_about_transport(case: &Case<'_>) -> bool {
    let plain = |edits: Edits| edits.scheme.is_some();
    case.variant.is_some_and(|variant| plain(variant.edits()))
        || case
            .entry
            .check
            .all_steps()
            .any(|step| matches!(step, Step::Tls(_)) || step_edits(step).is_some_and(plain))
}

fn step_edits(step: &Step) -> Option<Edits> {
    Some(match step {
        Step::Authorize(step) => step.edits(),
        Step::Poll(step) => step.edits(),
        Step::CallApi(step) => step.edits(),
        Step::Refresh(step) => step.edits(),
        Step::Revoke(step) | Step::Introspect(step) => step.edits(),
        _ => return None,
    })
}

/// Every role that the case's requests name.
fn roles(case: &Case<'_>) -> BTreeSet<Role> {
    let mut roles: BTreeSet<Role> = case
        .entry
        .check
        .all_steps()
        .filter_map(|step| match step {
            Step::PollUntil(step) => step.client,
            step => step_edits(step).and_then(|edits| edits.client),
        })
        .collect();
    roles.extend(case.variant.and_then(|variant| variant.client));
    roles.extend(case.entry.check.measure.as_ref().and_then(|measure| measure.client));
    roles
}

fn endpoints(check: &Check) -> BTreeSet<Endpoint> {
    check
        .all_steps()
        .filter_map(|step| match step {
            Step::Request(request) => Some(request.to),
            Step::Tls(tls) => Some(tls.endpoint),
            _ => None,
        })
        .collect()
}

/// Does any step poll with the expectation that polls are understood?
#[must_use]
pub fn needs_polling(check: &Check) -> bool {
    let polls = |step: &Step| {
        matches!(
            step,
            Step::Poll(_) | Step::Polls(_) | Step::PollUntil(_) | Step::Race(_) | Step::Together(_)
        )
    };
    (check.measure.is_some() || check.all_steps().any(polls)) && !asks_for(check, Capability::Polling)
}

/// Is the lack of this capability itself what the check is about (`target: { has: … }`)?
#[must_use]
pub fn asks_for(check: &Check, capability: Capability) -> bool {
    fn asks(expectation: &Expectation, capability: Capability) -> bool {
        matches!(expectation, Expectation::Target(rule) if rule.has == capability)
    }
    check
        .all_steps()
        .flat_map(Step::expect)
        .chain(&check.expect)
        .any(|expectation| asks(expectation, capability))
}

/// Who decides in this case, other than alice.
#[must_use]
pub fn decides_as(variant: Option<&Variant>, own: Option<UserRole>) -> UserRole {
    variant.and_then(|variant| variant.user).or(own).unwrap_or(UserRole::Alice)
}

/// What one case costs, about.
struct Cost {
    time: Duration,
    requests: usize,
}

struct Planned<'a> {
    found: &'a Found,
    lifetime: Duration,
    grown: Duration,
}

impl Timekeeper for Planned<'_> {
    fn interval(&self) -> Duration {
        self.found.interval + self.grown
    }
    fn announced_interval(&self) -> Duration {
        self.found.interval
    }
    fn lifetime(&self) -> Duration {
        self.lifetime
    }
    fn constant(&self, constant: Constant) -> Duration {
        self.found.constants.get(&constant).copied().unwrap_or_default()
    }
}

impl Cost {
    fn of(case: &Case<'_>, found: &Found) -> Self {
        let lifetime = if roles(case).contains(&Role::Pace) { found.pace_lifetime } else { found.lifetime };
        let keeper = Planned { found, lifetime, grown: Duration::ZERO };
        let mut cost = Self { time: Duration::ZERO, requests: 0 };
        for step in case.entry.check.all_steps() {
            cost.add(step, &keeper);
        }
        if let Some(measure) = &case.entry.check.measure {
            cost.measure(measure, &keeper);
        }
        cost.requests *= case.entry.check.rounds.unwrap_or(1) as usize;
        cost
    }

    fn measure(&mut self, measure: &Measure, keeper: &Planned<'_>) {
        let values = grid(measure, keeper.found);
        let most = values.last().copied().unwrap_or_default();
        let (codes, slow_downs) = (values.len() * measure.repeat.unwrap_or(1) as usize, measure.slow_downs);
        let early = slow_downs.unwrap_or(0) as usize;
        let polls = match measure.threshold {
            // Each code is polled first, then early, then after the gap.
            Threshold::Gap => (1..=early.max(1)).map(|n| codes * (3 + if early == 0 { 0 } else { n })).sum(),
            Threshold::Age => codes * 2,
        };
        self.requests += polls;
        let before = if measure.threshold == Threshold::Gap { keeper.interval() } else { Duration::ZERO };
        let whole = keeper.lifetime + keeper.constant(Constant::TolLate);
        self.time += if measure.threshold == Threshold::Gap { (before + most).min(whole) } else { most };
    }

    fn add(&mut self, step: &Step, keeper: &Planned<'_>) {
        let wait =
            |after: Option<&Timing>| after.map_or_else(|| keeper.interval(), |after| after.length(keeper));
        let until_expiry = |plus: f64| {
            Duration::try_from_secs_f64((keeper.lifetime.as_secs_f64() + plus).max(0.0)).unwrap_or_default()
        };
        match step {
            Step::Authorize(step) => self.requests += step.sessions.unwrap_or(1) as usize,
            Step::Poll(step) => {
                self.requests += 1;
                match &step.at {
                    Some(at) => self.time = self.time.max(until_expiry(at.seconds(keeper))),
                    None => self.time += wait(step.after.as_ref()),
                }
            }
            Step::Polls(step) => {
                let gap = wait(step.after.as_ref());
                let times = match step.count {
                    Count::Times(times) => times,
                    Count::Fit => fit(keeper.lifetime, gap),
                };
                self.requests += times as usize;
                self.time += gap * times;
            }
            Step::PollUntil(step) => {
                self.requests += 1;
                self.time += wait(step.after.as_ref());
            }
            Step::Wait(step) => match (&step.length, step.until) {
                (Some(length), _) => self.time += length.length(keeper),
                (None, Some(_)) => {
                    let plus = step.plus.as_ref().map_or(0.0, |plus| plus.seconds(keeper));
                    self.time = self.time.max(until_expiry(plus));
                }
                (None, None) => {}
            },
            Step::Race(step) => {
                self.requests += step.polls as usize;
                self.time += wait(step.after.as_ref());
            }
            Step::Together(steps) => {
                self.requests += steps.iter().filter(|step| matches!(step, Together::Poll(_))).count();
                self.time += keeper.interval();
            }
            Step::Approve(step) | Step::Deny(step) => {
                if let Some(at) = &step.at {
                    self.time = self.time.max(until_expiry(at.seconds(keeper)));
                }
            }
            Step::Discover(_)
            | Step::CallApi(_)
            | Step::Refresh(_)
            | Step::Revoke(_)
            | Step::Introspect(_)
            | Step::Request(_)
            | Step::Tls(_) => self.requests += 1,
            Step::OpenPage(_) | Step::EnterCode(_) | Step::OnlyIf(_) => {}
        }
    }
}

/// So many values are tried at the most: each takes codes of its own.
const MOST_VALUES: usize = 200;

/// The values that a measurement tries, from the first to the last.
#[must_use]
pub fn grid(measure: &Measure, found: &Found) -> Vec<Duration> {
    let lifetime = if measure.client == Some(Role::Pace) { found.pace_lifetime } else { found.lifetime };
    let keeper = Planned { found, lifetime, grown: Duration::ZERO };
    let [from, to, step] = [&measure.from, &measure.to, &measure.step].map(|timing| timing.length(&keeper));
    let step = step.max(Duration::from_millis(1));
    let values = (0..).map(|n: u32| from + step * n).take(MOST_VALUES);
    // What is a sum of parts may be a nanosecond off.
    values.take_while(|at| *at <= to + Duration::from_micros(1)).collect()
}

/// How many polls with this gap a lifetime allows.
#[must_use]
pub fn fit(lifetime: Duration, gap: Duration) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded below and above")]
    let times = (lifetime.as_secs_f64() / gap.as_secs_f64().max(0.001)).clamp(1.0, 10_000.0) as u32;
    times
}
