//! What a run must come to: `violations == 0`, `p99(pending) < 200 ms`, `grants >= 99.9 %`. Knows what can be asked for;
//! the figures come from whoever played the scenario, or reads its record.

use std::fmt;
use std::time::Duration;

use super::rate::Rate;
use super::setting::Setting;
use crate::outcome::Outcome;
use crate::protocol::words::words;
use crate::timing::Timing;

/// A bound on one figure of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// The figure.
    pub quantity: Quantity,
    /// How it must stand to the bound.
    pub relation: Relation,
    /// The bound.
    pub bound: Bound,
    text: String,
}

/// A figure of a run that a threshold can speak of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quantity {
    /// How many; also in a second of the duration, or as a part of all requests, by the unit of the bound.
    Count(Counted),
    /// A percentile of a time.
    Percentile(Timed, Percentile),
    /// A part of a whole.
    Share(Share),
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counted {
    /// Findings about answers: `violations`.
    Counter(Counter),
    /// Answers: `count(pending)`, `count(token)`.
    Answers(Series),
}

words! {
    /// What is counted over a run.
    Counter {
        /// Answers that the oracle's table grades fail, security-high or security-critical.
        Violations = "violations",
        /// Answers that it grades milder, and not ok.
        Warnings = "warnings",
        /// Requests that got no answer, or one from which nothing follows: broken, malformed.
        Errors = "errors",
        /// Answers 429 or 503.
        Limited = "limited",
        /// Tokens that were made, and whose answer was lost on the way.
        Lost = "lost",
        /// `slow_down` to devices that kept their interval.
        SlowDowns = "slow_downs",
    }
}

words! {
    /// A part of a whole.
    Share {
        /// Granted of those approved at least one interval and `propagation` before expiry and before the end.
        Grants = "grants",
        /// The part of the time that the worst shard's thread waited in the run queue.
        RunQueue = "run_queue",
    }
}

words! {
    /// What a request of the run was for.
    Operation {
        /// Device authorization requests (RFC 8628 §3.1).
        DeviceAuthorization = "device_authorization",
        /// Device access token requests (RFC 8628 §3.4).
        Token = "token",
        /// Decisions by the approval driver.
        Approval = "approval",
        /// Polls with codes that were never issued.
        Stranger = "stranger",
    }
}

/// The answers of one operation, or of one outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Series {
    /// All of one operation.
    Operation(Operation),
    /// All that mean this.
    Outcome(Outcome),
}

/// What took a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Timed {
    /// Answers, from the intended instant to the whole answer: `p99(pending)`.
    Response(Series),
    /// Answers, from the first byte sent to the whole answer: `service_p99(token)`.
    Service(Series),
    /// The generator's own delay, from the intended instant until the request was taken up: `lag_p99`.
    Lag,
    /// Waiting for a free connection, and connecting: `wait_p99`.
    Wait,
    /// From the end of an approval to the token: `approval_to_token_p99`.
    ApprovalToToken,
}

/// Of a hundred values, so many are not greater: above 0, and 100 for the greatest.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Percentile(f64);

words! {
    /// How a figure must stand to its bound.
    Relation {
        /// Less.
        Below = "<",
        /// Not more.
        AtMost = "<=",
        /// Exactly so many.
        Is = "==",
        /// Not less.
        AtLeast = ">=",
        /// More.
        Above = ">",
    }
}

/// The right side of a threshold, in its unit.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// So many.
    Count(u64),
    /// A part of a whole, 1.0 being all of it.
    Share(f64),
    /// So many in a second.
    Rate(Rate),
    /// A length of time; may be `interval + 1 s`.
    Time(Timing),
}

/// A figure as it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Amount {
    /// So many.
    Count(u64),
    /// A part of a whole, 1.0 being all of it.
    Share(f64),
    /// So many in a second.
    Rate(Rate),
    /// A length of time.
    Time(Duration),
}

/// What thresholds are judged by; of the duration alone, except the counters of the oracle, which are of the whole run.
pub trait Figures {
    /// How long was measured, in seconds.
    fn seconds(&self) -> f64;
    /// How many requests were answered or given up in it.
    fn requests(&self) -> u64;
    /// How many; nothing where it is not measured.
    fn count(&self, counted: Counted) -> Option<u64>;
    /// A part of a whole, 1.0 being all of it; nothing where the whole is empty or not measured.
    fn share(&self, share: Share) -> Option<f64>;
    /// A percentile; nothing where there is no value.
    fn percentile(&self, timed: Timed, percentile: Percentile) -> Option<Duration>;
}

/// Whether the generator kept up with its own schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generator {
    /// What was measured is the server's.
    KeptUp,
    /// It was the limit: no time and no rate is the server's.
    WasTheLimit,
}

/// What became of a threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Judgement {
    /// It holds.
    Met(Amount),
    /// It does not.
    Missed(Amount),
    /// Nothing can be said.
    NotJudged(Unjudged),
}

words! {
    /// Why a threshold is not judged.
    Unjudged {
        /// The run is not valid.
        GeneratorWasTheLimit = "the generator was the limit",
        /// There is no figure.
        NothingMeasured = "nothing was measured",
    }
}

