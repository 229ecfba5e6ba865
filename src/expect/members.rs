//! Members of the JSON object: types, bounds, characters, URIs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::relations::filled;
use super::uri::{self, TargetPlace};
use super::view::View;
use super::{Scope, describe, show};
use crate::redact::percent_decoded;
use crate::suite::{Charset, JsonType, MemberRule, Number};
use crate::verdict::Mismatch;

/// `member: { expires_in: { type: integer, at_least: 1 } }`: one mismatch a member, with all that is wrong with it.
pub(super) fn member(rules: &BTreeMap<String, MemberRule>, view: &View<'_>) -> Vec<Mismatch> {
    rules.iter().filter_map(|(name, rule)| judge(name, rule, view)).collect()
}

fn judge(name: &str, rule: &MemberRule, view: &View<'_>) -> Option<Mismatch> {
    let expected = || describe::member("member", name, rule);
    let Some(members) = &view.members else {
        return (view.answer().is_none() || !rule.optional).then(|| view.miss(expected()));
    };
    wrong(name, rule, members, view.scope).map(|actual| view.miss_with(expected(), actual))
}

/// What is wrong with a member of an object, if anything is.
pub(super) fn wrong(
    name: &str,
    rule: &MemberRule,
    members: &Map<String, Value>,
    scope: &dyn Scope,
) -> Option<String> {
    let Some(value) = members.get(name) else {
        return (!rule.optional).then(|| describe::not_there(members));
    };
    let shown = || show::member(name, value);
    if !rule.json_type.is_empty() && !rule.json_type.iter().any(|json_type| is_of(*json_type, value)) {
        return Some(shown());
    }
    let faults = faults(rule, value, scope);
    (!faults.is_empty()).then(|| format!("{}: {}", shown(), faults.join("; ")))
}

fn is_of(json_type: JsonType, value: &Value) -> bool {
    match json_type {
        JsonType::String => value.is_string(),
        JsonType::Number => value.is_number(),
        JsonType::Integer => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        JsonType::Boolean => value.is_boolean(),
        JsonType::Array => value.is_array(),
        JsonType::Object => value.is_object(),
        JsonType::Null => value.is_null(),
    }
}

fn faults(rule: &MemberRule, value: &Value, scope: &dyn Scope) -> Vec<String> {
    let mut faults = Vec::new();
    faults.extend(wrong_value(rule, value, scope));
    faults.extend(rule.includes.as_deref().and_then(|wanted| not_included(wanted, value, scope)));
    if let Some(least) = rule.items_at_least {
        match value.as_array() {
            Some(items) if items.len() < least => faults.push(format!("{} items", items.len())),
            Some(_) => {}
            None => faults.push("not a list".to_owned()),
        }
    }
    numbers(rule, value, scope, &mut faults);
    if looks_at_text(rule) {
        match value.as_str() {
            Some(text) => texts(rule, text, scope, &mut faults),
            None => faults.push("not a string".to_owned()),
        }
    }
    faults
}

fn wrong_value(rule: &MemberRule, value: &Value, scope: &dyn Scope) -> Option<String> {
    if rule.is_not.is_none() && rule.is.is_empty() && rule.is_any_case.is_empty() {
        return None;
    }
    let text = match value {
        Value::String(text) => Cow::Borrowed(text.as_str()),
        other => Cow::Owned(other.to_string()),
    };
    let same =
        |wanted: &str| text == wanted || value.as_f64().is_some_and(|number| wanted.parse() == Ok(number));
    if rule.is_not.as_deref().is_some_and(|unwanted| filled(unwanted, scope).is_ok_and(|text| same(&text))) {
        return Some("this value is ruled out".to_owned());
    }
    if rule.is.is_empty() && rule.is_any_case.is_empty() {
        return None;
    }
    let mut missing = None;
    let mut fits = |wanted: &String, fit: &dyn Fn(&str) -> bool| match filled(wanted, scope) {
        Ok(wanted) => fit(&wanted),
        Err(reason) => {
            missing = Some(reason);
            false
        }
    };
    let found = rule.is.iter().any(|wanted| fits(wanted, &same))
        || rule
            .is_any_case
            .iter()
            .any(|wanted| fits(wanted, &|wanted| text.to_lowercase() == wanted.to_lowercase()));
    (!found).then(|| missing.unwrap_or_else(|| "another value".to_owned()))
}

