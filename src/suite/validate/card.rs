//! Lines of the behaviour card: what goes with `card:`, and wordings of which nothing comes.

use super::spot::{Located, Spot};
use super::{check, names, times};
use crate::diagnostic::Diagnostic;
use crate::suite::{Check, Measure, Threshold};

/// Every mistake around `card:`, `measure:`, `spelling:` and `say:`.
pub(super) fn check(check: &Check, steps: &[Located<'_>], at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let ways = [
        ("measure", check.measure.is_some()),
        ("spelling", check.spelling.is_some()),
        ("say", !check.say.is_empty()),
    ];
    let used: Vec<&str> = ways.into_iter().filter(|(_, used)| *used).map(|(key, _)| key).collect();
    let Some(key) = &check.card else {
        for key in used {
            out.push(
                Diagnostic::error(
                    "card-alone",
                    format!("{key} has a meaning only for a line of the behaviour card"),
                )
                .at(at.to(key).key_place())
                .help("give the check a card: in place of its level, or take this out"),
            );
        }
        return;
    };
    check::slug(key, "line of the card", &at.to("card"), out);
    match used[..] {
        [] => out.push(
            Diagnostic::error("no-line", "nothing says what stands in this line of the card")
                .at(at.to("card").key_place())
                .one_of(["measure: a threshold", "spelling: codes of a sample", "say: answers of the steps"])
                .help("say: [{ text: \"{first.answer}\" }] is the simplest, with steps: before it"),
        ),
        [_, second, ..] => out.push(
            Diagnostic::error("two-lines", "a line of the card comes from one of measure, spelling and say")
                .at(at.to(second).key_place())
                .help("make two checks of it, each with a card: of its own"),
        ),
        ["spelling"] if check.sample.is_none() => out.push(
            Diagnostic::error("spelling-of-what", "spelling looks at a sample, and there is none")
                .at(at.to("spelling").key_place())
                .help("add sample: { of: authorize, count: 200, name: codes }"),
        ),
        ["say"] if check.steps.is_empty() => out.push(
            Diagnostic::error("say-of-what", "say is about the answers of steps, and there are none")
                .at(at.to("say").key_place())
                .help("add steps:, with a name: for each answer that the line is about"),
        ),
        ["measure"] if !check.steps.is_empty() => out.push(
            Diagnostic::error(
                "two-sources",
                "a measurement asks for its own codes; steps have no part in it",
            )
            .at(at.to("steps").key_place())
            .help("take the steps out, or word the line from their answers with say:"),
        ),
        _ => {}
    }
    judges_nobody(check, steps, at, out);
    wordings(check, steps, at, out);
    if let Some(measure) = &check.measure {
        measurement(measure, &at.to("measure"), out);
    }
}

/// What only a verdict needs.
fn judges_nobody(check: &Check, steps: &[Located<'_>], at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let keys = [
        ("expect", !check.expect.is_empty()),
        ("each", !check.each.is_empty()),
        ("rounds", check.rounds.is_some()),
        ("over", check.over.is_some()),
        ("control_by", check.control_by.is_some()),
        ("alone", check.alone.is_some()),
    ];
    let mut found: Vec<(&str, Spot<'_>)> =
        keys.into_iter().filter(|(_, there)| *there).map(|(key, _)| (key, at.to(key))).collect();
    let judging = steps.iter().filter(|located| !located.step.expect().is_empty());
    found.extend(judging.map(|located| ("expect", located.at.to("expect"))));
    for (key, at) in found {
        out.push(
            Diagnostic::error(
                "card-judges",
                format!("a line of the card judges nobody: {key} has no place in it"),
            )
            .at(at.key_place())
            .help("word the line with say: and when:, or give the check a level and no card:"),
        );
    }
}

/// The last wording has no condition, all others have one.
fn wordings(check: &Check, steps: &[Located<'_>], at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let at = at.to("say");
    for (index, reading) in check.say.iter().enumerate() {
        let is_last = index + 1 == check.say.len();
        let at = at.to(index);
        if reading.text.trim().is_empty() {
            out.push(
                Diagnostic::error("empty-text", "the text of this wording is empty")
                    .at(at.to("text").place())
                    .help("say in a few words what the server does"),
            );
        }
        match (is_last, reading.when.is_empty()) {
            (true, false) => out.push(
                Diagnostic::error("no-last-wording", "where none of these fits, nothing is said")
                    .at(at.to("when").key_place())
                    .help("end with a wording that has no when:"),
            ),
            (false, true) => out.push(
                Diagnostic::error("never-said", "the wordings behind this one are never reached")
                    .at(at.place())
                    .help("give it a when:, or put it last"),
            ),
            _ => {}
        }
    }
    names::readings(check, steps, &at, out);
}

fn measurement(measure: &Measure, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    for (key, timing) in [("from", &measure.from), ("to", &measure.to), ("step", &measure.step)] {
        times::length(timing, &at.to(key), out);
    }
    if measure.step.terms.iter().all(|term| term.factor() <= 0.0) {
        out.push(
            Diagnostic::error("no-step", "a step of nothing never gets from one value to the next")
                .at(at.to("step").place())
                .help("write a length such as 100 ms or 10 % of interval"),
        );
    }
    if measure.repeat == Some(0) {
        out.push(
            Diagnostic::error("too-few", "repeat must be 1 or more, not 0")
                .at(at.to("repeat").place())
                .help("leave it out for one code for each value"),
        );
    }
    if let Some(slow_downs) = measure.slow_downs {
        let at = at.to("slow_downs");
        if measure.threshold == Threshold::Age {
            out.push(
                Diagnostic::error("slow-downs-of-age", "the age of a code has nothing to do with slow_down")
                    .at(at.key_place())
                    .help("leave it out, or measure the threshold gap"),
            );
        } else if slow_downs == 0 {
            out.push(
                Diagnostic::error("too-few", "slow_downs must be 1 or more, not 0")
                    .at(at.place())
                    .help("leave it out to measure the interval before any slow_down"),
            );
        }
    }
}
