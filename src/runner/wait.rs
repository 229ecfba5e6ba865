//! Waiting for a server that is starting: until something answers HTTP where the target is.

use std::time::Duration;

use tokio::time::Instant;

use super::resolve::{absolute, well_known};
use super::trouble::Trouble;
use crate::compose::{At, plain_get};
use crate::exchange::NoAnswer;
use crate::http::Exchanger;
use crate::protocol::Endpoint;
use crate::target::Target;
use crate::timing::show;

/// How often it is asked.
const PACE: Duration = Duration::from_millis(250);

/// Asks until the issuer's metadata, or the device authorization endpoint where no issuer is named, is answered: by
/// whatever but a 503, which a server says while it starts. A certificate that is not trusted is an answer, too; what is
/// wrong with it is for the preflight to say.
///
/// # Errors
/// Nobody did within `limit`.
pub async fn wait_until_ready(
    exchanger: &dyn Exchanger,
    target: &Target,
    limit: Duration,
) -> Result<(), Trouble> {
    let Some(url) = place(target) else { return Ok(()) };
    let request = plain_get(At::of(target, Endpoint::Metadata, &url));
    let until = Instant::now() + limit;
    let mut last = "there was no answer".to_owned();
    while let Ok(sent) = tokio::time::timeout_at(until, exchanger.send(&request)).await {
        last = match sent.answer {
            Ok(answer) if answer.status == 503 => "the last answer was 503".to_owned(),
            Ok(_) | Err(NoAnswer::Tls(_) | NoAnswer::TooLarge(_) | NoAnswer::Ours(_)) => return Ok(()),
            Err(error) => error.to_string(),
        };
        if tokio::time::timeout_at(until, tokio::time::sleep(PACE)).await.is_err() {
            break;
        }
    }
    Err(Trouble {
        message: format!("the server was not ready within {}: {last}", show(limit)),
        detail: Some(format!("GET {}", request.url)),
        help: "is it starting, and is the address in the target file right? --wait-ready gives it more time"
            .to_owned(),
    })
}

/// Where it is asked.
fn place(target: &Target) -> Option<String> {
    let metadata = target.issuer.as_deref().and_then(|issuer| well_known(issuer).into_iter().next());
    metadata
        .map(|(_, url)| url)
        .or_else(|| absolute(target.issuer.as_deref(), target.endpoints.device_authorization.as_deref()?))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::future::{BoxFuture, FutureExt};

    use super::*;
    use crate::compose::Composed;
    use crate::exchange::Answer;
    use crate::http::Sent;

    /// Says these, one after the other, and the last for ever.
    struct Starting(Mutex<Vec<Result<u16, NoAnswer>>>);

    impl Exchanger for Starting {
        fn send<'a>(&'a self, request: &'a Composed) -> BoxFuture<'a, Sent> {
            assert_eq!(request.url, "http://h/.well-known/oauth-authorization-server");
            let mut left = self.0.lock().unwrap();
            let next = if left.len() > 1 { left.remove(0) } else { left[0].clone() };
            let answer = next.map(|status| Answer { status, headers: Vec::new(), body: Vec::new() });
            let now = Instant::now();
            std::future::ready(Sent { answer, sent: now, done: now }).boxed()
        }
    }

    async fn waited(answers: Vec<Result<u16, NoAnswer>>) -> (Duration, Result<(), String>) {
        let begun = Instant::now();
        let starting = Starting(Mutex::new(answers));
        let came = wait_until_ready(&starting, &Target::at("http://h"), Duration::from_secs(3)).await;
        (begun.elapsed(), came.map_err(|trouble| trouble.to_string()))
    }

    #[tokio::test(start_paused = true)]
    async fn what_starts_is_waited_for_and_every_answer_but_503_is_one() {
        let starting = vec![Err(NoAnswer::Refused), Err(NoAnswer::Refused), Ok(503), Ok(404)];
        assert_eq!(waited(starting).await, (PACE * 3, Ok(())));
        let certificate = vec![Err(NoAnswer::Tls("invalid peer certificate: Expired".to_owned()))];
        assert_eq!(waited(certificate).await, (Duration::ZERO, Ok(())));
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_comes_is_named_with_the_last_that_was_seen() {
        for (last, said) in
            [(Ok(503), "the last answer was 503"), (Err(NoAnswer::Refused), "the connection was refused")]
        {
            let (took, came) = waited(vec![last]).await;
            assert_eq!(took, Duration::from_secs(3));
            assert_eq!(came, Err(format!("the server was not ready within 3 s: {said}")));
        }
    }
}
