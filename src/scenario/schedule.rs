//! Who does what and when. Everything random of a device is drawn from the seed, its group and its number, so that the
//! schedule is the same for any number of shards and can be asked for anywhere, without memory.
//!
//! Devices of a held group have slots: the first `devices` numbers fill them, and who ends in a slot is replaced by the
//! number one generation on. A slot stays on its shard.

use std::time::Duration;

use super::arrivals::{Arrivals, Course, Shard};
use super::draw::{Draw, Purpose, Stream};
use super::leaves::{After, Polls};
use super::model::{DecideRule, Group, Phase, Scenario, UserChoice};
use super::setting::{Setting, Timeline};
use crate::protocol::words::words;
use crate::protocol::{Decision, Role};
use crate::timing::{Constant, Timekeeper as _, Timing};

/// How far the value that one in a hundred exceeds lies above the middle of the normal distribution.
pub(super) const P99_OF_NORMAL: f64 = 2.326_347_874;

/// A scenario with all its times as lengths.
#[derive(Debug, Clone)]
pub struct Schedule {
    timeline: Timeline,
    groups: Vec<GroupPlan>,
    strangers: Vec<(StrangerKind, f64, Stream)>,
    common_period: Duration,
}

/// What all devices of a group have in common.
#[derive(Debug, Clone)]
pub struct GroupPlan {
    /// The group's name.
    pub name: String,
    /// How its devices poll.
    pub pace: Pace,
    /// How their polls stand to each other.
    pub phase: Phase,
    /// How many there are at any time, if whoever ends is replaced.
    pub held: Option<u64>,
    course: Course,
    arrivals: Stream,
    devices: Stream,
    clients: Vec<(u32, Role)>,
    users: Vec<(u32, Option<(Decision, Spread)>)>,
    /// Over how long the polls of a random phase are spread.
    interval: f64,
}

/// How devices poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As RFC 8628 §3.5 says.
    Conforming,
    /// Not at all: they live until their codes end.
    Never,
    /// At this gap, whatever is answered.
    Every(Duration),
    /// Not before the decision came out and an interval is over; then so many at once, then so many one by one with the used
    /// code, each an interval after the last answer.
    Race {
        /// How many go out at the same moment.
        at_once: u32,
        /// How many follow.
        then_replay: u32,
    },
}

/// What one device does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DevicePlan {
    /// The role of its client.
    pub client: Role,
    /// What its user decides, if anything.
    pub decision: Option<PlannedDecision>,
    /// Waited once, beside the interval, before the first poll: spreads the polls of a group that arrives within less than
    /// an interval.
    pub first_wait: Duration,
}

/// What a user decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedDecision {
    /// Yes or no.
    pub decision: Decision,
    /// When.
    pub when: When,
}

/// When a user decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// So long after receipt of the codes.
    AfterCodes(Duration),
    /// So long before the codes end.
    BeforeExpiry(Duration),
    /// So long after the codes end.
    AfterExpiry(Duration),
    /// So long after the start of the run.
    At(Duration),
}

words! {
    /// Who sends codes that were never issued.
    StrangerKind {
        /// Polls with made-up device codes.
        GarbageCode = "garbage_codes",
        /// Types made-up user codes.
        WrongUserCode = "wrong_user_codes",
    }
}

/// When a choice falls due, with all times in seconds.
#[derive(Debug, Clone, Copy)]
enum Spread {
    Fixed(f64),
    Uniform { from: f64, to: f64 },
    LogNormal { median: f64, sigma: f64 },
    Expiry(f64),
    At { at: f64, over: f64 },
}

