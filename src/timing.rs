//! Lengths of time and instants as suites write them: `3 s`, `2 intervals`, `expiry + tol_late`.
//!
//! Knows the words, not their values: those come from the [`Timekeeper`] that evaluates an expression.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::protocol::words::words;

words! {
    /// A named constant of the tolerances; all can be set in the target file.
    Constant {
        /// How long a decision may take to reach the node that is polled.
        Propagation = "propagation",
        /// What storing whole seconds may add to a gap.
        GRound = "g_round",
        /// How much earlier than announced a code may end.
        TolEarly = "tol_early",
        /// How much later than announced a code may end.
        TolLate = "tol_late",
        /// Until when after expiry a sweep may come, counted from expiry.
        LateBand = "late_band",
        /// How late an access token may end.
        TokenLate = "token_late",
        /// The shortest lifetime that a person can use.
        ShortestLifetime = "shortest_lifetime",
    }
}

impl Constant {
    /// The value where the target file names none (requirements 0.5).
    #[must_use]
    pub const fn default_value(self) -> Duration {
        Duration::from_secs(match self {
            Self::Propagation | Self::TolEarly => 2,
            Self::GRound => 1,
            Self::TolLate => 5,
            Self::LateBand | Self::TokenLate | Self::ShortestLifetime => 60,
        })
    }
}

/// The constants of one target.
pub type Constants = BTreeMap<Constant, Duration>;

/// One part of a sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Term {
    /// A fixed length, in seconds.
    Seconds(f64),
    /// So many of the session's present intervals.
    Intervals(f64),
    /// So many of the intervals that the server announced.
    AnnouncedIntervals(f64),
    /// A part of the session's lifetime, 1.0 being all of it.
    Lifetime(f64),
    /// A constant of the target, times a factor.
    Constant(Constant, f64),
}

words! {
    /// An instant in the life of a session.
    Anchor {
        /// When the codes end: receipt of the codes plus `expires_in`.
        Expiry = "expiry",
        /// When the access token ends: receipt of the token plus its `expires_in`.
        TokenExpiry = "token_expiry",
    }
}

/// The word for the present instant, where an instant is compared.
pub const NOW: &str = "now";

impl Term {
    /// The number before the unit, whatever the unit is.
    #[must_use]
    pub const fn factor(self) -> f64 {
        match self {
            Self::Seconds(n)
            | Self::Intervals(n)
            | Self::AnnouncedIntervals(n)
            | Self::Lifetime(n)
            | Self::Constant(_, n) => n,
        }
    }
}

/// A length of time, or an instant when it has an anchor.
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    /// The instant it counts from, if it is one.
    pub anchor: Option<Anchor>,
    /// What is added up.
    pub terms: Vec<Term>,
    text: String,
}

/// What an expression needs to know to become a number.
pub trait Timekeeper {
    /// The session's present interval, grown by every slow_down.
    fn interval(&self) -> Duration;
    /// The interval the server announced, 5 s when it announced none.
    fn announced_interval(&self) -> Duration;
    /// The session's lifetime.
    fn lifetime(&self) -> Duration;
    /// A constant of the target.
    fn constant(&self, constant: Constant) -> Duration;
}

impl Timing {
    /// One present interval.
    #[must_use]
    pub fn interval() -> Self {
        Self { anchor: None, terms: vec![Term::Intervals(1.0)], text: "interval".to_owned() }
    }

    /// Nothing at all.
    #[must_use]
    pub fn zero() -> Self {
        Self::fixed(Duration::ZERO)
    }

    /// A length that depends on nothing.
    #[must_use]
    pub fn fixed(length: Duration) -> Self {
        Self { anchor: None, terms: vec![Term::Seconds(length.as_secs_f64())], text: show(length) }
    }

    /// The sum of the terms, in seconds; may be negative beside an anchor.
    pub fn seconds(&self, keeper: &impl Timekeeper) -> f64 {
        self.terms
            .iter()
            .map(|term| match *term {
                Term::Seconds(seconds) => seconds,
                Term::Intervals(n) => n * keeper.interval().as_secs_f64(),
                Term::AnnouncedIntervals(n) => n * keeper.announced_interval().as_secs_f64(),
                Term::Lifetime(part) => part * keeper.lifetime().as_secs_f64(),
                Term::Constant(constant, n) => n * keeper.constant(constant).as_secs_f64(),
            })
            .sum()
    }

    /// The sum of the terms as a length of time, nothing where it would be negative.
    pub fn length(&self, keeper: &impl Timekeeper) -> Duration {
        Duration::try_from_secs_f64(self.seconds(keeper).max(0.0)).unwrap_or(Duration::MAX)
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a text is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot read the time {0:?}\none of: interval, announced_interval, lifetime, expiry, token_expiry, {names}\nhelp: write a \
     number and a unit (3 s, 250 ms, 10 min, 1 h, 2 intervals, 10 % of lifetime), one of the names, or several joined by + or -",
    names = Constant::ALL.iter().map(|c| c.word()).collect::<Vec<_>>().join(", ")
)]
pub struct TimingError(String);

