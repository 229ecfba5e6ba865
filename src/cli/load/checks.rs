//! The check suites beside a load run: in quiet before it, again and again while it is measured, and in quiet after it,
//! on a thread and with clients of their own.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::{Side, Stopped};
use crate::approval::{self, Pages};
use crate::catalog::{Catalog, Entry, Selection};
use crate::cli::check::ours;
use crate::cli::console::{self, Console};
use crate::cli::exit::Exit;
use crate::cli::files::{self, KnownList};
use crate::cli::pages::Gated;
use crate::cli::select::Narrow;
use crate::clock;
use crate::event::Event;
use crate::http::{HttpPages, Trust, Wire};
use crate::known::KnownFailures;
use crate::load::Shared;
use crate::machine::{limits, thread};
use crate::plan::{Destructive, Limits};
use crate::runner::{Link, Options, Wanted, prepare};
use crate::suite::Alone;
use crate::tally::{CheckRun, CheckedCase, Machine, REPEATS, When};
use crate::target::{Approval, Target};
use crate::timing::{plain_length, show};
use crate::verdict::{Verdict, Weight};

/// So many requests of the checks are in flight at once.
const JOBS: usize = 64;

/// The flags of the checks beside a load run.
#[derive(Debug, clap::Args)]
pub(super) struct CheckFlags {
    /// Play the check suites, too: before the load, up to three times while it is measured, and after it; only those
    /// that match a glob on suite/check or the id of a suite, where any is given
    #[arg(long, value_name = "GLOB", num_args = 0.., help_heading = "Checks beside the load")]
    with_check: Option<Vec<String>>,
    /// Leave out checks that take longer: 60 s; a third of the duration unless given
    #[arg(long, value_name = "TIME", value_parser = plain_length, requires = "with_check", help_heading = "Checks beside the load")]
    max_wait: Option<Duration>,
    #[command(flatten, next_help_heading = "Checks beside the load")]
    narrow: Narrow,
}

/// The checks that are to be played beside a load run.
pub(super) struct Checks {
    catalog: Catalog,
    selection: Selection,
    options: Options,
    /// Whom the target is trusted by beside the system.
    trust: Trust,
    max_wait: Option<Duration>,
    timeout: Duration,
}

/// What the thread of the checks is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A quiet run, and wait.
    Before,
    /// Repeats, as soon as and as long as the load is measured.
    Load,
    /// A quiet run, and end.
    After,
    /// End.
    Over,
}

/// The thread of the checks, from outside.
pub(super) struct Beside {
    phase: watch::Sender<Phase>,
    runs: mpsc::UnboundedReceiver<CheckRun>,
    thread: JoinHandle<Result<(), String>>,
    longest: Duration,
    duration: Duration,
}

impl CheckFlags {
    /// What is to be played, if anything is; mistakes are told before any server is started.
    pub(super) fn read(&self, console: &Console, side: &Side) -> Result<Option<Checks>, Stopped> {
        let stop = |message: String| {
            console.note(&format!("error: {message}"));
            Stopped(Exit::Usage)
        };
        let Some(globs) = &self.with_check else {
            if self.narrow.is_empty() {
                return Ok(None);
            }
            return Err(stop(
                "--skip, --level and --requirement select checks\nhelp: add --with-check, which plays them beside the load"
                    .to_owned(),
            ));
        };
        let files =
            files::read(&[], side.target.as_deref(), KnownList::default()).map_err(|(mistakes, count)| {
                files::show(console, &mistakes, count);
                Stopped(Exit::Usage)
            })?;
        let trust = files.target.as_ref().map(|target| files::trust(None, side.target.as_deref(), target));
        let trust = trust.transpose().map_err(|diagnostic| {
            files::show(console, &[diagnostic], 1);
            Stopped(Exit::Usage)
        })?;
        let checks = Checks {
            catalog: files.catalog,
            selection: self.narrow.selection(globs),
            options: Options {
                strict: side.mode.is_strict(),
                known_failures: KnownFailures::new(files.known_failures, clock::today()),
                edition: None,
            },
            trust: trust.unwrap_or_default(),
            max_wait: self.max_wait,
            timeout: side.timeout,
        };
        let (played, _) = checks.entries().map_err(stop)?;
        if played.is_empty() {
            return Err(stop(
                "none of these checks can be played beside a load: they flood, need a run of their own, or judge nothing\n\
                 help: give others to --with-check"
                    .to_owned(),
            ));
        }
        Ok(Some(checks))
    }
}

