//! What a scenario is played in: the server's interval, lifetime and tolerances, and the stages of a run by them.

use std::time::Duration;

use super::model::{Arrive, Scenario};
use crate::protocol::words::words;
use crate::timing::{Constant, Constants, Timekeeper};

/// What the server announces, and the tolerances of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The interval of its device authorization responses, 5 s where it names none (RFC 8628 §3.2).
    pub interval: Duration,
    /// The lifetime of its codes.
    pub lifetime: Duration,
    /// The tolerances.
    pub constants: Constants,
}

/// The stages of a run, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeline {
    /// Until the last of the held devices has arrived.
    pub fill: Duration,
    /// Left out of latencies and rates.
    pub warm_up: Duration,
    /// What is measured.
    pub duration: Duration,
    /// Nothing new starts.
    pub drain: Duration,
}

words! {
    /// Where in a run an instant is.
    #[derive(Default)]
    Stage {
        /// Held devices arrive.
        #[default]
        Fill = "fill",
        /// All are there, and nothing is measured yet.
        WarmUp = "warm-up",
        /// What is measured.
        Duration = "measured",
        /// Nothing new starts.
        Drain = "drain",
        /// It has ended.
        Over = "over",
    }
}

impl Setting {
    /// A server with this interval and lifetime, and the default tolerances.
    #[must_use]
    pub const fn new(interval: Duration, lifetime: Duration) -> Self {
        Self { interval, lifetime, constants: Constants::new() }
    }

    /// The setting that the scenario has for our own server, if it has one.
    #[must_use]
    pub fn embedded(scenario: &Scenario) -> Option<Self> {
        scenario.embedded.map(|embedded| Self::new(embedded.interval, embedded.lifetime))
    }

    /// With these tolerances.
    #[must_use]
    pub fn with_constants(self, constants: Constants) -> Self {
        Self { constants, ..self }
    }
}

impl Timekeeper for Setting {
    fn interval(&self) -> Duration {
        self.interval
    }

    fn announced_interval(&self) -> Duration {
        self.interval
    }

    fn lifetime(&self) -> Duration {
        self.lifetime
    }

    fn constant(&self, constant: Constant) -> Duration {
        self.constants.get(&constant).copied().unwrap_or_else(|| constant.default_value())
    }
}

impl Timeline {
    /// The stages of a scenario in a setting.
    #[must_use]
    pub fn new(scenario: &Scenario, setting: &Setting) -> Self {
        let fills = scenario.groups.iter().filter_map(|group| match &group.arrive {
            Arrive::Hold(hold) => Some(hold.fill.length(setting)),
            _ => None,
        });
        Self {
            fill: fills.max().unwrap_or_default(),
            warm_up: scenario.warm_up.length(setting),
            duration: scenario.duration.length(setting),
            drain: scenario.drain.length(setting),
        }
    }

    /// When measuring begins, from the start of the run.
    #[must_use]
    pub const fn measured_from(&self) -> Duration {
        self.fill.saturating_add(self.warm_up)
    }

    /// When measuring ends and nothing new starts, from the start of the run.
    #[must_use]
    pub const fn measured_to(&self) -> Duration {
        self.measured_from().saturating_add(self.duration)
    }

    /// When the run ends, from its start.
    #[must_use]
    pub const fn end(&self) -> Duration {
        self.measured_to().saturating_add(self.drain)
    }

    /// The stage of an instant, from the start of the run.
    #[must_use]
    pub fn stage(&self, at: Duration) -> Stage {
        let ends = [
            (self.fill, Stage::Fill),
            (self.measured_from(), Stage::WarmUp),
            (self.measured_to(), Stage::Duration),
            (self.end(), Stage::Drain),
        ];
        ends.into_iter().find(|(end, _)| at < *end).map_or(Stage::Over, |(_, stage)| stage)
    }
}
