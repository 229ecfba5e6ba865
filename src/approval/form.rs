//! The `form` driver: signs in, enters the code and decides by HTML forms. Runs no script.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};

use super::{ApprovalError, Ask, Driver, Pages, Submitted};
use crate::target::FormRecipe;

mod browser;
mod fields;
mod html;
#[cfg(test)]
mod tests;
mod walk;

/// Walks through the pages as the target's recipe says.
pub(super) struct Form {
    recipe: FormRecipe,
    pages: Arc<dyn Pages>,
}

impl Form {
    pub(super) fn new(recipe: &FormRecipe, pages: Arc<dyn Pages>) -> Self {
        Self { recipe: recipe.clone(), pages }
    }
}

impl Driver for Form {
    fn decide<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Submitted, ApprovalError>> {
        walk::decide(&self.recipe, self.pages.as_ref(), ask).boxed()
    }
}
