//! Holds the answers of a case against expectations: those of a step, and those of the whole check.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::case::{Player, Stop, ended_by_itself};
use super::measure;
use crate::exchange::Exchange;
use crate::expect::{self, Overall};
use crate::outcome::Outcome;
use crate::protocol::Endpoint;
use crate::suite::{Check, Expectation};
use crate::timing::{Constant, Timekeeper as _, show};

impl<'a> Player<'a> {
    /// Holds one answer against the expectations of its step.
    pub(super) fn judge(&mut self, expectations: &[Expectation], exchange: &Exchange) {
        if expectations.is_empty() {
            return;
        }
        let found = expect::judge(expectations, exchange, &self.values());
        self.broken |= exchange.outcome() == Outcome::Broken && !found.is_empty();
        self.mismatches.extend(found);
    }

    /// Holds each answer of a step against what looks at one answer.
    pub(super) fn judge_each(&mut self, expectations: &[Expectation], answers: &[Arc<Exchange>]) {
        for answer in answers {
            for expectation in expectations.iter().filter(|expectation| !expect::looks_at_all(expectation)) {
                self.judge(std::slice::from_ref(expectation), answer);
            }
        }
    }

    /// Holds all answers of a step, of every session of that name, against what looks at many.
    pub(super) fn judge_all(
        &mut self,
        name: &str,
        expectations: &[Expectation],
        answers: &[Arc<Exchange>],
    ) -> Result<(), Stop> {
        for expectation in expectations.iter().filter(|expectation| expect::looks_at_all(expectation)) {
            let overall = self.overall(expectation, answers.to_vec())?;
            let is_blamed = |answer: &Exchange| {
                overall.not_exercised.is_some()
                    || overall
                        .mismatches
                        .iter()
                        .any(|it| it.exchange.is_none_or(|number| number == answer.number))
            };
            let mut blamed = answers.iter().filter(|answer| is_blamed(answer));
            if let Some(answer) = blamed.clone().find(|answer| self.ended_by_itself(name, answer)) {
                return Err(ended_by_itself(answer));
            }
            self.broken |= blamed.any(|answer| answer.outcome() == Outcome::Broken);
            self.mismatches.extend(overall.mismatches);
            if let Some(reason) = overall.not_exercised {
                return Err(Stop::NotExercised(reason));
            }
        }
        Ok(())
    }

    /// Holds an answer to a poll of a session against expectations. What may come from the end of the session's life
    /// rather than from a mistake is not certain.
    pub(super) fn judge_poll(
        &mut self,
        name: &str,
        control: Option<Outcome>,
        expectations: &[Expectation],
        exchange: &Exchange,
    ) -> Result<(), Stop> {
        let before = self.mismatches.len();
        let controlled = self.control(control, exchange);
        self.judge(expectations, exchange);
        let is_off = controlled.is_err() || self.mismatches.len() > before;
        if is_off && self.ended_by_itself(name, exchange) {
            self.mismatches.truncate(before);
            return Err(ended_by_itself(exchange));
        }
        if is_off && self.is_about_pace(exchange) && self.is_unsure(exchange) {
            self.mismatches.truncate(before);
            return Err(Stop::Inconclusive(format!(
                "exchange #{} took {}, or went out late, which is too much to judge pace by",
                exchange.number,
                show(exchange.took())
            )));
        }
        controlled
    }

    /// Is it an answer about pace to a check about pace?
    fn is_about_pace(&self, exchange: &Exchange) -> bool {
        self.names_slow_down && matches!(exchange.outcome(), Outcome::Pending | Outcome::SlowDown)
    }

    /// Do the times of this poll prove nothing?
    fn is_unsure(&self, exchange: &Exchange) -> bool {
        self.unsure.lock().unwrap_or_else(PoisonError::into_inner).contains(&exchange.number)
    }

    /// The polls of the case whose times prove something, or that there are too few of them to speak of pace.
    fn sure_polls(&self, polls: &[Arc<Exchange>]) -> Result<Vec<Arc<Exchange>>, Stop> {
        let sure: Vec<_> = polls.iter().filter(|exchange| !self.is_unsure(exchange)).cloned().collect();
        let unsure = polls.len() - sure.len();
        if measure::is_too_much(unsure, polls.len()) {
            let measured = self.measured(polls).unwrap_or_default();
            return Err(Stop::Inconclusive(format!(
                "{unsure} of {} polls took longer than a quarter of the interval, or went out late; that is too much to judge \
                 pace by{measured}",
                polls.len()
            )));
        }
        Ok(sure)
    }

    /// What a verdict on pace rests on.
    fn times(&self, polls: &[Arc<Exchange>]) -> String {
        let session = self.sessions.values().flatten().next();
        let tolerance = session.map_or(Duration::ZERO, |session| session.constant(Constant::GRound));
        format!("; g_round {}{}", show(tolerance), self.measured(polls).unwrap_or_default())
    }

    /// What must hold over all answers of the case, or of its sample.
    pub(super) async fn judge_together(&mut self, check: &'a Check) -> Result<(), Stop> {
        let sample = match &check.sample {
            Some(sample) => Some(self.run.sample(&self.name, sample).await.map_err(Stop::NotExercised)?),
            None => None,
        };
        if sample.is_some_and(|sample| sample.iter().all(|answer| answer.outcome() == Outcome::Broken)) {
            return Err(Stop::NotExercised("the server failed at every request of the sample".to_owned()));
        }
        for expectation in &check.expect {
            let exchanges = match (sample, expectation) {
                (Some(sample), _) => sample.to_vec(),
                (None, Expectation::Tokens(tokens)) => {
                    self.session(&tokens.of).map(|session| session.answers.clone()).unwrap_or_default()
                }
                (None, _) => self.taken().into_iter().filter(is_of_token_endpoint).collect(),
            };
            if let Expectation::Tokens(tokens) = expectation
                && let Some(session) = self.session(&tokens.of)
                && session.token_sets.is_empty()
                && let Some(last) = session.answers.last()
                && session.may_have_ended_by_itself(last)
            {
                return Err(ended_by_itself(last));
            }
            let overall = self.overall(expectation, exchanges)?;
            self.mismatches.extend(overall.mismatches);
            if let Some(reason) = overall.not_exercised {
                return Err(Stop::NotExercised(reason));
            }
        }
        Ok(())
    }

    /// What an expectation says of many answers; of pace, only by polls whose times prove something.
    fn overall(&self, expectation: &Expectation, exchanges: Vec<Arc<Exchange>>) -> Result<Overall, Stop> {
        let is_of_pace =
            matches!(expectation, Expectation::Never(never) if never.outcome.contains(&Outcome::SlowDown));
        let exchanges = if is_of_pace { self.sure_polls(&exchanges)? } else { exchanges };
        let times = is_of_pace.then(|| self.times(&exchanges));
        let exchanges: Vec<&Exchange> = exchanges.iter().map(|exchange| &**exchange).collect();
        let mut overall = expect::judge_all(std::slice::from_ref(expectation), &exchanges, &self.values());
        for mismatch in &mut overall.mismatches {
            mismatch.actual.extend(times.clone());
        }
        Ok(overall)
    }
}

fn is_of_token_endpoint(exchange: &Arc<Exchange>) -> bool {
    exchange.asked.endpoint == Endpoint::Token
}
