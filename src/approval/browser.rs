//! The `browser` driver: plays the recipe of `form` in a real browser through WebDriver, for pages that need scripts.
//!
//! A ChromeDriver is wanted: by its log it tells of the requests of a page, with their headers and whether any is still
//! unanswered. Commands go through our own [`Pages`], which speak to this machine without a proxy.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use serde_json::{Value, json};
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::agent::Stop;
use super::sessions::Sessions;
use super::user_agent::{Kept, Seat};
use super::walk::{self, Ground};
use super::{ApprovalError, Ask, Driver, Opened, Opening, Pages, Submitted, Trace};
use crate::suite::PageMethod;
use crate::target::{BrowserRecipe, Sessions as Wish};

mod network;
mod scripts;
mod service;
mod window;

use service::Service;
pub(super) use window::Window;

/// How many windows are worked in at the same time. Those that wait for a later step of a check stay open beside them.
const AT_ONCE: usize = 3;

/// A cookie as the browser tells and takes it.
pub(super) type Cookie = Value;

/// Until when a visit may take, and where its requests are noted.
#[derive(Clone, Copy)]
pub(super) struct Bounds<'a> {
    pub(super) deadline: Instant,
    pub(super) trace: Option<&'a Trace>,
}

/// Plays the recipe in windows of a browser.
pub(super) struct Browser {
    recipe: BrowserRecipe,
    pages: Arc<dyn Pages>,
    /// Where users share their sign-in.
    sessions: Option<Sessions<Kept>>,
    at_once: Semaphore,
    /// The WebDriver, once there is one; ended with the last window.
    service: Mutex<Option<Arc<Service>>>,
}

impl Browser {
    pub(super) fn new(recipe: &BrowserRecipe, pages: Arc<dyn Pages>) -> Self {
        let shares = recipe.form.sessions == Some(Wish::Shared);
        Self {
            recipe: recipe.clone(),
            pages,
            sessions: shares.then(Sessions::default),
            at_once: Semaphore::new(AT_ONCE),
            service: Mutex::default(),
        }
    }

    /// A new window with a profile of its own and these cookies.
    pub(super) async fn window(&self, bounds: Bounds<'_>, cookies: Vec<Cookie>) -> Result<Window, Stop> {
        let service = timeout_at(bounds.deadline, self.service()).await.map_err(|_| Stop::Deadline)??;
        let window = timeout_at(bounds.deadline, Window::open(service, Arc::clone(&self.pages))).await;
        let window = window.map_err(|_| Stop::Deadline)??;
        if !cookies.is_empty() {
            window.devtools(bounds, "Network.setCookies", json!({ "cookies": cookies })).await?;
        }
        Ok(window)
    }

    /// The WebDriver, started if there is none.
    async fn service(&self) -> Result<Arc<Service>, Stop> {
        let mut service = self.service.lock().await;
        if let Some(service) = service.as_ref() {
            return Ok(Arc::clone(service));
        }
        let new = match &self.recipe.webdriver {
            Some(url) => Service::at(url),
            None => Service::start().await,
        };
        let new = Arc::new(new.map_err(Stop::Browser)?);
        Ok(Arc::clone(service.insert(new)))
    }

    fn ground(&self) -> Ground<'_> {
        Ground { recipe: &self.recipe.form, seat: Seat::Browser(self), sessions: self.sessions.as_ref() }
    }

    async fn place(&self, deadline: Instant) -> Result<Option<SemaphorePermit<'_>>, ApprovalError> {
        // The semaphore is never closed.
        let permit = timeout_at(deadline, self.at_once.acquire()).await;
        permit.map(Result::ok).map_err(|_| ApprovalError::Deadline { place: None })
    }
}

impl Driver for Browser {
    fn decide<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Submitted, ApprovalError>> {
        async move {
            let _place = self.place(ask.deadline).await?;
            walk::decide(self.ground(), ask).await
        }
        .boxed()
    }

    fn open<'a>(&'a self, opening: Opening<'a>) -> BoxFuture<'a, Result<Opened, ApprovalError>> {
        async move {
            if opening.method == PageMethod::Head {
                return Err(ApprovalError::NotOfABrowser { what: "HEAD" });
            }
            if !opening.headers.is_empty() {
                return Err(ApprovalError::NotOfABrowser { what: "headers of ours" });
            }
            let _place = self.place(opening.ask.deadline).await?;
            walk::open(self.ground(), opening).await
        }
        .boxed()
    }
}
