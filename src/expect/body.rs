//! The body as bytes and as one JSON object, and single members of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::relations::filled;
use super::view::View;
use super::{Scope, describe, show};
use crate::outcome::{Outcome, lenient_json};
use crate::redact;
use crate::suite::{ANY_DEVICE_CODE, BodyTrait, FilledLists, ScopeRule};
use crate::verdict::Mismatch;

/// The byte order mark of UTF-8, which a JSON text must not begin with (RFC 8259 §8.1).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// `body: [json-object, unique-members, utf-8]`
pub(super) fn traits(traits: &[BodyTrait], view: &View<'_>) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    for body_trait in traits {
        let expected = || describe::body(*body_trait);
        let Some(answer) = view.answer() else {
            mismatches.push(view.miss(expected()));
            continue;
        };
        let fault = match body_trait {
            BodyTrait::JsonObject if view.members.is_some() => None,
            BodyTrait::JsonObject => not_an_object(&answer.body),
            BodyTrait::UniqueMembers => repeated_members(&answer.body),
            BodyTrait::Utf8 => not_utf8(&answer.body),
        };
        if let Some(fault) = fault {
            let actual = if answer.body.is_empty() {
                format!("{} with an empty body", answer.status)
            } else {
                format!("{fault}: {}", show::answer(view.exchange))
            };
            mismatches.push(view.miss_with(expected(), actual));
        }
    }
    mismatches
}

fn not_an_object(body: &[u8]) -> Option<String> {
    match serde_json::from_str(&lenient_json(body)) {
        Ok(Value::Object(_)) => None,
        Ok(Value::Array(_)) => Some("a JSON list".to_owned()),
        Ok(_) => Some("a JSON value that is no object".to_owned()),
        Err(error) => Some(format!("no JSON ({error})")),
    }
}

/// Which members of the object come twice (RFC 6749 §3.2). What is no object is the matter of `json-object`.
fn repeated_members(body: &[u8]) -> Option<String> {
    let body = lenient_json(body);
    let mut reader = serde_json::Deserializer::from_str(&body);
    let names = reader.deserialize_map(MemberNames).ok()?;
    let mut seen = BTreeSet::new();
    let repeated: BTreeSet<_> = names.iter().filter(|name| !seen.insert(name.as_str())).collect();
    let repeated: Vec<_> = repeated.into_iter().map(|name| show::text(name)).collect();
    (!repeated.is_empty()).then(|| format!("more than one {}", show::joined(&repeated, "and")))
}

/// Collects the names of an object with every repetition, which a map would hide.
struct MemberNames;

impl<'de> Visitor<'de> for MemberNames {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut names = Vec::new();
        while let Some((name, IgnoredAny)) = map.next_entry()? {
            names.push(name);
        }
        Ok(names)
    }
}

fn not_utf8(body: &[u8]) -> Option<String> {
    if body.starts_with(BYTE_ORDER_MARK) {
        return Some("a byte order mark at the start".to_owned());
    }
    let error = std::str::from_utf8(body).err()?;
    Some(format!("no UTF-8 from byte {} on", error.valid_up_to() + 1))
}

/// `absent: [access_token]`
pub(super) fn absent(names: &[String], view: &View<'_>) -> Vec<Mismatch> {
    let missed = names.iter().filter_map(|name| {
        let expected = || describe::absent(name);
        match (view.answer(), view.members.and_then(|members| members.get(name))) {
            (None, _) => Some(view.miss(expected())),
            (Some(_), Some(value)) => Some(view.miss_with(expected(), show::member(name, value))),
            (Some(_), None) => None,
        }
    });
    missed.collect()
}

/// `contains: { grant_types_supported: "urn:..." }`
pub(super) fn contains(members: &BTreeMap<String, String>, view: &View<'_>) -> Vec<Mismatch> {
    let missed = members.iter().filter_map(|(name, wanted)| {
        let expected = || describe::contains(name, wanted);
        let Some(members) = view.members else { return Some(view.miss(expected())) };
        let text = match filled(wanted, view.scope) {
            Ok(text) => text,
            Err(missing) => return Some(view.miss_with(expected(), missing)),
        };
        match members.get(name) {
            None => Some(view.miss_with(expected(), describe::not_there(members))),
            Some(Value::Array(values)) if values.iter().any(|value| value == &text) => None,
            Some(value) => Some(view.miss_with(expected(), show::member(name, value))),
        }
    });
    missed.collect()
}

