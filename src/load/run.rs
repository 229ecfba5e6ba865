//! A whole run: shards as threads, their reports put together each second, and when it ends before its time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::setup::Shared;
use super::shard::{self, Order, Report};
use crate::machine::process::{self, Usage};
use crate::outcome::Outcome;
use crate::scenario::{AbortWatch, Counted, Figures, Operation, Percentile, Shard, Share, Stage, Timed};
use crate::tally::{Ending, Second, Slice, Spread, Totals};

/// How long a target may refuse every connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is watched while a run goes on.
pub struct Watching {
    /// The process of the server and its children, where it is on this machine.
    pub server: Option<u32>,
    /// What ends the run before its time.
    pub abort: Vec<AbortWatch>,
}

/// What a run came to.
pub struct Outcomes {
    /// All figures.
    pub totals: Totals,
    /// Why it ended.
    pub ending: Ending,
    /// In words, where there is more to say.
    pub because: Option<String>,
    /// When it ended.
    pub at: Duration,
    /// Devices that still waited.
    pub still_waiting: u64,
    /// The generator's own CPU time in the duration, and its peak memory.
    pub generator: Option<Usage>,
    /// The same of the server.
    pub server: Option<Usage>,
    /// Of the duration: the part in which the worst shard used its core.
    pub busiest: f64,
}

/// Plays the scenario. `tell` hears of each second and of what was measured in it; the run ends early when `interrupt` does.
///
/// # Errors
/// A shard could not be started.
pub async fn run(
    setup: Shared,
    watching: Watching,
    mut tell: impl FnMut(Second, &Slice),
    interrupt: impl Future<Output = ()>,
) -> Result<Outcomes, String> {
    let drivers = (0..setup.shards).map(|_| shard::driver(&setup)).collect::<Result<Vec<_>, _>>()?;
    setup.epoch();
    let (orders, order) = watch::channel(Order::Play);
    let (teller, reports) = mpsc::unbounded_channel();
    let mut threads = Vec::new();
    for (index, driver) in (0..setup.shards).zip(drivers) {
        let (setup, order, teller) = (Arc::clone(&setup), order.clone(), teller.clone());
        let most = setup.connections_per_shard();
        let Some(shard) = Shard::new(index, setup.shards) else { continue };
        let thread = std::thread::Builder::new()
            .name(format!("shard {index}"))
            .spawn(move || shard::play(setup, driver, shard, most, order, teller))
            .map_err(|error| format!("no thread for a shard: {error}"))?;
        threads.push(thread);
    }
    drop((teller, order));
    let followed = follow(&setup, watching, reports, &orders, &mut tell, interrupt).await;
    for thread in threads {
        thread.join().map_err(|_| "a shard panicked".to_owned())??;
    }
    Ok(followed.outcomes(&setup, tell))
}

/// A run whose shards have told everything.
pub(super) struct Followed {
    folding: Folding,
    pub(super) ending: Ending,
    pub(super) because: Option<String>,
}

/// Follows shards to their end, and tells them when it is to be earlier.
pub(super) async fn follow(
    setup: &Shared,
    watching: Watching,
    mut reports: mpsc::UnboundedReceiver<Report>,
    orders: &watch::Sender<Order>,
    tell: &mut impl FnMut(Second, &Slice),
    interrupt: impl Future<Output = ()>,
) -> Followed {
    let mut followed = Followed { folding: Folding::new(watching), ending: Ending::Complete, because: None };
    tokio::pin!(interrupt);
    let mut is_interrupted = false;
    loop {
        let report = tokio::select! {
            report = reports.recv() => report,
            () = &mut interrupt, if !is_interrupted => {
                is_interrupted = true;
                followed.ending = Ending::Interrupted;
                // The shards hear it at their next tick.
                let _ = orders.send(Order::Stop);
                continue;
            }
        };
        let Some(report) = report else { break };
        for second in followed.folding.take(report, setup) {
            if followed.ending == Ending::Complete
                && let Some((why, text)) = followed.folding.wants_end(&second, setup)
            {
                (followed.ending, followed.because) = (why, Some(text));
                let _ = orders.send(Order::Stop);
            }
            tell(second, &followed.folding.moment.measured);
        }
    }
    followed
}

impl Followed {
    /// What it all came to; `tell` hears of what is left.
    pub(super) fn outcomes(mut self, setup: &Shared, mut tell: impl FnMut(Second, &Slice)) -> Outcomes {
        for second in self.folding.rest() {
            tell(second, &self.folding.moment.measured);
        }
        self.folding.outcomes(self.ending, self.because, setup.now())
    }
}

