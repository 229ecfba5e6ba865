//! From the first page to the decision, step by step as the recipe says.

use std::collections::BTreeMap;
use std::fmt;

use http::{HeaderName, HeaderValue, Method};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::agent::{Oddity, Stop};
use super::page::{
    DeadEnd, Document, Form, Submission, View, fits, fitting, place, pressed, without_password, without_query,
};
use super::sessions::Sessions;
use super::user_agent::{Kept, Seat, UserAgent};
use super::{ApprovalError, Ask, Opened, Opening, PageError, Place, Submitted};
use crate::protocol::Decision;
use crate::suite::{PageMethod, Reach};
use crate::target::{Blank, FormRecipe, FormStep, User};

mod forge;
mod sharing;
mod sight;

use sharing::Sharing;
use sight::is_ready;

/// The most pages from the first to the last.
const MOST_PAGES: usize = 20;

/// A page that stays open in a browser, to go on from later.
#[derive(Clone)]
pub struct Tab {
    kept: Kept,
    view: View,
    last: Option<usize>,
}

impl fmt::Debug for Tab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tab").field("url", &without_query(&self.view.url)).finish_non_exhaustive()
    }
}

/// How often a walk starts anew because somebody else has signed in meanwhile.
const MOST_RESTARTS: usize = 3;

/// Whose pages are walked through, and in what.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) recipe: &'a FormRecipe,
    pub(super) seat: Seat<'a>,
    /// Where users share their sign-in.
    pub(super) sessions: Option<&'a Sessions<Kept>>,
}

/// Walks through the pages until the decision is submitted.
pub(super) async fn decide(ground: Ground<'_>, ask: Ask<'_>) -> Result<Submitted, ApprovalError> {
    if !ground.recipe.can(ask.decision) {
        let what = match ask.decision {
            Decision::Approve => "step with `decides: approve`",
            Decision::Deny => "step with `decides: deny`",
        };
        return Err(ApprovalError::NoDecision { decision: ask.decision, what });
    }
    // What is special about a visit is judged, and so it has a browser of its own.
    let shares = ask.manner.tab.is_none() && ask.manner.tamper.is_none();
    let sharing = ground.sessions.filter(|_| shares).map(Sharing::of);
    let mut walk = match ask.manner.tab {
        Some(tab) => Walk::at(ground, ask, tab).await?,
        None => Walk::start(ground, ask, Method::GET, Oddity::default(), sharing).await?,
    };
    let mut restarts = 0;
    loop {
        if restarts < MOST_RESTARTS && walk.is_overtaken().await? {
            restarts += 1;
            let sharing = walk.sharing.take();
            walk = Walk::start(ground, ask, Method::GET, Oddity::default(), sharing).await?;
        }
        if let Some(submitted) = walk.step().await? {
            walk.keep_sign_in().await?;
            return Ok(submitted);
        }
    }
}

/// Opens a page, and walks on to the decision if that is wanted; decides nothing.
pub(super) async fn open(ground: Ground<'_>, opening: Opening<'_>) -> Result<Opened, ApprovalError> {
    let Opening { ask, reach, method, headers } = opening;
    let mut oddity = Oddity { raw: method == PageMethod::Head || !headers.is_empty(), ..Oddity::default() };
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            oddity.headers.insert(name, value);
        }
    }
    let method = match method {
        PageMethod::Get => Method::GET,
        PageMethod::Head => Method::HEAD,
    };
    let mut walk = Walk::start(ground, ask, method, oddity, None).await?;
    let short_of = match reach {
        Reach::Address => walk.go_by_itself().await.err(),
        Reach::Decision => walk.walk_to_decision().await.err(),
    };
    Ok(Opened { tab: walk.into_tab(), short_of })
}

/// A walk under way.
struct Walk<'a> {
    recipe: &'a FormRecipe,
    ask: Ask<'a>,
    agent: UserAgent<'a>,
    sharing: Option<Sharing<'a>>,
    /// The page it stands at.
    view: View,
    /// How many pages it saw.
    pages: usize,
    /// Just before the last form was sent.
    sent: Instant,
    /// The step taken last.
    last: Option<usize>,
    /// Somebody has signed in on this walk.
    is_signed_in: bool,
    /// The code was typed.
    is_typed: bool,
}

