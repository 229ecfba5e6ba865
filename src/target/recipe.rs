//! What the `form` and `manual` approval drivers are told in the target file. Knows no page and no HTML.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use http::{HeaderMap, HeaderName, HeaderValue};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::{Length, User};
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
    }
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

impl Approval {
    /// What the driver is called.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Form(_) => "form",
            Self::Manual(_) => "manual",
        }
    }
}

/// Settings of the `manual` driver.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manual {
    /// How long to wait for the person before the step counts as not come out; the code's lifetime otherwise.
    #[serde(default)]
    pub give_up_after: Option<Length>,
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

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Blank(Blank),
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
    #[error(
        "\"{{{blank}}}\" stands for nothing; {{user_code}}, {{login}} and {{password}} do, \"{{{{\" is a brace"
    )]
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
    pub fn fill(&self, user: &User, user_code: &str) -> Secret {
        let filled: String = self
            .parts
            .iter()
            .map(|part| match part {
                Part::Blank(Blank::UserCode) => user_code,
                Part::Blank(Blank::Login) => &user.login,
                Part::Blank(Blank::Password) => user.password.expose(),
                Part::Text(text) => text,
            })
            .collect();
        Secret::new(filled)
    }
}

/// Reads headers; their values are not shown by `Debug`, some are keys.
fn headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HeaderMap, D::Error> {
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
            let blank = Blank::ALL
                .iter()
                .find(|blank| blank.word() == word)
                .ok_or_else(|| TemplateError::Unknown { blank: word.to_owned() })?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Blank(*blank));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { parts, text: text.to_owned() })
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
            "description": "a text; {user_code}, {login} and {password} are filled in, {{ is a brace",
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

    #[test]
    fn blanks_are_filled_and_braces_can_be_written() {
        let alice = User { login: "alice".to_owned(), password: Secret::new("wonderland-1") };
        let fill =
            |text: &str| text.parse::<Template>().unwrap().fill(&alice, "BCDF-GHJK").expose().to_owned();
        assert_eq!(fill("{login}@example.test"), "alice@example.test");
        assert_eq!(fill("{user_code}/{password}"), "BCDF-GHJK/wonderland-1");
        assert_eq!(fill("{{login}"), "{login}");
        assert_eq!(fill(""), "");
    }

    #[test]
    fn a_blank_that_stands_for_nothing_is_a_mistake_of_the_file() {
        let wrong = "{usercode}".parse::<Template>().unwrap_err().to_string();
        assert_eq!(
            wrong,
            "\"{usercode}\" stands for nothing; {user_code}, {login} and {password} do, \"{{\" is a brace"
        );
        assert_eq!("{login".parse::<Template>(), Err(TemplateError::Open { text: "{login".to_owned() }));
    }
}
