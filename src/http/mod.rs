//! Requests out, answers in, as bytes. Knows nothing of what they mean.

mod client;
mod in_process;
mod pages;
mod race;
mod roots;
mod scrape;
pub mod thin;
mod transport;
mod wire;

pub use in_process::InProcess;
pub use pages::HttpPages;
pub use roots::{Roots, RootsError};
pub use scrape::Scrape;
pub use transport::{Exchanger, LARGEST_BODY, Sent, Transport};
pub use wire::{Reuse, Wire};
