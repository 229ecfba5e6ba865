//! Thresholds as people write them, and the condition of `--abort-on`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::setting::Setting;
use super::threshold::{
    Bound, Counted, Counter, Figures, Generator, Judgement, Operation, Percentile, Quantity, Relation,
    Series, Share, Threshold, Timed,
};
use crate::diagnostic::closest;
use crate::outcome::Outcome;
use crate::timing::{Timing, plain_length};

/// Why a text is not a threshold: what is wrong, the words that would have been right, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}{}\nhelp: {help}", if one_of.is_empty() { String::new() } else { format!("\none of: {one_of}") })]
pub struct ThresholdError {
    what: String,
    one_of: String,
    help: String,
}

/// What ends a run before its time: a threshold that *holds* for so long, `p99(pending) > 2 s for 10 s`.
#[derive(Debug, Clone, PartialEq)]
pub struct AbortRule {
    /// What must not be.
    pub condition: Threshold,
    /// How long it must be so without a break; at once where nothing is said.
    pub lasting: Duration,
}

/// An [`AbortRule`] and since when it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct AbortWatch {
    rule: AbortRule,
    since: Option<Duration>,
}

impl AbortWatch {
    /// A watch over a run that has just started.
    #[must_use]
    pub const fn new(rule: AbortRule) -> Self {
        Self { rule, since: None }
    }

    /// What it watches.
    #[must_use]
    pub const fn rule(&self) -> &AbortRule {
        &self.rule
    }

    /// Looks at the figures of the last moments, at `now` after the start; ends the run?
    pub fn sees(&mut self, now: Duration, figures: &impl Figures, setting: &Setting) -> bool {
        let is_so = self.rule.condition.judge(figures, setting, Generator::KeptUp);
        if !matches!(is_so, Judgement::Met(_)) {
            self.since = None;
            return false;
        }
        let since = *self.since.get_or_insert(now);
        now.saturating_sub(since) >= self.rule.lasting
    }
}

impl fmt::Display for AbortRule {
    /// `p99(pending) > 2 s for 10 s`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { condition, lasting } = self;
        if lasting.is_zero() {
            write!(f, "{condition}")
        } else {
            write!(f, "{condition} for {} s", lasting.as_secs_f64())
        }
    }
}

impl FromStr for AbortRule {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((condition, lasting)) = text.rsplit_once(" for ") else {
            return Ok(Self { condition: text.parse()?, lasting: Duration::ZERO });
        };
        let lasting = plain_length(lasting.trim()).map_err(|_| {
            wrong(format!("cannot read the time {:?}", lasting.trim()), "write how long: for 10 s")
        })?;
        Ok(Self { condition: condition.parse()?, lasting })
    }
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let example = "write a figure, <, <=, ==, >= or >, and a bound: p99(pending) < 200 ms";
        let at = text.find(['<', '>', '=', '!']);
        let at = at.ok_or_else(|| wrong(format!("{text:?} compares nothing"), example))?;
        let (left, rest) = text.split_at(at);
        let end = rest.find(|c| !matches!(c, '<' | '>' | '=' | '!')).unwrap_or(rest.len());
        let (sign, right) = rest.split_at(end);
        let relation = Relation::ALL.iter().copied().find(|relation| relation.word() == sign);
        let relation = relation.ok_or_else(|| ThresholdError {
            what: format!("unknown comparison {sign:?}"),
            one_of: listed(Relation::ALL.iter().map(|relation| relation.word())),
            help: if sign == "=" {
                "write == for counts, < or > for what is measured".to_owned()
            } else {
                "write one of these".to_owned()
            },
        })?;
        let quantity = quantity(left.trim())?;
        let bound = bound(right.trim(), example)?;
        fits(quantity, relation, &bound, left.trim(), right.trim())?;
        Ok(Self::new(quantity, relation, bound, text.trim()))
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Threshold {
    fn schema_name() -> Cow<'static, str> {
        "Threshold".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "a bound on a figure: `violations == 0`, `p99(pending) < 200 ms`, `grants >= 99.9 %`"
        })
    }
}

fn quantity(text: &str) -> Result<Quantity, ThresholdError> {
    if let Some((name, inside)) = text.split_once('(') {
        let inside = inside.strip_suffix(')').ok_or_else(|| {
            wrong(format!("{text:?} opens a bracket that is not closed"), "write p99(pending)")
        })?;
        let (is_count, timed): (_, fn(Series) -> Timed) = match name {
            "count" => (true, Timed::Response),
            _ if name.starts_with("service_") => (false, Timed::Service),
            _ => (false, Timed::Response),
        };
        if is_count {
            return Ok(Quantity::Count(Counted::Answers(series(inside.trim())?)));
        }
        let percentile = percentile(name.strip_prefix("service_").unwrap_or(name));
        let percentile = percentile.ok_or_else(|| unknown(text))?;
        return Ok(Quantity::Percentile(timed(series(inside.trim())?), percentile));
    }
    if let Some(counter) = Counter::ALL.iter().copied().find(|counter| counter.word() == text) {
        return Ok(Quantity::Count(Counted::Counter(counter)));
    }
    if let Some(share) = Share::ALL.iter().copied().find(|share| share.word() == text) {
        return Ok(Quantity::Share(share));
    }
    let of = [("lag_", Timed::Lag), ("wait_", Timed::Wait), ("approval_to_token_", Timed::ApprovalToToken)];
    let found = of.into_iter().find_map(|(name, timed)| Some((timed, percentile(text.strip_prefix(name)?)?)));
    if let Some((timed, percentile)) = found {
        return Ok(Quantity::Percentile(timed, percentile));
    }
    if percentile(text.strip_prefix("service_").unwrap_or(text)).is_some() {
        return Err(wrong(format!("{text:?} does not say of what"), format!("write {text}(token)")));
    }
    Err(unknown(text))
}

