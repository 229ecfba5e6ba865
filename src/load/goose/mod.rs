//! The second engine: every device is an ordinary GooseUser with reqwest underneath, so that what the thin connection and
//! the wheel make of a scenario is held against a client and a pace that nobody here wrote.
//!
//! - `attack`: what Goose is told
//! - `desk`: where the users find their shard
//! - `user`: one transaction of a user, which is one exchange of its device
//!
//! What a device does, what an answer is worth and who decides is the same code as for the native engine. A user sleeps
//! until its device is due and sends by its own client; Goose counts each answer under a name of its own.
//!
//! Goose wants futures that may move between threads, and a shard never leaves its own. So the runtime of a run has one
//! thread, which two thousand devices do not fill.

mod attack;
mod desk;
mod user;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use goose::{GooseError, is_killswitch_triggered, reset_killswitch};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::LocalSet;

use super::run::{Outcomes, Watching, follow};
use super::seats::Seats;
use super::setup::Shared;
use super::shard::{self, Order, Report, Shard};
use super::state::State;
use crate::scenario::{Connections, Schedule, StrangerKind};
use crate::tally::{Ending, Second, Slice};
use desk::Desk;

/// The most devices that it plays, all groups and replacements in their slots together.
pub const MOST_DEVICES: usize = 2000;

/// Users who poll with codes of nobody, where the scenario has any.
const STRANGERS: usize = 16;

/// How often Goose's switch for ctrl-C is looked at.
const LOOKS: Duration = Duration::from_millis(20);

/// What is wanted of Goose itself.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Where its reports go; the end of the name says which kind each is.
    pub reports: Vec<String>,
    /// A report of an earlier run, as JSON, that its reports compare with.
    pub baseline: Option<String>,
    /// Its own thresholds: `p95<500ms for token:pending`.
    pub thresholds: Vec<String>,
    /// Is its dashboard served while the run goes on?
    pub dashboard: bool,
}

/// Can Goose play this?
///
/// # Errors
/// In words, when it cannot.
pub fn can_play(schedule: &Schedule, connections: &Connections) -> Result<(), String> {
    if Seats::new(schedule, MOST_DEVICES).is_none() {
        return Err(format!(
            "Goose plays at most {MOST_DEVICES} devices, and this scenario has more\nhelp: leave --engine out: the native engine plays millions; or scale it down with --devices or --rate"
        ));
    }
    let help = "help: leave it out, or leave --engine out: the native engine does it";
    if connections.at_most.is_some() {
        return Err(format!(
            "connections: {{ at_most }} is nothing that Goose's clients can keep to\n{help}"
        ));
    }
    if !connections.sources.is_empty() {
        return Err(format!("connections: {{ sources }} is nothing that Goose's clients can choose\n{help}"));
    }
    Ok(())
}

/// Plays the scenario, in one shard. `tell` hears of each second; the run ends early when `interrupt` does, or when Goose
/// itself hears ctrl-C.
///
/// # Errors
/// Goose could not be started, or ended before the run did.
pub async fn run(
    setup: Shared,
    watching: Watching,
    wishes: Wishes,
    mut tell: impl FnMut(Second, &Slice),
    interrupt: impl Future<Output = ()>,
) -> Result<Outcomes, String> {
    can_play(&setup.schedule, &setup.connections)?;
    let (orders, order) = watch::channel(Order::Play);
    let (teller, reports) = mpsc::unbounded_channel();
    let switched = Arc::new(Notify::new());
    let thread = {
        let (setup, switched) = (Arc::clone(&setup), Arc::clone(&switched));
        let play = move || play(setup, &wishes, order, teller, &switched);
        std::thread::Builder::new().name("goose".to_owned()).spawn(play)
    };
    let thread = thread.map_err(|error| format!("no thread for Goose: {error}"))?;
    let interrupt = async {
        tokio::select! {
            () = interrupt => {}
            () = switched.notified() => {}
        }
    };
    let mut followed = follow(&setup, watching, reports, &orders, &mut tell, interrupt).await;
    let missed = thread.join().map_err(|_| "Goose panicked".to_owned())??;
    if !missed.is_empty() {
        // It has stopped the run by the same switch that ctrl-C goes by.
        followed.ending = Ending::Aborted;
        followed.because = Some(format!("Goose missed {}", missed.join(", ")));
    }
    Ok(followed.outcomes(&setup, tell))
}

