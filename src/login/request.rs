//! The three requests of a device, and how it says who it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::Url;
use url::form_urlencoded::byte_serialize;

use super::exchange::Request;
use super::settings::Settings;
use crate::protocol::{AuthMethod, DEVICE_CODE_GRANT};
use crate::secret::Secret;
use crate::target::Client;

/// The device authorization request (RFC 8628 §3.1): `client_id` and, if it asks for one, `scope`.
pub(crate) fn device_authorization(settings: &Settings) -> Request {
    let scope = settings.scope.as_deref().map(|scope| ("scope", Secret::new(scope)));
    of_client(&settings.client, &settings.device_authorization, scope.into_iter().collect())
}

/// A poll (RFC 8628 §3.4): `grant_type`, `device_code` and `client_id`.
pub(crate) fn poll(settings: &Settings, device_code: &Secret) -> Request {
    let form = vec![("grant_type", Secret::new(DEVICE_CODE_GRANT)), ("device_code", device_code.clone())];
    of_client(&settings.client, &settings.token, form)
}

/// The API call: the token in the header and nowhere else (RFC 6750 §2.1).
pub(crate) fn api(url: &Url, token: &Secret) -> Request {
    let authorization = Secret::new(format!("Bearer {}", token.expose()));
    Request { url: url.clone(), authorization: Some(authorization), form: None }
}

/// Whether `token` can stand in the header: `b64token` (RFC 6750 §2.1).
pub(crate) fn is_bearer_token(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b))
}

/// Adds who the client is, by one method only (RFC 6749 §2.3).
fn of_client(client: &Client, url: &Url, mut form: Vec<(&'static str, Secret)>) -> Request {
    form.push(("client_id", Secret::new(client.id.as_str())));
    let mut authorization = None;
    match (client.auth_method(), &client.secret) {
        (AuthMethod::Basic, Some(secret)) => authorization = Some(basic(&client.id, secret)),
        (AuthMethod::Post, Some(secret)) => form.push(("client_secret", secret.clone())),
        // `Settings::check` has refused a method without its secret.
        (AuthMethod::Basic | AuthMethod::Post, None) | (AuthMethod::None, _) => {}
    }
    Request { url: url.clone(), authorization, form: Some(form) }
}

/// RFC 6749 §2.3.1: identifier and secret are form-urlencoded first.
fn basic(id: &str, secret: &Secret) -> Secret {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    Secret::new(format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret.expose())))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(secret: Option<&str>, auth: Option<AuthMethod>) -> Settings {
        let client = Client {
            id: "tv: 1".to_owned(),
            secret: secret.map(Secret::new),
            auth,
            scope: Some("openid profile".to_owned()),
        };
        let url = |path: &str| Url::parse(&format!("https://as.example/{path}?tenant=1%202")).unwrap();
        Settings::new(url("device"), url("token"), client)
    }

    fn names(request: &Request) -> Vec<&'static str> {
        request.form.as_ref().unwrap().iter().map(|(name, _)| *name).collect()
    }

    #[test]
    fn a_public_client_sends_exactly_the_three_parameters() {
        let request = poll(&settings(None, None), &Secret::new("a b&c=d+é"));
        assert_eq!(names(&request), ["grant_type", "device_code", "client_id"]);
        assert!(request.authorization.is_none());
        assert_eq!(request.url.query(), Some("tenant=1%202"));
        assert_eq!(
            request.body().unwrap().expose(),
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code\
             &device_code=a+b%26c%3Dd%2B%C3%A9&client_id=tv%3A+1"
        );
    }

    #[test]
    fn the_device_authorization_request_has_client_and_scope() {
        let mut login = settings(None, None);
        let body = device_authorization(&login).body().unwrap();
        assert_eq!(body.expose(), "scope=openid+profile&client_id=tv%3A+1");
        login.scope = None;
        assert_eq!(names(&device_authorization(&login)), ["client_id"]);
    }

    #[test]
    fn a_secret_goes_into_basic_form_urlencoded_first() {
        let request = poll(&settings(Some("p:%+ ö"), None), &Secret::new("dc"));
        assert_eq!(names(&request), ["grant_type", "device_code", "client_id"]);
        let header = request.authorization.unwrap();
        let decoded = STANDARD.decode(header.expose().strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(decoded, b"tv%3A+1:p%3A%25%2B+%C3%B6");
    }

    #[test]
    fn post_puts_the_secret_into_the_body_and_nothing_into_the_header() {
        for request in [
            poll(&settings(Some("s"), Some(AuthMethod::Post)), &Secret::new("dc")),
            device_authorization(&settings(Some("s"), Some(AuthMethod::Post))),
        ] {
            assert!(request.authorization.is_none());
            assert_eq!(names(&request)[names(&request).len() - 2..], ["client_id", "client_secret"]);
            assert!(!request.url.as_str().contains("client_secret"));
        }
    }

    #[test]
    fn a_client_that_shall_not_authenticate_keeps_its_secret() {
        let request = poll(&settings(Some("s"), Some(AuthMethod::None)), &Secret::new("dc"));
        assert!(request.authorization.is_none());
        assert_eq!(names(&request), ["grant_type", "device_code", "client_id"]);
    }

    #[test]
    fn a_request_does_not_print_its_secrets() {
        let request = poll(&settings(Some("hunter2"), None), &Secret::new("device-code-value"));
        let shown = format!("{request:?} {:?}", request.body());
        assert!(!shown.contains("device-code-value") && !shown.contains("hunter2"), "{shown}");
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
