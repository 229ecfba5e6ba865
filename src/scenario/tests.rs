//! Scenarios as a whole: the shipped ones, their schedules, what scaling does, and what thresholds say.
mod language;
mod scheduled;
mod thresholds;
