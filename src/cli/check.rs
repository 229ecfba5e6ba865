//! `devgrant check`: judge a server.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};

use super::console::{self, Console};
use super::exit::Exit;
use super::faults;
use super::files::{self, Files, KnownList};
use super::known_failures;
use super::pages::Gated;
use super::prompt::StdinPrompt;
use super::select::Select;
use super::wait::Wait;
use super::{live, records};
use crate::approval::{Driver, Pages, driver};
use crate::catalog::Entry;
use crate::clock;
use crate::diagnostic::messages;
use crate::event::{Ended, Event};
use crate::http::{HttpPages, Trust, Wire};
use crate::known::KnownFailures;
use crate::plan::{Destructive, Limits, Plan};
use crate::record::RunRecord;
use crate::report::FORMATS;
use crate::report::terminal::{ending, header};
use crate::runner::{Carried, Link, Options, Trouble, Wanted, prepare};
use crate::server::faults::Fault;
use crate::server::{Config, Running, start};
use crate::target::{Approval, Target};
use crate::timing::plain_length;

/// Judge a server with the conformance suites.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// The server under test; the embedded reference server unless given
    #[arg(long, value_name = "FILE")]
    target: Option<PathBuf>,
    /// Certificates in PEM of authorities to trust beside those of the platform, in place of the target's
    #[arg(long, value_name = "FILE", requires = "target")]
    ca: Option<PathBuf>,
    /// Your own suites besides the shipped ones: a file, or a directory of them
    #[arg(long, value_name = "FILE|DIR")]
    suite: Vec<PathBuf>,
    /// Judge the embedded server with this fault; `devgrant faults` lists them
    #[arg(long, value_name = "ID", conflicts_with = "target", value_parser = faults::parse)]
    fault: Vec<&'static Fault>,
    #[command(flatten)]
    select: Select,
    /// So many requests in flight at once; a waiting case holds none
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    /// What takes longer is not exercised: 2 m
    #[arg(long, value_name = "TIME", value_parser = plain_length)]
    max_wait: Option<Duration>,
    /// How long one answer may take
    #[arg(long, value_name = "TIME", default_value = "10 s", value_parser = plain_length)]
    timeout: Duration,
    /// strict: acceptable warns, a warning fails
    #[arg(long, value_name = "MODE", value_enum, default_value_t = Mode::Default)]
    mode: Mode,
    /// Guessing and flooding too; implied for the embedded server
    #[arg(long)]
    destructive: bool,
    /// A list of failures that are known and defended, in place of the target's
    #[arg(long, value_name = "FILE")]
    known_failures: Option<PathBuf>,
    /// Add what fails to that list, or to the FILE, with the reasons left to fill in
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    write_known_failures: Option<Option<PathBuf>>,
    /// Score only the checks of this edition, such as 2026.1; newer ones run and do not count
    #[arg(long, value_name = "EDITION")]
    edition: Option<String>,
    /// Show the plan, with its requests and its time, and stop
    #[arg(long)]
    dry_run: bool,
    /// Finish the run of this record, which was interrupted or shortened: what has a verdict there keeps it
    #[arg(long, value_name = "RECORD", conflicts_with = "dry_run")]
    resume: Option<PathBuf>,
    /// Where the record goes; the state directory unless given
    #[arg(long, value_name = "PATH")]
    record: Option<PathBuf>,
    /// Write a report when the run is over: json=out.json
    #[arg(long, value_name = "FORMAT=PATH", value_parser = report)]
    report: Vec<(String, PathBuf)>,
    /// Acceptable remarks too
    #[arg(short, long)]
    pub(super) verbose: bool,
    #[command(flatten)]
    wait: Wait,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    Default,
    Strict,
}

fn report(text: &str) -> Result<(String, PathBuf), String> {
    let names = || FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ");
    let (format, path) = text.split_once('=').ok_or("write FORMAT=PATH, such as json=out.json")?;
    if FORMATS.iter().any(|known| known.name == format) {
        Ok((format.to_owned(), path.into()))
    } else {
        Err(format!("no format {format}; one of: {}", names()))
    }
}

