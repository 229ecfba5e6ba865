//! What a shard knows: its devices, who is due, and what it measured since it last told. Sends nothing.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::iter::{Flatten, Peekable};
use std::task::Waker;
use std::time::Duration;

use super::crowd::Crowd;
use super::population::{Population, Stage};
use super::seats::Seats;
use super::setup::Setup;
use super::wheel::Wheel;
use crate::device::{Next, Stop};
use crate::scenario::{Arrival, Arrivals, Pace, Phase, PlannedDecision, Shard, StrangerKind};
use crate::tally::{End, Slice, record};

/// How often a shard looks who is due.
pub(super) const TICK: Duration = Duration::from_millis(1);

/// A decision about its code is still to come.
pub(super) const UNDECIDED: u8 = 1;
/// It was approved while there was time for a poll.
pub(super) const DUE_GRANT: u8 = 1 << 1;
/// The announced lifetime is over, and nobody has told it so.
pub(super) const OVERTIME: u8 = 1 << 2;
/// The decision comes when the code is over: it polls once more after that.
pub(super) const TOO_LATE: u8 = 1 << 3;
/// It races from its due instant on, played by whoever sits in its seat.
pub(super) const RACES: u8 = 1 << 4;

/// Something that a connection is to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    pub(super) what: What,
    /// When it was due.
    pub(super) intended: Duration,
    /// When it was taken up.
    pub(super) taken: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The next request of a device.
    Device(u32),
    /// A poll with a code that nobody was given.
    Garbage(u64),
}

/// A decision that is to be made, ordered by its instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    /// In ms since the start of the run.
    pub(super) at: u32,
    pub(super) id: u32,
    pub(super) is_approval: bool,
}

/// Nobody comes where the scenario has none.
pub(super) type Arriving = Flatten<std::option::IntoIter<Arrivals>>;

pub(super) struct State {
    pub(super) devices: Population,
    wheel: Wheel,
    /// In place of the wheel, where each device is played by somebody who sleeps by himself.
    pub(super) seats: Option<Seats>,
    pub(super) ready: VecDeque<Job>,
    /// Connections with nothing to do, the last used last.
    pub(super) idle: Vec<Waker>,
    pub(super) slice: Slice,
    /// For each group who is still to come.
    pub(super) arriving: Vec<Peekable<Arriving>>,
    pub(super) garbage: Peekable<Arriving>,
    typing: Peekable<Arriving>,
    /// Codes of nobody that are to be typed, by their number, each with its instant.
    pub(super) guesses: VecDeque<(u64, Duration)>,
    /// Who types them, with nothing to do.
    pub(super) idle_guessers: Vec<Waker>,
    pub(super) decisions: BinaryHeap<Reverse<Due>>,
    /// Devices with live codes.
    pub(super) waiting: u64,
    /// Requests that are under way.
    pub(super) flying: u32,
    /// Where users type codes, as the server last said.
    pub(super) verification_uri: Option<Box<str>>,
    /// When the next decision may be taken up, where they have a rate of their own.
    pub(super) next_decision_at: Duration,
    /// Who is due, for a moment.
    due: Vec<u32>,
    /// Where the number of waiting devices changes: who of them is here.
    pub(super) crowd: Option<Crowd>,
    /// Players of users with nothing to do.
    pub(super) idle_deciders: Vec<Waker>,
}

impl State {
    pub(super) fn new(setup: &Setup, shard: Shard) -> Self {
        let blank = setup.oracle.issued(Duration::ZERO, Duration::ZERO, None, None);
        let arriving = (0..setup.schedule.groups().len()).map(|group| {
            // Those of a crowd come when they are wanted.
            let comes = group > 0 || setup.crowd.is_none();
            let all: Arriving = setup.schedule.arrivals(group, shard).filter(|_| comes).into_iter().flatten();
            all.peekable()
        });
        let strangers = |kind| setup.schedule.strangers(kind, shard).into_iter().flatten().peekable();
        Self {
            devices: Population::new(blank),
            wheel: Wheel::new(millis_up(setup.setting.interval * 2)),
            seats: None,
            ready: VecDeque::new(),
            idle: Vec::new(),
            slice: Slice::default(),
            arriving: arriving.collect(),
            garbage: strangers(StrangerKind::GarbageCode),
            typing: strangers(StrangerKind::WrongUserCode),
            guesses: VecDeque::new(),
            idle_guessers: Vec::new(),
            decisions: BinaryHeap::new(),
            waiting: 0,
            flying: 0,
            verification_uri: None,
            next_decision_at: Duration::ZERO,
            due: Vec::new(),
            crowd: setup.crowd.as_ref().map(|_| Crowd::new(shard)),
            idle_deciders: Vec::new(),
        }
    }

