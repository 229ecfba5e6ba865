//! The users: decisions as they come due, at a rate of their own, by a hook or by an approval driver.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::population::Stage;
use super::racer;
use super::setup::{Place, Setup};
use super::shard::Shard;
use super::state::{DUE_GRANT, Due, State, TOO_LATE, UNDECIDED};
use super::worker::open;
use crate::approval::{Ask, Driver, Firsts, Manner, Start};
use crate::http::thin::Thin;
use crate::oracle::Choice;
use crate::outcome::Outcome;
use crate::scenario::{Operation, Pace};
use crate::tally::record;
use crate::target::{Decision, User};

/// How many answers a visit of the pages may wait for.
const VISIT: u32 = 3;

/// Calls of hooks at the same time, all shards together.
const HOOKS: u32 = 16;

/// Who plays the users.
pub enum Decider {
    /// Nobody: no decision is ever made.
    Nobody,
    /// The hooks of our own server.
    Hook(Hook),
    /// The typist of the run.
    Typist,
}

/// Somebody at the pages: an approval driver.
pub struct Typist {
    /// Makes it; each shard has its own.
    pub make: Box<dyn Fn() -> Result<Box<dyn Driver>, String> + Send + Sync>,
    /// Who signs in.
    pub user: User,
    /// How many visits there are at the same time, all shards together.
    pub at_once: u32,
    /// Its name, for people.
    pub name: &'static str,
    /// Which clients the user has approved before, for all shards.
    pub firsts: Firsts,
}

/// Where our own server takes decisions without a page.
pub struct Hook {
    /// Where it listens.
    pub place: Place,
    /// The `Host` of a request.
    pub host: String,
}

impl Decider {
    /// Does anybody decide?
    #[must_use]
    pub const fn decides(&self) -> bool {
        !matches!(self, Self::Nobody)
    }
}

/// How many decisions one shard makes at the same time.
pub(super) fn at_once(setup: &Setup) -> u32 {
    match (&setup.decider, &setup.typist) {
        (Decider::Hook(_), _) => (HOOKS / setup.shards).max(1),
        (Decider::Typist, Some(typist)) => typist.at_once(setup),
        (Decider::Nobody | Decider::Typist, _) => 0,
    }
}

impl Typist {
    /// How many visits one shard makes at the same time.
    pub(super) fn at_once(&self, setup: &Setup) -> u32 {
        (self.at_once / setup.shards).max(1)
    }
}

/// How a decision reaches the server.
enum Way<'a> {
    Hook { hook: &'a Hook, connection: Option<Thin<crate::http::thin::Stream>>, request: Vec<u8> },
    Driver { driver: &'a dyn Driver, typist: &'a Typist },
}

/// When a decision was on its way.
struct Made {
    began: Duration,
    done: Duration,
}

/// Makes one decision after the other until the shard stops.
pub(super) async fn run(shard: Rc<Shard>, driver: Option<Rc<dyn Driver>>) {
    let setup = shard.setup.clone();
    let mut way = match (&setup.decider, &driver, &setup.typist) {
        (Decider::Hook(hook), ..) => Way::Hook { hook, connection: None, request: Vec::new() },
        (Decider::Typist, Some(driver), Some(typist)) => Way::Driver { driver: &**driver, typist },
        (Decider::Nobody | Decider::Typist, ..) => return,
    };
    let next = |state: &mut State| state.next_decision(&setup, setup.now());
    while let Some(due) = shard.next(next, |state| &mut state.idle_deciders).await {
        decide(&shard, &mut way, due).await;
    }
}

async fn decide(shard: &Rc<Shard>, way: &mut Way<'_>, due: Due) {
    let setup = &*shard.setup;
    let choice = if due.is_approval { Choice::Approve } else { Choice::Deny };
    let intended = Duration::from_millis(due.at.into());
    let taken = setup.now();
    let (user_code, verification_uri, client_id) = {
        let mut state = shard.state.borrow_mut();
        record(&mut state.slice.decision_wait, taken.saturating_sub(intended));
        let user_code = String::from_utf8_lossy(state.devices.user_code(due.id)).into_owned();
        if let Some(device) = state.devices.get_mut(due.id) {
            device.life.decision_began(choice, taken);
        }
        let client =
            state.devices.get(due.id).and_then(|device| setup.clients.get(usize::from(device.client)));
        let client_id = client.map_or("", |client| client.client_id.as_str());
        (user_code, state.verification_uri.clone().unwrap_or_default(), client_id)
    };
    let made = match way {
        Way::Hook { hook, connection, request } => {
            write_hook(request, hook, due.is_approval, &user_code);
            by_hook(shard, hook, connection, request).await
        }
        Way::Driver { driver, typist } => {
            let user = &typist.user;
            let decision = if due.is_approval { Decision::Approve } else { Decision::Deny };
            let visiting = driver.decide(visit(setup, user, decision, &user_code, &verification_uri));
            let submitted = match decision {
                Decision::Approve => typist.firsts.alone_if_first((&user.login, client_id), visiting).await,
                Decision::Deny => visiting.await,
            };
            match submitted {
                Ok(submitted) if submitted.came_out() => Ok(Made {
                    began: submitted.sent.saturating_duration_since(setup.epoch()),
                    done: submitted.done.saturating_duration_since(setup.epoch()),
                }),
                Ok(_) => Err("decision_refused"),
                Err(_) => Err("decision_failed"),
            }
        }
    };
    let mut state = shard.state.borrow_mut();
    match made {
        Ok(made) => {
            let response = made.done.saturating_sub(intended);
            let service = made.done.saturating_sub(made.began);
            state.slice.answered(Operation::Approval, Outcome::Granted, response, service);
            let races = came_out(setup, &mut state, due, choice, made.done);
            if races && !racer::sits(setup, &mut state, due.id) {
                tokio::task::spawn_local(racer::run(Rc::clone(shard), due.id));
            }
        }
        Err(why) => {
            let done = setup.now();
            let response = done.saturating_sub(intended);
            state.slice.failed(Operation::Approval, why);
            state.slice.answered(Operation::Approval, Outcome::Broken, response, done - taken);
            state.slice.counters.undecided += 1;
            let races = is_racer(setup, &state, due.id);
            leave(&mut state, due.id);
            if races {
                // Nothing to race for: it ends with its code.
                state.end(setup, due.id, crate::tally::End::Abandoned, done);
            }
        }
    }
}

