//! Which checks are wanted: the flags that `check`, `list` and `load --with-check` share.

use crate::catalog::Selection;
use crate::verdict::Weight;

/// Which checks are wanted.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Select {
    /// Only these checks: a glob on suite/check, or the id of a suite
    #[arg(long = "check", value_name = "GLOB")]
    checks: Vec<String>,
    #[command(flatten)]
    narrow: Narrow,
}

/// Which of them are not.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Narrow {
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
        self.narrow.selection(&self.checks)
    }
}

impl Narrow {
    /// Of the checks that match one of these, or of all where there are none.
    pub(super) fn selection(&self, checks: &[String]) -> Selection {
        Selection {
            checks: checks.to_vec(),
            skip: self.skip.clone(),
            levels: self.level.clone(),
            requirements: self.requirement.clone(),
        }
    }

    /// Is nothing left out?
    pub(super) fn is_empty(&self) -> bool {
        self.skip.is_empty() && self.level.is_empty() && self.requirement.is_empty()
    }
}

fn weight(text: &str) -> Result<Weight, String> {
    Weight::from_word(text)
        .ok_or_else(|| "write must, should, implied, may, critical, high, medium, low or card".to_owned())
}
