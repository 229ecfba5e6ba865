//! Many requests released together: each is sent but for the last byte of its body, then all last bytes go at once.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::watch;
use tokio::time::Instant;

/// How long the slowest connection is waited for before the gate opens all the same.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long after all requests stand at the gate it opens: what was written has left this machine by then.
const SETTLE: Duration = Duration::from_millis(30);

/// Where the last bytes wait.
pub(super) struct Gate {
    runners: usize,
    standing: AtomicUsize,
    opened_at: OnceLock<Instant>,
    open: watch::Sender<bool>,
}

impl Gate {
    /// A closed gate for so many.
    pub(super) fn new(runners: usize) -> Arc<Self> {
        Arc::new(Self {
            runners,
            standing: AtomicUsize::new(0),
            opened_at: OnceLock::new(),
            open: watch::Sender::new(false),
        })
    }

    /// A body that waits here before its last byte.
    pub(super) fn body(self: &Arc<Self>, bytes: Vec<u8>) -> HeldBody {
        let mut first = Bytes::from(bytes);
        let last = first.split_off(first.len().saturating_sub(1));
        let mut open = self.open.subscribe();
        HeldBody {
            first: Some(first),
            last: Some(last),
            wait: Box::pin(async move {
                // An error means that the gate is gone: nothing is left to wait for.
                let _ = open.wait_for(|open| *open).await;
            }),
            stands: false,
            gate: self.clone(),
        }
    }

    /// Opens once all stand at the gate, or after [`PATIENCE`].
    pub(super) async fn open_when_ready(&self) {
        let give_up = Instant::now() + PATIENCE;
        while self.standing.load(Ordering::Relaxed) < self.runners && Instant::now() < give_up {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        tokio::time::sleep(SETTLE).await;
        let _ = self.opened_at.set(Instant::now());
        self.open.send_replace(true);
    }

    /// When it opened.
    pub(super) fn opened_at(&self) -> Option<Instant> {
        self.opened_at.get().copied()
    }
}

/// A body whose last byte waits at the gate.
pub(super) struct HeldBody {
    first: Option<Bytes>,
    last: Option<Bytes>,
    wait: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
    stands: bool,
    gate: Arc<Gate>,
}

impl Body for HeldBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if self.last.is_none() {
            return Poll::Ready(None);
        }
        if !self.stands {
            self.stands = true;
            self.gate.standing.fetch_add(1, Ordering::Relaxed);
        }
        if self.wait.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(self.last.take().map(|last| Ok(Frame::data(last))))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.last.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let left = [&self.first, &self.last].into_iter().flatten().map(Bytes::len).sum::<usize>();
        SizeHint::with_exact(left as u64)
    }
}
