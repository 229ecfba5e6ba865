//! The verbs around codes: asking for them, polling, racing.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::case::{Player, Stop, ended_by_itself, no_session};
use super::chronicle::{asker, is_plain};
use super::link::{Label, PATIENCE};
use super::measure::is_unsure;
use super::session::Session;
use crate::compose::{Composed, form_post, is_without_effect};
use crate::exchange::Exchange;
use crate::expect;
use crate::outcome::Outcome;
use crate::plan::fit;
use crate::protocol::{DEVICE_CODE_GRANT, Endpoint, Role};
use crate::suite::{Authorize, Bound, Count, Edits, Graded, Poll, PollUntil, Polls, Race, Step};
use crate::timing::{Timekeeper, Timing, show};
use crate::verdict::{Grade, Mismatch};

/// One poll that is to be sent.
pub(super) struct PollAs<'a> {
    pub(super) edits: &'a Edits,
    /// The client that polls, when it is not the session's own.
    pub(super) client: Option<Role>,
}

impl<'a> Player<'a> {
    pub(super) async fn authorize(&mut self, authorize: &'a Authorize, step: &'a Step) -> Result<(), Stop> {
        let edits = self.edits(step, authorize.edits())?;
        let role = edits.client.unwrap_or(Role::Tv);
        let this = &*self;
        let asks = (0..authorize.sessions.unwrap_or(1)).map(|_| this.ask_for_codes(role, &edits));
        let mut sessions = Vec::new();
        for asked in futures_util::future::join_all(asks).await {
            sessions.push(asked?);
        }
        // Of many answers the name stands for the one that is worth a look.
        let telling = sessions.iter().find(|session| session.codes.is_none()).or_else(|| sessions.first());
        if let Some(session) = telling {
            let name = step.name().unwrap_or(&authorize.session);
            self.named.insert(name.to_owned(), session.authorized.clone());
        }
        let answers: Vec<Arc<Exchange>> = sessions.iter().map(|session| session.authorized.clone()).collect();
        self.sessions.insert(authorize.session.clone(), sessions);
        let case = self.case;
        let expectations = case.expect_at(step);
        // What a line of the card looks at under a name of its own may come as it likes.
        let is_looked_at = case.entry.check.card.is_some() && authorize.name.is_some();
        for answer in &answers {
            self.control(authorize.control, answer)?;
            if expectations.is_empty() && authorize.control.is_none() && !is_looked_at {
                self.set_up("codes", answer.outcome() == Outcome::Codes, answer)?;
            }
        }
        self.judge_each(expectations, &answers);
        self.judge_all(&authorize.session, expectations, &answers)
    }

    pub(super) async fn ask_for_codes(&self, role: Role, edits: &Edits) -> Result<Session, Stop> {
        let client = self.run.client(role).ok_or_else(|| no_client(role))?;
        let scope = client.scope.as_deref();
        let params: Vec<(&str, &str)> = scope.map(|scope| ("scope", scope)).into_iter().collect();
        let url = &self.run.endpoints.device_authorization;
        if edits.encode.is_some() && !params.iter().any(|(_, value)| value.contains(' ')) {
            return Err(Stop::NotExercised(format!(
                "the scope of {role} has no space that could be encoded"
            )));
        }
        let mut tries = 0;
        loop {
            let at = self.run.link.at(Endpoint::DeviceAuthorization, url);
            let composed = form_post(at, &params, client, edits);
            let exchange = self.send(Endpoint::DeviceAuthorization, role, composed).await?;
            if self.is_to_be_repeated(&exchange, tries)? {
                self.wait_out(&exchange).await;
                tries += 1;
                continue;
            }
            let requested = edits.with.get("scope").cloned().or_else(|| scope.map(ToOwned::to_owned));
            let requested = requested.filter(|_| !edits.without.iter().any(|name| name == "scope"));
            let session = Session::new(role, exchange, requested, self.run.found.constants.clone());
            if let Some(codes) = session.codes.as_ref().filter(|_| is_plain(edits)) {
                self.run.chronicle.issued(&self.name, &session.authorized, codes);
            }
            return Ok(session);
        }
    }