/// `filled_lists: { except: [response_types_supported] }`: a member with nothing in it is left out (RFC 8414 §3.2).
pub(super) fn filled_lists(rule: &FilledLists, view: &View<'_>) -> Vec<Mismatch> {
    let expected = describe::FILLED_LISTS;
    let Some(members) = &view.members else { return vec![view.miss(expected)] };
    let is_empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    let empty = members.iter().filter(|(name, value)| is_empty(value) && !rule.except.contains(name));
    empty.map(|(name, value)| view.miss_with(expected, format!("{name}: {value}"))).collect()
}

/// `lacks: "{tv.device_code}"`: in no spelling, so that a leak inside a URL or a script is seen.
pub(super) fn lacks(template: &str, view: &View<'_>) -> Vec<Mismatch> {
    let expected = describe::lacks(template);
    let Some(answer) = view.answer() else { return vec![view.miss(expected)] };
    if template == ANY_DEVICE_CODE {
        let headers = answer.headers.iter().map(|(_, value)| value.as_str());
        let body = String::from_utf8_lossy(&answer.body);
        let mut places = headers.chain([view.exchange.asked.url.as_str(), &body]);
        if !places.any(|place| view.scope.has_device_code(place)) {
            return Vec::new();
        }
        let actual =
            format!("a device code in its body, headers or address; {}", show::answer(view.exchange));
        return vec![view.miss_with(expected, actual)];
    }
    let actual = match filled(template, view.scope) {
        Err(missing) => Some(missing),
        Ok(text) if text.is_empty() => Some(format!("{template} is empty")),
        Ok(text) => {
            let body = String::from_utf8_lossy(&answer.body);
            redact::spellings(&text).iter().any(|spelling| body.contains(spelling.as_str())).then(|| {
                format!("status {}, and the body has {}", answer.status, show::filled(template, &text))
            })
        }
    };
    actual.map(|actual| view.miss_with(expected, actual)).into_iter().collect()
}

