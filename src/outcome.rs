//! What one answer means, blind to wire details: read by checks, by the oracle, by load and by `login`.
//!
//! Decided from the body first, whatever the status; the table is section "outcome" of the suite language guide.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::protocol::words::words;
use crate::protocol::{ErrorStanding, standing};

words! {
    /// What one answer means.
    Outcome {
        /// A device authorization response from which a device could go on.
        Codes = "codes",
        /// An object with `access_token` and no `error`.
        Granted = "granted",
        /// `authorization_pending`.
        Pending = "pending",
        /// `slow_down`.
        SlowDown = "slow_down",
        /// `access_denied`.
        Denied = "denied",
        /// `expired_token`.
        Expired = "expired",
        /// Any other error word, with a status below 500 that is not 429, or a registered one with any status.
        Refused = "refused",
        /// 3xx or 4xx (429 apart) without an `error` string.
        Wordless = "wordless",
        /// 429 or 503 whose `error`, if any, is not a registered word.
        Limited = "limited",
        /// 2xx that is none of these, or `error` and `access_token` together.
        Malformed = "malformed",
        /// Any other 5xx without a registered word; cut off; timed out.
        Broken = "broken",
    }
}

/// What an answer with this status and this JSON object in its body ([`json_object`]) means.
///
/// The media type does not matter here. An answer that was cut off or never came is [`Outcome::Broken`] and does not
/// get here.
#[must_use]
pub fn classify(status: u16, object: Option<&Map<String, Value>>) -> Outcome {
    let error = object.and_then(|members| members.get("error")).and_then(Value::as_str);
    let has_token = object.is_some_and(|members| is_text(members.get("access_token")));
    meaning(status, error, has_token, object.is_some_and(has_codes))
}

/// What an answer with this status and these members means: its `error`, if that is a text; has it an `access_token`,
/// has it codes from which a device could go on?
#[must_use]
pub fn meaning(status: u16, error: Option<&str>, has_token: bool, has_codes: bool) -> Outcome {
    if let Some(code) = error {
        if has_token {
            return Outcome::Malformed;
        }
        return match (code, standing(code)) {
            ("authorization_pending", _) => Outcome::Pending,
            ("slow_down", _) => Outcome::SlowDown,
            ("access_denied", _) => Outcome::Denied,
            ("expired_token", _) => Outcome::Expired,
            (_, ErrorStanding::Registered) => Outcome::Refused,
            _ if matches!(status, 429 | 503) => Outcome::Limited,
            _ if status >= 500 => Outcome::Broken,
            _ => Outcome::Refused,
        };
    }
    match status {
        429 | 503 => Outcome::Limited,
        500.. => Outcome::Broken,
        300..=499 => Outcome::Wordless,
        _ if has_token => Outcome::Granted,
        _ if has_codes => Outcome::Codes,
        _ => Outcome::Malformed,
    }
}

/// The body as one JSON object, read leniently: see [`lenient_json`]; a repeated member keeps its last value.
#[must_use]
pub fn json_object(body: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_str(&lenient_json(body)) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

/// The text that a JSON parser is given: a byte order mark is skipped, what is no UTF-8 is replaced.
///
/// Both are the subject of one check, and of no other.
#[must_use]
pub fn lenient_json(body: &[u8]) -> Cow<'_, str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed)
}

/// The verification URI, under its name or the one that servers older than the standard give it.
#[must_use]
pub fn verification_uri(members: &Map<String, Value>) -> Option<&str> {
    ["verification_uri", "verification_url"]
        .iter()
        .find_map(|name| members.get(*name))
        .and_then(Value::as_str)
}

/// A device could go on from these: it can show something and it can poll.
fn has_codes(members: &Map<String, Value>) -> bool {
    is_text(members.get("device_code"))
        && members.get("user_code").is_some_and(|code| lenient_text(code).is_some())
        && verification_uri(members).is_some()
}

fn is_text(value: Option<&Value>) -> bool {
    value.and_then(Value::as_str).is_some_and(|text| !text.is_empty())
}

/// A text, or a number that was meant as one.
#[must_use]
pub fn lenient_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A number, or a text that was meant as one.
#[must_use]
pub fn lenient_number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_body(status: u16, body: &[u8]) -> Outcome {
        classify(status, json_object(body).as_ref())
    }

    #[test]
    fn the_body_decides_before_the_status() {
        for (status, body, outcome) in [
            (200, r#"{"device_code":"d","user_code":"A","verification_uri":"https://x/"}"#, Outcome::Codes),
            (200, r#"{"device_code":"d","user_code":1234,"verification_url":"https://x/"}"#, Outcome::Codes),
            (200, r#"{"access_token":"t"}"#, Outcome::Granted),
            (400, r#"{"error":"authorization_pending"}"#, Outcome::Pending),
            (401, r#"{"error":"authorization_pending"}"#, Outcome::Pending),
            (200, r#"{"error":"authorization_pending"}"#, Outcome::Pending),
            (500, r#"{"error":"slow_down"}"#, Outcome::SlowDown),
            (429, r#"{"error":"slow_down"}"#, Outcome::SlowDown),
            (400, r#"{"error":"access_denied"}"#, Outcome::Denied),
            (400, r#"{"error":"expired_token"}"#, Outcome::Expired),
            (400, r#"{"error":"invalid_grant"}"#, Outcome::Refused),
            (500, r#"{"error":"invalid_grant"}"#, Outcome::Refused),
            (400, r#"{"error":"bad_verification_code"}"#, Outcome::Refused),
            (200, r#"{"error":"bad_verification_code"}"#, Outcome::Refused),
            (400, r#"{"error":"server_error"}"#, Outcome::Refused),
            (500, r#"{"error":"server_error"}"#, Outcome::Broken),
            (503, r#"{"error":"temporarily_unavailable"}"#, Outcome::Limited),
            (429, "too many", Outcome::Limited),
            (500, r#"{"error":"Internal Server Error"}"#, Outcome::Broken),
            (502, "<html>", Outcome::Broken),
            (400, "", Outcome::Wordless),
            (400, r#"{"code":17}"#, Outcome::Wordless),
            (400, r#"{"error":{"code":17}}"#, Outcome::Wordless),
            (302, "", Outcome::Wordless),
            (200, "<html>", Outcome::Malformed),
            (200, r#"{"error":"slow_down","access_token":"t"}"#, Outcome::Malformed),
            (200, r#"{"access_token":""}"#, Outcome::Malformed),
            (200, r#"{"device_code":"d"}"#, Outcome::Malformed),
        ] {
            assert_eq!(of_body(status, body.as_bytes()), outcome, "{status} {body}");
        }
    }

    #[test]
    fn the_encoding_does_not_change_what_an_answer_means() {
        let latin_1 = b"{\"error\":\"authorization_pending\",\"error_description\":\"Best\xe4tigung\"}";
        assert_eq!(of_body(400, latin_1), Outcome::Pending);
        let marked = b"\xef\xbb\xbf{\"access_token\":\"t\"}";
        assert_eq!(of_body(200, marked), Outcome::Granted);
        let utf_16: Vec<u8> = "{\"access_token\":\"t\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(of_body(200, &utf_16), Outcome::Malformed);
    }
}
