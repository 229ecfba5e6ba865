//! Does a check name an outcome? What a check names is its subject; what it does not name is obeyed and waited out.

use super::expectation::Expectation;
use super::model::{Check, Variant};
use super::steps::Step;
use crate::outcome::Outcome;

/// Does the check, or the variant at hand, name this outcome anywhere?
#[must_use]
pub fn mentions(check: &Check, variant: Option<&Variant>, outcome: Outcome) -> bool {
    // A line of the card is made of the answers as they come.
    if check.card.is_some() && outcome == Outcome::SlowDown {
        return true;
    }
    let own = variant.into_iter().flat_map(|variant| &variant.expect);
    let said = check.say.iter().flat_map(|reading| reading.when.values().flatten());
    check
        .all_steps()
        .flat_map(Step::expect)
        .chain(&check.expect)
        .chain(own)
        .chain(said)
        .any(|e| names(e, outcome))
        || check.all_steps().any(|step| match step {
            Step::PollUntil(until) => until.outcome.contains(&outcome),
            Step::OnlyIf(only_if) => only_if.outcome.contains(&outcome),
            Step::Poll(poll) => poll.control == Some(outcome),
            Step::Authorize(authorize) => authorize.control == Some(outcome),
            _ => false,
        })
}

fn names(expectation: &Expectation, outcome: Outcome) -> bool {
    match expectation {
        Expectation::Outcome(graded) => graded.all().any(|named| *named == outcome),
        Expectation::Error(graded) => {
            outcome == Outcome::SlowDown
                && graded.is.iter().chain(&graded.acceptable).any(|word| word == "slow_down")
        }
        Expectation::Status(graded) => {
            outcome == Outcome::Limited && graded.all().any(|status| *status == 429)
        }
        Expectation::Not(inner) => names(inner, outcome),
        Expectation::AnyOf(alternatives) => alternatives.iter().flatten().any(|e| names(e, outcome)),
        Expectation::Lenient(lenient) => lenient.expect.iter().any(|e| names(e, outcome)),
        Expectation::When(when) => when.expect.iter().any(|e| names(e, outcome)),
        Expectation::Count(rule) => rule.outcome.contains(&outcome),
        Expectation::Never(rule) => rule.outcome.contains(&outcome),
        _ => false,
    }
}
