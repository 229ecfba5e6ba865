//! Which checks are wanted: the flags that `check` and `list` share.

use crate::catalog::Selection;
use crate::verdict::Weight;

/// Which checks are wanted.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Select {
    /// Only these checks: a glob on suite/check, or the id of a suite
    #[arg(long = "check", value_name = "GLOB")]
    checks: Vec<String>,
    /// Not these checks
    #[arg(long, value_name = "GLOB")]
    skip: Vec<String>,
    /// Only these levels or severities: must, should, implied, may, critical, high, medium, low; or card
    #[arg(long, value_name = "LEVEL", value_parser = weight)]
    level: Vec<Weight>,
    /// Only checks that judge these requirements: a glob such as RFC8628-3.5-*
    #[arg(long, value_name = "GLOB")]
    requirement: Vec<String>,
}

impl Select {
    pub(super) fn selection(&self) -> Selection {
        Selection {
            checks: self.checks.clone(),
            skip: self.skip.clone(),
            levels: self.level.clone(),
            requirements: self.requirement.clone(),
        }
    }
}

fn weight(text: &str) -> Result<Weight, String> {
    Weight::from_word(text)
        .ok_or_else(|| "write must, should, implied, may, critical, high, medium, low or card".to_owned())
}
