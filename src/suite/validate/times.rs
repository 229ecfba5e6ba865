//! Waits, instants and bounds; and how long it takes at the least.

use std::collections::BTreeMap;

use super::spot::{Located, Spot, Within, expectations, nested};
use crate::diagnostic::Diagnostic;
use crate::suite::{Bound, Check, Count, Expectation, MemberRule, Number, Request, Step, Wait};
use crate::suite::{Placeholder, placeholders};
use crate::timing::{Term, Timing};

/// No code lives longer, as far as anybody knows: most live for minutes.
const LONGEST_SECONDS: f64 = 3600.0;

/// Every time of a check that cannot be meant.
pub(super) fn check(check: &Check, steps: &[Located<'_>], at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    for Located { step, at, within } in steps {
        for (timing, at) in lengths(step, at) {
            length(timing, &at, out);
        }
        if let Some((timing, at)) = named_instant(step, at) {
            instant(timing, &at, out);
        }
        match step {
            Step::Wait(wait) => wait_for_what(wait, at, out),
            Step::Poll(poll) if poll.after.is_some() && poll.at.is_some() => out.push(
                Diagnostic::error("two-times", "a poll has after or at, not both")
                    .at(at.to("at").key_place())
                    .help("after counts from the last answer, at is an instant such as expiry - 3 s"),
            ),
            Step::Request(request) => after_what(request, at, out),
            _ => {}
        }
        let offset = match step {
            Step::Poll(step) => step.offset,
            Step::Approve(step) | Step::Deny(step) => step.offset,
            _ => None,
        };
        if offset.is_some() && *within != Within::Together {
            out.push(
                Diagnostic::error("offset-alone", "offset has a meaning only inside together")
                    .at(at.to("offset").key_place())
                    .help("put the steps that shall meet into together: [...], or write after: or at:"),
            );
        }
    }
    for (list, at) in expectations(check, steps, at) {
        for (expectation, at) in nested(list, &at) {
            match expectation {
                Expectation::Near(near) => length(&near.within, &at.to("within"), out),
                Expectation::Member(rules) => bounds(rules, &at, out),
                Expectation::Jwt(jwt) => {
                    bounds(&jwt.header, &at.to("header"), out);
                    bounds(&jwt.claim, &at.to("claim"), out);
                }
                _ => {}
            }
        }
    }
    too_long(steps, out);
}

/// The bounds of members that are times of the language.
fn bounds(rules: &BTreeMap<String, MemberRule>, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    for (name, rule) in rules {
        for (key, number) in [("at_least", &rule.at_least), ("at_most", &rule.at_most)] {
            if let Some(Number::Time(timing)) = number {
                length(timing, &at.to(name.as_str()).to(key), out);
            }
        }
    }
}

/// The lengths of time that a step names.
fn lengths<'s, 'a>(step: &'s Step, at: &Spot<'a>) -> Vec<(&'s Timing, Spot<'a>)> {
    let mut bounds = Vec::new();
    let named: Vec<(&str, Option<&Timing>)> = match step {
        Step::Wait(step) => vec![("for", step.length.as_ref()), ("plus", step.plus.as_ref())],
        Step::Poll(step) => vec![("after", step.after.as_ref())],
        Step::Polls(step) => vec![("after", step.after.as_ref()), ("stagger", step.stagger.as_ref())],
        Step::Race(step) => vec![("after", step.after.as_ref())],
        Step::Request(step) => vec![("after", step.after.as_ref())],
        Step::PollUntil(step) => {
            if let Some(by) = &step.by {
                let at = at.to("by");
                for bound in by.all() {
                    if let Bound::Within(timing) = bound {
                        bounds.push((timing, at.clone()));
                    }
                }
            }
            vec![("after", step.after.as_ref())]
        }
        _ => Vec::new(),
    };
    let named = named.into_iter().filter_map(|(key, timing)| Some((timing?, at.to(key))));
    named.chain(bounds).collect()
}

