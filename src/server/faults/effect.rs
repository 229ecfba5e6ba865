//! What a fault does, as data, and which of it holds for one request. Knows no fault and no handler.

use std::borrow::Cow;
use std::time::Duration;

use super::super::endpoint::Endpoint;
use super::super::error::ErrorCode;
use super::super::id_token::IdToken;
use super::super::policy::Policy;
use super::super::reply::Reply;
use super::super::request::Request;
use super::super::rules::{Rule, Rules};
use super::super::session::PollKind;

/// One effect. Each acts at a fixed place of the server; what none of them can say becomes a new one, never a branch.
#[derive(Clone, Copy, Debug)]
pub enum Effect {
    /// Several at once.
    All(&'static [Self]),
    /// Every answer of this place is late.
    Delay(Endpoint, Duration),
    /// Edits every answer of this place by what was asked.
    Echo(Endpoint, fn(&Request, &mut Reply)),
    /// Edits every answer of this place.
    Edit(Endpoint, fn(&mut Reply)),
    /// Edits every ID token before it is signed.
    Forge(fn(&mut IdToken)),
    /// The effect, at some requests of a session only. Requests that name no code count by place.
    Nth(Turn, &'static Self),
    /// Takes every request to this place for another one.
    Read(Endpoint, fn(&mut Request)),
    /// Refuses what it should not.
    Refuse(fn(&Request) -> Option<ErrorCode>),
    /// Takes one outcome of a poll for another.
    Replace {
        /// The outcome.
        from: PollKind,
        /// What is answered.
        to: ErrorCode,
    },
    /// Edits the answer to a poll that came to this.
    Respond(PollKind, fn(&mut Reply)),
    /// Leaves a rule out.
    Skip(Rule),
    /// Reads a session, waits, and writes it back whole, whatever happened to it meanwhile.
    Tear(Operation, Duration),
    /// Changes numbers and choices.
    Tune(fn(&mut Policy)),
}

/// At which requests of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// At each one whose number this divides.
    Each(u32),
    /// From this one on; the first is number one.
    From(u32),
    /// Up to this one, and never again.
    Upto(u32),
}

/// What reads and writes a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A decision of a user.
    Decide,
    /// A poll that brings the token.
    Redeem,
    /// A poll that has to go on waiting.
    Wait,
}

impl Turn {
    const fn has(self, number: u32) -> bool {
        match self {
            Self::Each(every) => number.is_multiple_of(every),
            Self::From(first) => number >= first,
            Self::Upto(last) => number <= last,
        }
    }
}

