//! The steps and expectations of a check with their places.

use crate::suite::{Check, Expectation, Step, Together};
pub(super) use crate::yaml::Spot;

/// A step and where it stands.
#[derive(Clone)]
pub(super) struct Located<'a> {
    pub(super) step: Step,
    pub(super) at: Spot<'a>,
    pub(super) within: Within,
}

/// What a step stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    Check,
    OnlyIf,
    Together,
}

/// Every step of a check in order; what stands in `only_if` and `together` comes after the step it stands in.
pub(super) fn steps<'a>(check: &Check, at: &Spot<'a>) -> Vec<Located<'a>> {
    let mut found = Vec::new();
    collect(&check.steps, &at.to("steps"), Within::Check, &mut found);
    found
}

fn collect<'a>(list: &[Step], at: &Spot<'a>, within: Within, found: &mut Vec<Located<'a>>) {
    for (index, step) in list.iter().enumerate() {
        let at = at.to(index).to(step.verb());
        found.push(Located { step: step.clone(), at: at.clone(), within });
        match step {
            Step::OnlyIf(only_if) => collect(&only_if.then, &at.to("then"), Within::OnlyIf, found),
            Step::Together(together) => {
                for (index, step) in together.iter().enumerate() {
                    let step = match step.clone() {
                        Together::Approve(step) => Step::Approve(step),
                        Together::Deny(step) => Step::Deny(step),
                        Together::Poll(step) => Step::Poll(step),
                    };
                    let at = at.to(index).to(step.verb());
                    found.push(Located { step, at, within: Within::Together });
                }
            }
            _ => {}
        }
    }
}

/// Expectations with what stands inside them, each with its place; the outer ones first.
pub(super) fn nested<'e, 'a>(list: &'e [Expectation], at: &Spot<'a>) -> Vec<(&'e Expectation, Spot<'a>)> {
    let mut found = Vec::new();
    for (index, expectation) in list.iter().enumerate() {
        inside(expectation, &at.to(index), &mut found);
    }
    found
}

fn inside<'e, 'a>(expectation: &'e Expectation, at: &Spot<'a>, found: &mut Vec<(&'e Expectation, Spot<'a>)>) {
    let at = at.to(expectation.word());
    found.push((expectation, at.clone()));
    match expectation {
        Expectation::Not(inner) => inside(inner, &at, found),
        Expectation::AnyOf(alternatives) => {
            for (index, alternative) in alternatives.iter().enumerate() {
                found.extend(nested(alternative, &at.to(index)));
            }
        }
        Expectation::Lenient(lenient) => found.extend(nested(&lenient.expect, &at.to("expect"))),
        Expectation::When(when) => found.extend(nested(&when.expect, &at.to("expect"))),
        _ => {}
    }
}

/// Every list of expectations of a check: of its steps, its variants, its wordings and its own.
pub(super) fn expectations<'c, 'a>(
    check: &'c Check,
    steps: &'c [Located<'a>],
    at: &Spot<'a>,
) -> Vec<(&'c [Expectation], Spot<'a>)> {
    let of_steps = steps.iter().map(|located| (located.step.expect(), located.at.to("expect")));
    let of_variants = check
        .each
        .iter()
        .enumerate()
        .map(|(index, variant)| (&*variant.expect, at.to("each").to(index).to("expect")));
    let of_wordings = check.say.iter().enumerate().flat_map(|(index, reading)| {
        let at = at.to("say").to(index).to("when");
        reading.when.iter().map(move |(name, list)| (&**list, at.to(name.as_str())))
    });
    of_steps.chain(of_variants).chain(of_wordings).chain([(&*check.expect, at.to("expect"))]).collect()
}
