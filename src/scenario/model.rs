//! One scenario file as its author wrote it.
//!
//! ```yaml
//! scenario: steady_pollers
//! title: Devices that wait for their users, each at its own phase
//! why: This is what a server does all day.
//! embedded: { interval: 5 s, lifetime: 120 s }
//! duration: 60 s
//! groups:
//!   - name: households
//!     arrive: { hold: { devices: 10000, fill: 1 interval } }
//!     user:
//!       - approve: { weight: 9, after: { median: 20 s, p99: 60 s } }
//!       - nothing: { weight: 1 }
//! thresholds: [violations == 0, "p99(pending) < 200 ms"]
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::leaves::{After, Polls, SourceAddress};
use super::rate::Rate;
use super::threshold::Threshold;
use crate::protocol::Role;
use crate::protocol::words::words;
use crate::suite::OneOrMany;
use crate::timing::Timing;

/// A named load shape.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name; that of the file without the ending.
    pub scenario: String,
    /// One line for people.
    pub title: String,
    /// What goes wrong for somebody when a server does not bear it.
    pub why: String,
    /// Everything that devices draw is drawn from this and their numbers; 1 unless said.
    #[serde(default = "one")]
    pub seed: u64,
    /// How our own server is set up; any other target keeps what it announces.
    #[serde(default)]
    pub embedded: Option<Embedded>,
    /// How devices reach the server.
    #[serde(default)]
    pub connections: Connections,
    /// How users' decisions reach the server.
    #[serde(default)]
    pub approvals: Approvals,
    /// After the fill: left out of latencies and rates, never out of the oracle; nothing unless said.
    #[serde(default = "Timing::zero")]
    pub warm_up: Timing,
    /// What is measured, after the warm-up.
    pub duration: Timing,
    /// Nothing new starts, what waits may end; nothing unless said.
    #[serde(default = "Timing::zero")]
    pub drain: Timing,
    /// The devices, by what they do.
    #[serde(default)]
    pub groups: Vec<Group>,
    /// Who sends codes that were never issued.
    #[serde(default)]
    pub strangers: Option<Strangers>,
    /// What must hold of the run; a missed one makes the exit code 1.
    #[serde(default)]
    pub thresholds: Vec<Threshold>,
    /// What must hold of the generator; otherwise nothing but violations is judged. `lag_p99 < 10 ms` and
    /// `run_queue < 2 %` hold where nothing else is said about lag and run queue.
    #[serde(default)]
    pub valid_while: Option<OneOrMany<Threshold>>,
}

/// `embedded: { interval: 5 s, lifetime: 120 s }`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename = "", deny_unknown_fields)]
#[schemars(rename = "Embedded")]
pub struct Embedded {
    /// The interval that our server announces.
    #[serde(with = "crate::timing::length")]
    #[schemars(with = "String")]
    pub interval: Duration,
    /// The lifetime of its codes.
    #[serde(with = "crate::timing::length")]
    #[schemars(with = "String")]
    pub lifetime: Duration,
}

/// `connections: { mode: pooled, at_most: 256, http: h1, sources: [127.0.0.1] }`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename = "", deny_unknown_fields)]
#[schemars(rename = "Connections")]
pub struct Connections {
    /// Who has one.
    #[serde(default)]
    pub mode: ConnectionMode,
    /// How many a pool may have; as many as there are descriptors unless said.
    #[serde(default)]
    pub at_most: Option<u32>,
    /// The version of HTTP.
    #[serde(default)]
    pub http: HttpVersion,
    /// The addresses to connect from, taken in turn; the system's choice unless said.
    #[serde(default)]
    pub sources: Vec<SourceAddress>,
}

words! {
    /// Who has a connection.
    #[derive(Default)]
    ConnectionMode {
        /// All devices share some.
        #[default]
        Pooled = "pooled",
        /// Each device keeps one of its own.
        OnePerDevice = "one_per_device",
        /// Each request has a new one.
        OnePerPoll = "one_per_poll",
    }
}

words! {
    /// A version of HTTP.
    #[derive(Default)]
    HttpVersion {
        /// HTTP/1.1.
        #[default]
        H1 = "h1",
        /// HTTP/2.
        H2 = "h2",
    }
}

/// `approvals: { at_most: 500/s }`
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename = "", deny_unknown_fields)]
#[schemars(rename = "Approvals")]
pub struct Approvals {
    /// More decisions than this wait in line; as many as are due unless said.
    #[serde(default)]
    pub at_most: Option<Rate>,
}

/// Devices that do the same.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name; part of what its devices draw from.
    pub name: String,
    /// When its devices start.
    pub arrive: Arrive,
    /// Roles of the target, by weight; `tv` unless said.
    #[serde(default = "only_tv")]
    pub clients: BTreeMap<Role, u32>,
    /// How the polls of its devices stand to each other.
    #[serde(default)]
    pub phase: Phase,
    /// What users decide, by weight.
    pub user: Vec<UserChoice>,
    /// How its devices poll; as RFC 8628 says unless said.
    #[serde(default)]
    pub polls: Polls,
}

