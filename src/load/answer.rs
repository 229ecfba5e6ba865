//! What an answer of the hot path says: the same as `outcome` reads from it, without keeping anything.
//!
//! Practically every answer is a small JSON object with plain texts, which is read in place. Whatever is unusual
//! (escapes, members twice, another encoding, wrong types) is read again by `outcome`, which decides.

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::device;
use crate::http::thin::Reply;
use crate::oracle::Said;
use crate::outcome::{self, Outcome, json_object, lenient_number, lenient_text};

/// What the answer to a poll says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heard {
    /// What it means.
    pub(super) outcome: Outcome,
    /// The same in the words of the oracle.
    pub(super) said: Said,
    /// What the device makes of it.
    pub(super) device: device::Answer,
    /// The fingerprint of its access token.
    pub(super) token: Option<u64>,
}

/// What the answer to a device authorization request brings.
#[derive(Debug)]
pub(super) struct Codes<'a> {
    /// The device code.
    pub(super) device_code: std::borrow::Cow<'a, str>,
    /// The user code.
    pub(super) user_code: std::borrow::Cow<'a, str>,
    /// Where the user types it.
    pub(super) verification_uri: std::borrow::Cow<'a, str>,
    /// The lifetime announced.
    pub(super) lifetime: Option<Duration>,
    /// The interval announced.
    pub(super) interval: Option<Duration>,
}

/// Texts without escapes and numbers of seconds; anything else is no business of this reader.
#[derive(Deserialize)]
struct Plain<'a> {
    error: Option<&'a str>,
    access_token: Option<&'a str>,
    interval: Option<u32>,
    device_code: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct PlainCodes<'a> {
    device_code: &'a str,
    user_code: &'a str,
    verification_uri: &'a str,
    expires_in: Option<u32>,
    interval: Option<u32>,
    error: Option<IgnoredAny>,
    access_token: Option<IgnoredAny>,
}

impl Heard {
    /// No answer came.
    #[must_use]
    pub(super) const fn nothing() -> Self {
        Self {
            outcome: Outcome::Broken,
            said: Said::Broken,
            device: device::Answer::NoAnswer { retry_after: None },
            token: None,
        }
    }
}

/// Reads the answer to a poll. `fingerprint` is asked of an access token.
pub(super) fn poll(reply: &Reply<'_>, fingerprint: impl Fn(&[u8]) -> u64) -> Heard {
    if let Ok(Plain { error, access_token, interval, device_code: None }) = serde_json::from_slice(reply.body)
    {
        let token = access_token.filter(|token| !token.is_empty());
        let outcome = outcome::meaning(reply.status, error, token.is_some(), false);
        let given = || interval.map(|seconds| Duration::from_secs(seconds.into()));
        return heard(reply, outcome, error, given, token.map(|token| fingerprint(token.as_bytes())));
    }
    let members = json_object(reply.body);
    let member = |name: &str| members.as_ref().and_then(|members| members.get(name));
    let outcome = outcome::classify(reply.status, members.as_ref());
    let token = member("access_token").and_then(serde_json::Value::as_str).filter(|token| !token.is_empty());
    let given = || seconds(member("interval"));
    let error = member("error").and_then(serde_json::Value::as_str);
    heard(reply, outcome, error, given, token.map(|token| fingerprint(token.as_bytes())))
}

fn heard(
    reply: &Reply<'_>,
    outcome: Outcome,
    error: Option<&str>,
    given: impl Fn() -> Option<Duration>,
    token: Option<u64>,
) -> Heard {
    let retry_after = || reply.retry_after.and_then(retry_after);
    Heard {
        outcome,
        said: Said::of(outcome, error),
        device: device::Answer::of(outcome, given, retry_after),
        token,
    }
}

/// Reads the answer to a device authorization request; its codes if a device could go on from them.
pub(super) fn codes<'a>(reply: &Reply<'a>) -> (Outcome, Option<Codes<'a>>) {
    if let Ok(plain) = serde_json::from_slice::<PlainCodes<'a>>(reply.body)
        && plain.error.is_none()
        && plain.access_token.is_none()
        && ![plain.device_code, plain.user_code].contains(&"")
        && matches!(reply.status, 200..=299)
    {
        let whole = |seconds: Option<u32>| seconds.map(|seconds| Duration::from_secs(seconds.into()));
        return (
            Outcome::Codes,
            Some(Codes {
                device_code: plain.device_code.into(),
                user_code: plain.user_code.into(),
                verification_uri: plain.verification_uri.into(),
                lifetime: whole(plain.expires_in),
                interval: whole(plain.interval),
            }),
        );
    }
    let members = json_object(reply.body);
    let outcome = outcome::classify(reply.status, members.as_ref());
    let codes = members.filter(|_| outcome == Outcome::Codes).and_then(|members| {
        let text = |name: &str| members.get(name).and_then(lenient_text).map(Into::into);
        Some(Codes {
            device_code: text("device_code")?,
            user_code: text("user_code")?,
            verification_uri: outcome::verification_uri(&members)?.to_owned().into(),
            lifetime: seconds(members.get("expires_in")),
            interval: seconds(members.get("interval")),
        })
    });
    (outcome, codes)
}

fn seconds(value: Option<&serde_json::Value>) -> Option<Duration> {
    Duration::try_from_secs_f64(lenient_number(value?)?).ok()
}

/// Whole seconds; a date is for people (RFC 9110 §10.2.3 has both).
fn retry_after(value: &[u8]) -> Option<Duration> {
    std::str::from_utf8(value).ok()?.trim().parse().ok().map(Duration::from_secs)
}
