//! The first approval of a client by a user, which goes alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How often a first approval that fails is tried alone; an approval that cannot work holds up nobody for long.
const TRIES: u32 = 3;

/// Which users have approved which clients.
///
/// A server that remembers consent writes it down at the first approval. Approvals of one user and client that all
/// find none at the same moment are what no person does, and some servers break over them for good (Keycloak then has
/// two records where it looks for one, and every later approval ends in a server error).
#[derive(Default)]
pub struct Firsts(Mutex<BTreeMap<(String, String), Turn>>);

/// Held by whoever tries a first approval; how often it was tried so far.
type Turn = Arc<tokio::sync::Mutex<u32>>;

impl Firsts {
    /// Does `approve` for a user, by login, and a client_id: alone until it came out once, beside others afterwards.
    ///
    /// # Errors
    /// Those of `approve`.
    pub async fn alone_if_first<T, E>(
        &self,
        (login, client_id): (&str, &str),
        approve: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        let who = (login.to_owned(), client_id.to_owned());
        let tries = self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(who).or_default().clone();
        let mut tries = tries.lock().await;
        if *tries >= TRIES {
            drop(tries);
            return approve.await;
        }
        let approved = approve.await;
        *tries = if approved.is_ok() { TRIES } else { *tries + 1 };
        approved
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_approval_of_a_client_goes_alone_and_the_others_together() {
        let (firsts, start) = (Firsts::default(), Instant::now());
        let approve = |user, comes_out: bool| {
            let firsts = &firsts;
            let approval = async move {
                sleep(Duration::from_secs(1)).await;
                if comes_out { Ok(()) } else { Err(()) }
            };
            async move {
                let _ = firsts.alone_if_first((user, "tv"), approval).await;
                start.elapsed().as_secs()
            }
        };
        let times = tokio::join!(
            approve("alice", false),
            approve("alice", true),
            approve("alice", true),
            approve("alice", false),
            approve("bob", true),
        );
        assert_eq!(times, (1, 2, 3, 3, 1));
    }
}