    /// Is anybody to type codes of nobody?
    pub(super) fn has_guesses(&mut self) -> bool {
        self.typing.peek().is_some()
    }

    /// Takes up all that is due by `now`.
    pub(super) fn turn(&mut self, setup: &Setup, now: Duration) {
        let Self { devices, wheel, ready, slice, due, crowd, .. } = self;
        wheel.turn(millis(now), devices, |id| due.push(id));
        for id in due.drain(..) {
            let Some(device) = devices.get(id) else { continue };
            let intended = Duration::from_millis(device.due.into());
            record(&mut slice.lag, now.saturating_sub(intended));
            let stops = setup.crowd.as_ref().zip(crowd.as_mut());
            if !stops.is_some_and(|(wanted, crowd)| crowd.parks(wanted, device.group, device.stage, id)) {
                ready.push_back(Job { what: What::Device(id), intended, taken: now });
            }
        }
        self.gather(setup, TICK, now);
        for group in 0..self.arriving.len() {
            while let Some(arrival) = self.next_of(group, now) {
                self.arrive(setup, group, arrival, now);
            }
        }
        while let Some(stranger) = self.garbage.next_if(|stranger| stranger.at <= now) {
            record(&mut self.slice.lag, now.saturating_sub(stranger.at));
            self.ready.push_back(Job {
                what: What::Garbage(stranger.number),
                intended: stranger.at,
                taken: now,
            });
        }
        while let Some(stranger) = self.typing.next_if(|stranger| stranger.at <= now) {
            record(&mut self.slice.lag, now.saturating_sub(stranger.at));
            self.guesses.push_back((stranger.number, stranger.at));
            self.idle_guessers.pop().into_iter().for_each(Waker::wake);
        }
    }

    fn next_of(&mut self, group: usize, now: Duration) -> Option<Arrival> {
        self.arriving.get_mut(group)?.next_if(|arrival| arrival.at <= now)
    }

    fn arrive(&mut self, setup: &Setup, group: usize, arrival: Arrival, now: Duration) {
        record(&mut self.slice.lag, now.saturating_sub(arrival.at));
        let id = self.add(setup, group, arrival.number, arrival.at);
        self.ready.push_back(Job { what: What::Device(id), intended: arrival.at, taken: now });
    }

    pub(super) fn add(&mut self, setup: &Setup, group: usize, number: u64, at: Duration) -> u32 {
        let role = setup.schedule.device(group, number).map(|plan| plan.client);
        let client = setup.clients.iter().position(|requests| Some(requests.role) == role).unwrap_or(0);
        let small = |number: usize| u8::try_from(number).unwrap_or(u8::MAX);
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        self.devices.add(small(group), small(client), number, millis(at))
    }

    /// Puts a device to its next instant.
    pub(super) fn wait(&mut self, id: u32, at: Duration) {
        let Some(record) = self.devices.get_mut(id) else { return };
        record.due = millis_up(at);
        match &mut self.seats {
            Some(seats) => seats.put(id, record),
            None => self.wheel.insert(id, &mut self.devices),
        }
    }

    /// When a device polls next, or why not to; `done` is the end of its last answer.
    pub(super) fn go_on(&mut self, setup: &Setup, id: u32, intended: Duration, done: Duration) {
        let Some(record) = self.devices.get_mut(id) else { return };
        let Some(group) = setup.group(record.group) else { return };
        let next = match (record.device.next(), group.pace) {
            (Next::Stop(stop), _) if stop != Stop::LifetimeOver => {
                return self.end(setup, id, end_of(stop), done);
            }
            (_, Pace::Every(length)) => (intended + length).max(done),
            (Next::Poll { at }, _) => at,
            // Nobody has told it that the code is over, so it asks on, for as long as stores may take to sweep.
            (Next::Stop(_), _) => {
                record.flags |= OVERTIME;
                done + record.device.interval()
            }
        };
        let over = record.device.deadline().map(|end| end + overtime(setup, record.device.interval()));
        if over.is_some_and(|over| next > over) {
            return self.end(setup, id, End::Expired, done);
        }
        let next = if group.phase == Phase::Together { setup.schedule.next_common(next) } else { next };
        self.wait(id, next);
    }

