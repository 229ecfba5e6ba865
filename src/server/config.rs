//! What the server is set up with: clients, users, paths, policy. Knows nothing of what happens at run time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::endpoint::Endpoint;
use super::faults::{Effects, Fault};
use super::policy::Policy;
use super::signing::Algorithm;
use crate::protocol::DEVICE_CODE_GRANT;
use crate::secret::Secret;

/// Everything that is known before the first request.
#[derive(Clone, Debug)]
pub struct Config {
    policy: Policy,
    clients: Vec<Client>,
    users: Vec<User>,
    paths: BTreeMap<Endpoint, String>,
    origin: Option<String>,
    faults: Vec<&'static Fault>,
}

/// A registered client (RFC 6749 §2).
#[derive(Clone, Debug)]
pub struct Client {
    /// Its identifier; all its sessions share it.
    pub id: Arc<str>,
    /// What people are told it is.
    pub name: String,
    /// Its secret; a client without one is public (RFC 6749 §2.1).
    pub secret: Option<Secret>,
    /// The grants it may use.
    pub grants: Vec<Grant>,
    /// Its own polling interval.
    pub interval: Option<Duration>,
    /// Its own lifetime of codes.
    pub lifetime: Option<Duration>,
    /// Its own lifetime of access tokens.
    pub access_token_lifetime: Option<Duration>,
    /// How its ID tokens are signed (`id_token_signed_response_alg`, OpenID Connect Registration §2).
    pub id_token_algorithm: Algorithm,
}

/// A grant that this server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// RFC 8628 §3.4.
    DeviceCode,
    /// RFC 6749 §6.
    RefreshToken,
}

/// Somebody who can sign in.
#[derive(Clone, Debug)]
pub struct User {
    /// The name to sign in with; it is the subject of tokens, too.
    pub name: String,
    /// The password. It is compared in constant time, not hashed: this server is for tests.
    pub password: Secret,
    /// The full name (`profile`).
    pub full_name: String,
    /// The address (`email`).
    pub email: String,
}

/// A path that cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PathError {
    /// Two places at one path.
    #[error("use {path:?} for {endpoint:?}: {other:?} is there already, choose another path")]
    Taken {
        /// The path.
        path: String,
        /// The place that wanted it.
        endpoint: Endpoint,
        /// The place that has it.
        other: Endpoint,
    },
    /// Not an absolute path of plain characters.
    #[error(
        "use {0:?} as a path: it must start with / and have only letters, digits and -._~/ (no query, no fragment)"
    )]
    Unfit(String),
}

impl Grant {
    /// The value of `grant_type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeviceCode => DEVICE_CODE_GRANT,
            Self::RefreshToken => "refresh_token",
        }
    }
}

impl Client {
    /// A public client with both grants.
    #[must_use]
    pub fn public(id: &str, name: &str) -> Self {
        Self {
            id: id.into(),
            name: name.to_owned(),
            secret: None,
            grants: vec![Grant::DeviceCode, Grant::RefreshToken],
            interval: None,
            lifetime: None,
            access_token_lifetime: None,
            id_token_algorithm: Algorithm::Rs256,
        }
    }

    /// A confidential client with both grants.
    #[must_use]
    pub fn confidential(id: &str, name: &str, secret: &str) -> Self {
        Self { secret: Some(Secret::new(secret)), ..Self::public(id, name) }
    }

    /// Whether the client can keep a secret (RFC 6749 §2.1).
    #[must_use]
    pub const fn is_public(&self) -> bool {
        self.secret.is_none()
    }

    /// Whether the client is registered for a grant.
    #[must_use]
    pub fn may_use(&self, grant: Grant) -> bool {
        self.grants.contains(&grant)
    }
}

impl User {
    /// A user; full name and address follow from the name.
    #[must_use]
    pub fn new(name: &str, password: &str) -> Self {
        let mut letters = name.chars();
        let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
        Self {
            name: name.to_owned(),
            password: Secret::new(password),
            full_name: format!("{first}{} Example", letters.as_str()),
            email: format!("{name}@example.com"),
        }
    }
}

impl Config {
    /// For `devgrant serve`: interval 5 s, lifetime 600 s.
    #[must_use]
    pub fn reference() -> Self {
        Self {
            policy: Policy::reference(),
            clients: clients(),
            users: vec![User::new("alice", "wonderland-1"), User::new("bob", "looking-glass-2")],
            paths: Endpoint::ALL.iter().map(|&place| (place, place.usual_path().to_owned())).collect(),
            origin: None,
            faults: Vec::new(),
        }
    }

    /// For `devgrant check` without a target, so that a run takes seconds: interval 1 s, lifetime 10 s, and 16 s
    /// for the client `pace`.
    #[must_use]
    pub fn embedded() -> Self {
        let mut config = Self::reference();
        config.set_interval(Duration::from_secs(1));
        config.set_lifetime(Duration::from_secs(10));
        if let Some(pace) = config.client_mut("pace") {
            pace.lifetime = Some(Duration::from_secs(16));
        }
        config
    }

    /// Numbers and choices.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Numbers and choices, to change them.
    pub const fn policy_mut(&mut self) -> &mut Policy {
        &mut self.policy
    }

    /// Sets the polling interval of every client that has none of its own.
    pub const fn set_interval(&mut self, interval: Duration) {
        self.policy.interval = interval;
    }

