//! The load engine: millions of devices that poll, every answer judged as it comes.
//!
//! - `setup`: what a run is made of
//! - `run`: shards as threads, their reports put together each second
//! - `shard`: one thread with its own runtime; `state`: what it knows; `worker`: one connection of its pool
//! - `dialogue`: what a device asks and what it makes of the answer, without a connection
//! - `wheel`, `population`: who is due, in bytes and not in tasks
//! - `crowd`: a number of devices that changes, for the search for a capacity
//! - `answer`, `verdict`, `distinct`: what came, and whether it may be
//! - `decide`: the users; `racer`: devices that break the rules on purpose; `guess`: who types codes of nobody
//! - `goose`: the second engine, which plays the same with Goose; `seats`: who plays which device there
//!
//! A device is a record of 104 bytes and not a task. The arms of the wheel (`shard`) are the only place with a clock;
//! what a device does and when is `device`'s and the schedule's to say, what an answer is worth the oracle's.

mod answer;
mod crowd;
mod decide;
mod dialogue;
mod distinct;
#[cfg(feature = "goose")]
pub mod goose;
mod guess;
mod packed;
mod population;
mod racer;
mod run;
#[cfg_attr(not(feature = "goose"), expect(dead_code, reason = "only the second engine seats its devices"))]
mod seats;
mod setup;
mod shard;
mod state;
mod verdict;
mod wheel;
mod worker;

pub use crowd::Wanted;
pub use decide::{Decider, Hook, Typist};
pub use distinct::{Distinct, Key};
pub use run::{Outcomes, Watching, run};
pub use setup::{Place, Requests, Setup, SetupError, Shared};
