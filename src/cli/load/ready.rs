//! Everything that a run needs, made ready: the server, what it announces, the machine, the requests.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::{EngineFlags, Side, Stopped, machine};
use crate::approval::{self, Firsts};
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::files;
use crate::cli::pages::Gated;
use crate::clock;
use crate::diagnostic::{Diagnostic, messages};
use crate::http::thin::Spoken;
use crate::http::{HttpPages, Trust, Wire};
use crate::load::{Decider, Distinct, Hook, Key, Place, Requests, Setup, Typist, Wanted, Watching};
use crate::machine::child::{self, Child};
use crate::machine::limits;
use crate::machine::preflight::{self, Verdict};
use crate::oracle::{Oracle, Table, Terms};
use crate::protocol::{Role, UserRole};
use crate::requirement::Requirements;
use crate::runner::{Link, Metadata, Resolved, Trouble, announced, locate};
use crate::scenario::{ConnectionMode, Estimate, HttpVersion, Scenario, Schedule, Setting, Threshold};
use crate::tally::{self, Began, Machine};
use crate::target::{Approval, Target};

/// Visits of the pages at the same time.
const VISITS: u32 = 32;

/// What to do about a target that is not on this machine.
const MAY_LOAD: &str = "help: if you own it, or its owner lets you, say so with --i-may-load-this-host";

/// Whom to play against, and with which engine.
#[derive(Clone, Copy)]
pub(in crate::cli) struct How<'a> {
    pub(in crate::cli) side: &'a Side,
    pub(in crate::cli) engine: &'a EngineFlags,
}

/// A run that can start.
pub(in crate::cli) struct Ready {
    pub(in crate::cli) setup: Arc<Setup>,
    pub(in crate::cli) target: Target,
    pub(in crate::cli) watching: Watching,
    pub(in crate::cli) began: Began,
    pub(in crate::cli) thresholds: Vec<Threshold>,
    pub(in crate::cli) validity: Vec<Threshold>,
    /// What a reader should know beforehand.
    pub(in crate::cli) remarks: Vec<String>,
    /// The reference server, where it is ours.
    pub(in crate::cli) child: Option<Child>,
}

/// The server, and what it says of itself.
struct Server {
    target: Target,
    /// Whom it is trusted by beside the system.
    trust: Trust,
    child: Option<Child>,
    endpoints: Resolved,
    setting: Setting,
}

/// Which cores are for whom; nobody is kept anywhere where there are none.
struct Cores {
    /// How many may be used.
    allowed: usize,
    shards: Vec<usize>,
    server: Vec<usize>,
}

