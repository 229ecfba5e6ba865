//! The `form` driver: signs in, enters the code and decides by HTML forms. Runs no script.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};

use super::walk;
use super::{ApprovalError, Ask, Driver, Opened, Opening, Pages, Submitted};
use crate::target::FormRecipe;

#[cfg(test)]
mod tests;

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

    fn open<'a>(&'a self, opening: Opening<'a>) -> BoxFuture<'a, Result<Opened, ApprovalError>> {
        walk::open(&self.recipe, self.pages.as_ref(), opening).boxed()
    }
}
