//! How the user says yes or no: one file per driver. Knows nothing of polls and verdicts.
//!
//! A decision came out when it was submitted, whatever page followed; only the device's poll tells what it did.

use std::sync::Arc;

use crate::target::{Approval, FormRecipe};

mod agent;
mod ask;
mod closure;
mod error;
mod form;
mod manual;
mod page;
mod pages;
mod trace;
mod walk;

pub use ask::{Ask, Driver, Manner, Opened, Opening, Start, Submitted};
pub use closure::{Closure, Wish};
pub use error::{ApprovalError, FieldProblem, Place};
pub use manual::{Answer, Prompt};
pub use pages::{LARGEST_PAGE, PageError, Pages};
pub use trace::{Fetched, Trace, header_list};
pub use walk::Tab;

pub use crate::target::Decision;

/// The driver that needs nobody: it fills in forms by a recipe.
#[must_use]
pub fn form(recipe: &FormRecipe, pages: Arc<dyn Pages>) -> Box<dyn Driver> {
    Box::new(form::Form::new(recipe, pages))
}

/// The table of drivers: which one plays the user as the target file says.
///
/// One driver serves all cases at once; each [`Driver::decide`] has cookies of its own.
#[must_use]
pub fn driver(approval: &Approval, pages: Arc<dyn Pages>, prompt: Arc<dyn Prompt>) -> Box<dyn Driver> {
    match approval {
        Approval::Form(recipe) => form(recipe, pages),
        Approval::Manual(settings) => Box::new(manual::Manual::new(settings, prompt)),
    }
}
