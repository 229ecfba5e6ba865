//! A closure in place of pages: for a server that is judged in its own tests, where it can be told of a decision
//! directly. Knows neither pages nor people.

use std::fmt::Display;

use futures_util::future::{BoxFuture, FutureExt};
use tokio::time::{Instant, timeout_at};

use super::{ApprovalError, Ask, Driver, Opened, Opening, Start, Submitted};
use crate::target::Decision;

/// What the user is to do: a decision that is wanted, with all that a user sees of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Yes or no.
    pub decision: Decision,
    /// Who decides, by the `login` of the target's user; `alice` where the target names nobody.
    pub login: String,
    /// The code as the device shows it (RFC 8628 §3.2).
    pub user_code: String,
    /// Where the user types it.
    pub verification_uri: String,
    /// The same with the code inside, where the server gave one (RFC 8628 §3.3.1).
    pub verification_uri_complete: Option<String>,
    /// At which of the two the user starts.
    pub start: Start,
}

/// Decides through a closure. `Ok` is a decision that the server took, `Err` one that it did not take, with its words.
pub struct Closure<F>(F);

impl<F> Closure<F> {
    /// A driver that calls `decide` for every decision; many may run at once.
    #[must_use]
    pub fn new<D, E>(decide: F) -> Self
    where
        F: Fn(Wish) -> D + Send + Sync,
        D: Future<Output = Result<(), E>> + Send,
        E: Display,
    {
        Self(decide)
    }
}

impl<F, D, E> Driver for Closure<F>
where
    F: Fn(Wish) -> D + Send + Sync,
    D: Future<Output = Result<(), E>> + Send,
    E: Display,
{
    fn decide<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Submitted, ApprovalError>> {
        async move {
            if ask.start_uri().is_none() {
                return Err(ApprovalError::NoCompleteUri);
            }
            let wish = Wish {
                decision: ask.decision,
                login: ask.user.login.clone(),
                user_code: ask.user_code.to_owned(),
                verification_uri: ask.verification_uri.to_owned(),
                verification_uri_complete: ask.verification_uri_complete.map(ToOwned::to_owned),
                start: ask.start,
            };
            let sent = Instant::now();
            match timeout_at(ask.deadline, (self.0)(wish)).await {
                Ok(Ok(())) => Ok(Submitted { sent, done: Instant::now(), status: None, page: None }),
                Ok(Err(why)) => Err(ApprovalError::NotTaken { why: why.to_string() }),
                Err(_) => Err(ApprovalError::Deadline { place: None }),
            }
        }
        .boxed()
    }

    fn open<'a>(&'a self, _: Opening<'a>) -> BoxFuture<'a, Result<Opened, ApprovalError>> {
        std::future::ready(Err(ApprovalError::NoPages { who: "the closure" })).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Manner;
    use super::*;
    use crate::secret::Secret;
    use crate::target::User;

    fn ask<'a>(user: &'a User, decision: Decision, start: Start) -> Ask<'a> {
        Ask {
            case: "a-suite/a-check",
            decision,
            user,
            user_code: "WDJB-MJHT",
            verification_uri: "https://as.example/device",
            verification_uri_complete: None,
            start,
            deadline: Instant::now() + Duration::from_secs(60),
            manner: Manner::default(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_closure_hears_what_the_user_sees_and_its_words_are_kept() {
        let bob = User { login: "bob".to_owned(), password: Secret::new("looking-glass-2") };
        let driver = Closure::new(async |wish: Wish| match wish.decision {
            Decision::Approve => Ok(()),
            Decision::Deny => Err(format!("{} may not deny {}", wish.login, wish.user_code)),
        });
        assert!(driver.decide(ask(&bob, Decision::Approve, Start::Uri)).await.is_ok());
        let refused = driver.decide(ask(&bob, Decision::Deny, Start::Uri)).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the closure said: bob may not deny WDJB-MJHT; does the server know the code, and is it undecided?"
        );
        let nowhere = driver.decide(ask(&bob, Decision::Approve, Start::CompleteUri)).await;
        assert_eq!(nowhere, Err(ApprovalError::NoCompleteUri));
        let hanging = Closure::new(|_| std::future::pending::<Result<(), String>>());
        let late = hanging.decide(ask(&bob, Decision::Approve, Start::Uri)).await;
        assert_eq!(late, Err(ApprovalError::Deadline { place: None }));
    }
}
