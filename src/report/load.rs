//! Load runs for people: how one begins, its line of every second, and what it came to. Made from the record alone.

mod capacity;
mod checks;
pub mod comparison;
mod ending;
mod json;
mod junit;
mod metrics;
mod sentence;
#[cfg(test)]
mod tests;

use std::time::Duration;

use super::live::Line;
use super::span;
use super::terminal::{Ink, Style, wrap};
use crate::scenario::{Estimate, Setting};
use crate::tally::{Began, LoadRecord, Second};

pub use capacity::{Step, StepVerdict, capacity, step};
pub use ending::ending;
pub use json::json;
pub use junit::junit;
pub use metrics::Metrics;
pub use sentence::sentence;

/// A whole record.
#[must_use]
pub fn render(record: &LoadRecord, style: &Style) -> String {
    let header = record.began.as_ref().map(|began| header(began, style)).unwrap_or_default();
    let told: String = record.told.iter().map(|told| format!("note: {}\n", told.text)).collect();
    format!("{header}{told}{}", ending(record, style))
}

/// What is played against what.
///
/// ```text
/// mixed_soak: 20,000 devices, interval 5 s, lifetime 120 s · 10 min 40 s · seed 1
/// the embedded reference server, http://127.0.0.1:40123/oauth/token
/// 1 shard on core 0, the server on core 1 · pooled, at most 256 · users: admin hook
/// ```
#[must_use]
pub fn header(began: &Began, style: &Style) -> String {
    let ms = |seconds: f64| span::took(seconds * 1000.0);
    let name = style.paint(Ink::Strong, &began.scenario);
    let [.., end] = began.stages_s;
    let text = format!(
        "{name}: {} devices, interval {}, lifetime {} · {} · seed {}\n",
        span::count(began.devices),
        ms(began.interval_s),
        ms(began.lifetime_s),
        ms(end),
        began.seed
    );
    text + sides(began).as_str()
}

/// The target and the machine.
///
/// ```text
/// the embedded reference server, http://127.0.0.1:40123/oauth/token
/// 1 shard on core 0, the server on core 1 · pooled, at most 256 · users: admin hook
/// ```
#[must_use]
pub fn sides(began: &Began) -> String {
    let faults = match began.faults.as_slice() {
        [] => String::new(),
        faults => format!(", with {}", faults.join(", ")),
    };
    let mut text = format!("{}{faults}, {}\n", began.target, began.endpoint);
    let shards = match began.shards {
        1 => "1 shard".to_owned(),
        shards => format!("{shards} shards"),
    };
    let machine = &began.machine;
    let mine = if machine.pinned.is_empty() {
        format!(" on {} cores", machine.cores)
    } else {
        format!(" on {}", cores(&machine.pinned))
    };
    let on = |who: &str, pinned: &[usize]| {
        if pinned.is_empty() { String::new() } else { format!(", {who} on {}", cores(pinned)) }
    };
    let server = on("the server", &machine.server_pinned) + on("the checks", &machine.checks_pinned).as_str();
    text.push_str(&format!(
        "{shards}{mine}{server} · {} · users: {} · {} engine\n",
        began.connections, began.approvals, began.engine
    ));
    text
}

fn cores(cores: &[usize]) -> String {
    let list = cores.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    format!("{} {list}", if cores.len() == 1 { "core" } else { "cores" })
}

/// One second of a run that ends at `end`.
#[must_use]
pub fn line(second: &Second, end: Duration) -> Line {
    let at = second.at_ms / 1000;
    let ms = |micros: u64| span::took(micros as f64 / 1000.0);
    let errors: Vec<String> = second.errors.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    let counts = format!(
        "{:02}:{:02} {}   waiting {}   polls {}/s   p50 {}  p99 {}   lag p99 {}",
        at / 60,
        at % 60,
        second.stage,
        span::count(second.waiting),
        span::count(second.polls),
        ms(second.p50),
        ms(second.p99),
        ms(second.lag_p99),
    );
    let mut more = vec![
        format!("codes {}/s", second.codes),
        format!("granted {}", second.granted),
        format!("violations {}", second.violations),
    ];
    if second.decisions_late > 0 {
        more.push(format!("decisions in line {}", second.decisions_late));
    }
    if second.limited > 0 {
        more.push(format!("limited {}", second.limited));
    }
    more.extend(errors);
    let fraction = second.at_ms as f64 / end.as_secs_f64().max(1e-3) / 1000.0;
    Line { fraction: fraction.min(1.0), counts, waiting: more.join("   ") }
}

/// What a run will come to, before anything is sent.
#[must_use]
pub fn estimate(name: &str, estimate: &Estimate, setting: &Setting, is_known: bool, style: &Style) -> String {
    let took = |length: Duration| span::took(length.as_secs_f64() * 1000.0);
    let assumed = if is_known { "" } else { " (assumed: the target was not asked)" };
    let timeline = &estimate.timeline;
    let mut lines = vec![
        (
            "devices".to_owned(),
            format!(
                "{} at the same time, {} codes in all",
                span::count(estimate.devices),
                span::count(estimate.codes)
            ),
        ),
        (
            "server".to_owned(),
            format!("interval {}, lifetime {}{assumed}", took(setting.interval), took(setting.lifetime)),
        ),
        (
            "peaks".to_owned(),
            format!(
                "{:.0} polls/s, {:.0} codes/s, {:.0} decisions/s",
                estimate.polls_per_second, estimate.codes_per_second, estimate.approvals_per_second
            ),
        ),
        (
            "sockets".to_owned(),
            format!(
                "{} at once, {} local ports, for answers that take 50 ms",
                span::count(estimate.sockets),
                span::count(estimate.ports)
            ),
        ),
        ("memory".to_owned(), format!("{} for devices, codes and connections", span::bytes(estimate.memory))),
        (
            "time".to_owned(),
            format!(
                "{}: fill {}, warm-up {}, measured {}, drain {}",
                took(timeline.end()),
                took(timeline.fill),
                took(timeline.warm_up),
                took(timeline.duration),
                took(timeline.drain)
            ),
        ),
    ];
    lines.extend(estimate.remarks.iter().map(|remark| ("note".to_owned(), remark.clone())));
    let mut text = format!("{}\n", style.paint(Ink::Strong, name));
    for (label, line) in lines {
        for (index, line) in wrap(&line, style.text_width().saturating_sub(12)).iter().enumerate() {
            text.push_str(&format!(" {:<9} {line}\n", if index == 0 { &label } else { "" }));
        }
    }
    text
}