/// When the devices of a group start.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename = "way to arrive", rename_all = "snake_case")]
#[schemars(rename = "Arrive")]
pub enum Arrive {
    /// So many at any time: whoever ends is replaced.
    Hold(Hold),
    /// At equal distances.
    Constant(RateRule),
    /// At random, none knowing of the others.
    Poisson(RateRule),
    /// At a rate that grows or falls.
    Ramp(Ramp),
    /// So many, once.
    Burst(Burst),
}

/// `hold: { devices: 20000, fill: 1 interval }`
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename = "", deny_unknown_fields)]
#[schemars(rename = "Hold")]
pub struct Hold {
    /// How many devices there are at any time.
    pub devices: u64,
    /// How long the first of them take to arrive, evenly; one interval unless said.
    #[serde(default = "Timing::interval")]
    pub fill: Timing,
}

/// `constant: { rate: 5/s }`, `poisson: { rate: 5/s }`
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(rename = "", deny_unknown_fields)]
#[schemars(rename = "RateRule")]
pub struct RateRule {
    /// How many start.
    pub rate: Rate,
}

/// `ramp: { from: 0/s, to: 100/s, over: 1 min }`
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename = "", deny_unknown_fields)]
#[schemars(rename = "Ramp")]
pub struct Ramp {
    /// How many start at first.
    pub from: Rate,
    /// How many start at last, and from then on.
    pub to: Rate,
    /// How long the way from one to the other takes, from the start of the run.
    pub over: Timing,
}

/// `burst: { devices: 20000, at: 10 s, over: 1 s }`
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename = "", deny_unknown_fields)]
#[schemars(rename = "Burst")]
pub struct Burst {
    /// How many start, once.
    pub devices: u64,
    /// When the first starts, from the start of the run; at once unless said.
    #[serde(default = "Timing::zero")]
    pub at: Timing,
    /// How long they take to arrive, evenly.
    pub over: Timing,
}

words! {
    /// How the polls of a group stand to each other.
    #[derive(Default)]
    Phase {
        /// Spread over the whole interval.
        #[default]
        Random = "random",
        /// Each poll waits for the next common instant.
        Together = "together",
    }
}

/// What some users of a group do.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename = "choice of users", rename_all = "snake_case")]
#[schemars(rename = "UserChoice")]
pub enum UserChoice {
    /// They say yes.
    Approve(DecideRule),
    /// They say no.
    Deny(DecideRule),
    /// They never come.
    Nothing(NothingRule),
}

/// `approve: { weight: 9, after: 10 s }`, `approve: { weight: 1, at: 60 s, over: 1 s }`
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename = "", deny_unknown_fields)]
#[schemars(rename = "DecideRule")]
pub struct DecideRule {
    /// How many of them, beside the other weights of the group.
    pub weight: u32,
    /// How long after receipt of the codes, or an instant such as `expiry + tol_late`.
    #[serde(default)]
    pub after: Option<After>,
    /// Once, so long after the start of the run, instead; devices that come later have no decision.
    #[serde(default)]
    pub at: Option<Timing>,
    /// With `at`: spread over so long; all at once unless said.
    #[serde(default)]
    pub over: Option<Timing>,
}

/// `nothing: { weight: 1 }`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename = "", deny_unknown_fields)]
#[schemars(rename = "NothingRule")]
pub struct NothingRule {
    /// How many of them, beside the other weights of the group.
    pub weight: u32,
}

/// `strangers: { garbage_codes: 50/s, wrong_user_codes: 5/s }`
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename = "", deny_unknown_fields)]
#[schemars(rename = "Strangers")]
pub struct Strangers {
    /// Polls with device codes that were never issued.
    #[serde(default)]
    pub garbage_codes: Option<Rate>,
    /// User codes that were never issued, typed at the verification page.
    #[serde(default)]
    pub wrong_user_codes: Option<Rate>,
}

impl UserChoice {
    /// How many of the group's users do this, beside the other weights.
    #[must_use]
    pub const fn weight(&self) -> u32 {
        match self {
            Self::Approve(rule) | Self::Deny(rule) => rule.weight,
            Self::Nothing(rule) => rule.weight,
        }
    }

    /// The word that it is written by.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Approve(_) => "approve",
            Self::Deny(_) => "deny",
            Self::Nothing(_) => "nothing",
        }
    }

    /// When it is decided, if it ever is.
    #[must_use]
    pub const fn rule(&self) -> Option<&DecideRule> {
        match self {
            Self::Approve(rule) | Self::Deny(rule) => Some(rule),
            Self::Nothing(_) => None,
        }
    }
}

impl Arrive {
    /// How many devices there are at any time, or come at once; nothing of what comes at a rate.
    #[must_use]
    pub const fn devices(&self) -> Option<u64> {
        match self {
            Self::Hold(Hold { devices, .. }) | Self::Burst(Burst { devices, .. }) => Some(*devices),
            Self::Constant(_) | Self::Poisson(_) | Self::Ramp(_) => None,
        }
    }

    /// The word that it is written by.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Hold(_) => "hold",
            Self::Constant(_) => "constant",
            Self::Poisson(_) => "poisson",
            Self::Ramp(_) => "ramp",
            Self::Burst(_) => "burst",
        }
    }
}

const fn one() -> u64 {
    1
}

fn only_tv() -> BTreeMap<Role, u32> {
    BTreeMap::from([(Role::Tv, 1)])
}
