//! The verbs of the user: approving, denying, and several things at the same time.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rand::RngExt;
use tokio::sync::SemaphorePermit;

use super::case::{Player, Stop, no_session};
use super::link::Label;
use super::pages::{not_there, start};
use super::poll::PollAs;
use super::session::Session;
use super::visit::Visit;
use crate::approval::{ApprovalError, Ask, Manner, Tab, Trace};
use crate::exchange::Exchange;
use crate::outcome::Outcome;
use crate::plan::decides_as;
use crate::protocol::{Capability, Endpoint};
use crate::suite::{Decide, Edits, Offset, Step, Together};
use crate::target::Decision;
use crate::timing::Timekeeper as _;

/// Something that is done at the same time as others, and what came of it.
enum Done {
    Decided(Result<Option<Arc<Exchange>>, Stop>),
    Polled { session: String, answer: Result<Arc<Exchange>, Stop> },
}

impl<'a> Player<'a> {
    pub(super) async fn decide(
        &mut self,
        decide: &'a Decide,
        decision: Decision,
        step: &'a Step,
    ) -> Result<(), Stop> {
        let session = self.session(&decide.session).ok_or_else(|| no_session(&decide.session))?;
        if let Some(at) = &decide.at {
            let due = self.due_at(session, &decide.session, at)?;
            self.run.link.wait_until(&self.name, due, "the instant of the decision").await;
        }
        let visit = self.visit(&decide.session)?;
        let submitted = {
            // Never closed; were it, one decision too many would be on its way, no more.
            let _permit = self.run.deciding.acquire().await;
            let tab = match &decide.page {
                Some(name) => Some(self.pages.get(name).ok_or_else(|| not_there("page of that name"))?),
                None => None,
            };
            self.submit(decide, decision, &visit, tab, Some(step)).await
        };
        match submitted {
            Ok(page) => self.judge_page(step, page.as_ref()),
            Err(Stop::NotExercised(words)) if decide.attempt => {
                self.said.lock().unwrap_or_else(PoisonError::into_inner).push(words);
                Ok(())
            }
            Err(stop) => Err(stop),
        }
    }

    /// Has the driver bring the decision before the server, from an open page if there is one; gives the page that
    /// followed.
    async fn submit(
        &self,
        decide: &Decide,
        decision: Decision,
        visit: &Visit,
        tab: Option<&Tab>,
        step: Option<&Step>,
    ) -> Result<Option<Arc<Exchange>>, Stop> {
        let Visit { codes, client, .. } = visit;
        let varied = self
            .case
            .variant
            .filter(|variant| step.and_then(Step::name).is_some_and(|name| name == variant.at));
        let tamper = varied.and_then(|variant| variant.tamper.as_ref()).or(decide.tamper.as_ref());
        let known = match tamper.and_then(|tamper| tamper.known.as_ref()) {
            Some(name) => Some(self.pages.get(name).ok_or_else(|| not_there("page of that name"))?),
            None => None,
        };
        let trace = Trace::default();
        let role = decides_as(self.case.variant, decide.user);
        let driver = self.run.driver.as_ref().ok_or_else(|| not_there("approval driver"))?;
        let user = self.run.target.users.get(&role).ok_or_else(|| not_there(role.word()))?;
        let deadline = self.deadline(visit);
        let ask = Ask {
            case: &self.name,
            decision,
            user,
            user_code: &codes.user_code,
            verification_uri: &codes.verification_uri,
            verification_uri_complete: codes.verification_uri_complete.as_deref(),
            start: start(decide.uri),
            deadline: self.run.link.instant(deadline),
            manner: Manner { trace: Some(&trace), tab, tamper, known },
        };
        let capability = match decision {
            Decision::Approve => Capability::Approval,
            Decision::Deny => Capability::Denial,
        };
        self.waits_for_pages(deadline).await;
        let began = self.run.link.now();
        let decided = match decision {
            Decision::Approve if tamper.is_none() => {
                // By its id: the roles `tv` and `pace` may be one client.
                let client_id = self.run.client(*client).map(|client| client.id.clone()).unwrap_or_default();
                self.run.firsts.alone_if_first((&user.login, &client_id), driver.decide(ask)).await
            }
            Decision::Approve | Decision::Deny => driver.decide(ask).await,
        };
        let pages = self.keep_pages(trace, visit, &codes.user_code).await;
        // Whatever page followed, it was submitted; certain it is only where the page is no error.
        let (began, came_out) = match &decided {
            Ok(submitted) => {
                let is_good = submitted.came_out() && !decide.attempt && tamper.is_none();
                let done = self.run.link.since_start(submitted.done);
                (self.run.link.since_start(submitted.sent), is_good.then_some(done))
            }
            Err(_) => (began, None),
        };
        self.run.chronicle.decided(codes.issued, decision, began, came_out);
        match decided {
            Ok(_) => {
                if tamper.is_none() {
                    self.run.tried(capability, None);
                }
                Ok(pages.last().cloned())
            }
            Err(error) => {
                let text = self.run.link.scrub(&error.to_string());
                if !decide.attempt && tamper.is_none() {
                    self.run.tried(capability, Some(text.clone()));
                }
                Err(match error {
                    ApprovalError::NoPerson { .. } => Stop::Error(text),
                    _ => visit.in_vain(self.run.link.now(), format!("the user could not {decision}: {text}")),
                })
            }
        }
    }