/// A visit of the pages, from the verification URI on.
pub(super) fn visit<'a>(
    setup: &Setup,
    user: &'a User,
    decision: Decision,
    user_code: &'a str,
    verification_uri: &'a str,
) -> Ask<'a> {
    Ask {
        case: "a device of the load",
        decision,
        user,
        user_code,
        verification_uri,
        verification_uri_complete: None,
        start: Start::Uri,
        deadline: Instant::now() + setup.timeout * VISIT,
        manner: Manner::default(),
    }
}

/// Takes note of a decision; true when the device races from now on.
fn came_out(setup: &Setup, state: &mut State, due: Due, choice: Choice, done: Duration) -> bool {
    match choice {
        Choice::Approve => state.slice.counters.approved += 1,
        Choice::Deny => state.slice.counters.denied += 1,
    }
    let races = is_racer(setup, state, due.id);
    let Some(device) = state.devices.get_mut(due.id) else { return false };
    device.life.decision_came_out(choice, done);
    let end_of_run = setup.schedule.timeline().end();
    let over = device.device.deadline().unwrap_or(end_of_run).min(end_of_run);
    let gap = match setup.pace(device.group) {
        Some(Pace::Conforming | Pace::Race { .. }) => Some(device.device.interval()),
        Some(Pace::Every(gap)) => Some(device.device.interval().max(gap)),
        Some(Pace::Never) | None => None,
    };
    let is_in_time = gap.is_some_and(|gap| done + gap + setup.oracle.terms().propagation <= over);
    if choice == Choice::Approve && device.stage == Stage::Waiting && is_in_time {
        device.flags |= DUE_GRANT;
        state.slice.counters.due_grants += 1;
    }
    leave(state, due.id);
    races
}

fn is_racer(setup: &Setup, state: &State, id: u32) -> bool {
    let pace = state.devices.get(id).and_then(|device| setup.pace(device.group));
    matches!(pace, Some(Pace::Race { .. }))
}

/// No decision is to come any more.
fn leave(state: &mut State, id: u32) {
    let Some(device) = state.devices.get_mut(id) else { return };
    device.flags &= !UNDECIDED;
    if device.stage != Stage::Ended {
        return;
    }
    if device.flags & TOO_LATE == 0 {
        return state.devices.remove(id);
    }
    device.stage = Stage::Again;
    let at = device.life.heard() + device.device.interval();
    let decided = device.life.decided_at().unwrap_or(at);
    state.wait(id, at.max(decided));
}

fn write_hook(into: &mut Vec<u8>, hook: &Hook, is_approval: bool, user_code: &str) {
    let path = if is_approval { "/approve" } else { "/deny" };
    let body = serde_json::json!({ "user_code": user_code }).to_string();
    into.clear();
    into.extend_from_slice(
        format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            hook.host,
            body.len()
        )
        .as_bytes(),
    );
}

async fn by_hook(
    shard: &Rc<Shard>,
    hook: &Hook,
    kept: &mut Option<Thin<crate::http::thin::Stream>>,
    request: &[u8],
) -> Result<Made, &'static str> {
    let setup = &*shard.setup;
    if kept.as_ref().is_none_or(|connection| !connection.is_reusable()) {
        *kept = Some(Thin::new(open(shard, &hook.place, 0).await.map_err(super::worker::NoAnswer::kind)?));
    }
    let Some(connection) = kept else { return Err("decision_failed") };
    let began = setup.now();
    let exchange = connection.exchange(request, &shard.scratch, |reply| (reply.status, setup.now()));
    let answered = tokio::time::timeout(setup.timeout, exchange).await;
    match answered {
        // A hook refuses what is decided or over already: that came out as far as a user can see.
        Ok(Ok((status, done))) if status < 500 => Ok(Made { began, done }),
        Ok(Ok(_)) => Err("decision_refused"),
        Ok(Err(failure)) => {
            *kept = None;
            Err(failure.kind())
        }
        Err(_) => {
            *kept = None;
            Err("timeout")
        }
    }
}
