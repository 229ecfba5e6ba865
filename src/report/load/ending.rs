//! What a load run came to.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, Table};

use super::checks::checks;
use super::sentence::sentence;
use crate::report::span;
use crate::report::terminal::{Colour, Ink, Style, Verbosity, labelled, wrap};
use crate::scenario::Figures as _;
use crate::tally::{End, Kind, LoadRecord, Spread, Transcript, Verdict};

/// How wide the labels on the left are, with the space around them.
pub(super) const LABEL: usize = 14;

/// Everything that comes below the live line.
#[must_use]
pub fn ending(record: &LoadRecord, style: &Style) -> String {
    [
        table(record, style),
        "\n".to_owned(),
        labelled("devices", &lines(&devices(record), style), style),
        labelled("flow", &lines(&flow(record), style), style),
        oracle(record, style),
        labelled("requests", &lines(&failures(record), style), style),
        labelled("server", &lines(&server(record), style), style),
        generator(record, style),
        verdicts(record, style),
        checks(record, style),
        closing(record, style),
    ]
    .concat()
}

pub(super) fn lines(text: &str, style: &Style) -> Vec<(String, Option<Ink>)> {
    if text.is_empty() {
        return Vec::new();
    }
    wrap(text, style.text_width() - LABEL).into_iter().map(|line| (line, None)).collect()
}

fn micros(micros: u64) -> String {
    span::took(micros as f64 / 1000.0)
}

