//! `devgrant capacity`: the largest number of waiting devices that a server bears.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::check::ours;
use super::console::{self, Console};
use super::exit::Exit;
use super::load::{EngineFlags, How, Ready, Side, Stopped};
use crate::diagnostic::messages;
use crate::load::{Outcomes, Setup, Wanted};
use crate::machine::limits;
use crate::machine::preflight::RESERVED_DESCRIPTORS;
use crate::report::load as report;
use crate::report::load::{Step, StepVerdict};
use crate::scenario::{Generator, Judgement, Rate, Scenario, Threshold};
use crate::tally::{Ending, Search, Second, Slice, Totals, generator_limits};
use crate::yaml::Source;

/// What a step must come to, where nothing is said.
const THRESHOLDS: [&str; 4] =
    ["violations == 0", "errors == 0", "p99(pending) < 200 ms", "approval_to_token_p99 < 2 intervals"];

/// Intervals that pass after the devices are there, and those that are measured then.
const SETTLES: u32 = 1;
const HOLDS: u32 = 3;

/// So many intervals may pass until the devices are there.
const PATIENCE: u32 = 4;

/// Find the largest number of waiting devices that a server bears
#[derive(Debug, clap::Args)]
pub(super) struct Capacity {
    #[command(flatten)]
    side: Side,
    /// How many devices the first step has
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    from: u64,
    /// No step has more
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    most: u64,
    /// Devices that are approved besides, an interval after they come, in every step
    #[arg(long, value_name = "RATE", default_value = "5/s")]
    approvals: Rate,
    /// What every step must come to, in place of: violations == 0, errors == 0, p99(pending) < 200 ms,
    /// approval_to_token_p99 < 2 intervals
    #[arg(long, value_name = "BOUND")]
    threshold: Vec<Threshold>,
}

impl Capacity {
    pub(super) async fn run(self, console: &Console) -> Exit {
        let scenario = match self.scenario() {
            Ok(scenario) => scenario,
            Err(message) => {
                console.note(&format!("error: {message}"));
                return Exit::Usage;
            }
        };
        let engine = EngineFlags::default();
        let crowd = Some(Wanted::default());
        match Ready::new(How { side: &self.side, engine: &engine }, console, scenario, String::new(), crowd)
            .await
        {
            Ok(ready) => self.search(console, ready).await,
            Err(Stopped(exit)) => exit,
        }
    }

    /// Devices that wait, as many as wanted at each time, and devices that are approved at their own rate.
    fn scenario(&self) -> Result<Scenario, String> {
        // How many connections a server needs is what comes out; what this process may have is known.
        let room = limits::raise_descriptors().map_or(u64::from(u16::MAX), |limit| limit.soft);
        let connections = room.saturating_sub(RESERVED_DESCRIPTORS).max(1);
        let text = format!(
            "scenario: capacity\ntitle: As many waiting devices as the server bears\nwhy: Somebody wants to know.\n\
             embedded: {{ interval: 5 s, lifetime: 600 s }}\nduration: 24 h\n\
             connections: {{ at_most: {connections} }}\ngroups:\n  - name: waiting\n    \
             arrive: {{ hold: {{ devices: {} }} }}\n    user: [{{ nothing: {{ weight: 1 }} }}]\n  - name: approved\n    \
             arrive: {{ poisson: {{ rate: {} }} }}\n    user: [{{ approve: {{ weight: 1, after: 1 interval }} }}]\n",
            self.most, self.approvals
        );
        let source = Source { name: "capacity".to_owned(), text };
        Scenario::read(&source).map_err(|mistakes| messages(&mistakes))
    }

    fn thresholds(&self) -> Vec<Threshold> {
        if self.threshold.is_empty() {
            // All of them can be read: a test does.
            return THRESHOLDS.iter().filter_map(|text| text.parse().ok()).collect();
        }
        self.threshold.clone()
    }

    async fn search(&self, console: &Console, ready: Ready) -> Exit {
        let Ready { setup, watching, began, validity, remarks, child, .. } = ready;
        console.out(&report::sides(&began));
        let bounds: Vec<String> = self.thresholds().iter().map(ToString::to_string).collect();
        console.out(&format!(
            "interval {} s; each step holds {HOLDS} intervals, with {} approvals beside the waiting devices\nborne: {}\n",
            began.interval_s,
            self.approvals,
            bounds.join(", ")
        ));
        for remark in remarks {
            console.note(&format!("note: {remark}"));
        }
        let mut climb = Climb::new(Arc::clone(&setup), self, validity);
        let (stop, stopped) = oneshot::channel();
        let mut stop = Some(stop);
        let mut ticker = console.ticker();
        let end = setup.schedule.timeline().end();
        let tell = |second: Second, slice: &Slice| {
            ticker.show(report::line(&second, end));
            if let Some(step) = climb.second(&second, slice) {
                console.out(&report::step(step, console.style()));
            }
            if climb.is_over
                && let Some(stop) = stop.take()
            {
                // Nobody listens any more when the run has ended by itself.
                let _ = stop.send(());
            }
        };
        let interrupt = async {
            tokio::select! {
                () = console::interrupted() => {}
                // Dropped without a word only when nobody waits here.
                _ = stopped => {}
            }
        };
        let played = crate::load::run(setup, watching, tell, interrupt).await;
        drop(ticker);
        if let Some(child) = child {
            child.stop().await;
        }
        match played {
            Ok(outcomes) => climb.ending(console, &outcomes),
            Err(message) => ours(console, &message),
        }
    }
}