/// A text is the one wanted, or a list has it: `aud` of a JWT may be either (RFC 7519 §4.1.3).
fn not_included(wanted: &str, value: &Value, scope: &dyn Scope) -> Option<String> {
    let wanted = match filled(wanted, scope) {
        Ok(wanted) => wanted,
        Err(reason) => return Some(reason),
    };
    let has = match value {
        Value::Array(items) => items.iter().any(|item| item == &wanted),
        other => other == &wanted,
    };
    (!has).then(|| format!("without {}", show::text(&wanted)))
}

fn numbers(rule: &MemberRule, value: &Value, scope: &dyn Scope, faults: &mut Vec<String>) {
    let bound = |bound: &Number| match bound {
        Number::Plain(number) => *number,
        Number::Time(timing) => scope.seconds(timing),
    };
    let least = rule.at_least.as_ref().map(bound);
    let most = rule.at_most.as_ref().map(bound);
    if least.is_none() && most.is_none() && rule.above.is_none() {
        return;
    }
    let Some(number) = value.as_f64() else {
        faults.push("not a number".to_owned());
        return;
    };
    if let Some(least) = least.filter(|least| number < *least) {
        faults.push(format!("below {}", show::number(least)));
    }
    if let Some(most) = most.filter(|most| number > *most) {
        faults.push(format!("above {}", show::number(most)));
    }
    if let Some(above) = rule.above.filter(|above| number <= *above) {
        faults.push(format!("not above {}", show::number(above)));
    }
}

fn looks_at_text(rule: &MemberRule) -> bool {
    rule.length_at_least.is_some()
        || rule.length_at_most.is_some()
        || rule.alphanumerics_at_least.is_some()
        || rule.charset.is_some()
        || rule.uri.is_some()
        || rule.https
        || rule.lacks.is_some()
        || rule.has.is_some()
        || !rule.without.is_empty()
        || rule.same_host.is_some()
}

fn texts(rule: &MemberRule, text: &str, scope: &dyn Scope, faults: &mut Vec<String>) {
    let length = text.chars().count();
    if rule.length_at_least.is_some_and(|least| length < least)
        || rule.length_at_most.is_some_and(|most| length > most)
    {
        faults.push(format!("{length} {}", show::plural(length, "character", "characters")));
    }
    let alphanumerics = text.chars().filter(|c| c.is_alphanumeric()).count();
    if rule.alphanumerics_at_least.is_some_and(|least| alphanumerics < least) {
        faults.push(format!("{alphanumerics} letters and digits"));
    }
    faults.extend(rule.charset.and_then(|charset| outside(charset, text)));
    faults.extend(rule.uri.and_then(|kind| uri::fault(kind, text)));
    if rule.https {
        let place = if scope.is_loopback() { TargetPlace::Loopback } else { TargetPlace::Elsewhere };
        faults.extend(uri::not_https(text, place));
    }
    for part in rule.without.iter().filter(|part| uri::has_part(**part, text)) {
        faults.push(format!("it has a {part}"));
    }
    if let Some(wanted) = &rule.has {
        faults.extend(match contains_code(text, wanted, scope) {
            Ok(true) => None,
            Ok(false) => Some(format!("without {wanted}")),
            Err(reason) => Some(reason),
        });
    }
    if let Some(unwanted) = &rule.lacks {
        faults.extend(match contains_code(text, unwanted, scope) {
            Ok(false) => None,
            Ok(true) => Some(format!("it has {unwanted}")),
            Err(reason) => Some(reason),
        });
    }
    if let Some(other) = &rule.same_host {
        faults.extend(match filled(other, scope) {
            Err(reason) => Some(reason),
            Ok(other) => match (uri::host(text), uri::host(&other)) {
                (Some(host), Some(wanted)) if host == wanted => None,
                (_, Some(wanted)) => Some(format!("not the host {wanted}")),
                (_, None) => Some(format!("{} has no host", show::text(&other))),
            },
        });
    }
}

/// Is the filled template in the text, both reduced to letters and digits (RFC 8628 §6.1: marks and case say nothing)?
fn contains_code(text: &str, template: &str, scope: &dyn Scope) -> Result<bool, String> {
    let code = letters_and_digits(&filled(template, scope)?);
    if code.is_empty() {
        return Err(format!("{template} has no letters and digits to look for"));
    }
    Ok(letters_and_digits(&percent_decoded(text)).contains(&code))
}

