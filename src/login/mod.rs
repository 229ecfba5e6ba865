//! The person's side of the grant: a device that gets its codes, shows them, polls and uses its token.
//!
//! Knows no terminal, no files and no sockets: what there is to see goes to a [`Screen`], requests are composed by
//! [`crate::compose`] and go to an [`Exchanger`](crate::http::Exchanger). The pace is [`crate::device`]'s. Never starts
//! a second device authorization by itself (RFC 8628 §3.5), never shows a device code or a token.
//!
//! The client says who it is by one method only (RFC 6749 §2.3): by HTTP Basic alone, without `client_id` in the body;
//! by `client_id` and `client_secret` in the body; or, when it does not authenticate, by `client_id` (RFC 8628 §3.1,
//! §3.4: required of such clients only).

mod answer;
mod play;
mod qr;
mod screen;
mod settings;
mod text;

pub use play::{Ended, play};
pub use qr::{Ink, Qr};
pub use screen::{Event, Prompt, Said, Screen};
pub use settings::{Browser, Settings, SettingsError, system_browser};