/// Reports of the same second, put together.
struct Folding {
    watching: Watching,
    totals: Totals,
    open: BTreeMap<u64, Open>,
    last: BTreeMap<u32, Report>,
    /// Of the duration, for each shard: waited in the run queue, ran, how long.
    spans: BTreeMap<u32, (Duration, Duration, Duration)>,
    /// How far each shard has told.
    reached: BTreeMap<u32, Duration>,
    generator: Clocked,
    server: Clocked,
    refused_since: Option<Duration>,
    at: Duration,
    /// The last second that is complete, for what is watched.
    moment: Totals,
}

/// One second that not all shards have told of.
#[derive(Default)]
struct Open {
    slice: Slice,
    stage: Option<Stage>,
    run_queue: Option<f64>,
    until: Duration,
}

/// CPU time of a process over the duration.
#[derive(Default)]
struct Clocked {
    before: Option<Usage>,
    last: Option<Usage>,
    from: Option<Usage>,
    to: Option<Usage>,
}

impl Clocked {
    /// The CPU time since the last look, and the memory now.
    fn look(&mut self, now: Option<Usage>, is_measured: bool) -> Option<(Duration, u64)> {
        let before = std::mem::replace(&mut self.last, now);
        let now = now?;
        if is_measured {
            self.from = self.from.or(before);
            self.to = Some(now);
        }
        self.before = self.before.or(Some(now));
        Some((now.cpu.saturating_sub(before.map_or(now.cpu, |before| before.cpu)), now.memory))
    }

    /// The CPU time of the duration, and the peak memory.
    fn of_the_duration(&self) -> Option<Usage> {
        let (from, to) = (self.from.or(self.before)?, self.to.or(self.last)?);
        let peak_memory = self.last.map_or(to.peak_memory, |last| last.peak_memory);
        Some(Usage { cpu: to.cpu.saturating_sub(from.cpu), peak_memory, ..to })
    }
}

/// The last second, with what is counted over the whole run.
struct Moment<'a> {
    last: &'a Totals,
    all: &'a Totals,
}

impl Figures for Moment<'_> {
    fn seconds(&self) -> f64 {
        self.last.seconds()
    }

    fn requests(&self) -> u64 {
        self.last.requests()
    }

    fn count(&self, counted: Counted) -> Option<u64> {
        match counted {
            Counted::Counter(_) => self.all.count(counted),
            Counted::Answers(_) => self.last.count(counted),
        }
    }

    fn share(&self, share: Share) -> Option<f64> {
        match share {
            Share::Grants => self.all.share(share),
            Share::RunQueue => self.last.share(share),
        }
    }

    fn percentile(&self, timed: Timed, percentile: Percentile) -> Option<Duration> {
        self.last.percentile(timed, percentile)
    }
}

impl Folding {
    fn new(watching: Watching) -> Self {
        Self {
            watching,
            totals: Totals::default(),
            open: BTreeMap::new(),
            last: BTreeMap::new(),
            spans: BTreeMap::new(),
            reached: BTreeMap::new(),
            generator: Clocked::default(),
            server: Clocked::default(),
            refused_since: None,
            at: Duration::ZERO,
            moment: Totals::default(),
        }
    }

    /// Takes a report in; the seconds that are complete by it.
    fn take(&mut self, report: Report, setup: &Shared) -> Vec<Second> {
        let is_measured = report.stage == Stage::Duration;
        self.totals.add(&report.slice, is_measured);
        let span = report.until.saturating_sub(report.from);
        if is_measured {
            let sums = self.spans.entry(report.shard).or_default();
            let (waited, ran) = report.scheduled.map_or_else(Default::default, |got| (got.waited, got.ran));
            *sums = (sums.0 + waited, sums.1 + ran, sums.2 + span);
            self.totals.length = self.totals.length.max(sums.2);
        }
        let reached = if report.is_last { Duration::MAX } else { report.until };
        self.reached.insert(report.shard, reached);
        // A report ends just behind the second that it tells of, or at the end of a stage within it.
        let second = ((report.from + report.until) / 2).as_secs();
        let open = self.open.entry(second).or_default();
        open.slice.merge(&report.slice);
        open.stage = Some(report.stage);
        open.until = open.until.max(report.until);
        let waited = report.scheduled.map(|scheduled| scheduled.waited_share(span));
        open.run_queue = open.run_queue.into_iter().chain(waited).reduce(f64::max);
        self.last.insert(report.shard, Report { slice: Slice::default(), ..report });
        let is_all = self.reached.len() == setup.shards as usize;
        let reached = self.reached.values().min().filter(|_| is_all).map_or(0, Duration::as_secs);
        let done: Vec<u64> = self.open.keys().copied().take_while(|second| *second < reached).collect();
        done.into_iter().filter_map(|second| self.close(second)).collect()
    }