    /// Sets the lifetime of the codes of every client that has none of its own.
    pub const fn set_lifetime(&mut self, lifetime: Duration) {
        self.policy.lifetime = lifetime;
    }

    /// The same with these faults besides those it has.
    #[must_use]
    pub fn with_faults(mut self, faults: impl IntoIterator<Item = &'static Fault>) -> Self {
        self.faults.extend(faults);
        self
    }

    /// What it does wrong on purpose.
    #[must_use]
    pub fn faults(&self) -> &[&'static Fault] {
        &self.faults
    }

    /// The effects of all that.
    #[must_use]
    pub fn effects(&self) -> Effects {
        Effects::new(self.faults.iter().map(|fault| &fault.effect))
    }

    /// The registered clients.
    #[must_use]
    pub fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// A registered client.
    #[must_use]
    pub fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| *client.id == *id)
    }

    /// A registered client, to change it.
    pub fn client_mut(&mut self, id: &str) -> Option<&mut Client> {
        self.clients.iter_mut().find(|client| *client.id == *id)
    }

    /// Registers a client, in place of one with the same identifier.
    pub fn set_client(&mut self, client: Client) {
        self.clients.retain(|known| known.id != client.id);
        self.clients.push(client);
    }

    /// The users.
    #[must_use]
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// A user.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }

    /// Replaces the users. The first one is who `admin` hooks mean when they name nobody.
    pub fn set_users(&mut self, users: Vec<User>) {
        self.users = users;
    }

    /// Where a place is.
    #[must_use]
    pub fn path(&self, endpoint: Endpoint) -> &str {
        // Every place has its path from the start, and paths are only ever replaced.
        self.paths.get(&endpoint).map_or(endpoint.usual_path(), String::as_str)
    }

    /// Moves a place.
    ///
    /// # Errors
    ///
    /// If the path is not absolute, has unusual characters, or is taken.
    pub fn set_path(&mut self, endpoint: Endpoint, path: &str) -> Result<(), PathError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
        if !path.starts_with('/') || path.starts_with("//") || !path.chars().all(plain) {
            return Err(PathError::Unfit(path.to_owned()));
        }
        if let Some(other) = self.endpoint_at(path).filter(|&other| other != endpoint) {
            return Err(PathError::Taken { path: path.to_owned(), endpoint, other });
        }
        self.paths.insert(endpoint, path.to_owned());
        Ok(())
    }

    /// The place at a path.
    #[must_use]
    pub fn endpoint_at(&self, path: &str) -> Option<Endpoint> {
        self.paths.iter().find_map(|(&place, known)| (known == path).then_some(place))
    }

    /// The origin that the server says it has, if it is not where it listens.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// Sets the origin, `https://devices.example` without a path: for a server behind a proxy.
    pub fn set_origin(&mut self, origin: &str) {
        self.origin = Some(origin.trim_end_matches('/').to_owned());
    }
}

/// The clients out of the box.
fn clients() -> Vec<Client> {
    let mut no_grant = Client::public("no-device-grant", "Client without the device grant");
    no_grant.grants = vec![Grant::RefreshToken];
    let mut short_tokens = Client::public("short-tokens", "Living-room TV with short-lived tokens");
    short_tokens.access_token_lifetime = Some(Duration::from_secs(8));
    // Registered for the algorithm that costs less; confidential clients keep the usual one.
    let elliptic = |id, name| Client { id_token_algorithm: Algorithm::Es256, ..Client::public(id, name) };
    vec![
        elliptic("tv-public", "Living-room TV"),
        elliptic("other-public", "Kitchen radio"),
        Client::confidential("tv-confidential", "Cinema projector", "projector-secret-7c1f0b52d9"),
        Client::confidential("other-confidential", "Hotel TV", "hotel-secret-e04b8a6613"),
        // Colon, percent, plus, space, slash, ampersand and a letter beyond ASCII: RFC 6749 §2.3.1 encodes them all.
        Client::confidential("special-secret", "Media player", "se:cr%et+wi th/all&ø-5d20c7"),
        no_grant,
        Client::public("pace", "Metronome"),
        short_tokens,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_move_but_never_onto_each_other() {
        let mut config = Config::reference();
        config.set_path(Endpoint::Token, "/t").unwrap();
        assert_eq!(config.endpoint_at("/t"), Some(Endpoint::Token));
        assert_eq!(config.endpoint_at("/oauth/token"), None);
        assert!(matches!(config.set_path(Endpoint::Jwks, "/t"), Err(PathError::Taken { .. })));
        for path in ["t", "//t", "/t?x", "/t#x", "/t x", ""] {
            assert_eq!(config.set_path(Endpoint::Jwks, path), Err(PathError::Unfit(path.to_owned())));
        }
    }

    #[test]
    fn no_two_places_share_a_path_from_the_start() {
        let config = Config::reference();
        for place in Endpoint::ALL {
            assert_eq!(config.endpoint_at(place.usual_path()), Some(place));
        }
    }

    #[test]
    fn debug_shows_no_secret_and_no_password() {
        let shown = format!("{:?}", Config::reference());
        assert!(!shown.contains("wonderland") && !shown.contains("projector-secret"), "{shown}");
    }
}
