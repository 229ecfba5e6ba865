//! One request and its answer as bytes, with the instants of the one monotonic clock.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::outcome::{Outcome, classify, json_object};
use crate::protocol::{CodeFate, Decision, Endpoint, Role};

/// One request and what came of it. Raw: never printed as it is.
#[derive(Clone)]
pub struct Exchange {
    /// Its number in the run, from 1 on.
    pub number: u32,
    /// What was asked.
    pub asked: Asked,
    /// What came back.
    pub answer: Result<Answer, NoAnswer>,
    /// Just before the first byte was written, since the run's start.
    pub sent: Duration,
    /// After the last byte was read, since the run's start.
    pub done: Duration,
    /// What the page showed; only where it is a page at which the approval driver stood.
    pub page: Option<Page>,
    read: Read,
}

/// What was read from the answer, once: checks over all answers ask for it again and again.
#[derive(Clone)]
struct Read {
    outcome: Outcome,
    members: Option<Map<String, Value>>,
}

/// A page as its reader sees it. Holds no password, and no value of a field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The title.
    pub title: String,
    /// The text, spaces run together.
    pub text: String,
    /// The forms, each with its address and the names of its fields and buttons.
    pub forms: Vec<String>,
    /// The decisions that it offers, as the target's recipe finds them.
    pub offers: Vec<Decision>,
    /// It has a field for the user code.
    pub asks_for_code: bool,
    /// It has an element `<devgrant>`: markup that was typed for a user code came back as markup.
    pub has_typed_markup: bool,
    /// What became of the user code that was typed in to get here, where that is known.
    pub code: Option<CodeFate>,
    /// The number of that code, where many were typed one after the other; the first is 1.
    pub typed_codes: Option<u32>,
}

/// A request as it went out, and what we know about it.
#[derive(Clone)]
pub struct Asked {
    /// Which endpoint.
    pub endpoint: Endpoint,
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The client that asked.
    pub client: Role,
    /// How it was meant.
    pub manner: Manner,
}

/// What we know about a request of ours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Manner {
    /// A raw probe: not a form POST of a client.
    pub raw: bool,
    /// It had an Authorization header.
    pub authorization_header: bool,
    /// A wrong secret, or none, for a confidential client.
    pub failed_authentication: bool,
    /// The client has no secret.
    pub public_client: bool,
    /// A poll whose device waited at least its interval since the last answer.
    pub kept_pace: bool,
}

/// A complete answer.
#[derive(Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Headers, in order, names in lower case; bytes that are not UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no complete answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// Nobody listens.
    #[error("the connection was refused")]
    Refused,
    /// The name does not resolve, the network is away.
    #[error("the server could not be reached: {0}")]
    Unreachable(String),
    /// No answer in time.
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// The connection ended before the answer did.
    #[error("the answer was cut off: {0}")]
    CutOff(String),
    /// The TLS handshake failed.
    #[error("the TLS handshake failed: {0}")]
    Tls(String),
    /// The answer is larger than we are willing to read.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// Our own trouble: the request could not be built or sent.
    #[error("the request could not be sent: {0}")]
    Ours(String),
}

impl Exchange {
    /// Keeps what came of a request, and reads the answer; `sent` and `done` are counted from the run's start.
    #[must_use]
    pub fn new(
        number: u32,
        asked: Asked,
        answer: Result<Answer, NoAnswer>,
        sent: Duration,
        done: Duration,
    ) -> Self {
        let read = match &answer {
            Ok(answer) => {
                let members = json_object(&answer.body);
                Read { outcome: classify(answer.status, members.as_ref()), members }
            }
            Err(_) => Read { outcome: Outcome::Broken, members: None },
        };
        Self { number, asked, answer, sent, done, page: None, read }
    }

    /// The same, with what its page showed.
    #[must_use]
    pub fn showing(self, page: Option<Page>) -> Self {
        Self { page, ..self }
    }

    /// What the answer means; [`Outcome::Broken`] when none came.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.read.outcome
    }

    /// The JSON object in the answer's body, read leniently; nothing when there is none.
    #[must_use]
    pub fn members(&self) -> Option<&Map<String, Value>> {
        self.read.members.as_ref()
    }

    /// The `error` of the answer, where it is a text (RFC 6749 §5.2).
    #[must_use]
    pub fn error_word(&self) -> Option<&str> {
        self.members()?.get("error")?.as_str()
    }

    /// From the first byte out to the last byte in.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.done.saturating_sub(self.sent)
    }
}

impl Answer {
    /// Every value of a header.
    pub fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// How long the server wants to be left alone, where it says so in seconds (Retry-After, RFC 9110 §10.2.3).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after").next().and_then(|value| value.trim().parse().ok()).map(Duration::from_secs)
    }
}
