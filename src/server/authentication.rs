//! Who a client is (RFC 6749 §2.3, §3.2.1). Knows no grant and no session.

use axum::http::header;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use subtle::{Choice, ConstantTimeEq as _};

use super::config::{Client, Config};
use super::endpoint::Endpoint;
use super::error::{ErrorCode, Refusal};
use super::form::{self, Form};
use super::request::Request;
use super::rules::{Rule, Rules};

/// Base64 of a `Basic` header; padding is not insisted on.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Authentication failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What to answer.
    pub refusal: Refusal,
    /// The client for which a wrong secret was sent.
    pub wrong_secret_for: Option<String>,
}

/// What a request says about its client.
struct Presented {
    id: String,
    /// What the secret may be: as decoded, and as it stands.
    secret: Option<Vec<String>>,
    in_header: bool,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, wrong_secret_for: None }
    }
}

/// The client that sends this request.
///
/// # Errors
///
/// If it names nobody, names somebody unknown, or does not prove what it must.
pub fn authenticate<'config>(
    config: &'config Config,
    request: &Request,
    form: &Form,
    rules: Rules,
) -> Result<&'config Client, Failure> {
    let presented = match request.headers.get(header::AUTHORIZATION) {
        Some(value) => from_header(value.as_bytes(), form, rules)?,
        None => from_body(request.endpoint, form, rules)?,
    };
    let Some(client) = presented.client(config, rules) else {
        let description = "The client is not known here.";
        let refusal = if presented.in_header {
            Refusal::unauthenticated(description)
        } else {
            Refusal::new(ErrorCode::InvalidClient, description)
        };
        return Err(refusal.into());
    };
    match (&client.secret, &presented.secret) {
        (Some(expected), Some(given)) => {
            let right = given.iter().fold(Choice::from(0), |any, given| {
                any | expected.expose().as_bytes().ct_eq(given.as_bytes())
            });
            if rules.broken(Rule::SecretIsRight, !bool::from(right)) {
                return Err(Failure {
                    refusal: Refusal::unauthenticated("Client authentication failed."),
                    wrong_secret_for: Some(client.id.to_string()),
                });
            }
        }
        (None, Some(given)) if given.iter().all(|secret| !secret.is_empty()) => {
            return Err(Refusal::unauthenticated("This client is public: it has no secret.").into());
        }
        (Some(_), None) | (None, _) => {
            // Introspection is for clients that can prove who they are; elsewhere a public client just says so.
            let proves_nothing = client.secret.is_some() || request.endpoint == Endpoint::Introspection;
            if must_authenticate(request.endpoint, rules, proves_nothing) {
                return Err(Refusal::unauthenticated("This client must authenticate.").into());
            }
        }
    }
    Ok(client)
}

/// Whether a request that proves nothing breaks the rule of its endpoint.
fn must_authenticate(endpoint: Endpoint, rules: Rules, proves_nothing: bool) -> bool {
    match endpoint {
        Endpoint::DeviceAuthorization => rules.broken(Rule::DeviceRequestAuthenticates, proves_nothing),
        Endpoint::Introspection => rules.broken(Rule::IntrospectionAuthenticates, proves_nothing),
        Endpoint::Revocation => rules.broken(Rule::RevocationAuthenticates, proves_nothing),
        _ => rules.broken(Rule::TokenRequestAuthenticates, proves_nothing),
    }
}

impl Presented {
    fn client<'config>(&self, config: &'config Config, rules: Rules) -> Option<&'config Client> {
        let known = config.client(&self.id);
        if known.is_none() && rules.waived(Rule::ClientIsKnown) {
            return config.clients().iter().find(|client| client.is_public());
        }
        known
    }
}

/// HTTP Basic (RFC 6749 §2.3.1), beside which the body may repeat the identifier and nothing else (§3.2.1).
fn from_header(value: &[u8], form: &Form, rules: Rules) -> Result<Presented, Refusal> {
    let more = ["client_secret", "client_assertion"].iter().any(|name| form.first(name).is_some());
    if rules.broken(Rule::OneAuthenticationMethod, more) {
        return Err(Refusal::invalid_request("Use one client authentication method, not several."));
    }
    let presented = basic(value, rules)
        .ok_or_else(|| Refusal::unauthenticated("The Authorization header is not HTTP Basic."))?;
    let disagree = form.first("client_id").is_some_and(|id| id != presented.id);
    if rules.broken(Rule::HeaderAndBodyAgree, disagree) {
        return Err(Refusal::invalid_request("client_id is not the client of the Authorization header."));
    }
    Ok(presented)
}

/// Identifier and secret are form-urlencoded before base64; a secret as it stands is taken, too (errata 4749, 6017).
fn basic(value: &[u8], rules: Rules) -> Option<Presented> {
    let (scheme, credentials) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = BASE64.decode(credentials.trim()).ok()?;
    let colon = decoded.iter().position(|&byte| byte == b':')?;
    let (id, secret) = (&decoded[..colon], &decoded[colon + 1..]);
    let raw = std::str::from_utf8(secret).ok().map(str::to_owned);
    let decoded = form::decode(secret).ok().filter(|_| !rules.waived(Rule::BasicIsDecoded));
    let secret: Vec<String> = decoded.into_iter().chain(raw).collect();
    Some(Presented { id: form::decode(id).ok()?, secret: Some(secret), in_header: true })
}

/// `client_id` alone, or with `client_secret` (RFC 6749 §2.3.1).
fn from_body(endpoint: Endpoint, form: &Form, rules: Rules) -> Result<Presented, Refusal> {
    let secret = form.first("client_secret");
    if form.first("client_assertion").or(form.first("client_assertion_type")).is_some() {
        return Err(match secret {
            Some(_) => Refusal::invalid_request("Use one client authentication method, not several."),
            None => Refusal::unauthenticated("Client assertions are not supported."),
        });
    }
    let Some(id) = form.first("client_id") else {
        return if rules.waived(Rule::ClientNamesItself) {
            Ok(Presented { id: String::new(), secret: None, in_header: false })
        } else if endpoint == Endpoint::Introspection {
            Err(Refusal::unauthenticated("Authenticate as a confidential client."))
        } else {
            Err(Refusal::invalid_request("client_id is missing."))
        };
    };
    Ok(Presented {
        id: id.to_owned(),
        secret: secret.map(|secret| vec![secret.to_owned()]),
        in_header: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_decoded_twice() {
        let header = format!("basic {}", BASE64.encode("id:s%3Ae+c%C3%B8"));
        let presented = basic(header.as_bytes(), Rules::all()).unwrap();
        assert_eq!(presented.id, "id");
        assert_eq!(presented.secret.unwrap(), ["s:e cø", "s%3Ae+c%C3%B8"]);
    }

    #[test]
    fn headers_that_are_no_basic_credentials_are_told_apart() {
        for value in ["Bearer abc", "Basic", "Basic !!!", "Basic YWJj"] {
            assert!(basic(value.as_bytes(), Rules::all()).is_none(), "{value}");
        }
    }
}
