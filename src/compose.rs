//! A request of a client as bytes: parameters, edits and credentials put together. Sends nothing.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use crate::exchange::Manner;
use crate::protocol::Endpoint;
use crate::suite::{Alteration, Auth, AuthStyle, Edits, Scheme, SecretChoice, SpaceEncoding, size};
use crate::target::{Client, ExtraHeaders, ExtraParams, Target};

/// A request ready to be sent.
#[derive(Clone)]
pub struct Composed {
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// What we know about it.
    pub manner: Manner,
}

/// Where a request goes, and what this server wants with every request there.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// Which endpoint: a client may authenticate otherwise at each.
    pub endpoint: Endpoint,
    /// Its address.
    pub url: &'a str,
    /// Parameters beside those of the protocol.
    params: Option<&'a ExtraParams>,
    /// Headers beside those of the protocol.
    headers: Option<&'a ExtraHeaders>,
}

impl<'a> At<'a> {
    /// An endpoint of a server that wants nothing beyond the protocol.
    #[must_use]
    pub const fn plain(endpoint: Endpoint, url: &'a str) -> Self {
        Self { endpoint, url, params: None, headers: None }
    }

    /// An endpoint of a target, with what its file adds to every request there.
    #[must_use]
    pub fn of(target: &'a Target, endpoint: Endpoint, url: &'a str) -> Self {
        Self::with(endpoint, url, &target.params, &target.headers)
    }

    /// An endpoint, with what is added to every request there.
    #[must_use]
    pub fn with(
        endpoint: Endpoint,
        url: &'a str,
        params: &'a BTreeMap<Endpoint, ExtraParams>,
        headers: &'a ExtraHeaders,
    ) -> Self {
        Self { endpoint, url, params: params.get(&endpoint), headers: Some(headers) }
    }

    /// These headers, and those that the target adds.
    fn headers(self, first: &[(&str, &str)]) -> Vec<(String, String)> {
        let first = first.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        first.chain(self.headers.into_iter().flat_map(ExtraHeaders::exposed)).collect()
    }
}

/// The form POST of a client (RFC 6749 §3.2, RFC 8628 §3.1): `params` with those of the target and the edits of the step,
/// and the client's credentials in the way that the edits or the client say (RFC 6749 §2.3.1).
#[must_use]
pub fn form_post(at: At<'_>, params: &[(&str, &str)], client: &Client, edits: &Edits) -> Composed {
    let auth = edits.auth.unwrap_or_else(|| Auth::from(client.auth_method_at(at.endpoint)));
    let secret = client.secret.as_ref().map(crate::secret::Secret::expose);
    let sent_secret = match (auth.secret, secret) {
        (SecretChoice::Right | SecretChoice::WrongInBody, secret) => secret.unwrap_or_default().to_owned(),
        (SecretChoice::Wrong, secret) => wrong_secret(secret.unwrap_or("no-secret-was-registered")),
    };
    let body_secret = if auth.secret == SecretChoice::WrongInBody {
        wrong_secret(&sent_secret)
    } else {
        sent_secret.clone()
    };
    let mut form: Vec<(String, String)> =
        params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    form.extend(at.params.into_iter().flat_map(ExtraParams::pairs));
    let mut url = with_scheme(at.url, edits.scheme);
    let mut headers =
        at.headers(&[("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")]);
    match auth.method {
        AuthStyle::None => form.push(("client_id".to_owned(), client.id.clone())),
        AuthStyle::Post => form.extend(credentials(&client.id, &body_secret)),
        AuthStyle::Basic => headers.push(basic(&encoded(&client.id), &encoded(&sent_secret))),
        AuthStyle::BasicRaw => headers.push(basic(&client.id, &sent_secret)),
        AuthStyle::Both => {
            headers.push(basic(&encoded(&client.id), &encoded(&sent_secret)));
            form.extend(credentials(&client.id, &body_secret));
        }
        AuthStyle::Query => {
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(credentials(&client.id, &sent_secret))
                .finish();
            url = format!("{url}{}{query}", if url.contains('?') { '&' } else { '?' });
        }
    }
    if auth.secret == SecretChoice::WrongInBody && auth.method == AuthStyle::Basic {
        form.extend(credentials(&client.id, &body_secret));
    }
    apply(&mut form, edits);
    for (name, value) in &edits.header {
        headers.retain(|(existing, _)| !existing.eq_ignore_ascii_case(name));
        headers.push((name.to_lowercase(), value.clone()));
    }
    let manner = Manner {
        authorization_header: headers.iter().any(|(name, _)| name == "authorization"),
        failed_authentication: secret.is_some()
            && (auth.method == AuthStyle::None || auth.secret != SecretChoice::Right),
        public_client: secret.is_none(),
        raw: is_odd(edits),
        ..Manner::default()
    };
    Composed { method: "POST".to_owned(), url, headers, body: encode(&form, edits).into_bytes(), manner }
}

