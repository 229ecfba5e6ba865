//! What may be shown of requests and answers: their secrets are replaced, everything else stays byte for byte.
//!
//! Works on the text as it came, not on a parsed form of it: a broken body, a repeated member or odd spacing is what a
//! reader wants to see. [`Known`] catches the secrets of a run wherever they turn up.

use std::borrow::Cow;
use std::collections::HashMap;

use url::form_urlencoded;

use crate::secret::redact;

mod pages;

pub use pages::{fields as page_fields, page_headers, page_url};

/// Members, fields and query parameters whose values are never shown.
const SECRET_NAMES: [&str; 8] = [
    "access_token",
    "client_assertion",
    "client_secret",
    "device_code",
    "id_token",
    "password",
    "refresh_token",
    "token",
];

/// Is a value of this name a secret?
#[must_use]
pub fn is_secret(name: &str) -> bool {
    SECRET_NAMES.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

/// A body as it may be shown: values of secret members and fields are replaced by their redaction, bytes that are not
/// UTF-8 by a replacement character.
///
/// A body is read as a form when its media type or its look says so: raw probes send forms under other media types,
/// and other things under this one.
#[must_use]
pub fn body(bytes: &[u8], content_type: Option<&str>) -> String {
    let text = String::from_utf8_lossy(bytes);
    let says_form = content_type.is_some_and(|kind| {
        kind.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded")
    });
    let is_json = text.trim_start().starts_with(['{', '[']);
    if looks_like_form(&text) || (says_form && !is_json) { form(&text) } else { json(&text) }
}

/// Headers as they may be shown: credentials and cookies are redacted, in URLs the secret parameters.
#[must_use]
pub fn headers(headers: &[(String, String)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.clone(), header(name, value))).collect()
}

/// The value of one header as it may be shown.
#[must_use]
pub fn header(name: &str, value: &str) -> String {
    match name.to_ascii_lowercase().as_str() {
        "authorization" | "proxy-authorization" => match value.split_once(' ') {
            Some((scheme, credentials)) => format!("{scheme} {}", redact(credentials)),
            None => redact(value),
        },
        "cookie" => value.split(';').map(cookie).collect::<Vec<_>>().join(";"),
        "set-cookie" => match value.split_once(';') {
            Some((pair, attributes)) => format!("{};{attributes}", cookie(pair)),
            None => cookie(value),
        },
        "dpop" => redact(value),
        "location" | "content-location" | "referer" => url(value),
        _ => value.to_owned(),
    }
}

fn cookie(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, value)) => format!("{name}={}", redact(value)),
        None => redact(pair),
    }
}

/// A URL as it may be shown: secret parameters of query and fragment and a password before the host are redacted.
#[must_use]
pub fn url(text: &str) -> String {
    let (text, fragment) = match text.split_once('#') {
        Some((text, fragment)) => (text, Some(fragment)),
        None => (text, None),
    };
    let (text, query) = match text.split_once('?') {
        Some((text, query)) => (text, Some(query)),
        None => (text, None),
    };
    let mut shown = without_password(text);
    for (mark, part) in [('?', query), ('#', fragment)] {
        if let Some(part) = part {
            shown.push(mark);
            shown.push_str(&form(part));
        }
    }
    shown
}

fn without_password(text: &str) -> String {
    let inside = || {
        let (scheme, rest) = text.split_once("://")?;
        let authority = rest.split('/').next()?;
        let (userinfo, _) = authority.rsplit_once('@')?;
        let (user, password) = userinfo.split_once(':')?;
        let behind = rest.get(userinfo.len()..)?;
        Some(format!("{scheme}://{user}:{}{behind}", redact(password)))
    };
    inside().unwrap_or_else(|| text.to_owned())
}

fn looks_like_form(text: &str) -> bool {
    text.contains('=') && !text.contains(|c: char| c.is_whitespace() || matches!(c, '<' | '{' | '"'))
}