    /// All of them at once, each after its offset; before that every session that is polled has waited its interval, and
    /// who decides stands at the page where he does, so that it is the decision itself that meets the others.
    pub(super) async fn together(&mut self, steps: &'a [Together]) -> Result<(), Stop> {
        let this = &*self;
        let tabs = steps.iter().map(|step| async move {
            match step {
                Together::Approve(decide) => this.at_decision(decide, Decision::Approve).await,
                Together::Deny(decide) => this.at_decision(decide, Decision::Deny).await,
                Together::Poll(_) => None,
            }
        });
        let tabs = futures_util::future::join_all(tabs).await;
        let due = steps.iter().filter_map(|step| {
            let Together::Poll(poll) = step else { return None };
            self.session(&poll.session).map(|session| session.heard + session.interval())
        });
        let due = due.max().unwrap_or_default();
        self.run.link.wait_until(&self.name, due, "the interval").await;
        let offsets: Vec<i64> = steps.iter().map(|step| self.round.drawn(offset_of(step))).collect();
        let first = offsets.iter().min().copied().unwrap_or_default();
        let polls = steps.iter().filter(|step| matches!(step, Together::Poll(_))).count();
        let mut places = self.run.link.places(polls).await;
        let start = self.run.link.now();
        let this = &*self;
        let places =
            steps.iter().map(|step| matches!(step, Together::Poll(_)).then(|| places.pop()).flatten());
        let all = steps.iter().zip(offsets).zip(&tabs).zip(places);
        let all = all.map(|(((step, offset), tab), place)| async move {
            let wait = Duration::from_millis((offset - first).unsigned_abs());
            this.run.link.wait_until(&this.name, start + wait, "its turn").await;
            this.one_of_many(step, tab.as_ref(), place).await
        });
        let done = futures_util::future::join_all(all).await;
        let decisions = done.iter().filter(|done| matches!(done, Done::Decided(_))).count();
        let came_out = done.iter().filter(|done| matches!(done, Done::Decided(Ok(_)))).count();
        let case = self.case;
        let mut trouble = None;
        for (step, done) in steps.iter().zip(done) {
            match done {
                Done::Decided(Ok(_)) => {}
                Done::Decided(Err(stop)) => trouble = Some(stop),
                Done::Polled { session, answer } => {
                    let answer = answer?;
                    if let Some(session) =
                        self.sessions.get_mut(&session).and_then(|sessions| sessions.first_mut())
                    {
                        session.answered(&answer);
                    }
                    if let Together::Poll(poll) = step {
                        if let Some(name) = &poll.name {
                            self.named.insert(name.clone(), answer.clone());
                        }
                        if answer.outcome() == Outcome::Limited && !self.names_limited {
                            // Repeated it would not be at the same time any more.
                            return Err(Stop::Inconclusive(format!(
                                "a rate limit came in between: {}",
                                self.short(&answer)
                            )));
                        }
                        self.control(poll.control, &answer)?;
                        let expectations = match case.variant {
                            Some(variant)
                                if poll.name.as_deref() == Some(variant.at.as_str())
                                    && !variant.expect.is_empty() =>
                            {
                                &variant.expect
                            }
                            _ => &poll.expect,
                        };
                        self.judge(expectations, &answer);
                    }
                }
            }
        }
        // Of decisions that race each other, a server may refuse all but one.
        match trouble {
            Some(stop) if came_out == 0 && decisions > 0 => Err(stop),
            _ => Ok(()),
        }
    }

