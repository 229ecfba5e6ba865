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
//!   form: { sign_in: { fields: { login: "{login}", password: "{password}" } } }
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::{AuthMethod, Capability, Role, UserRole};
use crate::secret::Secret;
use crate::timing::{Constant, Constants};

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

/// A registered client.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// `client_secret`; a client that has one is confidential.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub secret: Option<Secret>,
    /// How it authenticates; `basic` for a client with a secret, `none` without.
    #[serde(default)]
    pub auth: Option<AuthMethod>,
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
}

/// A user of the server.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// What is typed as the name.
    pub login: String,
    /// What is typed as the password.
    #[schemars(with = "String")]
    pub password: Secret,
}

/// The approval driver and its settings; one key.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub enum Approval {
    /// Signs in, enters the code and decides by HTML forms over plain HTTP.
    #[serde(rename = "form")]
    Form(FormRecipe),
    /// Shows code and URI and waits for a person.
    #[serde(rename = "manual")]
    Manual(Manual),
}

/// Settings of the `manual` driver.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manual {
    /// How long to wait for the person before the step counts as not come out; the code's lifetime otherwise.
    #[serde(default)]
    pub give_up_after: Option<Length>,
}

/// How the `form` driver walks through the pages. At every page it looks for the first step whose `when` fits a form
/// of that page, fills it in and submits it, keeping hidden fields and cookies, until a page fits none.
///
/// ```yaml
/// form:
///   steps:
///     - { when: { field: user_code }, fill: { user_code: "{user_code}" } }
///     - { when: { field: password }, fill: { login: "{login}", password: "{password}" } }
///     - { when: { button: approve }, approve: { press: { name: decision, value: approve } }, deny: { ... } }
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormRecipe {
    /// What to do at each kind of page; the first that fits is taken.
    pub steps: Vec<FormStep>,
    /// A text whose presence in the last page shows that the decision was taken; without it any page below 500 after
    /// the decision was submitted will do.
    #[serde(default)]
    pub done: Option<String>,
    /// Headers sent with every page request (some servers need an `Origin` or an `Accept`).
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Send cookies marked `Secure` over http on loopback too, as browsers do for localhost.
    #[serde(default)]
    pub secure_cookies_on_loopback: bool,
}

/// One kind of page.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormStep {
    /// Which form this step is for.
    pub when: FormMatch,
    /// Values to fill in; `{user_code}`, `{login}` and `{password}` stand for the session's and the user's.
    #[serde(default)]
    pub fill: BTreeMap<String, String>,
    /// The button to press in any case (its name and value are sent).
    #[serde(default)]
    pub press: BTreeMap<String, String>,
    /// What is sent besides when the user approves; a step with `approve` or `deny` is the decision.
    #[serde(default)]
    pub approve: Option<BTreeMap<String, String>>,
    /// What is sent besides when the user denies.
    #[serde(default)]
    pub deny: Option<BTreeMap<String, String>>,
}

/// What a form must have; all that is named must fit.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormMatch {
    /// The name of an input that it has.
    #[serde(default)]
    pub field: Option<String>,
    /// An input that it has with exactly this value: `{ prompt: login }`.
    #[serde(default)]
    pub value: BTreeMap<String, String>,
    /// The page's text or title has this text.
    #[serde(default)]
    pub text: Option<String>,
    /// The form's action contains this.
    #[serde(default)]
    pub action: Option<String>,
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
        if self.approval.is_some() {
            declared.extend([Capability::Approval, Capability::Denial]);
        }
        if self.users.contains_key(&UserRole::Bob) {
            declared.push(Capability::SecondUser);
        }
        for (there, capability) in [
            (self.endpoints.api.is_some(), Capability::Api),
            (self.endpoints.revocation.is_some(), Capability::Revocation),
            (self.endpoints.introspection.is_some(), Capability::Introspection),
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
