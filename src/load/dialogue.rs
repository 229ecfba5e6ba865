//! What a device asks, and what it makes of the answer: the part of an exchange that has no connection. Both engines
//! play it. Sends nothing.

use std::borrow::Cow;
use std::time::Duration;

use super::answer::{self, Codes, Heard};
use super::population::Stage;
use super::setup::{Requests, Setup};
use super::state::{DUE_GRANT, Job, OVERTIME, State, TOO_LATE, UNDECIDED, What};
use super::verdict::{self, Seen};
use crate::device::{Device, Next, Stop};
use crate::http::thin::Reply;
use crate::oracle::Asker;
use crate::outcome::Outcome;
use crate::scenario::{Operation, Pace, Phase, StrangerKind};
use crate::tally::{End, count, record};

/// Where a garbage code comes from: the letters of base64url.
const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Which of the two endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    DeviceAuthorization,
    Token,
}

/// A request that is on its way.
#[derive(Clone, Copy)]
pub(super) struct Went<'a> {
    pub(super) job: Job,
    pub(super) to: Endpoint,
    /// As it may be shown, once it is redacted.
    pub(super) request: &'a [u8],
    pub(super) sent: Duration,
}

impl Went<'_> {
    /// What it counts as.
    pub(super) const fn operation(&self) -> Operation {
        match (self.job.what, self.to) {
            (What::Garbage(_), _) => Operation::Stranger,
            (_, Endpoint::DeviceAuthorization) => Operation::DeviceAuthorization,
            (_, Endpoint::Token) => Operation::Token,
        }
    }

    /// Its answer counts as this, with the times that it took.
    fn counts(&self, state: &mut State, outcome: Outcome, done: Duration) {
        let (response, service) = (done.saturating_sub(self.job.intended), done.saturating_sub(self.sent));
        state.slice.answered(self.operation(), outcome, response, service);
    }
}

/// What is to be sent: `write` is given the client, the endpoint and the device code. Nothing where there is nothing to
/// send, such as for a device that only lived until its codes ended.
pub(super) fn going_out(
    setup: &Setup,
    state: &mut State,
    what: What,
    write: impl FnOnce(&Requests, Endpoint, &[u8]),
) -> Option<Endpoint> {
    let (client, to, code) = match what {
        What::Garbage(number) => {
            let code = setup.schedule.stranger(StrangerKind::GarbageCode, number);
            let code = code.map(|mut draw| draw.text(ALPHABET, 43)).unwrap_or_default();
            (0, Endpoint::Token, Cow::Owned(code.into_bytes()))
        }
        What::Device(id) => {
            let device = *state.devices.get(id)?;
            let client = usize::from(device.client);
            match device.stage {
                Stage::Asking => (client, Endpoint::DeviceAuthorization, Cow::Borrowed(&[] as &[u8])),
                Stage::Waiting | Stage::Again if setup.pace(device.group) == Some(Pace::Never) => {
                    state.end(setup, id, End::Abandoned, setup.now());
                    return None;
                }
                Stage::Waiting | Stage::Again => (client, Endpoint::Token, state.devices.device_code(id)),
                Stage::Ended | Stage::Free => return None,
            }
        }
    };
    write(setup.clients.get(client)?, to, &code);
    Some(to)
}

/// A request goes out.
pub(super) fn went_out(state: &mut State, job: Job, to: Endpoint, sent: Duration) {
    record(&mut state.slice.wait, sent.saturating_sub(job.taken));
    if let (What::Device(id), Endpoint::Token) = (job.what, to)
        && let Some(device) = state.devices.get_mut(id)
    {
        device.life.sent(Asker::Owner, sent);
    }
}

/// An answer is in, whole; what it means.
pub(super) fn answered(
    setup: &Setup,
    state: &mut State,
    went: &Went<'_>,
    reply: &Reply<'_>,
    done: Duration,
) -> Outcome {
    let Went { job, to, request, sent } = *went;
    let seen = Seen { request, reply: Ok(reply), sent, done };
    let outcome = match (job.what, to) {
        (What::Device(id), Endpoint::DeviceAuthorization) => issued(setup, state, id, reply, &seen),
        (What::Device(id), Endpoint::Token) => {
            let heard = answer::poll(reply, |token| setup.key.fingerprint(token));
            verdict::poll(setup, state, id, &heard, &seen);
            go_on(setup, state, id, job, done, &heard);
            heard.outcome
        }
        (What::Garbage(_), _) => {
            let heard = answer::poll(reply, |token| setup.key.fingerprint(token));
            verdict::garbage(setup, state, &heard, &seen);
            heard.outcome
        }
    };
    went.counts(state, outcome, done);
    outcome
}

/// No answer came, of this kind: the device backs off (RFC 8628 §3.5). `is_answer` says whether it counts as a broken
/// one.
pub(super) fn unanswered(
    setup: &Setup,
    state: &mut State,
    went: &Went<'_>,
    kind: &'static str,
    is_answer: bool,
) {
    let Went { job, to, request, sent } = *went;
    let done = setup.now();
    state.slice.failed(went.operation(), kind);
    if is_answer {
        went.counts(state, Outcome::Broken, done);
    }
    let What::Device(id) = job.what else { return };
    if to == Endpoint::DeviceAuthorization {
        return state.end(setup, id, End::NoCodes, done);
    }
    let heard = Heard::nothing();
    verdict::poll(setup, state, id, &heard, &Seen { request, reply: Err(kind), sent, done });
    go_on(setup, state, id, job, done, &heard);
}