/// Letters and digits only, in upper case.
pub(super) fn letters_and_digits(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// The first character that is outside a set, or what else is wrong with the text.
/// Which characters of a text are outside of a set, if any are.
pub(super) fn outside(charset: Charset, text: &str) -> Option<String> {
    let allowed: fn(char) -> bool = match charset {
        Charset::Visible => |c| matches!(c, ' '..='~'),
        Charset::ErrorText => |c| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~'),
        Charset::ErrorUri => |c| matches!(c, '!' | '#'..='[' | ']'..='~'),
        Charset::Scope => |c| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~'),
        Charset::Typeable => |c| matches!(c, 'A'..='Z' | '0'..='9' | '-' | ' ' | '.' | '_'),
    };
    if let Some((at, c)) = text.chars().enumerate().find(|(_, c)| !allowed(*c)) {
        return Some(format!("{c:?} at character {}", at + 1));
    }
    (charset == Charset::Scope && text.split(' ').any(str::is_empty))
        .then(|| "scope tokens are not joined by single spaces".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::stage::{DEVICE_CODE, answered, expectations, findings, stage, unanswered, worst};
    use super::super::{Scope, judge};

    fn holds(rule: &Value, value: &str) -> bool {
        let exchange = answered(1, 200, format!(r#"{{"m":{value},"other":1}}"#));
        worst(&json!({ "member": { "m": rule } }), &exchange).is_none()
    }

    #[test]
    fn every_key_of_a_rule_holds_and_fails() {
        let rules: Vec<(Value, &[&str], &[&str])> = vec![
            (json!({}), &["null", "1", "\"\""], &[]),
            (
                json!({ "type": "integer" }),
                &["1800", "1800.0", "1e3", "-1", "1e300"],
                &["1800.5", "\"1800\"", "null"],
            ),
            (json!({ "type": "number" }), &["1.5", "0", "18446744073709551616"], &["\"1\"", "true", "[]"]),
            (json!({ "type": ["string", "array"] }), &["\"a\"", "[]"], &["{}", "1"]),
            (json!({ "type": "boolean" }), &["true"], &["\"true\"", "0"]),
            (json!({ "type": "object" }), &["{}"], &["[]"]),
            (json!({ "at_least": 1 }), &["1", "1.5"], &["0", "-1", "\"2\"", "null"]),
            (json!({ "at_least": "shortest_lifetime" }), &["60", "600"], &["59"]),
            (json!({ "at_most": 86400 }), &["86400"], &["86401", "1e300"]),
            (json!({ "above": 0 }), &["0.1", "1"], &["0", "-0.0"]),
            (
                json!({ "is": ["Bearer", "1", "true"] }),
                &["\"Bearer\"", "1", "1.0", "true"],
                &["\"bearer\"", "2", "null"],
            ),
            (json!({ "is": "{tv.client_id}" }), &["\"tv-app\""], &["\"x\""]),
            (json!({ "is": "{nobody.client_id}" }), &[], &["\"x\""]),
            (json!({ "is_any_case": "bearer" }), &["\"BeArEr\""], &["\"mac\""]),
            (json!({ "is_not": "{tv.client_id}" }), &["\"x\""], &["\"tv-app\""]),
            (json!({ "length_at_least": 2 }), &["\"ab\"", "\"éé\""], &["\"a\"", "\"\"", "12"]),
            (json!({ "length_at_most": 2 }), &["\"ab\"", "\"éé\""], &["\"abc\""]),
            (json!({ "alphanumerics_at_least": 4 }), &["\"AB-CD\""], &["\"A-B-C\""]),
            (json!({ "charset": "visible" }), &["\"a b~\"", "\"\""], &["\"é\"", "\"a\\n\"", "\"\\u007f\""]),
            (json!({ "charset": "error-text" }), &["\"a b\""], &["\"a\\\"b\"", "\"a\\\\b\"", "\"é\""]),
            (json!({ "charset": "error-uri" }), &["\"https://x\""], &["\"a b\"", "\"\\\"\""]),
            (json!({ "charset": "scope" }), &["\"a b:c\""], &["\"a  b\"", "\" a\"", "\"\"", "\"a\\tb\""]),
            (
                json!({ "charset": "typeable" }),
                &["\"WDJB-MJHT\"", "\"123 456\""],
                &["\"wdjb\"", "\"Ä\"", "\"A*\""],
            ),
            (json!({ "uri": "absolute" }), &["\"https://x/\""], &["\"/x\"", "\"x\"", "1"]),
            (json!({ "uri": "reference" }), &["\"/x\""], &["\"a b\""]),
            (
                json!({ "https": true }),
                &["\"https://x/\"", "\"http://127.0.0.1:9/\""],
                &["\"http://x/\"", "\"\""],
            ),
            (
                json!({ "has": "{tv.user_code}" }),
                &["\"https://x/?c=wdjb%2Dmjht\"", "\"WDJBMJHT\""],
                &["\"WDJB\""],
            ),
            (json!({ "lacks": "{tv.user_code}" }), &["\"https://x/\""], &["\"https://x/?c=WDJB-MJHT\""]),
            (json!({ "lacks": "{marks}" }), &[], &["\"https://x/\""]),
            (json!({ "has": "{nobody.user_code}" }), &[], &["\"x\""]),
            (
                json!({ "without": ["query", "fragment", "userinfo", "percent-escape"] }),
                &["\"https://x/a\""],
                &["\"https://x/?a\"", "\"https://x/#a\"", "\"https://a@x/\"", "\"https://x/%41\""],
            ),
            (
                json!({ "same_host": "{tv.verification_uri}" }),
                &["\"http://EXAMPLE.com:1/x\""],
                &["\"https://example.org/\"", "\"x\""],
            ),
            (json!({ "same_host": "{tv.client_id}" }), &[], &["\"https://example.com/\""]),
            (json!({ "optional": true, "type": "string" }), &["\"\""], &["1", "null"]),
        ];
        for (rule, good, bad) in rules {
            for value in good {
                assert!(holds(&rule, value), "{rule} {value}");
            }
            for value in bad {
                assert!(!holds(&rule, value), "{rule} {value}");
            }
        }
    }

    #[test]
    fn a_missing_member_is_missed_unless_it_is_optional() {
        let rule = |optional: bool| json!({ "member": { "m": { "type": "string", "optional": optional } } });
        for body in ["{}", "[1]", "<html>", ""] {
            assert!(worst(&rule(false), &answered(1, 200, body)).is_some(), "{body}");
            assert!(worst(&rule(true), &answered(1, 200, body)).is_none(), "{body}");
        }
        assert!(worst(&rule(true), &unanswered(1)).is_some());
    }

    #[test]
    fn the_texts_name_rule_type_and_faults() {
        for (name, rule, body, expected, actual) in [
            (
                "expires_in",
                json!({ "type": "integer", "at_least": 1 }),
                r#"{"expires_in":"1800"}"#,
                "member expires_in: an integer from 1 on",
                "the string \"1800\"",
            ),
            (
                "interval",
                json!({ "type": "number", "above": 0, "at_most": 60, "optional": true }),
                r#"{"interval":-5}"#,
                "member interval: a number up to 60, above 0, if it is there",
                "the number -5: not above 0",
            ),
            (
                "verification_uri",
                json!({ "type": "string", "uri": "absolute", "https": true }),
                r#"{"verification_url":"https://x/","user_code":"A"}"#,
                "member verification_uri: a string, an absolute URI, over https",
                "not there; the members are verification_url and user_code",
            ),
            (
                "user_code",
                json!({ "type": "string", "charset": "typeable", "length_at_most": 5 }),
                r#"{"user_code":"abé\u001b[31m"}"#,
                "member user_code: a string of 5 characters at most, of A-Z, 0-9 and grouping marks",
                "the string \"abé\\u001b[31m\": 8 characters; 'a' at character 1",
            ),
            ("m", json!({}), "{}", "member m", "not there; the object is empty"),
            ("m", json!({ "type": "array" }), r#"{"m":null}"#, "member m: a list", "null"),
        ] {
            let all = findings(json!([{ "member": { name: rule } }]), &answered(1, 200, body));
            assert_eq!((all[0].expected.as_str(), all[0].actual.as_str()), (expected, actual));
        }
        let body = format!(r#"{{"device_code":"{DEVICE_CODE}é"}}"#);
        let all = findings(
            json!([{ "member": { "device_code": { "charset": "visible" } } }]),
            &answered(1, 200, body),
        );
        assert!(all[0].actual.starts_with("the string ‹33 chars"), "{}", all[0].actual);
        assert!(!all[0].actual.contains(DEVICE_CODE), "{}", all[0].actual);
    }

    #[test]
    fn loopback_is_no_excuse_for_a_server_elsewhere() {
        let mut stage = stage();
        stage.loopback = false;
        assert!(!stage.is_loopback());
        let rule = expectations(json!([{ "member": { "m": { "https": true } } }]));
        for (uri, count) in [("http://localhost/", 1), ("https://x/", 0)] {
            let exchange = answered(1, 200, format!(r#"{{"m":"{uri}"}}"#));
            assert_eq!(judge(&rule, &exchange, &stage).len(), count, "{uri}");
        }
    }
}