impl<'a> Walk<'a> {
    /// Opens the first page.
    async fn start(
        ground: Ground<'a>,
        ask: Ask<'a>,
        method: Method,
        oddity: Oddity,
        mut sharing: Option<Sharing<'a>>,
    ) -> Result<Self, ApprovalError> {
        let recipe = ground.recipe;
        let uri = ask.start_uri().ok_or(ApprovalError::NoCompleteUri)?;
        let url = Url::parse(uri).map_err(|why| ApprovalError::StartUri { uri: uri.to_owned(), why })?;
        let mut kept = ask.manner.tab.map(|tab| tab.kept.clone());
        if let Some(sharing) = &mut sharing {
            let last = timeout_at(ask.deadline, sharing.sessions.last(&ask.user.login)).await;
            let last = last.map_err(|_| ApprovalError::Deadline { place: None })?;
            sharing.used = last.as_ref().map(|sign_in| sign_in.number);
            kept = last.map(|sign_in| sign_in.left.copy());
        }
        let halt = |stop| stopped(stop, None, ask.user);
        let mut agent = ground.seat.take(recipe, &ask, kept).await.map_err(halt)?;
        let sent = Instant::now();
        let first = Submission { method, ..Submission::get(url) };
        let ready = |document: &Document| is_ready(recipe, &ask, document);
        let view = agent.go(first, None, &oddity, &ready).await.map_err(halt)?;
        let walk = Self { sharing, ..Self::standing(recipe, ask, agent, view, sent) };
        walk.note();
        Ok(walk)
    }

    /// Goes on from an open page.
    async fn at(ground: Ground<'a>, ask: Ask<'a>, tab: &Tab) -> Result<Self, ApprovalError> {
        let Tab { kept, view, last } = tab.clone();
        let agent =
            ground.seat.go_on(ground.recipe, &ask, kept).map_err(|stop| stopped(stop, None, ask.user))?;
        Ok(Self { last, ..Self::standing(ground.recipe, ask, agent, view, Instant::now()) })
    }

    const fn standing(
        recipe: &'a FormRecipe,
        ask: Ask<'a>,
        agent: UserAgent<'a>,
        view: View,
        sent: Instant,
    ) -> Self {
        Self {
            recipe,
            ask,
            agent,
            sharing: None,
            view,
            pages: 1,
            sent,
            last: None,
            is_signed_in: false,
            is_typed: false,
        }
    }

    fn into_tab(self) -> Tab {
        let Self { agent, view, last, .. } = self;
        Tab { kept: agent.into_kept(), view, last }
    }

    /// Does what is to do at this page; the decision, when that was it.
    async fn step(&mut self) -> Result<Option<Submitted>, ApprovalError> {
        self.dead_end()?;
        let Some((index, form)) = self.fitting() else { return self.pass().await };
        if self.decides_otherwise(index, form) {
            return Err(self.never_offered());
        }
        let step = &self.recipe.steps[index];
        if self.last == Some(index) {
            self.refused(index)?;
        }
        let form = form.clone();
        let (form, pressed) = self.fill(index, form)?;
        if matches!(self.agent, UserAgent::Window(..)) {
            return self.press(index, &form, pressed).await;
        }
        let (submission, oddity) = match self.ask.manner.tamper.filter(|_| step.decides.is_some()) {
            Some(tamper) => {
                let known = self.ask.manner.known.and_then(|tab| {
                    tab.view.document.forms.iter().find(|form| fits(&step.when, &tab.view.document, form))
                });
                let forged = forge::submission(tamper, form, pressed, self.ask.user_code, known);
                let place = || self.place();
                let forged = forged.map_err(|why| ApprovalError::NoForgery { why, place: place() })?;
                (forged, forge::oddity(tamper))
            }
            None => (form.submit(pressed), Oddity::default()),
        };
        self.taken(index);
        self.go(submission, &oddity).await?;
        if step.decides.is_none() {
            return Ok(None);
        }
        // It is submitted: where the pages go from here is of no concern, only that the server can be reached.
        while let Some(passage) = self.view.document.passage.take() {
            match self.go(passage, &Oddity::default()).await {
                Err(
                    ApprovalError::Address { why: PageError::NotAllowed, .. } | ApprovalError::Loop { .. },
                ) => {
                    break;
                }
                gone => gone?,
            }
        }
        Ok(Some(self.submitted()))
    }

