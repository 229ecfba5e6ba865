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
    /// The effect, while a crowd of polls comes.
    Crowded(&'static Self),
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

/// How many polls come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// More than [`super::CROWD`] a second.
    Crowd,
    /// No more than that.
    Usual,
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

impl Effect {
    /// Whether it is of this kind, or what it brings with it is.
    fn is_or_has(&self, kind: fn(&Self) -> bool) -> bool {
        kind(self)
            || match self {
                Self::All(several) => several.iter().any(|effect| effect.is_or_has(kind)),
                Self::Crowded(inner) | Self::Nth(_, inner) => inner.is_or_has(kind),
                _ => false,
            }
    }

    /// Puts what holds for the request of this number, at this load, to the others.
    fn gather(&'static self, number: u32, load: Load, holding: &mut Vec<&'static Self>) {
        match self {
            Self::All(several) => several.iter().for_each(|effect| effect.gather(number, load, holding)),
            Self::Crowded(inner) if load == Load::Crowd => inner.gather(number, load, holding),
            Self::Nth(turn, inner) if turn.has(number) => inner.gather(number, load, holding),
            Self::Crowded(_) | Self::Nth(..) => {}
            other => holding.push(other),
        }
    }
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
        self.0.iter().any(|effect| effect.is_or_has(|effect| matches!(effect, Effect::Nth(..))))
    }

    /// Whether any of them holds in a crowd only.
    #[must_use]
    pub fn heed_load(&self) -> bool {
        self.0.iter().any(|effect| effect.is_or_has(|effect| matches!(effect, Effect::Crowded(_))))
    }

    /// Those that hold for the request of this number, at this load.
    #[must_use]
    pub fn at(&self, number: u32, load: Load) -> Self {
        let mut holding = Vec::new();
        for effect in &self.0 {
            effect.gather(number, load, &mut holding);
        }
        Self(holding)
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

    /// Whether any operation is torn.
    #[must_use]
    pub fn tear_anything(&self) -> bool {
        self.0.iter().any(|effect| matches!(effect, Effect::Tear(..)))
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
        let rules = |number| effects.at(number, Load::Usual).rules();
        let (first, second) = (rules(1), rules(2));
        assert!(first.waived(Rule::SingleUse) && !first.waived(Rule::FormBody));
        assert!(second.waived(Rule::SingleUse) && second.waived(Rule::FormBody));
        assert_eq!(Effects::default().rules(), Rules::all());
    }

    #[test]
    fn what_belongs_to_a_crowd_waits_for_one_and_for_its_turn() {
        const THIRD: Effect = Effect::Crowded(&Effect::Nth(
            Turn::From(3),
            &Effect::All(&[Effect::Skip(Rule::SingleUse), Effect::Skip(Rule::FormBody)]),
        ));
        let effects = Effects::new([&THIRD]);
        assert!(effects.count() && effects.heed_load());
        let waived = |number, load| {
            let rules = effects.at(number, load).rules();
            assert_eq!(rules.waived(Rule::SingleUse), rules.waived(Rule::FormBody));
            rules.waived(Rule::SingleUse)
        };
        assert!(waived(3, Load::Crowd));
        assert!(!waived(3, Load::Usual) && !waived(2, Load::Crowd));
        assert!(!Effects::new([&Effect::Skip(Rule::SingleUse)]).heed_load());
    }
}
