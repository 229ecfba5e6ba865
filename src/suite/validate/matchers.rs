//! Expectations that can never fail, that can never hold, or that look at more answers than there are.

use std::collections::BTreeSet;

use super::spot::{Located, Spot, nested};
use crate::diagnostic::{Diagnostic, closest};
use crate::outcome::Outcome;
use crate::protocol::{CodeFate, REGISTERED_ERRORS};
use crate::suite::{
    Bits, Challenge, Check, CodeKind, CountRule, Distinct, Entropy, Expectation, Graded, HeaderRule,
    MemberRule, Never, Number, PageRule, Step, Uniform, Unordered, Unrelated,
};

/// The word for any other registered error.
const OTHER: &str = "other";

/// Every expectation of a list that says nothing, or cannot be met.
pub(super) fn check(list: &[Expectation], at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    for (expectation, at) in nested(list, at) {
        if let Some((message, help)) = says_nothing(expectation) {
            out.push(Diagnostic::error("never-fails", message).at(at.key_place()).help(help));
            continue;
        }
        match expectation {
            Expectation::Error(words) => error_words(words, &at, out),
            Expectation::Status(statuses) => status_codes(statuses, &at, out),
            Expectation::Header(rules) => {
                for (name, rule) in rules {
                    header(rule, &at.to(name.as_str()), out);
                }
            }
            Expectation::Member(rules) => {
                for (name, rule) in rules {
                    member(rule, &at.to(name.as_str()), out);
                }
            }
            Expectation::Jwt(jwt) => {
                for (key, rules) in [("header", &jwt.header), ("claim", &jwt.claim)] {
                    for (name, rule) in rules {
                        member(rule, &at.to(key).to(name.as_str()), out);
                    }
                }
            }
            Expectation::AnyOf(alternatives) => any_of(alternatives, &at, out),
            Expectation::Not(inner) => not(inner, &at, out),
            Expectation::Differ(texts) if texts.iter().collect::<BTreeSet<_>>().len() < texts.len() => {
                out.push(never_holds("a text never differs from itself", "name two different values", &at));
            }
            Expectation::Later(later) if later.a == later.than => {
                out.push(never_holds(
                    "an instant is never later than itself",
                    "name two different ones",
                    &at,
                ));
            }
            Expectation::Count(rule) => count(rule, &at, out),
            Expectation::Entropy(Entropy { is, acceptable, warn, because, .. }) => {
                bits([Some(*is), *acceptable, *warn], because.as_deref(), &at, out);
            }
            Expectation::Unordered(Unordered { acceptable, warn, because, .. })
            | Expectation::Unrelated(Unrelated { acceptable, warn, because, .. }) => {
                bits([None, *acceptable, *warn], because.as_deref(), &at, out);
            }
            Expectation::When(when) => of_many_inside_when(&when.expect, &at.to("expect"), out),
            _ => {}
        }
    }
}

fn never_holds(message: impl Into<String>, help: &str, at: &Spot<'_>) -> Diagnostic {
    Diagnostic::error("never-holds", message).at(at.place()).help(help)
}

