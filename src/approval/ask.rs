//! What a driver is asked and what it hands back.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::{ApprovalError, Tab, Trace};
use crate::exchange::Page;
use crate::secret::Secret;
use crate::suite::{PageMethod, Reach, Tamper};
use crate::target::{Blanks, Decision, User};

/// Plays the user.
pub trait Driver: Send + Sync {
    /// Brings the decision before the server, by the deadline. Many may run at once, none knows of another.
    fn decide<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Submitted, ApprovalError>>;

    /// Opens a page and decides nothing.
    fn open<'a>(&'a self, opening: Opening<'a>) -> BoxFuture<'a, Result<Opened, ApprovalError>>;
}

/// One decision that is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// For whom: the check or, under load, the device.
    pub case: &'a str,
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
    /// How it goes otherwise than an ordinary visit.
    pub manner: Manner<'a>,
}

/// How a visit goes otherwise than an ordinary one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner<'a> {
    /// Where every request is noted.
    pub trace: Option<&'a Trace>,
    /// The browser that is used; with a decision, the page at which it is made.
    pub tab: Option<&'a Tab>,
    /// How the decision is forged.
    pub tamper: Option<&'a Tamper>,
    /// The page that the forger has seen himself.
    pub known: Option<&'a Tab>,
}

/// A page that is to be opened.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    /// Whose code, who signs in, and until when; what is typed is its `user_code`. It decides nothing.
    pub ask: Ask<'a>,
    /// How far.
    pub reach: Reach,
    /// How the first request is sent.
    pub method: PageMethod,
    /// Headers of the first request, beside those that a browser sends.
    pub headers: &'a [(String, String)],
}

/// A page that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The browser that shows it.
    pub tab: Tab,
    /// Why it is not the page that was wanted, if it is not.
    pub short_of: Option<ApprovalError>,
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
    /// The status of the page that followed; none where a person saw it.
    pub status: Option<u16>,
    /// The page that followed; none where a person saw it.
    pub page: Option<Page>,
}

impl Submitted {
    /// Whether it came out as far as its user can see: no page of an error followed.
    #[must_use]
    pub fn came_out(&self) -> bool {
        self.status.is_none_or(|status| status < 400)
    }
}

impl<'a> Ask<'a> {
    /// What the blanks of a target file are filled with, for this user and with these kept values.
    pub(super) const fn blanks<'b>(&self, user: &'b User, kept: &'b BTreeMap<String, Secret>) -> Blanks<'b>
    where
        'a: 'b,
    {
        Blanks {
            user,
            user_code: self.user_code,
            verification_uri: self.verification_uri,
            verification_uri_complete: self.verification_uri_complete,
            decision: self.decision,
            kept,
        }
    }

    /// The address at which the user starts; none where the complete one is wanted and there is none.
    #[must_use]
    pub fn start_uri(&self) -> Option<&str> {
        match self.start {
            Start::CompleteUri => self.verification_uri_complete,
            Start::Uri => Some(self.verification_uri),
        }
    }
}
