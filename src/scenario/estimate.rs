//! What a scenario will ask of generator and server, for `--dry-run`: computed from the file and the server's interval and
//! lifetime, with nothing sent. Peaks are upper estimates; a server that answers slowly lowers them.

use std::time::Duration;

use super::leaves::{After, Polls};
use super::model::{Arrive, ConnectionMode, DecideRule, Group, Phase, Scenario, UserChoice};
use super::setting::{Setting, Timeline};
use crate::timing::show;

/// Bytes of a waiting device: its record (104), its code (33 for one of 43 characters), and the fingerprint of its user
/// code (12).
const DEVICE_BYTES: f64 = 104.0 + 33.0 + 12.0;
/// Bytes of a decision that is to come: its user code (16), and its place in line (12).
const DECISION_BYTES: f64 = 16.0 + 12.0;
/// Bytes of every code that was ever issued: its fingerprint in the set that finds a code issued twice.
const CODE_BYTES: f64 = 12.0;
/// Bytes of an idle connection.
const CONNECTION_BYTES: f64 = 820.0;
/// What a request is taken to last where the number of pooled connections is asked for.
const REQUEST_SECONDS: f64 = 0.05;
/// How long a port of a closed connection stays taken (TIME-WAIT).
const CLOSED_PORT_SECONDS: f64 = 60.0;
/// What shorter peaks are spread over: a second.
const SHORTEST_PEAK: f64 = 1.0;

/// What a run will come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Devices that live at the same time, at most.
    pub devices: u64,
    /// Device access token requests in the busiest second, those of strangers included.
    pub polls_per_second: f64,
    /// Device authorization requests in the busiest second.
    pub codes_per_second: f64,
    /// Decisions that fall due in the busiest second; more than `approvals: { at_most }` wait in line.
    pub approvals_per_second: f64,
    /// Device authorization requests of the whole run.
    pub codes: u64,
    /// Sockets that are open at the same time, for polls lasting 50 ms.
    pub sockets: u64,
    /// Local ports that are taken at the same time, by open sockets and closed ones in TIME-WAIT.
    pub ports: u64,
    /// Bytes for devices, codes and connections; what the process needs without them is not in it.
    pub memory: u64,
    /// The stages of the run; [`Timeline::end`] is how long it takes.
    pub timeline: Timeline,
    /// What will not come out as the file says, in words.
    pub remarks: Vec<String>,
}

/// One group in figures, times in seconds.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    /// Devices that live at the same time, once all are there.
    alive: f64,
    /// Starting in a second while the held ones arrive.
    starts_filling: f64,
    /// Starting in a second afterwards.
    starts_after: f64,
    /// Starting in the busiest second of a burst.
    starts_burst: f64,
    /// Polls in a second.
    polls: f64,
    /// Decisions in a second.
    decisions: f64,
    /// Decisions in the busiest second of those that fall due together.
    decisions_together: f64,
    /// Codes of the whole run.
    codes: f64,
}

