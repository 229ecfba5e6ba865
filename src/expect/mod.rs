//! Judges answers against the matchers of the suite language: values in, mismatches out.
//!
//! Looks at raw status, headers and body. Knows no requirement, no clock and nothing of faults. What an answer
//! *means* is blind to wire details (`outcome`, `error`), everything else is literal; so one cause turns one check red.
//! One file per family of matchers:
//!
//! - `answer`: outcome, error, status, request, target
//! - `headers` and `challenge`: header, content_type
//! - `body`: body, absent, contains, filled_lists, lacks, scope
//! - `members` and `uri`: member
//! - `jwt`: jwt
//! - `pages`: page, code
//! - `relations`: same_as, same, differ, near, later
//! - `combine`: not, any_of, lenient, when
//! - `together`: count, never, tokens
//! - `sample`: distinct, entropy (with `repeats`), alphabet
//! - `uniform`: uniform
//! - `sequence`: unordered, unrelated

mod answer;
mod body;
mod challenge;
mod combine;
mod describe;
mod headers;
mod jwt;
mod members;
mod pages;
mod relations;
mod repeats;
mod sample;
mod sequence;
mod show;
#[cfg(test)]
mod stage;
mod together;
mod uniform;
mod uri;
mod view;

pub use describe::describe;
pub use jwt::claims as jwt_claims;
pub use sample::{LOOK_ALIKES, spelling};
pub use show::{answer as show_answer, answer_word};

use crate::exchange::Exchange;
use crate::protocol::Capability;
use crate::suite::{Expectation, Graded};
use crate::timing::Timing;
use crate::verdict::{Grade, Mismatch};
use view::View;

/// What expectations may ask about the case around the answer.
pub trait Scope {
    /// A text with its placeholders (`{tv.user_code}`) filled in; nothing when a value is not there.
    fn fill(&self, template: &str) -> Option<String>;
    /// A named exchange, or the device authorization exchange of a session of that name.
    fn exchange(&self, name: &str) -> Option<&Exchange>;
    /// Does the target have this, declared or found?
    fn has(&self, capability: Capability) -> bool;
    /// The scope that a session asked for; nothing when it asked for none.
    fn requested_scope(&self, session: &str) -> Option<String>;
    /// A length of time, evaluated for the target and the session at hand.
    fn seconds(&self, timing: &Timing) -> f64;
    /// A number: an instant such as `token_expiry` in unix seconds, or what a filled template says.
    fn instant(&self, text: &str) -> Option<f64>;
    /// Does a text have any device code of the run in it, in any spelling?
    fn has_device_code(&self, text: &str) -> bool;
    /// Is the target on this machine?
    fn is_loopback(&self) -> bool;
}

/// What came of judging many answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overall {
    /// Every distinct finding.
    pub mismatches: Vec<Mismatch>,
    /// Why the answers say too little, if they do. A mismatch beside it was seen all the same.
    pub not_exercised: Option<String>,
}

/// All mismatches of one answer: every one, not the first.
///
/// An expectation about many answers is judged over this one alone, and what it lacks is a mismatch: give those to
/// [`judge_all`].
#[must_use]
pub fn judge(expectations: &[Expectation], exchange: &Exchange, scope: &dyn Scope) -> Vec<Mismatch> {
    list(expectations, &View::new(exchange, scope))
}

/// All findings over many answers: those of a case, of a sample, or of the run for `over:`.
///
/// What looks at one answer is applied to each, and every distinct finding names its offenders. Answers that never came
/// are left to the expectations that speak of them ([`needs_answer`]), because they would otherwise turn every check
/// red. Nothing to look at is not exercised, never green (rule 3 of the suite language).
#[must_use]
pub fn judge_all(expectations: &[Expectation], exchanges: &[&Exchange], scope: &dyn Scope) -> Overall {
    let views: Vec<_> = exchanges.iter().map(|exchange| View::new(exchange, scope)).collect();
    together::list(expectations, &views, scope)
}

