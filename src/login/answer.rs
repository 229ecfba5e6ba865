//! What the two endpoints' answers mean to a device.
//!
//! Decided by the JSON `error` member, never by the status where there is one. Members that it does not know are
//! skipped unread (RFC 6749 §5.1). Reads for itself: it shares no parser with the judge, only the table of what a
//! status and an error code mean, [`meaning`].

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::device::Answer;
use crate::exchange;
use crate::outcome::{Outcome, meaning};
use crate::secret::Secret;

/// What a device authorization response gave (RFC 8628 §3.2).
#[derive(Debug, Clone)]
pub(crate) struct Codes {
    pub(crate) device_code: Secret,
    pub(crate) user_code: String,
    pub(crate) verification_uri: String,
    pub(crate) complete: Option<String>,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) interval: Option<Duration>,
}

/// What a successful token response gave (RFC 6749 §5.1).
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) access_token: Secret,
    pub(crate) token_type: Option<String>,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) has_refresh_token: bool,
}

/// An error code and its description, as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerError {
    pub(crate) code: String,
    pub(crate) description: Option<String>,
}

/// An answer to a poll.
#[derive(Debug, Clone)]
pub(crate) struct Polled {
    pub(crate) answer: Answer,
    pub(crate) error: Option<ServerError>,
    pub(crate) token: Option<Token>,
}

/// Why a device authorization response has no codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoCodes {
    /// The server said so.
    Error(ServerError),
    /// The answer is none from which a device could go on.
    Unusable(String),
}

/// The members that a device knows; everything else is skipped unread, numbers of any size included.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Members {
    access_token: Option<Value>,
    device_code: Option<Value>,
    error: Option<Value>,
    error_description: Option<Value>,
    expires_in: Option<Value>,
    id_token: Option<Value>,
    interval: Option<Value>,
    refresh_token: Option<Value>,
    token_type: Option<Value>,
    user_code: Option<Value>,
    verification_uri: Option<Value>,
    verification_uri_complete: Option<Value>,
    verification_url: Option<Value>,
}

impl Members {
    /// `None` for anything but one JSON object whose known members come once.
    fn read(body: &[u8]) -> Option<Self> {
        body.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice(body).ok())?
    }

    fn server_error(&self) -> Option<ServerError> {
        let code = text(&self.error)?;
        Some(ServerError { code, description: text(&self.error_description) })
    }
}

/// What must not be shown from here on, whatever else the answer says.
pub(crate) fn secrets(reply: &exchange::Answer) -> Vec<Secret> {
    let members = Members::read(&reply.body).unwrap_or_default();
    [members.access_token, members.device_code, members.id_token, members.refresh_token]
        .iter()
        .filter_map(text)
        .map(Secret::new)
        .collect()
}

/// Reads a device authorization response.
pub(crate) fn codes(reply: &exchange::Answer) -> Result<Codes, NoCodes> {
    let Some(members) = Members::read(&reply.body) else {
        return Err(NoCodes::Unusable("not a JSON object".to_owned()));
    };
    if let Some(error) = members.server_error() {
        return Err(NoCodes::Error(error));
    }
    if members.error.is_some() || !(200..300).contains(&reply.status) {
        return Err(NoCodes::Unusable("neither codes nor an error code".to_owned()));
    }
    let missing = |name: &str| {
        let old = name == "verification_uri" && members.verification_url.is_some();
        let hint = if old { ", only verification_url, the name in an old draft" } else { "" };
        NoCodes::Unusable(format!("no {name}{hint} (RFC 8628 §3.2)"))
    };
    Ok(Codes {
        device_code: text(&members.device_code).map(Secret::new).ok_or_else(|| missing("device_code"))?,
        user_code: text(&members.user_code).ok_or_else(|| missing("user_code"))?,
        verification_uri: text(&members.verification_uri).ok_or_else(|| missing("verification_uri"))?,
        complete: text(&members.verification_uri_complete),
        lifetime: seconds(&members.expires_in),
        interval: seconds(&members.interval),
    })
}

