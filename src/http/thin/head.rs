//! The head of an answer: what httparse found in it, and how the body is framed (RFC 9112 §6.3).

use std::mem::MaybeUninit;

use httparse::{Error, Header, Response, Status};

use super::framing::Framing;
use super::{Failure, LARGEST_HEAD};
use crate::http::LARGEST_BODY;

/// The most headers of an answer, and of a trailer: as many as hyper takes.
pub(super) const MOST_HEADERS: usize = 100;

/// Where a value lies in its head.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// What matters of a head.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) status: u16,
    /// Bytes to the end of the empty line.
    pub(super) length: usize,
    pub(super) framing: Framing,
    /// May the connection be used again once the body is read?
    pub(super) keeps_alive: bool,
    pub(super) content_type: Option<Span>,
    pub(super) retry_after: Option<Span>,
    pub(super) cache_control: Option<Span>,
}

impl Head {
    /// The head of the final answer, and how many bytes of interim answers stand before it (RFC 9110 §15.2). No head:
    /// it is not complete. `before` is the length of interim answers that were taken away already.
    pub(super) fn final_one(bytes: &[u8], before: usize) -> Result<(usize, Option<Self>), Failure> {
        let mut skipped = 0;
        let head = loop {
            match Self::parse(&bytes[skipped..])? {
                Some(head) if matches!(head.status, 100 | 102..=199) => skipped += head.length,
                head => break head,
            }
        };
        let length = head.map_or(bytes.len() - skipped, |head| head.length);
        if before + skipped + length > LARGEST_HEAD { Err(Failure::TooLarge) } else { Ok((skipped, head)) }
    }

    fn parse(bytes: &[u8]) -> Result<Option<Self>, Failure> {
        let mut headers = [const { MaybeUninit::uninit() }; MOST_HEADERS];
        let mut response = Response::new(&mut []);
        let parser = httparse::ParserConfig::default();
        let Status::Complete(length) =
            parser.parse_response_with_uninit_headers(&mut response, bytes, &mut headers).map_err(refused)?
        else {
            return Ok(None);
        };
        let (Some(status @ 100..), Some(version)) = (response.code, response.version) else {
            return Err(Failure::Malformed("status"));
        };
        let mut head = Self {
            status,
            length,
            framing: Framing::Close,
            keeps_alive: version == 1,
            content_type: None,
            retry_after: None,
            cache_control: None,
        };
        let mut body = Body::default();
        let mut says_close = false;
        let span = |value: &[u8]| {
            // The value is a part of `bytes`. A head that is longer than 32 bits is refused for its length.
            let start = (value.as_ptr().addr() - bytes.as_ptr().addr()) as u32;
            Span { start, end: start + value.len() as u32 }
        };
        for Header { name, value } in &*response.headers {
            match name.len() {
                10 if name.eq_ignore_ascii_case("connection") => {
                    says_close |= has_token(value, "close");
                    head.keeps_alive |= has_token(value, "keep-alive");
                }
                11 if name.eq_ignore_ascii_case("retry-after") => {
                    head.retry_after = head.retry_after.or(Some(span(value)));
                }
                12 if name.eq_ignore_ascii_case("content-type") => {
                    head.content_type = head.content_type.or(Some(span(value)));
                }
                13 if name.eq_ignore_ascii_case("cache-control") => {
                    head.cache_control = head.cache_control.or(Some(span(value)));
                }
                14 if name.eq_ignore_ascii_case("content-length") => body.length(value),
                17 if name.eq_ignore_ascii_case("transfer-encoding") => {
                    body.is_chunked = Some(text(value).is_some_and(last_is_chunked));
                }
                _ => {}
            }
        }
        head.framing = match status {
            // After 101 it is another protocol: not for us, and the connection neither.
            100..=199 | 204 | 304 => Framing::Length(0),
            _ => body.framing(version)?,
        };
        head.keeps_alive &= !says_close && status != 101 && head.framing != Framing::Close;
        Ok(Some(head))
    }
}

/// What the headers say of the body.
#[derive(Default)]
struct Body {
    /// Of all `Content-Length` values, which must be the same; an error if they are not, or one is no number.
    length: Option<Result<u64, Failure>>,
    /// Is `chunked` the last coding of the last `Transfer-Encoding`?
    is_chunked: Option<bool>,
}

impl Body {
    fn length(&mut self, value: &[u8]) {
        let invalid = Err(Failure::Malformed("content-length"));
        let Some(value) = text(value) else {
            self.length = Some(invalid);
            return;
        };
        for number in value.split(',') {
            // A sign is no digit, though `parse` takes one.
            let number = number.trim_ascii();
            let digits = number.bytes().all(|byte| byte.is_ascii_digit());
            let number = number.parse().ok().filter(|_| digits).map_or(invalid, Ok);
            self.length = Some(match self.length {
                Some(before) if before != number => invalid,
                _ => number,
            });
        }
    }

    /// RFC 9112 §6.3 for an answer to a POST; where it leaves a choice, hyper's.
    fn framing(self, version: u8) -> Result<Framing, Failure> {
        match (self.is_chunked, self.length) {
            (Some(_), _) if version == 0 => Err(Failure::Malformed("transfer-encoding in HTTP/1.0")),
            (Some(true), _) => Ok(Framing::chunked()),
            (Some(false), _) | (None, None) => Ok(Framing::Close),
            (None, Some(length)) => match usize::try_from(length?) {
                Ok(length) if length <= LARGEST_BODY => Ok(Framing::Length(length)),
                _ => Err(Failure::TooLarge),
            },
        }
    }
}

/// All headers of a head that was parsed before.
pub(super) fn all(head: &[u8]) -> Vec<(&str, &[u8])> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = Response::new(&mut headers);
    match response.parse(head) {
        Ok(_) => response.headers.iter().map(|header| (header.name, header.value)).collect(),
        Err(_) => Vec::new(),
    }
}

pub(super) fn refused(error: Error) -> Failure {
    Failure::Malformed(match error {
        Error::TooManyHeaders => return Failure::TooLarge,
        Error::HeaderName => "header name",
        Error::HeaderValue => "header value",
        Error::NewLine => "new line",
        Error::Status => "status",
        Error::Token => "token",
        Error::Version => "version",
    })
}

/// The value, if it is visible ASCII, blanks and tabs: hyper reads no other value of a header that it acts on.
fn text(value: &[u8]) -> Option<&str> {
    let is_visible = value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    std::str::from_utf8(value).ok().filter(|_| is_visible)
}

fn has_token(value: &[u8], token: &str) -> bool {
    text(value)
        .is_some_and(|value| value.split(',').any(|part| part.trim_ascii().eq_ignore_ascii_case(token)))
}

fn last_is_chunked(codings: &str) -> bool {
    codings.rsplit(',').next().is_some_and(|last| last.trim_ascii().eq_ignore_ascii_case("chunked"))
}
