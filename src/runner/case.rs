//! One case: its steps in order, on sessions, connections and cookies of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::decide::Round;
use super::link::Label;
use super::measure::Measured;
use super::run::Run;
use super::scope::Values;
use super::session::{Session, Sessions};
use crate::approval::Tab;
use crate::exchange::{Exchange, NoAnswer};
use crate::expect;
use crate::http::Transport;
use crate::oracle::Asker;
use crate::outcome::Outcome;
use crate::plan::Case;
use crate::protocol::{Endpoint, Role};
use crate::suite::{Check, Edits, Step, mentions};
use crate::timing::{Anchor, Timing};
use crate::verdict::{Grade, Mismatch};

/// Why a case ends before its last step.
#[derive(Debug, Clone)]
pub(super) enum Stop {
    /// A control failed: whatever was found says nothing.
    Control(String),
    /// Set-up did not come out.
    NotExercised(String),
    /// Measured, and not certain.
    Inconclusive(String),
    /// Our own trouble.
    Error(String),
}

/// What one play of a case came to.
pub(super) struct Played {
    pub(super) mismatches: Vec<Mismatch>,
    pub(super) stop: Option<Stop>,
    /// A judging step was answered `broken`.
    pub(super) broken: bool,
    /// It was not exercised because an answer never came: a server that was overrun may well answer later.
    pub(super) unanswered: bool,
    pub(super) exchanges: Vec<u32>,
    /// The line of the behaviour card, where the check has one.
    pub(super) line: Option<String>,
}

/// Plays one case once.
pub(super) struct Player<'a> {
    pub(super) run: &'a Run,
    pub(super) case: Case<'a>,
    pub(super) round: Round,
    pub(super) name: String,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) sessions: Sessions,
    pub(super) named: BTreeMap<String, Arc<Exchange>>,
    /// The pages that stay open.
    pub(super) pages: BTreeMap<String, Tab>,
    /// What the pages said to what was only attempted.
    pub(super) said: Mutex<Vec<String>>,
    pub(super) mismatches: Vec<Mismatch>,
    pub(super) exchanges: Mutex<Vec<Arc<Exchange>>>,
    /// The polls whose times prove nothing about pace, by number.
    pub(super) unsure: Mutex<BTreeSet<u32>>,
    /// Since when the next `poll_until` counts: the end of the step before, or the expiry that was waited for.
    pub(super) mark: Duration,
    pub(super) broken: bool,
    pub(super) names_slow_down: bool,
    pub(super) names_limited: bool,
}

impl<'a> Player<'a> {
    pub(super) fn new(run: &'a Run, case: Case<'a>, round: Round) -> Result<Self, NoAnswer> {
        let check: &Check = &case.entry.check;
        Ok(Self {
            run,
            case,
            round,
            name: case.name(),
            transport: run.link.fresh()?,
            sessions: BTreeMap::new(),
            named: BTreeMap::new(),
            pages: BTreeMap::new(),
            said: Mutex::default(),
            mismatches: Vec::new(),
            exchanges: Mutex::default(),
            unsure: Mutex::default(),
            mark: run.link.now(),
            broken: false,
            names_slow_down: mentions(check, case.variant, Outcome::SlowDown),
            names_limited: mentions(check, case.variant, Outcome::Limited),
        })
    }

    /// All steps, then what must hold over all answers.
    pub(super) async fn play(mut self) -> Played {
        let check: &'a Check = &self.case.entry.check;
        let mut stop = self.steps(&check.steps).await.err();
        if stop.is_none() {
            stop = self.judge_together(check).await.err();
        }
        let mut line = None;
        if stop.is_none() && check.card.is_some() {
            match self.line(check).await {
                Ok(text) => line = Some(text),
                Err(reason) => stop = Some(reason),
            }
        }
        let taken = self.taken();
        let said = self.said.into_inner().unwrap_or_else(PoisonError::into_inner);
        // What is attempted may be refused; where something is wrong behind it, what the pages said belongs to it.
        if let Some(first) = self.mismatches.first_mut().filter(|_| !said.is_empty()) {
            first.actual = format!("{}; before that, {}", first.actual, said.join("; "));
        }
        let unanswered = matches!(stop, Some(Stop::Control(_) | Stop::NotExercised(_)))
            && taken.iter().any(|exchange| exchange.answer.is_err());
        let mut exchanges: Vec<u32> = taken.iter().map(|exchange| exchange.number).collect();
        exchanges.sort_unstable();
        Played { mismatches: self.mismatches, stop, broken: self.broken, unanswered, exchanges, line }
    }

    async fn steps(&mut self, steps: &'a [Step]) -> Result<(), Stop> {
        for step in steps {
            match step {
                Step::OnlyIf(only_if) => {
                    let outcome = self
                        .named
                        .get(&only_if.of)
                        .or_else(|| self.session(&only_if.of).and_then(last_answer))
                        .map(|exchange| exchange.outcome());
                    if outcome.is_some_and(|outcome| only_if.outcome.contains(&outcome)) {
                        Box::pin(self.steps(&only_if.then)).await?;
                    }
                }
                step => self.step(step).await?,
            }
        }
        Ok(())
    }