impl Estimate {
    /// The estimate for a scenario on a server that announces this.
    #[must_use]
    pub fn new(scenario: &Scenario, setting: &Setting) -> Self {
        let timeline = Timeline::new(scenario, setting);
        let loads: Vec<Load> =
            scenario.groups.iter().map(|group| Load::of(group, setting, &timeline)).collect();
        let sum = |of: fn(&Load) -> f64| loads.iter().map(of).sum::<f64>();
        let largest = |of: fn(&Load) -> f64| loads.iter().map(of).fold(0.0, f64::max);
        let strangers = scenario.strangers.unwrap_or_default();
        let garbage = strangers.garbage_codes.map_or(0.0, super::Rate::in_a_second);
        let (alive, polls) = (sum(|load| load.alive), sum(|load| load.polls) + garbage);
        let codes = sum(|load| load.codes);
        let starts = sum(|load| load.starts_filling).max(sum(|load| load.starts_after))
            + largest(|load| load.starts_burst);
        let decisions = sum(|load| load.decisions) + largest(|load| load.decisions_together);
        let busy = ((polls + starts) * REQUEST_SECONDS).ceil().max(1.0);
        let pool = scenario.connections.at_most.map_or(busy, |most| busy.min(f64::from(most)));
        let (sockets, ports) = match scenario.connections.mode {
            ConnectionMode::Pooled => (pool, pool),
            ConnectionMode::OnePerDevice => (alive, alive),
            ConnectionMode::OnePerPoll => (pool, pool + (polls + starts) * CLOSED_PORT_SECONDS),
        };
        let decided = if decisions > 0.0 { alive * DECISION_BYTES } else { 0.0 };
        let memory = alive * DEVICE_BYTES + decided + codes * CODE_BYTES + sockets * CONNECTION_BYTES;
        let mut estimate = Self {
            devices: alive.ceil() as u64,
            polls_per_second: polls,
            codes_per_second: starts,
            approvals_per_second: decisions,
            codes: codes.ceil() as u64,
            sockets: sockets.ceil() as u64,
            ports: ports.ceil() as u64,
            memory: memory.ceil() as u64,
            timeline,
            remarks: Vec::new(),
        };
        estimate.remark(scenario, setting);
        estimate
    }

    fn remark(&mut self, scenario: &Scenario, setting: &Setting) {
        let end = self.timeline.measured_to();
        if let Some(most) = scenario.approvals.at_most
            && self.approvals_per_second > most.in_a_second()
        {
            self.remarks.push(format!(
                "up to {:.0} decisions fall due in a second and {most} are made: the others wait in line",
                self.approvals_per_second
            ));
        }
        for group in &scenario.groups {
            let name = &group.name;
            if let Arrive::Burst(burst) = &group.arrive
                && burst.at.length(setting) >= end
            {
                let at = show(burst.at.length(setting));
                self.remarks.push(format!(
                    "{name} comes at {at}, when nothing new starts any more (from {} on)",
                    show(end)
                ));
            }
            for at in group.user.iter().filter_map(UserChoice::rule).filter_map(|rule| rule.at.as_ref()) {
                if at.length(setting) >= self.timeline.end() {
                    let at = show(at.length(setting));
                    self.remarks.push(format!("users of {name} decide at {at}, when the run is over"));
                }
            }
            if let Arrive::Hold(hold) = &group.arrive
                && hold.fill.length(setting) >= setting.lifetime
            {
                self.remarks.push(format!(
                    "{name} takes {} to arrive, and codes live {}: the first end before the last are there",
                    show(hold.fill.length(setting)),
                    show(setting.lifetime)
                ));
            }
        }
    }
}

impl Load {
    fn of(group: &Group, setting: &Setting, timeline: &Timeline) -> Self {
        let span = timeline.measured_to().as_secs_f64();
        let life = life(group, setting);
        let per_second = |devices: f64, over: Duration| devices / over.as_secs_f64().max(SHORTEST_PEAK);
        let mut load = match &group.arrive {
            Arrive::Hold(hold) => {
                let devices = hold.devices as f64;
                let after = devices / life;
                let fill = hold.fill.length(setting);
                Self {
                    alive: devices,
                    starts_filling: per_second(devices, fill),
                    starts_after: after,
                    codes: devices + after * (span - life.max(fill.as_secs_f64())).max(0.0),
                    ..Self::default()
                }
            }
            Arrive::Constant(rule) | Arrive::Poisson(rule) => {
                Self::at_a_rate(rule.rate.in_a_second(), rule.rate.in_a_second() * span, life.min(span))
            }
            Arrive::Ramp(ramp) => {
                let (from, to) = (ramp.from.in_a_second(), ramp.to.in_a_second());
                let over = ramp.over.length(setting).as_secs_f64().min(span);
                let codes = f64::midpoint(from, to) * over + to * (span - over);
                Self::at_a_rate(from.max(to), codes, life.min(span))
            }
            Arrive::Burst(burst) => {
                let devices = burst.devices as f64;
                Self {
                    alive: devices,
                    starts_burst: per_second(devices, burst.over.length(setting)),
                    codes: devices,
                    ..Self::default()
                }
            }
        };
        load.polls = load.polls_of(group, setting);
        load.decide(group, setting);
        load
    }