/// The grade of a value; nothing when it passes. The mildest that fits wins.
pub fn grade_of<T>(graded: &Graded<T>, fits: impl Fn(&T) -> bool) -> Option<(Grade, Option<String>)> {
    if graded.is.iter().any(&fits) {
        None
    } else if graded.acceptable.iter().any(&fits) {
        Some((Grade::Acceptable, graded.because.clone()))
    } else if graded.warn.iter().any(&fits) {
        Some((Grade::Warn, graded.because.clone()))
    } else {
        Some((Grade::Mismatch, None))
    }
}

/// Does it look at all answers together (`count`, `never`, `tokens`, `distinct`, ...) rather than at one?
#[must_use]
pub fn looks_at_all(expectation: &Expectation) -> bool {
    match expectation {
        Expectation::Not(inner) => looks_at_all(inner),
        Expectation::AnyOf(alternatives) => alternatives.iter().flatten().any(looks_at_all),
        Expectation::Lenient(lenient) => lenient.expect.iter().any(looks_at_all),
        _ => expectation.is_of_many(),
    }
}

/// Can it say nothing of an answer that never came but that it never came?
#[must_use]
pub fn needs_answer(expectation: &Expectation) -> bool {
    match expectation {
        Expectation::Not(inner) => needs_answer(inner),
        Expectation::AnyOf(alternatives) => {
            alternatives.iter().all(|alternative| alternative.iter().any(needs_answer))
        }
        Expectation::Lenient(lenient) => lenient.expect.iter().any(needs_answer),
        Expectation::Outcome(_) | Expectation::Request(_) => false,
        _ => looks_at_answer(expectation),
    }
}

/// Does it look at an answer at all, or only at the case around it?
fn looks_at_answer(expectation: &Expectation) -> bool {
    match expectation {
        Expectation::Same(_)
        | Expectation::Differ(_)
        | Expectation::Near(_)
        | Expectation::Later(_)
        | Expectation::Target(_) => false,
        Expectation::Not(inner) => looks_at_answer(inner),
        Expectation::AnyOf(alternatives) => alternatives.iter().flatten().any(looks_at_answer),
        Expectation::Lenient(lenient) => lenient.expect.iter().any(looks_at_answer),
        _ => true,
    }
}

/// All of these hold of one answer.
fn list(expectations: &[Expectation], view: &View<'_>) -> Vec<Mismatch> {
    expectations.iter().flat_map(|expectation| one(expectation, view)).collect()
}

/// Would [`one`] find nothing? Asked of each alternative and below each `not`, where nobody reads the words of a finding:
/// they are not made for what can be said without.
fn passes(expectation: &Expectation, view: &View<'_>) -> bool {
    match expectation {
        Expectation::Outcome(graded) => answer::outcome_grade(graded, view).is_none(),
        Expectation::Error(graded) => answer::error_grade(graded, view).is_none(),
        Expectation::Status(graded) => answer::status_grade(graded, view).is_none(),
        Expectation::Not(inner) => !combine::holds(inner, view),
        Expectation::AnyOf(alternatives) => combine::any_passes(alternatives, view),
        Expectation::Lenient(lenient) => lenient.expect.iter().all(|inner| passes(inner, view)),
        _ => one(expectation, view).is_empty(),
    }
}