    /// The life of a device ends; in a held group the next one takes its place.
    pub(super) fn end(&mut self, setup: &Setup, id: u32, end: End, at: Duration) {
        let Some(record) = self.devices.get(id) else { return };
        let (group, number) = (record.group, u64::from(record.number));
        if record.stage == Stage::Again {
            return self.devices.remove(id);
        }
        self.forget(setup, id, end);
        let has_place = match (&setup.crowd, &mut self.crowd) {
            (Some(wanted), Some(crowd)) => crowd.ended(wanted, group),
            _ => true,
        };
        let timeline = setup.schedule.timeline();
        if let Some(next) = setup.schedule.replacement(group.into(), number)
            && at < timeline.measured_to()
            && has_place
        {
            let id = self.add(setup, group.into(), next, at);
            // After a failure not at once: a server that answers nothing would be flooded.
            let pause = if end == End::NoCodes { setup.setting.interval } else { Duration::ZERO };
            self.wait(id, at + pause);
        }
    }

    /// A device ends, and nobody takes its place.
    pub(super) fn forget(&mut self, setup: &Setup, id: u32, end: End) {
        let Some(record) = self.devices.get_mut(id) else { return };
        let was_waiting = record.stage == Stage::Waiting;
        let is_undecided = record.flags & UNDECIDED != 0;
        let user_code = record.user_code;
        record.stage = Stage::Ended;
        if was_waiting {
            self.waiting -= 1;
            setup.user_codes.remove(user_code);
        }
        self.slice.ended(end);
        if !is_undecided {
            self.devices.remove(id);
        }
    }

    /// The next job of a connection, which is under way from now on.
    pub(super) fn next_job(&mut self) -> Option<Job> {
        let job = self.ready.pop_front()?;
        self.flying += 1;
        Some(job)
    }

    /// Puts the decision of a device that has just got its codes in line.
    pub(super) fn plan(&mut self, id: u32, decision: PlannedDecision, at: Duration) {
        let is_approval = decision.decision == crate::protocol::Decision::Approve;
        self.decisions.push(Reverse(Due { at: millis_up(at), id, is_approval }));
    }

    /// The next decision that is due, and may be taken up by now.
    pub(super) fn next_decision(&mut self, setup: &Setup, now: Duration) -> Option<Due> {
        let next = self.decisions.peek()?.0;
        if next.at > millis(now) || now < self.next_decision_at {
            return None;
        }
        if let Some(rate) = setup.decisions_per_second {
            let pause = Duration::from_secs_f64(f64::from(setup.shards) / rate);
            // A tick that came late is made up for, a pause of the users is not.
            self.next_decision_at = self.next_decision_at.max(now.saturating_sub(TICK * 4)) + pause;
        }
        self.decisions.pop().map(|due| due.0)
    }

    /// Decisions that are due and not taken up; looks at the earliest alone unless there are any.
    pub(super) fn late_decisions(&self, now: Duration) -> u64 {
        let now = millis(now);
        if self.decisions.peek().is_none_or(|due| due.0.at > now) {
            return 0;
        }
        self.decisions.iter().filter(|due| due.0.at <= now).count() as u64
    }

    /// Wakes players of users, as many as there are decisions due.
    pub(super) fn wake_deciders(&mut self, now: Duration) {
        if now < self.next_decision_at || self.decisions.peek().is_none_or(|due| due.0.at > millis(now)) {
            return;
        }
        for waker in self.idle_deciders.drain(..) {
            waker.wake();
        }
    }

    /// Wakes everybody, because the shard stops.
    pub(super) fn wake_all(&mut self) {
        let players = self.idle_deciders.drain(..).chain(self.idle_guessers.drain(..));
        self.idle.drain(..).chain(players).for_each(Waker::wake);
        self.seats.iter().for_each(Seats::wake_all);
    }

    /// Wakes as many idle connections as there is work for; true when more would be needed.
    pub(super) fn wake(&mut self) -> bool {
        let work = self.ready.len();
        let first = self.idle.len().saturating_sub(work);
        let woken = self.idle.len() - first;
        for waker in self.idle.drain(first..) {
            waker.wake();
        }
        work > woken
    }
}

/// How long after its announced end a device asks on.
fn overtime(setup: &Setup, interval: Duration) -> Duration {
    let terms = setup.oracle.terms();
    terms.tol_late.max(terms.late_band) + interval * 2
}

const fn end_of(stop: Stop) -> End {
    match stop {
        Stop::Granted => End::Granted,
        Stop::Denied => End::Denied,
        Stop::Expired | Stop::LifetimeOver => End::Expired,
        Stop::Refused => End::Refused,
        Stop::Unusable => End::Unusable,
    }
}

/// Whole ms, rounded down.
pub(super) fn millis(at: Duration) -> u32 {
    u32::try_from(at.as_millis()).unwrap_or(u32::MAX)
}

/// Whole ms, rounded up, so that nobody polls early.
pub(super) fn millis_up(at: Duration) -> u32 {
    millis(at + Duration::from_nanos(999_999))
}
