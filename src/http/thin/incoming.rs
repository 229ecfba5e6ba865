//! An answer that does not come in one piece: what came so far, until it is whole.

use super::framing::Framing;
use super::head::Head;
use super::{Failure, LARGEST_HEAD, Reply};
use crate::http::LARGEST_BODY;

/// What came of an answer. The memory is the connection's own, and is given back with the answer.
pub(super) enum Incoming {
    Head {
        kept: Vec<u8>,
        /// Length of interim answers that were taken away.
        skipped: usize,
    },
    Body(Begun),
}

/// A whole head, and the start of a body.
pub(super) struct Begun {
    pub(super) head: Head,
    /// How the rest of the body is framed.
    pub(super) framing: Framing,
    /// The head, then the body without chunks.
    pub(super) kept: Vec<u8>,
}

/// A whole answer.
pub(super) struct Whole {
    head: Head,
    kept: Vec<u8>,
    /// May the connection be used again?
    pub(super) is_reusable: bool,
}

impl Incoming {
    /// Takes the next piece; gives the answer when that was the last.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<Option<Whole>, Failure> {
        let (kept, skipped) = match self {
            Self::Head { kept, skipped } => (kept, skipped),
            Self::Body(begun) => return begun.feed(piece),
        };
        let known = kept.len();
        kept.extend_from_slice(piece);
        // A head that comes byte by byte is not parsed at every byte: without an empty line it is not complete. Its
        // first piece is: what can become no head is refused at once.
        if known > 0 && !ends_a_head(&kept[known.saturating_sub(3)..]) {
            let is_too_large = *skipped + kept.len() > LARGEST_HEAD;
            return if is_too_large { Err(Failure::TooLarge) } else { Ok(None) };
        }
        let (interim, head) = Head::final_one(kept, *skipped)?;
        kept.drain(..interim);
        *skipped += interim;
        let Some(head) = head else { return Ok(None) };
        let rest = kept.split_off(head.length);
        let mut begun = Begun { head, framing: head.framing, kept: std::mem::take(kept) };
        let whole = begun.feed(&rest)?;
        *self = Self::Body(begun);
        Ok(whole)
    }

    /// The connection was closed: the answer, if that is its end.
    pub(super) fn end(self) -> Result<Whole, Failure> {
        match self {
            Self::Body(Begun { head, framing: Framing::Close, kept }) => {
                Ok(Whole { head, kept, is_reusable: false })
            }
            Self::Body(_) | Self::Head { .. } => Err(Failure::ClosedEarly),
        }
    }
}

impl Begun {
    fn feed(&mut self, piece: &[u8]) -> Result<Option<Whole>, Failure> {
        let taken = self.framing.take(piece, &mut self.kept)?;
        if self.kept.len() - self.head.length - self.framing.trailer() > LARGEST_BODY {
            return Err(Failure::TooLarge);
        }
        Ok(taken.is_end.then(|| Whole {
            head: self.head,
            kept: std::mem::take(&mut self.kept),
            is_reusable: self.head.keeps_alive && taken.used == piece.len(),
        }))
    }
}

impl Whole {
    pub(super) fn reply(&self) -> Reply<'_> {
        let (head, body) = self.kept.split_at(self.head.length);
        Reply::new(&self.head, head, body)
    }
}

/// Is there an empty line, after a line that ends in LF or CRLF?
fn ends_a_head(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|two| two == b"\n\n") || bytes.windows(3).any(|three| three == b"\n\r\n")
}
