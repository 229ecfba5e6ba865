//! `devgrant load`: many devices at once, every answer judged.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::check::ours;
use super::console::{self, Console};
use super::exit::Exit;
use super::{files, records};
use crate::http::Scrape;
use crate::load::{Outcomes, Shared};
use crate::machine::limits;
use crate::report::load as report;
use crate::scenario::{AbortRule, AbortWatch, Rate, Scaling, Scenario};
use crate::tally::{Ended, Ending, Finished, LoadEvent, LoadRecord, Machine, Second, Slice, Told};
use crate::target::Target;
use crate::timing::plain_length;
use crate::yaml::Source;

mod checks;
mod engine;
mod machine;
mod ready;
mod side;

use checks::{Beside, CheckFlags, Checks};
pub(super) use engine::EngineFlags;
pub(super) use ready::{How, Ready};
pub(super) use side::Side;

/// Play a load scenario: many devices at once, every answer judged.
#[derive(Debug, clap::Args)]
pub(super) struct Load {
    /// A scenario that devgrant brings along (steady_pollers, mixed_soak, million ...), or a file
    #[arg(value_name = "SCENARIO")]
    scenario: String,
    #[command(flatten)]
    side: Side,
    /// So many devices, all groups with a number of them together
    #[arg(long, value_name = "N")]
    devices: Option<u64>,
    /// What all rates of the scenario add up to: 50/s
    #[arg(long, value_name = "RATE")]
    rate: Option<Rate>,
    /// How long is measured: 30 s
    #[arg(long, value_name = "TIME", value_parser = plain_length)]
    duration: Option<Duration>,
    /// What everything random is drawn from, in place of the scenario's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Show what the run will ask of this machine and of the server, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Where the record goes; the state directory unless given
    #[arg(long, value_name = "PATH")]
    record: Option<PathBuf>,
    /// End the run when this holds: 'p99(pending) > 2 s for 10 s'
    #[arg(long, value_name = "EXPR")]
    abort_on: Vec<AbortRule>,
    /// Where Prometheus finds the figures during the run: 127.0.0.1:9464, at /metrics
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<SocketAddr>,
    #[command(flatten)]
    engine: EngineFlags,
    #[command(flatten)]
    checks: CheckFlags,
}

