//! Where the users of a run find its shard: on their thread, because a shard cannot be sent to another one.

use std::cell::{Cell, RefCell};
use std::iter::Peekable;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::STRANGERS;
use crate::http::{Reuse, Wire};
use crate::load::seats::Seats;
use crate::load::shard::Shard;
use crate::load::state::{Job, What};
use crate::scenario::{self, Arrivals, ConnectionMode, StrangerKind};

thread_local! {
    static DESK: RefCell<Option<Rc<Desk>>> = const { RefCell::new(None) };
}

/// The desk of a run.
pub(super) struct Desk {
    pub(super) shard: Rc<Shard>,
    users: usize,
    /// How many users have come.
    taken: Cell<usize>,
    full: Notify,
    has_begun: Cell<bool>,
    /// For each user who is a stranger, when it polls with a code of nobody.
    strangers: RefCell<Vec<Peekable<Arrivals>>>,
    /// What users send by who share their connections.
    wire: Wire,
}

/// A user's place.
#[derive(Clone)]
pub(super) struct Place {
    seat: usize,
    /// What it sends by.
    pub(super) wire: Wire,
    /// Rings when something may be due earlier than it was.
    pub(super) bell: Arc<Notify>,
}

/// What a user does next.
pub(super) enum Turn {
    Play(Job),
    /// Sleep until this instant of the run, or until the bell rings.
    Sleep(Option<Duration>),
    /// Nothing any more.
    Leave,
}

impl Desk {
    /// Opens a desk on this thread.
    pub(super) fn open(shard: Rc<Shard>, users: usize) -> Result<Rc<Self>, String> {
        let setup = &shard.setup;
        let strangers = (0..STRANGERS).filter_map(|index| {
            let part = scenario::Shard::new(u32::try_from(index).ok()?, u32::try_from(STRANGERS).ok()?)?;
            Some(setup.schedule.strangers(StrangerKind::GarbageCode, part)?.peekable())
        });
        let strangers = RefCell::new(strangers.collect());
        let wire = wire(&shard)?;
        let desk = Rc::new(Self {
            users,
            taken: Cell::new(0),
            full: Notify::new(),
            has_begun: Cell::new(false),
            strangers,
            wire,
            shard,
        });
        DESK.set(Some(Rc::clone(&desk)));
        Ok(desk)
    }

    /// Waits until every user has come.
    pub(super) async fn all_there(&self) {
        self.full.notified().await;
    }

    /// The run begins.
    pub(super) fn begin(&self) {
        self.has_begun.set(true);
        self.ring();
    }

    /// The run is over: whoever comes to the desk is sent away.
    pub(super) fn end(&self) {
        self.shard.stopped.set(true);
        self.ring();
    }

    fn ring(&self) {
        self.shard.state.borrow().seats.iter().for_each(Seats::wake_all);
    }

    /// A place for a user that has just come.
    pub(super) fn sit(&self) -> Option<Place> {
        let seat = self.taken.get();
        self.taken.set(seat + 1);
        if seat + 1 == self.users {
            self.full.notify_one();
        }
        let bell = self.shard.state.borrow().seats.as_ref()?.bell(seat)?;
        let is_own = self.shard.setup.connections.mode == ConnectionMode::OnePerDevice;
        // The TLS of this system was set up before, so it can be set up again.
        let own = is_own.then(|| wire(&self.shard).ok()).flatten();
        Some(Place { seat, wire: own.unwrap_or_else(|| self.wire.clone()), bell })
    }

    /// What is to be done in a place.
    pub(super) fn turn(&self, place: &Place) -> Turn {
        if self.shard.stopped.get() {
            return Turn::Leave;
        }
        if !self.has_begun.get() {
            return Turn::Sleep(None);
        }
        let now = self.shard.setup.now();
        let mut state = self.shard.state.borrow_mut();
        let mut strangers = self.strangers.borrow_mut();
        // They sit behind all devices.
        let first = self.users - strangers.len();
        let stranger = place.seat.checked_sub(first).and_then(|index| strangers.get_mut(index));
        let Some(stranger) = stranger else {
            return match state.next_of_seat(place.seat, now) {
                Ok(job) => Turn::Play(job),
                Err(until) => Turn::Sleep(until),
            };
        };
        let Some(next) = stranger.next_if(|next| next.at <= now) else {
            return Turn::Sleep(stranger.peek().map(|next| next.at));
        };
        let job = Job { what: What::Garbage(next.number), intended: next.at, taken: now };
        state.takes(job);
        Turn::Play(job)
    }
}

/// The desk of this thread is gone.
pub(super) fn close() {
    DESK.set(None);
}

/// What the desk of this thread has; nothing once it is gone.
pub(super) fn at_desk<R>(ask: impl FnOnce(&Desk) -> R) -> Option<R> {
    let desk = DESK.with_borrow(Clone::clone)?;
    Some(ask(&desk))
}

/// The plain client of the judging half: a redirect, a retry or a proxy would repeat a poll behind the device's back.
fn wire(shard: &Shard) -> Result<Wire, String> {
    let reuse = match shard.setup.connections.mode {
        ConnectionMode::Pooled => Reuse::Soon,
        ConnectionMode::OnePerDevice => Reuse::Always,
        ConnectionMode::OnePerPoll => Reuse::Never,
    };
    Wire::reusing(shard.setup.timeout, reuse).map_err(|error| error.to_string())
}
