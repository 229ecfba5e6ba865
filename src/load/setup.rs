//! What a run is made of, made ready once: requests as templates, the table of the oracle, where to connect.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use url::Url;

use super::crowd::Wanted;
use super::decide::{Decider, Typist};
use super::dialogue::Endpoint;
use super::distinct::{Distinct, Key};
use crate::compose::{At, Composed, form_post};
use crate::http::Trust;
use crate::http::thin::{self, NoTemplate, RequestTemplate, Spoken};
use crate::oracle::{Grade, Oracle};
use crate::protocol::{self, DEVICE_CODE_GRANT, Role};
use crate::scenario::{ConnectionMode, Connections, GroupPlan, Pace, Schedule, Setting};
use crate::suite::Edits;
use crate::target::{Client, Target};

/// Stands for the device code while a request is composed.
pub(super) const MARK: &str = "DEVICECODEGOESHERE";

/// How long the shards have to be there before the run starts.
const HEAD_START: Duration = Duration::from_millis(50);

/// What a run is made of.
pub struct Setup {
    /// Who does what and when.
    pub schedule: Schedule,
    /// What the server announces, and the tolerances.
    pub setting: Setting,
    /// The table of the oracle with the tolerances.
    pub oracle: Oracle,
    /// From this grade on an answer is a violation.
    pub violation_from: Grade,
    /// The clients of the scenario.
    pub clients: Vec<Requests>,
    /// How devices are connected.
    pub connections: Connections,
    /// Where the token endpoint is.
    pub token: Place,
    /// Where the device authorization endpoint is.
    pub device_authorization: Place,
    /// Where the number of waiting devices changes during the run: how many of the first group there are to be.
    pub crowd: Option<Wanted>,
    /// Who plays the users.
    pub decider: Decider,
    /// Who can type at the pages, if anybody.
    pub typist: Option<Typist>,
    /// Decisions in a second, all shards together.
    pub decisions_per_second: Option<f64>,
    /// How long one answer may take.
    pub timeout: Duration,
    /// How many connections all shards may have together.
    pub most_connections: u32,
    /// How many shards there are.
    pub shards: u32,
    /// The cores that they are pinned to, in turn.
    pub cores: Vec<usize>,
    /// The start of the run, from which all instants are counted; set once everybody who plays is there.
    pub epoch: OnceLock<Instant>,
    /// The key of fingerprints.
    pub key: Key,
    /// All device codes of the run.
    pub device_codes: Distinct,
    /// The user codes of live device codes.
    pub user_codes: Distinct,
    /// All access tokens of the run.
    pub tokens: Distinct,
}

/// The requests of one client.
pub struct Requests {
    /// What it is for.
    pub role: Role,
    /// Its id.
    pub client_id: String,
    /// The device authorization request.
    pub codes: RequestTemplate,
    /// The poll, but for the device code.
    pub poll: RequestTemplate,
    /// The device authorization request as it was composed, for a client that frames requests itself.
    pub composed_codes: Composed,
    /// The poll as it was composed, with a mark where the device code will be.
    pub composed_poll: Composed,
}

/// Where an endpoint is.
#[derive(Clone)]
pub struct Place {
    /// The address, resolved once.
    pub address: SocketAddr,
    /// With TLS: how, and as whom the server must show itself.
    pub tls: Option<(TlsConnector, ServerName<'static>)>,
    /// Which version of HTTP is spoken there.
    pub spoken: Spoken,
}

/// Why a run cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// An endpoint's address.
    #[error("{0}")]
    Place(String),
    /// A request.
    #[error(transparent)]
    Template(#[from] NoTemplate),
}

impl Requests {
    /// The requests of a client at these endpoints.
    ///
    /// # Errors
    /// When they cannot be sent.
    pub fn new(
        role: Role,
        target: &Target,
        client: &Client,
        device_authorization: &str,
        token: &str,
    ) -> Result<Self, SetupError> {
        let edits = Edits::default();
        let scope = client.scope.as_deref().map(|scope| ("scope", scope));
        let params: Vec<(&str, &str)> = scope.into_iter().collect();
        let at = At::of(target, protocol::Endpoint::DeviceAuthorization, device_authorization);
        let codes = form_post(at, &params, client, &edits);
        let at = At::of(target, protocol::Endpoint::Token, token);
        let poll = form_post(at, &[("grant_type", DEVICE_CODE_GRANT), ("device_code", MARK)], client, &edits);
        Ok(Self {
            role,
            client_id: client.id.clone(),
            codes: RequestTemplate::fixed(&codes)?,
            poll: RequestTemplate::around(&poll, MARK)?,
            composed_codes: codes,
            composed_poll: poll,
        })
    }

