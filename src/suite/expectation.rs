//! The matchers: what an answer, or all answers together, must be. A list of them is ANDed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::graded::{Graded, OneOrMany, many};
use super::pages::PageRule;
use super::values::{AlphabetRule, Distinct, Entropy, Uniform, Unordered, Unrelated};
use crate::outcome::Outcome;
use crate::protocol::words::words;
use crate::protocol::{Capability, CodeFate};

/// One thing that must hold.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// What the answer means.
    Outcome(Graded<Outcome>),
    /// The `error` member; `other` in `warn` stands for any other registered word but the four of RFC 8628 §3.5.
    Error(Graded<String>),
    /// The status code.
    Status(Graded<u16>),
    /// Response headers, by name.
    Header(BTreeMap<String, HeaderRule>),
    /// The media type, without parameters.
    ContentType(Graded<String>),
    /// The body as bytes and as JSON.
    Body(Vec<BodyTrait>),
    /// Members of the JSON object.
    Member(BTreeMap<String, MemberRule>),
    /// Members that must not be there.
    Absent(Vec<String>),
    /// A list member that must contain a value: `{ grant_types_supported: "urn:..." }`.
    Contains(BTreeMap<String, String>),
    /// No member is an empty list.
    FilledLists(FilledLists),
    /// The opposite.
    Not(Box<Self>),
    /// One of several whole answers.
    AnyOf(Vec<Vec<Self>>),
    /// A mismatch in here is at most this grade.
    Lenient(Lenient),
    /// Judged only if a member is there.
    When(When),
    /// The same class as the named exchange: status, outcome, error word and set of members.
    SameAs(String),
    /// These texts are equal.
    Same(Vec<String>),
    /// These texts differ.
    Differ(Vec<String>),
    /// Two numbers or instants near each other.
    Near(Near),
    /// One number or instant after another.
    Later(Later),
    /// A JWT: its signature, its header and its claims (RFC 7519).
    Jwt(Jwt),
    /// The body lacks this text: `{tv.device_code}`; of `{any.device_code}` the headers and the address do, too.
    Lacks(String),
    /// A remark about what was sent.
    Request(RequestTrait),
    /// The lack of a capability is itself the finding.
    Target(TargetRule),
    /// The scope that was granted.
    Scope(ScopeRule),
    /// How many distinct token sets came.
    Tokens(Tokens),
    /// How many answers mean this.
    Count(CountRule),
    /// No answer means this.
    Never(Never),
    /// All values are different.
    Distinct(Distinct),
    /// The characters that the values are made of.
    Alphabet(AlphabetRule),
    /// What a reader of the page sees.
    Page(PageRule),
    /// What became of the user code that was typed in.
    Code(Graded<CodeFate>),
    /// How hard the values are to guess: an upper bound from their length and the characters seen.
    Entropy(Entropy),
    /// Each character comes as often as any other that stands at the same place.
    Uniform(Uniform),
    /// The values show no order of issue.
    Unordered(Unordered),
    /// One value does not stand in the other.
    Unrelated(Unrelated),
}

/// `header: { cache-control: { has: no-store } }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeaderRule {
    /// A comma-separated part that must be there, without regard to case.
    #[serde(default)]
    pub has: Option<String>,
    /// A part that must not be there.
    #[serde(default)]
    pub lacks: Option<String>,
    /// A challenge of this scheme must be there (`WWW-Authenticate`).
    #[serde(default)]
    pub scheme: Option<String>,
    /// Whether the header is there at all.
    #[serde(default)]
    pub present: Option<bool>,
    /// What every challenge of one scheme must be (`WWW-Authenticate`).
    #[serde(default)]
    pub challenge: Option<Challenge>,
    /// A directive that must be there and limit something (`Content-Security-Policy`).
    #[serde(default)]
    pub directive: Option<String>,
    /// Its address, if there is one, stays at the origin that was asked.
    #[serde(default)]
    pub same_origin: bool,
}

/// `challenge: { scheme: Bearer, params_at_least: 1, once: [realm, error] }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    /// The scheme, in any letter case; there is at least one such challenge.
    pub scheme: String,
    /// The least number of parameters.
    #[serde(default)]
    pub params_at_least: Option<usize>,
    /// Parameters that stand once at most.
    #[serde(default)]
    pub once: Vec<String>,
    /// The characters that the values of parameters may have, where these are there.
    #[serde(default)]
    pub charset: BTreeMap<String, Charset>,
}

