//! The verbs: what a case does, in order. A step without `expect` is set-up.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::expectation::Expectation;
use super::graded::{Graded, many};
use super::pages::{EnterCode, OpenPage, Tamper};
use super::request::{Alteration, Auth, Edits, Encode, Scheme, with_edits};
use crate::outcome::Outcome;
use crate::protocol::words::words;
use crate::protocol::{Endpoint, Role, UserRole};
use crate::timing::{Anchor, Timing};

/// One thing a case does.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Fetches the metadata.
    Discover(Discover),
    /// Asks for codes.
    Authorize(Authorize),
    /// One device access token request.
    Poll(Poll),
    /// Many polls, one after the other.
    Polls(Polls),
    /// Polls until an outcome comes.
    PollUntil(PollUntil),
    /// Lets time pass.
    Wait(Wait),
    /// The user approves.
    Approve(Decide),
    /// The user denies.
    Deny(Decide),
    /// Somebody opens a verification page and decides nothing.
    OpenPage(OpenPage),
    /// Somebody types a user code and decides nothing.
    EnterCode(EnterCode),
    /// Many polls at the same moment.
    Race(Race),
    /// Several steps at the same time.
    Together(Vec<Together>),
    /// Calls the protected API.
    CallApi(CallApi),
    /// Uses a refresh token.
    Refresh(Refresh),
    /// Revokes a token (RFC 7009).
    Revoke(UseToken),
    /// Asks about a token (RFC 7662).
    Introspect(UseToken),
    /// Any request at all: for traffic that no well-behaved client sends.
    Request(Request),
    /// A TLS handshake with an endpoint.
    Tls(Tls),
    /// Goes on only if a session's last answer means this.
    OnlyIf(OnlyIf),
}

/// `discover: { as: meta, expect: [...] }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Discover {
    /// A name for the document.
    #[serde(default, rename = "as")]
    pub name: Option<String>,
    /// Which document; the first that is there unless said.
    #[serde(default)]
    pub document: Option<MetadataDocument>,
    /// What it must be.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

words! {
    /// A metadata document.
    MetadataDocument {
        /// `/.well-known/oauth-authorization-server` (RFC 8414 §3).
        Oauth = "oauth",
        /// `/.well-known/openid-configuration`.
        Openid = "openid",
        /// The keys at `jwks_uri` (RFC 7517 §5).
        Jwks = "jwks",
    }
}

with_edits! {
    /// `authorize: { as: tv }`
    pub struct Authorize {
        /// The name of the session.
        #[serde(rename = "as")]
        pub session: String,
        /// So many sessions under that name.
        #[serde(default)]
        pub sessions: Option<u32>,
        /// A name for the exchange, for `at:` and `same_as:`; the session's name otherwise.
        #[serde(default)]
        pub name: Option<String>,
        /// The control beside a negative: this outcome, or the check is not exercised.
        #[serde(default)]
        pub control: Option<Outcome>,
        /// What the answer must be.
        #[serde(default)]
        pub expect: Vec<Expectation>,
    }
}

with_edits! {
    /// `poll: { session: tv, expect: [{ outcome: pending }] }`
    pub struct Poll {
        /// Whose code is polled.
        pub session: String,
        /// How long after the last answer; one present interval unless said.
        #[serde(default)]
        pub after: Option<Timing>,
        /// When, instead: `at: expiry - 3 s`.
        #[serde(default)]
        pub at: Option<Timing>,
        /// Inside `together`: how much later than the others, `-50..50 ms` drawn at random.
        #[serde(default)]
        pub offset: Option<Offset>,
        /// A name for the exchange.
        #[serde(default)]
        pub name: Option<String>,
        /// The control beside a negative.
        #[serde(default)]
        pub control: Option<Outcome>,
        /// What the answer must be.
        #[serde(default)]
        pub expect: Vec<Expectation>,
    }
}

/// `polls: { session: paced, count: fit, after: interval + g_round }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Polls {
    /// Whose codes are polled; each session of the name by itself.
    pub session: String,
    /// How often: a number, or `fit`, as often as the lifetime allows.
    pub count: Count,
    /// How long after the last answer; one present interval unless said.
    #[serde(default)]
    pub after: Option<Timing>,
    /// How much later each next session of the name starts.
    #[serde(default)]
    pub stagger: Option<Timing>,
    /// What every answer must be.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

/// How often `polls` polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// As often as the lifetime allows.
    Fit,
    /// This often.
    Times(u32),
}

/// `poll_until: { session: tv, outcome: granted, by: { is: poll 1, acceptable: propagation, because: ... } }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PollUntil {
    /// Whose code is polled.
    pub session: String,
    /// What is waited for.
    #[serde(deserialize_with = "many")]
    #[schemars(with = "super::graded::OneOrMany<Outcome>")]
    pub outcome: Vec<Outcome>,
    /// By when: `poll 1`, or a time since the step before; a mismatch after the last bound.
    #[serde(default)]
    pub by: Option<Graded<Bound>>,
    /// How long after the last answer; one present interval unless said.
    #[serde(default)]
    pub after: Option<Timing>,
    /// The client that polls; the session's own unless said.
    #[serde(default)]
    pub client: Option<Role>,
    /// A name for the exchange that brought the outcome.
    #[serde(default)]
    pub name: Option<String>,
    /// What the answer that brought the outcome must be.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

/// By when something has come: a number of polls or a time.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// By the nth poll.
    Poll(u32),
    /// Within this time.
    Within(Timing),
}

/// `wait: { until: expiry, plus: tol_late, session: tv }` or `wait: { for: 2 intervals, session: tv }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// For so long.
    #[serde(default, rename = "for")]
    pub length: Option<Timing>,
    /// Until this instant.
    #[serde(default)]
    pub until: Option<Anchor>,
    /// And so much longer.
    #[serde(default)]
    pub plus: Option<Timing>,
    /// Whose interval and expiry.
    pub session: String,
}

