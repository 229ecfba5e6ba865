//! Who plays which device, where each is played by somebody who sleeps by himself: a seat for each device that a group
//! holds, and for each other one that ever comes. Who polls with codes of nobody has a seat, too, and knows by himself
//! when. Knows no clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::population::{Population, Record, Stage};
use super::setup::Setup;
use super::state::{Job, State, What};
use crate::scenario::{Schedule, Shard};
use crate::tally::record as took;

/// All seats of a run.
#[derive(Debug)]
pub(super) struct Seats {
    groups: Vec<Group>,
    seats: Vec<Seat>,
}

/// The seats of a group.
#[derive(Debug, Clone, Copy)]
struct Group {
    first: usize,
    /// How many devices it holds: whoever ends is replaced in the same seat.
    held: Option<u64>,
}

/// What is due in one seat, in ms since the start of the run, the earliest first. There are two only where a device that
/// was decided too late asks once more while the next one has taken its place.
#[derive(Debug, Default)]
struct Seat {
    due: BinaryHeap<Reverse<(u32, u32)>>,
    changed: Arc<Notify>,
}

impl Seats {
    /// The seats of a run; nothing when there would be more than `most`.
    pub(super) fn new(schedule: &Schedule, most: usize) -> Option<Self> {
        let mut groups = Vec::new();
        let mut count = 0_usize;
        for (index, group) in schedule.groups().iter().enumerate() {
            groups.push(Group { first: count, held: group.held });
            let own = match group.held {
                Some(held) => usize::try_from(held).ok()?,
                None => schedule.arrivals(index, Shard::WHOLE).into_iter().flatten().take(most + 1).count(),
            };
            count = count.checked_add(own).filter(|count| *count <= most)?;
        }
        Some(Self { groups, seats: (0..count).map(|_| Seat::default()).collect() })
    }

    /// The same with so many more for strangers.
    pub(super) fn with_strangers(mut self, strangers: usize) -> Self {
        self.seats.extend((0..strangers).map(|_| Seat::default()));
        self
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.seats.len()
    }

    /// What tells whoever sits there that something may be due earlier, or that the run is over.
    pub(super) fn bell(&self, seat: usize) -> Option<Arc<Notify>> {
        self.seats.get(seat).map(|seat| Arc::clone(&seat.changed))
    }

    /// A device is to do something at its due instant.
    pub(super) fn put(&mut self, id: u32, record: &Record) {
        let Some(group) = self.groups.get(usize::from(record.group)) else { return };
        let number = u64::from(record.number);
        let place = group.held.map_or(number, |held| number % held.max(1));
        let seat = group.first + usize::try_from(place).unwrap_or(usize::MAX - group.first);
        if let Some(seat) = self.seats.get_mut(seat) {
            seat.due.push(Reverse((record.due, id)));
            seat.changed.notify_one();
        }
    }

    /// What is to be done in a seat by now, or else when something will be, if ever.
    fn next(&mut self, seat: usize, now: Duration, devices: &Population) -> Result<Job, Option<Duration>> {
        let seat = self.seats.get_mut(seat).ok_or(None::<Duration>)?;
        loop {
            let Reverse((due, id)) = *seat.due.peek().ok_or(None::<Duration>)?;
            let intended = Duration::from_millis(due.into());
            if intended > now {
                return Err(Some(intended));
            }
            seat.due.pop();
            let is_there = devices.get(id).is_some_and(|device| device.stage != Stage::Free);
            if is_there {
                return Ok(Job { what: What::Device(id), intended, taken: now });
            }
        }
    }

    /// Wakes everybody.
    pub(super) fn wake_all(&self) {
        for seat in &self.seats {
            seat.changed.notify_one();
        }
    }
}

impl State {
    /// A whole run with everybody seated: who arrives, and who polls with codes of nobody, comes by himself.
    pub(super) fn seated(setup: &Setup, seats: Seats) -> Self {
        let mut state = Self::new(setup, Shard::WHOLE);
        let arriving = std::mem::take(&mut state.arriving);
        state.garbage = None.into_iter().flatten().peekable();
        state.seats = Some(seats);
        for (group, arrivals) in arriving.into_iter().enumerate() {
            for arrival in arrivals {
                let id = state.add(setup, group, arrival.number, arrival.at);
                state.wait(id, arrival.at);
            }
        }
        state
    }

    /// What is to be done in a seat by now, or else when something will be, if ever.
    pub(super) fn next_of_seat(&mut self, seat: usize, now: Duration) -> Result<Job, Option<Duration>> {
        let job = self.seats.as_mut().ok_or(None::<Duration>)?.next(seat, now, &self.devices)?;
        self.takes(job);
        Ok(job)
    }

    /// Somebody takes a job up.
    pub(super) fn takes(&mut self, job: Job) {
        took(&mut self.slice.lag, job.taken.saturating_sub(job.intended));
        self.flying += 1;
    }
}
