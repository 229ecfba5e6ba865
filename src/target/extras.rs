//! What a server wants with every request beyond the protocol: parameters by endpoint, and headers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;

use http::{HeaderName, HeaderValue};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::kept::{self, SecretOrPlace};
use crate::secret::Secret;

/// Headers that a request has by itself: another value would be another request.
const OWN_HEADERS: [&str; 8] = [
    "accept",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "transfer-encoding",
];

/// Parameters that the protocol or the client's entry sets.
const OWN_PARAMS: [&str; 8] = [
    "client_id",
    "client_secret",
    "device_code",
    "grant_type",
    "refresh_token",
    "scope",
    "token",
    "token_type_hint",
];

/// Parameters of one endpoint, by name, in the order of their names: `{ audience: https://api.example }`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtraParams(BTreeMap<String, String>);

/// Headers of every request to an endpoint, by name in lower case; their values are not shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtraHeaders(BTreeMap<String, Secret>);

impl ExtraParams {
    /// Each with its value.
    pub fn pairs(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.0.iter().map(|(name, value)| (name.clone(), value.clone()))
    }
}

impl ExtraHeaders {
    /// What must not be shown.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.0.values()
    }

    /// Each with its value, for sending it; never for showing it.
    pub fn exposed(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.0.iter().map(|(name, value)| (name.clone(), value.expose().to_owned()))
    }
}

impl<'de> Deserialize<'de> for ExtraParams {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let params = BTreeMap::<String, String>::deserialize(deserializer)?;
        let Some(own) = params.keys().find(|name| OWN_PARAMS.contains(&name.as_str())) else {
            return Ok(Self(params));
        };
        let why =
            if own == "scope" { "each client has its own `scope`" } else { "every request has its own" };
        Err(serde::de::Error::custom(format!("{own} cannot be set here: {why}")))
    }
}

impl<'de> Deserialize<'de> for ExtraHeaders {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut headers = BTreeMap::new();
        for (name, value) in kept::named(deserializer)? {
            let wrong = |what| serde::de::Error::custom(format!("\"{name}\" {what}"));
            let header = HeaderName::from_str(&name).map_err(|_| wrong("is no name of a header"))?;
            if OWN_HEADERS.contains(&header.as_str()) {
                return Err(wrong("cannot be set here: every request has its own"));
            }
            if HeaderValue::from_str(value.expose()).is_err() {
                return Err(wrong("has a value that no header can have"));
            }
            headers.insert(header.as_str().to_owned(), value);
        }
        Ok(Self(headers))
    }
}

impl JsonSchema for ExtraParams {
    fn schema_name() -> Cow<'static, str> {
        "ExtraParams".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": { "type": "string" } })
    }
}

impl JsonSchema for ExtraHeaders {
    fn schema_name() -> Cow<'static, str> {
        "ExtraHeaders".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<SecretOrPlace>();
        json_schema!({ "type": "object", "additionalProperties": value })
    }
}
