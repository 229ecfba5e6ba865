//! Lines of the behaviour card: a threshold that is measured, the spelling of a sample, or what the answers of the
//! steps come to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::case::{Player, Stop, no_value};
use super::poll::PollAs;
use super::session::Session;
use crate::card::{After, Probe, age, gap, growth};
use crate::exchange::Exchange;
use crate::expect;
use crate::outcome::Outcome;
use crate::plan::grid;
use crate::protocol::Role;
use crate::suite::{Check, Edits, Measure, Placeholder, Reading, Threshold, placeholders};
use crate::timing::{Constant, Timekeeper};

/// Early polls that are to bring several `slow_down`s are so far apart, because servers may take polls of one second
/// for one burst.
const APART: Duration = Duration::from_millis(1200);

/// One code on which one value was tried.
struct Tried {
    at: Duration,
    /// How many `slow_down`s came before; for gaps alone.
    slow_downs: u32,
    came: Came,
}

/// What the codes announced, and how far two values are apart by that.
#[derive(Clone, Copy, Default)]
struct Times {
    step: Duration,
    interval: Duration,
    lifetime: Duration,
}

/// What came of one value.
enum Came {
    /// This answer, to a request that the server may have seen so much later.
    Answer(Arc<Exchange>, Duration),
    /// The value is greater than the lifetime allows.
    TooLong,
    /// The polls before were answered otherwise than `authorization_pending` or `slow_down`.
    Otherwise(Arc<Exchange>),
}

impl<'a> Player<'a> {
    /// The line of a check that has one.
    pub(super) async fn line(&mut self, check: &'a Check) -> Result<String, Stop> {
        if let Some(measure) = &check.measure {
            return self.measure(measure).await;
        }
        if let (Some(kind), Some(sample)) = (check.spelling, &check.sample) {
            let taken = self.run.sample(&self.name, sample).await.map_err(Stop::NotExercised)?;
            let taken: Vec<&Exchange> = taken.iter().map(|exchange| &**exchange).collect();
            return expect::spelling(kind, &taken, &self.values()).map_err(Stop::NotExercised);
        }
        self.say(&check.say)
    }

    /// The first wording that fits.
    fn say(&self, readings: &[Reading]) -> Result<String, Stop> {
        let values = self.values();
        for reading in readings {
            let holds = |(name, expectations): (&String, &Vec<_>)| {
                let Some(exchange) = self.answer(name) else { return Ok(false) };
                answered(exchange)?;
                Ok(expect::judge(expectations, exchange, &values).is_empty())
            };
            let mut fits = true;
            for condition in &reading.when {
                fits &= holds(condition)?;
            }
            if fits {
                for (_, placeholder) in placeholders(&reading.text) {
                    if let Ok(Placeholder::Value { of, .. }) = placeholder
                        && let Some(exchange) = self.answer(of)
                    {
                        answered(exchange)?;
                    }
                }
                return values.filled(&reading.text, ToOwned::to_owned).map_err(|name| no_value(&name));
            }
        }
        Err(Stop::NotExercised("the answers fit none of the wordings".to_owned()))
    }

    /// A line of the card is about the time that a poll was meant for; later than by a tenth of the interval, it would
    /// be about another one.
    pub(super) fn went_out_in_time(
        &self,
        session: &Session,
        answer: &Exchange,
        meant: Duration,
    ) -> Result<(), Stop> {
        let late = answer.sent.saturating_sub(meant);
        if self.case.entry.check.card.is_some() && late > session.announced_interval() / 10 {
            let (number, late) = (answer.number, crate::timing::show(late));
            return Err(Stop::Inconclusive(format!(
                "exchange #{number} went out {late} late on this machine"
            )));
        }
        Ok(())
    }

    fn answer(&self, name: &str) -> Option<&Arc<Exchange>> {
        self.named.get(name).or_else(|| self.session(name).map(|session| &session.authorized))
    }

