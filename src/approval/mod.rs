//! How the user says yes or no: one file per driver. Knows nothing of polls and verdicts.
//!
//! A decision came out when it was submitted, whatever page followed; only the device's poll tells what it did.

use std::sync::Arc;

use crate::target::{Approval, FormRecipe};

mod agent;
mod ask;
mod browser;
mod closure;
mod command;
mod error;
mod firsts;
mod form;
mod http;
mod manual;
mod page;
mod pages;
mod sessions;
mod trace;
mod user_agent;
mod walk;

pub use ask::{Ask, Driver, Manner, Opened, Opening, Start, Submitted};
pub use closure::{Closure, Wish};
pub use error::{ApprovalError, FieldProblem, Place};
pub use firsts::Firsts;
pub use form::{Guess, Guessed, Purpose};
pub use manual::{Answer, Errand, Prompt};
pub use pages::{LARGEST_PAGE, PageError, Pages, may_take_passwords};
pub use trace::{Fetched, Trace, header_list};
pub use walk::Tab;

pub use crate::target::Decision;

/// The driver that needs nobody: it fills in forms by a recipe.
#[must_use]
pub fn form(recipe: &FormRecipe, pages: Arc<dyn Pages>) -> Box<dyn Driver> {
    Box::new(form::Form::new(recipe, pages))
}

/// A recipe for pages that nobody has described yet, from a walk that approves: see [`Guess`].
pub async fn guess(pages: &dyn Pages, ask: Ask<'_>) -> Guess {
    form::guess(pages, ask).await
}

/// The driver of a target whose users decide by requests of ours alone, many at once and at little cost: nothing where
/// it takes a person, a browser or another program.
#[must_use]
pub fn by_requests(approval: &Approval, pages: Arc<dyn Pages>) -> Option<Box<dyn Driver>> {
    match approval {
        Approval::Form(recipe) => Some(form(recipe, pages)),
        Approval::Http(recipe) => Some(Box::new(http::Http::new(recipe, pages))),
        Approval::Browser(_) | Approval::Command(_) | Approval::Manual(_) => None,
    }
}

/// The table of drivers: which one plays the user as the target file says.
///
/// One driver serves all cases at once; each [`Driver::decide`] has cookies of its own, unless the target file has
/// users share their sign-in. `browser` sends its commands to the WebDriver through `pages`.
#[must_use]
pub fn driver(approval: &Approval, pages: Arc<dyn Pages>, prompt: Arc<dyn Prompt>) -> Box<dyn Driver> {
    match approval {
        Approval::Browser(recipe) => Box::new(browser::Browser::new(recipe, pages)),
        Approval::Command(settings) => Box::new(command::Command::new(settings)),
        Approval::Form(recipe) => form(recipe, pages),
        Approval::Http(recipe) => Box::new(http::Http::new(recipe, pages)),
        Approval::Manual(settings) => Box::new(manual::Manual::new(settings, prompt)),
    }
}