impl Checks {
    /// What can be played beside a load, and what cannot.
    fn entries(&self) -> Result<(Vec<&Entry>, Vec<CheckedCase>), String> {
        let mut played = self.catalog.with_controls(self.catalog.select(&self.selection)?);
        // A line of the behaviour card judges nobody.
        played.retain(|entry| entry.weight != Weight::Card);
        let mut left_out = Vec::new();
        played.retain(|entry| {
            let why = why_not(entry);
            left_out.extend(why.map(|why| CheckedCase {
                case: entry.id.clone(),
                title: entry.check.title.clone(),
                verdict: Verdict::NotExercised,
                is_known: false,
                reason: Some(why.to_owned()),
                mismatches: Vec::new(),
            }));
            why.is_none()
        });
        Ok((played, left_out))
    }
}

/// Why a check is not played beside a load, if so.
fn why_not(entry: &Entry) -> Option<&'static str> {
    if entry.check.alone == Some(Alone::Run) {
        Some("alone: run")
    } else if entry.check.destructive {
        Some("destructive: a limiter that it trips would be in the way of the load")
    } else {
        None
    }
}

/// The cores that the checks keep to: neither a shard's nor the server's, or no shard's; anywhere where nobody is pinned.
pub(super) fn cores(allowed: &[usize], machine: &Machine) -> Vec<usize> {
    if machine.pinned.is_empty() {
        return Vec::new();
    }
    let without = |taken: &[&[usize]]| -> Vec<usize> {
        allowed.iter().copied().filter(|core| !taken.iter().any(|some| some.contains(core))).collect()
    };
    let free = without(&[&machine.pinned, &machine.server_pinned]);
    if free.is_empty() { without(&[&machine.pinned]) } else { free }
}

impl Beside {
    /// Starts the thread, which begins with the quiet run.
    pub(super) fn start(
        checks: Checks,
        target: Target,
        setup: &Shared,
        cores: Vec<usize>,
    ) -> Result<Self, String> {
        let (phase, phases) = watch::channel(Phase::Before);
        let (teller, runs) = mpsc::unbounded_channel();
        let setup = Arc::clone(setup);
        // Two of three repeats are needed, so what does not fit into a third would say nothing.
        let duration = setup.schedule.timeline().duration;
        let longest = checks.max_wait.unwrap_or(duration / REPEATS as u32);
        let thread = std::thread::Builder::new().name("checks".to_owned());
        let thread = thread.spawn(move || {
            if !cores.is_empty() {
                limits::pin(&cores)
                    .map_err(|error| format!("the checks cannot stay on their cores: {error}"))?;
            }
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| format!("no runtime for the checks: {error}"))?;
            runtime
                .block_on(async { Player::new(checks, target, longest)?.play(&setup, phases, &teller).await })
        });
        let thread = thread.map_err(|error| format!("no thread for the checks: {error}"))?;
        Ok(Self { phase, runs, thread, longest, duration })
    }

    /// The quiet run before the load.
    pub(super) async fn before(mut self, console: &Console) -> Result<(Self, CheckRun), Stopped> {
        console.note(&format!(
            "checks: a quiet run before the load, of those that take {} at most",
            show(self.longest)
        ));
        let run = tokio::select! {
            run = self.runs.recv() => run,
            () = console::interrupted() => {
                self.turn(Phase::Over);
                console.note("interrupted before the load began");
                return Err(Stopped(Exit::Interrupted));
            }
        };
        match run {
            Some(CheckRun { void: Some(why), .. }) => {
                console.note(&format!("error: the checks cannot be played: {why}"));
                Err(Stopped(Exit::NotJudged))
            }
            Some(run) => {
                let took = Duration::from_millis(run.took_ms);
                if took * 2 > self.duration {
                    console.note(&format!(
                        "warning: the quiet run took {}, and the load is measured for {}: two repeats may not fit in\n\
                         help: choose fewer checks, a shorter --max-wait, or a longer --duration",
                        show(took),
                        show(self.duration)
                    ));
                }
                Ok((self, run))
            }
            None => Err(Stopped(ours(console, &self.end().err().unwrap_or_default()))),
        }
    }

    /// Waits for the thread, which is about to end, and says what it ended with.
    fn end(self) -> Result<(), String> {
        self.thread.join().map_err(|_| "the thread of the checks panicked".to_owned())?
    }

    /// The load plays from now on.
    pub(super) fn load_plays(&self) {
        self.phase.send_if_modified(|phase| {
            let is_new = *phase == Phase::Before;
            if is_new {
                *phase = Phase::Load;
            }
            is_new
        });
    }

    /// The runs that have ended since the last time.
    pub(super) fn told(&mut self) -> Vec<CheckRun> {
        std::iter::from_fn(|| self.runs.try_recv().ok()).collect()
    }

    /// The load has ended: the quiet run after it, where the server is still there, and whatever was not told yet.
    pub(super) async fn after(mut self, console: &Console, is_wanted: bool) -> Result<Vec<CheckRun>, String> {
        self.turn(if is_wanted { Phase::After } else { Phase::Over });
        if is_wanted {
            console.note("checks: a quiet run after the load");
        }
        let mut runs = Vec::new();
        let interrupt = console::interrupted();
        tokio::pin!(interrupt);
        let mut is_interrupted = false;
        loop {
            tokio::select! {
                run = self.runs.recv() => match run {
                    Some(run) => runs.push(run),
                    None => break,
                },
                () = &mut interrupt, if !is_interrupted => {
                    is_interrupted = true;
                    self.turn(Phase::Over);
                }
            }
        }
        self.end().map(|()| runs)
    }

    fn turn(&self, phase: Phase) {
        // Nobody listens any more only when the thread has ended.
        let _ = self.phase.send(phase);
    }
}

