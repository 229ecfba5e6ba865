//! Requests out, answers in, as bytes. Knows nothing of what they mean.

mod in_process;
mod race;
mod transport;
mod wire;

pub use in_process::InProcess;
pub use transport::{Exchanger, LARGEST_BODY, Sent, Transport};
pub use wire::Wire;