/// `scope: { subset_of: tv }`. A token answer without `scope` grants what was asked for (RFC 6749 §5.1); a request
/// without one leaves the choice to the server (RFC 6749 §3.3).
pub(super) fn scope(rule: &ScopeRule, view: &View<'_>) -> Vec<Mismatch> {
    let requested = rule.subset_of.as_deref().and_then(|session| view.scope.requested_scope(session));
    let member = view.members.and_then(|members| members.get("scope"));
    let granted = match member {
        Some(Value::String(scope)) => Some(scope.clone()),
        // A list of texts is a scope written otherwise, which is not what is asked here.
        Some(Value::Array(list)) if list.iter().all(Value::is_string) => {
            Some(list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
        }
        Some(other) => return vec![view.miss_with(describe::scope(rule), show::member("scope", other))],
        None if view.outcome == Outcome::Granted => requested.clone(),
        None => return vec![view.miss(describe::scope(rule))],
    };
    let granted = granted.unwrap_or_default();
    let tokens: Vec<_> = granted.split_ascii_whitespace().collect();
    let mut faults = Vec::new();
    if let Some(requested) = &requested {
        let beyond: Vec<_> = tokens
            .iter()
            .filter(|token| !requested.split_ascii_whitespace().any(|asked| asked == **token))
            .map(|token| show::text(token))
            .collect();
        if !beyond.is_empty() {
            faults.push(format!(
                "{} beyond what was asked for, {}",
                show::joined(&beyond, "and"),
                show::text(requested)
            ));
        }
    }
    if let Some(unwanted) = &rule.lacks {
        match filled(unwanted, view.scope) {
            Err(missing) => faults.push(missing),
            Ok(unwanted) if tokens.contains(&unwanted.as_str()) => {
                faults.push(format!("scope {}", show::text(&granted)));
            }
            Ok(_) => {}
        }
    }
    if let Some(other) = &rule.same_as {
        faults.extend(another_scope(&tokens, other, view.scope));
    }
    faults.into_iter().map(|fault| view.miss_with(describe::scope(rule), fault)).collect()
}

/// How a scope differs from that of a named answer. One that says none granted what was asked for, so there is nothing to
/// tell them apart by.
fn another_scope(tokens: &[&str], name: &str, scope: &dyn Scope) -> Option<String> {
    let Some(other) = scope.exchange(name).map(|other| View::new(other, scope)) else {
        return Some(format!("the exchange {name} is not there"));
    };
    let there: BTreeSet<&str> = other.text("scope")?.split_ascii_whitespace().collect();
    let here: BTreeSet<&str> = tokens.iter().copied().collect();
    let words = |words: &BTreeSet<&str>| show::text(&words.iter().copied().collect::<Vec<_>>().join(" "));
    (here != there).then(|| format!("scope {}, and {name} had {}", words(&here), words(&there)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stage::{DEVICE_CODE, answered, findings, unanswered, worst};
    use crate::verdict::Grade;

    #[test]
    fn hostile_bodies_are_named_for_what_they_are() {
        let deep = [b"[".repeat(200_000), b"]".repeat(200_000)].concat();
        let deep_member =
            [&b"{\"a\":"[..], &b"[".repeat(100_000), &b"]".repeat(100_000), b",\"a\":1}"].concat();
        // One row: the body, and what is said of it as json-object, unique-members and utf-8.
        for (body, object, unique, utf8) in [
            (&b"{}"[..], None, None, None),
            (b"", Some("200 with an empty body"), None, None),
            (b"[1]", Some("a JSON list: "), None, None),
            (b"null", Some("a JSON value that is no object: "), None, None),
            (b"{\"a\":1,\"a\":2}", None, Some("more than one \"a\": "), None),
            (b"{\"a\":1,\"\\u0061\":2,\"b\":3,\"b\":4}", None, Some("more than one \"a\" and \"b\": "), None),
            (b"{\"a\":{\"b\":1,\"b\":2}}", None, None, None),
            (b"{\"a\":1", Some("no JSON ("), None, None),
            (b"{} {}", Some("no JSON ("), None, None),
            (b"<html>", Some("no JSON ("), None, None),
            (b"{\"a\":\"\xff\"}", None, None, Some("no UTF-8 from byte 7 on: ")),
            (b"\xef\xbb\xbf{}", None, None, Some("a byte order mark at the start: ")),
            (
                b"\xef\xbb\xbf{\"a\":1,\"a\":2}",
                None,
                Some("more than one \"a\": "),
                Some("a byte order mark"),
            ),
            (b"{\"a\":1e999}", Some("no JSON (number out of range"), None, None),
            (&deep, Some("no JSON (recursion limit exceeded"), None, None),
            (&deep_member, Some("no JSON (recursion limit exceeded"), Some("more than one \"a\""), None),
        ] {
            let exchange = answered(1, 200, body);
            for (word, said) in [("json-object", object), ("unique-members", unique), ("utf-8", utf8)] {
                let found = findings(json!([{ "body": [word] }]), &exchange);
                let name = String::from_utf8_lossy(body.get(..20).unwrap_or(body)).into_owned();
                match said {
                    None => assert_eq!(found, [], "{word} {name}"),
                    Some(said) => {
                        assert!(found[0].actual.starts_with(said), "{word} {name}: {}", found[0].actual);
                        assert!(found[0].actual.chars().count() < 250, "{}", found[0].actual);
                    }
                }
            }
        }
        let silent =
            findings(json!([{ "body": ["json-object", "unique-members", "utf-8"] }]), &unanswered(1));
        assert_eq!(silent.len(), 3);
    }

    #[test]
    fn members_are_looked_for_in_lists_and_missed_where_they_must_not_be() {
        let exchange = answered(1, 200, r#"{"grants":["a","tv-app"],"n":null,"s":"a"}"#);
        for (written, holds) in [
            (json!({ "contains": { "grants": "a" } }), true),
            (json!({ "contains": { "grants": "{tv.client_id}" } }), true),
            (json!({ "contains": { "grants": "b" } }), false),
            (json!({ "contains": { "grants": "{nobody.client_id}" } }), false),
            (json!({ "contains": { "s": "a" } }), false),
            (json!({ "contains": { "missing": "a" } }), false),
            (json!({ "absent": ["access_token", "x"] }), true),
            (json!({ "absent": ["x", "n"] }), false),
            (json!({ "absent": ["x", "s"] }), false),
        ] {
            assert_eq!(worst(&written, &exchange).is_none(), holds, "{written}");
            assert!(worst(&written, &unanswered(1)).is_some(), "{written}");
        }
        let all = findings(json!([{ "contains": { "x": "a" } }]), &exchange);
        assert_eq!(all[0].actual, "not there; the members are grants, n and s");
        assert_eq!(worst(&json!({ "absent": ["a"] }), &answered(1, 400, "<html>")), None);
        assert!(worst(&json!({ "contains": { "a": "b" } }), &answered(1, 400, "<html>")).is_some());
    }

    #[test]
    fn a_leak_is_found_in_any_spelling_and_not_repeated_in_the_text() {
        let lacks =
            |template: &str, body: &str| findings(json!([{ "lacks": template }]), &answered(1, 200, body));
        let found = lacks("{tv.device_code}", &format!("<a href='/x?c={DEVICE_CODE}'>"));
        assert!(!found[0].actual.contains(DEVICE_CODE), "{}", found[0].actual);
        assert_eq!(found[0].expected, "a body without {tv.device_code}");
        assert_eq!(lacks("{tv.device_code}", "<p>"), []);
        assert_eq!(lacks("{tv.verification_uri}", "go=https%3a%2f%2fexample.com%2fdevice").len(), 1);
        assert_eq!(lacks("{tv.verification_uri}", r"https:\/\/example.com\/device").len(), 1);
        for template in ["{nobody.device_code}", "{empty}"] {
            assert_eq!(lacks(template, "x").len(), 1, "{template}");
        }
        assert!(worst(&json!({ "lacks": "x" }), &unanswered(1)).is_some());
    }

    #[test]
    fn a_scope_may_not_grow() {
        let granted = |scope: &str| format!(r#"{{"access_token":"t"{scope}}}"#);
        for (written, body, grade) in [
            (json!({ "subset_of": "tv" }), granted(r#","scope":"email""#), None),
            (json!({ "subset_of": "tv" }), granted(r#","scope":"""#), None),
            (json!({ "subset_of": "tv" }), granted(""), None),
            (json!({ "subset_of": "nobody" }), granted(r#","scope":"admin""#), None),
            (json!({ "subset_of": "tv" }), granted(r#","scope":"email admin""#), Some(Grade::Mismatch)),
            (json!({ "subset_of": "tv" }), granted(r#","scope":["email"]"#), None),
            (json!({ "subset_of": "tv" }), granted(r#","scope":["email","admin"]"#), Some(Grade::Mismatch)),
            (json!({ "subset_of": "tv" }), granted(r#","scope":{"email":1}"#), Some(Grade::Mismatch)),
            (json!({ "subset_of": "tv" }), r#"{"error":"invalid_scope"}"#.to_owned(), Some(Grade::Mismatch)),
            (json!({ "lacks": "admin" }), granted(r#","scope":"email""#), None),
            (json!({ "lacks": "admin" }), granted(r#","scope":"email admin""#), Some(Grade::Mismatch)),
            // Without the member the scope is the one that was asked for (RFC 6749 §5.1).
            (json!({ "subset_of": "tv", "lacks": "email" }), granted(""), Some(Grade::Mismatch)),
            (json!({ "lacks": "admin" }), r#"{"active":true,"scope":"email"}"#.to_owned(), None),
        ] {
            let written = json!({ "scope": written });
            assert_eq!(worst(&written, &answered(1, 200, &body)), grade, "{written} {body}");
        }
        let body = granted(r#","scope":"email admin root""#);
        let all = findings(json!([{ "scope": { "subset_of": "tv" } }]), &answered(1, 200, body));
        assert_eq!(all[0].actual, "\"admin\" and \"root\" beyond what was asked for, \"profile email\"");
    }
}
