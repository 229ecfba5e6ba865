//! Which engine plays, and what is wanted of Goose itself.

use std::path::PathBuf;

use crate::load::{Outcomes, Shared, Watching};
use crate::scenario::{Connections, Schedule};
use crate::tally::{Second, Slice};

/// The flags of the engine; the native one, with no wish of Goose's, unless given.
#[derive(Debug, Default, clap::Args)]
pub(in crate::cli) struct EngineFlags {
    /// native: millions of devices; goose: each of at most 2,000 is a GooseUser with its own client
    #[arg(long, value_name = "ENGINE", value_enum, default_value_t = Engine::Native)]
    engine: Engine,
    /// A report that Goose writes, its kind by its end: .html, .md or .json
    #[arg(long, value_name = "FILE")]
    goose_report: Vec<PathBuf>,
    /// An earlier report of Goose's, as JSON, that its reports compare with
    #[arg(long, value_name = "FILE")]
    goose_baseline: Option<PathBuf>,
    /// A threshold that Goose judges: 'p95<500ms for token:pending'; a failing one ends the run
    #[arg(long, value_name = "RULE")]
    goose_threshold: Vec<String>,
    /// Goose's dashboard, on 127.0.0.1 port 5118 while the run goes on
    #[arg(long)]
    goose_dashboard: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    #[default]
    Native,
    Goose,
}

impl EngineFlags {
    pub(super) fn is_goose(&self) -> bool {
        self.engine == Engine::Goose
    }

    /// As the record names it.
    pub(super) const fn name(&self) -> &'static str {
        match self.engine {
            Engine::Native => "native",
            Engine::Goose => "goose",
        }
    }

    /// Can the engine play this? In words, when it cannot.
    pub(super) fn can_play(&self, schedule: &Schedule, connections: &Connections) -> Result<(), String> {
        let is_for_goose = !self.goose_report.is_empty()
            || self.goose_baseline.is_some()
            || !self.goose_threshold.is_empty()
            || self.goose_dashboard;
        match self.engine {
            Engine::Native if is_for_goose => {
                Err("the flags that begin with --goose are for the other engine\nhelp: add --engine goose"
                    .to_owned())
            }
            Engine::Native => Ok(()),
            Engine::Goose => second::can_play(schedule, connections),
        }
    }

    /// Plays the scenario.
    pub(super) async fn run(
        &self,
        setup: Shared,
        watching: Watching,
        tell: impl FnMut(Second, &Slice),
        interrupt: impl Future<Output = ()>,
    ) -> Result<Outcomes, String> {
        match self.engine {
            Engine::Native => crate::load::run(setup, watching, tell, interrupt).await,
            Engine::Goose => second::run(self, setup, watching, tell, interrupt).await,
        }
    }
}

#[cfg(feature = "goose")]
mod second {
    use super::{EngineFlags, Outcomes, Second, Shared, Slice, Watching};
    use crate::load::goose::Wishes;
    pub(super) use crate::load::goose::can_play;

    pub(super) async fn run(
        flags: &EngineFlags,
        setup: Shared,
        watching: Watching,
        tell: impl FnMut(Second, &Slice),
        interrupt: impl Future<Output = ()>,
    ) -> Result<Outcomes, String> {
        let wishes = Wishes {
            reports: flags.goose_report.iter().map(|path| path.display().to_string()).collect(),
            baseline: flags.goose_baseline.as_ref().map(|path| path.display().to_string()),
            thresholds: flags.goose_threshold.clone(),
            dashboard: flags.goose_dashboard,
        };
        crate::load::goose::run(setup, watching, wishes, tell, interrupt).await
    }
}

#[cfg(not(feature = "goose"))]
mod second {
    use super::{Connections, EngineFlags, Outcomes, Schedule, Second, Shared, Slice, Watching};

    const MISSING: &str = "this devgrant was built without Goose\nhelp: build it with the feature goose, which is on by default";

    pub(super) fn can_play(_: &Schedule, _: &Connections) -> Result<(), String> {
        Err(MISSING.to_owned())
    }

    pub(super) async fn run(
        _: &EngineFlags,
        _: Shared,
        _: Watching,
        _: impl FnMut(Second, &Slice),
        _: impl Future<Output = ()>,
    ) -> Result<Outcomes, String> {
        Err(MISSING.to_owned())
    }
}
