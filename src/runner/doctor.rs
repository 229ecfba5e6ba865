//! Looks at everything that a run needs, each thing once, and goes on past what is wrong as far as that makes sense.
//!
//! Asks by the same requests as `preflight`. Judges nothing: what a server does wrong is for checks to say, and is a
//! failed line only where no run would come out.

use std::collections::BTreeSet;
use std::time::Duration;

use super::link::Link;
use super::resolve::Resolved;
use crate::approval::Driver;
use crate::catalog::Entry;
use crate::clock;
use crate::diagnosis::{Diagnosis, Line, State};
use crate::outcome::Outcome;
use crate::plan::{Limits, Plan};
use crate::target::Target;
use crate::timing::show;

mod clients;
mod decisions;
mod network;
mod refused;

use clients::Clients;

/// A clock that is off by more is worth a word: the times in ID tokens are judged by this machine's.
const LARGEST_SKEW: f64 = 5.0;

/// A run of this length needs no word about a shorter one.
const SHORT_RUN: Duration = Duration::from_secs(60);

/// What is looked at.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// The server.
    pub target: &'a Target,
    /// What plays the user; none when nobody does.
    pub driver: Option<&'a dyn Driver>,
    /// The checks of a whole run.
    pub entries: &'a [&'a Entry],
    /// What is allowed.
    pub limits: Limits,
}

/// What happens meanwhile.
#[derive(Debug, Clone, Copy)]
pub enum Told<'a> {
    /// A line is known.
    Line(&'a Line),
    /// What is waited for.
    Progress(&'a str),
}

/// Looks at the target; `tell` hears of every line when it is known.
pub async fn doctor(link: &Link, look: Look<'_>, tell: &mut dyn FnMut(Told<'_>)) -> Diagnosis {
    let mut doctor = Doctor { link, look, tell, diagnosis: Diagnosis::of(&look.target.target) };
    doctor.look().await;
    doctor.diagnosis
}

struct Doctor<'a> {
    link: &'a Link,
    look: Look<'a>,
    tell: &'a mut dyn FnMut(Told<'_>),
    diagnosis: Diagnosis,
}

impl Doctor<'_> {
    async fn look(&mut self) {
        let endpoints = self.network().await;
        let clients = match &endpoints {
            Some(endpoints) => Some(self.clients(endpoints).await),
            None => {
                self.skip(&["endpoints", "client", "poll"], "needs to know where the endpoints are");
                None
            }
        };
        match endpoints.as_ref().zip(clients.as_ref().filter(|clients| clients.has_codes())) {
            Some((endpoints, _)) => self.decisions(endpoints).await,
            None => self.skip(&["sign-in", "approval", "denial"], "needs codes for the client tv"),
        }
        self.clock();
        self.limiters();
        self.run_time(endpoints.as_ref().zip(clients.as_ref()));
    }

    fn put(&mut self, line: Line) {
        (self.tell)(Told::Line(&line));
        self.diagnosis.lines.push(line);
    }

    fn skip(&mut self, names: &[&'static str], why: &str) {
        for name in names {
            self.put(Line::new(name, State::NotLookedAt, why));
        }
    }

    /// What the Date headers of the answers say.
    fn clock(&mut self) {
        let skews = self.link.archive().into_iter().filter_map(|exchange| {
            let date = exchange.answer.as_ref().ok()?.header("date").next()?.to_owned();
            clock::ahead(&date, self.link.instant(exchange.done))
        });
        // The nearest: a date that a proxy has kept is old.
        let nearest = skews.min_by(|a, b| a.abs().total_cmp(&b.abs()));
        let line = match nearest {
            None => Line::new("clock", State::NotLookedAt, "no answer has a Date header"),
            Some(skew) if skew.abs() > LARGEST_SKEW => {
                let side = if skew > 0.0 { "ahead of" } else { "behind" };
                let seen = format!("the server's is {:.0} s {side} this machine's", skew.abs());
                Line::new("clock", State::Warning, seen)
                    .help("set the one that is wrong: the times in ID tokens are judged by this machine's")
            }
            Some(_) => Line::new("clock", State::Ok, "the server's and this machine's agree"),
        };
        self.put(line);
    }

    /// Whether anything was told to wait.
    fn limiters(&mut self) {
        let all = self.link.archive();
        let limited: Vec<_> = all.iter().filter(|exchange| exchange.outcome() == Outcome::Limited).collect();
        let line = if limited.is_empty() {
            Line::new("rate limits", State::Ok, format!("none met in {} requests", all.len()))
        } else {
            let longest =
                limited.iter().filter_map(|exchange| exchange.answer.as_ref().ok()?.retry_after()).max();
            let wait = longest.map_or_else(String::new, |wait| format!(", Retry-After up to {}", show(wait)));
            let seen = format!("{} of {} requests were answered 429 or 503{wait}", limited.len(), all.len());
            Line::new("rate limits", State::Warning, seen).help(
                "a run sends thousands of requests: raise the limit for this machine, or give check --jobs 4",
            )
        };
        self.put(line);
    }

    /// How long a whole run takes with the interval and the lifetime of this server.
    fn run_time(&mut self, looked: Option<(&Resolved, &Clients)>) {
        let Some((endpoints, clients)) = looked.filter(|(_, clients)| clients.has_codes()) else {
            return self.skip(&["run time"], "needs codes for the client tv");
        };
        let Look { target, entries, limits, .. } = self.look;
        let found = clients.looked(target, endpoints).found(self.link.shared().has_tls());
        let plan = Plan::new(entries, target, &found, limits, &BTreeSet::new());
        let mut seen = format!(
            "a whole run takes about {} ({} checks; interval {}, lifetime {})",
            show(Duration::from_secs(plan.estimate.as_secs().max(1))),
            plan.checks(),
            show(found.interval),
            show(found.lifetime)
        );
        if plan.estimate > SHORT_RUN {
            let short = Plan::new(
                entries,
                target,
                &found,
                Limits { max_wait: Some(SHORT_RUN), ..limits },
                &BTreeSet::new(),
            );
            let left_out = plan.checks() - short.checks();
            seen.push_str(&format!("; --max-wait \"{}\" leaves out {left_out} of them", show(SHORT_RUN)));
        }
        self.put(Line::new("run time", State::Ok, seen));
    }
}