impl Series {
    /// Is an answer of this operation and meaning one of them? Strangers have a series of their own.
    #[must_use]
    pub fn has(self, operation: Operation, outcome: Outcome) -> bool {
        match self {
            Self::Operation(wanted) => wanted == operation,
            Self::Outcome(wanted) => {
                let is_polled = matches!(operation, Operation::Token | Operation::DeviceAuthorization);
                wanted == outcome && is_polled
            }
        }
    }
}

impl Threshold {
    /// A bound that somebody wrote so.
    pub(super) fn new(quantity: Quantity, relation: Relation, bound: Bound, text: &str) -> Self {
        Self { quantity, relation, bound, text: text.to_owned() }
    }

    /// The figure as its author wrote it: `p99(pending)`.
    #[must_use]
    pub fn left(&self) -> &str {
        let end = self.text.find(['<', '>', '=']).unwrap_or(self.text.len());
        self.text.get(..end).unwrap_or_default().trim_end()
    }

    /// Holds the figures of a run against it.
    pub fn judge(&self, figures: &impl Figures, setting: &Setting, generator: Generator) -> Judgement {
        if generator == Generator::WasTheLimit && !self.holds_of_any_run() {
            return Judgement::NotJudged(Unjudged::GeneratorWasTheLimit);
        }
        match self.measured(figures) {
            None => Judgement::NotJudged(Unjudged::NothingMeasured),
            Some(amount) if self.holds(amount, setting) => Judgement::Met(amount),
            Some(amount) => Judgement::Missed(amount),
        }
    }

    /// Does it speak of answers and not of times and rates, so that a slow generator does not matter?
    #[must_use]
    pub const fn holds_of_any_run(&self) -> bool {
        let oracle = matches!(
            self.quantity,
            Quantity::Count(Counted::Counter(Counter::Violations | Counter::Warnings))
        );
        oracle && matches!(self.bound, Bound::Count(_))
    }

    /// Does it speak of the generator and not of the server?
    #[must_use]
    pub const fn is_about_the_generator(&self) -> bool {
        matches!(self.quantity, Quantity::Percentile(Timed::Lag, _) | Quantity::Share(Share::RunQueue))
    }

    /// The figure, in the unit of the bound.
    pub fn measured(&self, figures: &impl Figures) -> Option<Amount> {
        Some(match (self.quantity, &self.bound) {
            (Quantity::Percentile(timed, percentile), _) => {
                Amount::Time(figures.percentile(timed, percentile)?)
            }
            (Quantity::Share(share), _) => Amount::Share(figures.share(share)?),
            (Quantity::Count(counted), Bound::Share(_)) => {
                let (part, whole) = (figures.count(counted)?, figures.requests());
                let share = (whole > 0).then(|| part as f64 / whole as f64)?;
                Amount::Share(share)
            }
            (Quantity::Count(counted), Bound::Rate(_)) => {
                let count = figures.count(counted)? as f64;
                Amount::Rate(Rate::per_second(count / figures.seconds())?)
            }
            (Quantity::Count(counted), _) => Amount::Count(figures.count(counted)?),
        })
    }

    fn holds(&self, amount: Amount, setting: &Setting) -> bool {
        let order = match (amount, &self.bound) {
            (Amount::Count(found), Bound::Count(bound)) => found.partial_cmp(bound),
            (Amount::Share(found), Bound::Share(bound)) => found.partial_cmp(bound),
            (Amount::Rate(found), Bound::Rate(bound)) => found.partial_cmp(bound),
            (Amount::Time(found), Bound::Time(bound)) => found.partial_cmp(&bound.length(setting)),
            _ => None,
        };
        order.is_some_and(|order| match self.relation {
            Relation::Below => order.is_lt(),
            Relation::AtMost => order.is_le(),
            Relation::Is => order.is_eq(),
            Relation::AtLeast => order.is_ge(),
            Relation::Above => order.is_gt(),
        })
    }
}

impl Percentile {
    /// So many of a hundred: above 0, up to 100.
    #[must_use]
    pub fn new(of_a_hundred: f64) -> Option<Self> {
        (of_a_hundred > 0.0 && of_a_hundred <= 100.0).then_some(Self(of_a_hundred))
    }

    /// So many of a hundred.
    #[must_use]
    pub const fn of_a_hundred(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Percentile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 100.0 { f.write_str("max") } else { write!(f, "p{}", self.0) }
    }
}

impl fmt::Display for Judgement {
    /// `met: 31.2 ms`, `not judged: nothing was measured`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Met(amount) => write!(f, "met: {amount}"),
            Self::Missed(amount) => write!(f, "missed: {amount}"),
            Self::NotJudged(why) => write!(f, "not judged: {why}"),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Share(share) => write!(f, "{} %", short(share * 100.0, 4)),
            Self::Rate(rate) => write!(f, "{rate}"),
            Self::Time(time) => {
                let seconds = time.as_secs_f64();
                if seconds < 1.0 {
                    write!(f, "{} ms", short(seconds * 1000.0, 3))
                } else {
                    write!(f, "{} s", short(seconds, 3))
                }
            }
        }
    }
}

/// At most so many decimals, without zeros at the end.
fn short(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
