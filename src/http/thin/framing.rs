//! Where a body ends, piece by piece: by length, by chunks (RFC 9112 §7.1), or with the connection.

use super::Failure;
use super::head::{MOST_HEADERS, refused};

/// The most bytes of chunk extensions in one body: as many as hyper takes.
const MOST_EXTENSION: usize = 16 << 10;

/// The most bytes of trailers: as many as hyper takes.
const MOST_TRAILER: usize = 16 << 10;

/// How the rest of a body is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes more.
    Length(usize),
    /// In chunks.
    Chunked(Chunks),
    /// To the end of the connection.
    Close,
}

/// What was taken of a piece.
pub(super) struct Taken {
    /// Bytes that belong to the answer; the rest is of another one.
    pub(super) used: usize,
    /// Is the body complete?
    pub(super) is_end: bool,
}

/// Where in a chunked body we are. Lines of the trailer lie behind the body until they are complete and checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunks {
    place: Place,
    /// The size of the chunk, or what is left of it.
    left: u64,
    /// Bytes of extensions so far.
    extension: usize,
    /// Bytes of the trailer so far.
    trailer: usize,
    /// Lines of the trailer so far.
    lines: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    FirstDigit,
    Digit,
    /// Blanks after the size.
    Blank,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// The start of a line of the trailer, or of the empty one at its end.
    LineStart,
    Line,
    LineLf,
    EndLf,
}

impl Framing {
    pub(super) fn chunked() -> Self {
        Self::Chunked(Chunks { place: Place::FirstDigit, left: 0, extension: 0, trailer: 0, lines: 0 })
    }

    /// Takes what belongs to the body, without chunks.
    pub(super) fn take(&mut self, piece: &[u8], into: &mut Vec<u8>) -> Result<Taken, Failure> {
        match self {
            Self::Length(left) => {
                let used = piece.len().min(*left);
                into.extend_from_slice(&piece[..used]);
                *left -= used;
                Ok(Taken { used, is_end: *left == 0 })
            }
            Self::Chunked(chunks) => chunks.take(piece, into),
            Self::Close => {
                into.extend_from_slice(piece);
                Ok(Taken { used: piece.len(), is_end: false })
            }
        }
    }

    /// How many bytes behind the body are none of it.
    pub(super) fn trailer(&self) -> usize {
        if let Self::Chunked(chunks) = self { chunks.trailer } else { 0 }
    }
}

impl Chunks {
    fn take(&mut self, piece: &[u8], into: &mut Vec<u8>) -> Result<Taken, Failure> {
        let mut used = 0;
        while let Some(&byte) = piece.get(used) {
            if self.place == Place::Data {
                let rest = &piece[used..];
                let data = usize::try_from(self.left).map_or(rest, |left| &rest[..left.min(rest.len())]);
                into.extend_from_slice(data);
                used += data.len();
                self.left -= data.len() as u64;
                if self.left == 0 {
                    self.place = Place::DataCr;
                }
                continue;
            }
            used += 1;
            if self.step(byte, into)? {
                return Ok(Taken { used, is_end: true });
            }
        }
        Ok(Taken { used, is_end: false })
    }

    /// One byte that is no data; true after the last one. As strict as hyper: CRLF and no bare LF.
    fn step(&mut self, byte: u8, into: &mut Vec<u8>) -> Result<bool, Failure> {
        self.place = match (self.place, byte) {
            (Place::FirstDigit | Place::Digit, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                self.digit(byte)?
            }
            (Place::Digit | Place::Blank, b' ' | b'\t') => Place::Blank,
            (Place::Digit | Place::Blank, b';') => Place::Extension,
            (Place::Digit | Place::Blank | Place::Extension, b'\r') => Place::SizeLf,
            (Place::Extension, b'\n') => return Err(Failure::Malformed("chunk extension")),
            (Place::Extension, _) => {
                self.extension += 1;
                if self.extension >= MOST_EXTENSION {
                    return Err(Failure::TooLarge);
                }
                Place::Extension
            }
            (Place::SizeLf, b'\n') if self.left == 0 => Place::LineStart,
            (Place::SizeLf, b'\n') => Place::Data,
            (Place::DataCr, b'\r') => Place::DataLf,
            (Place::DataLf, b'\n') => Place::FirstDigit,
            (Place::LineStart, b'\r') if self.trailer == 0 => Place::EndLf,
            (Place::EndLf, b'\n') if self.trailer == 0 => return Ok(true),
            (Place::LineStart | Place::Line | Place::LineLf | Place::EndLf, _) => {
                return self.trailer_byte(byte, into);
            }
            (Place::FirstDigit | Place::Digit | Place::Blank | Place::SizeLf, _) => {
                return Err(Failure::Malformed("chunk size"));
            }
            (Place::Data | Place::DataCr | Place::DataLf, _) => return Err(Failure::Malformed("chunk end")),
        };
        Ok(false)
    }

    fn digit(&mut self, byte: u8) -> Result<Place, Failure> {
        let digit = char::from(byte).to_digit(16).map(u64::from);
        let size = self.left.checked_mul(16).zip(digit).and_then(|(size, digit)| size.checked_add(digit));
        self.left = size.ok_or(Failure::Malformed("chunk size"))?;
        Ok(Place::Digit)
    }

    /// Keeps the trailer for httparse, to its empty line, and takes it away again.
    fn trailer_byte(&mut self, byte: u8, into: &mut Vec<u8>) -> Result<bool, Failure> {
        into.push(byte);
        self.trailer += 1;
        if self.trailer >= MOST_TRAILER {
            return Err(Failure::TooLarge);
        }
        self.place = match (self.place, byte) {
            (Place::LineStart, b'\r') => Place::EndLf,
            (Place::LineStart, _) => Place::Line,
            (Place::Line, b'\r') => Place::LineLf,
            (Place::LineLf, b'\n') => {
                self.lines += 1;
                if self.lines > MOST_HEADERS {
                    return Err(Failure::TooLarge);
                }
                Place::LineStart
            }
            (Place::EndLf, b'\n') => return self.end_trailer(into),
            (Place::Line, _) => Place::Line,
            _ => return Err(Failure::Malformed("trailer")),
        };
        Ok(false)
    }

    fn end_trailer(&mut self, into: &mut Vec<u8>) -> Result<bool, Failure> {
        let trailer = into.len() - self.trailer;
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let parsed =
            httparse::parse_headers(&into[trailer..], &mut headers[..self.lines]).map_err(refused)?;
        if parsed.is_partial() {
            return Err(Failure::Malformed("trailer"));
        }
        into.truncate(trailer);
        self.trailer = 0;
        Ok(true)
    }
}
