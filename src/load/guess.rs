//! Somebody who types user codes that were never issued, at the pages and at a rate of his own.

use std::rc::Rc;

use super::decide::{Typist, visit};
use super::shard::Shard;
use super::state::State;
use crate::approval::{ApprovalError, Driver};
use crate::outcome::Outcome;
use crate::scenario::{Operation, StrangerKind};
use crate::target::Decision;

/// The letters of RFC 8628 §6.1: what a server of our own would issue, too.
const ALPHABET: &str = "BCDFGHJKLMNPQRSTVWXZ";

/// Types one code after the other until the shard stops.
pub(super) async fn run(shard: Rc<Shard>, typist: &Typist, driver: &dyn Driver) {
    let next = |state: &mut State| state.guesses.pop_front();
    while let Some((number, intended)) = shard.next(next, |state| &mut state.idle_guessers).await {
        let setup = &*shard.setup;
        let Some(mut draw) = setup.schedule.stranger(StrangerKind::WrongUserCode, number) else { return };
        let user_code = format!("{}-{}", draw.text(ALPHABET, 4), draw.text(ALPHABET, 4));
        // Nobody was given codes yet, so nobody knows where to type one.
        let Some(uri) = shard.state.borrow().verification_uri.clone() else { continue };
        let sent = setup.now();
        let visited = driver.decide(visit(setup, &typist.user, Decision::Approve, &user_code, &uri)).await;
        let done = setup.now();
        let mut state = shard.state.borrow_mut();
        let outcome = match visited {
            // A code that somebody was given can be hit; the odds are the report's to tell.
            Ok(_) => Outcome::Granted,
            Err(ApprovalError::Address { .. } | ApprovalError::Deadline { .. }) => {
                state.slice.failed(Operation::Stranger, "guess_unanswered");
                Outcome::Broken
            }
            Err(_) => Outcome::Refused,
        };
        state.slice.answered(Operation::Stranger, outcome, done.saturating_sub(intended), done - sent);
    }
}