    /// Appends the request to an endpoint, with this device code if it is a poll.
    pub(super) fn write(&self, to: Endpoint, device_code: &[u8], into: &mut Vec<u8>) {
        match to {
            Endpoint::DeviceAuthorization => self.codes.write(into, b""),
            Endpoint::Token => self.poll.write(into, device_code),
        }
    }
}

impl Place {
    /// Resolves the host of an address, once for the run; over TLS these authorities are trusted beside the system's.
    ///
    /// # Errors
    /// The address is none, or its host does not resolve.
    pub async fn find(url: &str, trust: &Trust, spoken: Spoken) -> Result<Self, SetupError> {
        let wrong = |what: String| SetupError::Place(format!("{url}: {what}"));
        let parsed = Url::parse(url).map_err(|error| wrong(error.to_string()))?;
        let host = parsed.host_str().ok_or_else(|| wrong("no host".to_owned()))?.to_owned();
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = parsed.port_or_known_default().ok_or_else(|| wrong("no port".to_owned()))?;
        let mut found = tokio::net::lookup_host((bare.as_str(), port))
            .await
            .map_err(|error| wrong(format!("cannot resolve {bare}: {error}")))?;
        let address = found.next().ok_or_else(|| wrong(format!("{bare} has no address")))?;
        let tls = if parsed.scheme() == "https" {
            let connector = thin::trusting(trust, spoken).map_err(|error| wrong(error.to_string()))?;
            let name = ServerName::try_from(bare.clone()).map_err(|error| wrong(error.to_string()))?;
            Some((connector, name))
        } else {
            None
        };
        Ok(Self { address, tls, spoken })
    }

    /// Is it on this machine?
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.address.ip().to_canonical().is_loopback()
    }
}

impl Setup {
    /// The start of the run: a moment after whoever asks first.
    pub fn epoch(&self) -> Instant {
        *self.epoch.get_or_init(|| Instant::now() + HEAD_START)
    }

    /// Since the start of the run.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.epoch().elapsed()
    }

    /// How many connections one shard may have.
    #[must_use]
    pub fn connections_per_shard(&self) -> u32 {
        (self.most_connections / self.shards).max(1)
    }

    /// The address that the nth connection comes from.
    #[must_use]
    pub fn source(&self, nth: usize) -> Option<IpAddr> {
        let sources = &self.connections.sources;
        sources.get(nth.checked_rem(sources.len())?).map(|source| source.0)
    }

    /// Who decides, for people.
    #[must_use]
    pub fn users(&self) -> &'static str {
        match (&self.decider, &self.typist) {
            (Decider::Hook(_), _) => "admin hook",
            (Decider::Typist, Some(typist)) => typist.name,
            (Decider::Nobody | Decider::Typist, _) => "nobody",
        }
    }

    /// What the devices of a group have in common.
    pub(super) fn group(&self, group: u8) -> Option<&GroupPlan> {
        self.schedule.groups().get(usize::from(group))
    }

    /// How the devices of a group poll.
    pub(super) fn pace(&self, group: u8) -> Option<Pace> {
        self.group(group).map(|group| group.pace)
    }

    /// Does each device keep a connection of its own?
    #[must_use]
    pub fn is_one_per_device(&self) -> bool {
        self.connections.mode == ConnectionMode::OnePerDevice
    }
}

/// A [`Setup`] that every shard has.
pub type Shared = Arc<Setup>;
