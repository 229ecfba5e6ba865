//! What the answer means, its error word and its status; what was asked.

use super::view::{Found, View, graded};
use super::{describe, grade_of};
use crate::outcome::Outcome;
use crate::protocol::{ErrorStanding, standing};
use crate::suite::{Graded, RequestTrait};
use crate::verdict::Mismatch;

/// The word that stands for any other registered code but the four of RFC 8628 §3.5.
const OTHER: &str = "other";

/// `outcome: pending`
pub(super) fn outcome(expected: &Graded<Outcome>, view: &View<'_>) -> Vec<Mismatch> {
    outcome_grade(expected, view)
        .map(|grade| graded(grade, view.miss(describe::outcome(expected))))
        .into_iter()
        .collect()
}

pub(super) fn outcome_grade(expected: &Graded<Outcome>, view: &View<'_>) -> Option<Found> {
    grade_of(expected, |outcome| *outcome == view.outcome)
}

/// `error: { is: invalid_grant, warn: [other], because: ... }`
///
/// A refusal without a word is a refusal: only the check on error bodies is about that.
pub(super) fn error(expected: &Graded<String>, view: &View<'_>) -> Vec<Mismatch> {
    error_grade(expected, view)
        .map(|grade| graded(grade, view.miss(describe::error(expected))))
        .into_iter()
        .collect()
}

pub(super) fn error_grade(expected: &Graded<String>, view: &View<'_>) -> Option<Found> {
    if view.outcome == Outcome::Wordless {
        return None;
    }
    grade_of(expected, |word| error_is(word, view))
}

/// Is this the error word of the answer? An answer that brings a token besides is no error.
pub(super) fn error_is(word: &str, view: &View<'_>) -> bool {
    let fits = |error: &str| match word {
        OTHER => standing(error) == ErrorStanding::Registered,
        _ => error == word,
    };
    view.outcome != Outcome::Malformed && view.error().is_some_and(fits)
}

/// `status: 400`
pub(super) fn status(expected: &Graded<u16>, view: &View<'_>) -> Vec<Mismatch> {
    status_grade(expected, view)
        .map(|grade| graded(grade, view.miss(describe::status(expected))))
        .into_iter()
        .collect()
}

pub(super) fn status_grade(expected: &Graded<u16>, view: &View<'_>) -> Option<Found> {
    let status = view.answer().map(|answer| answer.status);
    grade_of(expected, |wanted| status == Some(*wanted))
}

