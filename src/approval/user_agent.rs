//! In what the pages are walked through: by requests of ours, or in the window of a real browser. Knows no recipe beyond
//! handing it on.

use url::Url;

use super::agent::{Agent, Jar, Oddity, Stop};
use super::browser::{Bounds, Browser, Cookie, Window};
use super::page::{Document, Submission, View};
use super::{Ask, Pages};
use crate::target::FormRecipe;

/// Where a walk can have its user agent from.
#[derive(Clone, Copy)]
pub(super) enum Seat<'a> {
    /// Windows of a browser.
    Browser(&'a Browser),
    /// Requests of ours.
    Pages(&'a dyn Pages),
}

/// The user agent of one walk.
pub(super) enum UserAgent<'a> {
    /// It sends requests.
    Agent(Agent<'a>),
    /// It shows pages in a window.
    Window(Window, Bounds<'a>),
}

/// What stays of a user agent when a walk is over.
#[derive(Clone)]
pub(super) enum Kept {
    /// The cookies of requests.
    Jar(Jar),
    /// The cookies of a browser.
    Cookies(Vec<Cookie>),
    /// The window, open.
    Window(Window),
}

impl Kept {
    /// The same, on its own from now on.
    pub(super) fn copy(&self) -> Self {
        match self {
            Self::Jar(jar) => Self::Jar(jar.copy()),
            kept => kept.clone(),
        }
    }
}

impl<'a> Seat<'a> {
    /// A user agent at its first page, with what was kept of another: for requests its cookies, for a browser another
    /// tab of the same window, or its cookies in a new one.
    pub(super) async fn take(
        self,
        recipe: &'a FormRecipe,
        ask: &Ask<'a>,
        kept: Option<Kept>,
    ) -> Result<UserAgent<'a>, Stop> {
        let bounds = bounds(ask);
        match (self, kept) {
            (Self::Pages(pages), Some(Kept::Jar(jar))) => Ok(by_requests(pages, recipe, ask, jar)),
            (Self::Pages(pages), _) => Ok(by_requests(pages, recipe, ask, Jar::default())),
            (Self::Browser(_), Some(Kept::Window(window))) => {
                Ok(UserAgent::Window(window.another(bounds).await?, bounds))
            }
            (Self::Browser(browser), kept) => {
                let cookies = match kept {
                    Some(Kept::Cookies(cookies)) => cookies,
                    _ => Vec::new(),
                };
                Ok(UserAgent::Window(browser.window(bounds, cookies).await?, bounds))
            }
        }
    }

    /// A user agent that goes on where another has stopped.
    pub(super) fn go_on(
        self,
        recipe: &'a FormRecipe,
        ask: &Ask<'a>,
        kept: Kept,
    ) -> Result<UserAgent<'a>, Stop> {
        match (self, kept) {
            (Self::Pages(pages), Kept::Jar(jar)) => Ok(by_requests(pages, recipe, ask, jar)),
            (Self::Browser(_), Kept::Window(window)) => Ok(UserAgent::Window(window, bounds(ask))),
            _ => Err(Stop::Browser("the page was opened by another driver".to_owned())),
        }
    }
}

const fn bounds<'a>(ask: &Ask<'a>) -> Bounds<'a> {
    Bounds { deadline: ask.deadline, trace: ask.manner.trace }
}

fn by_requests<'a>(pages: &'a dyn Pages, recipe: &'a FormRecipe, ask: &Ask<'a>, jar: Jar) -> UserAgent<'a> {
    UserAgent::Agent(Agent::new(pages, recipe.headers.clone(), jar, ask.deadline, ask.manner.trace))
}

impl UserAgent<'_> {
    /// The page that comes of a request, redirects followed; `from` is the page that led to it. In a window it is waited
    /// for until it is `ready`, or does not change any more.
    pub(super) async fn go(
        &mut self,
        submission: Submission,
        from: Option<&Url>,
        oddity: &Oddity,
        ready: &(dyn Fn(&Document) -> bool + Sync),
    ) -> Result<View, Stop> {
        match self {
            Self::Agent(agent) => agent.go(submission, from, oddity).await,
            Self::Window(window, bounds) => window.go(*bounds, &submission.url, ready).await,
        }
    }

    /// What stays.
    pub(super) fn into_kept(self) -> Kept {
        match self {
            Self::Agent(agent) => Kept::Jar(agent.jar()),
            Self::Window(window, _) => Kept::Window(window),
        }
    }

    /// Its cookies, as they are now.
    pub(super) async fn copy(&self) -> Result<Kept, Stop> {
        match self {
            Self::Agent(agent) => Ok(Kept::Jar(agent.jar().copy())),
            Self::Window(window, bounds) => window.cookies(*bounds).await.map(Kept::Cookies),
        }
    }
}
