//! Response headers.

use std::collections::BTreeMap;

use super::view::{View, graded};
use super::{challenge, describe, grade_of, show};
use crate::exchange::Answer;
use crate::redact;
use crate::suite::{Challenge, Graded, HeaderRule};
use crate::verdict::Mismatch;
use url::Url;

/// How many characters of a header are shown.
const LONGEST_HEADER: usize = 100;

/// `header: { cache-control: { has: no-store } }`
pub(super) fn header(rules: &BTreeMap<String, HeaderRule>, view: &View<'_>) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    for (name, rule) in rules {
        for need in needs(rule) {
            match view.answer() {
                None => mismatches.push(view.miss(need.describe(name))),
                Some(answer) if !need.fits(name, answer, &view.exchange.asked.url) => {
                    mismatches.push(view.miss_with(need.describe(name), shown(name, answer)));
                }
                Some(_) => {}
            }
        }
    }
    mismatches
}

/// The rules in words, as one text.
pub(super) fn describe_rules(rules: &BTreeMap<String, HeaderRule>) -> String {
    let words: Vec<_> = rules
        .iter()
        .flat_map(|(name, rule)| needs(rule).into_iter().map(move |need| need.describe(name)))
        .collect();
    words.join(" and ")
}

/// One thing that a [`HeaderRule`] asks for.
enum Need<'a> {
    /// A part is there.
    Has(&'a str),
    /// A part is not there.
    Lacks(&'a str),
    /// A challenge of this scheme is there.
    Scheme(&'a str),
    /// Challenges of one scheme are there, and each is like this.
    Challenge(&'a Challenge),
    /// A directive is there and limits something.
    Directive(&'a str),
    /// Its address stays at the origin that was asked.
    SameOrigin,
    /// The header is there.
    Present,
    /// The header is not there.
    Absent,
}

fn needs(rule: &HeaderRule) -> Vec<Need<'_>> {
    let HeaderRule { has, lacks, scheme, present, challenge, directive, same_origin } = rule;
    [
        present.map(|present| if present { Need::Present } else { Need::Absent }),
        has.as_deref().map(Need::Has),
        lacks.as_deref().map(Need::Lacks),
        scheme.as_deref().map(Need::Scheme),
        challenge.as_ref().map(Need::Challenge),
        directive.as_deref().map(Need::Directive),
        same_origin.then_some(Need::SameOrigin),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Need<'_> {
    fn fits(&self, name: &str, answer: &Answer, asked: &str) -> bool {
        match self {
            Self::Directive(directive) => answer.header(name).any(|policy| limits(policy, directive)),
            Self::SameOrigin => answer.header(name).all(|place| is_same_origin(place, asked)),
            Self::Has(part) => has_part(part, name, answer),
            Self::Lacks(part) => !has_part(part, name, answer),
            Self::Scheme(scheme) => {
                answer.header(name).flat_map(challenges).any(|found| found.eq_ignore_ascii_case(scheme))
            }
            Self::Challenge(rule) => challenge::is_good(rule, answer.header(name)),
            Self::Present => answer.header(name).next().is_some(),
            Self::Absent => answer.header(name).next().is_none(),
        }
    }

    fn describe(&self, name: &str) -> String {
        match self {
            Self::Has(part) => format!("header {name} with {part}"),
            Self::Lacks(part) => format!("header {name} without {part}"),
            Self::Scheme(scheme) => format!("header {name} with a challenge of scheme {scheme}"),
            Self::Challenge(rule) => format!("header {name} with {}", challenge::describe(rule)),
            Self::Directive(directive) => {
                format!("header {name} with a directive {directive} that limits something")
            }
            Self::SameOrigin => format!("header {name} with an address of the same origin"),
            Self::Present => format!("header {name}"),
            Self::Absent => format!("no header {name}"),
        }
    }
}

/// Whether a policy has this directive, and not for everybody (CSP level 2 §4.2.2 and §7).
fn limits(policy: &str, directive: &str) -> bool {
    policy.split([';', ',']).any(|part| {
        let mut words = part.split_ascii_whitespace();
        words.next().is_some_and(|name| name.eq_ignore_ascii_case(directive))
            && words.all(|value| value != "*")
    })
}

fn is_same_origin(place: &str, asked: &str) -> bool {
    let Ok(asked) = Url::parse(asked) else { return false };
    // What is no address leads nowhere else.
    asked.join(place).is_ok_and(|place| place.origin() == asked.origin())
}

/// A part `max-age=60` is there under its whole text and under its name.
fn has_part(wanted: &str, name: &str, answer: &Answer) -> bool {
    answer.header(name).flat_map(parts).any(|part| {
        let name = part.split('=').next().unwrap_or(part).trim_end();
        part.eq_ignore_ascii_case(wanted) || name.eq_ignore_ascii_case(wanted)
    })
}

/// `content_type: application/json`: the media type without parameters (RFC 9110 §8.3.1).
pub(super) fn content_type(expected: &Graded<String>, view: &View<'_>) -> Vec<Mismatch> {
    let Some(answer) = view.answer() else { return vec![view.miss(describe::content_type(expected))] };
    let essences: Vec<_> = answer.header("content-type").map(essence).collect();
    // Two different media types are none that anybody could rely on.
    let found = essences.first().filter(|first| essences.iter().all(|e| e.eq_ignore_ascii_case(first)));
    grade_of(expected, |wanted| found.is_some_and(|found| found.eq_ignore_ascii_case(wanted)))
        .map(|grade| {
            let actual = shown("content-type", answer);
            graded(grade, view.miss_with(describe::content_type(expected), actual))
        })
        .into_iter()
        .collect()
}

fn essence(value: &str) -> &str {
    value.split(';').next().unwrap_or(value).trim()
}

/// `cache-control: private, max-age=0`, or that there is none.
fn shown(name: &str, answer: &Answer) -> String {
    let values: Vec<_> = answer.header(name).map(|value| redact::header(name, value)).collect();
    let text = match values.is_empty() {
        true => format!("no {name} header"),
        false => format!("{name}: {}", values.join(" | ")),
    };
    format!("{}, status {}", show::short(&text, LONGEST_HEADER), answer.status)
}

/// The parts between commas, quoted strings respected (RFC 9110 §5.6.1).
pub(super) fn parts(value: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in value.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(value.get(start..at).unwrap_or_default().trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(value.get(start..).unwrap_or_default().trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// The schemes of all challenges in one header value.
///
/// A comma separates both challenges and the parameters of one (RFC 9110 §11.6.1): a part that begins with a token and
/// an equals sign is a parameter of the challenge before it, any other part begins a new one.
fn challenges(value: &str) -> Vec<&str> {
    parts(value).into_iter().filter_map(scheme).collect()
}

/// The scheme, if a challenge begins here.
pub(super) fn scheme(part: &str) -> Option<&str> {
    let end = part.find(|c: char| !is_token(c)).unwrap_or(part.len());
    let (token, behind) = part.split_at(end);
    let is_parameter = behind.trim_start().starts_with('=');
    (!token.is_empty() && !is_parameter && (behind.is_empty() || behind.starts_with([' ', '\t'])))
        .then_some(token)
}

/// `tchar` of RFC 9110 §5.6.2.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stage::{findings, unanswered, with_headers, worst};
    use super::challenges;
    use crate::verdict::Grade;

    #[test]
    fn headers_are_compared_by_their_parts() {
        let exchange = with_headers(
            1,
            401,
            &[
                ("cache-control", "No-Store, max-age=0"),
                ("cache-control", "private=\"a, public\""),
                ("www-authenticate", "Bearer realm=\"Basic, x\", Basic realm=\"a\\\"b\""),
                ("empty", ""),
            ],
            "",
        );
        for (written, holds) in [
            (json!({ "cache-control": { "has": "no-store" } }), true),
            (json!({ "Cache-Control": { "has": "max-age=0" } }), true),
            (json!({ "cache-control": { "has": "max-age=1" } }), false),
            (json!({ "cache-control": { "has": "store" } }), false),
            (json!({ "cache-control": { "lacks": "public" } }), true),
            (json!({ "cache-control": { "lacks": "max-age" } }), false),
            (json!({ "cache-control": { "lacks": "private" } }), false),
            (json!({ "pragma": { "lacks": "x" } }), true),
            (json!({ "pragma": { "has": "no-cache" } }), false),
            (json!({ "pragma": { "present": false } }), true),
            (json!({ "pragma": { "present": true } }), false),
            (json!({ "empty": { "present": true } }), true),
            (json!({ "empty": { "present": false } }), false),
            (json!({ "www-authenticate": { "scheme": "basic" } }), true),
            (json!({ "www-authenticate": { "scheme": "Digest" } }), false),
            (json!({ "pragma": { "scheme": "Basic" } }), false),
        ] {
            let written = json!({ "header": written });
            assert_eq!(worst(&written, &exchange).is_none(), holds, "{written}");
            assert!(worst(&written, &unanswered(1)).is_some(), "{written}");
        }
        let all = findings(
            json!([{ "header": { "cache-control": { "has": "no-cache", "lacks": "no-store" }, "x": { "present": true } } }]),
            &exchange,
        );
        let expected: Vec<_> = all.iter().map(|mismatch| mismatch.expected.as_str()).collect();
        assert_eq!(
            expected,
            ["header cache-control with no-cache", "header cache-control without no-store", "header x"]
        );
        assert_eq!(all[2].actual, "no x header, status 401");
        assert!(all[0].actual.starts_with("cache-control: No-Store, max-age=0 | "), "{}", all[0].actual);
    }

    #[test]
    fn challenges_are_told_from_their_parameters() {
        for (value, schemes) in [
            ("Basic", vec!["Basic"]),
            ("Basic realm=\"x\"", vec!["Basic"]),
            ("Basic realm=\"x\", charset=\"UTF-8\", Bearer error=\"a, Digest b\"", vec!["Basic", "Bearer"]),
            ("Negotiate, Basic realm = x , Token68 abc==", vec!["Negotiate", "Basic", "Token68"]),
            ("Basic a=b, realm = x", vec!["Basic"]),
            ("realm=\"x\"", vec![]),
            (", ,", vec![]),
            ("\"Basic\"", vec![]),
            ("Basic: x", vec![]),
        ] {
            assert_eq!(challenges(value), schemes, "{value}");
        }
    }

    #[test]
    fn the_media_type_is_compared_without_parameters() {
        for (headers, grade) in [
            (&[("content-type", "application/json")][..], None),
            (&[("content-type", "Application/JSON ; charset=utf-8")][..], None),
            (&[("content-type", "text/json")][..], Some(Grade::Warn)),
            (&[("content-type", "application/problem+json")][..], Some(Grade::Mismatch)),
            (
                &[("content-type", "application/json"), ("content-type", "text/html")][..],
                Some(Grade::Mismatch),
            ),
            (&[][..], Some(Grade::Mismatch)),
        ] {
            let written = json!({ "content_type": { "is": "application/json", "warn": "text/json", "because": "old" } });
            assert_eq!(worst(&written, &with_headers(1, 200, headers, "{}")), grade, "{headers:?}");
        }
        let all = findings(json!([{ "content_type": "application/json" }]), &with_headers(1, 200, &[], ""));
        assert_eq!(
            (all[0].expected.as_str(), all[0].actual.as_str()),
            ("content-type application/json", "no content-type header, status 200")
        );
        assert!(worst(&json!({ "content_type": "a/b" }), &unanswered(1)).is_some());
    }
}