    async fn step(&mut self, step: &'a Step) -> Result<(), Stop> {
        let mut mark = None;
        match step {
            Step::Authorize(authorize) => self.authorize(authorize, step).await?,
            Step::Poll(poll) => self.poll(poll, step).await?,
            Step::Polls(polls) => self.polls(polls, step).await?,
            Step::PollUntil(until) => self.poll_until(until, step).await?,
            Step::Race(race) => self.race(race, step).await?,
            Step::Together(steps) => self.together(steps).await?,
            Step::Wait(wait) => mark = self.wait(wait).await?,
            Step::Approve(decide) => self.decide(decide, crate::target::Decision::Approve, step).await?,
            Step::Deny(decide) => self.decide(decide, crate::target::Decision::Deny, step).await?,
            Step::OpenPage(open) => self.open_page(open, step).await?,
            Step::EnterCode(enter) => self.enter_code(enter, step).await?,
            Step::CallApi(call) => self.call_api(call, step).await?,
            Step::Refresh(refresh) => self.refresh(refresh, step).await?,
            Step::Revoke(token) => self.use_token(token, step, Endpoint::Revocation).await?,
            Step::Introspect(token) => self.use_token(token, step, Endpoint::Introspection).await?,
            Step::Request(request) => self.request(request, step).await?,
            Step::Discover(discover) => self.discover(discover, step).await?,
            Step::Tls(tls) => self.handshake(tls).await?,
            Step::OnlyIf(_) => {}
        }
        self.mark = mark.unwrap_or_else(|| self.run.link.now());
        Ok(())
    }

    /// Waits; gives the instant from which a following `poll_until` counts, when that is not the end of the wait.
    async fn wait(&mut self, wait: &crate::suite::Wait) -> Result<Option<Duration>, Stop> {
        let session = self.session(&wait.session).ok_or_else(|| no_session(&wait.session))?;
        let plus = wait.plus.as_ref().map_or(0.0, |plus| plus.seconds(session));
        let (until, mark, what) = match (&wait.length, wait.until) {
            (Some(length), _) => (self.run.link.now() + length.length(session), None, "a pause".to_owned()),
            (None, anchor) => {
                let anchor = anchor.unwrap_or(Anchor::Expiry);
                let at = anchored(session, anchor).ok_or_else(|| no_anchor(&wait.session, anchor))?;
                (shifted(at, plus), Some(at), anchor_words(anchor).to_owned())
            }
        };
        self.run.link.wait_until(&self.name, until, &what).await;
        if mark.is_some() {
            for session in self.sessions.get_mut(&wait.session).into_iter().flatten() {
                session.is_past_expiry_on_purpose |= until >= session.expiry();
            }
        }
        Ok(mark)
    }

    /// When a step is due that says `at: expiry - 3 s`.
    pub(super) fn due_at(&self, session: &Session, name: &str, at: &Timing) -> Result<Duration, Stop> {
        let anchor = at.anchor.unwrap_or(Anchor::Expiry);
        let instant = anchored(session, anchor).ok_or_else(|| no_anchor(name, anchor))?;
        Ok(shifted(instant, at.seconds(session)))
    }

    pub(super) fn session(&self, name: &str) -> Option<&Session> {
        self.sessions.get(name)?.first()
    }