impl Schedule {
    /// The schedule of a scenario on a server that announces this.
    #[must_use]
    pub fn new(scenario: &Scenario, setting: &Setting) -> Self {
        let strangers = scenario.strangers.unwrap_or_default();
        let rates = [
            (StrangerKind::GarbageCode, strangers.garbage_codes),
            (StrangerKind::WrongUserCode, strangers.wrong_user_codes),
        ];
        let strangers = rates.into_iter().filter_map(|(kind, rate)| {
            let stream = Stream::new(scenario.seed, kind.word(), Purpose::Stranger);
            Some((kind, rate?.in_a_second(), stream))
        });
        Self {
            timeline: Timeline::new(scenario, setting),
            groups: scenario
                .groups
                .iter()
                .map(|group| GroupPlan::new(group, scenario.seed, setting))
                .collect(),
            strangers: strangers.collect(),
            common_period: setting.interval.saturating_add(setting.constant(Constant::GRound)),
        }
    }

    /// The stages of the run.
    #[must_use]
    pub const fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The groups, in the order of the file; others name them by their index.
    #[must_use]
    pub fn groups(&self) -> &[GroupPlan] {
        &self.groups
    }

    /// The devices of a group that start by themselves in this shard, in order of time; nothing of a group that there is
    /// not.
    #[must_use]
    pub fn arrivals(&self, group: usize, shard: Shard) -> Option<Arrivals> {
        let group = self.groups.get(group)?;
        Some(Arrivals::new(group.course, group.arrivals, shard, self.timeline.measured_to()))
    }

    /// What a device does; nothing of a group that there is not, or that has no clients.
    #[must_use]
    pub fn device(&self, group: usize, number: u64) -> Option<DevicePlan> {
        self.groups.get(group)?.device(number)
    }

    /// The device that takes the slot of one that has ended, if the group is held. Nothing new starts after
    /// [`Timeline::measured_to`].
    #[must_use]
    pub fn replacement(&self, group: usize, number: u64) -> Option<u64> {
        number.checked_add(self.groups.get(group)?.held?)
    }

    /// The index of the shard that a device belongs to, of so many.
    #[must_use]
    pub fn owner(&self, group: usize, number: u64, of: u32) -> u32 {
        let held = self.groups.get(group).and_then(|group| group.held);
        let slot = held.filter(|held| *held > 0).map_or(number, |held| number % held);
        // Less than `of`, so it fits.
        (slot % u64::from(of.max(1))) as u32
    }

    /// For `phase: together`: the first common instant that is not before this one. They stand one interval and `g_round`
    /// apart from the start of the run on, so that an answer that took less than `g_round` is in time for the next.
    #[must_use]
    pub fn next_common(&self, at: Duration) -> Duration {
        let period = self.common_period.as_nanos().max(1);
        let next = at.as_nanos().div_ceil(period).saturating_mul(period);
        u64::try_from(next).map_or(Duration::MAX, Duration::from_nanos)
    }

    /// How far apart common instants stand.
    #[must_use]
    pub const fn common_period(&self) -> Duration {
        self.common_period
    }

    /// The requests of strangers that belong to this shard, evenly from the start of the run to where nothing new starts;
    /// nothing where there are none of the kind.
    #[must_use]
    pub fn strangers(&self, kind: StrangerKind, shard: Shard) -> Option<Arrivals> {
        let (_, rate, stream) = self.strangers.iter().find(|(of, ..)| *of == kind)?;
        Some(Arrivals::new(Course::constant(*rate), *stream, shard, self.timeline.measured_to()))
    }

    /// What a stranger makes his code up from.
    #[must_use]
    pub fn stranger(&self, kind: StrangerKind, number: u64) -> Option<Draw> {
        let (.., stream) = self.strangers.iter().find(|(of, ..)| *of == kind)?;
        Some(stream.draw(number))
    }
}