    /// The same in a window, by keys and clicks.
    async fn press(
        &mut self,
        index: usize,
        form: &Form,
        pressed: Option<usize>,
    ) -> Result<Option<Submitted>, ApprovalError> {
        let step = &self.recipe.steps[index];
        if step.decides.is_some() && self.ask.manner.tamper.is_some() {
            return Err(ApprovalError::NotOfABrowser { what: "forged form" });
        }
        self.taken(index);
        self.turn_page()?;
        let (recipe, ask) = (self.recipe, self.ask);
        let ready = |document: &Document| step.decides.is_some() || is_ready(recipe, &ask, document);
        let UserAgent::Window(window, bounds) = &self.agent else { return Ok(None) };
        let shown = window.press(*bounds, &self.view, form, pressed, &ready).await;
        let (sent, view) = shown.map_err(|stop| stopped(stop, Some(&self.view), self.ask.user))?;
        (self.sent, self.view) = (sent, view);
        self.note();
        Ok(step.decides.is_some().then(|| self.submitted()))
    }

    /// Notes that a step is taken.
    fn taken(&mut self, index: usize) {
        let step = &self.recipe.steps[index];
        self.last = Some(index);
        self.sent = Instant::now();
        self.is_signed_in |= step.uses(Blank::Password);
        self.is_typed |= step.uses(Blank::UserCode);
    }

    /// Counts one page more.
    fn turn_page(&mut self) -> Result<(), ApprovalError> {
        if self.pages == MOST_PAGES {
            return Err(self.circles());
        }
        self.pages += 1;
        Ok(())
    }

    /// Goes on to the page that asks for the decision.
    async fn walk_to_decision(&mut self) -> Result<(), ApprovalError> {
        loop {
            self.dead_end()?;
            let fate = self.fate();
            if let Some(fate) = fate {
                self.note_fate(fate);
            }
            if self.is_at_decision() {
                return Ok(());
            }
            if fate.is_some() {
                // What is said to a code that was typed is the last word.
                let code_form = self.fitting().filter(|(index, _)| self.uses(*index, Blank::UserCode));
                return code_form
                    .map_or(Ok(()), |(index, _)| self.refused(index))
                    .and(Err(self.never_offered()));
            }
            if let Some(submitted) = self.step().await? {
                debug_assert!(submitted.page.is_some());
                return Err(self.never_offered());
            }
        }
    }

    /// Goes where a browser goes by itself.
    async fn go_by_itself(&mut self) -> Result<(), ApprovalError> {
        while let Some(passage) = self.view.document.passage.take() {
            self.go(passage, &Oddity::default()).await?;
        }
        Ok(())
    }

    /// Whether the next step is the decision.
    fn is_at_decision(&self) -> bool {
        self.fitting().is_some_and(|(index, _)| self.recipe.steps[index].decides.is_some())
    }

    fn uses(&self, index: usize, blank: Blank) -> bool {
        self.recipe.steps[index].uses(blank)
    }

    /// What is to do at a page that no step fits.
    async fn pass(&mut self) -> Result<Option<Submitted>, ApprovalError> {
        let document = &mut self.view.document;
        if self.recipe.done.text(self.ask.decision).is_some_and(|text| document.shows(text)) {
            return Ok(Some(self.submitted()));
        }
        if let Some(passage) = document.passage.take() {
            return self.go(passage, &Oddity::default()).await.map(|()| None);
        }
        let decides_otherwise = fitting(self.recipe, document, |step| step.decides.is_some()).is_some();
        let ends = document.forms.is_empty() && self.last.is_some();
        let place = self.place();
        Err(if decides_otherwise || ends {
            self.never_offered()
        } else {
            ApprovalError::NoFormFits { place }
        })
    }