/// Reads an answer to a poll, received at `now`.
pub(crate) fn polled(reply: &exchange::Answer, now: Timestamp) -> Polled {
    let members = Members::read(&reply.body).unwrap_or_default();
    let error = members.server_error();
    let retry_after = reply.header("retry-after").next().and_then(|text| retry_after(text, now));
    // Beside an `error` of any other kind than a text a token is not to be trusted.
    let is_odd = error.is_none() && members.error.is_some();
    let access_token = text(&members.access_token).filter(|_| !is_odd).map(Secret::new);
    let code = error.as_ref().map(|error| error.code.as_str());
    let answer = match meaning(reply.status, code, access_token.is_some(), false) {
        Outcome::Granted => Answer::Granted,
        Outcome::Pending => Answer::Pending,
        Outcome::SlowDown => Answer::SlowDown { given: seconds(&members.interval).max(retry_after) },
        Outcome::Denied => Answer::Denied,
        Outcome::Expired => Answer::Expired,
        Outcome::Refused => Answer::Refused,
        Outcome::Limited | Outcome::Broken => Answer::NoAnswer { retry_after },
        Outcome::Codes | Outcome::Wordless | Outcome::Malformed => Answer::Unusable,
    };
    let token = access_token.filter(|_| answer == Answer::Granted).map(|access_token| Token {
        access_token,
        token_type: text(&members.token_type),
        lifetime: seconds(&members.expires_in),
        has_refresh_token: text(&members.refresh_token).is_some(),
    });
    Polled { answer, error, token }
}

/// Whether `token` can stand in the header: `b64token` (RFC 6750 §2.1).
pub(crate) fn is_bearer_token(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b))
}

