//! What holds for one request. Knows nothing of why.

use std::sync::Arc;

use super::faults::Effects;
use super::policy::Policy;
use super::rules::Rules;

/// The rules in force and the numbers, as they hold for one request.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The rules in force.
    pub rules: Rules,
    /// The numbers and choices.
    pub policy: Arc<Policy>,
    /// What else is done on purpose.
    pub effects: Effects,
}
