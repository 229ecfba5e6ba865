//! How the `form` approval driver walks through the pages, as the target file says, and texts with blanks. Knows no page
//! and no HTML.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use http::{HeaderMap, HeaderName, HeaderValue};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use url::form_urlencoded::byte_serialize;

use super::User;
use super::approval::Sessions;
use crate::protocol::Decision;
use crate::protocol::words::words;
use crate::secret::Secret;

words! {
    /// A blank of a text to fill in.
    Blank {
        /// The session's user code, as the device shows it.
        UserCode = "user_code",
        /// The user's name.
        Login = "login",
        /// The user's password.
        Password = "password",
        /// `approve` or `deny`.
        Action = "action",
        /// Where the user types the code (RFC 8628 §3.2).
        VerificationUri = "verification_uri",
        /// The same with the code inside (RFC 8628 §3.3.1).
        VerificationUriComplete = "verification_uri_complete",
    }
}

/// How the `form` driver walks through the pages, like a person with a browser: at every page it takes the first step
/// whose `when` fits a form of that page, fills the form in and submits it, with hidden fields and cookies kept and
/// redirects followed. The step that `decides` is the last.
///
/// ```yaml
/// form:
///   steps:
///     - { when: { field: user_code }, fill: { user_code: "{user_code}" } }
///     - { when: { field: password }, fill: { login: "{login}", password: "{password}" } }
///     - { when: { button: { name: accept } }, press: { name: accept }, decides: approve }
///     - { when: { button: { name: cancel } }, press: { name: cancel }, decides: deny }
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormRecipe {
    /// What to do at each kind of page; the first that fits is taken.
    pub steps: Vec<FormStep>,
    /// For servers that may leave out the page with the decision, because they remember an earlier one: texts of the
    /// page that shows that it is decided.
    #[serde(default)]
    pub done: FormDone,
    /// Headers sent with every page request, beside those that a browser sends.
    #[serde(default, deserialize_with = "headers")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub headers: HeaderMap,
    /// Whether decisions of one user share a sign-in; `fresh` otherwise.
    #[serde(default)]
    pub sessions: Option<Sessions>,
}

/// What to do at one kind of page.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormStep {
    /// Which form this step is for.
    pub when: FormMatch,
    /// Fields to fill in, by name: texts, choices of a list or of radio buttons. `{user_code}`, `{login}` and
    /// `{password}` stand for the session's and the user's; what is not named keeps the value that the page gave it.
    #[serde(default)]
    pub fill: BTreeMap<String, Template>,
    /// Names of the boxes to check, all of that name.
    #[serde(default)]
    pub check: Vec<String>,
    /// The button to press; a form with one button or none needs no word about it.
    #[serde(default)]
    pub press: Option<FormButton>,
    /// This step is the decision, and is looked at only when the user is to decide so.
    #[serde(default)]
    pub decides: Option<Decision>,
}

/// What a form must have; all that is named must fit.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormMatch {
    /// The name of a field that it has, hidden or not.
    #[serde(default)]
    pub field: Option<String>,
    /// Fields that it has with exactly these values: `{ prompt: login }`.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// A button that it has.
    #[serde(default)]
    pub button: Option<FormButton>,
    /// The page's text or title has this text.
    #[serde(default)]
    pub text: Option<String>,
    /// The address that the form is sent to contains this.
    #[serde(default)]
    pub action: Option<String>,
}

/// A submit button; all that is named must fit, the first that does is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormButton {
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its value.
    #[serde(default)]
    pub value: Option<String>,
    /// What is written on it, all of it.
    #[serde(default)]
    pub text: Option<String>,
}

/// How a page looks that shows that it is decided.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormDone {
    /// A text of the page after an approval.
    #[serde(default)]
    pub approve: Option<String>,
    /// A text of the page after a denial.
    #[serde(default)]
    pub deny: Option<String>,
}

/// A text to fill in, `{login}@example.test`; `{{` stands for a brace.
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
    text: String,
}

/// The same for a request of the `http` driver: the names of values that were kept are blanks, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestTemplate(Template);