impl Ready {
    pub(in crate::cli) async fn new(
        how: How<'_>,
        console: &Console,
        scenario: Scenario,
        fingerprint: String,
        crowd: Option<Wanted>,
    ) -> Result<Self, Stopped> {
        let How { side: load, engine } = how;
        let stop = |exit: Exit| {
            move |message: String| {
                console.note(&format!("error: {message}"));
                Stopped(exit)
            }
        };
        can_be_played(how, &scenario).map_err(stop(Exit::Usage))?;
        let allowed = limits::cores().map_or_else(Vec::new, |cores| cores.allowed);
        let cores = Cores::of(load, &allowed);
        let server = Server::find(how, console, &scenario, &cores).await?;
        let estimate = Estimate::new(&scenario, &server.setting);
        let spoken = match scenario.connections.http {
            HttpVersion::H1 => Spoken::Http1,
            HttpVersion::H2 => Spoken::Http2,
        };
        let token = Place::find(&server.endpoints.token, &server.trust, spoken).await;
        let device_authorization =
            Place::find(&server.endpoints.device_authorization, &server.trust, spoken).await;
        let (token, device_authorization) = token
            .and_then(|token| Ok((token, device_authorization?)))
            .map_err(|error| stop(Exit::NotJudged)(error.to_string()))?;
        let is_here = token.is_loopback() && device_authorization.is_loopback();
        if !is_here && !load.i_may_load_this_host {
            let place = format!("{} is not on this machine", server.endpoints.token);
            return Err(stop(Exit::Usage)(format!("{place}\n{MAY_LOAD}")));
        }
        let schedule = Schedule::new(&scenario, &server.setting);
        engine.can_play(&schedule, &scenario.connections).map_err(stop(Exit::Usage))?;
        let shards = if engine.is_goose() { 1 } else { machine::shards(load.shards, allowed.len(), is_here) };
        let most = most_connections(console, &scenario, &estimate, shards, is_here)?;
        let clients = requests(&scenario, &server).map_err(stop(Exit::Usage))?;
        let typist = typist(&server.target, &server.trust, load.timeout);
        let (decider, remark) =
            decider(&scenario, &server, typist.is_some()).await.map_err(stop(Exit::NotJudged))?;
        let guesses = scenario.strangers.is_some_and(|strangers| strangers.wrong_user_codes.is_some());
        let typist = typist.filter(|_| guesses || matches!(decider, Decider::Typist));
        let oracle = oracle(&server.setting).map_err(stop(Exit::NotJudged))?;
        let mut remarks = estimate.remarks.clone();
        remarks.extend(remark);
        let setup = Setup {
            schedule,
            setting: server.setting.clone(),
            oracle,
            violation_from: load.mode.violation_from(),
            clients,
            connections: scenario.connections.clone(),
            token,
            device_authorization,
            crowd,
            decider,
            typist,
            decisions_per_second: scenario.approvals.at_most.map(crate::scenario::Rate::in_a_second),
            timeout: load.timeout,
            shards,
            most_connections: scenario.connections.at_most.unwrap_or(most),
            cores: cores.shards.clone(),
            epoch: OnceLock::new(),
            key: Key::default(),
            device_codes: Distinct::for_about(estimate.codes),
            user_codes: Distinct::for_about(estimate.devices),
            tokens: Distinct::for_about(estimate.codes - estimate.codes.min(estimate.devices)),
        };
        let began = began(how, &scenario, fingerprint, &setup, &server, estimate.devices, cores);
        let watching = Watching {
            server: server.child.as_ref().map(|child| child.pid).or(load.server_pid),
            abort: Vec::new(),
        };
        Ok(Self {
            setup: Arc::new(setup),
            target: server.target,
            watching,
            began,
            validity: scenario.validity(),
            thresholds: scenario.thresholds,
            remarks,
            child: server.child,
        })
    }
}

/// What the engine cannot do yet is refused before anything is sent.
fn can_be_played(how: How<'_>, scenario: &Scenario) -> Result<(), String> {
    let How { side: load, engine } = how;
    if scenario.connections.http == HttpVersion::H2 && engine.is_goose() {
        return Err("connections: { http: h2 } is played by the native engine alone: Goose shares one connection among all of its users then\nhelp: leave --engine goose or http out".to_owned());
    }
    // How many devices come in a length of intervals is only known once a target has said how long its are.
    if let Some(setting) = Setting::embedded(scenario).filter(|_| load.target.is_none()) {
        engine.can_play(&Schedule::new(scenario, &setting), &scenario.connections)?;
    }
    Ok(())
}

impl Cores {
    /// Beside a reference server of ours each side has its half; otherwise as asked.
    fn of(load: &Side, allowed: &[usize]) -> Self {
        let is_split = load.target.is_none() && !load.no_pin && allowed.len() > 1;
        let (mine, servers) = if is_split { allowed.split_at(allowed.len() / 2) } else { Default::default() };
        let or =
            |asked: &[usize], own: &[usize]| if asked.is_empty() { own.to_vec() } else { asked.to_vec() };
        Self {
            allowed: allowed.len(),
            shards: or(&load.cores, mine),
            server: or(&load.server_cores, servers),
        }
    }
}