/// Times of the duration by operation and outcome.
fn table(record: &LoadRecord, style: &Style) -> String {
    let latencies = record.totals.latencies();
    if latencies.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    if style.colour == Colour::Off {
        table.force_no_tty();
    }
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let heads = ["count", "rate", "p50", "p90", "p99", "p99.9", "p99.99", "max"];
    let heads = heads.into_iter().map(|head| right(head.to_owned()));
    table.set_header([Cell::new("operation"), Cell::new("answer")].into_iter().chain(heads));
    let seconds = record.totals.seconds().max(1e-9);
    for row in latencies {
        let Spread { count, p50, p90, p99, p99_9, p99_99, max } = row.response;
        let rate = count as f64 / seconds;
        let rate = if rate < 10.0 {
            format!("{rate:.1}/s")
        } else {
            format!("{}/s", span::count(rate.round() as u64))
        };
        let times = [p50, p90, p99, p99_9, p99_99, max].into_iter().map(|time| right(micros(time)));
        let name = [Cell::new(row.operation.word().replace('_', " ")), Cell::new(row.outcome.word())];
        let numbers = [right(span::count(count)), right(rate)];
        table.add_row(name.into_iter().chain(numbers).chain(times));
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// `5,120 asked = 4,800 granted + 201 denied + 119 still waiting`
fn devices(record: &LoadRecord) -> String {
    let spent = &record.spent;
    let ends: Vec<(u64, String)> = End::ALL
        .iter()
        .map(|end| (spent.ends.get(end.word()).copied().unwrap_or(0), end.word().replace('_', " ")))
        .chain([(spent.still_waiting, "still waiting".to_owned())])
        .filter(|(count, _)| *count > 0)
        .collect();
    let all = ends.iter().map(|(count, _)| count).sum();
    if all == 0 {
        return String::new();
    }
    let parts: Vec<String> =
        ends.iter().map(|(count, what)| format!("{} {what}", span::count(*count))).collect();
    format!("{} = {}", span::count(all), parts.join(" + "))
}

fn flow(record: &LoadRecord) -> String {
    let measured = &record.totals.measured;
    let counters = &record.totals.whole.counters;
    let mut parts = Vec::new();
    if let Some(spread) = Spread::of(&measured.approval_to_token) {
        let interval = record.began.as_ref().map_or(0.0, |began| began.interval_s);
        parts.push(format!(
            "approval to token p50 {}, p99 {} (waiting for the next poll alone costs up to {})",
            micros(spread.p50),
            micros(spread.p99),
            span::took(interval * 1000.0)
        ));
    }
    if let Some(spread) = Spread::of(&measured.polls_per_grant) {
        parts.push(format!("{} polls per grant (p50)", spread.p50));
    }
    if counters.due_grants > 0 {
        let share = counters.kept_grants as f64 / counters.due_grants as f64 * 100.0;
        parts.push(format!(
            "{} of {} approvals in time brought the token ({share:.2} %)",
            span::count(counters.kept_grants),
            span::count(counters.due_grants)
        ));
    }
    for (count, what) in [
        (counters.undecided, "decisions could not be made"),
        (counters.lost, "tokens were lost with their answer"),
        (counters.slow_downs, "slow_down for devices that kept their interval"),
    ] {
        if count > 0 {
            parts.push(format!("{} {what}", span::count(count)));
        }
    }
    let waits = Spread::of(&measured.decision_wait).filter(|wait| wait.p99 > 1_000_000);
    parts.extend(waits.map(|wait| format!("decisions waited in line: p99 {}", micros(wait.p99))));
    parts.join(" · ")
}

/// What was judged, and what was wrong, the worst first.
fn oracle(record: &LoadRecord, style: &Style) -> String {
    let whole = &record.totals.whole;
    let violations = whole.violations.count();
    let head = format!(
        "{} answers judged: {}{}",
        span::count(whole.counters.judged),
        match violations {
            0 => "no violation".to_owned(),
            1 => "1 violation".to_owned(),
            many => format!("{} violations", span::count(many)),
        },
        match whole.counters.warnings {
            0 => String::new(),
            1 => ", 1 warning".to_owned(),
            many => format!(", {} warnings", span::count(many)),
        }
    );
    let mut all = lines(&head, style);
    let findings: Vec<_> = whole.violations.iter().collect();
    for (kind, count, kept) in findings.into_iter().rev() {
        all.extend(finding(kind, count, kept, style));
    }
    labelled("oracle", &all, style)
}

/// One kind of finding, with its first transcript where it is a violation.
fn finding(kind: &Kind, count: u64, kept: &[Transcript], style: &Style) -> Vec<(String, Option<Ink>)> {
    let ink = if kind.is_violation { Ink::Fail } else { Ink::Warn };
    let what = kind.answer.map_or_else(String::new, |(said, state)| format!("{said} while {state}: "));
    let requirement = kind.requirement.as_deref().map_or_else(String::new, |id| format!("{id}  "));
    let head = format!("{} {}  {requirement}{what}{}", span::count(count), kind.grade, kind.because);
    let room = style.text_width() - LABEL;
    let mut all: Vec<(String, Option<Ink>)> =
        wrap(&head, room).into_iter().map(|line| (line, Some(ink))).collect();
    let shown = match (style.verbose, kind.is_violation) {
        (Verbosity::Verbose, _) => kept.len(),
        (Verbosity::Normal, is_violation) => usize::from(is_violation),
    };
    for (nth, transcript) in kept.iter().take(shown).enumerate() {
        all.extend(occurrence(transcript, nth, room));
    }
    all
}

fn occurrence(first: &Transcript, nth: usize, room: usize) -> Vec<(String, Option<Ink>)> {
    let mut all = Vec::new();
    let who = first
        .device
        .as_ref()
        .map_or_else(|| "a stranger".to_owned(), |(group, number)| format!("{group} {number}"));
    let label = if nth == 0 { "the first" } else { "another" };
    all.push((format!("  {label}: {who}"), None));
    for line in &first.history {
        all.extend(wrap(line, room - 4).into_iter().map(|line| (format!("    {line}"), Some(Ink::Dim))));
    }
    let answer = first.answer.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>();
    let shown = [answer.first(), answer.last().filter(|_| answer.len() > 1)].into_iter().flatten();
    for line in shown {
        all.extend(wrap(&format!("    {line}"), room).into_iter().map(|line| (line, Some(Ink::Dim))));
    }
    all
}

fn failures(record: &LoadRecord) -> String {
    let parts: Vec<String> = record
        .spent
        .failures
        .iter()
        .map(|(what, count)| format!("{} {}", span::count(*count), what.replace('_', " ")))
        .collect();
    if parts.is_empty() { String::new() } else { format!("without an answer: {}", parts.join(", ")) }
}

fn used((cpu, memory): (f64, u64), seconds: f64) -> String {
    format!("{:.2} of a core, {} at most", cpu / seconds.max(1e-9), span::bytes(memory))
}

fn server(record: &LoadRecord) -> String {
    record.spent.server.map_or_else(String::new, |server| used(server, record.totals.seconds()))
}

fn generator(record: &LoadRecord, style: &Style) -> String {
    let seconds = record.totals.seconds();
    let mut parts = vec![used(record.spent.generator, seconds)];
    let lag = Spread::of(&record.totals.measured.lag);
    parts.extend(lag.map(|lag| format!("lag p99 {}", micros(lag.p99))));
    let wait = Spread::of(&record.totals.measured.wait);
    parts.extend(wait.map(|wait| format!("waiting for a connection p99 {}", micros(wait.p99))));
    parts.extend(record.totals.run_queue.map(|share| format!("run queue {:.1} %", share * 100.0)));
    let limit = record.ended.as_ref().map_or(&[][..], |ended| ended.limit.as_slice());
    let verdict =
        if limit.is_empty() { "the generator was not the limit" } else { "the generator was the limit" };
    let text = format!("{}: {verdict}", parts.join(", "));
    let mut all = lines(&text, style);
    for why in limit {
        all.extend(lines(why, style).into_iter().map(|(line, _)| (line, Some(Ink::Fail))));
    }
    labelled("generator", &all, style)
}

fn verdicts(record: &LoadRecord, style: &Style) -> String {
    let Some(ended) = &record.ended else { return String::new() };
    let width = ended.thresholds.iter().map(|verdict| verdict.threshold.len()).max().unwrap_or(0);
    let one = |verdict: &Verdict| {
        let ink = match verdict.verdict.as_str() {
            "missed" => Ink::Fail,
            "met" => Ink::Pass,
            _ => Ink::Warn,
        };
        (format!("{:width$}  {}", verdict.threshold, verdict.text), Some(ink))
    };
    let all: Vec<_> = ended.thresholds.iter().map(one).collect();
    labelled("thresholds", &all, style)
}

fn closing(record: &LoadRecord, style: &Style) -> String {
    let (took, exit) = record.ended.as_ref().map_or_else(
        || (record.seconds.last().map_or(0, |second| second.at_ms), "killed".to_owned()),
        |ended| (ended.at_ms, format!("exit {}", ended.exit)),
    );
    let sentence = sentence(record);
    let end = format!("{} · {exit}", span::took(took as f64));
    let good = record.ended.as_ref().is_some_and(|ended| ended.exit == 0);
    let ink = if good { Ink::Pass } else { Ink::Fail };
    let lines = wrap(&sentence, style.text_width());
    let painted: Vec<String> = lines.iter().map(|line| style.paint(ink, line)).collect();
    format!("\n{}\n{}\n", painted.join("\n"), style.paint(Ink::Dim, &end))
}