/// What blanks are filled with.
#[derive(Debug, Clone, Copy)]
pub struct Blanks<'a> {
    /// Who decides.
    pub user: &'a User,
    /// The session's user code, as the device shows it.
    pub user_code: &'a str,
    /// Where the user types it.
    pub verification_uri: &'a str,
    /// The same with the code inside; empty where there is none.
    pub verification_uri_complete: Option<&'a str>,
    /// What is decided.
    pub decision: Decision,
    /// Values that were kept out of earlier answers, by name.
    pub kept: &'a BTreeMap<String, Secret>,
}

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Blank(Blank),
    /// A value that was kept.
    Kept(String),
    Text(String),
}

/// What is wrong with a text to fill in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A brace that nothing closes.
    #[error("\"{text}\" opens a brace that is not closed; write \"{{{{\" for a brace")]
    Open {
        /// The whole text.
        text: String,
    },
    /// A blank that there is not.
    #[error("\"{{{blank}}}\" stands for nothing; {} do, \"{{{{\" is a brace", listed(Blank::ALL))]
    Unknown {
        /// What stands between the braces.
        blank: String,
    },
}

impl FormRecipe {
    /// Whether any step makes this decision, or a page shows it made.
    #[must_use]
    pub fn can(&self, decision: Decision) -> bool {
        self.done.text(decision).is_some() || self.steps.iter().any(|step| step.decides == Some(decision))
    }
}

impl FormStep {
    /// Whether it fills in this blank.
    #[must_use]
    pub fn uses(&self, blank: Blank) -> bool {
        self.fill.values().any(|template| template.parts.contains(&Part::Blank(blank)))
    }
}

impl FormDone {
    /// The text that shows this decision.
    #[must_use]
    pub fn text(&self, decision: Decision) -> Option<&str> {
        match decision {
            Decision::Approve => self.approve.as_deref(),
            Decision::Deny => self.deny.as_deref(),
        }
    }
}

impl Template {
    /// The text with its blanks filled: a secret, since the password may be in it.
    #[must_use]
    pub fn fill(&self, blanks: &Blanks<'_>) -> Secret {
        Secret::new(self.parts.iter().map(|part| part.filled(blanks)).collect::<String>())
    }

    /// Takes a text apart; what stands between braces and is no blank is the name of a kept value.
    fn read(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            plain.push_str(before);
            if let Some(after) = after.strip_prefix('{') {
                plain.push('{');
                rest = after;
                continue;
            }
            let (word, after) =
                after.split_once('}').ok_or_else(|| TemplateError::Open { text: text.to_owned() })?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            let blank = Blank::ALL.iter().find(|blank| blank.word() == word);
            parts.push(blank.map_or_else(|| Part::Kept(word.to_owned()), |blank| Part::Blank(*blank)));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { parts, text: text.to_owned() })
    }
}

impl Part {
    fn filled<'b>(&'b self, blanks: &Blanks<'b>) -> &'b str {
        match self {
            Self::Blank(Blank::Action) => blanks.decision.word(),
            Self::Blank(Blank::Login) => &blanks.user.login,
            Self::Blank(Blank::Password) => blanks.user.password.expose(),
            Self::Blank(Blank::UserCode) => blanks.user_code,
            Self::Blank(Blank::VerificationUri) => blanks.verification_uri,
            Self::Blank(Blank::VerificationUriComplete) => {
                blanks.verification_uri_complete.unwrap_or_default()
            }
            Self::Kept(name) => blanks.kept.get(name).map_or("", Secret::expose),
            Self::Text(text) => text,
        }
    }
}

impl RequestTemplate {
    /// The text with its blanks filled.
    #[must_use]
    pub fn fill(&self, blanks: &Blanks<'_>) -> Secret {
        self.0.fill(blanks)
    }

    /// The text as an address: what is filled in is percent-encoded, unless the address begins with it.
    #[must_use]
    pub fn fill_address(&self, blanks: &Blanks<'_>) -> String {
        let part = |(index, part): (usize, &Part)| match part {
            Part::Text(text) => text.clone(),
            part if index == 0 => part.filled(blanks).to_owned(),
            part => byte_serialize(part.filled(blanks).as_bytes()).collect::<String>().replace('+', "%20"),
        };
        self.0.parts.iter().enumerate().map(part).collect()
    }

    /// Whether it has this blank.
    #[must_use]
    pub fn uses(&self, blank: Blank) -> bool {
        self.0.parts.contains(&Part::Blank(blank))
    }