    async fn measure(&mut self, measure: &'a Measure) -> Result<String, Stop> {
        let values = grid(measure, &self.run.found);
        let role = measure.client.unwrap_or(Role::Tv);
        let repeat = measure.repeat.unwrap_or(1);
        let after: Vec<u32> = measure.slow_downs.map_or_else(|| vec![0], |most| (1..=most).collect());
        let this = &*self;
        let tries = after
            .iter()
            .flat_map(|slow_downs| values.iter().map(move |at| (*slow_downs, *at)))
            .flat_map(|tried| (0..repeat).map(move |_| tried))
            .map(|(slow_downs, at)| async move {
                let mut session = this.ask_for_codes(role, &Edits::default()).await?;
                this.set_up("codes", session.codes.is_some(), &session.authorized)?;
                let step = measure.step.length(&session);
                let tried = match measure.threshold {
                    Threshold::Gap => this.try_gap(&mut session, slow_downs, at).await?,
                    Threshold::Age => this.try_age(&mut session, at).await?,
                };
                Ok((
                    tried,
                    Times { step, interval: session.announced_interval(), lifetime: session.lifetime() },
                ))
            });
        let tried: Vec<(Tried, Times)> =
            futures_util::future::join_all(tries).await.into_iter().collect::<Result<_, Stop>>()?;
        let Times { step, interval, lifetime } = tried.first().map(|(_, times)| *times).unwrap_or_default();
        let mut by_slow_downs: BTreeMap<u32, After> = BTreeMap::new();
        let mut otherwise = None;
        for (Tried { at, slow_downs, came }, _) in tried {
            let after = by_slow_downs.entry(slow_downs).or_default();
            match came {
                Came::Answer(exchange, later) => {
                    let other = exchange.outcome() != Outcome::Pending;
                    // What is certain: so long it was slowed, or alive, and from then on it was not.
                    let was_before = other == (measure.threshold == Threshold::Gap);
                    after.probes.push(Probe {
                        at: if was_before { at } else { at + whole_steps(later, step) },
                        other: other.then(|| expect::answer_word(&exchange)),
                    });
                }
                Came::TooLong => after.is_cut = true,
                Came::Otherwise(exchange) => otherwise = otherwise.or(Some(exchange)),
            }
        }
        let of_one =
            || by_slow_downs.values().flat_map(|after| after.probes.iter().cloned()).collect::<Vec<_>>();
        let line = match (measure.threshold, measure.slow_downs) {
            (Threshold::Gap, Some(_)) => growth(&by_slow_downs, interval),
            (Threshold::Gap, None) => gap(&of_one(), step, interval),
            (Threshold::Age, _) => age(&of_one(), lifetime),
        };
        line.ok_or_else(|| match otherwise {
            Some(exchange) => Stop::NotExercised(format!(
                "exchange #{} was answered {} where authorization_pending was expected",
                exchange.number,
                self.short(&exchange)
            )),
            None => Stop::NotExercised("the codes do not live long enough".to_owned()),
        })
    }

    /// Polls a code after its interval, then at once as often as `slow_down` is wanted, then after the gap.
    async fn try_gap(&self, session: &mut Session, slow_downs: u32, gap: Duration) -> Result<Tried, Stop> {
        let edits = Edits::default();
        let as_usual = PollAs { edits: &edits, client: None };
        let first = self.poll_once(session, &as_usual, session.heard + session.announced_interval()).await?;
        if first.outcome() != Outcome::Pending {
            return Ok(Tried { at: gap, slow_downs: 0, came: Came::Otherwise(first) });
        }
        let mut slowed = 0;
        for n in 0..slow_downs {
            let at = session.heard + if n == 0 { Duration::ZERO } else { APART };
            let early = self.poll_once(session, &as_usual, at).await?;
            match early.outcome() {
                Outcome::SlowDown => slowed += 1,
                Outcome::Pending => {}
                _ => return Ok(Tried { at: gap, slow_downs: slowed, came: Came::Otherwise(early) }),
            }
        }
        let before = session.answers.last().map_or(session.authorized.sent, |exchange| exchange.sent);
        let heard = session.heard;
        let at = heard + gap;
        if at >= session.expiry().saturating_sub(session.constant(Constant::TolEarly)) {
            return Ok(Tried { at: gap, slow_downs: slowed, came: Came::TooLong });
        }
        let answer = self.poll_once(session, &as_usual, at).await?;
        let later = answer.done.saturating_sub(at) + heard.saturating_sub(before);
        let came = Came::Answer(answer, later);
        Ok(Tried { at: gap, slow_downs: slowed, came })
    }

    /// Polls a code once, at an age.
    async fn try_age(&self, session: &mut Session, age: Duration) -> Result<Tried, Stop> {
        let edits = Edits::default();
        let at = session.authorized.done + age;
        let answer = self.poll_once(session, &PollAs { edits: &edits, client: None }, at).await?;
        let came = match answer.outcome() {
            Outcome::Pending | Outcome::Expired | Outcome::Refused | Outcome::Wordless => {
                let later = answer.done.saturating_sub(at) + session.authorized.took();
                Came::Answer(answer, later)
            }
            _ => Came::Otherwise(answer),
        };
        Ok(Tried { at: age, slow_downs: 0, came })
    }
}

/// The server may have stamped a request at any instant between sending and answer. Less than half a step of that is
/// below what the line tells apart.
fn whole_steps(later: Duration, step: Duration) -> Duration {
    let steps = (later.as_secs_f64() / step.as_secs_f64().max(0.001) + 0.5).floor();
    step.mul_f64(steps.clamp(0.0, 1e6))
}

/// An answer that never came says nothing.
fn answered(exchange: &Exchange) -> Result<(), Stop> {
    match &exchange.answer {
        Ok(_) => Ok(()),
        Err(reason) => {
            Err(Stop::NotExercised(format!("exchange #{} was not answered: {reason}", exchange.number)))
        }
    }
}