    /// A limiter answered: it is waited out, at most [`PATIENCE`] times.
    pub(super) fn is_to_be_repeated(&self, exchange: &Exchange, tries: u32) -> Result<bool, Stop> {
        if exchange.outcome() != Outcome::Limited || self.names_limited {
            return Ok(false);
        }
        if tries >= PATIENCE {
            return Err(Stop::Inconclusive(format!(
                "still limited after {PATIENCE} tries: {}",
                self.short(exchange)
            )));
        }
        Ok(true)
    }

    /// A slow_down came: it is obeyed, at most [`PATIENCE`] times, where the check does not name it.
    pub(super) fn is_to_be_obeyed(&self, exchange: &Exchange, tries: u32) -> Result<bool, Stop> {
        if exchange.outcome() != Outcome::SlowDown || self.names_slow_down {
            return Ok(false);
        }
        if tries >= PATIENCE {
            return Err(Stop::Inconclusive(format!(
                "slow_down came again {PATIENCE} times, each after the grown interval"
            )));
        }
        Ok(true)
    }

    pub(super) async fn wait_out(&self, exchange: &Exchange) {
        self.run.link.wait_out(&self.name, exchange).await;
    }

    /// The poll as it goes out.
    pub(super) fn compose_poll(
        &self,
        session: &Session,
        poll: &PollAs<'_>,
    ) -> Result<(Composed, Role), Stop> {
        let codes = session.codes.as_ref().ok_or_else(|| no_session("polled"))?;
        let role = poll.client.or(poll.edits.client).unwrap_or(session.role);
        let client = self.run.client(role).ok_or_else(|| no_client(role))?;
        has_effect("device_code", &codes.device_code, poll.edits)?;
        let params = [("grant_type", DEVICE_CODE_GRANT), ("device_code", codes.device_code.as_str())];
        let at = self.run.link.at(Endpoint::Token, &self.run.endpoints.token);
        Ok((form_post(at, &params, client, poll.edits), role))
    }

    /// One poll, not before `at`; a slow_down is obeyed and a limiter waited out where the check names neither.
    pub(super) async fn poll_once(
        &self,
        session: &mut Session,
        poll: &PollAs<'_>,
        at: Duration,
    ) -> Result<Arc<Exchange>, Stop> {
        let mut at = at;
        let mut tries = 0;
        loop {
            let what =
                if session.device.slow_downs() > 0 { "recovery from slow_down" } else { "the interval" };
            let due = at.max(self.run.link.now());
            self.run.link.wait_until(&self.name, at, what).await;
            let (composed, role) = self.compose_poll(session, poll)?;
            let on_pace_from = Some(session.heard + session.interval());
            let exchange = self.send_paced(Endpoint::Token, role, composed, on_pace_from).await?;
            self.chronicle(session, poll.edits, role, &exchange);
            if is_unsure(&exchange, due, session.interval()) {
                self.unsure.lock().unwrap_or_else(PoisonError::into_inner).insert(exchange.number);
            }
            session.answered(&exchange);
            if self.is_to_be_repeated(&exchange, tries)? {
                self.wait_out(&exchange).await;
            } else if !self.is_to_be_obeyed(&exchange, tries)? {
                return Ok(exchange);
            }
            at = session.heard + session.interval();
            tries += 1;
        }
    }

    /// Notes a poll for the oracle.
    pub(super) fn chronicle(&self, session: &Session, edits: &Edits, role: Role, exchange: &Arc<Exchange>) {
        let (Some(codes), Some(client)) = (&session.codes, self.run.client(role)) else { return };
        let failed = exchange.asked.manner.failed_authentication;
        let asker = asker(edits, role, client, self.run.client(session.role), failed);
        self.run.chronicle.asked(codes.issued, asker, exchange);
    }

