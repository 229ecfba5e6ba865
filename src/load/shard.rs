//! One thread with its own runtime: devices, connections and figures that no other thread touches.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::LocalSet;
use tokio::time::{MissedTickBehavior, interval_at, sleep, timeout};

use super::decide;
use super::guess;
use super::setup::{Setup, Shared};
use super::state::{State, TICK};
use super::worker::Worker;
use crate::approval::Driver;
use crate::http::thin::{Scratch, SharedConnection, Stream, Thin};
use crate::machine::thread::{RunQueue, Scheduled};
use crate::scenario::{self, Stage};
use crate::tally::Slice;

/// How many connections may be opened at one tick.
const OPENED_AT_ONCE: u32 = 64;

/// How often a shard tells.
const TELLS: Duration = Duration::from_secs(1);

/// Where a shared connection is, or is being opened.
type Slot = Rc<Mutex<Option<SharedConnection>>>;

/// A shard, as its tasks see it.
pub(super) struct Shard {
    pub(super) setup: Shared,
    pub(super) state: RefCell<State>,
    pub(super) scratch: Scratch,
    /// With one connection for each device: those of devices that wait.
    pub(super) kept: RefCell<HashMap<u32, Thin<Stream>>>,
    /// With HTTP/2: the connections that are shared, by where they lead and who shares them.
    pub(super) shared: RefCell<HashMap<(SocketAddr, usize), Slot>>,
    pub(super) stopped: Cell<bool>,
}

/// What a shard tells about the time since it last told.
#[derive(Debug)]
pub(super) struct Report {
    /// Which shard.
    pub(super) shard: u32,
    pub(super) slice: Slice,
    /// The stage that all of it belongs to.
    pub(super) stage: Stage,
    /// From when until when.
    pub(super) from: Duration,
    pub(super) until: Duration,
    /// Devices with live codes.
    pub(super) waiting: u64,
    /// Decisions that are due and not taken up.
    pub(super) late_decisions: u64,
    /// Connections in the pool or kept by devices.
    pub(super) connections: u64,
    /// What the thread got of its CPU.
    pub(super) scheduled: Option<Scheduled>,
    /// Nothing more comes from this shard.
    pub(super) is_last: bool,
}

/// How a shard is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// To the end of the scenario.
    Play,
    /// At once; what is under way may end.
    Stop,
}

/// Plays a shard on the calling thread.
pub(super) fn play(
    setup: Shared,
    driver: Option<Box<dyn Driver>>,
    index: scenario::Shard,
    most: u32,
    orders: watch::Receiver<Order>,
    tell: mpsc::UnboundedSender<Report>,
) -> Result<(), String> {
    let runtime = runtime(&setup, index.index())?;
    let state = State::new(&setup, index);
    let shard = Rc::new(Shard::new(setup, state));
    LocalSet::new().block_on(&runtime, run(&shard, driver, index.index(), most, orders, tell));
    Ok(())
}

/// A driver for one shard, where somebody types. Made before the run starts: its TLS alone can take a second.
pub(super) fn driver(setup: &Setup) -> Result<Option<Box<dyn Driver>>, String> {
    setup.typist.as_ref().map(|typist| (typist.make)()).transpose()
}

/// The runtime of the calling thread, which stays on its core from now on.
pub(super) fn runtime(setup: &Setup, index: u32) -> Result<Runtime, String> {
    if let Some(core) = setup.cores.get(index as usize % setup.cores.len().max(1)) {
        crate::machine::limits::pin(&[*core])
            .map_err(|error| format!("cannot stay on core {core}: {error}"))?;
    }
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime for a shard: {error}"))
}

impl Shard {
    /// A shard that nobody plays yet.
    pub(super) fn new(setup: Shared, state: State) -> Self {
        Self {
            setup,
            state: RefCell::new(state),
            scratch: Scratch::new(),
            kept: RefCell::default(),
            shared: RefCell::default(),
            stopped: Cell::new(false),
        }
    }