/// `approve: { session: tv }`, `deny: { session: tv, user: bob }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// Whose code.
    pub session: String,
    /// Who decides; alice unless said.
    #[serde(default)]
    pub user: Option<UserRole>,
    /// Where the user starts; the bare verification URI unless said.
    #[serde(default)]
    pub uri: Option<StartUri>,
    /// When: `at: expiry - 3 s`.
    #[serde(default)]
    pub at: Option<Timing>,
    /// Inside `together`: how much later than the others.
    #[serde(default)]
    pub offset: Option<Offset>,
    /// It may be refused: the step is no set-up, only the polls after it judge.
    #[serde(default)]
    pub attempt: bool,
    /// At this page, opened before and left at the decision.
    #[serde(default)]
    pub page: Option<String>,
    /// It is no decision of the user: how it is forged. Only the polls after it judge.
    #[serde(default)]
    pub tamper: Option<Tamper>,
    /// A name for the page that follows.
    #[serde(default)]
    pub name: Option<String>,
    /// What the page that follows must be.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

words! {
    /// Where the user starts.
    StartUri {
        /// `verification_uri`, the code typed in.
        Bare = "bare",
        /// `verification_uri_complete`.
        Complete = "complete",
    }
}

/// `race: { session: tv, polls: 8 }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Race {
    /// Whose code.
    pub session: String,
    /// How many at the same moment.
    pub polls: u32,
    /// How long after the last answer; one present interval unless said.
    #[serde(default)]
    pub after: Option<Timing>,
    /// What every answer must be.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

/// A step inside `together`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Together {
    /// The user approves.
    Approve(Decide),
    /// The user denies.
    Deny(Decide),
    /// One poll.
    Poll(Poll),
}

with_edits! {
    /// `call_api: { session: tv, expect: [{ status: 200 }] }`
    pub struct CallApi {
        /// Whose access token.
        pub session: String,
        /// Which token set of the session, by its name; the newest unless said.
        #[serde(default, rename = "use")]
        pub token_set: Option<String>,
        /// When: `at: token_expiry + token_late`.
        #[serde(default)]
        pub at: Option<Timing>,
        /// A name for the exchange.
        #[serde(default)]
        pub name: Option<String>,
        /// The control beside a negative: this status class, such as 200.
        #[serde(default)]
        pub control: Option<u16>,
        /// What the answer must be.
        #[serde(default)]
        pub expect: Vec<Expectation>,
    }
}

with_edits! {
    /// `refresh: { session: tv, use: first, as: second }`, `refresh: { session: tv, times: 50 }`
    pub struct Refresh {
        /// Whose refresh token.
        pub session: String,
        /// Which token set of the session, by its name; the newest unless said.
        #[serde(default, rename = "use")]
        pub token_set: Option<String>,
        /// So many times, each with what the one before brought; once unless said.
        #[serde(default)]
        pub times: Option<u32>,
        /// A name for the token set that comes back.
        #[serde(default, rename = "as")]
        pub name: Option<String>,
        /// The control beside a negative.
        #[serde(default)]
        pub control: Option<Outcome>,
        /// What the answer must be.
        #[serde(default)]
        pub expect: Vec<Expectation>,
    }
}

with_edits! {
    /// `revoke: { session: tv, token: refresh_token }`, `introspect: { session: tv, client: tv-confidential }`
    pub struct UseToken {
        /// Whose token.
        pub session: String,
        /// Which token; the access token unless said.
        #[serde(default)]
        pub token: Option<TokenKind>,
        /// Which token set of the session, by its name; the newest unless said.
        #[serde(default, rename = "use")]
        pub token_set: Option<String>,
        /// A name for the exchange.
        #[serde(default)]
        pub name: Option<String>,
        /// What the answer must be.
        #[serde(default)]
        pub expect: Vec<Expectation>,
    }
}

words! {
    /// A kind of token.
    TokenKind {
        /// The access token.
        AccessToken = "access_token",
        /// The refresh token.
        RefreshToken = "refresh_token",
    }
}

/// The raw escape hatch. `{tv.device_code}` refers to a session's values, `{client.tv.id}` to a client's.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Which endpoint.
    pub to: Endpoint,
    /// The method; POST unless said.
    #[serde(default)]
    pub method: Option<String>,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Parameters of the query.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// The body, as it goes out.
    #[serde(default)]
    pub body: Option<String>,
    /// When a session's code is in it: how long after its last answer; one present interval unless said.
    #[serde(default)]
    pub after: Option<Timing>,
    /// The session whose pace it keeps.
    #[serde(default)]
    pub session: Option<String>,
    /// A name for the answer, to use its members later: `{probe.error}`.
    #[serde(default, rename = "as")]
    pub name: Option<String>,
    /// What the answer must be.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

/// `tls: { endpoint: token }`: always judges.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Which endpoint; a handshake that verifies the certificate and offers TLS 1.2 and 1.3 must come out.
    pub endpoint: Endpoint,
}

/// `only_if: { of: tv, outcome: codes, then: [...] }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnlyIf {
    /// The session or named exchange whose answer decides.
    pub of: String,
    /// What it must have meant.
    #[serde(deserialize_with = "many")]
    #[schemars(with = "super::graded::OneOrMany<Outcome>")]
    pub outcome: Vec<Outcome>,
    /// What then is done, one level deep.
    pub then: Vec<Step>,
}

/// `-50..50 ms`: drawn evenly between the two, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offset {
    /// The least, in milliseconds.
    pub from_ms: i64,
    /// The most, in milliseconds.
    pub to_ms: i64,
}
