//! From the first page to the decision, step by step as the recipe says.

use http::Method;
use tokio::time::Instant;
use url::Url;

use super::super::{ApprovalError, Ask, Page, PageError, Pages, Place, Submitted};
use super::browser::{Browser, DeadEnd, Stop, View};
use super::fields::{Control, Form, Kind, Submission, without_query};
use super::html::Document;
use crate::target::{Blank, FormButton, FormMatch, FormRecipe, FormStep, User};

/// The most pages from the first to the last.
const MOST_PAGES: usize = 20;

/// How much of a page's text an error shows, in characters.
const EXCERPT: usize = 160;

/// Walks through the pages until the decision is submitted.
pub(super) async fn decide(
    recipe: &FormRecipe,
    pages: &dyn Pages,
    ask: Ask<'_>,
) -> Result<Submitted, ApprovalError> {
    if !recipe.can(ask.decision) {
        return Err(ApprovalError::NoDecision { decision: ask.decision });
    }
    let uri = ask.start_uri().ok_or(ApprovalError::NoCompleteUri)?;
    let url = Url::parse(uri).map_err(|why| ApprovalError::StartUri { uri: uri.to_owned(), why })?;
    let mut browser = Browser::new(pages, recipe.headers.clone(), ask.deadline);
    let sent = Instant::now();
    let first = Submission { method: Method::GET, url, body: None };
    let view = browser.go(first, None).await.map_err(|stop| stopped(stop, None, ask.user))?;
    let mut walk = Walk { recipe, ask, browser, view, pages: 1, sent, last: None };
    loop {
        if let Some(submitted) = walk.step().await? {
            return Ok(submitted);
        }
    }
}

/// A walk under way.
struct Walk<'a> {
    recipe: &'a FormRecipe,
    ask: Ask<'a>,
    browser: Browser<'a>,
    /// The page it stands at.
    view: View,
    /// How many pages it saw.
    pages: usize,
    /// Just before the last form was sent.
    sent: Instant,
    /// The step taken last.
    last: Option<usize>,
}