/// Tells one scenario, scaled so, from all others.
fn fingerprint(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Starts the checks beside the load, on cores that are noted.
fn beside(checks: Checks, target: Target, setup: &Shared, machine: &mut Machine) -> Result<Beside, String> {
    let allowed = limits::cores().map_or_else(Vec::new, |cores| cores.allowed);
    machine.checks_pinned = checks::cores(&allowed, machine);
    Beside::start(checks, target, setup, machine.checks_pinned.clone())
}

/// What a run is stopped by before it began, already told.
pub(super) struct Stopped(pub(super) Exit);

impl Load {
    pub(super) async fn run(self, console: &Console) -> Exit {
        let (scenario, text) = match self.scenario(console) {
            Ok(scenario) => scenario,
            Err(Stopped(exit)) => return exit,
        };
        let checks = match self.checks.read(console, &self.side) {
            Ok(checks) => checks,
            Err(Stopped(exit)) => return exit,
        };
        if self.dry_run {
            return machine::dry_run(console, &scenario, self.side.target.as_deref());
        }
        let ready = Ready::new(
            How { side: &self.side, engine: &self.engine },
            console,
            scenario,
            fingerprint(&text),
            None,
        )
        .await;
        match ready {
            Ok(mut ready) => {
                ready.watching.abort = self.abort_on.iter().cloned().map(AbortWatch::new).collect();
                self.play(console, ready, checks).await
            }
            Err(Stopped(exit)) => exit,
        }
    }

    /// The scenario as it is to be played, and a text that tells it from every other one.
    fn scenario(&self, console: &Console) -> Result<(Scenario, String), Stopped> {
        let is_path = self.scenario.contains(['/', '\\']) || self.scenario.ends_with(".yaml");
        let source =
            if is_path { Source::read(Path::new(&self.scenario)) } else { Scenario::builtin(&self.scenario) };
        let read = source.map_err(|diagnostic| vec![diagnostic]);
        let read = read.and_then(|source| Scenario::read(&source).map(|scenario| (scenario, source.text)));
        let (scenario, text) = read.map_err(|mistakes| {
            files::show(console, &mistakes, 1);
            Stopped(Exit::Usage)
        })?;
        let scaling =
            Scaling { devices: self.devices, rate: self.rate, duration: self.duration, seed: self.seed };
        let scaled = scenario.scaled(&scaling).map_err(|error| {
            console.note(&format!("error: {error}"));
            Stopped(Exit::Usage)
        })?;
        let said = format!("{text}\n{:?} {:?} {:?}", self.devices, self.rate, self.duration);
        Ok((scaled, said))
    }

    async fn play(&self, console: &Console, ready: Ready, checks: Option<Checks>) -> Exit {
        let Ok((path, mut file)) = records::create(self.record.as_deref()).inspect_err(|error| {
            console.note(&format!(
                "error: no record can be written: {error}\nhelp: give another place with --record PATH"
            ));
        }) else {
            return Exit::Usage;
        };
        let Ready { setup, target, watching, mut began, thresholds, validity, remarks, child } = ready;
        let beside = match checks.map(|checks| beside(checks, target, &setup, &mut began.machine)).transpose()
        {
            Ok(beside) => beside,
            Err(message) => return ours(console, &message),
        };
        let mut record = LoadRecord::default();
        let mut trouble = None;
        let mut write = |record: &mut LoadRecord, event: LoadEvent| {
            let line = serde_json::to_string(&event).map_err(std::io::Error::other);
            if let Err(error) = line.and_then(|line| writeln!(file, "{line}")) {
                trouble.get_or_insert(error);
            }
            // Only a histogram that cannot be decoded is refused, and these were encoded here.
            if let Err(error) = record.fold(event) {
                trouble.get_or_insert(std::io::Error::other(error));
            }
        };
        console.out(&report::header(&began, console.style()));
        write(&mut record, LoadEvent::LoadBegan(Box::new(began)));
        for text in remarks {
            console.note(&format!("note: {text}"));
            write(&mut record, LoadEvent::Told(Told { at_ms: 0, text }));
        }
        let mut beside = match beside {
            Some(beside) => match beside.before(console).await {
                Ok((beside, run)) => {
                    write(&mut record, LoadEvent::Checked(Box::new(run)));
                    Some(beside)
                }
                Err(Stopped(exit)) => {
                    if exit == Exit::Interrupted {
                        let ended =
                            Ended { ending: Ending::Interrupted, exit: exit.code(), ..Ended::default() };
                        write(&mut record, LoadEvent::LoadEnded(Box::new(ended)));
                    }
                    return exit;
                }
            },
            None => None,
        };
        let end = setup.schedule.timeline().end();
        let metrics = Arc::new(report::Metrics::new());
        let scrape = match self.scrape(console, &metrics).await {
            Ok(scrape) => scrape,
            Err(Stopped(exit)) => return exit,
        };
        let mut ticker = console.ticker();
        let tell = |second: Second, _: &Slice| {
            ticker.show(report::line(&second, end));
            metrics.second(&second);
            write(&mut record, LoadEvent::Second(Box::new(second)));
            if let Some(beside) = &mut beside {
                beside.load_plays();
                for run in beside.told() {
                    write(&mut record, LoadEvent::Checked(Box::new(run)));
                }
            }
        };
        let played = self.engine.run(setup.clone(), watching, tell, console::interrupted()).await;
        drop((ticker, scrape));
        let is_there =
            |outcomes: &Outcomes| !matches!(outcomes.ending, Ending::Interrupted | Ending::Refused);
        let checked = match beside {
            Some(beside) => beside.after(console, played.as_ref().is_ok_and(is_there)).await,
            None => Ok(Vec::new()),
        };
        if let Some(child) = child {
            child.stop().await;
        }
        let (outcomes, checked) = match played.and_then(|outcomes| Ok((outcomes, checked?))) {
            Ok(came) => came,
            Err(message) => return ours(console, &message),
        };
        for run in checked {
            write(&mut record, LoadEvent::Checked(Box::new(run)));
        }
        let totals = outcomes.totals;
        for line in totals.lines() {
            write(&mut record, LoadEvent::Series(Box::new(line)));
        }
        let used = |usage: crate::machine::process::Usage| (usage.cpu.as_secs_f64(), usage.peak_memory);
        let generator = outcomes.generator.map_or((0.0, 0), used);
        let spent = totals.spent(outcomes.still_waiting, generator, outcomes.server.map(used));
        write(&mut record, LoadEvent::Spent(Box::new(spent)));
        let under_load = record.under_load();
        let ended = Finished {
            totals: &totals,
            setting: &setup.setting,
            thresholds: &thresholds,
            validity: &validity,
            ending: outcomes.ending,
            because: outcomes.because,
            at: outcomes.at,
            busiest: outcomes.busiest,
            checks: under_load.as_ref(),
        }
        .judge();
        let exit = ended.exit;
        write(&mut record, LoadEvent::LoadEnded(Box::new(ended)));
        console.out(&report::ending(&record, console.style()));
        if self.record.is_some() {
            console.note(&format!("record: {}", path.display()));
        }
        if let Some(error) = trouble {
            console.note(&format!("error: the record could not be written to its end: {error}"));
            return Exit::NotJudged;
        }
        Exit::of_run(exit)
    }

    /// The page for Prometheus, where one is asked for.
    async fn scrape(
        &self,
        console: &Console,
        metrics: &Arc<report::Metrics>,
    ) -> Result<Option<Scrape>, Stopped> {
        let Some(address) = self.metrics else { return Ok(None) };
        let metrics = Arc::clone(metrics);
        let scrape = Scrape::start(address, move || metrics.text()).await.map_err(|error| {
            console.note(&format!(
                "error: no figures can be served at {address}: {error}\nhelp: another port with --metrics, 0 for any free one"
            ));
            Stopped(Exit::Usage)
        })?;
        console.note(&format!("figures for Prometheus: http://{}/metrics", scrape.address()));
        Ok(Some(scrape))
    }
}
