//! What a run will ask of this machine and of the server, and whether this machine can bear it.

use std::path::Path;
use std::time::Duration;

use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::machine::preflight::{self, Line, Verdict, Wanted};
use crate::machine::{limits, process};
use crate::report::load as report;
use crate::scenario::{ConnectionMode, Estimate, Scenario, Setting};

/// What a target announces that nobody has asked yet: the interval of RFC 8628 §3.2, and a usual lifetime.
const ASSUMED: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(600));

/// Shows the estimate and the preflight, and sends nothing.
pub(super) fn dry_run(console: &Console, scenario: &Scenario, target: Option<&Path>) -> Exit {
    let embedded = Setting::embedded(scenario).filter(|_| target.is_none());
    let setting = embedded.clone().unwrap_or_else(|| Setting::new(ASSUMED.0, ASSUMED.1));
    let estimate = Estimate::new(scenario, &setting);
    let cores = limits::cores().map_or(1, |cores| cores.allowed.len());
    let lines = preflight::preflight(&wanted(scenario, &estimate, shards(None, cores, true), true));
    console.out(&report::estimate(
        &scenario.scenario,
        &estimate,
        &setting,
        embedded.is_some(),
        console.style(),
    ));
    console.out(&shown(&lines));
    console.out("nothing was sent");
    Exit::Good
}

/// The preflight as lines of text.
pub(super) fn shown(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        let word = match line.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Failed => "FAILED",
        };
        text.push_str(&format!(" {word:<8} {}\n", line.what));
        if let Some(help) = &line.help {
            text.push_str(&format!("          help: {help}\n"));
        }
    }
    text
}

/// What the run will take of this machine.
pub(super) fn wanted(scenario: &Scenario, estimate: &Estimate, shards: u32, server_is_here: bool) -> Wanted {
    let is_new = scenario.connections.mode == ConnectionMode::OnePerPoll;
    let own = process::of_self().map_or(0, |usage| usage.memory);
    Wanted {
        sockets: estimate.sockets,
        new_connections_per_second: if is_new {
            estimate.polls_per_second + estimate.codes_per_second
        } else {
            0.0
        },
        sources: scenario.connections.sources.len().max(1),
        memory: estimate.memory + own,
        shards: shards as usize,
        server_is_here,
    }
}

/// How many threads play devices: as asked, or half the cores beside a server on this machine, or all of them.
pub(super) fn shards(asked: Option<u32>, cores: usize, server_is_here: bool) -> u32 {
    let all = u32::try_from(cores).unwrap_or(1).max(1);
    asked.unwrap_or(if server_is_here { (all / 2).max(1) } else { all })
}
