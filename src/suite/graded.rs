//! A value that may be a word, a list of words or a graded map.
//!
//! ```yaml
//! - outcome: pending
//! - outcome: [expired, refused]
//! - error: { is: expired_token, warn: [invalid_grant], because: "the record is gone" }
//! ```

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

/// What passes, what passes with a remark, what warns; everything else is the mismatch.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "GradedShape<T>", bound(deserialize = "T: Deserialize<'de>"))]
pub struct Graded<T> {
    /// These pass.
    pub is: Vec<T>,
    /// These pass with a remark.
    pub acceptable: Vec<T>,
    /// These warn.
    pub warn: Vec<T>,
    /// Why there is more than `is`.
    pub because: Option<String>,
}

impl<T> Graded<T> {
    /// Only this passes.
    pub fn only(is: Vec<T>) -> Self {
        Self { is, acceptable: Vec::new(), warn: Vec::new(), because: None }
    }

    /// Every value that is not the mismatch.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.is.iter().chain(&self.acceptable).chain(&self.warn)
    }
}

/// One value or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "OneOrManyShape<T>", bound(deserialize = "T: Deserialize<'de>"))]
pub struct OneOrMany<T>(pub Vec<T>);

#[derive(Deserialize)]
#[serde(rename = "(by shape)", rename_all = "snake_case")]
enum OneOrManyShape<T> {
    Word(T),
    List(Vec<T>),
}

impl<T> From<OneOrManyShape<T>> for OneOrMany<T> {
    fn from(shape: OneOrManyShape<T>) -> Self {
        match shape {
            OneOrManyShape::Word(value) => Self(vec![value]),
            OneOrManyShape::List(values) => Self(values),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename = "(by shape)", rename_all = "snake_case", bound(deserialize = "T: Deserialize<'de>"))]
enum GradedShape<T> {
    Word(T),
    List(Vec<T>),
    Map(Grades<T>),
}

#[derive(Deserialize)]
#[serde(rename = "", deny_unknown_fields, bound(deserialize = "T: Deserialize<'de>"))]
struct Grades<T> {
    #[serde(default = "Option::default")]
    is: Option<OneOrMany<T>>,
    #[serde(default = "Option::default")]
    acceptable: Option<OneOrMany<T>>,
    #[serde(default = "Option::default")]
    warn: Option<OneOrMany<T>>,
    #[serde(default)]
    because: Option<String>,
}

/// Reads one value or a list of them into a list.
pub(super) fn many<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    OneOrMany::deserialize(deserializer).map(|values| values.0)
}

impl<T> TryFrom<GradedShape<T>> for Graded<T> {
    type Error = &'static str;

    fn try_from(shape: GradedShape<T>) -> Result<Self, Self::Error> {
        let Grades { is, acceptable, warn, because } = match shape {
            GradedShape::Word(value) => return Ok(Self::only(vec![value])),
            GradedShape::List(values) => return Ok(Self::only(values)),
            GradedShape::Map(grades) => grades,
        };
        let [is, acceptable, warn] =
            [is, acceptable, warn].map(|values| values.map_or_else(Vec::new, |v| v.0));
        if is.is_empty() && acceptable.is_empty() && warn.is_empty() {
            return Err("this names no value\nhelp: write is, acceptable or warn");
        }
        if because.is_none() && !(acceptable.is_empty() && warn.is_empty()) {
            return Err("a grade beyond is has no reason\nhelp: say why with because: \"...\"");
        }
        Ok(Self { is, acceptable, warn, because })
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}

impl<T: JsonSchema> JsonSchema for Graded<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Graded_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let values = generator.subschema_for::<OneOrMany<T>>();
        json_schema!({
            "anyOf": [
                values,
                {
                    "type": "object",
                    "description": "is passes, acceptable passes with a remark, warn warns, anything else is the mismatch",
                    "properties": {
                        "is": values, "acceptable": values, "warn": values, "because": { "type": "string" }
                    },
                    "additionalProperties": false,
                    "minProperties": 1,
                    "dependencies": { "acceptable": ["because"], "warn": ["because"] }
                }
            ]
        })
    }
}