impl Server {
    async fn find(
        how: How<'_>,
        console: &Console,
        scenario: &Scenario,
        cores: &Cores,
    ) -> Result<Self, Stopped> {
        let load = how.side;
        let stop = |exit: Exit, message: String| {
            console.note(&format!("error: {message}"));
            Stopped(exit)
        };
        let mistakes = |mistakes: Vec<Diagnostic>| {
            files::show(console, &mistakes, 1);
            Stopped(Exit::Usage)
        };
        let (target, child) = match &load.target {
            Some(path) => (files::target(path).map_err(mistakes)?, None),
            None => {
                let child =
                    start(load, scenario, cores).await.map_err(|error| stop(Exit::NotJudged, error))?;
                let mut target = files::embedded().map_err(mistakes)?;
                target.issuer = Some(child.issuer.clone());
                (target, Some(child))
            }
        };
        if target.tls.is_some() && how.engine.is_goose() {
            return Err(stop(Exit::Usage, "tls of the target is not used by Goose, which trusts what this system trusts and shows no certificate\nhelp: leave --engine goose out, or add the authority to the system's".to_owned()));
        }
        let trust = files::trust(None, load.target.as_deref(), &target);
        let trust = trust.map_err(|diagnostic| mistakes(vec![diagnostic]))?;
        if !load.i_may_load_this_host
            && let Some(url) =
                elsewhere(&target, &trust).await.map_err(|error| stop(Exit::NotJudged, error))?
        {
            let place = format!("{url} is not on this machine, and nothing was sent");
            return Err(stop(Exit::Usage, format!("{place}\n{MAY_LOAD}")));
        }
        let asked = ask(console, &target, &trust, load).await;
        let (endpoints, (interval, lifetime)) = asked.map_err(|message| stop(Exit::NotJudged, message))?;
        let setting = Setting::new(interval, lifetime).with_constants(target.constants());
        Ok(Self { target, trust, child, endpoints, setting })
    }
}

/// The first address of the target that is not on this machine.
async fn elsewhere(target: &Target, trust: &Trust) -> Result<Option<String>, String> {
    let endpoints = &target.endpoints;
    let all = [&target.issuer, &endpoints.device_authorization, &endpoints.token];
    for url in all.into_iter().flatten().filter(|url| !url.starts_with('/')) {
        if !Place::find(url, trust, Spoken::Http1).await.map_err(|error| error.to_string())?.is_loopback() {
            return Ok(Some(url.clone()));
        }
    }
    Ok(None)
}

/// The reference server as a child process.
async fn start(load: &Side, scenario: &Scenario, cores: &Cores) -> Result<Child, String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let settings = child::Settings {
        interval: scenario.embedded.map(|embedded| embedded.interval),
        lifetime: scenario.embedded.map(|embedded| embedded.lifetime),
        faults: load.fault.iter().map(|fault| fault.id.to_owned()).collect(),
        cores: cores.server.clone(),
        ..child::Settings::new(program)
    };
    // The child inherits the limit, and has as many connections as this process.
    limits::raise_descriptors();
    child::start(&settings).await.map_err(|error| error.to_string())
}

/// Where the endpoints are and what the server announces: one device authorization request.
async fn ask(
    console: &Console,
    target: &Target,
    trust: &Trust,
    load: &Side,
) -> Result<(Resolved, (Duration, Duration)), String> {
    let wire = Wire::trusting(load.timeout, trust.clone()).map_err(|error| error.to_string())?;
    let words = |trouble: Trouble| trouble.words();
    load.wait.until_ready(console, &wire, target).await.map_err(words)?;
    let link = Link::unheard(Arc::new(wire), target);
    let endpoints = locate(&link, target, Metadata::AsPublished).await.map_err(words)?;
    let times = announced(&link, target, &endpoints).await.map_err(words)?;
    Ok((endpoints, times))
}

/// How many connections the run may have; stops it where this machine cannot bear it.
fn most_connections(
    console: &Console,
    scenario: &Scenario,
    estimate: &Estimate,
    shards: u32,
    is_here: bool,
) -> Result<u32, Stopped> {
    let descriptors = limits::raise_descriptors();
    let lines = preflight::preflight(&machine::wanted(scenario, estimate, shards, is_here));
    let worst = lines.iter().map(|line| line.verdict).max();
    if worst > Some(Verdict::Ok) {
        let lines: Vec<_> = lines.iter().filter(|line| line.verdict > Verdict::Ok).cloned().collect();
        console.note(&machine::shown(&lines));
    }
    if worst == Some(Verdict::Failed) {
        console.note("the generator would be the limit: nothing was sent but one request for codes · exit 3");
        return Err(Stopped(Exit::NotJudged));
    }
    let room = descriptors.map_or(u64::from(u16::MAX), |limit| limit.soft);
    let room = room.saturating_sub(preflight::RESERVED_DESCRIPTORS).max(1);
    Ok(u32::try_from(room).unwrap_or(u32::MAX))
}

