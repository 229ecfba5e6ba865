//! One HTTP/1.1 connection of the load engine: one write, one read and no allocation for an ordinary exchange.
//!
//! `httparse` reads heads; what is here is the framing of bodies, when a connection may be used again, and limits. It
//! judges answers as hyper does, and a test holds it against hyper (`tests/differential.rs` says where it is stricter).
//! It knows nothing of what answers mean, sets no time limit, follows nothing and never sends anything twice.
//!
//! Connections are many and answers are short, so a connection owns no buffer: all of a thread read into one
//! [`Scratch`]. An answer that came in one piece is looked at there; only one that did not is moved into memory of its
//! connection, which is given back with the last byte.

mod failure;
mod framing;
mod head;
mod incoming;
mod opening;
mod reply;
mod request;
mod shared;

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub use failure::{Failure, Unconnected};
pub use opening::{Spoken, Stream, connect, trusting};
pub use reply::Reply;
pub use request::{NoTemplate, RequestTemplate};
pub use shared::SharedConnection;

use framing::Framing;
use head::Head;
use incoming::{Begun, Incoming};

/// The longest head of an answer, in bytes, interim answers before it included.
pub const LARGEST_HEAD: usize = 64 << 10;

/// How much is read at once, in bytes. An answer of the device flow has a few hundred.
const PIECE: usize = 16 << 10;

/// Where all connections of one thread read to. It is lent for a moment and never across a wait, so any number of
/// exchanges may be under way.
#[derive(Default)]
pub struct Scratch {
    buffers: Cell<Buffers>,
}

#[derive(Default)]
struct Buffers {
    /// What one read brings.
    read: Vec<u8>,
    /// A chunked body without its chunks.
    body: Vec<u8>,
}

impl Scratch {
    /// A buffer for one thread; its 16 KiB are allocated when they are first read to.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lend<R>(&self, using: impl FnOnce(&mut Buffers) -> R) -> R {
        let mut buffers = self.buffers.take();
        buffers.read.resize(PIECE, 0);
        let result = using(&mut buffers);
        self.buffers.set(buffers);
        result
    }
}

/// A connection for one exchange after the other.
pub struct Thin<S> {
    stream: S,
    stage: Stage,
    /// An answer that did not come in one piece.
    incoming: Option<Box<Incoming>>,
}

/// What a connection is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The first exchange.
    New,
    /// Another exchange.
    Idle,
    /// Nothing any more; also what it is during an exchange, so that one that was dropped half-way leaves it so.
    Spent,
}

