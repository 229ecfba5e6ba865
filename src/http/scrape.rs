//! A page for whoever collects figures: one text, made anew for each request.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What the text is (OpenMetrics 1.0).
const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves the text at `/metrics`; gone when dropped.
#[derive(Debug)]
pub struct Scrape {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Scrape {
    /// Starts at this address; port 0 takes a free one.
    ///
    /// # Errors
    /// The address cannot be listened at.
    pub async fn start(
        address: SocketAddr,
        text: impl Fn() -> String + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let text = Arc::new(text);
        let page = get(move || {
            let text = Arc::clone(&text);
            async move { ([(CONTENT_TYPE, MEDIA_TYPE)], text()) }
        });
        let router = Router::new().route("/metrics", page);
        let task = tokio::spawn(async move {
            // It ends with this value; what fails before that is its reader's to notice.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Scrape {
    fn drop(&mut self) {
        self.task.abort();
    }
}