/// Where within a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Devices join, or the surplus stops.
    Gathering,
    /// They are there.
    Settling,
    /// What is measured.
    Holding,
}

/// The search, second by second.
struct Climb {
    setup: Arc<Setup>,
    thresholds: Vec<Threshold>,
    validity: Vec<Threshold>,
    approvals: f64,
    search: Search,
    phase: Phase,
    since: Duration,
    measured: Totals,
    late_decisions: u64,
    cpu: f64,
    /// The part of each second that the worst shard waited in the run queue.
    waited: Vec<f64>,
    steps: Vec<Step>,
    is_over: bool,
}

impl Climb {
    fn new(setup: Arc<Setup>, capacity: &Capacity, validity: Vec<Threshold>) -> Self {
        let search = Search::new(capacity.from, capacity.most);
        let climb = Self {
            setup,
            thresholds: capacity.thresholds(),
            validity,
            approvals: capacity.approvals.in_a_second(),
            search,
            phase: Phase::Gathering,
            since: Duration::ZERO,
            measured: Totals::default(),
            late_decisions: 0,
            cpu: 0.0,
            waited: Vec::new(),
            steps: Vec::new(),
            is_over: false,
        };
        climb.want(search.next());
        climb
    }

    fn want(&self, devices: u64) {
        if let Some(wanted) = &self.setup.crowd {
            wanted.set(devices);
        }
    }

    /// Takes a second in; the step that ends with it.
    fn second(&mut self, second: &Second, slice: &Slice) -> Option<&Step> {
        if self.is_over {
            return None;
        }
        let now = Duration::from_millis(second.at_ms);
        let interval = self.setup.setting.interval;
        let passed = now.saturating_sub(self.since);
        match self.phase {
            Phase::Gathering => {
                if passed >= interval && second.waiting >= self.search.next() || passed >= interval * PATIENCE
                {
                    self.turn(Phase::Settling, now);
                }
                None
            }
            Phase::Settling => {
                if passed >= interval * SETTLES {
                    self.measured = Totals::default();
                    (self.late_decisions, self.cpu) = (0, 0.0);
                    self.waited.clear();
                    self.turn(Phase::Holding, now);
                }
                None
            }
            Phase::Holding => {
                self.measured.add(slice, true);
                self.measured.length += Duration::from_secs(1);
                self.waited.extend(second.run_queue);
                self.late_decisions = self.late_decisions.max(second.decisions_late);
                self.cpu += second.server_cpu.unwrap_or(0.0);
                if passed < interval * HOLDS {
                    return None;
                }
                self.end_step(now, second);
                self.steps.last()
            }
        }
    }

    fn turn(&mut self, phase: Phase, now: Duration) {
        (self.phase, self.since) = (phase, now);
    }

    fn end_step(&mut self, now: Duration, second: &Second) {
        let waited = self.waited.iter().sum::<f64>() / self.waited.len().max(1) as f64;
        self.measured.run_queue = Some(waited).filter(|_| !self.waited.is_empty());
        let limit = generator_limits(&self.validity, &self.measured, &self.setup.setting);
        let missed: Vec<String> = self
            .thresholds
            .iter()
            .filter_map(|threshold| {
                match threshold.judge(&self.measured, &self.setup.setting, Generator::KeptUp) {
                    Judgement::Met(_) => None,
                    other => Some(format!("{threshold} ({other})")),
                }
            })
            .collect();
        let verdict = match (limit.is_empty(), missed.is_empty()) {
            (false, _) => StepVerdict::GeneratorWasTheLimit,
            (true, true) => StepVerdict::Borne,
            (true, false) => StepVerdict::NotBorne,
        };
        let seconds = self.measured.length.as_secs_f64().max(1.0);
        self.steps.push(Step {
            devices: self.search.next(),
            waiting: second.waiting,
            polls_per_second: self.measured.polls() as f64 / seconds,
            p99: self.measured.poll_p99(),
            lag_p99: self.measured.lag_p99(),
            server_cores: second.server_cpu.map(|_| self.cpu / seconds),
            // More in line than come in a second: the driver is behind.
            driver_was_the_limit: self.late_decisions as f64 > self.approvals.max(1.0),
            because: if limit.is_empty() { missed } else { limit },
            verdict,
        });
        let goes_on = self.search.step(verdict == StepVerdict::Borne);
        self.is_over = !goes_on || verdict == StepVerdict::GeneratorWasTheLimit;
        self.want(self.search.next());
        self.turn(Phase::Gathering, now);
    }

    fn ending(&self, console: &Console, outcomes: &Outcomes) -> Exit {
        console.out(&report::capacity(&self.steps, &self.search, console.style()));
        let was_limited =
            self.steps.last().is_some_and(|step| step.verdict == StepVerdict::GeneratorWasTheLimit);
        if !self.is_over {
            if let Some(because) = &outcomes.because {
                console.note(&format!("error: {because}"));
            }
            let is_ours = outcomes.ending == Ending::Interrupted;
            return if is_ours { Exit::Interrupted } else { Exit::NotJudged };
        }
        if was_limited || self.search.best() == 0 { Exit::NotJudged } else { Exit::Good }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_threshold_can_be_read() {
        for text in THRESHOLDS {
            assert!(text.parse::<Threshold>().is_ok(), "{text}");
        }
    }
}