    fn due(&self, session: &Session, after: Option<&Timing>) -> Duration {
        session.heard + after.map_or_else(|| session.interval(), |after| after.length(session))
    }

    /// Takes the sessions of a name out, so that each can be worked on beside the others.
    fn take_sessions(&mut self, name: &str) -> Result<Vec<Session>, Stop> {
        match self.sessions.remove(name) {
            Some(sessions) if sessions.iter().all(|session| session.codes.is_some()) => Ok(sessions),
            Some(sessions) => {
                self.sessions.insert(name.to_owned(), sessions);
                Err(no_session(name))
            }
            None => Err(no_session(name)),
        }
    }

    pub(super) async fn poll(&mut self, poll: &'a Poll, step: &'a Step) -> Result<(), Stop> {
        let edits = self.edits(step, poll.edits())?;
        let mut sessions = self.take_sessions(&poll.session)?;
        let this = &*self;
        let polls = sessions.iter_mut().map(|session| async {
            let at = match &poll.at {
                Some(at) => {
                    let due = this.due_at(session, &poll.session, at)?;
                    session.is_past_expiry_on_purpose |= due >= session.expiry();
                    due
                }
                None => this.due(session, poll.after.as_ref()),
            };
            let answer = this.poll_once(session, &PollAs { edits: &edits, client: None }, at).await?;
            // `after: 0 s` is whenever the steps before allow it.
            if poll.after.as_ref().is_some_and(|after| after.seconds(session) > 0.0) {
                this.went_out_in_time(session, &answer, at)?;
            }
            Ok(answer)
        });
        let answers = futures_util::future::join_all(polls).await;
        self.sessions.insert(poll.session.clone(), sessions);
        let case = self.case;
        for answer in answers {
            let answer = answer?;
            if let Some(name) = &poll.name {
                self.named.insert(name.clone(), answer.clone());
            }
            self.judge_poll(&poll.session, poll.control, case.expect_at(step), &answer)?;
        }
        Ok(())
    }

    pub(super) async fn polls(&mut self, polls: &'a Polls, step: &'a Step) -> Result<(), Stop> {
        let mut sessions = self.take_sessions(&polls.session)?;
        let this = &*self;
        let edits = Edits::default();
        let series = sessions.iter_mut().zip(0_u32..).map(|(session, index)| {
            let edits = &edits;
            async move {
                let stagger =
                    polls.stagger.as_ref().map_or(Duration::ZERO, |stagger| stagger.length(session) * index);
                this.series(session, polls, stagger, edits).await
            }
        });
        let answers = futures_util::future::join_all(series).await;
        self.sessions.insert(polls.session.clone(), sessions);
        self.judge_series(&polls.session, step, answers)
    }

    /// The answers of all sessions of a step, together; where one of them came to no end, only what looks at one answer
    /// can be judged. What may come from the end of a session's life rather than from a mistake is not certain.
    fn judge_series(
        &mut self,
        name: &str,
        step: &Step,
        series: Vec<Result<Vec<Arc<Exchange>>, Stop>>,
    ) -> Result<(), Stop> {
        let (mut answers, mut trouble) = (Vec::new(), None);
        for series in series {
            match series {
                Ok(series) => answers.extend(series),
                Err(stop) => trouble = trouble.or(Some(stop)),
            }
        }
        for answer in &answers {
            let before = self.mismatches.len();
            self.judge_each(step.expect(), std::slice::from_ref(answer));
            if self.mismatches.len() > before && self.ended_by_itself(name, answer) {
                self.mismatches.truncate(before);
                trouble = trouble.or(Some(ended_by_itself(answer)));
            }
        }
        match trouble {
            Some(stop) => Err(stop),
            None => self.judge_all(name, step.expect(), &answers),
        }
    }