    fn at_a_rate(rate: f64, codes: f64, life: f64) -> Self {
        let alive = (rate * life).min(codes);
        Self { alive, starts_filling: rate, starts_after: rate, codes, ..Self::default() }
    }

    /// All of a herd poll in the same second.
    fn polls_of(&self, group: &Group, setting: &Setting) -> f64 {
        let interval = setting.interval.as_secs_f64();
        match (&group.polls, group.phase) {
            (Polls::Never, _) => 0.0,
            (Polls::Conforming, Phase::Together) => self.alive,
            (Polls::Conforming, Phase::Random) => self.alive / interval,
            (Polls::Every(gap), _) => self.alive / gap.length(setting).as_secs_f64().max(1e-3),
            (Polls::Race { at_once, then_replay }, _) => {
                let starts = self.starts_after.max(self.starts_burst);
                starts * f64::from(*at_once) + (self.alive / interval).min(starts * f64::from(*then_replay))
            }
        }
    }

    fn decide(&mut self, group: &Group, setting: &Setting) {
        let total = total_weight(group);
        let starts = self.starts_after.max(self.starts_burst);
        for choice in &group.user {
            let part = f64::from(choice.weight()) / total;
            match choice.rule() {
                Some(DecideRule { at: Some(_), over, .. }) => {
                    let over = over.as_ref().map_or(0.0, |over| over.length(setting).as_secs_f64());
                    self.decisions_together += self.alive * part / over.max(SHORTEST_PEAK);
                }
                Some(_) => self.decisions += starts * part,
                None => {}
            }
        }
    }
}

fn total_weight(group: &Group) -> f64 {
    group.user.iter().map(|choice| f64::from(choice.weight())).sum::<f64>().max(1.0)
}

/// How long a device of the group lives on average, from its codes to its end, in seconds.
fn life(group: &Group, setting: &Setting) -> f64 {
    let lifetime = setting.lifetime.as_secs_f64();
    let interval = setting.interval.as_secs_f64();
    if group.polls == Polls::Never {
        return lifetime;
    }
    // Until the poll after the decision: half a gap on average; a race waits for the decision alone.
    let heard = match &group.polls {
        Polls::Every(gap) => gap.length(setting).as_secs_f64() / 2.0,
        Polls::Race { then_replay, .. } => f64::from(*then_replay) * interval,
        Polls::Conforming | Polls::Never => interval / 2.0,
    };
    let each = group.user.iter().map(|choice| {
        let decided = choice.rule().map_or(lifetime, |rule| mean(rule, setting, lifetime));
        f64::from(choice.weight()) * (decided + heard).clamp(interval.min(lifetime), lifetime)
    });
    (each.sum::<f64>() / total_weight(group)).max(1e-3)
}

/// How long after its codes a decision falls due on average, in seconds.
fn mean(rule: &DecideRule, setting: &Setting, lifetime: f64) -> f64 {
    let mean = match &rule.after {
        Some(After::Fixed(timing)) => timing.length(setting).as_secs_f64(),
        Some(After::Expiry(timing)) => lifetime + timing.seconds(setting),
        Some(After::Uniform { from, to }) => {
            f64::midpoint(from.length(setting).as_secs_f64(), to.length(setting).as_secs_f64())
        }
        Some(After::LogNormal { median, p99 }) => {
            let (median, p99) = (median.length(setting).as_secs_f64(), p99.length(setting).as_secs_f64());
            let sigma = (p99 / median).ln() / super::schedule::P99_OF_NORMAL;
            median * (sigma * sigma / 2.0).exp()
        }
        None => lifetime,
    };
    mean.clamp(0.0, lifetime)
}
