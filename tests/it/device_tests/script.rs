//! A scripted server for virtual time: answers in order, each after its own delay.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use devgrant::compose::Composed;
use devgrant::exchange::{Answer, NoAnswer};
use devgrant::http::{Exchanger, Sent};
use futures_util::future::{BoxFuture, FutureExt};
use tokio::time::Instant;

/// The device code of the script's codes.
pub(crate) const DEVICE_CODE: &str = "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS";
/// The access token of the script's token.
pub(crate) const ACCESS_TOKEN: &str = "2YotnFZFEjr1zCsicMWpAA";
/// The refresh token of the script's token.
pub(crate) const REFRESH_TOKEN: &str = "tGzv3JOkF0XG5Qx2TlKWIA";

/// One request as it came, with its instants since the script's beginning.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) request: Composed,
    pub(crate) sent: Duration,
    pub(crate) done: Duration,
}

impl Seen {
    pub(crate) fn authorization(&self) -> Option<&str> {
        let mut headers = self.request.headers.iter();
        headers.find(|(name, _)| name == "authorization").map(|(_, value)| value.as_str())
    }

    pub(crate) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.request.body).into_owned().collect()
    }
}

/// Answers the device authorization request, then polls and API calls in the order of the script, whose last answer
/// is repeated without end.
pub(crate) struct Script {
    answers: Mutex<VecDeque<(Duration, Result<Answer, NoAnswer>)>>,
    seen: Mutex<Vec<Seen>>,
    epoch: Instant,
}

/// The usual codes, `members` changed or added.
pub(crate) fn codes(members: serde_json::Value) -> Result<Answer, NoAnswer> {
    let mut body = serde_json::json!({
        "device_code": DEVICE_CODE,
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://example.com/device",
        "verification_uri_complete": "https://example.com/device?user_code=WDJB-MJHT",
        "expires_in": 1800,
        "interval": 5,
    });
    let all = body.as_object_mut().unwrap();
    all.extend(members.as_object().unwrap().clone());
    all.retain(|_, value| value != "absent");
    Ok(json(200, &body.to_string()))
}

/// The usual token.
pub(crate) fn token(kind: &str) -> Result<Answer, NoAnswer> {
    Ok(json(
        200,
        &format!(
            r#"{{"access_token":"{ACCESS_TOKEN}","token_type":"{kind}","expires_in":3600,"refresh_token":"{REFRESH_TOKEN}"}}"#
        ),
    ))
}

/// An error with a description that gives the device code away.
pub(crate) fn error(status: u16, code: &str) -> Result<Answer, NoAnswer> {
    Ok(json(status, &format!(r#"{{"error":"{code}","error_description":"about {DEVICE_CODE}\u001b[31m"}}"#)))
}

pub(crate) fn json(status: u16, body: &str) -> Answer {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Answer { status, headers, body: body.as_bytes().to_vec() }
}

/// An answer that asks to be left alone for so many seconds.
pub(crate) fn later(status: u16, body: &str, seconds: &str) -> Answer {
    let mut answer = json(status, body);
    answer.headers.push(("retry-after".to_owned(), seconds.to_owned()));
    answer
}

impl Script {
    pub(crate) fn new(answers: impl IntoIterator<Item = Result<Answer, NoAnswer>>) -> Self {
        Self::with_delays(answers.into_iter().map(|answer| (Duration::from_millis(200), answer)))
    }

    pub(crate) fn with_delays(
        answers: impl IntoIterator<Item = (Duration, Result<Answer, NoAnswer>)>,
    ) -> Self {
        Self {
            answers: Mutex::new(answers.into_iter().collect()),
            seen: Mutex::new(Vec::new()),
            epoch: Instant::now(),
        }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// From the receipt of every answer to the next request: what a device owes the server.
    pub(crate) fn gaps(&self) -> Vec<Duration> {
        self.seen().windows(2).map(|pair| pair[1].sent - pair[0].done).collect()
    }
}

impl Exchanger for Script {
    fn send<'a>(&'a self, request: &'a Composed) -> BoxFuture<'a, Sent> {
        async move {
            let sent = Instant::now();
            let (delay, answer) = {
                let mut answers = self.answers.lock().unwrap();
                if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }.unwrap()
            };
            tokio::time::sleep(delay).await;
            let done = Instant::now();
            let seen = Seen { request: request.clone(), sent: sent - self.epoch, done: done - self.epoch };
            self.seen.lock().unwrap().push(seen);
            Sent { answer, sent, done }
        }
        .boxed()
    }
}
