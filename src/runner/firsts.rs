//! The first approval of a client by a user, which goes alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::protocol::{Role, UserRole};

/// Which users have approved which clients.
///
/// A server that remembers consent writes it down at the first approval. Approvals of one user and client that all
/// find none at the same moment are what no person does, and some servers break over them for good (Keycloak then has
/// two records where it looks for one, and every later approval ends in a server error).
#[derive(Default)]
pub(super) struct Firsts(Mutex<BTreeMap<(UserRole, Role), Arc<tokio::sync::Mutex<bool>>>>);

impl Firsts {
    /// Does `approve` for a user and a client: alone if it is their first time, beside others afterwards.
    pub(super) async fn alone_if_first<T>(
        &self,
        who: (UserRole, Role),
        approve: impl Future<Output = T> + Send,
    ) -> T {
        let is_known =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(who).or_default().clone();
        let mut is_known = is_known.lock().await;
        if *is_known {
            drop(is_known);
            return approve.await;
        }
        let approved = approve.await;
        *is_known = true;
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
        let approve = |user, client| {
            let firsts = &firsts;
            async move {
                firsts.alone_if_first((user, client), sleep(Duration::from_secs(1))).await;
                start.elapsed().as_secs()
            }
        };
        let (a, b, c, d) = tokio::join!(
            approve(UserRole::Alice, Role::Tv),
            approve(UserRole::Alice, Role::Tv),
            approve(UserRole::Alice, Role::Tv),
            approve(UserRole::Bob, Role::Tv),
        );
        assert_eq!((a, b, c, d), (1, 2, 2, 1));
    }
}
