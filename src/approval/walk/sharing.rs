//! A walk's part in the sign-ins that the decisions of its user share.

use tokio::time::timeout_at;

use super::{Walk, stopped};
use crate::approval::ApprovalError;
use crate::approval::sessions::{MyTurn, Sessions, Turn};
use crate::approval::user_agent::Kept;
use crate::target::Blank;

/// A walk's part in the sign-ins of its user.
pub(super) struct Sharing<'a> {
    pub(super) sessions: &'a Sessions<Kept>,
    /// The sign-in it uses.
    pub(super) used: Option<u64>,
    /// The right to sign in, while it does.
    turn: Option<MyTurn<Kept>>,
}

impl<'a> Sharing<'a> {
    pub(super) const fn of(sessions: &'a Sessions<Kept>) -> Self {
        Self { sessions, used: None, turn: None }
    }
}

impl Walk<'_> {
    /// Whether somebody else has signed this user in while this walk came to the same point: it had better start anew,
    /// with those cookies. Otherwise the sign-in is this walk's to make, and to keep once it is made.
    pub(super) async fn is_overtaken(&mut self) -> Result<bool, ApprovalError> {
        let Some(sharing) = &self.sharing else { return Ok(false) };
        let signs_in = |index| self.uses(index, Blank::Login) || self.uses(index, Blank::Password);
        if !self.fitting().is_some_and(|(index, _)| signs_in(index)) {
            self.keep_sign_in().await?;
            return Ok(false);
        }
        if sharing.turn.is_some() {
            return Ok(false);
        }
        let turn =
            timeout_at(self.ask.deadline, sharing.sessions.turn(&self.ask.user.login, sharing.used)).await;
        let turn = turn.map_err(|_| ApprovalError::Deadline { place: Some(self.place()) })?;
        match (turn, &mut self.sharing) {
            (Turn::Mine(turn), Some(sharing)) => {
                sharing.turn = Some(turn);
                Ok(false)
            }
            (Turn::Adopt(_), _) => Ok(true),
            (Turn::Mine(_), None) => Ok(false),
        }
    }

    /// Keeps the cookies of a sign-in that this walk made, for all decisions of the user.
    pub(super) async fn keep_sign_in(&mut self) -> Result<(), ApprovalError> {
        let Some(turn) = self.sharing.as_mut().and_then(|sharing| sharing.turn.take()) else { return Ok(()) };
        let kept = self.agent.copy().await.map_err(|stop| stopped(stop, Some(&self.view), self.ask.user))?;
        let sign_in = turn.keep(kept);
        if let Some(sharing) = &mut self.sharing {
            sharing.used = Some(sign_in.number);
        }
        Ok(())
    }
}
