//! The server under test: what the target file says. Knows nothing of what preflight finds.
//!
//! ```yaml
//! target: my-server
//! issuer: http://127.0.0.1:9000
//! clients:
//!   tv: { id: tv-app, scope: openid }
//! users:
//!   alice: { login: alice, password: wonderland-1 }
//! approval:
//!   form:
//!     steps:
//!       - { when: { field: user_code }, fill: { user_code: "{user_code}" } }
//!       - { when: { field: password }, fill: { login: "{login}", password: "{password}" } }
//!       - { when: { button: { name: accept } }, press: { name: accept }, decides: approve }
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::{AuthMethod, Capability, Endpoint, Role, UserRole};
use crate::secret::Secret;
use crate::timing::{Constant, Constants};

mod approval;
mod build;
mod extras;
mod kept;
mod mistakes;
mod read;
mod recipe;
mod requests;

pub use crate::protocol::Decision;
pub use approval::{Approval, BrowserRecipe, CommandSettings, Manual, Sessions};
pub use extras::{ExtraHeaders, ExtraParams};
pub use kept::{Elsewhere, Keeper};
pub use recipe::{
    Blank, Blanks, FormButton, FormDone, FormMatch, FormRecipe, FormStep, RequestTemplate, Template,
    TemplateError,
};
pub use requests::{HttpRecipe, JsonTemplate, Keep, PageRequest};

/// The server under test and how to reach it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// A name for people, shown in every report.
    pub target: String,
    /// The issuer: its metadata names the endpoints that `endpoints` leaves out (RFC 8414 §3).
    #[serde(default)]
    pub issuer: Option<String>,
    /// Absolute URLs, or paths below the issuer's origin; what is written here goes before the metadata.
    #[serde(default)]
    pub endpoints: Endpoints,
    /// A resource indicator that the server takes (RFC 8707), absolute or a path below the issuer's origin; where it is
    /// left out and `capabilities` has `resource`, the API's address.
    #[serde(default)]
    pub resource: Option<String>,
    /// Parameters that the server wants beyond the protocol, by endpoint: `token: { audience: https://api.example }`.
    #[serde(default)]
    pub params: BTreeMap<Endpoint, ExtraParams>,
    /// Headers that the server wants with every request to its endpoints and for its metadata; pages have their own, under
    /// `approval`.
    #[serde(default)]
    pub headers: ExtraHeaders,
    /// The registered clients, by what they are for; `tv` is required.
    pub clients: BTreeMap<Role, Client>,
    /// Who can sign in at the verification page.
    #[serde(default)]
    pub users: BTreeMap<UserRole, User>,
    /// What the server can do beyond what the rest of this file shows (`refresh`, `openid`, `resource`, ...).
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    /// What the server cannot do although this file makes it look so (`denial` on a server that has none).
    #[serde(default)]
    pub lacks: Vec<Capability>,
    /// How a user's decision is made.
    #[serde(default)]
    pub approval: Option<Approval>,
    /// Tolerances that differ from the defaults.
    #[serde(default)]
    pub constants: BTreeMap<Constant, Length>,
    /// Whom to trust beside the authorities of the platform, and what certificate to show.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// A file of failures that are known and defended: a list of `{ id, reason }`, beside this file.
    #[serde(default)]
    pub known_failures: Option<PathBuf>,
}

/// Where the endpoints are.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    /// RFC 8628 §3.1.
    #[serde(default)]
    pub device_authorization: Option<String>,
    /// RFC 6749 §3.2.
    #[serde(default)]
    pub token: Option<String>,
    /// A resource that takes the access token as a bearer token, asked with GET.
    #[serde(default)]
    pub api: Option<String>,
    /// RFC 7009.
    #[serde(default)]
    pub revocation: Option<String>,
    /// RFC 7662.
    #[serde(default)]
    pub introspection: Option<String>,
}

/// `tls: { ca: our-authority.pem }`; for the endpoints and for the pages. Files are in PEM and stand beside this one.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificates of authorities that are trusted beside those of the platform.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// The certificate that the client shows, with those between it and its authority behind it (RFC 8705 §2).
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// The key of `certificate`, where it does not stand in the same file.
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// The server's certificate is not looked at: for a server of tests alone. What is said of its transport is then
    /// that nobody looked.
    #[serde(default)]
    pub insecure: bool,
}

/// A registered client.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// `client_secret`; a client that has one is confidential.
    #[serde(default, deserialize_with = "kept::optional")]
    #[schemars(with = "Option<kept::SecretOrPlace>")]
    pub secret: Option<Secret>,
    /// How it authenticates; `basic` for a client with a secret, `none` without.
    #[serde(default)]
    pub auth: Option<AuthMethod>,
    /// How it authenticates where that differs by endpoint: `{ device_authorization: post }`.
    #[serde(default)]
    pub auth_at: BTreeMap<Endpoint, AuthMethod>,
    /// The scope that its device authorization requests ask for.
    #[serde(default)]
    pub scope: Option<String>,
}

impl Client {
    /// How it authenticates unless a step says otherwise.
    #[must_use]
    pub fn auth_method(&self) -> AuthMethod {
        self.auth.unwrap_or(if self.secret.is_some() { AuthMethod::Basic } else { AuthMethod::None })
    }

    /// How it authenticates at an endpoint, unless a step says otherwise.
    #[must_use]
    pub fn auth_method_at(&self, endpoint: Endpoint) -> AuthMethod {
        self.auth_at.get(&endpoint).copied().unwrap_or_else(|| self.auth_method())
    }
}

/// A user of the server.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// What is typed as the name.
    pub login: String,
    /// What is typed as the password.
    #[serde(deserialize_with = "kept::secret")]
    #[schemars(with = "kept::SecretOrPlace")]
    pub password: Secret,
}

/// A length of time of the target file: `2 s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Length(
    /// The length.
    #[serde(with = "crate::timing::length")]
    #[schemars(with = "String")]
    pub Duration,
);

impl Target {
    /// The client of a role; `pace` falls back to `tv`, which is what pace checks do on most servers.
    #[must_use]
    pub fn client(&self, role: Role) -> Option<&Client> {
        self.clients
            .get(&role)
            .or_else(|| (role == Role::Pace).then(|| self.clients.get(&Role::Tv)).flatten())
    }

    /// All constants: the defaults with what this target sets.
    #[must_use]
    pub fn constants(&self) -> Constants {
        Constant::ALL
            .iter()
            .map(|constant| {
                (*constant, self.constants.get(constant).map_or_else(|| constant.default_value(), |l| l.0))
            })
            .collect()
    }

    /// What this file declares, by its capabilities and by what it names.
    #[must_use]
    pub fn declared(&self) -> Vec<Capability> {
        let mut declared = self.capabilities.clone();
        declared.extend(self.clients.keys().filter_map(|role| role.gives()));
        if let Some(approval) = &self.approval {
            let all = [Capability::Approval, Capability::Denial, Capability::Page];
            declared.extend(all.into_iter().filter(|capability| approval.lacks(*capability).is_none()));
        }
        if self.users.contains_key(&UserRole::Bob) {
            declared.push(Capability::SecondUser);
        }
        for (there, capability) in [
            (self.endpoints.api.is_some(), Capability::Api),
            (self.endpoints.revocation.is_some(), Capability::Revocation),
            (self.endpoints.introspection.is_some(), Capability::Introspection),
            (self.resource.is_some(), Capability::Resource),
        ] {
            if there {
                declared.push(capability);
            }
        }
        declared.retain(|capability| !self.lacks.contains(capability));
        declared.sort_unstable();
        declared.dedup();
        declared
    }
}
