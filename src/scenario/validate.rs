//! What must be true of a scenario before anything is sent: every mistake of meaning, each at its place. A group in which
//! something could not be read is left alone, so that one mistake gives one message.

use std::collections::BTreeMap;
use std::time::Duration;

use super::leaves::{After, Polls};
use super::model::{Arrive, ConnectionMode, DecideRule, Group, HttpVersion, Phase, Scenario, UserChoice};
use super::rate::Rate;
use super::setting::Setting;
use super::threshold::{Operation, Quantity, Series, Share, Threshold, Timed};
use crate::diagnostic::Diagnostic;
use crate::outcome::Outcome;
use crate::protocol::Role;
use crate::timing::{Anchor, Timing};
use crate::yaml::Spot;

/// What lengths are measured with where the file does not say what the server announces.
const USUAL: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(600));

/// Finds the mistakes of one file.
pub(super) fn validate(scenario: &Scenario, at: &Spot<'_>) -> Vec<Diagnostic> {
    let setting = Setting::embedded(scenario).unwrap_or_else(|| Setting::new(USUAL.0, USUAL.1));
    let mut judge = Judge { setting, out: Vec::new() };
    judge.whole(scenario, at);
    for (index, group) in scenario.groups.iter().enumerate() {
        let at = at.to("groups").to(index);
        if !at.is_pruned() {
            judge.group(group, &at);
        }
    }
    judge.names(scenario, at);
    if !at.is_pruned() {
        judge.thresholds(scenario, at);
    }
    judge.out
}

struct Judge {
    setting: Setting,
    out: Vec<Diagnostic>,
}

impl Judge {
    fn wrong(
        &mut self,
        code: &'static str,
        message: impl Into<String>,
        at: Diagnosed,
        help: impl Into<String>,
    ) {
        self.out.push(Diagnostic::error(code, message).at(at.0).help(help));
    }

    fn whole(&mut self, scenario: &Scenario, at: &Spot<'_>) {
        self.name(&scenario.scenario, "scenario", &at.to("scenario"));
        for (key, length) in
            [("warm_up", &scenario.warm_up), ("duration", &scenario.duration), ("drain", &scenario.drain)]
        {
            self.length(length, &at.to(key));
        }
        if scenario.duration.seconds(&self.setting) == 0.0 {
            let help = "say how long is measured: duration: 60 s";
            self.wrong(
                "no-duration",
                "a duration of nothing measures nothing",
                value(&at.to("duration")),
                help,
            );
        }
        if let Some(embedded) = scenario.embedded
            && (embedded.interval.is_zero() || embedded.lifetime <= embedded.interval)
        {
            let help = "let codes live for some intervals: embedded: { interval: 5 s, lifetime: 120 s }";
            let message = "no device could poll in this lifetime";
            self.wrong("embedded-lifetime", message, value(&at.to("embedded").to("lifetime")), help);
        }
        let connections = &scenario.connections;
        if connections.http == HttpVersion::H2 && connections.mode != ConnectionMode::Pooled {
            let message = format!("with HTTP/2 requests share connections, and mode is {}", connections.mode);
            let help = "leave mode out, or http";
            self.wrong("shared-connections", message, value(&at.to("connections").to("mode")), help);
        }
        if scenario.connections.at_most == Some(0) {
            let at = at.to("connections").to("at_most");
            self.wrong(
                "no-connections",
                "nothing is sent without connections",
                value(&at),
                "allow at least 1",
            );
        }
        self.rate(scenario.approvals.at_most, "decision is ever made", &at.to("approvals").to("at_most"));
        if let Some(strangers) = scenario.strangers {
            let at = at.to("strangers");
            self.rate(strangers.garbage_codes, "code is ever sent", &at.to("garbage_codes"));
            self.rate(strangers.wrong_user_codes, "code is ever typed", &at.to("wrong_user_codes"));
            if strangers == Default::default() && !at.is_pruned() {
                let help = "write garbage_codes: 50/s or wrong_user_codes: 5/s, or take strangers out";
                self.wrong("idle-strangers", "these strangers do nothing", key(&at), help);
            }
        } else if scenario.groups.is_empty() && !at.to("groups").is_pruned() {
            self.wrong("no-devices", "nobody comes in this scenario", key(&at.to("groups")), "add a group");
        }
    }

    fn names(&mut self, scenario: &Scenario, at: &Spot<'_>) {
        let mut seen = BTreeMap::new();
        for (index, group) in scenario.groups.iter().enumerate() {
            let at = at.to("groups").to(index).to("name");
            self.name(&group.name, "group", &at);
            if let Some(first) = seen.insert(&group.name, at.place()) {
                self.out.push(
                    Diagnostic::error("duplicate-group", format!("two groups are called \"{}\"", group.name))
                        .at(at.place())
                        .note(first, "the first one")
                        .help("give one of them another name: devices draw from it, and these would all do the same"),
                );
            }
        }
    }

