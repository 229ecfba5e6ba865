//! The `form` driver: signs in, enters the code and decides by HTML forms. Runs no script.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};

use super::sessions::Sessions;
use super::user_agent::{Kept, Seat};
use super::walk::{self, Ground};
use super::{ApprovalError, Ask, Driver, Opened, Opening, Pages, Submitted};
use crate::target::{FormRecipe, Sessions as Wish};

mod guess;
#[cfg(test)]
mod tests;
mod words;

pub(super) use guess::guess;
pub use guess::{Guess, Guessed, Purpose};

/// Walks through the pages as the target's recipe says.
pub(super) struct Form {
    recipe: FormRecipe,
    pages: Arc<dyn Pages>,
    /// Where users share their sign-in.
    sessions: Option<Sessions<Kept>>,
}

impl Form {
    pub(super) fn new(recipe: &FormRecipe, pages: Arc<dyn Pages>) -> Self {
        let shares = recipe.sessions == Some(Wish::Shared);
        Self { recipe: recipe.clone(), pages, sessions: shares.then(Sessions::default) }
    }

    fn ground(&self) -> Ground<'_> {
        let seat = Seat::Pages(self.pages.as_ref());
        Ground { recipe: &self.recipe, seat, sessions: self.sessions.as_ref() }
    }
}

impl Driver for Form {
    fn decide<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Submitted, ApprovalError>> {
        walk::decide(self.ground(), ask).boxed()
    }

    fn open<'a>(&'a self, opening: Opening<'a>) -> BoxFuture<'a, Result<Opened, ApprovalError>> {
        walk::open(self.ground(), opening).boxed()
    }
}
