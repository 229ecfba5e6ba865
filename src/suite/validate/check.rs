//! The keys of one check: its ids and texts, its weight, and what goes with what.

use super::spot::{Located, Spot, expectations, steps};
use super::{card, control, matchers, names, needs, pages, times, variants};
use crate::diagnostic::Diagnostic;
use crate::protocol::{Endpoint, Level, Severity};
use crate::requirement::Requirements;
use crate::suite::{Check, Expectation, Step};

/// Every mistake of one check that was read whole.
pub(super) fn check(check: &Check, at: &Spot<'_>, requirements: &Requirements, out: &mut Vec<Diagnostic>) {
    let steps = steps(check, at);
    let before = out.len();
    slug(&check.id, "check", &at.to("id"), out);
    texts(check, at, out);
    weight(check, at, out);
    rows(check, at, requirements, out);
    shape(check, at, out);
    oracle(check, at, out);
    card::check(check, &steps, at, out);
    if check.card.is_none() {
        judges(check, &steps, at, out);
    }
    counts(check, &steps, at, out);
    variants::check(check, &steps, at, out);
    names::check(check, &steps, at, out);
    times::check(check, &steps, at, out);
    for (list, at) in expectations(check, &steps, at) {
        matchers::check(list, &at, out);
    }
    matchers::of_one_answer(check, &steps, at, out);
    pages::check(check, &steps, at, out);
    needs::check(check, &steps, at, out);
    // What is wrong already may be why a positive is missing.
    if out.len() == before {
        control::check(check, &steps, at, out);
    }
}

/// An id of small letters, digits and hyphens.
pub(super) fn slug(id: &str, what: &str, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let good = id
        .split('-')
        .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
    if good {
        return;
    }
    let words: Vec<String> = id
        .to_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let help = if words.is_empty() { "such-as-this".to_owned() } else { words.join("-") };
    out.push(
        Diagnostic::error(
            "bad-id",
            format!("\"{id}\" is no id of a {what}: small letters, digits and single hyphens"),
        )
        .at(at.place())
        .help(format!("write {help}")),
    );
}

fn texts(check: &Check, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    for (key, text, help) in [
        ("title", &check.title, "say in one line what is true of a good server"),
        ("why", &check.why, "say what goes wrong for somebody when this does not hold"),
    ] {
        if text.trim().is_empty() {
            out.push(
                Diagnostic::error("empty-text", format!("the {key} is empty"))
                    .at(at.to(key).place())
                    .help(help),
            );
        }
    }
}

fn weight(check: &Check, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let levels: Vec<&str> = Level::ALL.iter().map(|level| level.word()).collect();
    let severities: Vec<&str> = Severity::ALL.iter().map(|severity| severity.word()).collect();
    let words = [format!("level: {}", levels.join(" | ")), format!("severity: {}", severities.join(" | "))];
    let (message, place, help) = match (check.level, check.severity) {
        _ if check.card.is_some() => {
            let second = if check.level.is_some() { "level" } else { "severity" };
            if check.weight().is_none() {
                out.push(
                    Diagnostic::error("weight", format!("a check has a {second} or a card, not both"))
                        .at(at.to(second).key_place())
                        .help("keep card if the line judges nobody"),
                );
            }
            return;
        }
        (None, None) => (
            "a check needs a level or a severity",
            at.to("id").place(),
            "level says how binding the standard's sentence is, severity how bad a security finding is; card: gives a line \
             of the behaviour card and judges nobody",
        ),
        (Some(_), Some(_)) => (
            "a check has a level or a severity, not both",
            at.to("severity").key_place(),
            "keep severity if the danger is what counts, level if the standard's sentence is",
        ),
        _ => return,
    };
    out.push(Diagnostic::error("weight", message).at(place).one_of(words).help(help));
}

fn rows(check: &Check, at: &Spot<'_>, requirements: &Requirements, out: &mut Vec<Diagnostic>) {
    let at = at.to("requirements");
    if check.requirements.is_empty() {
        out.push(
            Diagnostic::error("no-requirement", "a check judges at least one requirement")
                .at(at.key_place())
                .help("name a row of suites/requirements.yaml, such as RFC8628-3.5-c"),
        );
    }
    for (index, id) in check.requirements.iter().enumerate() {
        let place = at.to(index).place();
        if check.requirements[..index].contains(id) {
            out.push(
                Diagnostic::error("duplicate-requirement", format!("requirement \"{id}\" is named twice"))
                    .at(place)
                    .help("keep one of them"),
            );
        } else if requirements.get(id).is_none() {
            out.push(
                Diagnostic::error("unknown-requirement", format!("there is no requirement \"{id}\""))
                    .at(place)
                    .help(requirements.closest(id).map_or_else(
                        || "suites/requirements.yaml has all of them".to_owned(),
                        |near| format!("did you mean \"{near}\"?"),
                    )),
            );
        }
    }
}

