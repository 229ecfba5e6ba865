//! Requests out, answers in, as bytes. Knows nothing of what they mean.

mod client;
mod in_process;
mod pages;
mod race;
mod scrape;
pub mod thin;
mod transport;
mod trust;
mod wire;

pub use in_process::InProcess;
pub use pages::HttpPages;
pub use scrape::Scrape;
pub use transport::{Exchanger, LARGEST_BODY, Sent, Transport};
pub use trust::{Trust, TrustError};
pub use wire::{Reuse, Wire};
