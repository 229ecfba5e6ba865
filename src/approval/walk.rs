//! From the first page to the decision, step by step as the recipe says.

use std::fmt;

use http::{HeaderName, HeaderValue, Method};
use tokio::time::Instant;
use url::Url;

use super::agent::{Agent, Jar, Oddity, Stop};
use super::page::{
    Control, DeadEnd, Form, Kind, Submission, View, fits, fitting, place, pressed, without_password,
    without_query,
};
use super::{ApprovalError, Ask, Opened, Opening, PageError, Pages, Place, Submitted};
use crate::exchange::Page;
use crate::protocol::{CodeFate, Decision};
use crate::suite::{PageMethod, Reach};
use crate::target::{Blank, FormRecipe, FormStep, User};

mod forge;

/// The most pages from the first to the last.
const MOST_PAGES: usize = 20;

/// A page that stays open in a browser, to go on from later.
#[derive(Clone)]
pub struct Tab {
    jar: Jar,
    view: View,
    last: Option<usize>,
}

impl fmt::Debug for Tab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tab").field("url", &without_query(&self.view.url)).finish_non_exhaustive()
    }
}

/// Walks through the pages until the decision is submitted.
pub(super) async fn decide(
    recipe: &FormRecipe,
    pages: &dyn Pages,
    ask: Ask<'_>,
) -> Result<Submitted, ApprovalError> {
    if !recipe.can(ask.decision) {
        return Err(ApprovalError::NoDecision { decision: ask.decision });
    }
    let mut walk = match ask.manner.tab {
        Some(tab) => Walk::at(recipe, pages, ask, tab),
        None => Walk::start(recipe, pages, ask, Method::GET, Oddity::default()).await?,
    };
    loop {
        if let Some(submitted) = walk.step().await? {
            return Ok(submitted);
        }
    }
}