impl GroupPlan {
    fn new(group: &Group, seed: u64, setting: &Setting) -> Self {
        let course = Course::new(&group.arrive, setting);
        let users = group.user.iter().map(|choice| {
            let decision = match choice {
                UserChoice::Approve(_) => Some(Decision::Approve),
                UserChoice::Deny(_) => Some(Decision::Deny),
                UserChoice::Nothing(_) => None,
            };
            let spread = choice.rule().and_then(|rule| Spread::new(rule, setting));
            (choice.weight(), decision.zip(spread))
        });
        Self {
            name: group.name.clone(),
            pace: match &group.polls {
                Polls::Conforming => Pace::Conforming,
                Polls::Never => Pace::Never,
                Polls::Every(gap) => Pace::Every(gap.length(setting)),
                Polls::Race { at_once, then_replay } => {
                    Pace::Race { at_once: *at_once, then_replay: *then_replay }
                }
            },
            phase: group.phase,
            held: match course {
                Course::Hold { devices, .. } => Some(devices),
                _ => None,
            },
            course,
            arrivals: Stream::new(seed, &group.name, Purpose::Arrival),
            devices: Stream::new(seed, &group.name, Purpose::Device),
            clients: group.clients.iter().map(|(role, weight)| (*weight, *role)).collect(),
            users: users.collect(),
            interval: setting.interval.as_secs_f64(),
        }
    }

    fn device(&self, number: u64) -> Option<DevicePlan> {
        let mut draw = self.devices.draw(number);
        let client = *draw.pick(&self.clients)?;
        let user = draw.pick(&self.users).copied().flatten();
        let decision =
            user.map(|(decision, spread)| PlannedDecision { decision, when: spread.when(&mut draw) });
        Some(DevicePlan { client, decision, first_wait: self.first_wait(number) })
    }

    /// Who came in the first tenth of a short fill polls in the first tenth of the interval.
    fn first_wait(&self, number: u64) -> Duration {
        let missing = match (self.phase, self.course.place(number, self.arrivals)) {
            (Phase::Random, Some((place, over))) => place * (self.interval - over),
            _ => 0.0,
        };
        seconds(missing)
    }
}

impl Spread {
    fn new(rule: &DecideRule, setting: &Setting) -> Option<Self> {
        let length = |timing: &Timing| timing.length(setting).as_secs_f64();
        if let Some(at) = &rule.at {
            return Some(Self::At { at: length(at), over: rule.over.as_ref().map_or(0.0, length) });
        }
        Some(match rule.after.as_ref()? {
            After::Fixed(timing) => Self::Fixed(length(timing)),
            After::Expiry(timing) => Self::Expiry(timing.seconds(setting)),
            After::LogNormal { median, p99 } => {
                let (median, p99) = (length(median), length(p99));
                Self::LogNormal { median, sigma: (p99 / median).ln() / P99_OF_NORMAL }
            }
            After::Uniform { from, to } => Self::Uniform { from: length(from), to: length(to) },
        })
    }

    fn when(self, draw: &mut Draw) -> When {
        match self {
            Self::Fixed(after) => When::AfterCodes(seconds(after)),
            Self::Uniform { from, to } => When::AfterCodes(seconds((to - from).mul_add(draw.unit(), from))),
            Self::LogNormal { median, sigma } => {
                When::AfterCodes(seconds(median * (sigma * draw.normal()).exp()))
            }
            Self::Expiry(offset) if offset < 0.0 => When::BeforeExpiry(seconds(-offset)),
            Self::Expiry(offset) => When::AfterExpiry(seconds(offset)),
            Self::At { at, over } => When::At(seconds(over.mul_add(draw.unit(), at))),
        }
    }
}

impl When {
    /// The instant of the decision for codes that were received at `received` and live so long. Nothing if that is over:
    /// an instant of the run that lies before the codes.
    #[must_use]
    pub fn instant(self, received: Duration, lifetime: Duration) -> Option<Duration> {
        let expiry = received.saturating_add(lifetime);
        match self {
            Self::AfterCodes(after) => Some(received.saturating_add(after)),
            Self::BeforeExpiry(before) => Some(expiry.saturating_sub(before).max(received)),
            Self::AfterExpiry(after) => Some(expiry.saturating_add(after)),
            Self::At(at) => (at >= received).then_some(at),
        }
    }
}

/// A length in whole microseconds, so that the last bit of a logarithm does not matter; nothing where it would be negative.
fn seconds(seconds: f64) -> Duration {
    Duration::from_micros((seconds * 1e6).round() as u64)
}
