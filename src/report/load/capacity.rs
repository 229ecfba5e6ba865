//! The search for a server's capacity, step by step, and what it found.

use serde::Serialize;

use crate::report::span;
use crate::report::terminal::{Ink, Style, wrap};
use crate::tally::Search;

/// From this share of a core on, the server's CPU was what limited it.
const BUSY: f64 = 0.8;

/// One step of the search.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// How many devices were wanted.
    pub devices: u64,
    /// How many waited at its end, those that are approved included.
    pub waiting: u64,
    /// Polls that were answered in a second.
    pub polls_per_second: f64,
    /// The 99th percentile of their response time, in microseconds.
    pub p99: Option<u64>,
    /// The 99th percentile of the lag, in microseconds.
    pub lag_p99: Option<u64>,
    /// Cores that the server used; nothing where they cannot be seen.
    pub server_cores: Option<f64>,
    /// Did decisions wait in line, so that the approval driver limited the grants?
    pub driver_was_the_limit: bool,
    /// What was missed, or why the generator was the limit.
    pub because: Vec<String>,
    /// What became of it.
    pub verdict: StepVerdict,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepVerdict {
    /// Every threshold was met.
    Borne,
    /// One was missed.
    NotBorne,
    /// Nothing can be said of the server.
    GeneratorWasTheLimit,
}

/// A step as a line, with what was missed below it.
#[must_use]
pub fn step(step: &Step, style: &Style) -> String {
    let ms = |micros: Option<u64>| micros.map_or_else(|| "-".to_owned(), |us| span::took(us as f64 / 1000.0));
    let (word, ink) = match step.verdict {
        StepVerdict::Borne => ("borne", Ink::Pass),
        StepVerdict::NotBorne => ("NOT BORNE", Ink::Fail),
        StepVerdict::GeneratorWasTheLimit => ("generator was the limit", Ink::Warn),
    };
    let cores = step.server_cores.map_or_else(String::new, |cores| format!("   server {cores:.2} cores"));
    let mut text = format!(
        " {:>11} devices   {:>8} polls/s   p99 {:>7}   lag p99 {:>7}{cores}   {}\n",
        span::count(step.devices),
        span::count(step.polls_per_second.round() as u64),
        ms(step.p99),
        ms(step.lag_p99),
        style.paint(ink, word)
    );
    let driver = "decisions waited in line: the approval driver limited the grants".to_owned();
    let more = step.because.iter().cloned().chain(step.driver_was_the_limit.then_some(driver));
    for line in more.flat_map(|line| wrap(&line, style.text_width().saturating_sub(14))) {
        text.push_str(&format!("              {line}\n"));
    }
    text
}

/// What the search found.
#[must_use]
pub fn capacity(steps: &[Step], search: &Search, style: &Style) -> String {
    let best =
        steps.iter().rev().find(|step| step.verdict == StepVerdict::Borne && step.devices == search.best());
    let Some(best) = best else {
        return format!(
            "\n{}\n",
            style.paint(Ink::Fail, "No step was borne: nothing can be said of the capacity.")
        );
    };
    let more = if search.is_at_most() { " and more: --most says how far the search goes" } else { "" };
    let sentence = format!("The server bears {} waiting devices{more}.", span::count(best.devices));
    let cpu = match best.server_cores {
        None => "Its CPU cannot be seen: --server-pid says which process is the server's.".to_owned(),
        Some(cores) if cores >= BUSY => format!(
            "It used {cores:.2} cores: {} waiting devices per server core.",
            span::count((best.devices as f64 / cores) as u64)
        ),
        Some(cores) => format!("It used {cores:.2} cores: not limited by CPU."),
    };
    format!("\n{}\n{cpu}\n", style.paint(Ink::Strong, &sentence))
}