/// Opens a page, and walks on to the decision if that is wanted; decides nothing.
pub(super) async fn open(
    recipe: &FormRecipe,
    pages: &dyn Pages,
    opening: Opening<'_>,
) -> Result<Opened, ApprovalError> {
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
    let mut walk = Walk::start(recipe, pages, ask, method, oddity).await?;
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
    agent: Agent<'a>,
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
        recipe: &'a FormRecipe,
        pages: &'a dyn Pages,
        ask: Ask<'a>,
        method: Method,
        oddity: Oddity,
    ) -> Result<Self, ApprovalError> {
        let uri = ask.start_uri().ok_or(ApprovalError::NoCompleteUri)?;
        let url = Url::parse(uri).map_err(|why| ApprovalError::StartUri { uri: uri.to_owned(), why })?;
        let jar = ask.manner.tab.map_or_else(Jar::default, |tab| tab.jar.clone());
        let agent = Agent::new(pages, recipe.headers.clone(), jar, ask.deadline, ask.manner.trace);
        let sent = Instant::now();
        let first = Submission { method, ..Submission::get(url) };
        let view = agent.go(first, None, &oddity).await.map_err(|stop| stopped(stop, None, ask.user))?;
        let walk = Self::standing(recipe, ask, agent, view, sent);
        walk.note();
        Ok(walk)
    }

    /// Goes on from an open page.
    fn at(recipe: &'a FormRecipe, pages: &'a dyn Pages, ask: Ask<'a>, tab: &Tab) -> Self {
        let Tab { jar, view, last } = tab.clone();
        let agent = Agent::new(pages, recipe.headers.clone(), jar, ask.deadline, ask.manner.trace);
        Self { last, ..Self::standing(recipe, ask, agent, view, Instant::now()) }
    }

    const fn standing(
        recipe: &'a FormRecipe,
        ask: Ask<'a>,
        agent: Agent<'a>,
        view: View,
        sent: Instant,
    ) -> Self {
        Self { recipe, ask, agent, view, pages: 1, sent, last: None, is_signed_in: false, is_typed: false }
    }

    fn into_tab(self) -> Tab {
        let Self { agent, view, last, .. } = self;
        Tab { jar: agent.jar(), view, last }
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
        self.last = Some(index);
        self.sent = Instant::now();
        self.is_signed_in |= step.uses(Blank::Password);
        self.is_typed |= step.uses(Blank::UserCode);
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

    /// What became of the code that was typed, as far as this page says.
    fn fate(&self) -> Option<CodeFate> {
        if !self.is_typed {
            return None;
        }
        if self.view.status == 429 || self.view.status == 503 {
            return Some(CodeFate::Limited);
        }
        if self.is_at_decision() {
            return Some(CodeFate::Accepted);
        }
        match self.fitting() {
            Some((index, form)) if self.decides_otherwise(index, form) => Some(CodeFate::Accepted),
            Some((index, _)) if self.uses(index, Blank::Password) && self.is_signed_in => {
                Some(CodeFate::Limited)
            }
            Some((index, _)) if self.uses(index, Blank::UserCode) => Some(CodeFate::Refused),
            _ if self.view.status >= 400 => Some(CodeFate::Refused),
            _ => None,
        }
    }

    /// Whether the form, sent as a step wants that decides nothing, makes the decision that is not wanted: a page that
    /// asks again with one button, and offers no other.
    fn decides_otherwise(&self, index: usize, form: &Form) -> bool {
        let is_pressed_by = |step: &FormStep| pressed(form, step.press.as_ref()).ok();
        let step = &self.recipe.steps[index];
        let press = is_pressed_by(step);
        let is_decision = |step: &FormStep| {
            step.decides.is_some_and(|decision| decision != self.ask.decision)
                && fits(&step.when, &self.view.document, form)
                && is_pressed_by(step) == press
        };
        step.decides.is_none() && press.is_some() && self.recipe.steps.iter().any(is_decision)
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
        if self.pages == MOST_PAGES {
            return Err(self.circles());
        }
        self.pages += 1;
        self.view = self
            .agent
            .go(submission, Some(&self.view.url), oddity)
            .await
            .map_err(|stop| stopped(stop, Some(&self.view), self.ask.user))?;
        self.note();
        Ok(())
    }

    /// The step that is next, and its form.
    fn fitting(&self) -> Option<(usize, &Form)> {
        let usable = |step: &FormStep| step.decides.is_none_or(|decision| decision == self.ask.decision);
        fitting(self.recipe, &self.view.document, usable)
    }

    /// Whether this page has the step that makes the decision, with its button.
    fn offers(&self, decision: Decision) -> bool {
        let step = fitting(self.recipe, &self.view.document, |step| step.decides == Some(decision));
        step.is_some_and(|(index, form)| pressed(form, self.recipe.steps[index].press.as_ref()).is_ok())
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
        for (field, template) in &recipe.fill {
            let value = template.fill(self.ask.user, self.ask.user_code);
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

    /// Notes what the page shows.
    fn note(&self) {
        if let Some(trace) = self.ask.manner.trace {
            trace.last_shows(self.page());
        }
    }

    fn note_fate(&self, fate: CodeFate) {
        if let Some(trace) = self.ask.manner.trace {
            trace.last_shows(Page { code: Some(fate), ..self.page() });
        }
    }

    /// The page as its reader sees it.
    fn page(&self) -> Page {
        let View { document, .. } = &self.view;
        let asks = |step: &FormStep| step.uses(Blank::UserCode);
        let is_code_field = |field: &Control| {
            matches!(field.kind, Kind::Text) && field.name.to_ascii_lowercase().contains("code")
        };
        let has_field = document.forms.iter().any(|form| form.fields().any(is_code_field));
        Page {
            title: document.title.clone(),
            text: without_password(&document.text, self.ask.user),
            forms: document.forms.iter().map(Form::outline).collect(),
            offers: Decision::ALL.iter().copied().filter(|decision| self.offers(*decision)).collect(),
            asks_for_code: has_field || fitting(self.recipe, document, asks).is_some(),
            has_typed_markup: document.has_typed_markup,
            code: None,
            typed_codes: None,
        }
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
        Stop::Deadline => ApprovalError::Deadline { place: view.map(|view| place(view, user)) },
        Stop::Failed(url, why) => ApprovalError::Address { url: without_query(&url), why },
    }
}