    /// What is to be done next, as soon as `take` finds something; nothing when the shard stops. Who waits is woken from
    /// among the `idle`.
    pub(super) async fn next<T>(
        &self,
        take: impl Fn(&mut State) -> Option<T>,
        idle: impl Fn(&mut State) -> &mut Vec<Waker>,
    ) -> Option<T> {
        poll_fn(|cx| {
            if self.stopped.get() {
                return Poll::Ready(None);
            }
            let mut state = self.state.borrow_mut();
            let found = take(&mut state);
            if found.is_none() {
                idle(&mut state).push(cx.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(found)
        })
        .await
    }
}

/// Plays a shard to its end, in the local tasks of its thread.
pub(super) async fn run(
    shard: &Rc<Shard>,
    driver: Option<Box<dyn Driver>>,
    index: u32,
    most: u32,
    mut orders: watch::Receiver<Order>,
    tell: mpsc::UnboundedSender<Report>,
) {
    let driver: Option<Rc<dyn Driver>> = driver.map(Rc::from);
    for _ in 0..decide::at_once(&shard.setup) {
        tokio::task::spawn_local(decide::run(Rc::clone(shard), driver.clone()));
    }
    if let Some(driver) = driver {
        guessers(shard, &driver);
    }
    let mut teller = Teller::new(shard, index, most, tell);
    let end = shard.setup.schedule.timeline().end();
    let mut ticks = interval_at(shard.setup.epoch(), TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let now = shard.setup.now();
        if now >= end || *orders.borrow_and_update() == Order::Stop {
            break;
        }
        teller.tell_if_due(now);
        let short = {
            let mut state = shard.state.borrow_mut();
            state.turn(&shard.setup, now);
            state.wake_deciders(now);
            state.wake()
        };
        if short {
            teller.grow();
        }
    }
    stop(shard).await;
    teller.tell(shard.setup.now(), true);
}

/// Those who type codes of nobody, where the scenario has any.
fn guessers(shard: &Rc<Shard>, driver: &Rc<dyn Driver>) {
    let Some(typist) = &shard.setup.typist else { return };
    if !shard.state.borrow_mut().has_guesses() {
        return;
    }
    for _ in 0..typist.at_once(&shard.setup) {
        let (shard, driver) = (Rc::clone(shard), Rc::clone(driver));
        tokio::task::spawn_local(async move {
            let setup = Arc::clone(&shard.setup);
            if let Some(typist) = &setup.typist {
                guess::run(shard, typist, &*driver).await;
            }
        });
    }
}

/// Nothing new starts; what is under way may end, within the time that one answer may take.
async fn stop(shard: &Shard) {
    shard.stopped.set(true);
    {
        let mut state = shard.state.borrow_mut();
        state.ready.clear();
        state.wake_all();
    }
    let landed = async {
        while shard.state.borrow().flying > 0 {
            sleep(TICK).await;
        }
    };
    // What is not in by then is counted as waiting.
    let _ = timeout(shard.setup.timeout, landed).await;
}

/// Hands over what was measured, and lets the pool grow.
struct Teller<'a> {
    shard: &'a Rc<Shard>,
    index: u32,
    most: u32,
    workers: u32,
    tell: mpsc::UnboundedSender<Report>,
    told: Duration,
    stage: Stage,
    run_queue: Option<RunQueue>,
    looked: Option<Scheduled>,
}

impl<'a> Teller<'a> {
    fn new(shard: &'a Rc<Shard>, index: u32, most: u32, tell: mpsc::UnboundedSender<Report>) -> Self {
        let run_queue = RunQueue::of_this_thread();
        let looked = run_queue.as_ref().and_then(RunQueue::look);
        let stage = shard.setup.schedule.timeline().stage(Duration::ZERO);
        Self { shard, index, most, workers: 0, tell, told: Duration::ZERO, stage, run_queue, looked }
    }

    /// More connections, as many as there is work for.
    fn grow(&mut self) {
        let wanted = u32::try_from(self.shard.state.borrow().ready.len()).unwrap_or(u32::MAX);
        let more = wanted.min(OPENED_AT_ONCE).min(self.most - self.workers);
        for _ in 0..more {
            let worker = Worker::new(Rc::clone(self.shard), self.workers as usize);
            tokio::task::spawn_local(worker.run());
            self.workers += 1;
        }
    }

    fn tell_if_due(&mut self, now: Duration) {
        let stage = self.shard.setup.schedule.timeline().stage(now);
        if stage != self.stage || now.as_secs() != self.told.as_secs() && now - self.told >= TELLS / 2 {
            self.tell(now, false);
            self.stage = stage;
        }
    }

    fn tell(&mut self, now: Duration, is_last: bool) {
        let looked = self.run_queue.as_ref().and_then(RunQueue::look);
        let scheduled = looked.zip(self.looked).map(|(now, before)| now - before);
        self.looked = looked;
        let mut state = self.shard.state.borrow_mut();
        let report = Report {
            shard: self.index,
            slice: std::mem::take(&mut state.slice),
            stage: self.stage,
            from: self.told,
            until: now,
            waiting: state.waiting,
            late_decisions: state.late_decisions(now),
            connections: u64::from(self.workers).max(self.shard.kept.borrow().len() as u64),
            scheduled,
            is_last,
        };
        self.told = now;
        // Whoever listened has ended: so does this thread, soon.
        let _ = self.tell.send(report);
    }
}
