//! A negative passes only beside a positive (rule 3 of the suite language).

use super::spot::{Located, Spot};
use crate::diagnostic::Diagnostic;
use crate::outcome::Outcome;
use crate::protocol::{Capability, Endpoint};
use crate::suite::{Check, Expectation, Graded, Step};

/// A check that a server which never issues a code or a token would pass.
pub(super) fn check(check: &Check, steps: &[Located<'_>], at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    // A target of which `polling` was found tells polls apart.
    if check.steps.is_empty() || check.control_by.is_some() || check.needs.contains(&Capability::Polling) {
        return;
    }
    let judged: Vec<&Located<'_>> = steps.iter().filter(|located| is_judged(&located.step, check)).collect();
    let at_token = judged.iter().any(|located| asks_for_tokens(&located.step)) || !check.expect.is_empty();
    let at_start = judged.iter().any(|located| asks_for_codes(&located.step));
    if !at_token && !at_start {
        return;
    }
    let of_steps = steps.iter().flat_map(|located| located.step.expect());
    let all = of_steps.chain(check.each.iter().flat_map(|variant| &variant.expect)).chain(&check.expect);
    let is_negative = all.into_iter().all(holds_of_refusals);
    if is_negative && !steps.iter().any(|located| is_positive(&located.step, at_token)) {
        let (place, witness) = if at_token {
            let first = judged.iter().find(|located| asks_for_tokens(&located.step));
            (first, "poll: { session: witness, control: pending }")
        } else {
            (judged.first(), "authorize: { as: witness, control: codes }")
        };
        out.push(
            Diagnostic::error("no-control", "a server that refuses everything would pass this check")
                .at(place.map_or_else(|| at.to("id").place(), |located| located.at.key_place()))
                .help(format!("add a request that must be answered well: {witness}; or name a check that has one with control_by:")),
        );
    }
}

fn is_judged(step: &Step, check: &Check) -> bool {
    let variants = || check.each.iter().any(|v| !v.expect.is_empty() && step.name() == Some(&v.at));
    !step.expect().is_empty() || variants()
}

fn asks_for_codes(step: &Step) -> bool {
    match step {
        Step::Authorize(_) => true,
        Step::Request(step) => step.to == Endpoint::DeviceAuthorization,
        _ => false,
    }
}

fn asks_for_tokens(step: &Step) -> bool {
    match step {
        Step::Poll(_) | Step::Polls(_) | Step::PollUntil(_) | Step::Race(_) | Step::Refresh(_) => true,
        Step::Request(step) => step.to == Endpoint::Token,
        _ => false,
    }
}

/// Does the step come out only at a server that issues something: tokens, or at least codes?
fn is_positive(step: &Step, tokens: bool) -> bool {
    if step.has_control() {
        return true;
    }
    match step {
        Step::PollUntil(step) => step.outcome.iter().any(|&outcome| is_issuing(outcome)),
        // These use a token that must be there.
        Step::CallApi(_) | Step::Refresh(_) | Step::Revoke(_) | Step::Introspect(_) => true,
        Step::OnlyIf(step) => step.outcome.iter().any(|&outcome| is_issuing(outcome)),
        Step::Authorize(step) => step.expect.is_empty() && !tokens,
        _ => false,
    }
}

const fn is_issuing(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Codes | Outcome::Granted | Outcome::Pending | Outcome::SlowDown)
}

/// Could it hold at a server that refuses everything?
fn holds_of_refusals(expectation: &Expectation) -> bool {
    match expectation {
        Expectation::Outcome(graded) => refuses(graded),
        Expectation::Error(words) => {
            !words.is.iter().any(|word| matches!(word.as_str(), "authorization_pending" | "slow_down"))
        }
        Expectation::Status(statuses) => statuses.is.iter().any(|status| !(200..300).contains(status)),
        Expectation::Member(rules) => {
            rules.iter().all(|(name, rule)| rule.optional || name.starts_with("error"))
        }
        Expectation::AnyOf(alternatives) => {
            alternatives.iter().any(|list| list.iter().all(holds_of_refusals))
        }
        Expectation::Lenient(lenient) => lenient.expect.iter().all(holds_of_refusals),
        Expectation::Count(rule) => {
            rule.at_least.is_none_or(|least| least == 0)
                || !rule.outcome.iter().any(|&outcome| is_issuing(outcome))
        }
        Expectation::Tokens(rule) => rule.is == 0,
        Expectation::Never(_)
        | Expectation::Header(_)
        | Expectation::ContentType(_)
        | Expectation::Body(_)
        | Expectation::Absent(_)
        | Expectation::FilledLists(_)
        | Expectation::Not(_)
        | Expectation::When(_)
        | Expectation::Lacks(_)
        | Expectation::Request(_) => true,
        Expectation::Contains(_)
        | Expectation::SameAs(_)
        | Expectation::Same(_)
        | Expectation::Differ(_)
        | Expectation::Near(_)
        | Expectation::Later(_)
        | Expectation::Jwt(_)
        | Expectation::Target(_)
        | Expectation::Scope(_)
        | Expectation::Distinct(_)
        | Expectation::Alphabet(_)
        | Expectation::Page(_)
        | Expectation::Code(_)
        | Expectation::Entropy(_)
        | Expectation::Uniform(_)
        | Expectation::Unordered(_)
        | Expectation::Unrelated(_) => false,
    }
}

/// Does nothing that passes show that the server issued something?
fn refuses(graded: &Graded<Outcome>) -> bool {
    !graded.is.iter().any(|&outcome| is_issuing(outcome))
}