/// Why an expectation can never fail, with what to do.
fn says_nothing(expectation: &Expectation) -> Option<(&'static str, &'static str)> {
    let found = match expectation {
        Expectation::Outcome(graded)
            if Outcome::ALL.iter().all(|outcome| graded.all().any(|o| o == outcome)) =>
        {
            (
                "every outcome is tolerated here, so this can never fail",
                "leave out the outcomes that are wrong",
            )
        }
        Expectation::Header(rules) if rules.is_empty() => {
            ("no header is named, so this can never fail", "name one")
        }
        Expectation::Body(traits) if traits.is_empty() => {
            ("nothing is said of the body, so this can never fail", "write body: [json-object]")
        }
        Expectation::Member(rules) if rules.is_empty() => {
            ("no member is named, so this can never fail", "name one")
        }
        Expectation::Absent(names) if names.is_empty() => {
            ("no member is named, so this can never fail", "name one")
        }
        Expectation::Contains(members) if members.is_empty() => {
            ("no member is named, so this can never fail", "write contains: { member: value }")
        }
        Expectation::Lenient(lenient) if lenient.expect.is_empty() => (
            "nothing is expected in here, so this can never fail",
            "add what should hold, or leave lenient out",
        ),
        Expectation::When(when) if when.expect.is_empty() => (
            "nothing is expected in here, so this can never fail",
            "add what then must hold, or leave when out",
        ),
        Expectation::AnyOf(alternatives) if alternatives.iter().any(Vec::is_empty) => {
            ("an alternative that expects nothing always holds", "say what must hold in it, or leave it out")
        }
        Expectation::Same(texts) if texts.iter().collect::<BTreeSet<_>>().len() < 2 => {
            ("a text is always equal to itself", "name two different values")
        }
        Expectation::Differ(texts) if texts.len() < 2 => ("one text differs from nothing", "name two values"),
        Expectation::Near(near) if near.a == near.b => ("a number is always near itself", "name two numbers"),
        Expectation::Jwt(jwt) if jwt.of.is_empty() => {
            ("no JWT is named, so this looks at nothing", "write of: id_token")
        }
        Expectation::Lacks(text) if text.is_empty() => {
            ("no text is named, so this can never fail", "name one")
        }
        Expectation::Page(PageRule {
            shows: None,
            says,
            button,
            code_field: false,
            escapes_markup: false,
            unlike: None,
        }) if says.is_empty() && button.is_empty() => (
            "nothing is said of the page, so this can never fail",
            "write shows:, says:, button:, unlike:, code_field: true or escapes_markup: true",
        ),
        Expectation::Code(graded) if CodeFate::ALL.iter().all(|fate| graded.all().any(|f| f == fate)) => (
            "whatever becomes of the code is tolerated here, so this can never fail",
            "leave out what is wrong",
        ),
        Expectation::Alphabet(rule) if rule.lacks.is_empty() => {
            ("no character is wrong here, so this can never fail", "write lacks: vowels or look-alikes")
        }
        Expectation::Unrelated(Unrelated { of, to, .. }) if of == to => {
            ("a value always has itself in it, so this can never hold", "name another value with to:")
        }
        Expectation::Scope(rule)
            if rule.subset_of.is_none() && rule.lacks.is_none() && rule.same_as.is_none() =>
        {
            (
                "nothing is said of the scope, so this can never fail",
                "write subset_of: with a session, lacks:, or same_as: with an answer",
            )
        }
        Expectation::Count(CountRule { at_least: None | Some(0), at_most: None, .. }) => {
            ("count takes any number here, so this can never fail", "write at_least: or at_most:")
        }
        Expectation::Never(Never { samples: 0, .. }) => (
            "never holds of no answer at all, so this can never fail",
            "say in samples: how many answers it takes to tell",
        ),
        _ => return None,
    };
    Some(found)
}

fn error_words(words: &Graded<String>, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    for word in words.all().filter(|word| *word != OTHER && !REGISTERED_ERRORS.contains(&word.as_str())) {
        // Words of other registries may be meant; a word one letter off is a slip.
        if let Some(near) = closest(word, REGISTERED_ERRORS) {
            out.push(
                Diagnostic::error("unknown-error-word", format!("\"{word}\" is no registered error word"))
                    .at(at.find(word))
                    .one_of(REGISTERED_ERRORS)
                    .help(format!("did you mean \"{near}\"?")),
            );
        }
    }
    if words.is.iter().chain(&words.acceptable).any(|word| word == OTHER) {
        out.push(
            Diagnostic::error(
                "other-not-warned",
                "other stands for words that are not the right one: it only warns",
            )
            .at(at.find(OTHER))
            .help("write warn: [other], because: \"...\""),
        );
    }
}

fn status_codes(statuses: &Graded<u16>, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    for status in statuses.all().filter(|status| !(100..600).contains(*status)) {
        out.push(
            Diagnostic::error("no-status", format!("{status} is no HTTP status"))
                .at(at.find(&status.to_string()))
                .help("write a number from 100 to 599"),
        );
    }
}

