//! A device that breaks the rules on purpose: several polls at the same moment once its user has approved, then the
//! used code again. The only way to see one code bring two tokens (INV-4), because a conforming device never has two
//! polls under way.

use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;

use super::answer::{self, Heard};
use super::dialogue::granted;
use super::setup::Setup;
use super::shard::Shard;
use super::state::{RACES, State};
use super::verdict::{self, Seen};
use super::worker::{NoAnswer, open};
use crate::http::thin::{Reply, Stream, Thin};
use crate::oracle::Asker;
use crate::outcome::Outcome;
use crate::scenario::{Operation, Pace};
use crate::tally::End;

/// What a device does once it races.
#[derive(Debug, Clone, Copy)]
pub(super) struct Race {
    /// How many polls go out at the same moment.
    pub(super) at_once: u32,
    /// How many follow.
    pub(super) then_replay: u32,
    /// Not before this.
    pub(super) from: Duration,
}

impl Race {
    fn of(setup: &Setup, state: &State, id: u32) -> Option<Self> {
        let device = state.devices.get(id)?;
        let Some(Pace::Race { at_once, then_replay }) = setup.pace(device.group) else { return None };
        Some(Self { at_once, then_replay, from: device.life.heard() + device.device.interval() })
    }

    #[cfg_attr(
        not(feature = "goose"),
        expect(dead_code, reason = "only the second engine seats its devices")
    )]
    /// The race of a device that is played in its seat; nothing for one that does not race, or not yet.
    pub(super) fn in_seat(setup: &Setup, state: &State, id: u32) -> Option<Self> {
        let races = state.devices.get(id).is_some_and(|device| device.flags & RACES != 0);
        Self::of(setup, state, id).filter(|_| races)
    }
}

/// Leaves a race to whoever sits in the seat of the device; false where nobody does.
pub(super) fn sits(setup: &Setup, state: &mut State, id: u32) -> bool {
    let race = Race::of(setup, state, id).filter(|_| state.seats.is_some());
    let Some((race, device)) = race.zip(state.devices.get_mut(id)) else { return false };
    device.flags |= RACES;
    state.wait(id, race.from);
    true
}

/// Plays the device of this slot to its end.
pub(super) async fn run(shard: Rc<Shard>, id: u32) {
    let setup = &*shard.setup;
    let race = Race::of(setup, &shard.state.borrow(), id);
    let Some(Race { at_once, then_replay, from }) = race else { return };
    tokio::time::sleep_until(setup.epoch() + from).await;
    let request = {
        let state = shard.state.borrow();
        let Some(device) = state.devices.get(id) else { return };
        let Some(client) = setup.clients.get(usize::from(device.client)) else { return };
        let mut request = Vec::new();
        client.poll.write(&mut request, &state.devices.device_code(id));
        request
    };
    let open = (0..at_once).map(|nth| open(&shard, &setup.token, nth as usize));
    let mut open: Vec<Result<Thin<Stream>, NoAnswer>> =
        join_all(open).await.into_iter().map(|stream| stream.map(Thin::new)).collect();
    let was_granted =
        join_all(open.iter_mut().map(|connection| poll(&shard, id, connection, &request))).await;
    let mut was_granted = was_granted.contains(&true);
    for _ in 0..then_replay {
        let pause = {
            let state = shard.state.borrow();
            state.devices.get(id).map_or(Duration::ZERO, |device| device.device.interval())
        };
        tokio::time::sleep(pause).await;
        let mut connection = super::worker::open(&shard, &setup.token, 0).await.map(Thin::new);
        was_granted |= poll(&shard, id, &mut connection, &request).await;
    }
    ended(setup, &mut shard.state.borrow_mut(), id, was_granted);
}

/// A race is over.
pub(super) fn ended(setup: &Setup, state: &mut State, id: u32, was_granted: bool) {
    let end = if was_granted { End::Granted } else { End::Unusable };
    state.end(setup, id, end, setup.now());
}

/// A poll of a race goes out.
pub(super) fn went_out(state: &mut State, id: u32, sent: Duration) {
    if let Some(device) = state.devices.get_mut(id) {
        device.life.sent(Asker::Owner, sent);
    }
}

/// The answer to a poll of a race is in, or none came, of this kind; what it means.
pub(super) fn heard(setup: &Setup, state: &mut State, id: u32, seen: &Seen<'_>) -> Outcome {
    let heard = match seen.reply {
        Ok(reply) => answer::poll(reply, |token| setup.key.fingerprint(token)),
        Err(_) => Heard::nothing(),
    };
    let took = seen.done.saturating_sub(seen.sent);
    state.slice.answered(Operation::Token, heard.outcome, took, took);
    if heard.outcome == Outcome::Granted && state.devices.get(id).is_some_and(|d| !d.life.has_token()) {
        granted(state, id, seen.done);
    }
    verdict::poll(setup, state, id, &heard, seen);
    heard.outcome
}

/// One poll; true when it brought a token.
async fn poll(
    shard: &Shard,
    id: u32,
    connection: &mut Result<Thin<Stream>, NoAnswer>,
    request: &[u8],
) -> bool {
    let setup = &*shard.setup;
    let sent = setup.now();
    went_out(&mut shard.state.borrow_mut(), id, sent);
    let look = |reply: Reply<'_>| {
        let seen = Seen { request, reply: Ok(&reply), sent, done: setup.now() };
        heard(setup, &mut shard.state.borrow_mut(), id, &seen) == Outcome::Granted
    };
    let answered = match connection {
        Ok(connection) => {
            let exchange = connection.exchange(request, &shard.scratch, look);
            let answered = tokio::time::timeout(setup.timeout, exchange).await;
            answered.map_err(|_| NoAnswer::Late).and_then(|answered| answered.map_err(NoAnswer::Failed))
        }
        Err(why) => Err(*why),
    };
    answered.unwrap_or_else(|why| {
        let mut state = shard.state.borrow_mut();
        state.slice.failed(Operation::Token, why.kind());
        heard(setup, &mut state, id, &Seen { request, reply: Err(why.kind()), sent, done: setup.now() });
        false
    })
}