/// A string that is not empty.
fn text(value: &Option<Value>) -> Option<String> {
    value.as_ref()?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A number of seconds, also where it was put into a string; nothing below zero.
fn seconds(value: &Option<Value>) -> Option<Duration> {
    let seconds = match value.as_ref()? {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

/// RFC 9110 §10.2.3: seconds, or a date.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp();
    Duration::try_from(date.duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> exchange::Answer {
        exchange::Answer { status, headers: Vec::new(), body: body.into() }
    }

    fn answer(status: u16, body: &str) -> Answer {
        polled(&reply(status, body), Timestamp::UNIX_EPOCH).answer
    }

    const SILENCE: Answer = Answer::NoAnswer { retry_after: None };

    #[test]
    fn the_error_member_decides_whatever_the_status() {
        for status in [200, 302, 400, 403, 428, 429, 500, 503] {
            for (code, expected) in [
                ("authorization_pending", Answer::Pending),
                ("slow_down", Answer::SlowDown { given: None }),
                ("access_denied", Answer::Denied),
                ("expired_token", Answer::Expired),
                ("invalid_grant", Answer::Refused),
                ("invalid_client", Answer::Refused),
            ] {
                assert_eq!(answer(status, &format!(r#"{{"error":"{code}"}}"#)), expected, "{status} {code}");
            }
        }
    }

    #[test]
    fn any_other_error_code_stops_unless_the_server_is_down() {
        for code in
            ["server_error", "temporarily_unavailable", "xyz_unknown", "Slow_Down", "authorization_declined"]
        {
            let body = format!(r#"{{"error":"{code}"}}"#);
            for status in [200, 400, 401, 403, 428] {
                assert_eq!(answer(status, &body), Answer::Refused, "{status} {code}");
            }
            for status in [429, 500, 503] {
                assert_eq!(answer(status, &body), SILENCE, "{status} {code}");
            }
        }
    }

    #[test]
    fn what_says_nothing_is_silence_or_unusable_by_its_status() {
        for body in
            ["", "<html>", "{", "[]", "{}", r#"{"error":7}"#, r#"{"error":""}"#, r#"["slow_down"]"#, "null"]
        {
            for status in [200, 204, 302, 400, 404] {
                assert_eq!(answer(status, body), Answer::Unusable, "{status} {body}");
            }
            for status in [429, 500, 502, 503, 504] {
                assert_eq!(answer(status, body), SILENCE, "{status} {body}");
            }
        }
        assert_eq!(answer(400, r#"{"error":"slow_down","access_token":"t"}"#), Answer::Unusable);
        assert_eq!(answer(200, r#"{"access_token":"t","access_token":"u"}"#), Answer::Unusable);
    }

    #[test]
    fn unknown_members_change_nothing() {
        let extra =
            r#""x":null,"y":{"error":"slow_down"},"z":1e999,"w":123456789012345678901234567890,"v":[[[]]]"#;
        assert_eq!(answer(400, &format!(r#"{{{extra},"error":"authorization_pending"}}"#)), Answer::Pending);
        let codes = codes(&reply(
            200,
            &format!(
                r#"{{{extra},"device_code":"d","user_code":"u","verification_uri":"v","expires_in":10}}"#
            ),
        ))
        .unwrap();
        assert_eq!((codes.lifetime, codes.interval), (Some(Duration::from_secs(10)), None));
        let polled = polled(
            &reply(200, &format!(r#"{{{extra},"access_token":"t","token_type":"Bearer","error":null}}"#)),
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(polled.answer, Answer::Granted);
        assert_eq!(polled.token.unwrap().token_type.as_deref(), Some("Bearer"));
    }

    #[test]
    fn a_token_comes_with_success_and_without_an_error() {
        let token = r#""access_token":"t""#;
        assert_eq!(answer(200, &format!("{{{token}}}")), Answer::Granted);
        assert_eq!(answer(400, &format!("{{{token}}}")), Answer::Unusable);
        assert_eq!(answer(502, &format!("{{{token}}}")), SILENCE);
        for error in ["7", "\"\"", "{}"] {
            let odd = reply(200, &format!(r#"{{{token},"error":{error}}}"#));
            let polled = polled(&odd, Timestamp::UNIX_EPOCH);
            assert_eq!((polled.answer, polled.token.is_none()), (Answer::Unusable, true), "{error}");
        }
    }

    #[test]
    fn the_longer_of_interval_and_retry_after_goes_with_slow_down() {
        for (header, member, given) in [(Some("7"), "12", 12), (Some("30"), "12", 30), (None, "\"12\"", 12)] {
            let mut reply = reply(400, &format!(r#"{{"error":"slow_down","interval":{member}}}"#));
            reply.headers.extend(header.map(|value| ("retry-after".to_owned(), value.to_owned())));
            let expected = Answer::SlowDown { given: Some(Duration::from_secs(given)) };
            assert_eq!(polled(&reply, Timestamp::UNIX_EPOCH).answer, expected);
        }
    }

    #[test]
    fn a_retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "1999-12-31T23:59:29Z".parse().unwrap();
        for (text, seconds) in [
            ("120", Some(120)),
            ("Fri, 31 Dec 1999 23:59:59 GMT", Some(30)),
            ("Fri, 31 Dec 1999 23:59:00 GMT", None),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(retry_after(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn odd_lengths_of_time_are_read_or_left() {
        let read = |text: &str| seconds(&Some(serde_json::from_str(text).unwrap()));
        assert_eq!(read("2.5"), Some(Duration::from_millis(2500)));
        assert_eq!(read("\"600\""), Some(Duration::from_secs(600)));
        assert_eq!(read("0"), Some(Duration::ZERO));
        for text in ["-5", "\"\"", "\"soon\"", "true", "[5]", "1e300", "\"NaN\"", "\"inf\""] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn codes_that_lack_something_are_refused_by_name() {
        let unusable = |body: &str| match codes(&reply(200, body)).unwrap_err() {
            NoCodes::Unusable(reason) => reason,
            NoCodes::Error(error) => panic!("{error:?}"),
        };
        assert!(unusable(r#"{"user_code":"u","verification_uri":"v"}"#).starts_with("no device_code"));
        assert!(
            unusable(r#"{"device_code":"d","user_code":"u","verification_url":"v"}"#).contains("old draft")
        );
        assert!(
            unusable(r#"{"device_code":"d","user_code":7,"verification_uri":"v"}"#).contains("user_code")
        );
        assert_eq!(unusable("<html>"), "not a JSON object");
        let error =
            codes(&reply(200, r#"{"error":"invalid_client","error_description":"who?"}"#)).unwrap_err();
        let who = ServerError { code: "invalid_client".to_owned(), description: Some("who?".to_owned()) };
        assert_eq!(error, NoCodes::Error(who));
    }

    #[test]
    fn only_a_b64token_goes_into_a_header() {
        for token in ["abc", "a-._~+/9==", &"x".repeat(1 << 16)] {
            assert!(is_bearer_token(token));
        }
        for token in ["", "=", "a b", "a=b", "a\r\nX: y", "ä", "a\"b"] {
            assert!(!is_bearer_token(token), "{token}");
        }
    }
}