impl FromStr for Timing {
    type Err = TimingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || TimingError(text.to_owned());
        let spaced = text.replace('+', " + ").replace(" -", " - ").replace('%', " % ");
        let mut words = spaced.split_whitespace().peekable();
        let mut timing = Self { anchor: None, terms: Vec::new(), text: text.trim().to_owned() };
        let mut sign = 1.0;
        loop {
            let word = words.next().ok_or_else(error)?;
            if let Some((number, glued)) = split_number(word) {
                let unit = if glued.is_empty() { words.next().ok_or_else(error)? } else { glued };
                timing.terms.push(term(sign * number, unit, &mut words).ok_or_else(error)?);
            } else if let Some(anchor) = Anchor::ALL.iter().find(|anchor| anchor.word() == word) {
                if timing.anchor.is_some() || sign < 0.0 {
                    return Err(error());
                }
                timing.anchor = Some(*anchor);
            } else if matches!(word, "ms" | "s" | "min" | "h" | "%") {
                return Err(error());
            } else {
                timing.terms.push(term(sign, word, &mut words).ok_or_else(error)?);
            }
            sign = match words.next() {
                None => return Ok(timing),
                Some("+") => 1.0,
                Some("-") => -1.0,
                Some(_) => return Err(error()),
            };
        }
    }
}

fn split_number(word: &str) -> Option<(f64, &str)> {
    let end = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
    Some((word.get(..end)?.parse().ok()?, word.get(end..)?))
}

fn term<'a>(n: f64, unit: &str, rest: &mut impl Iterator<Item = &'a str>) -> Option<Term> {
    Some(match unit {
        "ms" => Term::Seconds(n / 1000.0),
        "s" => Term::Seconds(n),
        "min" => Term::Seconds(n * 60.0),
        "h" => Term::Seconds(n * 3600.0),
        "interval" | "intervals" => Term::Intervals(n),
        "announced_interval" | "announced_intervals" => Term::AnnouncedIntervals(n),
        "lifetime" => Term::Lifetime(n),
        "%" if rest.next()? == "of" => match rest.next()? {
            "lifetime" => Term::Lifetime(n / 100.0),
            "interval" => Term::Intervals(n / 100.0),
            "announced_interval" => Term::AnnouncedIntervals(n / 100.0),
            _ => return None,
        },
        name => Term::Constant(*Constant::ALL.iter().find(|constant| constant.word() == name)?, n),
    })
}

impl<'de> Deserialize<'de> for Timing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Timing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl JsonSchema for Timing {
    fn schema_name() -> Cow<'static, str> {
        "Timing".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "a time with its unit: `3 s`, `2 intervals`, `10 % of lifetime`, `expiry + tol_late`"
        })
    }
}

/// A plain length of time of a target file or a flag, such as `250 ms` or `10 min`.
pub fn plain_length(text: &str) -> Result<Duration, TimingError> {
    let timing: Timing = text.parse()?;
    let seconds = timing.terms.iter().try_fold(0.0, |sum, term| match term {
        Term::Seconds(seconds) => Some(sum + seconds),
        _ => None,
    });
    match seconds {
        Some(seconds) if timing.anchor.is_none() => {
            Duration::try_from_secs_f64(seconds).map_err(|_| TimingError(text.to_owned()))
        }
        _ => Err(TimingError(text.to_owned())),
    }
}

/// Reads and writes a [`Duration`] as `5 s`.
pub mod length {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    /// Reads `5 s`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        super::plain_length(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }

    /// Writes `5 s`.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::show(*duration))
    }
}

/// A length of time for people: `250 ms`, `5 s`, `10 min`, `1.5 s`.
#[must_use]
pub fn show(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if duration.is_zero() {
        "0 s".to_owned()
    } else if seconds < 0.9995 {
        format!("{:.0} ms", seconds * 1000.0)
    } else if duration.subsec_millis() == 0
        && duration.as_secs() >= 120
        && duration.as_secs().is_multiple_of(60)
    {
        format!("{} min", duration.as_secs() / 60)
    } else {
        let text = format!("{seconds:.1}");
        format!("{} s", text.strip_suffix(".0").unwrap_or(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Five;

    impl Timekeeper for Five {
        fn interval(&self) -> Duration {
            Duration::from_secs(10)
        }
        fn announced_interval(&self) -> Duration {
            Duration::from_secs(5)
        }
        fn lifetime(&self) -> Duration {
            Duration::from_secs(600)
        }
        fn constant(&self, constant: Constant) -> Duration {
            constant.default_value()
        }
    }

    #[test]
    fn every_way_to_write_a_time_is_read() {
        for (text, seconds) in [
            ("3 s", 3.0),
            ("250 ms", 0.25),
            ("250ms", 0.25),
            ("2 intervals", 20.0),
            ("interval + g_round", 11.0),
            ("10 % of lifetime", 60.0),
            ("announced_interval", 5.0),
            ("interval - 500 ms", 9.5),
            ("5 % of interval", 0.5),
            ("1.5 min", 90.0),
        ] {
            let timing: Timing = text.parse().unwrap();
            assert!((timing.seconds(&Five) - seconds).abs() < 1e-9, "{text}");
            assert_eq!(timing.anchor, None);
        }
        let timing: Timing = "expiry + tol_late".parse().unwrap();
        assert_eq!((timing.anchor, timing.seconds(&Five)), (Some(Anchor::Expiry), 5.0));
        assert_eq!("expiry - 3 s".parse::<Timing>().unwrap().seconds(&Five), -3.0);
    }

    #[test]
    fn a_number_without_a_unit_or_an_unknown_name_is_refused() {
        for text in ["5", "", "3 parsecs", "s", "3 s 4 s", "3 s +", "tol_lat", "- expiry"] {
            assert!(text.parse::<Timing>().is_err(), "{text}");
        }
        assert!(plain_length("2 intervals").is_err());
        assert_eq!(plain_length("10 min").unwrap(), Duration::from_secs(600));
    }

    #[test]
    fn lengths_are_shown_short() {
        for (ms, text) in [
            (0, "0 s"),
            (250, "250 ms"),
            (1000, "1 s"),
            (1500, "1.5 s"),
            (600_000, "10 min"),
            (90_000, "90 s"),
        ] {
            assert_eq!(show(Duration::from_millis(ms)), text);
        }
    }
}