/// Names the file that a CI step's summary is appended to, where there is one.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// The server that is judged.
struct Tested<'a> {
    target: &'a Target,
    /// Whom to trust beside the platform's authorities.
    trust: Trust,
    is_embedded: bool,
}

impl Check {
    pub(super) async fn run(self, console: &Console) -> Exit {
        let named = self.write_known_failures.as_ref().and_then(Option::as_ref);
        if named.is_some() && self.known_failures.is_some() {
            console.note("error: two lists of known failures\nhelp: give the file to one of --known-failures and --write-known-failures");
            return Exit::Usage;
        }
        let known = KnownList {
            file: self.known_failures.as_ref().or(named).map(PathBuf::as_path),
            may_be_missing: self.write_known_failures.is_some(),
        };
        let files = match files::read(&self.suite, self.target.as_deref(), known) {
            Ok(files) => files,
            Err((diagnostics, count)) => {
                files::show(console, &diagnostics, count);
                return Exit::Usage;
            }
        };
        if self.write_known_failures.is_some() && files.known_path.is_none() {
            console.note("error: there is no list of known failures to write to\nhelp: give it a file: --write-known-failures known.yaml");
            return Exit::Usage;
        }
        let edition = self.edition.as_ref().map(|name| files.catalog.editions.frozen(name)).transpose();
        let edition = match edition {
            Ok(edition) => edition,
            Err(message) => {
                console.note(&format!("error: {message}"));
                return Exit::Usage;
            }
        };
        let options = Options {
            strict: self.mode == Mode::Strict,
            known_failures: KnownFailures::new(files.known_failures.clone(), clock::today()),
            edition,
        };
        let entries = match files.catalog.select(&self.select.selection()) {
            Ok(entries) => files.catalog.with_controls(entries),
            Err(message) => {
                console.note(&format!("error: {message}"));
                return Exit::Usage;
            }
        };
        let (target, embedded) = match files.target.clone() {
            Some(target) => (target, None),
            None => match embedded(Config::embedded().with_faults(self.fault.iter().copied())).await {
                Ok((target, running)) => (target, Some(running)),
                Err(message) => {
                    console.note(&format!("error: the embedded server could not be started: {message}"));
                    return Exit::NotJudged;
                }
            },
        };
        let exit = match files::trust(self.ca.as_deref(), self.target.as_deref(), &target) {
            Ok(trust) => {
                let server = Tested { target: &target, trust, is_embedded: embedded.is_some() };
                self.judge(console, &files, &entries, server, &options).await
            }
            Err(diagnostic) => {
                files::show(console, &[diagnostic], 1);
                Exit::Usage
            }
        };
        if let Some(running) = embedded {
            running.shutdown().await;
        }
        exit
    }