/// Plays the checks, on their thread.
struct Player {
    checks: Checks,
    target: Target,
    longest: Duration,
    wire: Arc<Wire>,
    jobs: Arc<Semaphore>,
    pages: Arc<dyn Pages>,
}

impl Player {
    fn new(checks: Checks, mut target: Target, longest: Duration) -> Result<Self, String> {
        let wire = Wire::trusting(checks.timeout, checks.trust.clone()).map_err(|error| error.to_string())?;
        let pages = HttpPages::trusting(&checks.trust).map_err(|error| error.to_string())?;
        let jobs = Arc::new(Semaphore::new(JOBS));
        let pages: Arc<dyn Pages> = Arc::new(Gated::new(pages, Arc::clone(&jobs), checks.timeout));
        // Nobody can be asked while a load runs, and no browser started: what needs a decision is left out then.
        target.approval =
            target.approval.filter(|approval| approval::by_requests(approval, Arc::clone(&pages)).is_some());
        Ok(Self { checks, target, longest, wire: Arc::new(wire), jobs, pages })
    }

    async fn play(
        &self,
        setup: &Shared,
        mut phases: watch::Receiver<Phase>,
        tell: &mpsc::UnboundedSender<CheckRun>,
    ) -> Result<(), String> {
        // Whoever listened has gone: the phase changes, too, then.
        let told = |run: CheckRun| drop(tell.send(run));
        told(self.run(When::Before, None, left(&phases, Phase::Before)).await?);
        left(&phases, Phase::Before).await;
        let timeline = setup.schedule.timeline();
        if *phases.borrow() == Phase::Load {
            let (from, to) =
                (setup.epoch() + timeline.measured_from(), setup.epoch() + timeline.measured_to());
            tokio::select! {
                () = sleep_until(from) => {}
                () = left(&phases, Phase::Load) => {}
            }
            for _ in 0..REPEATS {
                if *phases.borrow() != Phase::Load || Instant::now() >= to {
                    break;
                }
                let end = async {
                    tokio::select! {
                        () = sleep_until(to) => {}
                        () = left(&phases, Phase::Load) => {}
                    }
                };
                told(self.run(When::During, Some(setup.now()), end).await?);
            }
            left(&phases, Phase::Load).await;
        }
        if *phases.borrow_and_update() == Phase::After {
            told(self.run(When::After, None, left(&phases, Phase::After)).await?);
        }
        Ok(())
    }