/// A GET with a bearer token (RFC 6750 §2.1), or without one when the edits say `auth: none`.
#[must_use]
pub fn bearer_get(at: At<'_>, access_token: &str, edits: &Edits) -> Composed {
    let mut headers = at.headers(&[("accept", "application/json")]);
    if edits.auth.is_none_or(|auth| auth.method != AuthStyle::None) {
        let mut token = vec![("access_token".to_owned(), access_token.to_owned())];
        apply(&mut token, edits);
        if let Some((_, token)) = token.first() {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
    }
    for (name, value) in &edits.header {
        headers.retain(|(existing, _)| !existing.eq_ignore_ascii_case(name));
        headers.push((name.to_lowercase(), value.clone()));
    }
    let manner = Manner {
        authorization_header: headers.iter().any(|(name, _)| name == "authorization"),
        ..Manner::default()
    };
    Composed {
        method: "GET".to_owned(),
        url: with_scheme(at.url, edits.scheme),
        headers,
        body: Vec::new(),
        manner,
    }
}

/// A GET of a document that anybody may read (RFC 8414 §3.1).
#[must_use]
pub fn plain_get(at: At<'_>) -> Composed {
    Composed {
        method: "GET".to_owned(),
        url: at.url.to_owned(),
        headers: at.headers(&[("accept", "application/json")]),
        body: Vec::new(),
        manner: Manner::default(),
    }
}

/// These headers, and behind them those that the target adds and that are not among them.
#[must_use]
pub fn with_extra_headers(at: At<'_>, headers: Vec<(String, String)>) -> Vec<(String, String)> {
    let is_free = |name: &str| !headers.iter().any(|(taken, _)| taken == name);
    let more: Vec<_> = at.headers(&[]).into_iter().filter(|(name, _)| is_free(name)).collect();
    headers.into_iter().chain(more).collect()
}

/// Does a request with these edits go beyond a form POST that any server has to take? A proxy may answer to its size
/// or its media type, and plain http may be refused before anybody speaks HTTP.
fn is_odd(edits: &Edits) -> bool {
    !edits.repeat.is_empty()
        || edits.params.is_some()
        || edits.scheme.is_some()
        || edits.header.keys().any(|name| name.eq_ignore_ascii_case("content-type"))
}

fn credentials(id: &str, secret: &str) -> [(String, String); 2] {
    [("client_id".to_owned(), id.to_owned()), ("client_secret".to_owned(), secret.to_owned())]
}

/// The value as it goes into HTTP Basic (RFC 6749 §2.3.1: form-urlencoded first).
fn encoded(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

fn basic(id: &str, secret: &str) -> (String, String) {
    ("authorization".to_owned(), format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))))
}

/// A secret of the same length that differs in every character.
fn wrong_secret(secret: &str) -> String {
    secret.chars().map(|c| if c == 'x' { 'y' } else { 'x' }).collect()
}

/// The http twin of an https endpoint: same host, default port.
fn with_scheme(url: &str, scheme: Option<Scheme>) -> String {
    let Some(Scheme::Http) = scheme else { return url.to_owned() };
    let Ok(mut twin) = url::Url::parse(url) else { return url.to_owned() };
    if twin.set_scheme("http").is_ok() {
        let _ = twin.set_port(None);
    }
    twin.to_string()
}

