//! A whole answer, as it lies in somebody else's memory.

use super::head::{self, Head, Span};

/// An answer to look at. Of a header that is repeated, the fields have the first.
#[derive(Debug, Clone, Copy)]
pub struct Reply<'a> {
    /// The status code, 100 to 999.
    pub status: u16,
    /// The `Content-Type`, as it came.
    pub content_type: Option<&'a [u8]>,
    /// The `Retry-After`, as it came.
    pub retry_after: Option<&'a [u8]>,
    /// The `Cache-Control`, as it came.
    pub cache_control: Option<&'a [u8]>,
    /// The body, without chunks.
    pub body: &'a [u8],
    /// Status line and headers as they came, to the empty line.
    pub head: &'a [u8],
}

impl<'a> Reply<'a> {
    pub(super) fn new(found: &Head, head: &'a [u8], body: &'a [u8]) -> Self {
        let value =
            |span: Option<Span>| span.and_then(|span| head.get(span.start as usize..span.end as usize));
        Self {
            status: found.status,
            content_type: value(found.content_type),
            retry_after: value(found.retry_after),
            cache_control: value(found.cache_control),
            body,
            head,
        }
    }

    /// All headers in order, for a transcript. Reads the head once more and allocates: not for every answer.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'a str, &'a [u8])> {
        head::all(self.head)
    }
}