/// The requests of every client that the scenario names.
fn requests(scenario: &Scenario, server: &Server) -> Result<Vec<Requests>, String> {
    let mut roles: BTreeSet<Role> =
        scenario.groups.iter().flat_map(|group| group.clients.keys().copied()).collect();
    if roles.is_empty() {
        roles.insert(Role::Tv);
    }
    let one = |role: Role| {
        let client = server.target.client(role).ok_or_else(|| {
            format!("the scenario needs a client {role}, and the target file names none\nhelp: add clients.{role} to it")
        })?;
        let Resolved { device_authorization, token, .. } = &server.endpoints;
        Requests::new(role, &server.target, client, device_authorization, token)
            .map_err(|error| error.to_string())
    };
    roles.into_iter().map(one).collect()
}

/// Who can decide by requests: the form or http driver of the target.
fn typist(target: &Target, trust: &Trust, timeout: Duration) -> Option<Typist> {
    let approval = target
        .approval
        .clone()
        .filter(|approval| matches!(approval, Approval::Form(_) | Approval::Http(_)))?;
    let user = target.users.get(&UserRole::Alice)?.clone();
    let (trust, name) = (trust.clone(), approval.name());
    let make = move || {
        let pages = HttpPages::trusting(&trust).map_err(|error| error.to_string())?;
        let visits = Arc::new(Semaphore::new(VISITS as usize));
        let pages = Arc::new(Gated::new(pages, visits, timeout));
        approval::by_requests(&approval, pages)
            .ok_or_else(|| format!("the {name} driver decides under no load"))
    };
    Some(Typist { make: Box::new(make), user, at_once: VISITS, name, firsts: Firsts::default() })
}

/// Who decides, and what there is to say about it.
async fn decider(
    scenario: &Scenario,
    server: &Server,
    has_typist: bool,
) -> Result<(Decider, Option<String>), String> {
    if scenario.groups.iter().all(|group| group.user.iter().all(|choice| choice.rule().is_none())) {
        return Ok((Decider::Nobody, None));
    }
    if let Some(child) = &server.child {
        let place = Place::find(&child.admin, &Trust::default(), Spoken::Http1).await;
        let place = place.map_err(|error| error.to_string())?;
        let host = child.admin.trim_start_matches("http://").to_owned();
        return Ok((Decider::Hook(Hook { place, host }), None));
    }
    if has_typist {
        return Ok((Decider::Typist, None));
    }
    let remark = "nobody decides: the target file has no form or http recipe with a user alice, so no device is granted";
    Ok((Decider::Nobody, Some(remark.to_owned())))
}

fn oracle(setting: &Setting) -> Result<Oracle, String> {
    let table = Requirements::builtin().and_then(|requirements| Table::builtin(&requirements));
    let table = table.map_err(|mistakes| messages(&mistakes))?;
    Ok(Oracle::new(table, Terms::new(&setting.constants)))
}

/// How the record begins.
fn began(
    how: How<'_>,
    scenario: &Scenario,
    fingerprint: String,
    setup: &Setup,
    server: &Server,
    devices: u64,
    cores: Cores,
) -> Began {
    let timeline = setup.schedule.timeline();
    let stages = [timeline.fill, timeline.measured_from(), timeline.measured_to(), timeline.end()];
    let connections = match scenario.connections.mode {
        ConnectionMode::Pooled if how.engine.is_goose() => "pooled by Goose's clients".to_owned(),
        ConnectionMode::Pooled => format!("pooled, at most {}", setup.most_connections),
        mode => mode.word().replace('_', " "),
    };
    Began {
        format: tally::FORMAT,
        devgrant: env!("CARGO_PKG_VERSION").to_owned(),
        at: clock::wall().to_string(),
        scenario: scenario.scenario.clone(),
        title: scenario.title.clone(),
        fingerprint,
        seed: scenario.seed,
        devices,
        target: server.target.target.clone(),
        endpoint: server.endpoints.token.clone(),
        engine: how.engine.name().to_owned(),
        interval_s: setup.setting.interval.as_secs_f64(),
        lifetime_s: setup.setting.lifetime.as_secs_f64(),
        shards: setup.shards,
        stages_s: stages.map(|stage| stage.as_secs_f64()),
        approvals: setup.users().to_owned(),
        connections,
        faults: how.side.fault.iter().map(|fault| fault.id.to_owned()).collect(),
        machine: Machine {
            cores: cores.allowed,
            pinned: cores.shards,
            server_pinned: cores.server,
            checks_pinned: Vec::new(),
        },
    }
}
