//! One transaction of a GooseUser: it sleeps until its device is due, sends one request and hears the answer.

use std::fmt::Write as _;
use std::time::Duration;

use futures_util::future::join_all;
use goose::goose::{GooseUser, TransactionResult};
use url::form_urlencoded;

use super::desk::{Desk, Place, Turn, at_desk};
use crate::compose::Composed;
use crate::exchange::{Answer, NoAnswer};
use crate::http::thin::Reply;
use crate::http::{Exchanger as _, Sent, Wire};
use crate::load::dialogue::{self, Endpoint, Went};
use crate::load::racer::{self, Race};
use crate::load::setup::{MARK, Requests};
use crate::load::state::{Job, What};
use crate::load::verdict::Seen;
use crate::outcome::Outcome;
use crate::scenario::Operation;

/// How long a user whose run is over waits for Goose to send it away, before it looks again.
const AWAY: Duration = Duration::from_millis(50);

/// A request on its way, with all that is needed to judge its answer.
struct Request {
    to: Endpoint,
    /// As the native engine would write it.
    shown: Vec<u8>,
    composed: Composed,
    sent: Duration,
}

/// What Goose is told of an answer.
struct Counted {
    operation: Operation,
    outcome: Outcome,
    took: Duration,
    status: Option<u16>,
}

/// The transaction of every user. Goose looks only between two of them whether a user is to leave, so none is longer
/// than one wait and what one answer may take, and all end with the run.
pub(super) async fn exchange(user: &mut GooseUser) -> TransactionResult {
    let place = match user.get_session_data::<Place>().cloned() {
        Some(place) => Some(place),
        None => at_desk(Desk::sit).flatten().inspect(|place| {
            user.client = place.wire.client();
            user.set_session_data(place.clone());
        }),
    };
    let job = match &place {
        Some(place) => next(place).await,
        None => None,
    };
    let (Some(place), Some(job)) = (place, job) else {
        leave(user);
        tokio::time::sleep(AWAY).await;
        return Ok(());
    };
    let wire = place.wire.over(user.client.clone());
    for counted in play(&wire, job).await {
        tell(user, &counted).await?;
    }
    Ok(())
}

/// Sleeps until there is something to do; nothing when the run is over.
async fn next(place: &Place) -> Option<Job> {
    loop {
        let (turn, epoch) = at_desk(|desk| {
            let turn = desk.turn(place);
            let until = match turn {
                Turn::Sleep(Some(until)) => Some(desk.shard.setup.epoch() + until),
                _ => None,
            };
            (turn, until)
        })?;
        match (turn, epoch) {
            (Turn::Play(job), _) => return Some(job),
            (Turn::Leave, _) => return None,
            (Turn::Sleep(_), Some(until)) => tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                () = place.bell.notified() => {}
            },
            (Turn::Sleep(_), None) => place.bell.notified().await,
        }
    }
}

/// Tells Goose that this user has nothing more to do; once all have, the load test ends.
fn leave(user: &GooseUser) {
    if let Some(channel) = &user.shutdown_channel {
        // Nobody listens any more: then it has ended already.
        let _ = channel.send(user.weighted_users_index);
    }
}

/// Plays a job; what there is to be counted.
async fn play(wire: &Wire, job: Job) -> Vec<Counted> {
    let race = at_desk(|desk| match job.what {
        What::Device(id) => {
            Race::in_seat(&desk.shard.setup, &desk.shard.state.borrow(), id).map(|race| (id, race))
        }
        What::Garbage(_) => None,
    });
    let counted = match race.flatten() {
        Some((id, race)) => run_race(wire, id, race).await,
        None => ask(wire, job).await.into_iter().collect(),
    };
    at_desk(|desk| desk.shard.state.borrow_mut().flying -= 1);
    counted
}

/// One request of a device, or of a stranger.
async fn ask(wire: &Wire, job: Job) -> Option<Counted> {
    let request = at_desk(|desk| {
        let (setup, mut state) = (&desk.shard.setup, desk.shard.state.borrow_mut());
        let mut request = None;
        dialogue::going_out(setup, &mut state, job.what, |client, to, code| {
            request = Some(Request::new(client, to, code, setup.now()));
        })?;
        let request = request?;
        dialogue::went_out(&mut state, job, request.to, request.sent);
        Some(request)
    })??;
    let answered = wire.send(&request.composed).await;
    at_desk(|desk| {
        let (setup, mut state) = (&desk.shard.setup, desk.shard.state.borrow_mut());
        let went = Went { job, to: request.to, request: &request.shown, sent: request.sent };
        let done = desk.done(&answered);
        let outcome = match &answered.answer {
            Ok(answer) => {
                let head = head(answer);
                dialogue::answered(setup, &mut state, &went, &reply(answer, &head), done)
            }
            Err(why) => {
                dialogue::unanswered(setup, &mut state, &went, kind(why), true);
                Outcome::Broken
            }
        };
        Counted::new(went.operation(), outcome, &answered, done.saturating_sub(request.sent))
    })
}

