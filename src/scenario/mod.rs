//! Load scenarios: what a YAML file of `suites/load/` may say, what must be true of it before anything is sent, and what
//! follows from it: who does what and when, and how much that will be. No clock, no socket.
//!
//! - `model`, `leaves`, `rate`: the file as its author wrote it
//! - `validate`: every mistake of meaning, each at its place
//! - `scale`: the same scenario with more devices, another rate, for longer
//! - `setting`: what the server announces, and the stages of a run in it
//! - `schedule`, `arrivals`, `draw`: what each device does, the same for any number of shards
//! - `threshold`, `expression`: what the run must come to
//! - `estimate`: peaks, sockets, memory and time, for `--dry-run`
//! - `shipped`: the scenarios that devgrant brings along

mod arrivals;
mod draw;
mod estimate;
mod expression;
mod leaves;
mod model;
mod rate;
mod scale;
mod schedule;
mod setting;
mod shipped;
#[cfg(test)]
mod tests;
mod threshold;
mod validate;

pub use arrivals::{Arrival, Arrivals, Shard};
pub use draw::Draw;
pub use estimate::Estimate;
pub use expression::{AbortRule, AbortWatch, ThresholdError};
pub use leaves::{After, Polls, SourceAddress};
pub use model::{
    Approvals, Arrive, Burst, ConnectionMode, Connections, DecideRule, Embedded, Group, Hold, HttpVersion,
    NothingRule, Phase, Ramp, RateRule, Scenario, Strangers, UserChoice,
};
pub use rate::{Rate, RateError};
pub use scale::{ScaleError, Scaling};
pub use schedule::{DevicePlan, GroupPlan, Pace, PlannedDecision, Schedule, StrangerKind, When};
pub use setting::{Setting, Stage, Timeline};
pub use threshold::{
    Amount, Bound, Counted, Counter, Figures, Generator, Judgement, Operation, Percentile, Quantity,
    Relation, Series, Share, Threshold, Timed, Unjudged,
};