    async fn judge(
        &self,
        console: &Console,
        files: &Files,
        entries: &[&Entry],
        server: Tested<'_>,
        options: &Options,
    ) -> Exit {
        let Tested { target, trust, is_embedded } = server;
        let carried = match self.carried(files, target, is_embedded, options) {
            Ok(carried) => carried,
            Err(message) => {
                console.note(&format!("error: {message}"));
                return Exit::Usage;
            }
        };
        let jobs = Arc::new(Semaphore::new(self.jobs.into()));
        let (sender, receiver) = mpsc::channel(1024);
        let wire = match Wire::trusting(self.timeout, trust.clone()) {
            Ok(wire) => Arc::new(wire),
            Err(error) => return ours(console, &error.to_string()),
        };
        let driver = match driver_of(console, target, &trust, &jobs, self.timeout) {
            Ok(driver) => driver,
            Err(message) => return ours(console, &message),
        };
        let created = (!self.dry_run).then(|| records::create(self.record.as_deref())).transpose();
        let (path, file) = match created {
            Ok(created) => created.unzip(),
            Err(error) => {
                let at = self
                    .record
                    .as_ref()
                    .map_or_else(|| "the state directory".to_owned(), |p| p.display().to_string());
                console.note(&format!("error: no record can be written to {at}: {error}\nhelp: give another place with --record PATH"));
                return Exit::Usage;
            }
        };
        let link = Link::new(wire.clone(), jobs, sender, target);
        let limits = Limits {
            max_wait: self.max_wait,
            destructive: if self.destructive || is_embedded {
                Destructive::Allowed
            } else {
                Destructive::LeftOut
            },
        };
        let wanted = Wanted {
            catalog: &files.catalog,
            entries,
            target,
            limits,
            options,
            driver: target.approval.as_ref().map(Approval::name),
            carried: carried.as_ref(),
        };
        let doing = async {
            let interrupt = console::interrupted();
            tokio::pin!(interrupt);
            let before = async {
                self.wait.until_ready(console, &*wire, target).await?;
                let ready = prepare(&link, wanted).await?;
                if let Some(driver) = driver.as_deref().filter(|_| !self.dry_run) {
                    ready.users_can_sign_in(&link, driver).await?;
                }
                Ok(ready)
            };
            let before = tokio::select! {
                before = before => before.map_err(Some),
                () = &mut interrupt => Err(None),
            };
            match before {
                Err(stop) => {
                    let because = stop.as_ref().map(|trouble: &Trouble| trouble.message.clone());
                    let ended = Ended::without_cases(stop.is_none(), link.now(), because);
                    link.tell(Event::Ended(Box::new(ended))).await;
                    Err(stop)
                }
                Ok(ready) if self.dry_run => Ok(Some((ready.began, listing(&ready.plan)))),
                Ok(mut ready) => {
                    ready.began.target_file = self.target.as_deref().map(files::place_of);
                    ready.play(link, driver, interrupt).await;
                    Ok(None)
                }
            }
        };
        let (done, (record, trouble)) = tokio::join!(doing, live::follow(console, receiver, file));
        if let Some(error) = trouble {
            console.note(&format!("error: the record could not be written to its end: {error}"));
        }
        let exit = match done {
            Err(None) => {
                console.note("interrupted before anything was judged");
                Exit::Interrupted
            }
            Err(Some(trouble)) => not_judged(console, &trouble, self.target.as_deref()),
            Ok(Some((began, listing))) => {
                console.out(&header(&began, console.style()));
                console.out(&listing);
                return Exit::Good;
            }
            Ok(None) => {
                console.out(&ending(&record, console.style()));
                if let Some(path) = path.filter(|_| self.record.is_some()) {
                    console.note(&format!("record: {}", path.display()));
                }
                let known = files.known_path.as_deref().filter(|_| self.write_known_failures.is_some());
                let wrote = known.and_then(|path| known_failures::write(console, path, &record));
                wrote.unwrap_or_else(|| Exit::of_run(record.exit_code()))
            }
        };
        // What was judged stands, whatever becomes of its reports.
        if self.write_reports(console, &record) || exit != Exit::Good { exit } else { Exit::NotJudged }
    }

    /// What the run of `--resume` found.
    fn carried(
        &self,
        files: &Files,
        target: &Target,
        is_embedded: bool,
        options: &Options,
    ) -> Result<Option<Carried>, String> {
        let Some(path) = &self.resume else { return Ok(None) };
        if self.record.as_ref() == Some(path) {
            return Err(format!(
                "the record of the earlier run would be lost: {}\nhelp: give another place with --record PATH",
                path.display()
            ));
        }
        let record = records::read(Some(path))?;
        let began = record.began.as_ref().ok_or_else(|| {
            format!(
                "{}: that run did not come to its first case; run devgrant check without --resume",
                path.display()
            )
        })?;
        let other = |what: &str, then: &str, now: &str| {
            format!(
                "{what} of that run was {then:?}, and of this one it is {now:?}\nhelp: only the same run can be finished; leave --resume out for another"
            )
        };
        if began.target != target.target {
            return Err(other("the target", &began.target, &target.target));
        }
        let issuer = target.issuer.as_deref().filter(|issuer| !is_embedded && *issuer != began.at);
        if let Some(issuer) = issuer {
            return Err(other("the address", &began.at, issuer));
        }
        if began.strict != options.strict {
            let mode = |strict| if strict { "strict" } else { "default" };
            return Err(other("--mode", mode(began.strict), mode(options.strict)));
        }
        let edition = options.edition.as_ref().map(|frozen| frozen.edition.clone());
        if began.edition != edition {
            let named = |edition: &Option<String>| edition.clone().unwrap_or_else(|| "none".to_owned());
            return Err(other("--edition", &named(&began.edition), &named(&edition)));
        }
        let entries = files.catalog.entries.iter().filter(|entry| entry.check.over.is_some());
        let over = entries.map(|entry| entry.id.clone()).collect();
        Ok(Some(Carried::of(&record, &over)))
    }

