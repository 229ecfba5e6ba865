//! Values that are written in several shapes: how devices poll, when a user decides, addresses.

use std::borrow::Cow;
use std::net::IpAddr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::timing::{Anchor, Timing};

/// How the devices of a group poll.
///
/// ```yaml
/// polls: conforming
/// polls: never
/// polls: { every: 100 ms }
/// polls: { race: 8, then_replay: 3 }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(try_from = "PollsShape")]
pub enum Polls {
    /// As RFC 8628 §3.5 says: one interval after receipt of the last answer, every `slow_down` and time-out obeyed.
    #[default]
    Conforming,
    /// They ask for codes and go away.
    Never,
    /// At this gap whatever is answered, until a final answer.
    Every(Timing),
    /// They wait for the decision without polling, poll so many times at once, and use the code again afterwards.
    Race {
        /// How many polls go out at the same moment; 1 where only `then_replay` is written.
        at_once: u32,
        /// How many polls with the used code follow, each one interval after the last answer.
        then_replay: u32,
    },
}

/// When a user decides, counted from receipt of the codes.
///
/// ```yaml
/// after: 10 s
/// after: { median: 20 s, p99: 60 s }
/// after: { from: 5 s, to: 60 s }
/// after: expiry + tol_late
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "AfterShape")]
pub enum After {
    /// Always after the same time.
    Fixed(Timing),
    /// An instant counted from when the codes end.
    Expiry(Timing),
    /// Log-normal: half of them before the median, one in a hundred after the second.
    LogNormal {
        /// Half of them are earlier.
        median: Timing,
        /// One in a hundred is later.
        p99: Timing,
    },
    /// Any time between two, each as likely as the others.
    Uniform {
        /// Never earlier.
        from: Timing,
        /// Never later.
        to: Timing,
    },
}

/// An address to connect from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct SourceAddress(
    /// The address.
    #[schemars(with = "String")]
    pub IpAddr,
);

impl TryFrom<String> for SourceAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| {
            format!("cannot read the address {text:?}\nhelp: write an IP address of this machine, such as 127.0.0.1")
        })
    }
}

#[derive(Deserialize)]
#[serde(rename = "(by shape)", rename_all = "snake_case")]
enum PollsShape {
    Word(PollsWord),
    Map(PollsMap),
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename = "way to poll", rename_all = "snake_case")]
#[schemars(rename = "PollsWord")]
enum PollsWord {
    /// As RFC 8628 says.
    Conforming,
    /// Not at all.
    Never,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename = "polls", deny_unknown_fields)]
#[schemars(rename = "PollsMap", extend("minProperties" = 1))]
struct PollsMap {
    /// The gap, whatever is answered.
    #[serde(default)]
    every: Option<Timing>,
    /// So many at once after the decision.
    #[serde(default)]
    race: Option<u32>,
    /// So many more with the used code.
    #[serde(default)]
    then_replay: Option<u32>,
}

impl TryFrom<PollsShape> for Polls {
    type Error = String;

    fn try_from(shape: PollsShape) -> Result<Self, String> {
        let help = "help: write conforming, never, { every: 100 ms } or { race: 8, then_replay: 3 }";
        let map = match shape {
            PollsShape::Word(PollsWord::Conforming) => return Ok(Self::Conforming),
            PollsShape::Word(PollsWord::Never) => return Ok(Self::Never),
            PollsShape::Map(map) => map,
        };
        match (map.every, map.race, map.then_replay) {
            (Some(gap), None, None) => Ok(Self::Every(gap)),
            (None, None, None) => Err(format!("polls says nothing\n{help}")),
            (None, Some(0), _) => Err(format!("a race of no polls\n{help}")),
            (None, at_once, then_replay) => {
                Ok(Self::Race { at_once: at_once.unwrap_or(1), then_replay: then_replay.unwrap_or(0) })
            }
            (Some(_), ..) => Err(format!("every does not go with race and then_replay\n{help}")),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename = "(by shape)", rename_all = "snake_case")]
enum AfterShape {
    Word(Timing),
    Map(AfterMap),
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename = "after", deny_unknown_fields)]
#[schemars(rename = "AfterMap")]
struct AfterMap {
    /// Half of them are earlier; with `p99`.
    #[serde(default)]
    median: Option<Timing>,
    /// One in a hundred is later; with `median`.
    #[serde(default)]
    p99: Option<Timing>,
    /// Never earlier; with `to`.
    #[serde(default)]
    from: Option<Timing>,
    /// Never later; with `from`.
    #[serde(default)]
    to: Option<Timing>,
}

impl TryFrom<AfterShape> for After {
    type Error = String;

    fn try_from(shape: AfterShape) -> Result<Self, String> {
        let map = match shape {
            AfterShape::Word(timing) => {
                return Ok(if timing.anchor == Some(Anchor::Expiry) {
                    Self::Expiry(timing)
                } else {
                    Self::Fixed(timing)
                });
            }
            AfterShape::Map(map) => map,
        };
        match (map.median, map.p99, map.from, map.to) {
            (Some(median), Some(p99), None, None) => Ok(Self::LogNormal { median, p99 }),
            (None, None, Some(from), Some(to)) => Ok(Self::Uniform { from, to }),
            _ => Err("these keys make no time\nhelp: write 10 s, { median: 20 s, p99: 60 s } or { from: 5 s, to: 60 s }"
                .to_owned()),
        }
    }
}

impl JsonSchema for Polls {
    fn schema_name() -> Cow<'static, str> {
        "Polls".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let word = generator.subschema_for::<PollsWord>();
        let map = generator.subschema_for::<PollsMap>();
        json_schema!({ "anyOf": [word, map] })
    }
}

impl JsonSchema for After {
    fn schema_name() -> Cow<'static, str> {
        "After".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let word = generator.subschema_for::<Timing>();
        let map = generator.subschema_for::<AfterMap>();
        json_schema!({ "anyOf": [word, map] })
    }
}
