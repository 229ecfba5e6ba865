//! One connection of the pool: takes what is due, sends, hears, judges, and puts the device back.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Sleep;

use super::answer::{self, Heard};
use super::population::Stage;
use super::setup::{Place, Setup};
use super::shard::Shard;
use super::state::{self, DUE_GRANT, Job, OVERTIME, TOO_LATE, UNDECIDED, What};
use super::verdict::{self, Seen};
use crate::device::{Device, Next, Stop};
use crate::http::thin::{Failure, Reply, Stream, Thin, connect};
use crate::oracle::Asker;
use crate::outcome::Outcome;
use crate::scenario::{ConnectionMode, Operation, Pace, StrangerKind};
use crate::tally::{End, count, record};

/// Where a garbage code comes from: the letters of base64url.
const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What a connection and its buffers are.
pub(super) struct Worker {
    pub(super) shard: Rc<Shard>,
    nth: usize,
    connection: Option<Thin<Stream>>,
    /// Where the connection leads.
    to: Option<Endpoint>,
    request: Vec<u8>,
    deadline: Pin<Box<Sleep>>,
}

/// Which of the two endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    DeviceAuthorization,
    Token,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum NoAnswer {
    /// No whole answer in time.
    Late,
    /// The connection failed.
    Failed(Failure),
}

impl NoAnswer {
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Late => "timeout",
            Self::Failed(failure) => failure.kind(),
        }
    }
}

impl Worker {
    pub(super) fn new(shard: Rc<Shard>, nth: usize) -> Self {
        let deadline = Box::pin(tokio::time::sleep(Duration::ZERO));
        Self { shard, nth, connection: None, to: None, request: Vec::with_capacity(512), deadline }
    }

    /// Works until the shard stops.
    pub(super) async fn run(mut self) {
        while let Some(job) = next_job(&self.shard).await {
            self.play(job).await;
            self.shard.state.borrow_mut().flying -= 1;
        }
    }

    async fn play(&mut self, job: Job) {
        let shard = Rc::clone(&self.shard);
        let setup = &*shard.setup;
        self.request.clear();
        let to = match job.what {
            What::Garbage(number) => {
                let code = setup.schedule.stranger(StrangerKind::GarbageCode, number);
                let code = code.map(|mut draw| draw.text(ALPHABET, 43)).unwrap_or_default();
                if let Some(client) = setup.clients.first() {
                    client.poll.write(&mut self.request, code.as_bytes());
                }
                Endpoint::Token
            }
            What::Device(id) => {
                let state = shard.state.borrow();
                let Some(device) = state.devices.get(id) else { return };
                let Some(client) = setup.clients.get(usize::from(device.client)) else { return };
                match device.stage {
                    Stage::Asking => {
                        client.codes.write(&mut self.request, b"");
                        Endpoint::DeviceAuthorization
                    }
                    Stage::Waiting | Stage::Again => {
                        if polls_no_more(setup, device.group) {
                            drop(state);
                            let end = End::Abandoned;
                            shard.state.borrow_mut().end(setup, id, end, setup.now());
                            return;
                        }
                        client.poll.write(&mut self.request, state.devices.device_code(id));
                        Endpoint::Token
                    }
                    Stage::Ended | Stage::Free => return,
                }
            }
        };
        if setup.is_one_per_device()
            && let What::Device(id) = job.what
        {
            self.connection = shard.kept.borrow_mut().remove(&id);
            self.to = self.connection.is_some().then_some(to);
        }
        let connected = self.connect(to).await;
        let sent = setup.now();
        {
            let mut state = shard.state.borrow_mut();
            record(&mut state.slice.wait, sent.saturating_sub(job.taken));
            if let (What::Device(id), Endpoint::Token) = (job.what, to)
                && let Some(device) = state.devices.get_mut(id)
            {
                device.life.sent(Asker::Owner, sent);
            }
        }
        let mut failed = match connected {
            Ok(()) => self.exchange(job, to, sent).await.err(),
            Err(failure) => Some(failure),
        };
        // Nothing of the request had gone out: over another connection it is no repetition.
        if let Some(NoAnswer::Failed(Failure::ClosedIdle { written: false })) = failed {
            self.connection = None;
            failed = match self.connect(to).await {
                Ok(()) => self.exchange(job, to, sent).await.err(),
                Err(failure) => Some(failure),
            };
        }
        if let Some(why) = failed {
            self.connection = None;
            self.unanswered(job, to, sent, why);
        }
        self.put_away(job);
    }

