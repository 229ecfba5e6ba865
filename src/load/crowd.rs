//! A number of waiting devices that changes while the run goes on: the search for a server's capacity.
//!
//! More join within one interval. When there are too many, those whose poll falls due stop polling; their codes still live
//! on the server, and they come back first when more are wanted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::population::Stage;
use super::setup::Setup;
use super::state::State;
use crate::scenario::Shard;
use crate::tally::End;

/// The group whose devices come and go: the first one.
const GROUP: u8 = 0;

/// A code that ends this soon is not worth coming back for, in intervals.
const LEAST_LIFE: u32 = 2;

/// How many devices of the first group wait, all shards together.
#[derive(Debug, Default)]
pub struct Wanted(AtomicU64);

impl Wanted {
    /// From now on so many.
    pub fn set(&self, devices: u64) {
        self.0.store(devices, Ordering::Relaxed);
    }

    /// The part of one shard.
    fn of(&self, shard: Shard) -> u64 {
        let all = self.0.load(Ordering::Relaxed);
        let (index, of) = (u64::from(shard.index()), u64::from(shard.of()));
        all / of + u64::from(index < all % of)
    }
}

/// The devices of the first group, as one shard keeps them.
#[derive(Debug)]
pub(super) struct Crowd {
    shard: Shard,
    /// Those that poll or ask for codes.
    active: u64,
    /// Those that stopped, though their codes live on.
    parked: Vec<u32>,
    /// How many there have been.
    started: u64,
    /// What is owed of the next device: arrivals are even.
    owed: f64,
}

impl Crowd {
    pub(super) const fn new(shard: Shard) -> Self {
        Self { shard, active: 0, parked: Vec::new(), started: 0, owed: 0.0 }
    }

    /// Is a device of this group to stop, now that its poll is due? Then it has stopped.
    pub(super) fn parks(&mut self, wanted: &Wanted, group: u8, stage: Stage, id: u32) -> bool {
        let is_surplus = group == GROUP && stage == Stage::Waiting && self.active > wanted.of(self.shard);
        if is_surplus {
            self.active -= 1;
            self.parked.push(id);
        }
        is_surplus
    }

    /// Takes note of the end of a device; may the next one take its place?
    pub(super) fn ended(&mut self, wanted: &Wanted, group: u8) -> bool {
        if group != GROUP {
            return true;
        }
        self.active -= 1;
        let is_wanted = self.active < wanted.of(self.shard);
        self.active += u64::from(is_wanted);
        is_wanted
    }
}

impl State {
    /// Lets devices join until there are as many as wanted: all of them within one interval.
    pub(super) fn gather(&mut self, setup: &Setup, tick: Duration, now: Duration) {
        let (Some(wanted), Some(crowd)) = (&setup.crowd, &mut self.crowd) else { return };
        let wanted = wanted.of(crowd.shard);
        if crowd.active >= wanted {
            crowd.owed = 0.0;
            return;
        }
        let interval = setup.setting.interval;
        crowd.owed += wanted as f64 * tick.as_secs_f64() / interval.as_secs_f64();
        let missing = (wanted - crowd.active).min(crowd.owed as u64);
        crowd.owed -= missing as f64;
        crowd.active += missing;
        for _ in 0..missing {
            self.join(setup, now);
        }
    }

    /// One more: who had stopped, or somebody new.
    fn join(&mut self, setup: &Setup, now: Duration) {
        let interval = setup.setting.interval;
        while let Some(id) = self.crowd.as_mut().and_then(|crowd| crowd.parked.pop()) {
            let deadline = self.devices.get(id).and_then(|record| record.device.deadline());
            if deadline.is_none_or(|deadline| deadline > now + interval * LEAST_LIFE) {
                return self.wait(id, now);
            }
            self.forget(setup, id, End::Abandoned);
        }
        let Some(crowd) = &mut self.crowd else { return };
        let number = crowd.started * u64::from(crowd.shard.of()) + u64::from(crowd.shard.index());
        crowd.started += 1;
        let id = self.add(setup, GROUP.into(), number, now);
        self.wait(id, now);
    }
}