/// The instant that a step names.
fn named_instant<'s, 'a>(step: &'s Step, at: &Spot<'a>) -> Option<(&'s Timing, Spot<'a>)> {
    let timing = match step {
        Step::Poll(step) => step.at.as_ref(),
        Step::Approve(step) | Step::Deny(step) => step.at.as_ref(),
        Step::CallApi(step) => step.at.as_ref(),
        _ => None,
    };
    Some((timing?, at.to("at")))
}

pub(super) fn length(timing: &Timing, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    if let Some(anchor) = timing.anchor {
        out.push(
            Diagnostic::error(
                "instant-for-length",
                format!("{anchor} is an instant; here stands a length of time"),
            )
            .at(at.find(anchor.word()))
            .help("write a length such as 3 s or 2 intervals; an instant stands behind at: and until:"),
        );
    }
}

fn instant(timing: &Timing, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    if timing.anchor.is_none() {
        out.push(
            Diagnostic::error("length-for-instant", format!("\"{timing}\" is a length of time; here stands an instant"))
                .at(at.place())
                .help("count from something: expiry - 3 s, token_expiry + token_late; a length stands behind after:"),
        );
    }
}

fn wait_for_what(wait: &Wait, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let help = "write for: 2 intervals, or until: expiry with plus: tol_late";
    match (&wait.length, wait.until) {
        (None, None) => out.push(
            Diagnostic::error("wait-for-what", "this wait does not say how long")
                .at(at.key_place())
                .help(help),
        ),
        (Some(_), Some(_)) => out.push(
            Diagnostic::error("wait-for-what", "a wait has for or until, not both")
                .at(at.to("until").key_place())
                .help(help),
        ),
        (Some(_), None) if wait.plus.is_some() => out.push(
            Diagnostic::error("wait-for-what", "plus goes with until")
                .at(at.to("plus").key_place())
                .help("write the sum behind for: 2 intervals + 1 s"),
        ),
        _ => {}
    }
}

/// `after:` of a raw request counts from the last answer to a session.
fn after_what(request: &Request, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let texts = request.headers.values().chain(request.query.values()).chain(&request.body);
    let mut found = texts.flat_map(|text| placeholders(text));
    let of_session = found.any(|(_, placeholder)| matches!(placeholder, Ok(Placeholder::Value { .. })));
    if request.after.is_some() && request.session.is_none() && !of_session {
        out.push(
            Diagnostic::error(
                "after-what",
                "after counts from the last answer of a session, and none is named",
            )
            .at(at.to("after").key_place())
            .help("add session:, or leave after: out"),
        );
    }
}

/// Fixed waits that no code can outlive.
fn too_long(steps: &[Located<'_>], out: &mut Vec<Diagnostic>) {
    let spans: Vec<(f64, &Spot<'_>)> =
        steps.iter().map(|located| (least_seconds(&located.step), &located.at)).collect();
    let all: f64 = spans.iter().map(|(seconds, _)| seconds).sum();
    let longest = spans.iter().max_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((_, at)) = longest.filter(|_| all > LONGEST_SECONDS) {
        out.push(
            Diagnostic::error(
                "too-long",
                format!("the waits of this check take {:.0} min at the least", all / 60.0),
            )
            .at(at.key_place())
            .help("no code lives so long; count in intervals or parts of the lifetime: 10 % of lifetime"),
        );
    }
}

/// How long a step takes at the least, whatever interval and lifetime the server announces.
fn least_seconds(step: &Step) -> f64 {
    let fixed = |timing: &Option<Timing>| {
        let terms = timing.iter().flat_map(|timing| &timing.terms);
        let seconds = terms.map(|term| if let Term::Seconds(seconds) = term { *seconds } else { 0.0 });
        seconds.sum::<f64>().max(0.0)
    };
    match step {
        Step::Wait(step) => fixed(&step.length) + fixed(&step.plus),
        Step::Poll(step) => fixed(&step.after),
        Step::Race(step) => fixed(&step.after),
        Step::Request(step) => fixed(&step.after),
        Step::Polls(step) => match step.count {
            Count::Times(times) => f64::from(times) * fixed(&step.after),
            Count::Fit => 0.0,
        },
        _ => 0.0,
    }
}
