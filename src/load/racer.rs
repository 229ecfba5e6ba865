//! A device that breaks the rules on purpose: several polls at the same moment once its user has approved, then the
//! used code again. The only way to see one code bring two tokens (INV-4), because a conforming device never has two
//! polls under way.

use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;

use super::answer;
use super::shard::Shard;
use super::verdict::{self, Seen};
use super::worker::{NoAnswer, granted, open};
use crate::http::thin::{Reply, Stream, Thin};
use crate::oracle::Asker;
use crate::outcome::Outcome;
use crate::scenario::{Operation, Pace};
use crate::tally::End;

/// Plays the device of this slot to its end.
pub(super) async fn run(shard: Rc<Shard>, id: u32) {
    let setup = &*shard.setup;
    let (at_once, then_replay, from) = {
        let state = shard.state.borrow();
        let Some(device) = state.devices.get(id) else { return };
        let pace = setup.schedule.groups().get(usize::from(device.group)).map(|group| &group.pace);
        let Some(Pace::Race { at_once, then_replay }) = pace else { return };
        (*at_once, *then_replay, device.life.heard() + device.device.interval())
    };
    tokio::time::sleep_until(setup.epoch + from).await;
    let request = {
        let state = shard.state.borrow();
        let Some(device) = state.devices.get(id) else { return };
        let Some(client) = setup.clients.get(usize::from(device.client)) else { return };
        let mut request = Vec::new();
        client.poll.write(&mut request, state.devices.device_code(id));
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
    let end = if was_granted { End::Granted } else { End::Unusable };
    shard.state.borrow_mut().end(setup, id, end, setup.now());
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
    {
        let mut state = shard.state.borrow_mut();
        if let Some(device) = state.devices.get_mut(id) {
            device.life.sent(Asker::Owner, sent);
        }
    }
    let look = |reply: Reply<'_>| {
        let done = setup.now();
        let heard = answer::poll(&reply, |token| setup.key.fingerprint(token));
        let mut state = shard.state.borrow_mut();
        state.slice.answered(Operation::Token, heard.outcome, done - sent, done - sent);
        if heard.outcome == Outcome::Granted && state.devices.get(id).is_some_and(|d| !d.life.has_token()) {
            granted(&mut state, id, done);
        }
        verdict::poll(setup, &mut state, id, &heard, &Seen { request, reply: Ok(&reply), sent, done });
        heard.outcome == Outcome::Granted
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
        let done = setup.now();
        let mut state = shard.state.borrow_mut();
        state.slice.failed(Operation::Token, why.kind());
        state.slice.answered(Operation::Token, Outcome::Broken, done - sent, done - sent);
        let heard = answer::Heard::nothing();
        verdict::poll(setup, &mut state, id, &heard, &Seen { request, reply: Err(why.kind()), sent, done });
        false
    })
}