fn form(text: &str) -> String {
    let pairs = text.split('&').map(|pair| {
        let Some((name, value)) = pair.split_once('=') else { return pair.to_owned() };
        if is_secret(&form_decoded(name)) {
            format!("{name}={}", redact(&form_decoded(value)))
        } else {
            pair.to_owned()
        }
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn form_decoded(text: &str) -> String {
    percent_decoded(&text.replace('+', " "))
}

/// The text with its percent escapes decoded; a sign that begins no escape stays, bytes that are not UTF-8 are
/// replaced (RFC 3986 §2.1).
#[must_use]
pub fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = bytes.get(at + 1..at + 3).filter(|_| byte == b'%').and_then(|digits| {
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            Some(digit(*digits.first()?)? * 16 + digit(*digits.get(1)?)?)
        });
        decoded.push(escape.unwrap_or(byte));
        at += if escape.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Replaces the values of secret members in anything that has `"name": value` in it, whole JSON or not.
fn json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    let mut depth = 0_usize;
    // The depth at which the value of a secret member began that is a list or a map: all in it is secret.
    let mut secret_from: Option<usize> = None;
    let mut next_is_secret = false;
    while let Some(first) = rest.chars().next() {
        let secret = next_is_secret || secret_from.is_some();
        match first {
            '"' => {
                let (token, behind) = rest.split_at(string_end(rest));
                let is_name = behind.trim_start().starts_with(':');
                if secret && !is_name {
                    shown.push_str(&format!("\"{}\"", redact(&string_value(token))));
                } else {
                    shown.push_str(token);
                }
                next_is_secret = is_name && is_secret(&string_value(token));
                rest = behind;
                continue;
            }
            '{' | '[' => {
                if next_is_secret && secret_from.is_none() {
                    secret_from = Some(depth);
                }
                next_is_secret = false;
                depth += 1;
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                next_is_secret = false;
                secret_from = secret_from.filter(|from| depth > *from);
            }
            ',' => next_is_secret = false,
            ':' => {}
            _ if first.is_whitespace() => {}
            _ if secret => {
                let end = rest.find([',', '}', ']', '"']).unwrap_or(rest.len());
                let (value, behind) = rest.split_at(end);
                let bare = value.trim_end();
                shown.push_str(&if bare == "null" { bare.to_owned() } else { redact(bare) });
                shown.push_str(value.get(bare.len()..).unwrap_or_default());
                rest = behind;
                next_is_secret = false;
                continue;
            }
            _ => {}
        }
        shown.push(first);
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
    }
    shown
}

/// The byte behind the string that `text` begins with; its end when the string has none.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn string_value(token: &str) -> Cow<'_, str> {
    if !token.contains('\\') {
        return token.trim_matches('"').into();
    }
    match serde_json::from_str::<String>(token) {
        Ok(value) => value.into(),
        Err(_) => token.trim_matches('"').into(),
    }
}

/// The shortest secret that is looked for in texts: anything shorter is likely to be part of an innocent word.
const SHORTEST_KNOWN: usize = 8;

/// The secrets seen in a run: device codes, tokens, client secrets, passwords.
#[derive(Clone, Default)]
pub struct Known {
    /// Every spelling by its first bytes, the longest first, each with what is shown instead.
    spellings: HashMap<[u8; SHORTEST_KNOWN], Vec<(String, String)>>,
    /// Which first bytes there are; most places of a text begin no secret, and are passed by this alone.
    starts: Starts,
}

/// A set of starts that may hold more than was put in, and never less.
#[derive(Clone)]
struct Starts(Box<[bool; Self::PLACES]>);

impl Starts {
    const PLACES: usize = 1 << 14;

    /// Knuth's multiplicative hash of the first four bytes.
    fn place(start: [u8; SHORTEST_KNOWN]) -> usize {
        let [a, b, c, d, ..] = start;
        let mixed = u32::from_le_bytes([a, b, c, d]).wrapping_mul(2_654_435_769);
        (mixed >> 16) as usize % Self::PLACES
    }

    fn add(&mut self, start: [u8; SHORTEST_KNOWN]) {
        if let Some(place) = self.0.get_mut(Self::place(start)) {
            *place = true;
        }
    }

    fn may_have(&self, start: [u8; SHORTEST_KNOWN]) -> bool {
        self.0.get(Self::place(start)).copied().unwrap_or(true)
    }
}

impl Default for Starts {
    fn default() -> Self {
        Self(Box::new([false; Self::PLACES]))
    }
}

impl Known {
    /// Takes in a secret. One of fewer than eight bytes is left out, because it could be part of any word.
    pub fn add(&mut self, secret: &str) {
        if secret.len() < SHORTEST_KNOWN {
            return;
        }
        for spelling in spellings(secret) {
            let Some(start) = spelling.as_bytes().first_chunk::<SHORTEST_KNOWN>() else { continue };
            self.starts.add(*start);
            let same_start = self.spellings.entry(*start).or_default();
            if !same_start.iter().any(|(known, _)| *known == spelling) {
                same_start.push((spelling, redact(secret)));
                same_start.sort_by_key(|(known, _)| std::cmp::Reverse(known.len()));
            }
        }
    }

    /// The text with every known secret in it replaced by its redaction, however it is spelled.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        let mut shown = String::new();
        let mut kept_from = 0;
        let mut at = 0;
        while let Some(start) = text.as_bytes().get(at..).and_then(|rest| rest.first_chunk()) {
            let Some((spelling, instead)) = self.known_at(text, at, *start) else {
                at += 1;
                continue;
            };
            shown.push_str(text.get(kept_from..at).unwrap_or_default());
            shown.push_str(instead);
            at += spelling.len();
            kept_from = at;
        }
        shown.push_str(text.get(kept_from..).unwrap_or_default());
        shown
    }

    /// Is any known secret in the text, however it is spelled?
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        let starts = text.as_bytes().windows(SHORTEST_KNOWN).enumerate();
        let mut starts = starts.filter_map(|(at, start)| Some((at, *start.first_chunk()?)));
        starts.any(|(at, start)| self.known_at(text, at, start).is_some())
    }

    /// The secret that stands there, and what is shown instead.
    fn known_at(&self, text: &str, at: usize, start: [u8; SHORTEST_KNOWN]) -> Option<&(String, String)> {
        if !self.starts.may_have(start) {
            return None;
        }
        let rest = text.as_bytes().get(at..)?;
        self.spellings.get(&start)?.iter().find(|(known, _)| rest.starts_with(known.as_bytes()))
    }
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Known({} starts)", self.spellings.len())
    }
}

