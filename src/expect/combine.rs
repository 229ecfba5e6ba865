//! Expectations made of expectations.

use super::view::View;
use super::{answer, describe, list, passes};
use crate::suite::{Expectation, Lenient, MildGrade, When};
use crate::verdict::{Grade, Mismatch};

/// `not: { outcome: granted }`: the mismatch when the inner one passes by its `is`; its milder grades do not count.
pub(super) fn not(inner: &Expectation, view: &View<'_>) -> Vec<Mismatch> {
    if holds(inner, view) { vec![view.miss(describe::not(inner))] } else { Vec::new() }
}

/// Does what `not` rules out hold?
pub(super) fn holds(inner: &Expectation, view: &View<'_>) -> bool {
    match inner {
        // An error word that is not there is not that word, though `error` itself lets a wordless refusal pass.
        Expectation::Error(words) => words.is.iter().any(|word| answer::error_is(word, view)),
        _ => passes(inner, view),
    }
}

/// `any_of: [[{ outcome: codes }], [{ error: invalid_scope }]]`: the mildest alternative counts.
pub(super) fn any_of(alternatives: &[Vec<Expectation>], view: &View<'_>) -> Vec<Mismatch> {
    if any_passes(alternatives, view) {
        return Vec::new();
    }
    let judged = alternatives.iter().map(|alternative| list(alternative, view)).collect();
    match mildest(judged) {
        Some(mild) => with_all(alternatives, mild),
        None => vec![view.miss(describe::any_of(alternatives))],
    }
}

/// Is there an alternative without any finding? No other is milder.
pub(super) fn any_passes(alternatives: &[Vec<Expectation>], view: &View<'_>) -> bool {
    alternatives.iter().any(|alternative| alternative.iter().all(|expectation| passes(expectation, view)))
}

/// Findings of one alternative, with what all of them would have let pass: what was found fits the alternative itself.
pub(super) fn with_all(alternatives: &[Vec<Expectation>], findings: Vec<Mismatch>) -> Vec<Mismatch> {
    let expected = describe::any_of_passing(alternatives);
    findings.into_iter().map(|mismatch| Mismatch { expected: expected.clone(), ..mismatch }).collect()
}

/// The findings of the mildest alternative; nothing when each is a mismatch.
pub(super) fn mildest(judged: Vec<Vec<Mismatch>>) -> Option<Vec<Mismatch>> {
    let worst = |mismatches: &[Mismatch]| mismatches.iter().map(|mismatch| mismatch.grade).max();
    judged
        .into_iter()
        .min_by_key(|mismatches| (worst(mismatches), mismatches.len()))
        .filter(|mismatches| worst(mismatches) != Some(Grade::Mismatch))
}

/// `lenient: { grade: warn, because: ..., expect: [...] }`: no finding in here is worse than its grade.
pub(super) fn capped(lenient: &Lenient, mismatches: Vec<Mismatch>) -> Vec<Mismatch> {
    let cap = match lenient.grade {
        MildGrade::Acceptable => Grade::Acceptable,
        MildGrade::Warn => Grade::Warn,
    };
    let cap_one = |mismatch: Mismatch| {
        if mismatch.grade <= cap {
            return mismatch;
        }
        Mismatch { grade: cap, because: Some(lenient.because.clone()), ..mismatch }
    };
    mismatches.into_iter().map(cap_one).collect()
}

