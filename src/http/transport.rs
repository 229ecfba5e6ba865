//! What every way to send a request has in common.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::compose::Composed;
use crate::exchange::{Answer, NoAnswer};

/// The largest body that is read, in bytes.
pub const LARGEST_BODY: usize = 1 << 20;

/// One request sent, and what came of it.
pub struct Sent {
    /// What came back.
    pub answer: Result<Answer, NoAnswer>,
    /// Just before the first byte went out; in a race, before the last byte did.
    pub sent: Instant,
    /// After the last byte came in.
    pub done: Instant,
}

/// Sends one request at a time; never follows, never repeats. All that a device needs.
pub trait Exchanger: Send + Sync {
    /// Sends one request and reads the whole answer.
    fn send<'a>(&'a self, request: &'a Composed) -> BoxFuture<'a, Sent>;
}

/// A way to send all requests of a run. One for each case: connections are not shared between cases.
pub trait Transport: Exchanger {
    /// Sends all of them at the same moment, each on a connection of its own.
    fn race<'a>(&'a self, requests: &'a [Composed]) -> BoxFuture<'a, Vec<Sent>>;

    /// A TLS handshake with the server of this URL that verifies its certificate; what is wrong otherwise.
    fn handshake<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), NoAnswer>>;

    /// Is there TLS on this way, where the URL says https?
    fn has_tls(&self) -> bool {
        true
    }

    /// The same way with connections of its own, for one case.
    fn fresh(&self) -> Result<Arc<dyn Transport>, NoAnswer>;
}
