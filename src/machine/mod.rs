//! What this machine gives to a load run, and what the run and its server take of it. Knows no device, no protocol and
//! no scenario.
//!
//! The kernel's files (`/proc`, the cgroups) are read here and nowhere else. Reading is apart from judging: `kernel`
//! opens files, the parsers beside the types take texts, and [`preflight`] judges values. What a system does not tell
//! is `None`, never zero.

mod kernel;

pub mod child;
pub mod limits;
pub mod preflight;
pub mod process;
pub mod thread;

pub use child::{Child, ChildError};
pub use preflight::{Line, Verdict, Wanted, preflight};
pub use process::Usage;
pub use thread::{RunQueue, Scheduled};