/// `p99`, `p99.9`, `max`
fn percentile(text: &str) -> Option<Percentile> {
    if text == "max" {
        return Percentile::new(100.0);
    }
    let digits = text.strip_prefix('p')?;
    let is_plain = digits.starts_with(|c: char| c.is_ascii_digit());
    Percentile::new(digits.parse().ok().filter(|_| is_plain)?)
}

fn series(text: &str) -> Result<Series, ThresholdError> {
    if let Some(operation) = Operation::ALL.iter().copied().find(|operation| operation.word() == text) {
        return Ok(Series::Operation(operation));
    }
    if let Some(outcome) = Outcome::ALL.iter().copied().find(|outcome| outcome.word() == text) {
        return Ok(Series::Outcome(outcome));
    }
    let words = || {
        let operations = Operation::ALL.iter().map(|operation| operation.word());
        operations.chain(Outcome::ALL.iter().map(|outcome| outcome.word()))
    };
    Err(ThresholdError {
        what: format!("unknown outcome or operation {text:?}"),
        one_of: listed(words()),
        help: meant(text, words()),
    })
}

fn unknown(text: &str) -> ThresholdError {
    let counters = || Counter::ALL.iter().map(|counter| counter.word());
    let shares = || Share::ALL.iter().map(|share| share.word());
    let times = ["lag_p99", "wait_p99", "approval_to_token_p99"];
    let with_series = ["p99(pending)", "service_p99(token)", "count(granted)"];
    let all = || counters().chain(shares()).chain(times).chain(with_series);
    ThresholdError {
        what: format!("unknown figure {text:?}"),
        one_of: listed(all()),
        help: meant(text, all()),
    }
}

fn bound(text: &str, example: &str) -> Result<Bound, ThresholdError> {
    if text.is_empty() {
        return Err(wrong("nothing stands behind the comparison", example));
    }
    if let Ok(count) = text.parse() {
        return Ok(Bound::Count(count));
    }
    if let Some(number) = text.strip_suffix('%') {
        let percent = number.trim().parse::<f64>().ok().filter(|percent| (0.0..=100.0).contains(percent));
        let percent = percent.ok_or_else(|| {
            wrong(format!("cannot read the part {text:?}"), "write 0 % to 100 %, such as 99.9 %")
        })?;
        return Ok(Bound::Share(percent / 100.0));
    }
    if text.contains('/') {
        let rate = text.parse().map_err(|_| {
            wrong(
                format!("cannot read the rate {text:?}"),
                "write a number and what it is counted by: 500/s, 30/min",
            )
        })?;
        return Ok(Bound::Rate(rate));
    }
    let timing = text.parse::<Timing>().ok().filter(|timing| timing.anchor.is_none());
    let help = "write a number (0), a part (99.9 %), a rate (5/s) or a time (200 ms, interval + 1 s)";
    timing.map(Bound::Time).ok_or_else(|| wrong(format!("cannot read the bound {text:?}"), help))
}

/// Only what has one unit can be compared.
fn fits(
    quantity: Quantity,
    relation: Relation,
    bound: &Bound,
    left: &str,
    right: &str,
) -> Result<(), ThresholdError> {
    let (is, like) = match (quantity, bound) {
        (Quantity::Count(_), Bound::Time(_)) => ("a count", "0, 5/s or 0.1 %"),
        (Quantity::Percentile(..), Bound::Count(_) | Bound::Share(_) | Bound::Rate(_)) => {
            ("a time", "200 ms")
        }
        (Quantity::Share(_), Bound::Count(_) | Bound::Rate(_) | Bound::Time(_)) => ("a part", "99.9 %"),
        _ if relation == Relation::Is && !matches!(bound, Bound::Count(_)) => {
            return Err(wrong(
                format!("{left} is measured, and never exactly {right}"),
                "write <, <=, >= or >; == is for counts",
            ));
        }
        _ => return Ok(()),
    };
    Err(wrong(format!("{left} is {is}, and {right:?} is none"), format!("write a bound such as {like}")))
}

fn wrong(what: impl Into<String>, help: impl Into<String>) -> ThresholdError {
    ThresholdError { what: what.into(), one_of: String::new(), help: help.into() }
}

fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

fn meant<'a>(text: &str, words: impl Iterator<Item = &'a str>) -> String {
    closest(text, words)
        .map_or_else(|| "write one of these".to_owned(), |near| format!("did you mean \"{near}\"?"))
}