fn header(rule: &HeaderRule, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let HeaderRule { has, lacks, scheme, present, challenge, directive, same_origin } = rule;
    if let Some(Challenge { params_at_least: None | Some(0), once, charset, .. }) = challenge
        && once.is_empty()
        && charset.is_empty()
    {
        out.push(
            Diagnostic::error("never-fails", "nothing is said of this challenge beyond its scheme")
                .at(at.to("challenge").key_place())
                .help("write params_at_least:, once: or charset:; or scheme: in place of challenge:"),
        );
    }
    let is_silent = has.is_none() && lacks.is_none() && scheme.is_none() && directive.is_none();
    if is_silent && present.is_none() && challenge.is_none() && !same_origin {
        out.push(
            Diagnostic::error("never-fails", "nothing is said of this header, so this can never fail")
                .at(at.key_place())
                .help(
                    "write has:, lacks:, scheme:, challenge:, directive:, same_origin: true or present: true",
                ),
        );
    } else if *present == Some(false)
        && (has.is_some() || scheme.is_some() || challenge.is_some() || directive.is_some())
    {
        out.push(never_holds("a header that is not there has no parts", "leave present: false out", at));
    }
}

fn member(rule: &MemberRule, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let lists_are_empty = rule.json_type.is_empty()
        && rule.is.is_empty()
        && rule.is_any_case.is_empty()
        && rule.without.is_empty();
    let says = !lists_are_empty
        || rule.is_not.is_some()
        || rule.includes.is_some()
        || rule.items_at_least.is_some()
        || rule.at_least.is_some()
        || rule.at_most.is_some()
        || rule.above.is_some()
        || rule.length_at_least.is_some()
        || rule.length_at_most.is_some()
        || rule.alphanumerics_at_least.is_some()
        || rule.charset.is_some()
        || rule.uri.is_some()
        || rule.https
        || rule.lacks.is_some()
        || rule.has.is_some()
        || rule.same_host.is_some();
    if rule.optional && !says {
        out.push(
            Diagnostic::error(
                "never-fails",
                "a member that may be missing and is not looked at can never fail",
            )
            .at(at.key_place())
            .help("say what it must be if it is there, or leave optional: true out"),
        );
    }
    let clash = match (&rule.at_least, &rule.at_most) {
        (Some(Number::Plain(least)), Some(Number::Plain(most))) => least > most,
        _ => false,
    };
    let lengths =
        matches!((rule.length_at_least, rule.length_at_most), (Some(least), Some(most)) if least > most);
    if clash || lengths {
        out.push(never_holds("the least is above the most, so this can never hold", "swap them", at));
    }
}

fn any_of(alternatives: &[Vec<Expectation>], at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    if alternatives.is_empty() {
        out.push(never_holds(
            "any_of without an alternative can never hold",
            "write any_of: [[{ outcome: codes }], [{ error: invalid_scope }]]",
            at,
        ));
    }
}

/// `not` turns over what passes by `is`; of what has no such thing nothing sensible is the opposite.
fn not(inner: &Expectation, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let graded = match inner {
        Expectation::Outcome(graded) => graded.is.len() < graded.all().count(),
        Expectation::Error(graded) => graded.is.len() < graded.all().count(),
        Expectation::Status(graded) => graded.is.len() < graded.all().count(),
        Expectation::ContentType(graded) => graded.is.len() < graded.all().count(),
        _ => false,
    };
    let at = at.to(inner.word());
    let (message, help) = match inner {
        Expectation::Not(_) => ("not stands inside not", "write what must hold"),
        Expectation::Lenient(_) => {
            ("lenient has no opposite", "write lenient: { ..., expect: [{ not: ... }] }")
        }
        Expectation::When(_) => ("when has no opposite", "write when: { ..., expect: [{ not: ... }] }"),
        Expectation::Count(_) => ("count has no opposite", "turn the bound over: at_most: for at_least:"),
        Expectation::Never(_) => ("never has no opposite", "write count: { outcome: ..., at_least: 1 }"),
        Expectation::Entropy(_) => ("entropy has no opposite", "write the bound that must hold"),
        Expectation::Uniform(_) | Expectation::Unordered(_) | Expectation::Unrelated(_) => {
            ("what chance makes has no opposite", "write what the values must not be")
        }
        _ if graded => (
            "grades inside not do not count",
            "name only the values that are wrong: not: { outcome: granted }",
        ),
        _ => return,
    };
    out.push(Diagnostic::error("bad-not", message).at(at.key_place()).help(help));
}

/// `when` asks one answer for a member, so that in there nothing can look at many.
fn of_many_inside_when(list: &[Expectation], at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    for (expectation, at) in nested(list, at).into_iter().filter(|(expectation, _)| expectation.is_of_many())
    {
        let message = format!("{} looks at many answers, and when at one", expectation.word());
        let help = "put it beside when:, into the expect: of the check";
        out.push(Diagnostic::error("many-of-one", message).at(at.key_place()).help(help));
    }
}

