//! Sign-ins that the decisions of one user share. Knows neither pages nor requests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// What a sign-in left behind, by user; `T` is cookies and whatever goes with them.
pub(super) struct Sessions<T> {
    users: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<Kept<T>>>>>,
}

/// The last sign-in of a user.
struct Kept<T> {
    /// How many there were.
    number: u64,
    last: Option<T>,
}

/// A sign-in that can be used.
pub(super) struct SignIn<T> {
    /// Which of this user's it is.
    pub(super) number: u64,
    pub(super) left: T,
}

/// What there is to do for who has to sign in.
pub(super) enum Turn<T> {
    /// Somebody else has done it meanwhile.
    Adopt(SignIn<T>),
    /// Sign in; the others wait meanwhile.
    Mine(MyTurn<T>),
}

/// The right to sign in; given back when it is dropped.
pub(super) struct MyTurn<T>(OwnedMutexGuard<Kept<T>>);

impl<T> Default for Sessions<T> {
    fn default() -> Self {
        Self { users: Mutex::default() }
    }
}

impl<T: Clone> Sessions<T> {
    /// The user's last sign-in; waits while somebody is at it.
    pub(super) async fn last(&self, login: &str) -> Option<SignIn<T>> {
        let kept = self.of(login).lock_owned().await;
        kept.sign_in()
    }

    /// Whose turn it is to sign in, when the sign-in of number `stale` is worth nothing any more.
    pub(super) async fn turn(&self, login: &str, stale: Option<u64>) -> Turn<T> {
        let kept = self.of(login).lock_owned().await;
        match kept.sign_in().filter(|sign_in| Some(sign_in.number) != stale) {
            Some(sign_in) => Turn::Adopt(sign_in),
            None => Turn::Mine(MyTurn(kept)),
        }
    }

    fn of(&self, login: &str) -> Arc<tokio::sync::Mutex<Kept<T>>> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Arc::new(tokio::sync::Mutex::new(Kept { number: 0, last: None }));
        users.entry(login.to_owned()).or_insert_with(fresh).clone()
    }
}

impl<T: Clone> Kept<T> {
    fn sign_in(&self) -> Option<SignIn<T>> {
        self.last.clone().map(|left| SignIn { number: self.number, left })
    }
}

impl<T: Clone> MyTurn<T> {
    /// Keeps what the sign-in left behind, for everybody.
    pub(super) fn keep(mut self, left: T) -> SignIn<T> {
        self.0.number += 1;
        self.0.last = Some(left.clone());
        SignIn { number: self.0.number, left }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_comes_at_the_same_time_waits_for_one_sign_in() {
        let (sessions, signed_in) = (Sessions::<u64>::default(), AtomicU64::new(0));
        let one = |stale| {
            let (sessions, signed_in) = (&sessions, &signed_in);
            async move {
                match sessions.turn("alice", stale).await {
                    Turn::Adopt(sign_in) => sign_in.left,
                    Turn::Mine(turn) => {
                        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                        turn.keep(signed_in.fetch_add(1, Ordering::Relaxed)).left
                    }
                }
            }
        };
        assert_eq!(futures_util::future::join_all((0..8).map(|_| one(None))).await, [0; 8]);
        assert_eq!(futures_util::future::join_all((0..8).map(|_| one(Some(1)))).await, [1; 8], "once more");
        assert_eq!(sessions.last("alice").await.map(|it| (it.number, it.left)), Some((2, 1)));
        assert!(sessions.last("bob").await.is_none());
    }

    #[tokio::test]
    async fn a_sign_in_that_failed_leaves_the_turn_to_the_next() {
        let sessions = Sessions::<u64>::default();
        let Turn::Mine(turn) = sessions.turn("alice", None).await else { panic!("nobody signed in") };
        drop(turn);
        assert!(matches!(sessions.turn("alice", None).await, Turn::Mine(_)));
    }
}
