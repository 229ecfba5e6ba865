//! What a driver is asked and what it hands back.

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::ApprovalError;
use crate::target::{Decision, User};

/// Plays the user.
pub trait Driver: Send + Sync {
    /// Brings the decision before the server, by the deadline. Many may run at once, none knows of another.
    fn decide<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Submitted, ApprovalError>>;
}

/// One decision that is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Yes or no.
    pub decision: Decision,
    /// Who decides.
    pub user: &'a User,
    /// The code as the device shows it.
    pub user_code: &'a str,
    /// Where the user types it (RFC 8628 §3.2).
    pub verification_uri: &'a str,
    /// The same with the code inside (RFC 8628 §3.3.1).
    pub verification_uri_complete: Option<&'a str>,
    /// At which of the two the user starts.
    pub start: Start,
    /// When it is too late.
    pub deadline: Instant,
}

/// Where the user starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At `verification_uri_complete`.
    CompleteUri,
    /// At `verification_uri`.
    Uri,
}

/// A decision that was submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Just before the decisive request.
    pub sent: Instant,
    /// Its answer was read, redirects followed.
    pub done: Instant,
    /// The page that followed; none where a person saw it.
    pub page: Option<Page>,
}

/// What a page showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// The title.
    pub title: String,
    /// The text that a reader sees, spaces run together, without the user's password.
    pub text: String,
}

impl Ask<'_> {
    /// The address at which the user starts; none where the complete one is wanted and there is none.
    #[must_use]
    pub fn start_uri(&self) -> Option<&str> {
        match self.start {
            Start::CompleteUri => self.verification_uri_complete,
            Start::Uri => Some(self.verification_uri),
        }
    }
}