/// What became of the looking once a piece has come.
enum Looked<R, L> {
    /// The answer was complete, and was looked at.
    At(R),
    /// More is to come before one can look.
    NotYet(L),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Thin<S> {
    /// A connection that nothing has been sent over.
    #[must_use]
    pub fn new(stream: S) -> Self {
        Self { stream, stage: Stage::New, incoming: None }
    }

    /// May another exchange go over it? The server may close it at any time all the same.
    #[must_use]
    pub fn is_reusable(&self) -> bool {
        self.stage != Stage::Spent
    }

    /// Sends one request, reads its answer whole and lets `look` see it. Times are the caller's to take, just before
    /// and in `look`: an exchange reads no clock. An exchange that is dropped before its end spends the connection.
    ///
    /// # Errors
    /// When there is no answer, or none that HTTP allows. The connection is spent then. Nothing is sent twice: only
    /// the caller can know whether a second request breaks the interval of a device.
    pub async fn exchange<R>(
        &mut self,
        request: &[u8],
        scratch: &Scratch,
        mut look: impl FnOnce(Reply<'_>) -> R,
    ) -> Result<R, Failure> {
        let stage = std::mem::replace(&mut self.stage, Stage::Spent);
        let is_reused = match stage {
            Stage::Idle => poll_fn(|cx| Poll::Ready(self.is_silent(cx))).await,
            Stage::New | Stage::Spent => false,
        };
        if stage != Stage::New && !is_reused {
            return Err(Failure::ClosedIdle { written: false });
        }
        self.send(request, is_reused).await?;
        let mut closed_idle = is_reused.then_some(Failure::ClosedIdle { written: true });
        loop {
            let read = poll_fn(|cx| scratch.lend(|buffers| self.poll_piece(cx, &mut buffers.read))).await;
            let length = match read {
                Ok(length) => length,
                Err(error) => return Err(broken(&error, closed_idle)),
            };
            if length == 0 {
                let incoming = self.incoming.take().ok_or(closed_idle.unwrap_or(Failure::ClosedEarly))?;
                return incoming.end().map(|whole| look(whole.reply()));
            }
            closed_idle = None;
            // No wait between the read and here, so nobody else has written to the scratch buffer.
            match scratch.lend(|buffers| self.take(&buffers.read[..length], &mut buffers.body, look))? {
                Looked::At(result) => return Ok(result),
                Looked::NotYet(back) => look = back,
            }
        }
    }

    /// Has the server neither closed the connection nor sent what nobody asked for, such as a 408 before it closes?
    /// Asks the runtime, which asks the system only when it has heard of something to read.
    fn is_silent(&mut self, cx: &mut Context<'_>) -> bool {
        let mut byte = [0];
        Pin::new(&mut self.stream).poll_read(cx, &mut ReadBuf::new(&mut byte)).is_pending()
    }

    async fn send(&mut self, request: &[u8], is_reused: bool) -> Result<(), Failure> {
        let mut written = 0;
        while written < request.len() {
            let write = poll_fn(|cx| Pin::new(&mut self.stream).poll_write(cx, &request[written..])).await;
            written += match write {
                Ok(0) => return Err(Failure::Io(io::ErrorKind::WriteZero)),
                Ok(some) => some,
                Err(error) => {
                    let closed_idle = is_reused.then_some(Failure::ClosedIdle { written: written > 0 });
                    return Err(broken(&error, closed_idle));
                }
            };
        }
        // A TLS session may still hold some of it.
        let flushed = poll_fn(|cx| Pin::new(&mut self.stream).poll_flush(cx)).await;
        flushed.map_err(|error| broken(&error, is_reused.then_some(Failure::ClosedIdle { written: true })))
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut into = ReadBuf::new(into);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut into))?;
        Poll::Ready(Ok(into.filled().len()))
    }

    /// Takes the next piece of the answer, and looks at the answer when that was the last.
    fn take<R, L: FnOnce(Reply<'_>) -> R>(
        &mut self,
        piece: &[u8],
        body: &mut Vec<u8>,
        look: L,
    ) -> Result<Looked<R, L>, Failure> {
        if let Some(mut incoming) = self.incoming.take() {
            let Some(whole) = incoming.feed(piece)? else {
                self.incoming = Some(incoming);
                return Ok(Looked::NotYet(look));
            };
            self.free(whole.is_reusable);
            return Ok(Looked::At(look(whole.reply())));
        }
        let (skipped, head) = Head::final_one(piece, 0)?;
        let piece = &piece[skipped..];
        let Some(head) = head else {
            self.incoming = Some(Box::new(Incoming::Head { kept: piece.to_vec(), skipped }));
            return Ok(Looked::NotYet(look));
        };
        let (head_bytes, rest) = piece.split_at(head.length);
        let mut framing = head.framing;
        if let Framing::Length(length) = framing
            && let Some(whole) = rest.get(..length)
        {
            self.free(head.keeps_alive && rest.len() == length);
            return Ok(Looked::At(look(Reply::new(&head, head_bytes, whole))));
        }
        body.clear();
        let taken = framing.take(rest, body)?;
        if taken.is_end {
            self.free(head.keeps_alive && taken.used == rest.len());
            return Ok(Looked::At(look(Reply::new(&head, head_bytes, body))));
        }
        let kept = [head_bytes, body].concat();
        self.incoming = Some(Box::new(Incoming::Body(Begun { head, framing, kept })));
        Ok(Looked::NotYet(look))
    }

    fn free(&mut self, is_reusable: bool) {
        if is_reusable {
            self.stage = Stage::Idle;
        }
    }
}

/// What an error of the stream means; `closed_idle` if the connection was idle before and nothing has come yet.
fn broken(error: &io::Error, closed_idle: Option<Failure>) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::NotConnected
        // TLS without a goodbye: what came may have been cut.
        | io::ErrorKind::UnexpectedEof => closed_idle.unwrap_or(Failure::ClosedEarly),
        kind => Failure::Io(kind),
    }
}

#[cfg(test)]
mod tests;