/// `request: failed_authentication`
pub(super) fn request(expected: RequestTrait, view: &View<'_>) -> Vec<Mismatch> {
    let manner = view.exchange.asked.manner;
    let (holds, otherwise) = match expected {
        RequestTrait::FailedAuthentication => {
            (manner.failed_authentication, "its authentication was in order")
        }
        RequestTrait::AuthorizationHeader => (manner.authorization_header, "it had no Authorization header"),
        RequestTrait::PublicClient => (manner.public_client, "its client has a secret"),
        RequestTrait::Form => (view.exchange.asked.method == "POST", "no form was posted"),
    };
    let mismatch = (!holds).then(|| view.miss_with(describe::request(expected), otherwise));
    mismatch.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stage::{answered, findings, unanswered, worst};
    use crate::verdict::Grade;

    #[test]
    fn outcome_and_error_look_at_the_meaning_and_grade_it() {
        let pending = r#"{"error":"authorization_pending"}"#;
        let grant = json!({ "error": { "is": "invalid_grant", "acceptable": "expired_token",
            "warn": ["slow_down", "other"], "because": "the word misleads" } });
        for (written, status, body, grade) in [
            (json!({ "outcome": "pending" }), 200, pending, None),
            (json!({ "outcome": ["granted", "pending"] }), 400, pending, None),
            (json!({ "outcome": "granted" }), 400, pending, Some(Grade::Mismatch)),
            (
                json!({ "outcome": { "is": "granted", "warn": "pending", "because": "late" } }),
                400,
                pending,
                Some(Grade::Warn),
            ),
            (grant.clone(), 400, r#"{"error":"invalid_grant"}"#, None),
            (grant.clone(), 200, r#"{"error":"invalid_grant"}"#, None),
            (grant.clone(), 500, r#"{"error":"invalid_grant"}"#, None),
            (grant.clone(), 400, r#"{"error":"expired_token"}"#, Some(Grade::Acceptable)),
            (grant.clone(), 400, r#"{"error":"slow_down"}"#, Some(Grade::Warn)),
            (grant.clone(), 400, r#"{"error":"invalid_request"}"#, Some(Grade::Warn)),
            (grant.clone(), 400, pending, Some(Grade::Mismatch)),
            (grant.clone(), 400, r#"{"error":"bad_verification_code"}"#, Some(Grade::Mismatch)),
            (grant.clone(), 400, r#"{"error":"other"}"#, Some(Grade::Mismatch)),
            // A refusal without a word is the matter of another check; what is no refusal is this one's.
            (grant.clone(), 400, "", None),
            (grant.clone(), 404, "<html>", None),
            (grant.clone(), 302, "", None),
            (grant.clone(), 400, r#"{"error":{"code":"invalid_grant"}}"#, None),
            (grant.clone(), 200, r#"{"access_token":"t"}"#, Some(Grade::Mismatch)),
            (grant.clone(), 200, r#"{"access_token":"t","error":"invalid_grant"}"#, Some(Grade::Mismatch)),
            (grant.clone(), 200, "<html>", Some(Grade::Mismatch)),
            (grant.clone(), 500, "<html>", Some(Grade::Mismatch)),
            (grant.clone(), 429, "", Some(Grade::Mismatch)),
            (json!({ "status": [400, 401] }), 401, "", None),
            (json!({ "status": 400 }), 401, "", Some(Grade::Mismatch)),
            (json!({ "status": { "warn": 403, "because": "A4" } }), 403, "", Some(Grade::Warn)),
        ] {
            assert_eq!(worst(&written, &answered(1, status, body)), grade, "{written} {status} {body}");
        }
        for written in [json!({ "outcome": "pending" }), grant, json!({ "status": 400 })] {
            assert_eq!(worst(&written, &unanswered(1)), Some(Grade::Mismatch), "{written}");
        }
        assert_eq!(worst(&json!({ "outcome": "broken" }), &unanswered(1)), None);
    }

    #[test]
    fn a_mismatch_says_what_was_expected_and_what_came() {
        let refused = answered(7, 401, r#"{"error":"unauthorized_client"}"#);
        let all = findings(json!([{ "error": "invalid_client" }, { "status": 400 }]), &refused);
        assert_eq!(all.len(), 2, "every one, not the first");
        assert_eq!(all[0].expected, "error invalid_client");
        assert_eq!(all[0].actual, r#"401  {"error":"unauthorized_client"}"#);
        assert_eq!((all[0].exchange, all[1].expected.as_str()), (Some(7), "status 400"));
        let graded =
            findings(json!([{ "error": { "is": ["a", "b"], "warn": "other", "because": "odd" } }]), &refused);
        assert_eq!(
            (graded[0].expected.as_str(), graded[0].because.as_deref()),
            ("error a or b", Some("odd"))
        );
        let silent = findings(json!([{ "status": 400 }]), &unanswered(1));
        assert_eq!(silent[0].actual, "no answer within 30 s");
        let token = answered(1, 200, r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA"}"#);
        let secret = findings(json!([{ "outcome": "pending" }]), &token);
        assert!(secret[0].actual.starts_with("200  {\"access_token\":\"‹22 chars"), "{}", secret[0].actual);
    }

    #[test]
    fn what_was_asked_can_be_asked_about() {
        let mut exchange = answered(1, 401, "");
        let written = json!({ "request": "failed_authentication" });
        assert_eq!(worst(&written, &exchange), Some(Grade::Mismatch));
        exchange.asked.manner.failed_authentication = true;
        assert_eq!(worst(&written, &exchange), None);
        exchange.asked.manner.public_client = true;
        assert_eq!(worst(&json!({ "request": "public_client" }), &exchange), None);
        assert_eq!(worst(&json!({ "request": "authorization_header" }), &exchange), Some(Grade::Mismatch));
    }
}
