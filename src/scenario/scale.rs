//! The same scenario, larger, faster, longer: what `--devices`, `--rate`, `--duration` and `--seed` do to any of them.

use std::time::Duration;

use super::model::{Arrive, Scenario};
use super::rate::Rate;
use crate::timing::Timing;

/// What is asked to be different; nothing changes where nothing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Scaling {
    /// How many devices all `hold` and `burst` groups have together; each keeps its share, and at least one.
    pub devices: Option<u64>,
    /// What all rates add up to: those at which devices arrive (of a ramp the greater one) and those of strangers; each
    /// keeps its share.
    pub rate: Option<Rate>,
    /// How long is measured.
    pub duration: Option<Duration>,
    /// What everything is drawn from.
    pub seed: Option<u64>,
}

/// Why a scenario cannot be scaled so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScaleError {
    /// No group has a number of devices.
    #[error("no group of {scenario} has a number of devices: its devices arrive at a rate; use --rate")]
    NoDevices {
        /// The scenario.
        scenario: String,
    },
    /// Nothing comes at a rate.
    #[error("nothing of {scenario} comes at a rate: its groups have numbers of devices; use --devices")]
    NoRate {
        /// The scenario.
        scenario: String,
    },
    /// Not one for each group.
    #[error("{devices} devices are too few for the {groups} groups of {scenario}; ask for at least {groups}")]
    TooFew {
        /// The scenario.
        scenario: String,
        /// How many were asked for.
        devices: u64,
        /// How many groups need one.
        groups: u64,
    },
    /// Nothing would be measured.
    #[error("a duration of nothing measures nothing; ask for at least 1 s")]
    NoDuration,
}

impl Scenario {
    /// This scenario with more or fewer devices, other rates, another duration or seed.
    ///
    /// # Errors
    ///
    /// If it has nothing that could be scaled so.
    pub fn scaled(&self, scaling: &Scaling) -> Result<Self, ScaleError> {
        let mut scaled = self.clone();
        if let Some(devices) = scaling.devices {
            scaled.scale_devices(devices)?;
        }
        if let Some(rate) = scaling.rate {
            scaled.scale_rates(rate)?;
        }
        if let Some(duration) = scaling.duration {
            if duration.is_zero() {
                return Err(ScaleError::NoDuration);
            }
            scaled.duration = Timing::fixed(duration);
        }
        scaled.seed = scaling.seed.unwrap_or(scaled.seed);
        Ok(scaled)
    }

    /// How many devices all groups with a number of them have together.
    #[must_use]
    pub fn devices(&self) -> u64 {
        self.groups.iter().filter_map(|group| group.arrive.devices()).sum()
    }

    /// What all rates add up to, as `--rate` counts them.
    #[must_use]
    pub fn rate(&self) -> Rate {
        let strangers = self.strangers.unwrap_or_default();
        let arriving = self.groups.iter().map(|group| match &group.arrive {
            Arrive::Constant(rule) | Arrive::Poisson(rule) => rule.rate.in_a_second(),
            Arrive::Ramp(ramp) => ramp.from.in_a_second().max(ramp.to.in_a_second()),
            Arrive::Hold(_) | Arrive::Burst(_) => 0.0,
        });
        let strange = [strangers.garbage_codes, strangers.wrong_user_codes].into_iter().flatten();
        Rate::sum(arriving.chain(strange.map(Rate::in_a_second)))
    }

    fn scale_devices(&mut self, wanted: u64) -> Result<(), ScaleError> {
        let before: u128 = self.devices().into();
        if before == 0 {
            return Err(ScaleError::NoDevices { scenario: self.scenario.clone() });
        }
        let mut counts: Vec<&mut u64> = self
            .groups
            .iter_mut()
            .filter_map(|group| match &mut group.arrive {
                Arrive::Hold(hold) => Some(&mut hold.devices),
                Arrive::Burst(burst) => Some(&mut burst.devices),
                _ => None,
            })
            .collect();
        let groups = counts.len() as u64;
        if wanted < groups {
            return Err(ScaleError::TooFew { scenario: self.scenario.clone(), devices: wanted, groups });
        }
        // Cut one line of devices at the scaled ends of the groups, so that nothing is lost by rounding.
        let (mut end, mut cut) = (0_u128, 0_u64);
        for count in &mut counts {
            end += u128::from(**count);
            let next = (end * u128::from(wanted) + before / 2) / before;
            let next = u64::try_from(next).unwrap_or(u64::MAX);
            **count = next - cut;
            cut = next;
        }
        while let Some(empty) = counts.iter().position(|count| **count == 0) {
            let Some(largest) = counts.iter_mut().max_by_key(|count| ***count) else { break };
            **largest -= 1;
            *counts[empty] = 1;
        }
        Ok(())
    }

    fn scale_rates(&mut self, wanted: Rate) -> Result<(), ScaleError> {
        let before = self.rate().in_a_second();
        if before <= 0.0 {
            return Err(ScaleError::NoRate { scenario: self.scenario.clone() });
        }
        let factor = wanted.in_a_second() / before;
        for group in &mut self.groups {
            match &mut group.arrive {
                Arrive::Constant(rule) | Arrive::Poisson(rule) => rule.rate = rule.rate.times(factor),
                Arrive::Ramp(ramp) => {
                    ramp.from = ramp.from.times(factor);
                    ramp.to = ramp.to.times(factor);
                }
                Arrive::Hold(_) | Arrive::Burst(_) => {}
            }
        }
        if let Some(strangers) = &mut self.strangers {
            for rate in [&mut strangers.garbage_codes, &mut strangers.wrong_user_codes] {
                *rate = rate.map(|rate| rate.times(factor));
            }
        }
        Ok(())
    }
}