fn count(rule: &CountRule, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    if matches!((rule.at_least, rule.at_most), (Some(least), Some(most)) if least > most) {
        out.push(never_holds("at_least is above at_most, so this can never hold", "swap them", at));
    }
}

/// Grades by bits, `is` first: each milder one asks for fewer, and whatever is beyond `is` has a reason.
fn bits(grades: [Option<Bits>; 3], because: Option<&str>, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let milder = grades[1..].iter().flatten().count();
    let bits: Vec<f64> = grades.into_iter().flatten().map(|bits| bits.0).collect();
    if bits.windows(2).any(|pair| pair[0] <= pair[1]) {
        out.push(never_holds(
            "a milder grade asks for as many bits or more, so it never counts",
            "is has the most bits, then acceptable, then warn",
            at,
        ));
    }
    if milder > 0 && because.is_none() {
        out.push(
            Diagnostic::error("no-reason", "a grade beyond is has no reason")
                .at(at.key_place())
                .help("say why with because: \"...\""),
        );
    }
}

/// Does it compare the codes of device authorization responses?
fn is_of_codes(expectation: &Expectation) -> bool {
    match expectation {
        Expectation::Distinct(Distinct { of })
        | Expectation::Entropy(Entropy { of, .. })
        | Expectation::Uniform(Uniform { of })
        | Expectation::Unordered(Unordered { of, .. }) => *of != CodeKind::RefreshToken,
        Expectation::Alphabet(_) | Expectation::Unrelated(_) => true,
        _ => false,
    }
}

/// Expectations about many answers on a step that brings one, or about codes where there are no codes to compare.
pub(super) fn of_one_answer(check: &Check, steps: &[Located<'_>], at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    for (expectation, at) in nested(&check.expect, &at.to("expect")) {
        if is_of_codes(expectation) && !check.steps.is_empty() {
            out.push(
                Diagnostic::error(
                    "many-of-one",
                    format!("{} looks at the codes of a sample", expectation.word()),
                )
                .at(at.key_place())
                .help("write sample: { of: authorize, count: 200, name: codes } in place of steps:"),
            );
        }
    }
    for Located { step, at: step_at, .. } in steps {
        let variants = check.each.iter().enumerate().filter(|(_, v)| step.name() == Some(&v.at));
        let variants = variants.map(|(index, variant)| (&*variant.expect, at.to("each").to(index)));
        for (list, at) in [(step.expect(), step_at.clone())].into_iter().chain(variants) {
            for (expectation, at) in nested(list, &at.to("expect")) {
                if let Some((message, help)) = of_too_little(expectation, step) {
                    out.push(Diagnostic::error("many-of-one", message).at(at.key_place()).help(help));
                }
            }
        }
    }
}

/// Why an expectation about many answers has nothing to look at in a step, with what to do.
fn of_too_little(expectation: &Expectation, step: &Step) -> Option<(String, String)> {
    if !expectation.is_of_many() {
        return None;
    }
    let (word, verb) = (expectation.word(), step.verb());
    let (brings_codes, session) = match step {
        Step::Polls(step) => (false, &step.session),
        Step::Race(step) => (false, &step.session),
        Step::Authorize(step) if step.sessions.is_some() => (true, &step.session),
        _ => {
            return Some((
                format!("{word} looks at many answers, and {verb} brings one"),
                "put it into the expect: of the check, beside steps:".to_owned(),
            ));
        }
    };
    let looks_at_codes = match expectation {
        Expectation::Count(_) | Expectation::Never(_) => brings_codes,
        _ => is_of_codes(expectation),
    };
    if looks_at_codes != brings_codes {
        let (wanted, brought) = if brings_codes { ("tokens", "codes") } else { ("codes", "tokens") };
        let other =
            if brings_codes { "polls:, of race: or of the check" } else { "authorize: { sessions: ... }" };
        return Some((
            format!("{word} looks at {wanted} here, and {verb} brings {brought}"),
            format!("put it into the expect: of {other}"),
        ));
    }
    match expectation {
        Expectation::Tokens(tokens) if tokens.of != *session => Some((
            format!("tokens looks at {}, and {verb} brings answers to {session}", tokens.of),
            format!("write of: {session}, or put it into the expect: of the check"),
        )),
        _ => None,
    }
}