fn apply(form: &mut Vec<(String, String)>, edits: &Edits) {
    form.retain(|(name, _)| !edits.without.contains(name));
    for (name, value) in &edits.with {
        set(form, name, value.clone());
    }
    for name in &edits.empty {
        set(form, name, String::new());
    }
    for (name, how) in &edits.alter {
        for (_, value) in form.iter_mut().filter(|(existing, _)| existing == name) {
            *value = altered(value, *how);
        }
    }
    for (name, text) in &edits.repeat {
        set(form, name, "x".repeat(size(text).unwrap_or_default()));
    }
    for (name, values) in &edits.twice {
        let position = form.iter().position(|(existing, _)| existing == name).unwrap_or(form.len());
        form.retain(|(existing, _)| existing != name);
        let position = position.min(form.len());
        form.splice(position..position, values.iter().map(|value| (name.clone(), value.clone())));
    }
    for n in 0..edits.params.unwrap_or_default() {
        form.push((format!("zz_probe_{n}"), "1".to_owned()));
    }
}

fn set(form: &mut Vec<(String, String)>, name: &str, value: String) {
    match form.iter_mut().find(|(existing, _)| existing == name) {
        Some((_, existing)) => *existing = value,
        None => form.push((name.to_owned(), value)),
    }
}

/// The digits of base64url in order, for [`altered`].
const BASE64_DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Does this alteration leave the value as it was? Then the request would be no probe.
#[must_use]
pub fn is_without_effect(value: &str, how: Alteration) -> bool {
    altered(value, how) == value
}

/// A spoilt value. The last character is changed in the highest bit of its base64 value: the lowest may be padding,
/// which a decoder need not look at.
fn altered(value: &str, how: Alteration) -> String {
    match how {
        Alteration::LastChar => {
            let mut chars: Vec<char> = value.chars().collect();
            if let Some(last) = chars.last_mut() {
                let digit = BASE64_DIGITS.chars().position(|digit| digit == *last);
                *last = digit.and_then(|digit| BASE64_DIGITS.chars().nth(digit ^ 32)).unwrap_or('A');
            }
            chars.into_iter().collect()
        }
        Alteration::Truncated => {
            let mut chars = value.chars();
            chars.next_back();
            chars.as_str().to_owned()
        }
        Alteration::Upper => {
            let upper = value.to_uppercase();
            if upper == value { value.to_lowercase() } else { upper }
        }
        Alteration::TrailingSpace => format!("{value} "),
    }
}