/// The answer to a device authorization request.
fn issued(setup: &Setup, state: &mut State, id: u32, reply: &Reply<'_>, seen: &Seen<'_>) -> Outcome {
    let (outcome, codes) = answer::codes(reply);
    match codes {
        Some(codes) => begin(setup, state, id, &codes, seen),
        None => state.end(setup, id, End::NoCodes, seen.done),
    }
    outcome
}

/// A device has its codes.
fn begin(setup: &Setup, state: &mut State, id: u32, codes: &Codes<'_>, seen: &Seen<'_>) {
    let Some(record) = state.devices.get_mut(id) else { return };
    let (group, number) = (record.group, u64::from(record.number));
    record.life = setup.oracle.issued(seen.sent, seen.done, codes.interval, codes.lifetime);
    record.device = Device::new(seen.done, codes.interval, codes.lifetime);
    record.user_code = setup.key.fingerprint(codes.user_code.as_bytes());
    record.stage = Stage::Waiting;
    state.waiting += 1;
    state.slice.counters.issued += 1;
    let plan = setup.schedule.device(group.into(), number);
    let lifetime = codes.lifetime.unwrap_or(setup.setting.lifetime);
    let decision = plan.as_ref().and_then(|plan| {
        let decision = plan.decision?;
        Some((decision, decision.when.instant(seen.done, lifetime)?))
    });
    let decision = decision.filter(|_| setup.decider.decides());
    if let Some((_, at)) = decision {
        record.flags |= UNDECIDED | if at > seen.done + lifetime { TOO_LATE } else { 0 };
    }
    let first = match record.device.next() {
        Next::Poll { at } => at + plan.map_or(Duration::ZERO, |plan| plan.first_wait),
        Next::Stop(_) => seen.done + record.device.interval(),
    };
    let (code, user_code) = (codes.device_code.as_bytes(), codes.user_code.as_bytes());
    let (fingerprint, user_fingerprint) = (setup.key.fingerprint(code), record.user_code);
    let record = *record;
    state.devices.keep_codes(id, code, decision.map(|_| user_code));
    if !setup.device_codes.insert(fingerprint) {
        verdict::repeated(setup, state, Some(&record), "a device code was issued before", seen);
    }
    if !setup.user_codes.insert(user_fingerprint) {
        verdict::repeated(setup, state, Some(&record), "a live device code has the same user code", seen);
    }
    if state.verification_uri.as_deref() != Some(&*codes.verification_uri) {
        state.verification_uri = Some((*codes.verification_uri).into());
    }
    if let Some((decision, at)) = decision {
        state.plan(id, decision, at);
    }
    let Some(group) = setup.group(group) else { return };
    match group.pace {
        // A task of its own plays it once the decision came out.
        Pace::Race { .. } if decision.is_some() => {}
        Pace::Never | Pace::Race { .. } => state.wait(id, seen.done + lifetime),
        Pace::Every(length) => state.wait(id, seen.done + length),
        Pace::Conforming => {
            let first =
                if group.phase == Phase::Together { setup.schedule.next_common(first) } else { first };
            state.wait(id, first);
        }
    }
}

/// The device takes note of an answer, and waits for its next poll or ends.
fn go_on(setup: &Setup, state: &mut State, id: u32, job: Job, done: Duration, heard: &Heard) {
    let Some(record) = state.devices.get_mut(id) else { return };
    let was_overtime = record.flags & OVERTIME != 0;
    record.device.answered(done, heard.device);
    if heard.outcome == Outcome::Granted {
        granted(state, id, done);
    }
    let Some(record) = state.devices.get_mut(id) else { return };
    // After the announced end the device itself has stopped: what it is told then is its end, unless told to wait.
    if was_overtime
        && let Some(end) = end_in_overtime(heard.outcome)
        && record.device.next() == Next::Stop(Stop::LifetimeOver)
    {
        return state.end(setup, id, end, done);
    }
    state.go_on(setup, id, job.intended, done);
}

pub(super) fn granted(state: &mut State, id: u32, done: Duration) {
    let Some(device) = state.devices.get(id) else { return };
    if let Some(at) = device.life.decided_at() {
        record(&mut state.slice.approval_to_token, done.saturating_sub(at));
    }
    // A racer has no pace: its polls are no measure of waiting.
    if device.device.answers() > 0 {
        count(&mut state.slice.polls_per_grant, device.device.answers().into());
    }
    if device.flags & DUE_GRANT != 0 {
        state.slice.counters.kept_grants += 1;
    }
}

const fn end_in_overtime(outcome: Outcome) -> Option<End> {
    match outcome {
        Outcome::Pending | Outcome::SlowDown | Outcome::Limited | Outcome::Broken => None,
        Outcome::Granted => Some(End::Granted),
        Outcome::Denied => Some(End::Denied),
        Outcome::Expired => Some(End::Expired),
        Outcome::Refused => Some(End::Refused),
        Outcome::Codes | Outcome::Wordless | Outcome::Malformed => Some(End::Unusable),
    }
}
