//! A request of a client as bytes: parameters, edits and credentials put together. Sends nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use crate::exchange::Manner;
use crate::suite::{Alteration, Auth, AuthStyle, Edits, Scheme, SecretChoice, SpaceEncoding, size};
use crate::target::Client;

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

/// The form POST of a client (RFC 6749 §3.2, RFC 8628 §3.1): `params` with the edits of the step, and the client's
/// credentials in the way that the edits or the client say (RFC 6749 §2.3.1).
#[must_use]
pub fn form_post(url: &str, params: &[(&str, &str)], client: &Client, edits: &Edits) -> Composed {
    let auth = edits.auth.unwrap_or_else(|| Auth::from(client.auth_method()));
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
    let mut url = with_scheme(url, edits.scheme);
    let mut headers = vec![
        ("accept".to_owned(), "application/json".to_owned()),
        ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
    ];
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
pub fn bearer_get(url: &str, access_token: &str, edits: &Edits) -> Composed {
    let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
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
        url: with_scheme(url, edits.scheme),
        headers,
        body: Vec::new(),
        manner,
    }
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
        Client { id: "my:tv".to_owned(), secret: secret.map(Secret::new), auth: None, scope: None }
    }

    fn body(composed: &Composed) -> &str {
        std::str::from_utf8(&composed.body).unwrap()
    }

    #[test]
    fn a_public_client_names_itself_and_nothing_else() {
        let composed = form_post("http://h/t", &[("scope", "a b")], &client(None), &Edits::default());
        assert_eq!(body(&composed), "scope=a+b&client_id=my%3Atv");
        assert!(!composed.manner.failed_authentication && composed.manner.public_client);
        assert!(!composed.headers.iter().any(|(name, _)| name == "authorization"));
    }

    #[test]
    fn basic_carries_the_form_encoded_id_and_secret_and_the_body_neither() {
        let composed = form_post("http://h/t", &[], &client(Some("a b%ä")), &Edits::default());
        assert_eq!(body(&composed), "");
        let sent = composed.headers.iter().find(|(name, _)| name == "authorization").unwrap();
        let decoded = STANDARD.decode(sent.1.strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(String::from_utf8(decoded).unwrap(), "my%3Atv:a+b%25%C3%A4");
    }

    #[test]
    fn post_puts_the_secret_into_the_body_and_neither_into_header_nor_address() {
        let client = Client { auth: Some(AuthMethod::Post), ..client(Some("s 3")) };
        let composed = form_post("http://h/t?x=1%202", &[("scope", "a")], &client, &Edits::default());
        assert_eq!(body(&composed), "scope=a&client_id=my%3Atv&client_secret=s+3");
        assert_eq!(composed.url, "http://h/t?x=1%202");
        assert!(!composed.headers.iter().any(|(name, _)| name == "authorization"));
    }

    #[test]
    fn a_client_that_shall_not_authenticate_keeps_its_secret() {
        let client = Client { auth: Some(AuthMethod::None), ..client(Some("s3")) };
        let composed = form_post("http://h/t", &[], &client, &Edits::default());
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
        let composed = form_post("http://h/t", &params, &client(None), &edits);
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
    fn wrong_in_body_sends_the_right_secret_by_basic() {
        let auth = Some(Auth { method: AuthStyle::Basic, secret: SecretChoice::WrongInBody });
        let composed = form_post("http://h/t", &[], &client(Some("s3")), &Edits { auth, ..Edits::default() });
        assert_eq!(body(&composed), "client_id=my%3Atv&client_secret=xx");
        assert!(composed.manner.authorization_header && composed.manner.failed_authentication);
    }
}