/// Polls at the same moment, then with the used code (INV-4).
async fn run_race(wire: &Wire, id: u32, race: Race) -> Vec<Counted> {
    let mut counted: Vec<Counted> =
        join_all((0..race.at_once).map(|_| poll(wire, id))).await.into_iter().flatten().collect();
    for _ in 0..race.then_replay {
        let pause =
            at_desk(|desk| desk.shard.state.borrow().devices.get(id).map(|device| device.device.interval()));
        tokio::time::sleep(pause.flatten().unwrap_or_default()).await;
        counted.extend(poll(wire, id).await);
    }
    let was_granted = counted.iter().any(|counted| counted.outcome == Outcome::Granted);
    at_desk(|desk| racer::ended(&desk.shard.setup, &mut desk.shard.state.borrow_mut(), id, was_granted));
    counted
}

/// One poll of a race.
async fn poll(wire: &Wire, id: u32) -> Option<Counted> {
    let request = at_desk(|desk| {
        let (setup, mut state) = (&desk.shard.setup, desk.shard.state.borrow_mut());
        let client = setup.clients.get(usize::from(state.devices.get(id)?.client))?;
        let request = Request::new(client, Endpoint::Token, &state.devices.device_code(id), setup.now());
        racer::went_out(&mut state, id, request.sent);
        Some(request)
    })??;
    let answered = wire.send(&request.composed).await;
    at_desk(|desk| {
        let (setup, mut state) = (&desk.shard.setup, desk.shard.state.borrow_mut());
        let done = desk.done(&answered);
        let mut judge = |reply: Result<&Reply<'_>, &str>| {
            let seen = Seen { request: &request.shown, reply, sent: request.sent, done };
            racer::heard(setup, &mut state, id, &seen)
        };
        let outcome = match &answered.answer {
            Ok(answer) => judge(Ok(&reply(answer, &head(answer)))),
            Err(why) => {
                let outcome = judge(Err(kind(why)));
                state.slice.failed(Operation::Token, kind(why));
                outcome
            }
        };
        Counted::new(Operation::Token, outcome, &answered, done.saturating_sub(request.sent))
    })
}

/// Gives an answer to Goose, under a name for what it means.
async fn tell(user: &mut GooseUser, counted: &Counted) -> TransactionResult {
    let name = format!("{}:{}", counted.operation.word(), counted.outcome.word());
    let is_good = !matches!(
        counted.outcome,
        Outcome::Broken | Outcome::Limited | Outcome::Malformed | Outcome::Wordless
    );
    let error = (!is_good).then(|| counted.outcome.word());
    user.record_custom_request_duration("POST", &name, counted.took, is_good, counted.status, error).await
}

impl Request {
    fn new(client: &Requests, to: Endpoint, device_code: &[u8], sent: Duration) -> Self {
        let mut shown = Vec::new();
        client.write(to, device_code, &mut shown);
        let composed = match to {
            Endpoint::DeviceAuthorization => client.composed_codes.clone(),
            Endpoint::Token => {
                let code: String = form_urlencoded::byte_serialize(device_code).collect();
                let body = String::from_utf8_lossy(&client.composed_poll.body).replace(MARK, &code);
                Composed { body: body.into_bytes(), ..client.composed_poll.clone() }
            }
        };
        Self { to, shown, composed, sent }
    }
}

impl Counted {
    fn new(operation: Operation, outcome: Outcome, answered: &Sent, took: Duration) -> Self {
        let status = answered.answer.as_ref().ok().map(|answer| answer.status);
        Self { operation, outcome, took, status }
    }
}

impl Desk {
    /// When an answer was in.
    fn done(&self, answered: &Sent) -> Duration {
        answered.done.saturating_duration_since(self.shard.setup.epoch())
    }
}

/// Status line and headers of an answer.
fn head(answer: &Answer) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} \r\n", answer.status);
    for (name, value) in &answer.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// An answer as the thin connection would have read it.
fn reply<'a>(answer: &'a Answer, head: &'a [u8]) -> Reply<'a> {
    let header = |wanted: &str| {
        let mut all = answer.headers.iter();
        all.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_bytes())
    };
    Reply {
        status: answer.status,
        content_type: header("content-type"),
        retry_after: header("retry-after"),
        cache_control: header("cache-control"),
        body: &answer.body,
        head,
    }
}

/// Why there is no answer, by the words of the native engine.
const fn kind(why: &NoAnswer) -> &'static str {
    match why {
        NoAnswer::Refused => "connect_refused",
        NoAnswer::Unreachable(_) => "connect_other",
        NoAnswer::TimedOut(_) => "timeout",
        NoAnswer::CutOff(_) => "closed_early",
        NoAnswer::Tls(_) => "connect_tls",
        NoAnswer::TooLarge(_) => "too_large",
        NoAnswer::Ours(_) => "connect_no_descriptor",
    }
}