    /// A connection that leads there.
    async fn connect(&mut self, to: Endpoint) -> Result<(), NoAnswer> {
        let setup = &*self.shard.setup;
        let place = match to {
            Endpoint::DeviceAuthorization => &setup.device_authorization,
            Endpoint::Token => &setup.token,
        };
        let is_there = setup.device_authorization.address == setup.token.address || self.to == Some(to);
        if is_there && self.connection.as_ref().is_some_and(Thin::is_reusable) {
            return Ok(());
        }
        self.connection = None;
        let stream = open(&self.shard, place, self.nth).await?;
        self.connection = Some(Thin::new(stream));
        self.to = Some(to);
        Ok(())
    }

    async fn exchange(&mut self, job: Job, to: Endpoint, sent: Duration) -> Result<(), NoAnswer> {
        let Self { shard, connection, request, deadline, .. } = self;
        let setup = &*shard.setup;
        let Some(connection) = connection else { return Err(NoAnswer::Failed(Failure::ClosedEarly)) };
        // Set anew only now and then: moving a timer for each request costs more than the request's parsing.
        let latest = setup.epoch + sent + setup.timeout;
        if deadline.deadline() < latest {
            deadline.as_mut().reset(latest + setup.timeout / 4);
        }
        let look = |reply: Reply<'_>| {
            let done = setup.now();
            let mut state = shard.state.borrow_mut();
            let seen = Seen { request, reply: Ok(&reply), sent, done };
            match (job.what, to) {
                (What::Device(id), Endpoint::DeviceAuthorization) => {
                    issued(setup, &mut state, id, job, &reply, &seen);
                }
                (What::Device(id), Endpoint::Token) => polled(setup, &mut state, id, job, &reply, &seen),
                (What::Garbage(_), _) => {
                    let heard = answer::poll(&reply, |token| setup.key.fingerprint(token));
                    let (response, service) = (done.saturating_sub(job.intended), done - sent);
                    state.slice.answered(Operation::Stranger, heard.outcome, response, service);
                    verdict::garbage(setup, &mut state, &heard, &seen);
                }
            }
        };
        tokio::select! {
            biased;
            done = connection.exchange(request, &shard.scratch, look) => done.map_err(NoAnswer::Failed),
            () = deadline.as_mut() => Err(NoAnswer::Late),
        }
    }

    /// No answer came: the device backs off (RFC 8628 §3.5).
    fn unanswered(&self, job: Job, to: Endpoint, sent: Duration, why: NoAnswer) {
        let setup = &*self.shard.setup;
        let done = setup.now();
        let mut state = self.shard.state.borrow_mut();
        let state = &mut *state;
        let operation = match (job.what, to) {
            (What::Garbage(_), _) => Operation::Stranger,
            (_, Endpoint::DeviceAuthorization) => Operation::DeviceAuthorization,
            (_, Endpoint::Token) => Operation::Token,
        };
        state.slice.failed(operation, why.kind());
        // A server may close an idle connection at any time (RFC 9112 §9.3.1): that is no error of its.
        if !matches!(why, NoAnswer::Failed(Failure::ClosedIdle { .. })) {
            let (response, service) = (done.saturating_sub(job.intended), done - sent);
            state.slice.answered(operation, Outcome::Broken, response, service);
        }
        let What::Device(id) = job.what else { return };
        if to == Endpoint::DeviceAuthorization {
            return state.end(setup, id, End::NoCodes, done);
        }
        let heard = Heard::nothing();
        let seen = Seen { request: &self.request, reply: Err(why.kind()), sent, done };
        verdict::poll(setup, state, id, &heard, &seen);
        go_on(setup, state, id, job, done, &heard);
    }

    /// What becomes of the connection now.
    fn put_away(&mut self, job: Job) {
        if self.connection.as_ref().is_some_and(|connection| !connection.is_reusable()) {
            self.connection = None;
        }
        match self.shard.setup.connections.mode {
            ConnectionMode::Pooled => {}
            ConnectionMode::OnePerPoll => self.connection = None,
            ConnectionMode::OnePerDevice => {
                let connection = self.connection.take();
                if let (What::Device(id), Some(connection)) = (job.what, connection)
                    && self.shard.state.borrow().devices.get(id).is_some_and(|d| d.stage == Stage::Waiting)
                {
                    self.shard.kept.borrow_mut().insert(id, connection);
                }
            }
        }
    }
}

