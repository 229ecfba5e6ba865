//! The pages of the end user (RFC 8628 §3.3). They work by keyboard, with a screen reader and without scripts.
//!
//! ```text
//! GET  verification_uri            -> 303 to the sign-in page, or the form for the code
//! GET  verification_uri_complete   -> 303 to the sign-in page, or the confirmation
//! POST sign-in   (csrf, username, password, user_code)  -> 303 back
//! POST code form (csrf, user_code)                      -> 303 to the confirmation
//! POST decision  (csrf, user_code, decision=approve|deny) -> the closing page
//! ```

mod activate;
mod decision;
mod layout;
mod login;
mod notice;
mod visitor;

pub(super) use activate::activate;
pub(super) use decision::decision;
pub(super) use layout::stylesheet;
pub(super) use login::{login, sign_out};
pub(super) use notice::{not_found, refused};