words! {
    /// What a body is.
    BodyTrait {
        /// One JSON object.
        JsonObject = "json-object",
        /// No member of the object comes twice.
        UniqueMembers = "unique-members",
        /// UTF-8 without a byte order mark.
        Utf8 = "utf-8",
    }
}

/// `member: { expires_in: { type: integer, at_least: 1 } }`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberRule {
    /// The JSON type; `integer` is a number without a fraction.
    #[serde(default, rename = "type", deserialize_with = "many")]
    #[schemars(with = "OneOrMany<JsonType>")]
    pub json_type: Vec<JsonType>,
    /// The member may be missing; all else holds only if it is there.
    #[serde(default)]
    pub optional: bool,
    /// Exactly one of these values, as text.
    #[serde(default, deserialize_with = "many")]
    #[schemars(with = "OneOrMany<String>")]
    pub is: Vec<String>,
    /// The same without regard to case.
    #[serde(default, deserialize_with = "many")]
    #[schemars(with = "OneOrMany<String>")]
    pub is_any_case: Vec<String>,
    /// Not this text.
    #[serde(default)]
    pub is_not: Option<String>,
    /// This text, or a list that has it: for `aud` (RFC 7519 §4.1.3).
    #[serde(default)]
    pub includes: Option<String>,
    /// The least number of items of a list.
    #[serde(default)]
    pub items_at_least: Option<usize>,
    /// The least number, or a time of the language (`shortest_lifetime`).
    #[serde(default)]
    pub at_least: Option<Number>,
    /// The greatest number.
    #[serde(default)]
    pub at_most: Option<Number>,
    /// Greater than this.
    #[serde(default)]
    pub above: Option<f64>,
    /// The least number of characters.
    #[serde(default)]
    pub length_at_least: Option<usize>,
    /// The greatest number of characters.
    #[serde(default)]
    pub length_at_most: Option<usize>,
    /// The least number of letters and digits.
    #[serde(default)]
    pub alphanumerics_at_least: Option<usize>,
    /// The characters it may have.
    #[serde(default)]
    pub charset: Option<Charset>,
    /// What kind of URI it is.
    #[serde(default)]
    pub uri: Option<UriKind>,
    /// Over https; loopback is exempt.
    #[serde(default)]
    pub https: bool,
    /// Without this text, compared by letters and digits only.
    #[serde(default)]
    pub lacks: Option<String>,
    /// With this text, compared by letters and digits only.
    #[serde(default)]
    pub has: Option<String>,
    /// Without any of these parts of a URI.
    #[serde(default)]
    pub without: Vec<UriPart>,
    /// The same host as this URI.
    #[serde(default)]
    pub same_host: Option<String>,
}

words! {
    /// A part of a URI.
    UriPart {
        /// `?...`
        Query = "query",
        /// `#...`
        Fragment = "fragment",
        /// `user@`
        Userinfo = "userinfo",
        /// `%41`
        PercentEscape = "percent-escape",
    }
}

words! {
    /// A type of a JSON value.
    JsonType {
        /// A string.
        String = "string",
        /// Any number.
        Number = "number",
        /// A number without a fraction.
        Integer = "integer",
        /// `true` or `false`.
        Boolean = "boolean",
        /// A list.
        Array = "array",
        /// A map.
        Object = "object",
        /// `null`.
        Null = "null",
    }
}

words! {
    /// A set of characters.
    Charset {
        /// `%x20-7E` (RFC 6749 appendix A).
        Visible = "visible",
        /// `%x20-21 / %x23-5B / %x5D-7E`, for `error` and `error_description` (RFC 6749 §5.2).
        ErrorText = "error-text",
        /// `%x21 / %x23-5B / %x5D-7E`, for `error_uri` (RFC 6749 §5.2).
        ErrorUri = "error-uri",
        /// Scope tokens joined by single spaces (RFC 6749 §3.3).
        Scope = "scope",
        /// Upper-case letters A-Z, digits and grouping marks.
        Typeable = "typeable",
    }
}

words! {
    /// What kind of URI.
    UriKind {
        /// With scheme and authority.
        Absolute = "absolute",
        /// Absolute or relative.
        Reference = "reference",
    }
}

/// A number, or a time of the language such as `shortest_lifetime` in seconds.
#[derive(Debug, Clone, PartialEq)]
pub enum Number {
    /// As it is.
    Plain(f64),
    /// In seconds, once evaluated.
    Time(crate::timing::Timing),
}