/// Plays on the calling thread; which of Goose's own thresholds were missed.
fn play(
    setup: Shared,
    wishes: &Wishes,
    orders: watch::Receiver<Order>,
    tell: mpsc::UnboundedSender<Report>,
    switched: &Arc<Notify>,
) -> Result<Vec<String>, String> {
    let runtime = shard::runtime(&setup, 0)?;
    let seats = Seats::new(&setup.schedule, MOST_DEVICES).ok_or_else(|| "too many devices".to_owned())?;
    let has_strangers = setup.schedule.stranger(StrangerKind::GarbageCode, 0).is_some();
    let seats = seats.with_strangers(if has_strangers { STRANGERS } else { 0 });
    let users = seats.count();
    let state = State::seated(&setup, seats);
    let shard = Rc::new(Shard::new(setup, state));
    let watch = watch_switch(Arc::clone(switched));
    LocalSet::new().block_on(&runtime, async move {
        let watch = tokio::task::spawn_local(watch);
        let played = attend(shard, wishes, users, orders, tell).await;
        watch.abort();
        desk::close();
        played
    })
}

/// Opens the run once every user is there, and plays it to its end.
async fn attend(
    shard: Rc<Shard>,
    wishes: &Wishes,
    users: usize,
    mut orders: watch::Receiver<Order>,
    tell: mpsc::UnboundedSender<Report>,
) -> Result<Vec<String>, String> {
    let driver = shard::driver(&shard.setup)?;
    let desk = Desk::open(Rc::clone(&shard), users)?;
    let attack = attack::attack(&shard.setup, wishes, users).map_err(words)?;
    let mut attacking = tokio::task::spawn_local(attack.execute());
    let early = |ended| match ended {
        Ok(Err(error)) => words(error),
        _ => "Goose ended before the run did".to_owned(),
    };
    tokio::select! {
        ended = &mut attacking => return Err(early(ended)),
        () = desk.all_there() => {}
        _ = orders.wait_for(|order| *order == Order::Stop) => {}
    }
    desk.begin();
    let most = u32::try_from(users).unwrap_or(u32::MAX);
    tokio::select! {
        ended = &mut attacking => return Err(early(ended)),
        () = shard::run(&shard, driver, 0, most, orders, tell) => {}
    }
    desk.end();
    match attacking.await {
        Ok(Ok(_)) => Ok(Vec::new()),
        Ok(Err(GooseError::ThresholdsFailed { failed, .. })) => {
            let missed = failed.iter().map(|missed| format!("{}: it was {}", missed.rule, missed.observed));
            Ok(missed.collect())
        }
        Ok(Err(error)) => Err(words(error)),
        Err(_) => Err("Goose panicked".to_owned()),
    }
}

/// Hears ctrl-C from Goose, which has the signal for itself. Its switch is put back each time: at the second ctrl-C it
/// would end the process, and the record would have no end.
async fn watch_switch(switched: Arc<Notify>) {
    loop {
        tokio::time::sleep(LOOKS).await;
        if is_killswitch_triggered() {
            reset_killswitch();
            switched.notify_one();
        }
    }
}

/// An error of Goose in words, with the detail that its own text leaves out.
fn words(error: GooseError) -> String {
    match error {
        GooseError::InvalidOption { option, value, detail } => format!("Goose: {option} {value:?}: {detail}"),
        other => other.to_string().replacen("GooseError", "Goose", 1),
    }
}