    /// Writes the reports, and the summary of the CI step where there is one; false when one could not be written.
    fn write_reports(&self, console: &Console, record: &RunRecord) -> bool {
        let of_format = |name: &str| FORMATS.iter().find(|format| format.name == name);
        let mut all = true;
        let mut told = |path: &Path, written: std::io::Result<()>| {
            if let Err(error) = written {
                console
                    .note(&format!("error: the report could not be written to {}: {error}", path.display()));
                all = false;
            }
        };
        for (name, path) in &self.report {
            let Some(format) = of_format(name) else { continue };
            told(path, std::fs::write(path, (format.write)(record)));
        }
        if let (Some(path), Some(format)) = (std::env::var_os(STEP_SUMMARY), of_format("markdown")) {
            let path = PathBuf::from(path);
            let file = std::fs::OpenOptions::new().append(true).create(true).open(&path);
            told(&path, file.and_then(|mut file| file.write_all(&(format.write)(record))));
        }
        all
    }
}

/// The embedded server on free ports, and its target.
pub(super) async fn embedded(config: Config) -> Result<(Target, Running), String> {
    let mut target = files::embedded().map_err(|diagnostics| messages(&diagnostics))?;
    let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let running = start(config, loopback, loopback).await.map_err(|error| error.to_string())?;
    target.issuer = Some(format!("http://{}", running.public()));
    Ok((target, running))
}

/// What plays the user as the target says, its pages counted among the requests in flight.
pub(super) fn driver_of(
    console: &Console,
    target: &Target,
    trust: &Trust,
    jobs: &Arc<Semaphore>,
    timeout: Duration,
) -> Result<Option<Box<dyn Driver>>, String> {
    let Some(approval) = &target.approval else { return Ok(None) };
    let pages = HttpPages::trusting(trust).map_err(|error| error.to_string())?;
    let pages: Arc<dyn Pages> = match approval {
        // Commands to a browser are no requests to the server, and take their own time.
        Approval::Browser(_) => Arc::new(pages),
        _ => Arc::new(Gated::new(pages, jobs.clone(), timeout)),
    };
    Ok(Some(driver(approval, pages, Arc::new(StdinPrompt::new(console)))))
}

fn listing(plan: &Plan<'_>) -> String {
    let mut lines = vec![format!(
        "about {} requests, and the pages of the user's decisions; nothing was judged",
        plan.requests
    )];
    lines.push(String::new());
    lines
        .extend(plan.cases.iter().map(|case| format!("  {:<14} {}", case.entry.weight.label(), case.name())));
    if !plan.skipped.is_empty() {
        lines.push(String::new());
        lines.push("left out".to_owned());
        lines.extend(
            plan.skipped.iter().map(|skipped| format!("  {}: {}", skipped.case.name(), skipped.reason)),
        );
    }
    lines.join("\n")
}

/// Trouble on this machine, told.
pub(super) fn ours(console: &Console, message: &str) -> Exit {
    console.note(&format!("error: {message}\nhelp: this is trouble on this machine, not the server's"));
    Exit::NotJudged
}

/// Why nothing was judged, and who looks closer.
fn not_judged(console: &Console, trouble: &Trouble, target: Option<&Path>) -> Exit {
    let more = target.map_or_else(String::new, |path| {
        format!("\nmore: devgrant doctor --target {} looks at each thing once", path.display())
    });
    console.note(&format!("{}{more}\nnothing was judged · exit 3", trouble.text()));
    Exit::NotJudged
}