impl Walk<'_> {
    /// Does what is to do at this page; the decision, when that was it.
    async fn step(&mut self) -> Result<Option<Submitted>, ApprovalError> {
        match &self.view.dead_end {
            Some(DeadEnd::NotAllowed(url)) => {
                return Err(ApprovalError::Address { url: without_query(url), why: PageError::NotAllowed });
            }
            Some(DeadEnd::TooMany) => return Err(self.circles()),
            None => {}
        }
        let usable = |step: &FormStep| step.decides.is_none_or(|decision| decision == self.ask.decision);
        let Some((index, form)) = fitting(self.recipe, &self.view.document, usable) else {
            return self.pass().await;
        };
        let step = &self.recipe.steps[index];
        if self.last == Some(index) {
            self.refused(index)?;
        }
        let submission = self.fill(index, form.clone())?;
        self.last = Some(index);
        self.sent = Instant::now();
        self.go(submission).await?;
        if step.decides.is_none() {
            return Ok(None);
        }
        // It is submitted: where the pages go from here is of no concern, only that the server can be reached.
        while let Some(passage) = self.view.document.passage.take() {
            match self.go(passage).await {
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

    /// What is to do at a page that no step fits.
    async fn pass(&mut self) -> Result<Option<Submitted>, ApprovalError> {
        let document = &mut self.view.document;
        if self.recipe.done.text(self.ask.decision).is_some_and(|text| document.shows(text)) {
            return Ok(Some(self.submitted()));
        }
        if let Some(passage) = document.passage.take() {
            return self.go(passage).await.map(|()| None);
        }
        let decides_otherwise = fitting(self.recipe, document, |step| step.decides.is_some()).is_some();
        let ends = document.forms.is_empty() && self.last.is_some();
        let place = self.place();
        Err(if decides_otherwise || ends {
            ApprovalError::NeverOffered { decision: self.ask.decision, place }
        } else {
            ApprovalError::NoFormFits { place }
        })
    }

    async fn go(&mut self, submission: Submission) -> Result<(), ApprovalError> {
        if self.pages == MOST_PAGES {
            return Err(self.circles());
        }
        self.pages += 1;
        self.view = self
            .browser
            .go(submission, Some(&self.view.url))
            .await
            .map_err(|stop| stopped(stop, Some(&self.view), self.ask.user))?;
        Ok(())
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

    /// The form as the step fills it in and sends it.
    fn fill(&self, index: usize, mut form: Form) -> Result<Submission, ApprovalError> {
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
        Ok(form.submit(pressed))
    }

    fn submitted(&self) -> Submitted {
        let View { status, document, .. } = &self.view;
        let page = Page {
            status: *status,
            title: document.title.clone(),
            text: without_password(&document.text, self.ask.user),
        };
        Submitted { sent: self.sent, done: Instant::now(), page: Some(page) }
    }

    fn circles(&self) -> ApprovalError {
        ApprovalError::Loop { pages: self.pages, place: self.place() }
    }

    fn place(&self) -> Box<Place> {
        place(&self.view, self.ask.user)
    }
}

/// The first step that is usable and fits a form of the page, and that form.
fn fitting<'a>(
    recipe: &FormRecipe,
    document: &'a Document,
    usable: impl Fn(&FormStep) -> bool,
) -> Option<(usize, &'a Form)> {
    recipe.steps.iter().enumerate().filter(|(_, step)| usable(step)).find_map(|(index, step)| {
        document.forms.iter().find(|form| fits(&step.when, document, form)).map(|form| (index, form))
    })
}

/// Whether a form has all that is named.
fn fits(when: &FormMatch, document: &Document, form: &Form) -> bool {
    let FormMatch { field, values, button, text, action } = when;
    let has = |name: &str, value: Option<&str>| {
        form.fields().any(|field| field.name == name && value.is_none_or(|value| field.value == value))
    };
    field.as_deref().is_none_or(|name| has(name, None))
        && values.iter().all(|(name, value)| has(name, Some(value)))
        && button.as_ref().is_none_or(|wanted| form.buttons().any(|(_, button)| is_meant(wanted, button)))
        && text.as_deref().is_none_or(|text| document.shows(text))
        && action.as_deref().is_none_or(|action| form.action.as_str().contains(action))
}

/// The button to press, if the form has any; the button that is missing, otherwise.
fn pressed<'a>(form: &Form, wanted: Option<&'a FormButton>) -> Result<Option<usize>, Option<&'a FormButton>> {
    let mut buttons = form.buttons().filter(|(_, button)| wanted.is_none_or(|it| is_meant(it, button)));
    match (buttons.next(), buttons.next(), wanted) {
        (None, _, Some(_)) | (_, Some(_), None) => Err(wanted),
        (first, _, _) => Ok(first.map(|(index, _)| index)),
    }
}

/// Whether a control is the button that is meant.
fn is_meant(wanted: &FormButton, control: &Control) -> bool {
    let Kind::Button { text: label, .. } = &control.kind else { return false };
    let FormButton { name, value, text } = wanted;
    [(name, &control.name), (value, &control.value), (text, label)]
        .iter()
        .all(|(wanted, is)| wanted.as_ref().is_none_or(|wanted| wanted == *is))
}

/// Why the user agent did not get on, and where it stood.
fn stopped(stop: Stop, view: Option<&View>, user: &User) -> ApprovalError {
    match stop {
        Stop::Deadline => ApprovalError::Deadline { place: view.map(|view| place(view, user)) },
        Stop::Failed(url, why) => ApprovalError::Address { url: without_query(&url), why },
    }
}

fn place(view: &View, user: &User) -> Box<Place> {
    let View { url, status, document, .. } = view;
    let text = without_password(&document.text, user);
    let mut excerpt: String = text.chars().take(EXCERPT).collect();
    if excerpt.len() < text.len() {
        excerpt.push('…');
    }
    Box::new(Place {
        title: document.title.clone(),
        url: without_query(url),
        status: *status,
        text: excerpt,
        forms: document.forms.iter().map(Form::outline).collect(),
    })
}

/// Some pages show what was typed.
fn without_password(text: &str, user: &User) -> String {
    match user.password.expose() {
        "" => text.to_owned(),
        password => text.replace(password, &user.password.redacted()),
    }
}