    async fn series(
        &self,
        session: &mut Session,
        polls: &Polls,
        stagger: Duration,
        edits: &Edits,
    ) -> Result<Vec<Arc<Exchange>>, Stop> {
        let gap = polls.after.as_ref().map_or_else(|| session.interval(), |after| after.length(session));
        let times = match polls.count {
            Count::Times(times) => times,
            Count::Fit => fit(session.lifetime(), gap),
        };
        // What is polled so near to expiry that the answer may be either is not part of a series.
        let end = session.expiry().saturating_sub(session.constant(crate::timing::Constant::TolEarly));
        let mut answers = Vec::new();
        let mut shift = stagger;
        for _ in 0..times {
            let at = self.due(session, polls.after.as_ref()) + shift;
            shift = Duration::ZERO;
            if polls.count == Count::Fit && at >= end {
                break;
            }
            let answer = self.poll_once(session, &PollAs { edits, client: None }, at).await?;
            let goes_on = matches!(answer.outcome(), Outcome::Pending | Outcome::SlowDown);
            answers.push(answer);
            if !goes_on {
                break;
            }
        }
        Ok(answers)
    }

    pub(super) async fn poll_until(&mut self, until: &'a PollUntil, step: &'a Step) -> Result<(), Stop> {
        let mut sessions = self.take_sessions(&until.session)?;
        let edits = Edits { client: until.client, ..Edits::default() };
        let since = self.mark;
        let this = &*self;
        let waits = sessions.iter_mut().map(|session| this.one_until(session, until, &edits, since));
        let ends = futures_util::future::join_all(waits).await;
        self.sessions.insert(until.session.clone(), sessions);
        for end in ends {
            let (answer, mismatch) = end?;
            if let Some(name) = &until.name {
                self.named.insert(name.clone(), answer.clone());
            }
            let wanted = until.outcome.contains(&answer.outcome());
            if !wanted && self.ended_by_itself(&until.session, &answer) {
                return Err(ended_by_itself(&answer));
            }
            // Only `by` judges that the outcome comes; without it, its coming is set-up.
            if until.by.is_none() {
                self.set_up(&words(&until.outcome), wanted, &answer)?;
            } else {
                self.broken |= answer.outcome() == Outcome::Broken;
                self.mismatches.extend(mismatch);
            }
            if wanted {
                self.judge(step.expect(), &answer);
            }
        }
        Ok(())
    }

    /// Polls one session until an outcome of the list comes, the last bound is past, or another end comes.
    async fn one_until(
        &self,
        session: &mut Session,
        until: &PollUntil,
        edits: &Edits,
        since: Duration,
    ) -> Result<(Arc<Exchange>, Option<Mismatch>), Stop> {
        let mut polls = 0;
        let mut late_by = Duration::ZERO;
        loop {
            let at = self.due(session, until.after.as_ref());
            let answer = self.poll_once(session, &PollAs { edits, client: until.client }, at).await?;
            polls += 1;
            let outcome = answer.outcome();
            if until.outcome.contains(&outcome) {
                let mismatch = until.by.as_ref().and_then(|by| {
                    let (grade, because) =
                        expect::grade_of(by, |bound| fits(bound, polls, late_by, session))?;
                    Some(Mismatch {
                        grade,
                        expected: format!("{} by {}", words(&until.outcome), bounds(by)),
                        actual: format!(
                            "{outcome} at poll {polls}, still otherwise {} after{}",
                            show(late_by),
                            self.times_of(by, session)
                        ),
                        because,
                        exchange: Some(answer.number),
                    })
                });
                return Ok((answer, mismatch));
            }
            let goes_on = matches!(outcome, Outcome::Pending | Outcome::SlowDown)
                && session.codes.is_some()
                && is_worth_waiting(until.by.as_ref(), polls, answer.sent.saturating_sub(since), session);
            late_by = answer.sent.saturating_sub(since);
            if !goes_on {
                let mismatch = Mismatch {
                    grade: Grade::Mismatch,
                    expected: match &until.by {
                        Some(by) => format!("{} by {}", words(&until.outcome), bounds(by)),
                        None => words(&until.outcome),
                    },
                    actual: format!(
                        "{} at poll {polls}, {} after{}",
                        self.short(&answer),
                        show(late_by),
                        until.by.as_ref().map(|by| self.times_of(by, session)).unwrap_or_default()
                    ),
                    because: None,
                    exchange: Some(answer.number),
                };
                return Ok((answer, Some(mismatch)));
            }
        }
    }

