//! So many in a second: `500/s`, `30/min`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

/// How often something happens; never negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(f64);

/// Why a text is not a rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the rate {0:?}\nhelp: write a number and what it is counted by: 500/s, 30/min, 10/h")]
pub struct RateError(String);

impl Rate {
    /// So many in a second; nothing of what is negative or no number.
    #[must_use]
    pub fn per_second(rate: f64) -> Option<Self> {
        (rate.is_finite() && rate >= 0.0).then_some(Self(rate))
    }

    /// All of them together.
    #[must_use]
    pub(super) fn sum(rates: impl Iterator<Item = f64>) -> Self {
        Self(rates.sum())
    }

    /// So many times as often.
    #[must_use]
    pub(super) fn times(self, factor: f64) -> Self {
        Self(self.0 * factor)
    }

    /// How many there are in a second.
    #[must_use]
    pub const fn in_a_second(self) -> f64 {
        self.0
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (number, unit) = text.split_once('/')?;
            let seconds = match unit.trim() {
                "s" => 1.0,
                "min" => 60.0,
                "h" => 3600.0,
                _ => return None,
            };
            let number = number.trim();
            let is_plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
            Self::per_second(number.parse::<f64>().ok().filter(|_| is_plain)? / seconds)
        };
        read().ok_or_else(|| RateError(text.to_owned()))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = if self.0 == 0.0 || self.0 >= 1.0 {
            (self.0, "s")
        } else if self.0 >= 1.0 / 60.0 {
            (self.0 * 60.0, "min")
        } else {
            (self.0 * 3600.0, "h")
        };
        let digits = if number >= 100.0 { 0 } else { 2 };
        let text = format!("{number:.digits$}");
        let text = if digits > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        write!(f, "{text}/{unit}")
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "how often: `500/s`, `30/min`, `10/h`" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_shown() {
        for (text, rate, shown) in [
            ("500/s", 500.0, "500/s"),
            ("30/min", 0.5, "30/min"),
            ("0.5 / s", 0.5, "30/min"),
            ("36/h", 0.01, "36/h"),
            ("1234.5/s", 1234.5, "1234/s"),
            ("2.5/s", 2.5, "2.5/s"),
            ("0/s", 0.0, "0/s"),
        ] {
            let read: Rate = text.parse().unwrap();
            assert!((read.in_a_second() - rate).abs() < 1e-9, "{text}");
            assert_eq!(read.to_string(), shown);
        }
        for text in ["500", "5/d", "-1/s", "/s", "inf/s", "1e9/s", ""] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
