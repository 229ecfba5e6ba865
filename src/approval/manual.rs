//! The `manual` driver: a person decides. Knows no terminal; who shows the text and waits for the key is handed in.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::{ApprovalError, Ask, Driver, Opened, Opening, Submitted};
use crate::target;

/// Shows a text to a person and waits for the answer.
pub trait Prompt: Send + Sync {
    /// Shows the errand and waits: Enter is [`Answer::Done`], `d` is [`Answer::CouldNot`]. Dropped when it is too late.
    fn confirm<'a>(&'a self, errand: Errand<'a>) -> BoxFuture<'a, io::Result<Answer>>;
}

/// What a person is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errand<'a> {
    /// What is to be done, in lines.
    pub text: &'a str,
    /// How to answer.
    pub answers: &'a str,
    /// The address to open, to be scanned where it can be drawn: with the code inside, where the server gave one.
    pub address: &'a str,
}

/// What the person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The decision could not be made.
    CouldNot,
    /// The decision is made.
    Done,
}

/// Shows code and URI and waits for a person; one prompt at a time, in the order of asking.
pub(super) struct Manual {
    give_up_after: Option<Duration>,
    prompt: Arc<dyn Prompt>,
    turn: Semaphore,
}

impl Manual {
    pub(super) fn new(settings: &target::Manual, prompt: Arc<dyn Prompt>) -> Self {
        Self { give_up_after: settings.give_up_after.map(|length| length.0), prompt, turn: Semaphore::new(1) }
    }

    async fn prompt(&self, ask: &Ask<'_>) -> Result<Submitted, ApprovalError> {
        let uri = ask.start_uri().ok_or(ApprovalError::NoCompleteUri)?;
        // The semaphore is never closed, so that there is always a permit to wait for.
        let _turn = self.turn.acquire().await.ok();
        let sent = Instant::now();
        let until = self.give_up_after.map_or(ask.deadline, |length| ask.deadline.min(sent + length));
        let text = format!(
            "\n  {} as {}\n\n    code  {}\n    at    {uri}\n    for   {}",
            match ask.decision {
                target::Decision::Approve => "APPROVE",
                target::Decision::Deny => "DENY",
            },
            ask.user.login,
            ask.user_code,
            ask.case,
        );
        let answers = format!(
            "Press Enter when it is done, d and Enter when it cannot be done ({} s left).",
            until.saturating_duration_since(sent).as_secs(),
        );
        let address = ask.verification_uri_complete.unwrap_or(uri);
        let errand = Errand { text: &text, answers: &answers, address };
        match timeout_at(until, self.prompt.confirm(errand)).await {
            Ok(Ok(Answer::Done)) => Ok(Submitted { sent, done: Instant::now(), status: None, page: None }),
            Ok(Ok(Answer::CouldNot)) => Err(ApprovalError::CouldNot { decision: ask.decision }),
            Ok(Err(error)) => Err(ApprovalError::NoPerson { why: error.to_string() }),
            Err(_) => Err(ApprovalError::Deadline { place: None }),
        }
    }
}

impl Driver for Manual {
    fn decide<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Submitted, ApprovalError>> {
        async move {
            timeout_at(ask.deadline, self.prompt(&ask))
                .await
                .unwrap_or(Err(ApprovalError::Deadline { place: None }))
        }
        .boxed()
    }

    fn open<'a>(&'a self, _: Opening<'a>) -> BoxFuture<'a, Result<Opened, ApprovalError>> {
        std::future::ready(Err(ApprovalError::NoPages { who: "the person at the prompt" })).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::{Decision, Manner, Start};
    use super::*;
    use crate::secret::Secret;
    use crate::target::{Length, User};

    /// Answers after a second, and remembers what it showed and when.
    struct Person {
        answer: Answer,
        seen: Mutex<Vec<(Duration, String)>>,
        start: Instant,
    }

    impl Prompt for Person {
        fn confirm<'a>(&'a self, errand: Errand<'a>) -> BoxFuture<'a, io::Result<Answer>> {
            let Errand { text, answers, address } = errand;
            let shown = format!("{text}\n{answers}\n{address}");
            self.seen.lock().unwrap().push((self.start.elapsed(), shown));
            async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(self.answer)
            }
            .boxed()
        }
    }

    fn ask<'a>(user: &'a User, user_code: &'a str, seconds: u64) -> Ask<'a> {
        Ask {
            case: "a-suite/a-check",
            decision: Decision::Deny,
            user,
            user_code,
            verification_uri: "https://as.example/device",
            verification_uri_complete: None,
            start: Start::Uri,
            deadline: Instant::now() + Duration::from_secs(seconds),
            manner: Manner::default(),
        }
    }

    fn person(answer: Answer) -> Arc<Person> {
        Arc::new(Person { answer, seen: Mutex::default(), start: Instant::now() })
    }

    #[tokio::test(start_paused = true)]
    async fn prompts_come_one_after_the_other_and_say_what_is_wanted() {
        let bob = User { login: "bob".to_owned(), password: Secret::new("looking-glass-2") };
        let person = person(Answer::Done);
        let driver = Manual::new(&target::Manual::default(), person.clone());
        let (first, second) =
            tokio::join!(driver.decide(ask(&bob, "BBBB", 60)), driver.decide(ask(&bob, "CCCC", 60)));
        assert!(first.unwrap().done <= second.unwrap().sent);
        let seen = person.seen.lock().unwrap();
        assert_eq!(seen.iter().map(|(at, _)| at.as_secs()).collect::<Vec<_>>(), [0, 1]);
        for part in [
            "DENY as bob",
            "code  BBBB",
            "at    https://as.example/device",
            "for   a-suite/a-check",
            "60 s left",
        ] {
            assert!(seen[0].1.contains(part), "{part}: {}", seen[0].1);
        }
        assert!(!seen[0].1.contains("looking-glass-2"));
    }

    #[tokio::test(start_paused = true)]
    async fn who_cannot_decide_or_comes_too_late_is_an_error() {
        let bob = User { login: "bob".to_owned(), password: Secret::new("looking-glass-2") };
        let driver = Manual::new(&target::Manual::default(), person(Answer::CouldNot));
        let refused = driver.decide(ask(&bob, "BBBB", 60)).await;
        assert!(matches!(refused, Err(ApprovalError::CouldNot { decision: Decision::Deny })), "{refused:?}");

        let settings = target::Manual { give_up_after: Some(Length(Duration::from_millis(500))) };
        let driver = Manual::new(&settings, person(Answer::Done));
        let late = driver.decide(ask(&bob, "BBBB", 60)).await;
        assert!(matches!(late, Err(ApprovalError::Deadline { place: None })), "{late:?}");

        let driver = Manual::new(&target::Manual::default(), person(Answer::Done));
        let (first, second) =
            tokio::join!(driver.decide(ask(&bob, "BBBB", 60)), driver.decide(ask(&bob, "CCCC", 0)));
        assert!(first.is_ok());
        assert!(matches!(second, Err(ApprovalError::Deadline { place: None })), "{second:?}");
    }
}