    /// The names of kept values that it has.
    pub fn kept(&self) -> impl Iterator<Item = &str> {
        self.0.parts.iter().filter_map(|part| match part {
            Part::Kept(name) => Some(name.as_str()),
            Part::Blank(_) | Part::Text(_) => None,
        })
    }
}

/// Blanks as they are written, in a list.
fn listed(blanks: &[Blank]) -> String {
    let words: Vec<String> = blanks.iter().map(|blank| format!("{{{blank}}}")).collect();
    match words.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => words.concat(),
    }
}

/// Reads headers; their values are not shown by `Debug`, some are keys.
pub(super) fn headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HeaderMap, D::Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in BTreeMap::<String, String>::deserialize(deserializer)? {
        let wrong = |what| serde::de::Error::custom(format!("\"{name}\" {what}"));
        let name = HeaderName::from_str(&name).map_err(|_| wrong("is no name of a header"))?;
        let mut value =
            HeaderValue::from_str(&value).map_err(|_| wrong("has a value that no header can have"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let template = Self::read(text)?;
        let unknown = template.parts.iter().find_map(|part| match part {
            Part::Kept(name) => Some(name.clone()),
            Part::Blank(_) | Part::Text(_) => None,
        });
        unknown.map_or(Ok(template), |blank| Err(TemplateError::Unknown { blank }))
    }
}

impl FromStr for RequestTemplate {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        Template::read(text).map(Self)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Template {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "a text; {user_code}, {login}, {password} and the other blanks are filled in, {{ is a brace",
        })
    }
}

impl<'de> Deserialize<'de> for RequestTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for RequestTemplate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RequestTemplate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "a text; blanks and the names of kept values are filled in, {{ is a brace",
        })
    }
}

impl fmt::Display for FormButton {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [("name", &self.name), ("value", &self.value), ("text", &self.text)];
        let named = parts.iter().filter_map(|(key, value)| Some(format!("{key}: {}", value.as_ref()?)));
        write!(f, "{{ {} }}", named.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled<T>(text: &str, fill: impl Fn(&T, &Blanks<'_>) -> String) -> String
    where
        T: FromStr<Err = TemplateError>,
    {
        let alice = User { login: "alice".to_owned(), password: Secret::new("wonderland-1") };
        let kept = BTreeMap::from([("next".to_owned(), Secret::new("/a?b=c"))]);
        let blanks = Blanks {
            user: &alice,
            user_code: "BCDF GHJK",
            verification_uri: "https://as.example/device",
            verification_uri_complete: None,
            decision: Decision::Deny,
            kept: &kept,
        };
        fill(&text.parse::<T>().unwrap(), &blanks)
    }

    #[test]
    fn blanks_are_filled_and_braces_can_be_written() {
        let fill = |text| filled::<Template>(text, |it, blanks| it.fill(blanks).expose().to_owned());
        assert_eq!(fill("{login}@example.test"), "alice@example.test");
        assert_eq!(fill("{user_code}/{password}"), "BCDF GHJK/wonderland-1");
        assert_eq!(fill("{action} at {verification_uri}"), "deny at https://as.example/device");
        assert_eq!(fill("{{login}"), "{login}");
        assert_eq!(fill(""), "");
    }

    #[test]
    fn an_address_is_encoded_where_something_is_filled_in() {
        let fill = |text| filled::<RequestTemplate>(text, RequestTemplate::fill_address);
        assert_eq!(fill("/device?user_code={user_code}&x=1"), "/device?user_code=BCDF%20GHJK&x=1");
        assert_eq!(fill("{verification_uri}?step=2"), "https://as.example/device?step=2");
        assert_eq!(fill("{next}"), "/a?b=c");
        assert_eq!(fill("/go?to={next}"), "/go?to=%2Fa%3Fb%3Dc");
    }

    #[test]
    fn a_blank_that_stands_for_nothing_is_a_mistake_of_the_file() {
        let wrong = "{usercode}".parse::<Template>().unwrap_err().to_string();
        assert_eq!(
            wrong,
            "\"{usercode}\" stands for nothing; {user_code}, {login}, {password}, {action}, {verification_uri} and \
             {verification_uri_complete} do, \"{{\" is a brace"
        );
        assert_eq!("{login".parse::<Template>(), Err(TemplateError::Open { text: "{login".to_owned() }));
        assert_eq!("{csrf}".parse::<RequestTemplate>().unwrap().kept().collect::<Vec<_>>(), ["csrf"]);
    }
}
