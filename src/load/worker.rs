//! One connection of the pool: takes what is due, sends, hears, judges, and puts the device back.

use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Sleep;

use super::dialogue::{self, Endpoint, Went};
use super::population::Stage;
use super::setup::Place;
use super::shard::Shard;
use super::state::{Job, State, What};
use crate::http::thin::{Failure, Reply, SharedConnection, Spoken, Stream, Thin, connect};
use crate::scenario::ConnectionMode;

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
        let shard = Rc::clone(&self.shard);
        while let Some(job) = shard.next(State::next_job, |state| &mut state.idle).await {
            self.play(job).await;
            self.shard.state.borrow_mut().flying -= 1;
        }
    }

    async fn play(&mut self, job: Job) {
        let shard = Rc::clone(&self.shard);
        let setup = &*shard.setup;
        self.request.clear();
        let going_out = {
            let mut state = shard.state.borrow_mut();
            dialogue::going_out(setup, &mut state, job.what, |client, to, code| {
                client.write(to, code, &mut self.request);
            })
        };
        let Some(to) = going_out else { return };
        if setup.is_one_per_device()
            && let What::Device(id) = job.what
        {
            self.connection = shard.kept.borrow_mut().remove(&id);
            self.to = self.connection.is_some().then_some(to);
        }
        let connected = self.connect(to).await;
        let sent = setup.now();
        dialogue::went_out(&mut shard.state.borrow_mut(), job, to, sent);
        let mut answered = self.exchange(connected, job, to, sent).await;
        // Nothing of the request had gone out: over another connection it is no repetition.
        if let Err(NoAnswer::Failed(Failure::ClosedIdle { written: false })) = answered {
            self.connection = None;
            let connected = self.connect(to).await;
            answered = self.exchange(connected, job, to, sent).await;
        }
        if let Err(why) = answered {
            self.connection = None;
            // A server may close an idle connection at any time (RFC 9112 §9.3.1): that is no error of its.
            let is_answer = !matches!(why, NoAnswer::Failed(Failure::ClosedIdle { .. }));
            let went = Went { job, to, request: &self.request, sent };
            dialogue::unanswered(setup, &mut shard.state.borrow_mut(), &went, why.kind(), is_answer);
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

    async fn exchange(
        &mut self,
        connected: Result<(), NoAnswer>,
        job: Job,
        to: Endpoint,
        sent: Duration,
    ) -> Result<(), NoAnswer> {
        connected?;
        let Self { shard, connection, request, deadline, .. } = self;
        let setup = &*shard.setup;
        let Some(connection) = connection else { return Err(NoAnswer::Failed(Failure::ClosedEarly)) };
        // Set anew only now and then: moving a timer for each request costs more than the request's parsing.
        let latest = setup.epoch() + sent + setup.timeout;
        if deadline.deadline() < latest {
            deadline.as_mut().reset(latest + setup.timeout / 4);
        }
        let went = Went { job, to, request, sent };
        let look = |reply: Reply<'_>| {
            let done = setup.now();
            dialogue::answered(setup, &mut shard.state.borrow_mut(), &went, &reply, done);
        };
        tokio::select! {
            biased;
            done = connection.exchange(request, &shard.scratch, look) => done.map_err(NoAnswer::Failed),
            () = deadline.as_mut() => Err(NoAnswer::Late),
        }
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

/// How many requests share a connection of HTTP/2: what every server should take at least (RFC 9113 §6.5.2).
const SHARE: usize = 100;

/// Opens a connection, or a stream within one that is shared, in time.
pub(super) async fn open(shard: &Shard, place: &Place, nth: usize) -> Result<Stream, NoAnswer> {
    if place.spoken == Spoken::Http1 {
        return open_own(shard, place, nth).await;
    }
    let of = (place.address, nth / SHARE);
    let slot = Rc::clone(shard.shared.borrow_mut().entry(of).or_default());
    // Whoever comes while it is opened waits for it here.
    let mut slot = slot.lock().await;
    if let Some(connection) = slot.as_ref().filter(|connection| connection.is_open()) {
        return Ok(connection.stream());
    }
    let opening = SharedConnection::over(open_own(shard, place, nth).await?);
    let opened = tokio::time::timeout(shard.setup.timeout, opening).await.map_err(|_| NoAnswer::Late)?;
    Ok(slot.insert(opened.map_err(NoAnswer::Failed)?).stream())
}

/// Opens a connection that nobody shares.
async fn open_own(shard: &Shard, place: &Place, nth: usize) -> Result<Stream, NoAnswer> {
    let setup = &*shard.setup;
    let tls = place.tls.as_ref().map(|(connector, name)| (connector, name.clone()));
    let opening = connect(place.address, setup.source(nth), tls);
    let stream = tokio::time::timeout(setup.timeout, opening).await.map_err(|_| NoAnswer::Late)?;
    let stream = stream.map_err(NoAnswer::Failed)?;
    shard.state.borrow_mut().slice.counters.connections += 1;
    Ok(stream)
}
