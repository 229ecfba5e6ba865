//! What the tests of the matchers stand on: a scope with fixed values, exchanges made of a status and a body.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::{Scope, judge, judge_all};
use crate::diagnostic::Colour;
use crate::exchange::{Answer, Asked, Exchange, Manner, NoAnswer};
use crate::protocol::{Capability, Endpoint, Role};
use crate::suite::Expectation;
use crate::timing::{Constant, Timekeeper, Timing};
use crate::verdict::{Grade, Mismatch};
use crate::yaml::{Source, load};

/// A case with a few values and named exchanges.
pub(super) struct Stage {
    pub(super) values: BTreeMap<&'static str, String>,
    pub(super) exchanges: BTreeMap<&'static str, Exchange>,
    pub(super) loopback: bool,
}

/// A device code that no output may show.
pub(super) const DEVICE_CODE: &str = "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNh";

pub(super) fn stage() -> Stage {
    let values = [
        ("tv.user_code", "WDJB-MJHT"),
        ("tv.device_code", DEVICE_CODE),
        ("tv.client_id", "tv-app"),
        ("tv.verification_uri", "https://example.com/device"),
        ("other.verification_uri", "https://example.com/device"),
        ("third.verification_uri", "https://example.org/device"),
        ("marks", "---"),
        ("empty", ""),
        ("t.exp", "1000"),
    ];
    let values = values.map(|(name, value)| (name, value.to_owned())).into();
    Stage { values, exchanges: BTreeMap::new(), loopback: true }
}

impl Timekeeper for Stage {
    fn interval(&self) -> Duration {
        Duration::from_secs(5)
    }
    fn announced_interval(&self) -> Duration {
        Duration::from_secs(5)
    }
    fn lifetime(&self) -> Duration {
        Duration::from_secs(600)
    }
    fn constant(&self, constant: Constant) -> Duration {
        constant.default_value()
    }
}

impl Scope for Stage {
    fn fill(&self, template: &str) -> Option<String> {
        let mut filled = template.to_owned();
        for (name, value) in &self.values {
            filled = filled.replace(&format!("{{{name}}}"), value);
        }
        (!filled.contains('{')).then_some(filled)
    }
    fn exchange(&self, name: &str) -> Option<&Exchange> {
        self.exchanges.get(name)
    }
    fn has(&self, capability: Capability) -> bool {
        capability == Capability::Polling
    }
    fn requested_scope(&self, session: &str) -> Option<String> {
        (session == "tv").then(|| "profile email".to_owned())
    }
    fn seconds(&self, timing: &Timing) -> f64 {
        timing.seconds(self)
    }
    fn instant(&self, text: &str) -> Option<f64> {
        if text == "token_expiry" { Some(1003.0) } else { self.fill(text)?.parse().ok() }
    }
    fn has_device_code(&self, text: &str) -> bool {
        text.contains(DEVICE_CODE)
    }
    fn is_loopback(&self) -> bool {
        self.loopback
    }
}

pub(super) fn exchange(number: u32, answer: Result<Answer, NoAnswer>) -> Exchange {
    let asked = Asked {
        endpoint: Endpoint::Token,
        method: "POST".to_owned(),
        url: "http://127.0.0.1/token".to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        client: Role::Tv,
        manner: Manner::default(),
    };
    let sent = Duration::from_millis(u64::from(number) * 100);
    Exchange::new(number, asked, answer, sent, sent + Duration::from_millis(7))
}

pub(super) fn answered(number: u32, status: u16, body: impl AsRef<[u8]>) -> Exchange {
    with_headers(number, status, &[("content-type", "application/json")], body)
}

pub(super) fn with_headers(
    number: u32,
    status: u16,
    headers: &[(&str, &str)],
    body: impl AsRef<[u8]>,
) -> Exchange {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    exchange(number, Ok(Answer { status, headers, body: body.as_ref().to_vec() }))
}

pub(super) fn unanswered(number: u32) -> Exchange {
    exchange(number, Err(NoAnswer::TimedOut(Duration::from_secs(30))))
}

/// Expectations written as JSON, which is YAML too, read the way a suite file is.
pub(super) fn expectations(written: Value) -> Vec<Expectation> {
    let source = Source { name: "stage".to_owned(), text: written.to_string() };
    let loaded = load(&source);
    let mistakes: String = loaded.diagnostics.iter().map(|mistake| mistake.draw(Colour::Plain)).collect();
    loaded.value.filter(|_| mistakes.is_empty()).unwrap_or_else(|| panic!("{mistakes}"))
}

pub(super) fn findings(written: Value, exchange: &Exchange) -> Vec<Mismatch> {
    judge(&expectations(written), exchange, &stage())
}

/// The worst grade of one expectation against one answer; nothing when it holds.
pub(super) fn worst(written: &Value, exchange: &Exchange) -> Option<Grade> {
    findings(Value::Array(vec![written.clone()]), exchange).iter().map(|mismatch| mismatch.grade).max()
}

pub(super) fn overall(written: Value, exchanges: &[Exchange]) -> super::Overall {
    judge_all(&expectations(written), &exchanges.iter().collect::<Vec<_>>(), &stage())
}
