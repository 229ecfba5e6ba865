//! The requests of the `http` approval driver, as the target file writes them. Sends nothing.

use std::collections::BTreeMap;

use http::{HeaderMap, Method};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::approval::Sessions;
use super::recipe::{Blank, Blanks, RequestTemplate, headers};
use crate::protocol::Decision;

/// How the `http` driver decides: by requests, one after the other, with the cookies of all answers kept. The last of
/// `approve` or `deny` is the decision.
///
/// ```yaml
/// http:
///   sign_in:
///     - { post: /api/sign-in, json: { email: "{login}", password: "{password}" } }
///   approve:
///     - { get: "/api/device?user_code={user_code}", keep: { csrf: { json: /csrf } } }
///     - { post: /api/device/approve, json: { userCode: "{user_code}", csrf: "{csrf}" } }
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpRecipe {
    /// What signs the user in; once for each user where sessions are shared.
    #[serde(default)]
    pub sign_in: Vec<PageRequest>,
    /// What approves.
    pub approve: Vec<PageRequest>,
    /// What denies; left out where the server has no way to say no.
    #[serde(default)]
    pub deny: Vec<PageRequest>,
    /// Headers sent with every request.
    #[serde(default, deserialize_with = "headers")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub headers: HeaderMap,
    /// Whether decisions of one user share a sign-in; `fresh` otherwise.
    #[serde(default)]
    pub sessions: Option<Sessions>,
}

/// One request: its method with the address, its body, and what is done with the answer. `{user_code}`,
/// `{verification_uri}`, `{verification_uri_complete}`, `{action}`, `{login}`, `{password}` and the names of values that
/// were kept are filled in.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageRequest {
    /// The address of a GET: absolute, or a path at the host of the verification URI.
    #[serde(default)]
    pub get: Option<RequestTemplate>,
    /// The address of a POST.
    #[serde(default)]
    pub post: Option<RequestTemplate>,
    /// The address of a PUT.
    #[serde(default)]
    pub put: Option<RequestTemplate>,
    /// The address of a PATCH.
    #[serde(default)]
    pub patch: Option<RequestTemplate>,
    /// The address of a DELETE.
    #[serde(default)]
    pub delete: Option<RequestTemplate>,
    /// The fields of a form that is the body.
    #[serde(default)]
    pub form: Option<BTreeMap<String, RequestTemplate>>,
    /// The JSON that is the body; its texts are filled in.
    #[serde(default)]
    pub json: Option<JsonTemplate>,
    /// Headers of this request.
    #[serde(default)]
    pub headers: BTreeMap<String, RequestTemplate>,
    /// The statuses that are as they should be; all from 200 to 399 otherwise. No redirect is followed.
    #[serde(default)]
    pub expect: Vec<u16>,
    /// Values to keep out of the answer, by the name under which later requests have them.
    #[serde(default)]
    pub keep: BTreeMap<String, Keep>,
}

/// Where a value stands that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Keep {
    /// In a field of a form, hidden or not: the field's name.
    #[serde(rename = "field")]
    Field(String),
    /// In a header of the answer: its name.
    #[serde(rename = "header")]
    Header(String),
    /// In the JSON of the answer: a JSON pointer such as `/data/csrf` (RFC 6901).
    #[serde(rename = "json")]
    Json(String),
}

/// JSON whose texts are templates.
#[derive(Debug, Clone)]
pub enum JsonTemplate {
    /// A list.
    List(Vec<Self>),
    /// An object.
    Map(Vec<(String, Self)>),
    /// A number, true, false or null.
    Plain(Value),
    /// A text.
    Text(RequestTemplate),
}

impl HttpRecipe {
    /// What makes this decision.
    #[must_use]
    pub fn requests(&self, decision: Decision) -> &[PageRequest] {
        match decision {
            Decision::Approve => &self.approve,
            Decision::Deny => &self.deny,
        }
    }
}

impl PageRequest {
    /// Every method that it names, with the address; one in a file without mistakes.
    pub fn lines(&self) -> impl Iterator<Item = (Method, &RequestTemplate)> {
        [
            (Method::GET, &self.get),
            (Method::POST, &self.post),
            (Method::PUT, &self.put),
            (Method::PATCH, &self.patch),
            (Method::DELETE, &self.delete),
        ]
        .into_iter()
        .filter_map(|(method, address)| Some((method, address.as_ref()?)))
    }

    /// Every text that is filled in.
    #[must_use]
    pub fn templates(&self) -> Vec<&RequestTemplate> {
        let mut all: Vec<&RequestTemplate> = self.lines().map(|(_, address)| address).collect();
        all.extend(self.form.iter().flat_map(BTreeMap::values));
        all.extend(self.headers.values());
        if let Some(json) = &self.json {
            json.collect(&mut all);
        }
        all
    }

    /// Whether it fills in this blank.
    #[must_use]
    pub fn uses(&self, blank: Blank) -> bool {
        self.templates().iter().any(|template| template.uses(blank))
    }

    /// Whether this status is as it should be.
    #[must_use]
    pub fn expects(&self, status: u16) -> bool {
        if self.expect.is_empty() { (200..400).contains(&status) } else { self.expect.contains(&status) }
    }
}

impl JsonTemplate {
    /// The JSON with its blanks filled. The password may be in it.
    #[must_use]
    pub fn fill(&self, blanks: &Blanks<'_>) -> Value {
        match self {
            Self::List(items) => items.iter().map(|item| item.fill(blanks)).collect(),
            Self::Map(members) => {
                Value::Object(members.iter().map(|(name, item)| (name.clone(), item.fill(blanks))).collect())
            }
            Self::Plain(value) => value.clone(),
            Self::Text(template) => Value::from(template.fill(blanks).expose()),
        }
    }

    fn collect<'t>(&'t self, all: &mut Vec<&'t RequestTemplate>) {
        match self {
            Self::List(items) => items.iter().for_each(|item| item.collect(all)),
            Self::Map(members) => members.iter().for_each(|(_, item)| item.collect(all)),
            Self::Plain(_) => {}
            Self::Text(template) => all.push(template),
        }
    }

    fn of(value: Value) -> Result<Self, super::TemplateError> {
        Ok(match value {
            Value::Array(items) => Self::List(items.into_iter().map(Self::of).collect::<Result<_, _>>()?),
            Value::Object(members) => {
                let member = |(name, item)| Ok((name, Self::of(item)?));
                Self::Map(members.into_iter().map(member).collect::<Result<_, _>>()?)
            }
            Value::String(text) => Self::Text(text.parse()?),
            plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => Self::Plain(plain),
        })
    }
}

impl<'de> Deserialize<'de> for JsonTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for JsonTemplate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "JsonTemplate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "JSON; blanks are filled in its texts, {{ is a brace" })
    }
}
