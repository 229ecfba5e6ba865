//! Pages over the network, for the approval drivers: no redirect is followed and no cookie kept, the drivers do that.

use std::error::Error;

use bytes::{Bytes, BytesMut};
use futures_util::future::{BoxFuture, FutureExt};
use http::{Request, Response};

use super::client::plain;
use super::trust::Trust;
use crate::approval::{LARGEST_PAGE, PageError, Pages, may_take_passwords};

/// Pages over the network: HTTP/1.1, no proxy, no compression, no redirects, no retries.
#[derive(Debug, Clone)]
pub struct HttpPages {
    client: reqwest::Client,
}

impl HttpPages {
    /// A client of its own.
    ///
    /// # Errors
    ///
    /// When the TLS of this system cannot be set up.
    pub fn new() -> Result<Self, PageError> {
        Self::trusting(&Trust::default())
    }

    /// The same, with authorities that are trusted beside those of the platform.
    ///
    /// # Errors
    ///
    /// When the TLS of this system cannot be set up.
    pub fn trusting(trust: &Trust) -> Result<Self, PageError> {
        plain(trust).build().map(|client| Self { client }).map_err(unreachable)
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, PageError> {
        let request = reqwest::Request::try_from(request).map_err(unreachable)?;
        if !may_take_passwords(request.url()) {
            return Err(PageError::NotAllowed);
        }
        let mut answer = self.client.execute(request).await.map_err(unreachable)?;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LARGEST_PAGE {
                return Err(PageError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        *response.body_mut() = body.freeze();
        Ok(response)
    }
}

impl Pages for HttpPages {
    fn fetch(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, PageError>> {
        self.send(request).boxed()
    }
}

/// The whole chain of causes, without the address: its query may hold what nobody should read.
fn unreachable(error: reqwest::Error) -> PageError {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    PageError::Unreachable(text)
}
