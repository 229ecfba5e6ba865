//! What a driver asked for and saw, page by page, for the record. Knows no recipe.

use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, Request, Response};
use tokio::time::Instant;

use bytes::Bytes;

use super::PageError;
use crate::exchange::Page;

/// Every request of one visit, in order.
#[derive(Debug, Default)]
pub struct Trace(Mutex<Vec<Fetched>>);

/// One request for a page and its answer. Raw: judged as it is, shown by `redact`.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The request, with its whole body.
    pub request: Request<Bytes>,
    /// The answer, or why there is none.
    pub answer: Result<Response<Bytes>, PageError>,
    /// Just before it was sent.
    pub sent: Instant,
    /// After the answer was read.
    pub done: Instant,
    /// What the page shows; none for a redirect on the way.
    pub page: Option<Page>,
    /// The fields whose values may be shown: the button that was pressed.
    pub open: Vec<String>,
    /// It is no request that a browser of this user would send.
    pub raw: bool,
}

impl Trace {
    /// Takes note of one request.
    pub fn keep(&self, fetched: Fetched) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(fetched);
    }

    /// Says what the page of the last request shows.
    pub fn last_shows(&self, page: Page) {
        if let Some(last) = self.0.lock().unwrap_or_else(PoisonError::into_inner).last_mut() {
            last.page = Some(page);
        }
    }

    /// Everything so far.
    #[must_use]
    pub fn into_all(self) -> Vec<Fetched> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Headers as names and values, in order.
#[must_use]
pub fn header_list(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}