/// Opens a connection, in time.
pub(super) async fn open(shard: &Shard, place: &Place, nth: usize) -> Result<Stream, NoAnswer> {
    let setup = &*shard.setup;
    let tls = place.tls.as_ref().map(|(connector, name)| (connector, name.clone()));
    let opening = connect(place.address, setup.source(nth), tls);
    let stream = tokio::time::timeout(setup.timeout, opening).await.map_err(|_| NoAnswer::Late)?;
    let stream = stream.map_err(NoAnswer::Failed)?;
    shard.state.borrow_mut().slice.counters.connections += 1;
    Ok(stream)
}

/// Waits for something to do; nothing when the shard stops.
async fn next_job(shard: &Shard) -> Option<Job> {
    poll_fn(|cx| {
        let mut state = shard.state.borrow_mut();
        if shard.stopped.get() {
            return Poll::Ready(None);
        }
        if let Some(job) = state.ready.pop_front() {
            state.flying += 1;
            return Poll::Ready(Some(job));
        }
        state.idle.push(cx.waker().clone());
        Poll::Pending
    })
    .await
}

fn polls_no_more(setup: &Setup, group: u8) -> bool {
    setup.schedule.groups().get(usize::from(group)).is_some_and(|group| group.pace == Pace::Never)
}

/// The answer to a device authorization request.
fn issued(setup: &Setup, state: &mut state::State, id: u32, job: Job, reply: &Reply<'_>, seen: &Seen<'_>) {
    let (outcome, codes) = answer::codes(reply);
    let (response, service) = (seen.done.saturating_sub(job.intended), seen.done - seen.sent);
    state.slice.answered(Operation::DeviceAuthorization, outcome, response, service);
    let Some(codes) = codes else { return state.end(setup, id, End::NoCodes, seen.done) };
    let Some(record) = state.devices.get_mut(id) else { return };
    let (group, number) = (usize::from(record.group), u64::from(record.number));
    record.life = setup.oracle.issued(seen.sent, seen.done, codes.interval, codes.lifetime);
    record.device = Device::new(seen.done, codes.interval, codes.lifetime);
    record.user_code = setup.key.fingerprint(codes.user_code.as_bytes());
    record.stage = Stage::Waiting;
    state.waiting += 1;
    state.slice.counters.issued += 1;
    let plan = setup.schedule.device(group, number);
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
        state.verification_uri = Some(codes.verification_uri.into());
    }
    if let Some((decision, at)) = decision {
        state.plan(id, decision, at);
    }
    let Some(group) = setup.schedule.groups().get(group) else { return };
    match group.pace {
        // A task of its own plays it once the decision came out.
        Pace::Race { .. } if decision.is_some() => {}
        Pace::Never | Pace::Race { .. } => state.wait(id, seen.done + lifetime),
        Pace::Every(length) => state.wait(id, seen.done + length),
        Pace::Conforming => {
            let first = if group.phase == crate::scenario::Phase::Together {
                setup.schedule.next_common(first)
            } else {
                first
            };
            state.wait(id, first);
        }
    }
}

/// The answer to a poll.
fn polled(setup: &Setup, state: &mut state::State, id: u32, job: Job, reply: &Reply<'_>, seen: &Seen<'_>) {
    let heard = answer::poll(reply, |token| setup.key.fingerprint(token));
    let (response, service) = (seen.done.saturating_sub(job.intended), seen.done - seen.sent);
    state.slice.answered(Operation::Token, heard.outcome, response, service);
    verdict::poll(setup, state, id, &heard, seen);
    go_on(setup, state, id, job, seen.done, &heard);
}

/// The device takes note of an answer, and waits for its next poll or ends.
fn go_on(setup: &Setup, state: &mut state::State, id: u32, job: Job, done: Duration, heard: &Heard) {
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

pub(super) fn granted(state: &mut state::State, id: u32, done: Duration) {
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
