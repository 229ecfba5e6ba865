//! A page of another server: what it has, and which step of a recipe is for it. Knows no user agent and sends nothing.

use bytes::Bytes;
use http::Response;
use url::Url;

use super::Place;
use crate::target::{FormButton, FormMatch, FormRecipe, FormStep, User};

mod fields;
mod html;

pub(super) use fields::{Control, Form, Kind, Submission, without_query};
pub(super) use html::{Document, Origin};

/// How much of a page's text an error shows, in characters.
const EXCERPT: usize = 160;

/// A page that is shown.
#[derive(Clone)]
pub(super) struct View {
    pub(super) url: Url,
    pub(super) status: u16,
    pub(super) document: Document,
    /// Why it is the last although it redirects.
    pub(super) dead_end: Option<DeadEnd>,
}

/// Why a redirect is not followed.
#[derive(Clone)]
pub(super) enum DeadEnd {
    /// It leads where no password may go.
    NotAllowed(Url),
    /// There were too many before it.
    TooMany,
}

impl View {
    /// The page of an answer, at the address where it came from.
    pub(super) fn of(url: Url, answer: &Response<Bytes>, dead_end: Option<DeadEnd>) -> Self {
        let document = Document::read(&String::from_utf8_lossy(answer.body()), &url);
        Self { url, status: answer.status().as_u16(), document, dead_end }
    }
}

/// The first step that is usable and fits a form of the page, and that form.
pub(super) fn fitting<'a>(
    recipe: &FormRecipe,
    document: &'a Document,
    usable: impl Fn(&FormStep) -> bool,
) -> Option<(usize, &'a Form)> {
    recipe.steps.iter().enumerate().filter(|(_, step)| usable(step)).find_map(|(index, step)| {
        document.forms.iter().find(|form| fits(&step.when, document, form)).map(|form| (index, form))
    })
}

/// Whether a form has all that is named.
pub(super) fn fits(when: &FormMatch, document: &Document, form: &Form) -> bool {
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
pub(super) fn pressed<'a>(
    form: &Form,
    wanted: Option<&'a FormButton>,
) -> Result<Option<usize>, Option<&'a FormButton>> {
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

/// The page as an error shows it.
pub(super) fn place(view: &View, user: &User) -> Box<Place> {
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
pub(super) fn without_password(text: &str, user: &User) -> String {
    match user.password.expose() {
        "" => text.to_owned(),
        password => text.replace(password, &user.password.redacted()),
    }
}