/// `when: { member: error_uri, expect: [...] }`
pub(super) fn when(when: &When, view: &View<'_>) -> Vec<Mismatch> {
    if view.answer().is_none() {
        return vec![view.miss(describe::when(when))];
    }
    let has = |view: &View<'_>| view.members.is_some_and(|members| members.contains_key(&when.member));
    let is_there = match &when.of {
        None => has(view),
        Some(name) => match view.scope.exchange(name) {
            Some(other) => has(&View::new(other, view.scope)),
            None => {
                return vec![
                    view.miss_with(describe::when(when), format!("the exchange {name} is not there")),
                ];
            }
        },
    };
    if is_there { list(&when.expect, view) } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stage::{answered, findings, unanswered, worst};
    use crate::verdict::Grade;

    const PENDING: &str = r#"{"error":"authorization_pending"}"#;

    #[test]
    fn not_counts_only_what_passes_outright() {
        let graded = json!({ "not": { "outcome": { "is": "granted", "warn": "pending", "because": "x" } } });
        for (written, status, body, holds) in [
            (json!({ "not": { "outcome": "granted" } }), 400, PENDING, true),
            (json!({ "not": { "outcome": "granted" } }), 200, r#"{"access_token":"t"}"#, false),
            (graded.clone(), 400, PENDING, true),
            (graded, 200, r#"{"access_token":"t"}"#, false),
            (json!({ "not": { "error": "expired_token" } }), 400, "", true),
            (json!({ "not": { "error": "expired_token" } }), 400, r#"{"error":"expired_token"}"#, false),
            (json!({ "not": { "error": "expired_token" } }), 400, PENDING, true),
            (json!({ "not": { "not": { "status": 400 } } }), 400, "", true),
            (json!({ "not": { "header": { "location": { "present": true } } } }), 400, "", true),
        ] {
            assert_eq!(worst(&written, &answered(1, status, body)).is_none(), holds, "{written} {body}");
        }
        assert_eq!(worst(&json!({ "not": { "outcome": "granted" } }), &unanswered(1)), None);
        let found = findings(json!([{ "not": { "outcome": "pending" } }]), &answered(1, 400, PENDING));
        assert_eq!(found[0].expected, "not outcome pending");
    }

    #[test]
    fn the_mildest_alternative_counts() {
        let written = json!({ "any_of": [
            [{ "status": 400 }],
            [{ "status": 401 }, { "error": "invalid_client" }],
            [{ "status": { "warn": 403, "because": "A4" } }, { "error": "invalid_client" }],
            [{ "status": { "acceptable": [403, 404], "because": "odd" } }, { "error": "invalid_grant" }],
        ] });
        for (status, body, grade) in [
            (400, PENDING, None),
            (401, r#"{"error":"invalid_client"}"#, None),
            (403, r#"{"error":"invalid_client"}"#, Some(Grade::Warn)),
            (403, r#"{"error":"invalid_grant"}"#, Some(Grade::Acceptable)),
            // Both milder alternatives fit a refusal without a word: the milder one counts.
            (403, "", Some(Grade::Acceptable)),
            (401, PENDING, Some(Grade::Mismatch)),
        ] {
            assert_eq!(worst(&written, &answered(1, status, body)), grade, "{status} {body}");
        }
        let mild = findings(json!([written]), &answered(4, 403, r#"{"error":"invalid_client"}"#));
        assert_eq!(
            mild[0].expected, "status 400, or status 401 and error invalid_client",
            "what passes, not what came"
        );
        let found = findings(json!([written]), &answered(4, 401, PENDING));
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].expected,
            "status 400, or status 401 and error invalid_client, or status 403 and error invalid_client, \
             or status 403 or 404 and error invalid_grant"
        );
        assert_eq!(
            (found[0].actual.as_str(), found[0].exchange),
            ("401  {\"error\":\"authorization_pending\"}", Some(4))
        );
    }

    #[test]
    fn lenient_caps_and_when_asks_only_if_the_member_is_there() {
        let lenient = |grade: &str| {
            json!({ "lenient": { "grade": grade, "because": "habit", "expect": [
                { "status": 400 },
                { "outcome": { "is": "granted", "acceptable": "pending", "because": "inner" } }
            ] } })
        };
        let refused = answered(1, 401, PENDING);
        assert_eq!(worst(&lenient("warn"), &refused), Some(Grade::Warn));
        assert_eq!(worst(&lenient("acceptable"), &refused), Some(Grade::Acceptable));
        let found = findings(json!([lenient("warn")]), &refused);
        let reasons: Vec<_> = found.iter().map(|found| found.because.as_deref()).collect();
        assert_eq!(reasons, [Some("habit"), Some("inner")]);

        let when = json!({ "when": { "member": "error_uri", "expect": [{ "status": 400 }] } });
        for (body, grade) in [
            (r#"{"error_uri":"x"}"#, Some(Grade::Mismatch)),
            (r#"{"error_uri":null}"#, Some(Grade::Mismatch)),
            ("{}", None),
            ("<html>", None),
        ] {
            assert_eq!(worst(&when, &answered(1, 401, body)), grade, "{body}");
        }
        assert_eq!(worst(&when, &answered(1, 400, r#"{"error_uri":"x"}"#)), None);
        assert_eq!(worst(&when, &unanswered(1)), Some(Grade::Mismatch));
    }
}
