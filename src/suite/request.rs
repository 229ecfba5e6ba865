//! What may be done to a request: the edits that every protocol verb and every variant share.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::protocol::words::words;
use crate::protocol::{AuthMethod, Role};

words! {
    /// How a value is spoilt.
    Alteration {
        /// Its last character is another one.
        LastChar = "last-char",
        /// Its last character is missing.
        Truncated = "truncated",
        /// In upper case.
        Upper = "upper",
        /// With a space behind it.
        TrailingSpace = "trailing-space",
    }
}

words! {
    /// How spaces are written in a form.
    SpaceEncoding {
        /// As `+`.
        Plus = "plus",
        /// As `%20`.
        Percent = "percent",
    }
}

words! {
    /// How credentials are sent.
    AuthStyle {
        /// No credentials; `client_id` in the body.
        None = "none",
        /// HTTP Basic.
        Basic = "basic",
        /// HTTP Basic with id and secret as they are, not form-urlencoded first.
        BasicRaw = "basic-raw",
        /// In the body.
        Post = "post",
        /// HTTP Basic and in the body.
        Both = "both",
        /// In the query of the URL.
        Query = "query",
    }
}

words! {
    /// Which secret is sent.
    SecretChoice {
        /// The registered one.
        Right = "right",
        /// One that differs in every character.
        Wrong = "wrong",
        /// The registered one by Basic, a wrong one in the body.
        WrongInBody = "wrong-in-body",
    }
}

words! {
    /// Which scheme the request goes over.
    Scheme {
        /// Plain http, at the twin of an https endpoint.
        Http = "http",
    }
}

/// `auth: post` or `auth: { method: basic, secret: wrong }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(from = "AuthShape")]
pub struct Auth {
    /// How it is sent.
    pub method: AuthStyle,
    /// Which secret.
    pub secret: SecretChoice,
}

#[derive(Deserialize)]
#[serde(rename = "(by shape)", rename_all = "snake_case")]
enum AuthShape {
    Word(AuthStyle),
    Map(AuthMap),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "auth")]
struct AuthMap {
    method: AuthStyle,
    #[serde(default)]
    secret: Option<SecretChoice>,
}

impl From<AuthShape> for Auth {
    fn from(shape: AuthShape) -> Self {
        match shape {
            AuthShape::Word(method) => Self { method, secret: SecretChoice::Right },
            AuthShape::Map(AuthMap { method, secret }) => {
                Self { method, secret: secret.unwrap_or(SecretChoice::Right) }
            }
        }
    }
}

impl JsonSchema for Auth {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Auth".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let word = generator.subschema_for::<AuthStyle>();
        let map = AuthMap::json_schema(generator);
        schemars::json_schema!({ "anyOf": [word, map] })
    }
}

impl From<AuthMethod> for Auth {
    fn from(method: AuthMethod) -> Self {
        let method = match method {
            AuthMethod::None => AuthStyle::None,
            AuthMethod::Basic => AuthStyle::Basic,
            AuthMethod::Post => AuthStyle::Post,
        };
        Self { method, secret: SecretChoice::Right }
    }
}

/// Declares a map of the suite language that carries the request edits beside its own keys.
macro_rules! with_edits {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$fmeta:meta])* pub $field:ident: $ty:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$fmeta])* pub $field: $ty,)*
            /// The client that asks; the session's own, or `tv`.
            #[serde(default)]
            pub client: Option<Role>,
            /// Parameters left out.
            #[serde(default)]
            pub without: Vec<String>,
            /// Parameters sent with an empty value.
            #[serde(default)]
            pub empty: Vec<String>,
            /// Parameters set or added.
            #[serde(default)]
            pub with: BTreeMap<String, String>,
            /// Parameters sent twice, with these two values.
            #[serde(default)]
            pub twice: BTreeMap<String, Vec<String>>,
            /// Parameters whose value is spoilt.
            #[serde(default)]
            pub alter: BTreeMap<String, Alteration>,
            /// Parameters blown up to this size by repeating a character: `{ device_code: 1 MiB }`.
            #[serde(default)]
            pub repeat: BTreeMap<String, String>,
            /// So many unknown parameters are added.
            #[serde(default)]
            pub params: Option<u32>,
            /// How the form is written: `{ space: plus }`.
            #[serde(default)]
            pub encode: Option<Encode>,
            /// How the client authenticates.
            #[serde(default)]
            pub auth: Option<Auth>,
            /// Headers set or added.
            #[serde(default)]
            pub header: BTreeMap<String, String>,
            /// `http`: over plain http, at the twin of the https endpoint.
            #[serde(default)]
            pub scheme: Option<Scheme>,
        }

        impl $name {
            /// What this says about the request itself.
            #[must_use]
            pub fn edits(&self) -> Edits {
                Edits {
                    client: self.client,
                    without: self.without.clone(),
                    empty: self.empty.clone(),
                    with: self.with.clone(),
                    twice: self.twice.clone(),
                    alter: self.alter.clone(),
                    repeat: self.repeat.clone(),
                    params: self.params,
                    encode: self.encode,
                    auth: self.auth,
                    header: self.header.clone(),
                    scheme: self.scheme,
                }
            }
        }
    };
}
pub(super) use with_edits;

/// How a form is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Encode {
    /// How a space is written.
    pub space: SpaceEncoding,
}

/// Everything that is done to one request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edits {
    /// The client that asks.
    pub client: Option<Role>,
    /// Parameters left out.
    pub without: Vec<String>,
    /// Parameters sent with an empty value.
    pub empty: Vec<String>,
    /// Parameters set or added.
    pub with: BTreeMap<String, String>,
    /// Parameters sent twice.
    pub twice: BTreeMap<String, Vec<String>>,
    /// Parameters whose value is spoilt.
    pub alter: BTreeMap<String, Alteration>,
    /// Parameters blown up to a size.
    pub repeat: BTreeMap<String, String>,
    /// So many unknown parameters are added.
    pub params: Option<u32>,
    /// How the form is written.
    pub encode: Option<Encode>,
    /// How the client authenticates.
    pub auth: Option<Auth>,
    /// Headers set or added.
    pub header: BTreeMap<String, String>,
    /// Over plain http.
    pub scheme: Option<Scheme>,
}

impl Edits {
    /// These edits with those of a variant on top.
    #[must_use]
    pub fn overlaid(mut self, variant: &Self) -> Self {
        self.client = variant.client.or(self.client);
        self.without.extend(variant.without.iter().cloned());
        self.empty.extend(variant.empty.iter().cloned());
        self.with.extend(variant.with.clone());
        self.twice.extend(variant.twice.clone());
        self.alter.extend(variant.alter.clone());
        self.repeat.extend(variant.repeat.clone());
        self.params = variant.params.or(self.params);
        self.encode = variant.encode.or(self.encode);
        self.auth = variant.auth.or(self.auth);
        self.header.extend(variant.header.clone());
        self.scheme = variant.scheme.or(self.scheme);
        self
    }
}

/// A size such as `1 MiB`, `64 KiB` or `200 B`, in bytes.
#[must_use]
pub fn size(text: &str) -> Option<usize> {
    let (number, unit) = text.trim().split_once(' ')?;
    let factor = match unit.trim() {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(factor)
}
