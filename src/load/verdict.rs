//! Answers held against the oracle and against each other, with a transcript of what is wrong. Sends nothing.

use std::fmt::Write as _;
use std::time::Duration;

use super::answer::Heard;
use super::population::Record;
use super::setup::Setup;
use super::state::State;
use crate::http::thin::Reply;
use crate::oracle::{Answered, Asker, Finding, Grade, Said};
use crate::redact;
use crate::scenario::Pace;
use crate::tally::{Kind, Transcript};

/// One exchange, as far as a transcript needs it.
pub(super) struct Seen<'a> {
    pub(super) request: &'a [u8],
    /// The answer, or why there is none.
    pub(super) reply: Result<&'a Reply<'a>, &'a str>,
    pub(super) sent: Duration,
    pub(super) done: Duration,
}

/// Judges the answer to a poll of a device, and learns from it.
pub(super) fn poll(setup: &Setup, state: &mut State, id: u32, heard: &Heard, seen: &Seen<'_>) {
    let Some(device) = state.devices.get_mut(id) else { return };
    let answered = Answered { sent: seen.sent, done: seen.done, said: heard.said, tokens: heard.token };
    let before = *device;
    let finding = setup.oracle.judge(&mut device.life, Asker::Owner, &answered);
    state.slice.counters.judged += 1;
    // Whatever excuses the server: the device had waited a whole interval since the last answer was in.
    if heard.said == Said::SlowDown && setup.pace(before.group) == Some(Pace::Conforming) {
        state.slice.counters.slow_downs += 1;
    }
    if let Some(finding) = finding {
        if finding.is_lost_token {
            state.slice.counters.lost += 1;
        }
        found(setup, state, Some(&before), heard.said, &finding, seen);
    }
    if let Some(token) = heard.token.filter(|_| heard.said == Said::Granted)
        && !before.life.has_token()
        && !setup.tokens.insert(token)
    {
        repeated(setup, state, Some(&before), "an access token was issued for another code before", seen);
    }
}

/// Judges the answer to a poll with a code that was never issued.
pub(super) fn garbage(setup: &Setup, state: &mut State, heard: &Heard, seen: &Seen<'_>) {
    state.slice.counters.judged += 1;
    if let Some(finding) = setup.oracle.judge_unknown(heard.said) {
        found(setup, state, None, heard.said, &finding, seen);
    }
}

/// A code or a token that somebody else has (INV-8).
pub(super) fn repeated(
    setup: &Setup,
    state: &mut State,
    device: Option<&Record>,
    what: &str,
    seen: &Seen<'_>,
) {
    let kind = Kind {
        is_violation: true,
        grade: Grade::Fail,
        requirement: Some("INV-8".to_owned()),
        answer: None,
        because: what.to_owned(),
    };
    state.slice.violations.add(&kind, || transcript(setup, device, seen));
}

fn found(
    setup: &Setup,
    state: &mut State,
    device: Option<&Record>,
    said: Said,
    finding: &Finding<'_>,
    seen: &Seen<'_>,
) {
    let grade = finding.row.grade;
    if grade <= Grade::Acceptable {
        return;
    }
    let is_violation = grade >= setup.violation_from;
    if !is_violation {
        state.slice.counters.warnings += 1;
    }
    let kind = Kind {
        is_violation,
        grade,
        requirement: finding.row.requirement.clone(),
        answer: Some((said, finding.state)),
        because: finding.row.because.clone().unwrap_or_default(),
    };
    state.slice.violations.add(&kind, || transcript(setup, device, seen));
}

fn transcript(setup: &Setup, device: Option<&Record>, seen: &Seen<'_>) -> Transcript {
    let group = |device: &Record| setup.group(device.group).map(|group| group.name.clone());
    let ms = |at: Duration| format!("{:.1} ms", at.as_secs_f64() * 1000.0);
    let mut history = Vec::new();
    if let Some(device) = device {
        history.extend(device.life.history().map(|(what, at)| format!("{}: {what}", ms(at))));
    }
    history.push(format!("{}: this request went out", ms(seen.sent)));
    history.push(format!("{}: this answer was in", ms(seen.done)));
    Transcript {
        at_ms: u64::try_from(seen.done.as_millis()).unwrap_or(u64::MAX),
        device: device.and_then(|device| Some((group(device)?, device.number.into()))),
        history,
        request: shown(seen.request),
        answer: match seen.reply {
            Ok(reply) => answer_shown(reply),
            Err(why) => why.to_owned(),
        },
    }
}

/// A request as it may be shown: its line, its headers, its form.
fn shown(request: &[u8]) -> String {
    let text = String::from_utf8_lossy(request);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.split("\r\n");
    let mut out = lines.next().unwrap_or_default().to_owned();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let _ = write!(out, "\n{name}: {}", redact::header(name, value));
    }
    let _ = write!(out, "\n\n{}", redact::body(body.as_bytes(), Some("application/x-www-form-urlencoded")));
    out
}

fn answer_shown(reply: &Reply<'_>) -> String {
    let mut out = format!("{}", reply.status);
    for (name, value) in reply.headers() {
        let _ = write!(out, "\n{name}: {}", redact::header(name, &String::from_utf8_lossy(value)));
    }
    let media_type = reply.content_type.map(String::from_utf8_lossy);
    let _ = write!(out, "\n\n{}", redact::body(reply.body, media_type.as_deref()));
    out
}
