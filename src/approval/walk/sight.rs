//! What a walk sees at its page: what is offered, what became of the code, whether there is anything to do.

use super::{Walk, pressed};
use crate::approval::Ask;
use crate::approval::page::{Control, Document, Form, Kind, View, fits, fitting, without_password};
use crate::exchange::Page;
use crate::protocol::{CodeFate, Decision};
use crate::target::{Blank, FormRecipe, FormStep};

impl Walk<'_> {
    /// What became of the code that was typed, as far as this page says.
    pub(super) fn fate(&self) -> Option<CodeFate> {
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
    pub(super) fn decides_otherwise(&self, index: usize, form: &Form) -> bool {
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

    /// Whether this page has the step that makes the decision, with its button.
    pub(super) fn offers(&self, decision: Decision) -> bool {
        let step = fitting(self.recipe, &self.view.document, |step| step.decides == Some(decision));
        step.is_some_and(|(index, form)| pressed(form, self.recipe.steps[index].press.as_ref()).is_ok())
    }

    /// Notes what the page shows.
    pub(super) fn note(&self) {
        if let Some(trace) = self.ask.manner.trace {
            trace.last_shows(self.page());
        }
    }

    pub(super) fn note_fate(&self, fate: CodeFate) {
        if let Some(trace) = self.ask.manner.trace {
            trace.last_shows(Page { code: Some(fate), ..self.page() });
        }
    }

    /// The page as its reader sees it.
    pub(super) fn page(&self) -> Page {
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
}

/// Whether there is anything to do or to see at a page.
pub(super) fn is_ready(recipe: &FormRecipe, ask: &Ask<'_>, document: &Document) -> bool {
    recipe.done.text(ask.decision).is_some_and(|text| document.shows(text))
        || fitting(recipe, document, |_| true).is_some()
}