    fn group(&mut self, group: &Group, at: &Spot<'_>) {
        self.arrive(&group.arrive, &at.to("arrive").to(group.arrive.word()));
        for role in group.clients.keys().filter(|role| matches!(role, Role::NoGrant | Role::Unknown)) {
            let message = format!("a client of the role {role} gets no codes");
            let help = "take a role that may use the device grant: tv, other-public, tv-confidential, ...";
            self.wrong("client-without-codes", message, key(&at.to("clients").to(role.word())), help);
        }
        if group.clients.values().all(|weight| *weight == 0) {
            let message = "no client has any weight";
            self.wrong(
                "no-weight",
                message,
                key(&at.to("clients")),
                "give at least one of them a weight from 1 on",
            );
        }
        if group.user.iter().all(|choice| choice.weight() == 0) {
            let help = "give at least one choice a weight from 1 on: nothing: { weight: 1 }";
            self.wrong("no-weight", "no user of this group does anything", key(&at.to("user")), help);
        }
        for (index, choice) in group.user.iter().enumerate() {
            if let Some(rule) = choice.rule() {
                self.rule(rule, &at.to("user").to(index).to(choice.word()));
            }
        }
        if let Polls::Every(gap) = &group.polls {
            self.positive(gap, "gap", &at.to("polls").to("every"));
        }
        if group.phase == Phase::Together && group.polls != Polls::Conforming {
            let message = "common instants are for devices that keep their pace";
            let help = "take phase or polls out";
            self.wrong("phase-without-pace", message, value(&at.to("phase")), help);
        }
        let approves = group.user.iter().any(is_approval);
        if matches!(group.polls, Polls::Race { .. }) && !approves {
            let help = "add a user who approves: approve: { weight: 1, after: 10 s }";
            self.wrong("race-without-approval", "a race begins with an approval", key(&at.to("polls")), help);
        }
    }

    fn arrive(&mut self, arrive: &Arrive, at: &Spot<'_>) {
        match arrive {
            Arrive::Hold(hold) => {
                self.devices(hold.devices, at);
                self.length(&hold.fill, &at.to("fill"));
            }
            Arrive::Constant(rule) | Arrive::Poisson(rule) => {
                self.rate(Some(rule.rate), "device ever starts", &at.to("rate"));
            }
            Arrive::Ramp(ramp) => {
                self.positive(&ramp.over, "ramp", &at.to("over"));
                if ramp.from == ramp.to {
                    let help = "write constant: { rate }, or another rate";
                    self.wrong("flat-ramp", "this ramp neither rises nor falls", value(&at.to("to")), help);
                }
            }
            Arrive::Burst(burst) => {
                self.devices(burst.devices, at);
                self.length(&burst.at, &at.to("at"));
                self.length(&burst.over, &at.to("over"));
            }
        }
    }

    fn rule(&mut self, rule: &DecideRule, at: &Spot<'_>) {
        match (&rule.after, &rule.at) {
            (None, None) => {
                let help = "write after: 10 s, or at: 60 s for all at once";
                self.wrong("decision-without-time", "this does not say when it is decided", key(at), help);
            }
            (Some(_), Some(_)) => {
                let help = "after counts from receipt of the codes, at from the start of the run";
                self.wrong("two-times", "a decision has after or at, not both", key(&at.to("at")), help);
            }
            (Some(after), None) => self.after(after, &at.to("after")),
            (None, Some(instant)) => self.length(instant, &at.to("at")),
        }
        if let Some(over) = &rule.over {
            self.length(over, &at.to("over"));
            if rule.at.is_none() {
                let help = "write at: 60 s, over: 1 s; or after: { from: 5 s, to: 60 s }";
                self.wrong("over-without-at", "over has a meaning only with at", key(&at.to("over")), help);
            }
        }
    }

    fn after(&mut self, after: &After, at: &Spot<'_>) {
        match after {
            After::Expiry(_) => {}
            After::Fixed(timing) => self.length(timing, at),
            After::LogNormal { median, p99 } => {
                self.positive(median, "median", &at.to("median"));
                self.length(p99, &at.to("p99"));
                self.in_order((median, p99), &at.to("p99"));
            }
            After::Uniform { from, to } => {
                self.length(from, &at.to("from"));
                self.length(to, &at.to("to"));
                self.in_order((from, to), &at.to("to"));
            }
        }
    }

    fn in_order(&mut self, (first, second): (&Timing, &Timing), at: &Spot<'_>) {
        if first.seconds(&self.setting) >= second.seconds(&self.setting) {
            let message = format!("{second} is not later than {first}");
            self.wrong("times-out-of-order", message, value(at), "write the earlier time first");
        }
    }