fn encode(form: &[(String, String)], edits: &Edits) -> String {
    let encoded = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form.iter().map(|(name, value)| (name.as_str(), value.as_str())))
        .finish();
    match edits.encode.map(|encode| encode.space) {
        Some(SpaceEncoding::Percent) => encoded.replace('+', "%20"),
        Some(SpaceEncoding::Plus) | None => encoded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::AuthMethod;
    use crate::secret::Secret;

    fn client(secret: Option<&str>) -> Client {
        Client { secret: secret.map(Secret::new), ..Client::public("my:tv") }
    }

    fn body(composed: &Composed) -> &str {
        std::str::from_utf8(&composed.body).unwrap()
    }

    #[test]
    fn a_public_client_names_itself_and_nothing_else() {
        let composed = form_post(
            At::plain(Endpoint::Token, "http://h/t"),
            &[("scope", "a b")],
            &client(None),
            &Edits::default(),
        );
        assert_eq!(body(&composed), "scope=a+b&client_id=my%3Atv");
        assert!(!composed.manner.failed_authentication && composed.manner.public_client);
        assert!(!composed.headers.iter().any(|(name, _)| name == "authorization"));
    }

    #[test]
    fn basic_carries_the_form_encoded_id_and_secret_and_the_body_neither() {
        let composed = form_post(
            At::plain(Endpoint::Token, "http://h/t"),
            &[],
            &client(Some("a b%ä")),
            &Edits::default(),
        );
        assert_eq!(body(&composed), "");
        let sent = composed.headers.iter().find(|(name, _)| name == "authorization").unwrap();
        let decoded = STANDARD.decode(sent.1.strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(String::from_utf8(decoded).unwrap(), "my%3Atv:a+b%25%C3%A4");
    }

    #[test]
    fn post_puts_the_secret_into_the_body_and_neither_into_header_nor_address() {
        let client = Client { auth: Some(AuthMethod::Post), ..client(Some("s 3")) };
        let composed = form_post(
            At::plain(Endpoint::Token, "http://h/t?x=1%202"),
            &[("scope", "a")],
            &client,
            &Edits::default(),
        );
        assert_eq!(body(&composed), "scope=a&client_id=my%3Atv&client_secret=s+3");
        assert_eq!(composed.url, "http://h/t?x=1%202");
        assert!(!composed.headers.iter().any(|(name, _)| name == "authorization"));
    }

    #[test]
    fn a_client_that_shall_not_authenticate_keeps_its_secret() {
        let client = Client { auth: Some(AuthMethod::None), ..client(Some("s3")) };
        let composed = form_post(At::plain(Endpoint::Token, "http://h/t"), &[], &client, &Edits::default());
        assert_eq!(body(&composed), "client_id=my%3Atv");
        assert!(!composed.headers.iter().any(|(name, _)| name == "authorization"));
    }

    #[test]
    fn edits_do_what_they_say() {
        let edits = Edits {
            without: vec!["gone".to_owned()],
            empty: vec!["scope".to_owned()],
            with: [("zz".to_owned(), "1".to_owned())].into(),
            twice: [("device_code".to_owned(), vec!["a".to_owned(), "b".to_owned()])].into(),
            alter: [("client_id".to_owned(), Alteration::Truncated)].into(),
            ..Edits::default()
        };
        let params = [("gone", "x"), ("device_code", "d"), ("scope", "s")];
        let composed = form_post(At::plain(Endpoint::Token, "http://h/t"), &params, &client(None), &edits);
        assert_eq!(body(&composed), "device_code=a&device_code=b&scope=&client_id=my%3At&zz=1");
    }

    #[test]
    fn a_wrong_secret_differs_in_every_character() {
        let wrong = wrong_secret("xylophone");
        assert!(wrong.chars().zip("xylophone".chars()).all(|(a, b)| a != b), "{wrong}");
        assert_eq!(wrong.chars().count(), 9);
    }

    #[test]
    fn an_altered_code_is_never_the_code_where_it_can_be_altered() {
        for code in ["ABC", "abc", "aBc1", "xxA", "xx="] {
            for how in Alteration::ALL {
                assert_ne!(altered(code, *how), code, "{code} {how}");
            }
        }
        assert!(is_without_effect("1234-5678", Alteration::Upper));
        assert_eq!(altered("xxA", Alteration::LastChar), "xxg");
    }

    #[test]
    fn a_target_adds_parameters_and_headers_and_a_client_authenticates_otherwise_by_endpoint() {
        let target = Target::from_yaml(
            "target: t\nissuer: http://h\nparams: { token: { audience: 'https://api' } }\n\
             headers: { x-api-key: k }\nclients: { tv: { id: tv, secret: s3, auth_at: { token: post } } }\n",
        )
        .unwrap();
        let composed = |endpoint| {
            let at = At::of(&target, endpoint, "http://h/t");
            form_post(
                at,
                &[("scope", "a")],
                target.client(crate::protocol::Role::Tv).unwrap(),
                &Edits::default(),
            )
        };
        let token = composed(Endpoint::Token);
        assert_eq!(body(&token), "scope=a&audience=https%3A%2F%2Fapi&client_id=tv&client_secret=s3");
        assert!(token.headers.contains(&("x-api-key".to_owned(), "k".to_owned())));
        let codes = composed(Endpoint::DeviceAuthorization);
        assert_eq!(body(&codes), "scope=a");
        assert!(
            codes.manner.authorization_header && codes.headers.iter().any(|(name, _)| name == "x-api-key")
        );
    }

    #[test]
    fn wrong_in_body_sends_the_right_secret_by_basic() {
        let auth = Some(Auth { method: AuthStyle::Basic, secret: SecretChoice::WrongInBody });
        let composed = form_post(
            At::plain(Endpoint::Token, "http://h/t"),
            &[],
            &client(Some("s3")),
            &Edits { auth, ..Edits::default() },
        );
        assert_eq!(body(&composed), "client_id=my%3Atv&client_secret=xx");
        assert!(composed.manner.authorization_header && composed.manner.failed_authentication);
    }
}