    /// Plays all checks once, until `cut`.
    async fn run(
        &self,
        when: When,
        at: Option<Duration>,
        cut: impl Future<Output = ()>,
    ) -> Result<CheckRun, String> {
        let (start, cpu) = (Instant::now(), thread::cpu());
        let (entries, left_out) = self.checks.entries()?;
        let (sender, receiver) = mpsc::channel(64);
        let link = Link::new(self.wire.clone(), self.jobs.clone(), sender, &self.target);
        let link = link.telling_verdicts_alone();
        let wanted = Wanted {
            catalog: &self.checks.catalog,
            entries: &entries,
            target: &self.target,
            limits: Limits { max_wait: Some(self.longest), destructive: Destructive::LeftOut },
            options: &self.checks.options,
            driver: self.target.approval.as_ref().map(Approval::name),
            carried: None,
        };
        let approval = self.target.approval.as_ref();
        let driver = approval.and_then(|approval| approval::by_requests(approval, Arc::clone(&self.pages)));
        let doing = async {
            tokio::pin!(cut);
            let ready = tokio::select! {
                ready = prepare(&link, wanted) => ready.map_err(|trouble| trouble.words())?,
                () = &mut cut => return Err(why_cut(when)),
            };
            ready.play(link, driver, cut).await;
            Ok(())
        };
        let (done, (mut cases, was_cut)) = tokio::join!(doing, judged(receiver));
        if when == When::During {
            cases.extend(left_out);
        }
        let cpu = thread::cpu().zip(cpu).map(|(now, before)| now.saturating_sub(before).as_secs_f64());
        let ms = |length: Duration| u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        Ok(CheckRun {
            when,
            at_ms: at.map(ms),
            took_ms: ms(start.elapsed()),
            cpu,
            void: done.err().or_else(|| was_cut.then(|| why_cut(when))),
            cases,
        })
    }
}

/// When the phase is another one than this; at once when nobody is left who could tell.
async fn left(phases: &watch::Receiver<Phase>, this: Phase) {
    let mut phases = phases.clone();
    // The sender is dropped only together with everything else.
    let _ = phases.wait_for(|phase| *phase != this).await;
}

fn why_cut(when: When) -> String {
    let why = match when {
        When::Before | When::After => "it was interrupted",
        When::During => "the load was not measured any more before it came to its end",
    };
    why.to_owned()
}

/// The verdicts of a run, and whether it was cut short.
async fn judged(mut events: mpsc::Receiver<Event>) -> (Vec<CheckedCase>, bool) {
    let (mut cases, mut was_cut) = (Vec::new(), false);
    while let Some(event) = events.recv().await {
        match event {
            Event::Judged(result) => cases.push(CheckedCase::from(*result)),
            Event::Ended(ended) => was_cut = ended.interrupted,
            Event::Began(_) | Event::Exchanged(_) | Event::Waiting(_) | Event::Measured(_) => {}
        }
    }
    (cases, was_cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checks_keep_off_the_shards_and_off_the_server_where_there_is_room() {
        let machine = |pinned: &[usize], server: &[usize]| Machine {
            cores: 4,
            pinned: pinned.to_vec(),
            server_pinned: server.to_vec(),
            checks_pinned: Vec::new(),
        };
        assert_eq!(cores(&[0, 1, 2, 3], &machine(&[0], &[1])), [2, 3]);
        assert_eq!(cores(&[0, 1], &machine(&[0], &[1])), [1]);
        assert_eq!(cores(&[0, 1], &machine(&[0, 1], &[])), [0; 0]);
        assert_eq!(cores(&[0, 1], &machine(&[], &[])), [0; 0]);
    }

    #[test]
    fn what_floods_or_needs_a_run_of_its_own_is_left_out_with_its_reason() {
        let checks = Checks {
            catalog: Catalog::builtin().unwrap(),
            selection: Selection::default(),
            options: Options {
                strict: false,
                known_failures: KnownFailures::new(Vec::new(), clock::today()),
                edition: None,
            },
            trust: Trust::default(),
            max_wait: None,
            timeout: Duration::from_secs(10),
        };
        let (played, left_out) = checks.entries().unwrap();
        assert!(played.iter().all(|entry| entry.check.alone != Some(Alone::Run) && !entry.check.destructive));
        assert!(played.iter().all(|entry| entry.weight != Weight::Card));
        let alone: Vec<&str> = checks
            .catalog
            .entries
            .iter()
            .filter(|entry| entry.check.alone == Some(Alone::Run))
            .map(|entry| entry.id.as_str())
            .collect();
        let told: Vec<&str> = left_out
            .iter()
            .filter(|case| case.reason.as_deref() == Some("alone: run"))
            .map(|case| case.case.as_str())
            .collect();
        assert!(!alone.is_empty());
        assert_eq!(told, alone);
    }
}