/// Steps, `sample` and `over` are three ways to get answers; each has its own company.
fn shape(check: &Check, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let ways = [
        ("steps", !check.steps.is_empty()),
        ("sample", check.sample.is_some()),
        ("over", check.over.is_some()),
    ];
    let used: Vec<&str> = ways.iter().filter(|(_, used)| *used).map(|(key, _)| *key).collect();
    if let [first, .., last] = used[..] {
        out.push(
            Diagnostic::error("two-sources", format!("a check has {first} or {last}, not both"))
                .at(at.to(last).key_place())
                .help("steps judge what they send, a sample many equal requests, over: all answers of the run; split the check"),
        );
        return;
    }
    let Some(&source) = used.first() else { return };
    if source == "steps" {
        return;
    }
    let (what, help) = if source == "over" {
        (
            "looks at all answers of the run",
            "an over: with nothing to look at is not exercised by itself; leave this out",
        )
    } else {
        ("looks at a sample", "a sample that cannot be taken is not exercised by itself; leave this out")
    };
    for (key, there) in [
        ("control_by", check.control_by.is_some()),
        ("each", !check.each.is_empty()),
        ("rounds", check.rounds.is_some()),
    ] {
        if there {
            out.push(
                Diagnostic::error("needs-steps", format!("{key} has no meaning in a check that {what}"))
                    .at(at.to(key).key_place())
                    .help(help),
            );
        }
    }
}

/// The oracle looks at polls of the checks' own sessions, by their outcome alone.
fn oracle(check: &Check, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let Some(over) = check.over.as_ref().filter(|over| over.oracle) else { return };
    let of = at.to("over");
    for (is_wrong, at, what) in [
        (!check.expect.is_empty(), at.to("expect"), "expect"),
        (over.endpoint != [Endpoint::Token], of.to("endpoint"), "another endpoint than token"),
        (over.status.is_some(), of.to("status"), "status"),
        (over.raw, of.to("raw"), "raw"),
        (over.kept_pace, of.to("kept_pace"), "kept_pace"),
    ] {
        if is_wrong {
            out.push(
                Diagnostic::error("oracle-alone", format!("{what} has no meaning beside oracle: true"))
                    .at(at.key_place())
                    .help("the oracle's table says what fits; only outcome: narrows what it looks at"),
            );
        }
    }
}

fn judges(check: &Check, steps: &[Located<'_>], at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let expects = expectations(check, steps, at).iter().any(|(list, _)| !list.is_empty());
    let asks_oracle = check.over.as_ref().is_some_and(|over| over.oracle);
    let judging = asks_oracle
        || steps.iter().any(|located| match &located.step {
            Step::PollUntil(step) => step.by.is_some(),
            Step::Tls(_) => true,
            _ => false,
        });
    let has_answers = !check.steps.is_empty() || check.over.is_some() || check.sample.is_some();
    let of_target = |list: &[Expectation]| list.iter().all(|e| matches!(e, Expectation::Target(_)));
    if !expects && !judging {
        out.push(
            Diagnostic::error("judges-nothing", "this check judges nothing")
                .at(at.to("id").place())
                .help("give the step that it is about an expect:; a step without one only prepares"),
        );
    } else if !has_answers && !of_target(&check.expect) {
        out.push(
            Diagnostic::error("judges-nothing", "this check has no answers to look at")
                .at(at.to("expect").key_place())
                .help("add steps:, sample: or over:"),
        );
    }
}

/// Numbers of which nothing comes.
fn counts(check: &Check, steps: &[Located<'_>], at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let mut few = |what: &str, number: usize, least: usize, at: &Spot<'_>, help: &str| {
        if number < least {
            let message = format!("{what} must be {least} or more, not {number}");
            out.push(Diagnostic::error("too-few", message).at(at.place()).help(help));
        }
    };
    let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    if let Some(rounds) = check.rounds {
        few("rounds", size(rounds), 1, &at.to("rounds"), "leave it out for one round");
    }
    if let Some(sample) = &check.sample {
        let at = at.to("sample").to("count");
        few(
            "the count of a sample",
            size(sample.count),
            2,
            &at,
            "one answer is judged by a step with expect:",
        );
    }
    for Located { step, at, .. } in steps {
        match step {
            Step::Authorize(step) => {
                let sessions = step.sessions.map_or(1, size);
                few("sessions", sessions, 1, &at.to("sessions"), "leave it out for one session");
            }
            Step::Refresh(step) => {
                let times = step.times.map_or(1, size);
                few("times", times, 1, &at.to("times"), "leave it out for one refresh");
            }
            Step::Race(step) => {
                few("the polls of a race", size(step.polls), 2, &at.to("polls"), "one alone is a poll")
            }
            Step::Together(inner) => {
                few("the steps of together", inner.len(), 2, at, "one alone needs no together")
            }
            _ => {}
        }
    }
}
