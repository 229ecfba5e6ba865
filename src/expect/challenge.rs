//! Challenges of `WWW-Authenticate` and their parameters (RFC 9110 §11.6.1, RFC 6750 §3).

use super::describe::charset_words;
use super::headers::{parts, scheme};
use super::members::outside;
use crate::suite::{Challenge, Charset};

/// Are there challenges of this scheme in the values of a header, and is each as the rule says?
pub(super) fn is_good<'v>(rule: &Challenge, values: impl Iterator<Item = &'v str>) -> bool {
    let all: Vec<Found<'_>> = values.flat_map(read).collect();
    let meant = || all.iter().filter(|found| found.scheme.eq_ignore_ascii_case(&rule.scheme));
    meant().next().is_some() && meant().all(|found| found.fits(rule))
}

/// The rule in words.
pub(super) fn describe(rule: &Challenge) -> String {
    let mut words = Vec::new();
    words.extend(rule.params_at_least.map(|least| match least {
        1 => "a parameter".to_owned(),
        least => format!("{least} parameters"),
    }));
    words.extend(
        (!rule.once.is_empty()).then(|| format!("no more than one of each {}", rule.once.join(", "))),
    );
    words.extend(rule.charset.iter().map(|(name, charset)| format!("{name} {}", charset_words(*charset))));
    format!("a challenge of scheme {} with {}", rule.scheme, words.join(" and "))
}

/// One challenge.
struct Found<'v> {
    scheme: &'v str,
    params: Vec<(&'v str, String)>,
}

impl Found<'_> {
    /// The values of a parameter.
    fn named(&self, name: &str) -> Vec<&str> {
        let named = self.params.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    fn fits(&self, rule: &Challenge) -> bool {
        let is_of = |(name, charset): (&String, &Charset)| {
            self.named(name).iter().all(|value| outside(*charset, value).is_none())
        };
        self.params.len() >= rule.params_at_least.unwrap_or_default()
            && rule.once.iter().all(|name| self.named(name).len() < 2)
            && rule.charset.iter().all(is_of)
    }
}

/// The challenges of one header value. A part that begins a challenge has its first parameter behind the scheme.
fn read(value: &str) -> Vec<Found<'_>> {
    let mut found: Vec<Found<'_>> = Vec::new();
    for part in parts(value) {
        let param = match scheme(part) {
            Some(scheme) => {
                found.push(Found { scheme, params: Vec::new() });
                part.get(scheme.len()..).unwrap_or_default()
            }
            None => part,
        };
        if let Some((last, (name, value))) = found.last_mut().zip(param.split_once('=')) {
            last.params.push((name.trim(), unquoted(value.trim())));
        }
    }
    found
}

/// The content of a quoted string, or the token as it stands (RFC 9110 §5.6.4).
fn unquoted(value: &str) -> String {
    let Some(inside) = value.strip_prefix('"') else { return value.to_owned() };
    let inside = inside.strip_suffix('"').unwrap_or(inside);
    let mut text = String::new();
    let mut escaped = false;
    for c in inside.chars() {
        escaped = c == '\\' && !escaped;
        if !escaped {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stage::{findings, unanswered, with_headers, worst};

    #[test]
    fn every_challenge_of_the_scheme_is_looked_at() {
        let rule = |more: serde_json::Value| {
            let mut challenge = json!({ "scheme": "bearer" });
            challenge.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({ "header": { "www-authenticate": { "challenge": challenge } } })
        };
        let some = rule(json!({ "params_at_least": 1 }));
        let once = rule(json!({ "once": ["realm", "error"] }));
        let charset = rule(json!({ "charset": { "error": "error-text", "scope": "scope" } }));
        for (value, good) in [
            ("Bearer realm=\"x\"", [true, true, true]),
            ("Bearer", [false, true, true]),
            ("Basic realm=\"x\", Bearer", [false, true, true]),
            ("Basic realm=\"x\"", [false, false, false]),
            ("Bearer realm=\"a, realm=b\", error=\"x\"", [true, true, true]),
            ("Bearer realm=\"a\", REALM=\"b\"", [true, false, true]),
            ("Bearer realm=\"a\", Bearer realm=\"b\"", [true, true, true]),
            ("Bearer realm=\"a\", Bearer", [false, true, true]),
            ("Bearer realm=\"é\", error=\"invalid_token\"", [true, true, true]),
            ("Bearer error=\"caf\u{e9}\"", [true, true, false]),
            ("Bearer error=\"a \\\"b\\\"\"", [true, true, false]),
            ("Bearer error=invalid_token, scope=\"a  b\"", [true, true, false]),
            ("Bearer scope=\"a b\"", [true, true, true]),
        ] {
            let exchange = with_headers(1, 401, &[("www-authenticate", value)], "");
            let found = [&some, &once, &charset].map(|rule| worst(rule, &exchange).is_none());
            assert_eq!(found, good, "{value}");
        }
        assert!(worst(&some, &unanswered(1)).is_some());
        let bare = with_headers(1, 401, &[("www-authenticate", "Bearer")], "");
        let found = findings(json!([some]), &bare);
        assert_eq!(
            found[0].expected,
            "header www-authenticate with a challenge of scheme bearer with a parameter"
        );
        assert_eq!(found[0].actual, "www-authenticate: Bearer, status 401");
    }
}
