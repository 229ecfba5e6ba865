//! The faults that show only under load: each misbehaves in a crowd of polls, and does not below it.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::client::*;
use crate::server::faults::{self, CROWD, Shows};
use crate::server::{App, Config, app};

const DEVICE: &str = "client_id=tv-public";

/// Each fault with what is seen without a crowd and in one.
const SEEN: [(&str, &str, &str); 14] = [
    ("double-issue-under-load", "invalid_grant", "another token"),
    ("approval-lost-under-load", "granted", "authorization_pending"),
    ("pending-after-approval-under-load", "granted", "authorization_pending"),
    ("answer-of-another-code-under-load", "authorization_pending", "granted"),
    ("storage-error-as-access-denied-under-load", "authorization_pending", "access_denied"),
    ("resurrects-under-load", "invalid_grant", "authorization_pending"),
    ("forgets-codes-under-load", "authorization_pending", "invalid_grant"),
    ("expired-early-under-load", "authorization_pending", "expired_token"),
    ("approved-outlives-expiry-under-load", "expired_token", "granted"),
    ("throttles-everyone-under-load", "authorization_pending", "slow_down"),
    ("500-under-load", "authorization_pending", "500"),
    ("slow-under-load", "0 s", "2 s"),
    ("device-codes-repeat-under-load", "two codes", "one code"),
    ("token-of-another-under-load", "two tokens", "one token"),
];

/// As many polls at one moment, of codes that nobody has.
async fn polls(app: &App, count: usize) {
    let body = poll_body("nobody", "tv-public");
    join_all((0..count).map(|_| post(&app.public, TOKEN, &body))).await;
}

/// What one more poll comes to, in a word.
async fn word(app: &App, codes: &Codes) -> String {
    let answer = poll(app, codes).await;
    match answer.status.as_u16() {
        200 => "granted".to_owned(),
        500 => "500".to_owned(),
        _ => answer.error(),
    }
}

/// What is seen of a fault beside so many other polls in a second.
async fn seen(id: &str, app: &App, others: usize) -> String {
    let codes = authorize(app, DEVICE).await;
    match id {
        "double-issue-under-load" => {
            approve(app, &codes).await;
            let first = poll(app, &codes).await.text("access_token");
            polls(app, others).await;
            let again = poll(app, &codes).await;
            if again.status != 200 {
                return again.error();
            }
            assert_ne!(again.text("access_token"), first);
            "another token".to_owned()
        }
        "approval-lost-under-load" => {
            polls(app, others).await;
            let approval = async {
                wait(0.2).await;
                approve(app, &codes).await;
            };
            let (pending, ()) = tokio::join!(word(app, &codes), approval);
            assert_eq!(pending, "authorization_pending");
            wait(5.0).await;
            word(app, &codes).await
        }
        "pending-after-approval-under-load" => {
            approve(app, &codes).await;
            polls(app, others).await;
            word(app, &codes).await
        }
        "answer-of-another-code-under-load" => {
            let other = authorize(app, DEVICE).await;
            polls(app, others).await;
            assert_eq!(word(app, &other).await, "authorization_pending");
            approve(app, &other).await;
            word(app, &codes).await
        }
        "resurrects-under-load" => {
            approve(app, &codes).await;
            assert_eq!(word(app, &codes).await, "granted");
            polls(app, others).await;
            word(app, &codes).await
        }
        "approved-outlives-expiry-under-load" => {
            approve(app, &codes).await;
            wait(600.0).await;
            polls(app, others).await;
            word(app, &codes).await
        }
        "slow-under-load" => {
            polls(app, others).await;
            let start = Instant::now();
            assert_eq!(word(app, &codes).await, "authorization_pending");
            format!("{} s", start.elapsed().as_secs())
        }
        "device-codes-repeat-under-load" => {
            // Its request is no poll.
            polls(app, others + 1).await;
            let another = authorize(app, DEVICE).await;
            assert_ne!(another.user_code, codes.user_code);
            if another.device_code == codes.device_code { "one code" } else { "two codes" }.to_owned()
        }
        "token-of-another-under-load" => {
            let other = authorize(app, DEVICE).await;
            approve(app, &other).await;
            approve(app, &codes).await;
            polls(app, others).await;
            let given = [poll(app, &other).await, poll(app, &codes).await];
            let given: BTreeSet<String> = given.iter().map(|answer| answer.text("access_token")).collect();
            if given.len() == 1 { "one token" } else { "two tokens" }.to_owned()
        }
        _ => {
            for _ in 0..2 {
                assert_eq!(word(app, &codes).await, "authorization_pending");
                wait(5.0).await;
            }
            polls(app, others).await;
            word(app, &codes).await
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_misbehaves_in_a_crowd_and_only_there() {
    let of_load = faults::FAMILIES.iter().filter(|family| family.shows == Shows::UnderLoad);
    let of_load: Vec<_> = of_load.flat_map(|family| family.faults).collect();
    let named: Vec<&str> = of_load.iter().map(|fault| fault.id).collect();
    assert_eq!(SEEN.map(|(id, _, _)| id).to_vec(), named);
    for (fault, (id, calm, crowded)) in of_load.into_iter().zip(SEEN) {
        let server = || app(Config::reference().with_faults([fault]), ORIGIN);
        assert_eq!(seen(id, &server(), CROWD - 10).await, calm, "{id}");
        assert_eq!(seen(id, &server(), CROWD).await, crowded, "{id}");
        assert_eq!(seen(id, &reference(), CROWD).await, calm, "{id}: the server without the fault");
    }
}

#[tokio::test(start_paused = true)]
async fn a_crowd_that_has_gone_leaves_nothing_behind() {
    let fault = faults::find("throttles-everyone-under-load");
    let app = app(Config::reference().with_faults(fault), ORIGIN);
    let codes = authorize(&app, DEVICE).await;
    polls(&app, CROWD).await;
    assert_eq!(word(&app, &codes).await, "slow_down");
    wait(5.0).await;
    assert_eq!(word(&app, &codes).await, "authorization_pending");
}