/// The effects that hold for one request, each acting where its name says.
#[derive(Clone, Debug, Default)]
pub struct Effects(Vec<&'static Effect>);

impl Effects {
    /// These, with several at once taken apart.
    pub fn new(effects: impl IntoIterator<Item = &'static Effect>) -> Self {
        let mut flat = Vec::new();
        for effect in effects {
            match effect {
                Effect::All(several) => flat.extend(Self::new(*several).0),
                one => flat.push(one),
            }
        }
        Self(flat)
    }

    /// Whether any of them holds for some requests only.
    #[must_use]
    pub fn count(&self) -> bool {
        self.0.iter().any(|effect| matches!(effect, Effect::Nth(..)))
    }

    /// Those that hold for the request of this number.
    #[must_use]
    pub fn at(&self, number: u32) -> Self {
        Self::new(self.0.iter().filter_map(|&effect| match effect {
            Effect::Nth(turn, inner) => turn.has(number).then_some(*inner),
            other => Some(other),
        }))
    }

    /// The rules that are left in force.
    #[must_use]
    pub fn rules(&self) -> Rules {
        self.0.iter().fold(Rules::all(), |rules, effect| match effect {
            Effect::Skip(rule) => rules.without(*rule),
            _ => rules,
        })
    }

    /// Whether numbers and choices are changed.
    #[must_use]
    pub fn tune_anything(&self) -> bool {
        self.0.iter().any(|effect| matches!(effect, Effect::Tune(_)))
    }

    /// Changes the numbers and choices.
    pub fn tune(&self, policy: &mut Policy) {
        for effect in &self.0 {
            if let Effect::Tune(tune) = effect {
                tune(policy);
            }
        }
    }

    /// How late the answers of a place are.
    #[must_use]
    pub fn delay(&self, endpoint: Endpoint) -> Duration {
        let delays = self.0.iter().map(|effect| match effect {
            Effect::Delay(place, delay) if *place == endpoint => *delay,
            _ => Duration::ZERO,
        });
        delays.sum()
    }

    /// What a request is taken for.
    #[must_use]
    pub fn read<'request>(&self, request: &'request Request) -> Cow<'request, Request> {
        let mut taken = Cow::Borrowed(request);
        for effect in &self.0 {
            if let Effect::Read(place, read) = effect
                && *place == request.endpoint
            {
                read(taken.to_mut());
            }
        }
        taken
    }

    /// Why a request is refused that should not be.
    #[must_use]
    pub fn refusal(&self, request: &Request) -> Option<ErrorCode> {
        self.0.iter().find_map(|effect| match effect {
            Effect::Refuse(why) => why(request),
            _ => None,
        })
    }

    /// What an outcome of a poll is taken for.
    #[must_use]
    pub fn replacement(&self, outcome: PollKind) -> Option<ErrorCode> {
        self.0.iter().find_map(|effect| match effect {
            Effect::Replace { from, to } if *from == outcome => Some(*to),
            _ => None,
        })
    }

    /// Edits the answer to a poll by its outcome.
    pub fn respond(&self, outcome: PollKind, reply: &mut Reply) {
        for effect in &self.0 {
            if let Effect::Respond(kind, edit) = effect
                && *kind == outcome
            {
                edit(reply);
            }
        }
    }

    /// How long a session is held before it is written back.
    #[must_use]
    pub fn tear(&self, operation: Operation) -> Option<Duration> {
        self.0.iter().find_map(|effect| match effect {
            Effect::Tear(torn, wait) if *torn == operation => Some(*wait),
            _ => None,
        })
    }

    /// Edits an ID token before it is signed.
    pub fn forge(&self, token: &mut IdToken) {
        for effect in &self.0 {
            if let Effect::Forge(forge) = effect {
                forge(token);
            }
        }
    }

    /// Edits an answer of a place.
    pub fn edit(&self, request: &Request, reply: &mut Reply) {
        for effect in &self.0 {
            match effect {
                Effect::Edit(place, edit) if *place == request.endpoint => edit(reply),
                Effect::Echo(place, edit) if *place == request.endpoint => edit(request, reply),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_count_from_one() {
        let numbers = |turn: Turn| (1..=6).filter(|&number| turn.has(number)).collect::<Vec<_>>();
        assert_eq!(numbers(Turn::From(1)), [1, 2, 3, 4, 5, 6]);
        assert_eq!(numbers(Turn::From(4)), [4, 5, 6]);
        assert_eq!(numbers(Turn::Each(3)), [3, 6]);
        assert_eq!(numbers(Turn::Upto(2)), [1, 2]);
    }

    #[test]
    fn effects_are_taken_apart_and_hold_in_their_turn() {
        const BOTH: Effect = Effect::All(&[
            Effect::Skip(Rule::SingleUse),
            Effect::Nth(Turn::From(2), &Effect::Skip(Rule::FormBody)),
        ]);
        let effects = Effects::new([&BOTH]);
        assert!(effects.count());
        let (first, second) = (effects.at(1).rules(), effects.at(2).rules());
        assert!(first.waived(Rule::SingleUse) && !first.waived(Rule::FormBody));
        assert!(second.waived(Rule::SingleUse) && second.waived(Rule::FormBody));
        assert_eq!(Effects::default().rules(), Rules::all());
    }
}