    /// What is left when all shards have ended.
    fn rest(&mut self) -> Vec<Second> {
        let left: Vec<u64> = self.open.keys().copied().collect();
        left.into_iter().filter_map(|second| self.close(second)).collect()
    }

    fn close(&mut self, second: u64) -> Option<Second> {
        let open = self.open.remove(&second)?;
        let stage = open.stage?;
        let is_measured = stage == Stage::Duration;
        self.at = self.at.max(open.until);
        let generator = self.generator.look(process::of_self(), is_measured);
        let server = self.watching.server.and_then(process::of_tree);
        let server = self.server.look(server, is_measured);
        let sum = |pick: fn(&Report) -> u64| self.last.values().map(pick).sum();
        let slice = open.slice;
        let answers = |wanted: Operation| slice.count(|operation, _| operation == wanted);
        let mut polls = crate::tally::Latency::default();
        for (operation, _, latency) in slice.latencies() {
            if operation == Operation::Token {
                polls.merge(latency);
            }
        }
        let mut errors: BTreeMap<String, u64> = BTreeMap::new();
        for ((_, kind), count) in &slice.failures {
            *errors.entry((*kind).to_owned()).or_default() += count;
        }
        let spread = Spread::of(&polls.response);
        let told = Second {
            at_ms: u64::try_from(open.until.as_millis()).unwrap_or(u64::MAX),
            stage,
            waiting: sum(|report| report.waiting),
            polls: answers(Operation::Token),
            codes: answers(Operation::DeviceAuthorization),
            answers: slice
                .latencies()
                .map(|(operation, outcome, latency)| {
                    (format!("{operation} {outcome}"), latency.response.len())
                })
                .collect(),
            decisions: slice.counters.approved + slice.counters.denied,
            decisions_late: sum(|report| report.late_decisions),
            granted: slice
                .count(|operation, outcome| (operation, outcome) == (Operation::Token, Outcome::Granted)),
            p50: spread.map_or(0, |spread| spread.p50),
            p99: spread.map_or(0, |spread| spread.p99),
            service_p99: Spread::of(&polls.service).map_or(0, |spread| spread.p99),
            lag_p99: Spread::of(&slice.lag).map_or(0, |spread| spread.p99),
            wait_p99: Spread::of(&slice.wait).map_or(0, |spread| spread.p99),
            violations: slice.violations.count(),
            errors,
            limited: slice.count(|_, outcome| outcome == Outcome::Limited),
            connections: sum(|report| report.connections),
            cpu: generator.map_or(0.0, |(cpu, _)| cpu.as_secs_f64()),
            memory: generator.map_or(0, |(_, memory)| memory),
            server_cpu: server.map(|(cpu, _)| cpu.as_secs_f64()),
            server_memory: server.map(|(_, memory)| memory),
            run_queue: open.run_queue,
        };
        self.moment = Totals {
            measured: slice,
            whole: Slice::default(),
            length: Duration::from_secs(1),
            run_queue: open.run_queue,
        };
        Some(told)
    }

    /// Why the run is to end now, if it is.
    fn wants_end(&mut self, second: &Second, setup: &Shared) -> Option<(Ending, String)> {
        let refused = second.errors.get("connect_refused").copied().unwrap_or(0);
        let all = second.polls + second.codes;
        let now = Duration::from_millis(second.at_ms);
        if refused == 0 || refused < all {
            if all > 0 {
                self.refused_since = None;
            }
        } else if now.saturating_sub(*self.refused_since.get_or_insert(now)) >= PATIENCE {
            let text = format!("the target refused every connection for {} s", PATIENCE.as_secs());
            return Some((Ending::Refused, text));
        }
        let moment = Moment { last: &self.moment, all: &self.totals };
        let held = self
            .watching
            .abort
            .iter_mut()
            .find_map(|watch| watch.sees(now, &moment, &setup.setting).then(|| watch.rule().to_string()));
        held.map(|rule| (Ending::Aborted, format!("{rule} held")))
    }

    fn outcomes(mut self, ending: Ending, because: Option<String>, at: Duration) -> Outcomes {
        let shares = |pick: fn(&(Duration, Duration, Duration)) -> Duration| {
            let shares = self.spans.values().filter(|sums| !sums.2.is_zero());
            shares.map(|sums| pick(sums).as_secs_f64() / sums.2.as_secs_f64()).reduce(f64::max)
        };
        let busiest = shares(|sums| sums.1).unwrap_or(0.0);
        self.totals.run_queue = shares(|sums| sums.0);
        Outcomes {
            ending,
            because,
            at: at.min(self.at.max(Duration::from_millis(1))),
            still_waiting: self.last.values().map(|report| report.waiting).sum(),
            generator: self.generator.of_the_duration(),
            server: self.server.of_the_duration(),
            busiest,
            totals: self.totals,
        }
    }
}
