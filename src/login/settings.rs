//! What a login needs to know before it starts.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use url::{Host, Url};

use crate::protocol::{AuthMethod, Endpoint};
use crate::target::{Client, ExtraHeaders, ExtraParams};

/// Opens a page in a browser of this machine.
pub type Browser = fn(&Url) -> io::Result<()>;

/// Opens a page by what the system provides: `open`, `start`, `xdg-open`.
pub fn system_browser(page: &Url) -> io::Result<()> {
    open::that_detached(page.as_str())
}

/// A login: endpoints resolved, client chosen.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The device authorization endpoint (RFC 8628 §3.1).
    pub device_authorization: Url,
    /// The token endpoint (RFC 6749 §3.2).
    pub token: Url,
    /// What to call with the token, by GET.
    pub api: Option<Url>,
    /// Parameters beside those of the protocol, by endpoint.
    pub params: BTreeMap<Endpoint, ExtraParams>,
    /// Headers beside those of the protocol.
    pub headers: ExtraHeaders,
    /// Who the device is.
    pub client: Client,
    /// What it asks for.
    pub scope: Option<String>,
    /// Opens the verification page here too, if at all.
    pub browser: Option<Browser>,
    /// When to stop where the server does not say how long the codes live.
    pub give_up_after: Option<Duration>,
}

/// Why a login cannot start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Secrets would go over the network in the clear (RFC 6749 §3.2, §10.3).
    #[error("{what} {url} is not https, and its host is not loopback: use https")]
    Plain {
        /// Which endpoint.
        what: &'static str,
        /// Its address without user, query and fragment.
        url: String,
    },
    /// Credentials in the address (RFC 6749 §2.3.1).
    #[error("{0} has a user name in its address: put the credentials into the target file's client")]
    UserInfo(&'static str),
    /// RFC 6749 §3.2: the endpoint URI MUST NOT include a fragment.
    #[error("{0} has a # in its address: leave out what follows it")]
    Fragment(&'static str),
    /// `basic` or `post` without a secret.
    #[error("client {0:?} authenticates by {1} and has no secret: add its secret, or auth: none")]
    NoSecret(String, AuthMethod),
}

impl Settings {
    /// A login of `client` with the scope that the client asks for, without API call and browser.
    #[must_use]
    pub fn new(device_authorization: Url, token: Url, client: Client) -> Self {
        let scope = client.scope.clone();
        Self {
            device_authorization,
            token,
            api: None,
            params: BTreeMap::new(),
            headers: ExtraHeaders::default(),
            client,
            scope,
            browser: None,
            give_up_after: None,
        }
    }

    /// Whether it can start without giving secrets away.
    pub fn check(&self) -> Result<(), SettingsError> {
        let endpoints = [
            ("the device authorization endpoint", Some(&self.device_authorization)),
            ("the token endpoint", Some(&self.token)),
            ("the API", self.api.as_ref()),
        ];
        for (what, url) in endpoints.into_iter().filter_map(|(what, url)| Some((what, url?))) {
            if !url.username().is_empty() || url.password().is_some() {
                return Err(SettingsError::UserInfo(what));
            }
            if url.fragment().is_some() {
                return Err(SettingsError::Fragment(what));
            }
            if !keeps_secrets(url) {
                return Err(SettingsError::Plain { what, url: without_query(url) });
            }
        }
        for endpoint in [Endpoint::DeviceAuthorization, Endpoint::Token] {
            let method = self.client.auth_method_at(endpoint);
            if method != AuthMethod::None && self.client.secret.is_none() {
                return Err(SettingsError::NoSecret(self.client.id.clone(), method));
            }
        }
        Ok(())
    }
}

/// Whether what goes to `url` stays unread on the way: https, or http that does not leave this machine.
pub(crate) fn keeps_secrets(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

fn without_query(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn settings(token: &str) -> Settings {
        let client = Client::public("tv");
        Settings::new("https://as.example/device".parse().unwrap(), token.parse().unwrap(), client)
    }

    #[test]
    fn http_is_refused_unless_it_stays_on_this_machine() {
        for token in
            ["https://as.example/t", "http://127.0.0.1:9/t", "http://[::1]/t", "http://localhost:8080/t"]
        {
            assert_eq!(settings(token).check(), Ok(()), "{token}");
        }
        for token in [
            "http://as.example/t?key=1",
            "http://192.168.0.4/t",
            "http://localhost.example/t",
            "ftp://127.0.0.1/t",
        ] {
            let error = settings(token).check().unwrap_err();
            assert!(matches!(error, SettingsError::Plain { .. }), "{token}: {error}");
            assert!(!error.to_string().contains("key"), "{error}");
        }
        let mut login = settings("https://as.example/t");
        login.api = Some("http://api.example/me".parse().unwrap());
        assert!(login.check().is_err());
    }

    #[test]
    fn credentials_and_fragments_in_an_address_are_refused() {
        let secret = "https://tv:pa55@as.example/t";
        let error = settings(secret).check().unwrap_err();
        assert_eq!(error, SettingsError::UserInfo("the token endpoint"));
        assert!(!error.to_string().contains("pa55"));
        let error = settings("https://as.example/t#x").check().unwrap_err();
        assert_eq!(error, SettingsError::Fragment("the token endpoint"));
    }

    #[test]
    fn a_method_with_a_secret_needs_one() {
        let mut login = settings("https://as.example/t");
        login.client.auth = Some(AuthMethod::Basic);
        assert!(matches!(login.check(), Err(SettingsError::NoSecret(..))));
        login.client.secret = Some(Secret::new("s"));
        assert_eq!(login.check(), Ok(()));
    }
}