fn one(expectation: &Expectation, view: &View<'_>) -> Vec<Mismatch> {
    match expectation {
        Expectation::Outcome(graded) => answer::outcome(graded, view),
        Expectation::Error(graded) => answer::error(graded, view),
        Expectation::Status(graded) => answer::status(graded, view),
        Expectation::Request(manner) => answer::request(*manner, view),
        Expectation::Header(rules) => headers::header(rules, view),
        Expectation::ContentType(graded) => headers::content_type(graded, view),
        Expectation::Body(traits) => body::traits(traits, view),
        Expectation::Absent(names) => body::absent(names, view),
        Expectation::Contains(members) => body::contains(members, view),
        Expectation::FilledLists(rule) => body::filled_lists(rule, view),
        Expectation::Lacks(text) => body::lacks(text, view),
        Expectation::Scope(rule) => body::scope(rule, view),
        Expectation::Page(rule) => pages::page(rule, view),
        Expectation::Code(graded) => pages::code(graded, view),
        Expectation::Member(rules) => members::member(rules, view),
        Expectation::Not(inner) => combine::not(inner, view),
        Expectation::AnyOf(alternatives) => combine::any_of(alternatives, view),
        Expectation::Lenient(lenient) => combine::capped(lenient, list(&lenient.expect, view)),
        Expectation::When(when) => combine::when(when, view),
        Expectation::SameAs(name) => relations::same_as(name, view),
        Expectation::Jwt(rule) => jwt::jwt(rule, view),
        Expectation::Same(_)
        | Expectation::Differ(_)
        | Expectation::Near(_)
        | Expectation::Later(_)
        | Expectation::Target(_) => relations::of_case(expectation, view.scope),
        Expectation::Count(_)
        | Expectation::Never(_)
        | Expectation::Tokens(_)
        | Expectation::Distinct(_)
        | Expectation::Alphabet(_)
        | Expectation::Entropy(_)
        | Expectation::Uniform(_)
        | Expectation::Unordered(_)
        | Expectation::Unrelated(_) => together::of_one(expectation, view),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_mildest_grade_that_fits_wins() {
        let graded =
            Graded { is: vec![1], acceptable: vec![2, 3], warn: vec![3, 4], because: Some("x".to_owned()) };
        for (value, grade) in [
            (1, None),
            (2, Some((Grade::Acceptable, Some("x".to_owned())))),
            (3, Some((Grade::Acceptable, Some("x".to_owned())))),
            (4, Some((Grade::Warn, Some("x".to_owned())))),
            (5, Some((Grade::Mismatch, None))),
        ] {
            assert_eq!(grade_of(&graded, |wanted| *wanted == value), grade);
        }
    }

    #[test]
    fn expectations_know_what_they_look_at() {
        for (written, all, answer) in [
            (json!({ "count": { "outcome": "pending", "at_least": 1 } }), true, true),
            (json!({ "not": { "tokens": { "of": "tv", "is": 1 } } }), true, true),
            (json!({ "any_of": [[{ "status": 400 }], [{ "distinct": { "of": "user_code" } }]] }), true, true),
            (json!({ "status": 400 }), false, true),
            (json!({ "error": "invalid_grant" }), false, true),
            (json!({ "outcome": "pending" }), false, false),
            (json!({ "any_of": [[{ "outcome": "pending" }], [{ "status": 400 }]] }), false, false),
            (
                json!({ "any_of": [[{ "status": 401 }, { "outcome": "pending" }], [{ "status": 400 }]] }),
                false,
                true,
            ),
            (json!({ "not": { "outcome": "granted" } }), false, false),
            (json!({ "request": "public_client" }), false, false),
            (json!({ "target": { "has": "denial" } }), false, false),
        ] {
            let expectation = &stage::expectations(json!([written]))[0];
            assert_eq!(looks_at_all(expectation), all, "{written}");
            assert_eq!(needs_answer(expectation), answer, "{written}");
        }
    }

    #[test]
    fn no_bytes_from_the_network_make_a_matcher_panic() {
        let all = stage::expectations(json!([
            { "outcome": "pending" }, { "error": { "is": "a", "warn": "other", "because": "x" } }, { "status": 400 },
            { "header": { "www-authenticate": { "scheme": "a", "has": "b", "lacks": "c", "present": true } } },
            { "content_type": "a/b" }, { "body": ["json-object", "unique-members", "utf-8"] },
            { "member": { "a": {
                "at_least": 1, "at_most": 2, "above": 0, "is": "a", "is_any_case": "b", "is_not": "c",
                "length_at_least": 9, "length_at_most": 1, "alphanumerics_at_least": 4, "charset": "scope",
                "uri": "absolute", "https": true, "lacks": "{tv.user_code}", "has": "{tv.user_code}",
                "without": ["query", "fragment", "userinfo", "percent-escape"], "same_host": "https://x/"
            }, "error": { "type": "integer", "uri": "reference" } } },
            { "absent": ["a"] }, { "contains": { "a": "b" } }, { "not": { "error": "a" } },
            { "any_of": [[{ "status": 400 }], [{ "error": "b" }]] }, { "same_as": "nobody" },
            { "when": { "member": "a", "expect": [{ "absent": ["a"] }] } }, { "lacks": "a" },
            { "later": { "a": "{tv.exp}", "than": "now" } },
            { "jwt": {
                "of": "a", "signature": "jwks", "hash": { "at_hash": "{tv.user_code}" }, "header_absent": ["jku"],
                "claim": { "aud": { "includes": "a" } }, "header": { "crit": { "items_at_least": 1 } }
            } },
            { "scope": { "subset_of": "tv", "lacks": "a" } }, { "tokens": { "of": "tv", "is": 1 } },
            { "count": { "outcome": "pending", "at_most": 0 } }, { "never": { "outcome": "pending", "samples": 1 } },
            { "distinct": { "of": "user_code" } }, { "entropy": { "of": "device_code", "is": "1 bits" } },
            { "uniform": { "of": "user_code" } }, { "unordered": { "of": "device_code" } },
            { "unrelated": { "of": "device_code", "to": "user_code" } }
        ]));
        let bodies: Vec<Vec<u8>> = vec![
            Vec::new(),
            b"\xef\xbb\xbf".to_vec(),
            b"\xff\xfe\x00".to_vec(),
            b"{\"a\":\"\\ud800\"}".to_vec(),
            b"{\"a\":\"%\",\"error\":\"http://[\"}".to_vec(),
            b"{\"a\":\"https://%zz\xc3\xa9:/?#@\"}".to_vec(),
            "{\"a\":\"https://é‹›\u{202e}/%é\",\"scope\":\"é  é\"}".into(),
            b"{\"a\":123456789012345678901234567890,\"error\":-1e308}".to_vec(),
            b"{\"a\":[\"b\",null],\"scope\":[],\"error\":{}}".to_vec(),
            b"{\"access_token\":\"\\u0000\",\"refresh_token\":1}".to_vec(),
            b"{\"token\":\"\\".to_vec(),
            b"{\"a\":\"e30.e30.\"}".to_vec(),
            b"{\"a\":\"eyJhbGciOiJSUzI1NiIsImprdSI6WyJ4Il19.eyJhdF9oYXNoIjoxLCJhdWQiOlsxXX0.\",\"keys\":[1,{\"kty\":2}]}".to_vec(),
            b"[".repeat(300),
            b"{\"a\":".repeat(300),
        ];
        let mut exchanges = vec![stage::unanswered(1)];
        for body in bodies {
            for status in [0, 99, 200, 302, 400, 429, 503, 999] {
                let headers = [("www-authenticate", "\u{fffd}=\"\\\",,é x=\"é"), ("content-type", ";é")];
                exchanges.push(stage::with_headers(2, status, &headers, &body));
            }
        }
        for exchange in &exchanges {
            for mismatch in judge(&all, exchange, &stage::stage()) {
                assert!(!mismatch.expected.is_empty() && !mismatch.actual.is_empty(), "{mismatch:?}");
                assert!(!mismatch.actual.contains(char::is_control), "{mismatch:?}");
            }
        }
        let overall = judge_all(&all, &exchanges.iter().collect::<Vec<_>>(), &stage::stage());
        assert!(!overall.mismatches.is_empty());
    }
}