    async fn go(&mut self, submission: Submission, oddity: &Oddity) -> Result<(), ApprovalError> {
        self.turn_page()?;
        let (recipe, ask) = (self.recipe, self.ask);
        let ready = |document: &Document| is_ready(recipe, &ask, document);
        let view = self.agent.go(submission, Some(&self.view.url), oddity, &ready).await;
        self.view = view.map_err(|stop| stopped(stop, Some(&self.view), self.ask.user))?;
        self.note();
        Ok(())
    }

    /// The step that is next, and its form.
    fn fitting(&self) -> Option<(usize, &Form)> {
        let usable = |step: &FormStep| step.decides.is_none_or(|decision| decision == self.ask.decision);
        fitting(self.recipe, &self.view.document, usable)
    }

    fn dead_end(&self) -> Result<(), ApprovalError> {
        match &self.view.dead_end {
            Some(DeadEnd::NotAllowed(url)) => {
                Err(ApprovalError::Address { url: without_query(url), why: PageError::NotAllowed })
            }
            Some(DeadEnd::TooMany) => Err(self.circles()),
            None => Ok(()),
        }
    }

    /// The same form again, right after it was sent: what was typed is wrong, if anything was.
    fn refused(&self, index: usize) -> Result<(), ApprovalError> {
        let step = &self.recipe.steps[index];
        let (place, number) = (self.place(), index + 1);
        if step.uses(Blank::Login) || step.uses(Blank::Password) {
            let login = self.ask.user.login.clone();
            return Err(ApprovalError::SignInRefused { step: number, login, place });
        }
        if step.uses(Blank::UserCode) {
            let user_code = self.ask.user_code.to_owned();
            return Err(ApprovalError::CodeRefused { step: number, user_code, place });
        }
        Ok(())
    }

    /// The form as the step fills it in, and the button that is pressed.
    fn fill(&self, index: usize, mut form: Form) -> Result<(Form, Option<usize>), ApprovalError> {
        let recipe = &self.recipe.steps[index];
        let step = index + 1;
        if let Some(encoding) = form.encoding.take() {
            return Err(ApprovalError::Encoding { step, encoding, place: self.place() });
        }
        let nothing = BTreeMap::new();
        let blanks = self.ask.blanks(self.ask.user, &nothing);
        for (field, template) in &recipe.fill {
            let value = template.fill(&blanks);
            form.fill(field, value.expose()).map_err(|problem| {
                let (field, place) = (field.clone(), self.place());
                ApprovalError::NoField { step, field, problem, place }
            })?;
        }
        for field in &recipe.check {
            form.check(field).map_err(|problem| {
                let (field, place) = (field.clone(), self.place());
                ApprovalError::NoField { step, field, problem, place }
            })?;
        }
        let pressed = pressed(&form, recipe.press.as_ref()).map_err(|button| ApprovalError::NoButton {
            step,
            button: button.cloned(),
            place: self.place(),
        })?;
        Ok((form, pressed))
    }

    fn submitted(&self) -> Submitted {
        let status = Some(self.view.status);
        Submitted { sent: self.sent, done: Instant::now(), status, page: Some(self.page()) }
    }

    fn never_offered(&self) -> ApprovalError {
        ApprovalError::NeverOffered { decision: self.ask.decision, place: self.place() }
    }

    fn circles(&self) -> ApprovalError {
        ApprovalError::Loop { pages: self.pages, place: self.place() }
    }

    fn place(&self) -> Box<Place> {
        place(&self.view, self.ask.user)
    }
}

/// Why the user agent did not get on, and where it stood.
fn stopped(stop: Stop, view: Option<&View>, user: &User) -> ApprovalError {
    match stop {
        Stop::Browser(why) => ApprovalError::Browser { why: without_password(&why, user) },
        Stop::Deadline => ApprovalError::Deadline { place: view.map(|view| place(view, user)) },
        Stop::Failed(url, why) => ApprovalError::Address { url: without_query(&url), why },
    }
}
