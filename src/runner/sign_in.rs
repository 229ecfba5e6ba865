//! Whether the users of a target can sign in at its verification page, before anything depends on it. Decides nothing.

use std::time::Duration;

use tokio::time::Instant;

use super::link::Link;
use super::preflight::{CASE, ask};
use super::resolve::Resolved;
use super::session::Codes;
use super::trouble::Trouble;
use crate::approval::{ApprovalError, Ask, Driver, Manner, Opening, Start};
use crate::protocol::{Decision, Role, UserRole};
use crate::suite::{PageMethod, Reach};
use crate::target::{Target, User};

/// How long a user may take to the page with the decision.
const LIMIT: Duration = Duration::from_secs(20);

/// What came of one user's way to the decision.
pub(super) struct SignIn<'a> {
    pub(super) user: &'a User,
    pub(super) role: UserRole,
    /// Nothing where the page that asks for the decision was reached, or where there was no code to go with.
    pub(super) stopped: Option<ApprovalError>,
}

/// Every user goes up to the page that asks for the decision, each with a code of `tv` and cookies of an own browser.
pub(super) async fn every_user<'a>(
    link: &Link,
    target: &'a Target,
    endpoints: &Resolved,
    driver: &dyn Driver,
) -> Vec<SignIn<'a>> {
    let Some(tv) = target.client(Role::Tv) else { return Vec::new() };
    let visits = target.users.iter().map(|(role, user)| async move {
        let codes = Codes::read(&ask(link, endpoints, Role::Tv, tv).await.exchange)?;
        let stopped = up_to_the_decision(driver, user, &codes).await.err();
        Some(SignIn { user, role: *role, stopped })
    });
    futures_util::future::join_all(visits).await.into_iter().flatten().collect()
}

async fn up_to_the_decision(driver: &dyn Driver, user: &User, codes: &Codes) -> Result<(), ApprovalError> {
    let ask = what_is_asked(user, codes, Decision::Approve, Instant::now() + LIMIT);
    let opening = Opening { ask, reach: Reach::Decision, method: PageMethod::Get, headers: &[] };
    driver.open(opening).await?.short_of.map_or(Ok(()), Err)
}

/// An ordinary visit with these codes.
pub(super) fn what_is_asked<'a>(
    user: &'a User,
    codes: &'a Codes,
    decision: Decision,
    deadline: Instant,
) -> Ask<'a> {
    Ask {
        case: CASE,
        decision,
        user,
        user_code: &codes.user_code,
        verification_uri: &codes.verification_uri,
        verification_uri_complete: codes.verification_uri_complete.as_deref(),
        start: Start::Uri,
        deadline,
        manner: Manner::default(),
    }
}

/// No user of the target is refused by the sign-in.
///
/// # Errors
/// One is.
pub(super) async fn nobody_is_refused(
    link: &Link,
    target: &Target,
    endpoints: &Resolved,
    driver: &dyn Driver,
) -> Result<(), Trouble> {
    for SignIn { user, role, stopped } in every_user(link, target, endpoints, driver).await {
        if let Some(error @ ApprovalError::SignInRefused { .. }) = stopped {
            let (seen, help) = error.seen_and_help();
            return Err(Trouble {
                message: format!("the server refuses the sign-in of {role}, who is {}", user.login),
                detail: Some(link.scrub(&seen)),
                help,
            });
        }
    }
    Ok(())
}