    pub(super) fn values(&self) -> Values<'_> {
        Values { run: self.run, sessions: &self.sessions, named: &self.named }
    }

    /// The edits of a step with those of the variant, templates filled in.
    pub(super) fn edits(&self, step: &Step, own: Edits) -> Result<Edits, Stop> {
        let mut edits = self.case.edits_at(step.name(), own);
        let values = self.values();
        let fill = |text: &mut String| -> Result<(), Stop> {
            *text = values.filled(text, ToOwned::to_owned).map_err(|name| no_value(&name))?;
            Ok(())
        };
        edits.with.values_mut().try_for_each(fill)?;
        edits.header.values_mut().try_for_each(fill)?;
        edits.twice.values_mut().flatten().try_for_each(fill)?;
        Ok(edits)
    }

    /// Sends one request of this case.
    pub(super) async fn send(
        &self,
        endpoint: Endpoint,
        client: Role,
        composed: crate::compose::Composed,
    ) -> Result<Arc<Exchange>, Stop> {
        let codes = self.sessions.values().flatten().filter_map(|session| session.codes.as_ref());
        let named: Vec<u32> =
            codes.filter(|codes| codes.is_in(&composed)).map(|codes| codes.issued).collect();
        let exchange = self.send_paced(endpoint, client, composed, None).await?;
        for issued in named {
            self.run.chronicle.asked(issued, Asker::Anybody, &exchange);
        }
        Ok(exchange)
    }

    /// Sends a poll; one that goes out from `on_pace_from` on keeps the session's pace.
    pub(super) async fn send_paced(
        &self,
        endpoint: Endpoint,
        client: Role,
        composed: crate::compose::Composed,
        on_pace_from: Option<Duration>,
    ) -> Result<Arc<Exchange>, Stop> {
        let label = Label { case: &self.name, endpoint, client, on_pace_from };
        let exchange = self.run.link.exchange(&*self.transport, label, composed).await;
        self.received(exchange)
    }

    /// Takes an answer in; trouble of our own is nothing that a check may judge.
    pub(super) fn received(&self, exchange: Arc<Exchange>) -> Result<Arc<Exchange>, Stop> {
        self.take(exchange.clone());
        match &exchange.answer {
            Err(NoAnswer::Ours(trouble)) => Err(Stop::Error(trouble.clone())),
            _ => Ok(exchange),
        }
    }

    pub(super) fn take(&self, exchange: Arc<Exchange>) {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
    }

    /// Everything this case was answered so far.
    pub(super) fn taken(&self) -> Vec<Arc<Exchange>> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The round trips of some polls, to be put behind a sentence about times.
    pub(super) fn measured(&self, polls: &[Arc<Exchange>]) -> Option<String> {
        Measured::of(polls.iter().map(|exchange| &**exchange)).map(|measured| format!("; {measured}"))
    }

    /// May this answer of a session come from the end of its life?
    pub(super) fn ended_by_itself(&self, name: &str, exchange: &Exchange) -> bool {
        self.sessions.get(name).into_iter().flatten().any(|session| {
            session.answers.iter().any(|answer| answer.number == exchange.number)
                && session.may_have_ended_by_itself(exchange)
        })
    }

    /// The outcome must be this one, or the check says nothing.
    pub(super) fn control(&self, control: Option<Outcome>, exchange: &Exchange) -> Result<(), Stop> {
        match control {
            Some(Outcome::SlowDown)
                if exchange.outcome() == Outcome::Pending && exchange.asked.manner.kept_pace =>
            {
                Err(Stop::Inconclusive(
                    "the poll that was to be early went out too late on this machine".to_owned(),
                ))
            }
            Some(control) if exchange.outcome() != control => Err(Stop::Control(format!(
                "its control failed: {} was expected, exchange #{} was answered {}",
                control,
                exchange.number,
                self.short(exchange)
            ))),
            _ => Ok(()),
        }
    }

    /// A set-up request must have come out. For the card, one with a name is looked at instead, whatever its answer;
    /// without codes there is nothing to look at.
    pub(super) fn set_up(&self, wanted: &str, came_out: bool, exchange: &Exchange) -> Result<(), Stop> {
        let is_looked_at = || {
            exchange.asked.endpoint != Endpoint::DeviceAuthorization
                && self.named.values().any(|named| named.number == exchange.number)
        };
        if came_out || (self.case.entry.check.card.is_some() && is_looked_at()) {
            return Ok(());
        }
        Err(Stop::NotExercised(format!(
            "no {wanted}: exchange #{} was answered {}",
            exchange.number,
            self.short(exchange)
        )))
    }

    /// The answer in a few words, redacted.
    pub(super) fn short(&self, exchange: &Exchange) -> String {
        self.run.link.scrub(&expect::show_answer(exchange))
    }

    /// A mismatch that the runner itself found.
    pub(super) fn found(&mut self, expected: String, actual: String, exchange: Option<&Exchange>) {
        self.mismatches.push(Mismatch {
            grade: Grade::Mismatch,
            expected,
            actual,
            because: None,
            exchange: exchange.map(|exchange| exchange.number),
        });
    }
}

fn last_answer(session: &Session) -> Option<&Arc<Exchange>> {
    session.answers.last().or(Some(&session.authorized))
}

fn anchored(session: &Session, anchor: Anchor) -> Option<Duration> {
    match anchor {
        Anchor::Expiry => session.announced_expiry(),
        Anchor::TokenExpiry => session.token_sets.last()?.expiry,
    }
}

const fn anchor_words(anchor: Anchor) -> &'static str {
    match anchor {
        Anchor::Expiry => "expiry",
        Anchor::TokenExpiry => "expiry of an access token",
    }
}

fn shifted(at: Duration, seconds: f64) -> Duration {
    let length = Duration::try_from_secs_f64(seconds.abs()).unwrap_or_default();
    if seconds < 0.0 { at.saturating_sub(length) } else { at + length }
}

/// The session may have been over when this was answered.
pub(super) fn ended_by_itself(exchange: &Exchange) -> Stop {
    Stop::Inconclusive(format!(
        "exchange #{} was answered so near to the end of the code's life that it may have been over",
        exchange.number
    ))
}

pub(super) fn no_session(name: &str) -> Stop {
    Stop::NotExercised(format!("the session {name} has no codes"))
}

fn no_anchor(name: &str, anchor: Anchor) -> Stop {
    Stop::NotExercised(format!("the session {name} has no {}", anchor_words(anchor)))
}

pub(super) fn no_value(name: &str) -> Stop {
    Stop::NotExercised(format!("there is no {name}: the server did not give it"))
}
