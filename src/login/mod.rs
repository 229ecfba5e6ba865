//! The person's side of the grant: a device that gets its codes, shows them, polls and uses its token.
//!
//! Knows no terminal and no files: what there is to see goes to a [`Screen`], what goes over the wire to an
//! [`Exchanger`]. The pace is [`crate::device`]'s. Never starts a second device authorization by itself (RFC 8628
//! §3.5), never shows a device code or a token.

mod answer;
mod exchange;
mod play;
mod qr;
mod request;
mod screen;
#[cfg(test)]
pub(crate) mod script;
mod settings;
mod text;
mod wire;

pub use exchange::{Exchanger, Failure, LONGEST_BODY, Reply, Request};
pub use play::{Ended, play, run};
#[cfg(test)]
pub(crate) use qr::scan;
pub use qr::{Ink, Qr};
pub use screen::{Event, Prompt, Said, Screen};
pub use settings::{Browser, Settings, SettingsError, system_browser};
pub use wire::{Wire, WireError};
