//! A value that may be a word, a list of words or a graded map.
//!
//! ```yaml
//! - outcome: pending
//! - outcome: [expired, refused]
//! - error: { is: expired_token, warn: [invalid_grant], because: "the record is gone" }
//! ```

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// What passes, what passes with a remark, what warns; everything else is the mismatch.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOrMany<T>(pub Vec<T>);

struct OneOrManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one value or a list of values")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Self::Value, E> {
        T::deserialize(word.into_deserializer()).map(|value| OneOrMany(vec![value]))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        T::deserialize(number.into_deserializer()).map(|value| OneOrMany(vec![value]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq)).map(OneOrMany)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor(PhantomData))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Graded", bound(deserialize = "T: Deserialize<'de>"))]
struct GradedMap<T> {
    #[serde(default)]
    is: Option<OneOrMany<T>>,
    #[serde(default)]
    acceptable: Option<OneOrMany<T>>,
    #[serde(default)]
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

struct GradedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for GradedVisitor<T> {
    type Value = Graded<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word, a list of words, or a map with is, acceptable, warn and because")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Self::Value, E> {
        OneOrManyVisitor(PhantomData).visit_str(word).map(|values| Graded::only(values.0))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        OneOrManyVisitor(PhantomData).visit_u64(number).map(|values| Graded::only(values.0))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        OneOrManyVisitor(PhantomData).visit_seq(seq).map(|values| Graded::only(values.0))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let GradedMap { is, acceptable, warn, because } =
            GradedMap::deserialize(MapAccessDeserializer::new(map))?;
        let [is, acceptable, warn] =
            [is, acceptable, warn].map(|values| values.map_or_else(Vec::new, |v| v.0));
        if is.is_empty() && acceptable.is_empty() && warn.is_empty() {
            return Err(A::Error::custom("this names no value: write is, acceptable or warn"));
        }
        if because.is_none() && !(acceptable.is_empty() && warn.is_empty()) {
            return Err(A::Error::custom("say why with `because`: every grade beyond `is` has a reason"));
        }
        Ok(Graded { is, acceptable, warn, because })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Graded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GradedVisitor(PhantomData))
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
                    "additionalProperties": false
                }
            ]
        })
    }
}