/// `lenient: { grade: warn, because: "no throttle is stated", expect: [...] }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lenient {
    /// The worst that a mismatch in here can be.
    pub grade: MildGrade,
    /// Why.
    pub because: String,
    /// What should hold.
    pub expect: Vec<Expectation>,
}

words! {
    /// A grade milder than a mismatch.
    MildGrade {
        /// Passes with a remark.
        Acceptable = "acceptable",
        /// Warns.
        Warn = "warn",
    }
}

/// `when: { member: error_uri, expect: [...] }`, `when: { of: grant, member: expires_in, expect: [...] }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The named answer that is asked; the answer at hand unless said.
    #[serde(default)]
    pub of: Option<String>,
    /// The member that must be there.
    pub member: String,
    /// What then must hold.
    pub expect: Vec<Expectation>,
}

/// `near: { a: "{t.exp}", b: token_expiry, within: 5 s }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Near {
    /// One number.
    pub a: String,
    /// The other.
    pub b: String,
    /// How far apart they may be.
    pub within: crate::timing::Timing,
}

/// `later: { a: "{grant.id_token.exp}", than: now }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Later {
    /// One number.
    pub a: String,
    /// The other, which comes before it.
    pub than: String,
}

/// `jwt: { of: id_token, claim: { aud: { includes: "{tv.client_id}" } } }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Jwt {
    /// Where it is: a member of the answer, or a text such as `"{grant.id_token}"`.
    pub of: String,
    /// By which keys its signature must be good.
    #[serde(default)]
    pub signature: Option<SigningKeys>,
    /// Parameters of its header (RFC 7515 §4.1).
    #[serde(default)]
    pub header: BTreeMap<String, MemberRule>,
    /// Parameters that its header must not have.
    #[serde(default)]
    pub header_absent: Vec<String>,
    /// Its claims.
    #[serde(default)]
    pub claim: BTreeMap<String, MemberRule>,
    /// Claims that, where they are there, are the left half of the digest of a text: `{ at_hash: "{grant.access_token}" }`
    /// (OpenID Connect Core §3.1.3.6).
    #[serde(default)]
    pub hash: BTreeMap<String, String>,
}

words! {
    /// Keys that a signature is verified by.
    SigningKeys {
        /// The answer at hand is a JWK set, and one of its keys made the signature (RFC 7517 §5).
        Jwks = "jwks",
    }
}

words! {
    /// Something we did when asking.
    RequestTrait {
        /// We sent a wrong secret, or none, for a confidential client.
        FailedAuthentication = "failed_authentication",
        /// We sent an Authorization header.
        AuthorizationHeader = "authorization_header",
        /// The client is public.
        PublicClient = "public_client",
        /// We posted the form of a page.
        Form = "form",
    }
}

/// `filled_lists: { except: [response_types_supported] }`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilledLists {
    /// Members that are not looked at.
    #[serde(default)]
    pub except: Vec<String>,
}

/// `target: { has: denial }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetRule {
    /// What it must have.
    pub has: Capability,
}

/// `scope: { subset_of: tv }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeRule {
    /// Nothing beyond what this session asked for.
    #[serde(default)]
    pub subset_of: Option<String>,
    /// None of these.
    #[serde(default)]
    pub lacks: Option<String>,
    /// The same words, in any order, as this named answer granted.
    #[serde(default)]
    pub same_as: Option<String>,
}

/// `tokens: { of: tv, is: 1 }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// Whose.
    pub of: String,
    /// How many distinct token sets.
    pub is: u32,
    /// What counts.
    #[serde(default)]
    pub because: Option<String>,
}

/// `count: { outcome: pending, at_least: 20 }`: a control over all answers of the case, or of the step it stands in.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CountRule {
    /// Which answers.
    #[serde(deserialize_with = "many")]
    #[schemars(with = "OneOrMany<Outcome>")]
    pub outcome: Vec<Outcome>,
    /// The least number; fewer make the check not exercised.
    #[serde(default)]
    pub at_least: Option<u32>,
    /// The greatest number; more are the mismatch.
    #[serde(default)]
    pub at_most: Option<u32>,
}

/// `never: { outcome: slow_down, samples: 20 }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Never {
    /// Which answers.
    #[serde(deserialize_with = "many")]
    #[schemars(with = "OneOrMany<Outcome>")]
    pub outcome: Vec<Outcome>,
    /// How many answers must have been looked at for this to say anything.
    pub samples: u32,
}