    async fn one_of_many(
        &self,
        step: &Together,
        tab: Option<&Tab>,
        place: Option<SemaphorePermit<'_>>,
    ) -> Done {
        let (decide, decision) = match step {
            Together::Approve(decide) => (decide, Decision::Approve),
            Together::Deny(decide) => (decide, Decision::Deny),
            Together::Poll(poll) => {
                let answer = match self.session(&poll.session) {
                    Some(session) => self.poll_beside(session, &poll.edits(), place).await,
                    None => Err(no_session(&poll.session)),
                };
                return Done::Polled { session: poll.session.clone(), answer };
            }
        };
        let visit = match self.visit(&decide.session) {
            Ok(visit) => visit,
            Err(stop) => return Done::Decided(Err(stop)),
        };
        Done::Decided(self.submit(decide, decision, &visit, tab, None).await)
    }

    /// A poll that is one of several things at once: sent as it is, in the place that is held for it, nothing repeated.
    async fn poll_beside(
        &self,
        session: &Session,
        edits: &Edits,
        place: Option<SemaphorePermit<'_>>,
    ) -> Result<Arc<Exchange>, Stop> {
        let (composed, role) = self.compose_poll(session, &PollAs { edits, client: None })?;
        let label = Label { case: &self.name, endpoint: Endpoint::Token, client: role, on_pace_from: None };
        let exchange = self.run.link.exchange_in(place, &*self.transport, label, composed).await;
        let exchange = self.received(exchange)?;
        self.chronicle(session, edits, role, &exchange);
        Ok(exchange)
    }
}

fn offset_of(step: &Together) -> Option<Offset> {
    match step {
        Together::Approve(decide) | Together::Deny(decide) => decide.offset,
        Together::Poll(poll) => poll.offset,
    }
}

/// Which of how many rounds of a check this is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round {
    /// From 0 on.
    pub(super) number: u32,
    pub(super) of: u32,
}

impl Round {
    /// A shift at random, from this round's share of the range: so the rounds of a check try all of it.
    fn drawn(self, offset: Option<Offset>) -> i64 {
        offset.map_or(0, |Offset { from_ms, to_ms }| {
            let border = |rounds: u32| from_ms + (to_ms - from_ms) * i64::from(rounds) / i64::from(self.of);
            rand::rng().random_range(border(self.number)..=border(self.number + 1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rounds_of_a_check_share_out_an_offset() {
        let offset = Some(Offset { from_ms: -50, to_ms: 50 });
        for (number, from, to) in [(0, -50, -30), (1, -30, -10), (2, -10, 10), (3, 10, 30), (4, 30, 50)] {
            for _ in 0..50 {
                let drawn = Round { number, of: 5 }.drawn(offset);
                assert!((from..=to).contains(&drawn), "round {number}: {drawn}");
            }
        }
        assert_eq!(Round { number: 0, of: 1 }.drawn(None), 0);
    }
}
