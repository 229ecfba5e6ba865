//! The pages of a server, as many at once as the run allows.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::Semaphore;

use crate::approval::{PageError, Pages};
use crate::http::HttpPages;
use crate::timing::show;

/// Pages that count among the requests in flight, each answered in time.
pub(super) struct Gated {
    pages: HttpPages,
    jobs: Arc<Semaphore>,
    timeout: Duration,
}

impl Gated {
    pub(super) const fn new(pages: HttpPages, jobs: Arc<Semaphore>, timeout: Duration) -> Self {
        Self { pages, jobs, timeout }
    }
}

impl Pages for Gated {
    fn fetch(
        &self,
        request: ::http::Request<bytes::Bytes>,
    ) -> BoxFuture<'_, Result<::http::Response<bytes::Bytes>, PageError>> {
        async move {
            // The semaphore is never closed.
            let _permit = self.jobs.acquire().await;
            let late = |_| PageError::Unreachable(format!("no answer within {}", show(self.timeout)));
            tokio::time::timeout(self.timeout, self.pages.fetch(request)).await.map_err(late)?
        }
        .boxed()
    }
}
