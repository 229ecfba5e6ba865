//! Leaves of the language that are written as one scalar: `fit`, `poll 1`, `-50..50 ms`, error words.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::expectation::Number;
use super::steps::{Bound, Count, Offset};
use super::values::Bits;

struct CountVisitor;

impl Visitor<'_> for CountVisitor {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of polls, or fit")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Count, E> {
        if word == "fit" { Ok(Count::Fit) } else { Err(E::unknown_variant(word, &["fit"])) }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Count, E> {
        match u32::try_from(number) {
            Ok(times) if times > 0 => Ok(Count::Times(times)),
            _ => Err(E::custom("no poll at all\nhelp: write a number of polls from 1 on, or fit")),
        }
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor)
    }
}

impl JsonSchema for Count {
    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "const": "fit" }, { "type": "integer", "minimum": 1 }] })
    }
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Some(number) = text.strip_prefix("poll ") {
            return match number.trim().parse() {
                Ok(n) if n > 0 => Ok(Self::Poll(n)),
                _ => Err(D::Error::custom(format!("cannot read {text:?}\nhelp: write poll 1, poll 2, ..."))),
            };
        }
        text.parse().map(Self::Within).map_err(D::Error::custom)
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Poll(n) => write!(f, "poll {n}"),
            Self::Within(timing) => timing.fmt(f),
        }
    }
}

impl JsonSchema for Bound {
    fn schema_name() -> Cow<'static, str> {
        "Bound".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "`poll 1`, or a time such as `propagation` or `3 s`" })
    }
}

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = || {
            let (from, to) = text.strip_suffix("ms")?.trim().split_once("..")?;
            let offset = Self { from_ms: from.trim().parse().ok()?, to_ms: to.trim().parse().ok()? };
            (offset.from_ms <= offset.to_ms).then_some(offset)
        };
        read().ok_or_else(|| {
            D::Error::custom(format!("cannot read the offset {text:?}\nhelp: write -50..50 ms"))
        })
    }
}

impl JsonSchema for Offset {
    fn schema_name() -> Cow<'static, str> {
        "Offset".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^-?[0-9]+\\.\\.-?[0-9]+ ms$" })
    }
}

/// The entropy of a user code that serves where guesses are limited, in bits (RFC 8628 §5.1 by our reading).
const GUESS_BUDGET_BITS: f64 = 20.0;

impl<'de> Deserialize<'de> for Bits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "guess_budget" {
            return Ok(Self(GUESS_BUDGET_BITS));
        }
        text.strip_suffix("bits").and_then(|number| number.trim().parse().ok()).map(Self).ok_or_else(|| {
            D::Error::custom(format!("cannot read {text:?}\nhelp: write 34 bits, or guess_budget"))
        })
    }
}

impl JsonSchema for Bits {
    fn schema_name() -> Cow<'static, str> {
        "Bits".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^([0-9.]+ bits|guess_budget)$" })
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or a time such as shortest_lifetime")
    }

    #[expect(clippy::cast_precision_loss, reason = "bounds of suites are far below 2^52")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
        Ok(Number::Plain(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "bounds of suites are far below 2^52")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<Number, E> {
        Ok(Number::Plain(number as f64))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Number, E> {
        Ok(Number::Plain(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
        text.parse().map(Number::Time).map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

impl JsonSchema for Number {
    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["number", "string"] })
    }
}