    fn thresholds(&mut self, scenario: &Scenario, at: &Spot<'_>) {
        for (index, threshold) in scenario.thresholds.iter().enumerate() {
            let at = at.to("thresholds").to(index);
            if threshold.is_about_the_generator() {
                let message = format!("\"{threshold}\" speaks of the generator, not of the server");
                let help = format!("write it as valid_while: \"{threshold}\"");
                self.wrong("threshold-on-generator", message, value(&at), help);
            }
            if let Some((what, help)) = never_measured(threshold, scenario) {
                let message = format!("\"{threshold}\" can never be judged: {what}");
                self.wrong("threshold-never-judged", message, value(&at), help);
            }
        }
        let bounds = scenario.valid_while.iter().flat_map(|bounds| &bounds.0);
        for threshold in bounds.filter(|threshold| !threshold.is_about_the_generator()) {
            let message = format!("\"{threshold}\" speaks of the server, not of the generator");
            let help = "write it under thresholds; valid_while is for lag_p99 and run_queue";
            let at = Diagnosed(at.to("valid_while").find(&threshold.to_string()));
            self.wrong("validity-of-server", message, at, help);
        }
    }

    fn name(&mut self, name: &str, what: &str, at: &Spot<'_>) {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
        if name.is_empty() || !name.chars().all(is_plain) {
            let message = format!("\"{name}\" is no name for a {what}");
            self.wrong("bad-name", message, value(at), "use small letters, digits, _ and -");
        }
    }

    fn devices(&mut self, devices: u64, at: &Spot<'_>) {
        if devices == 0 {
            let at = value(&at.to("devices"));
            self.wrong(
                "no-devices",
                "a group of no devices does nothing",
                at,
                "write how many, or take it out",
            );
        }
    }

    fn rate(&mut self, rate: Option<Rate>, what: &str, at: &Spot<'_>) {
        if rate.is_some_and(|rate| rate.in_a_second() == 0.0) {
            let message = format!("at this rate no {what}");
            self.wrong("rate-of-nothing", message, value(at), "write a rate above 0, or take it out");
        }
    }

    fn length(&mut self, timing: &Timing, at: &Spot<'_>) {
        if let Some(anchor) = timing.anchor {
            let message = format!("{anchor} is an instant; here stands a length of time");
            let help = match anchor {
                Anchor::Expiry => "write a length such as 3 s or 2 intervals; expiry stands behind after:",
                Anchor::TokenExpiry => "write a length such as 3 s or 2 intervals",
            };
            self.wrong("instant-for-length", message, Diagnosed(at.find(anchor.word())), help);
        } else if timing.seconds(&self.setting) < 0.0 {
            let message = format!("\"{timing}\" is less than nothing");
            self.wrong("negative-length", message, value(at), "write a length from 0 s on");
        }
    }

    fn positive(&mut self, timing: &Timing, what: &str, at: &Spot<'_>) {
        self.length(timing, at);
        if timing.anchor.is_none() && timing.seconds(&self.setting) == 0.0 {
            let message = format!("a {what} of nothing");
            self.wrong("no-length", message, value(at), "write a length above 0 s");
        }
    }
}

/// Where a mistake stands, if the file has such a place.
struct Diagnosed(Option<crate::diagnostic::Place>);

fn value(at: &Spot<'_>) -> Diagnosed {
    Diagnosed(at.place())
}

fn key(at: &Spot<'_>) -> Diagnosed {
    Diagnosed(at.key_place())
}

fn is_approval(choice: &UserChoice) -> bool {
    matches!(choice, UserChoice::Approve(rule) if rule.weight > 0)
}

/// Why a threshold has no figure in this scenario, and what to do.
fn never_measured(threshold: &Threshold, scenario: &Scenario) -> Option<(&'static str, &'static str)> {
    let collects = |group: &&Group| group.polls != Polls::Never;
    let some = |is: &dyn Fn(&UserChoice) -> bool| {
        scenario.groups.iter().filter(collects).any(|group| group.user.iter().any(is))
    };
    let denies = |choice: &UserChoice| matches!(choice, UserChoice::Deny(rule) if rule.weight > 0);
    let waits = |group: &Group| matches!(group.polls, Polls::Conforming | Polls::Every(_));
    let approval = "add a user who approves, in a group that polls";
    match threshold.quantity {
        Quantity::Share(Share::Grants) | Quantity::Percentile(Timed::ApprovalToToken, _)
            if !some(&is_approval) =>
        {
            Some(("no device that polls is approved", approval))
        }
        Quantity::Percentile(Timed::Response(series) | Timed::Service(series), _) => match series {
            Series::Outcome(Outcome::Granted) if !some(&is_approval) => {
                Some(("no device that polls is approved", approval))
            }
            Series::Outcome(Outcome::Denied) if !some(&denies) => {
                Some(("no device that polls is denied", "add a user who denies, in a group that polls"))
            }
            Series::Outcome(Outcome::Pending) if !scenario.groups.iter().any(waits) => {
                Some(("no device polls while its user has not decided", "add a group that polls"))
            }
            Series::Operation(Operation::Approval)
                if scenario
                    .groups
                    .iter()
                    .all(|group| group.user.iter().all(|user| user.rule().is_none())) =>
            {
                Some(("no user decides anything", "add a user who approves or denies"))
            }
            _ => None,
        },
        _ => None,
    }
}