    /// What a verdict by bounds rests on: how long they are, and the round trips of the session.
    fn times_of(&self, by: &Graded<Bound>, session: &Session) -> String {
        let bounds = by.all().filter_map(|bound| match bound {
            Bound::Within(timing) => Some(format!("; {timing} {}", show(timing.length(session)))),
            Bound::Poll(_) => None,
        });
        bounds.chain(self.measured(&session.answers)).collect()
    }

    pub(super) async fn race(&mut self, race: &'a Race, step: &'a Step) -> Result<(), Stop> {
        let mut sessions = self.take_sessions(&race.session)?;
        let edits = Edits::default();
        let this = &*self;
        let races = sessions.iter_mut().map(|session| async {
            let at = this.due(session, race.after.as_ref());
            this.run.link.wait_until(&this.name, at, "the interval").await;
            let (composed, role) = this.compose_poll(session, &PollAs { edits: &edits, client: None })?;
            let label =
                Label { case: &this.name, endpoint: Endpoint::Token, client: role, on_pace_from: None };
            let all = vec![composed; race.polls as usize];
            let answers = this.run.link.race(&*this.transport, label, all).await;
            for answer in &answers {
                this.take(answer.clone());
                this.chronicle(session, &edits, role, answer);
                if let Err(crate::exchange::NoAnswer::Ours(trouble)) = &answer.answer {
                    return Err(Stop::Error(trouble.clone()));
                }
            }
            if answers.is_empty() {
                return Err(Stop::Error("the race could not be set up".to_owned()));
            }
            session.raced(&answers);
            Ok(answers)
        });
        let answers = futures_util::future::join_all(races).await;
        self.sessions.insert(race.session.clone(), sessions);
        self.judge_series(&race.session, step, answers)
    }
}

/// An alteration that leaves the value as it is would make a probe of nothing.
pub(super) fn has_effect(name: &str, value: &str, edits: &Edits) -> Result<(), Stop> {
    match edits.alter.get(name) {
        Some(how) if is_without_effect(value, *how) => {
            Err(Stop::NotExercised(format!("{how} changes nothing in this server's {name}")))
        }
        _ => Ok(()),
    }
}

fn no_client(role: Role) -> Stop {
    Stop::NotExercised(format!("the target names no client for the role {role}"))
}

fn words(outcomes: &[Outcome]) -> String {
    outcomes.iter().map(|outcome| outcome.word()).collect::<Vec<_>>().join(" or ")
}

fn bounds(by: &Graded<Bound>) -> String {
    by.is.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

/// A number of polls fits when the outcome came by then. A time fits when the last answer that was still another one
/// was asked for within it: whatever came after may have been due since then.
fn fits(bound: &Bound, polls: u32, late_by: Duration, session: &Session) -> bool {
    match bound {
        Bound::Poll(n) => polls <= *n,
        Bound::Within(timing) => late_by <= timing.length(session),
    }
}

/// May a further poll still fall within a bound? Without bounds, until the codes are certainly over.
fn is_worth_waiting(by: Option<&Graded<Bound>>, polls: u32, late_by: Duration, session: &Session) -> bool {
    by.map_or_else(
        || polls < 3,
        |by| {
            by.all().any(|bound| match bound {
                Bound::Poll(n) => polls < *n,
                Bound::Within(timing) => late_by <= timing.length(session),
            })
        },
    )
}