/// How a text may be spelled inside a body or a URL: as it is, percent-encoded, escaped for JSON, escaped for HTML.
#[must_use]
pub fn spellings(text: &str) -> Vec<String> {
    let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let json = serde_json::Value::from(text).to_string();
    let json = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(text).to_owned();
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let mut all = vec![
        text.to_owned(),
        lower_hex(&encoded),
        encoded.replace('+', "%20"),
        encoded,
        json.replace('/', "\\/"),
        json,
        html,
    ];
    all.sort();
    all.dedup();
    all
}

/// Percent escapes with small digits, as some libraries write them.
fn lower_hex(encoded: &str) -> String {
    let mut digits_left = 0;
    let lowered = encoded.chars().map(|c| {
        let is_digit = digits_left > 0;
        digits_left = if c == '%' { 2_u8 } else { digits_left.saturating_sub(1) };
        if is_digit { c.to_ascii_lowercase() } else { c }
    });
    lowered.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "GmRhmhcxhwAzkoEqiMEg";

    #[test]
    fn secret_members_are_redacted_and_all_else_stays_as_it_came() {
        let shown = redact(SECRET);
        for (raw, expected) in [
            (r#"{"error":"invalid_client"}"#, r#"{"error":"invalid_client"}"#.to_owned()),
            (
                r#"{ "device_code" : "GmRhmhcxhwAzkoEqiMEg", "user_code":"WDJB-MJHT"}"#,
                format!(r#"{{ "device_code" : "{shown}", "user_code":"WDJB-MJHT"}}"#),
            ),
            // repeated, spelled by an escape, nested, cut off
            (
                r#"{"token":"GmRhmhcxhwAzkoEqiMEg","token":"GmRhmhcxhwAzkoEqiMEg"}"#,
                format!(r#"{{"token":"{shown}","token":"{shown}"}}"#),
            ),
            (
                r#"{"\u0061ccess_token":"GmRhmhcxhwAzkoEqiMEg"}"#,
                format!(r#"{{"\u0061ccess_token":"{shown}"}}"#),
            ),
            (
                r#"{"token":{"value":["GmRhmhcxhwAzkoEqiMEg"]},"error":"x"}"#,
                format!(r#"{{"token":{{"value":["{shown}"]}},"error":"x"}}"#),
            ),
            (r#"{"access_token":"GmRhmhcxhwAzkoEqiMEg"#, format!(r#"{{"access_token":"{shown}""#)),
            (r#"{"access_token":null,"scope":"a"}"#, r#"{"access_token":null,"scope":"a"}"#.to_owned()),
            (r#"{"token":12345678 }"#, format!(r#"{{"token":{} }}"#, redact("12345678"))),
            ("", String::new()),
            ("<p class=\"x\">hello: you</p>", "<p class=\"x\">hello: you</p>".to_owned()),
        ] {
            assert_eq!(body(raw.as_bytes(), Some("application/json")), expected, "{raw}");
        }
        for content_type in [None, Some("text/plain"), Some("application/json")] {
            assert_eq!(
                body(b"grant_type=x&device%5Fcode=GmRhmhcxhwAzkoEqiMEg&client_id=a", content_type),
                format!("grant_type=x&device%5Fcode={shown}&client_id=a")
            );
        }
        let form = Some("Application/x-www-form-urlencoded; charset=utf-8");
        assert_eq!(body(b"a=b c&token=GmRhmhcxhwAzkoEqiMEg", form), format!("a=b c&token={shown}"));
        assert_eq!(body(br#"{"token":"GmRhmhcxhwAzkoEqiMEg"}"#, form), format!(r#"{{"token":"{shown}"}}"#));
    }

    #[test]
    fn hostile_bytes_are_shown_without_a_panic() {
        for bytes in [
            &b"\xff\xfe{\"token\":\xff"[..],
            &b"\"token\":\"\\"[..],
            &b"{\"token\":"[..],
            &[b'['; 100_000][..],
            &[b']'; 1000][..],
        ] {
            let _ = body(bytes, None);
            let _ = body(bytes, Some("application/x-www-form-urlencoded"));
        }
    }

    #[test]
    fn credentials_cookies_and_urls_lose_their_values_only() {
        let raw = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let all = headers(&[
            raw("Authorization", "Basic GmRhmhcxhwAzkoEqiMEg"),
            raw("set-cookie", "sid=GmRhmhcxhwAzkoEqiMEg; Path=/; HttpOnly"),
            raw("cookie", "sid=GmRhmhcxhwAzkoEqiMEg; lang=GmRhmhcxhwAzkoEqiMEg"),
            raw("dpop", SECRET),
            raw("location", "/x?token=GmRhmhcxhwAzkoEqiMEg&a=b"),
            raw("cache-control", "no-store"),
        ]);
        assert!(!format!("{all:?}").contains(SECRET), "{all:?}");
        assert!(all[0].1.starts_with("Basic ‹"), "{all:?}");
        assert!(all[1].1.starts_with("sid=‹") && all[1].1.ends_with("; Path=/; HttpOnly"), "{all:?}");
        assert_eq!(all[5].1, "no-store");
        let url = url(
            "https://me:GmRhmhcxhwAzkoEqiMEg@host/p?a=b&device_code=GmRhmhcxhwAzkoEqiMEg#token=GmRhmhcxhwAzkoEqiMEg",
        );
        assert!(
            !url.contains(SECRET) && url.starts_with("https://me:‹") && url.contains("@host/p?a=b&"),
            "{url}"
        );
    }

    #[test]
    fn a_known_secret_is_found_in_every_spelling() {
        let secret = "p/a+s \"s&Wörd";
        let mut known = Known::default();
        known.add(secret);
        known.add("short");
        known.add(SECRET);
        for text in [
            secret.to_owned(),
            r#"p\/a+s \"s&Wörd"#.to_owned(),
            r#"p/a+s \"s&Wörd"#.to_owned(),
            "p%2Fa%2Bs+%22s%26W%C3%B6rd".to_owned(),
            "p%2fa%2bs+%22s%26W%c3%b6rd".to_owned(),
            "p%2Fa%2Bs%20%22s%26W%C3%B6rd".to_owned(),
            "p/a+s &quot;s&amp;Wörd".to_owned(),
        ] {
            assert_eq!(known.scrub(&format!("é<{text}>")), format!("é<{}>", redact(secret)), "{text}");
        }
        assert_eq!(known.scrub("short GmRhmhcx"), "short GmRhmhcx");
        assert_eq!(known.scrub(SECRET), redact(SECRET));
        assert!(!format!("{known:?}").contains(SECRET));
    }

    #[test]
    fn percent_escapes_are_decoded_and_broken_ones_stay() {
        for (raw, text) in
            [("a%2Db", "a-b"), ("%C3%A9", "é"), ("100%", "100%"), ("%zz%2", "%zz%2"), ("%", "%")]
        {
            assert_eq!(percent_decoded(raw), text);
        }
    }
}
