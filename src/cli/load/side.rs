//! The flags that a load run and the search for a capacity share: whom they play against, and on what of this machine.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::faults;
use crate::cli::wait::Wait;
use crate::oracle::Grade;
use crate::server::faults::Fault;
use crate::timing::plain_length;

/// Whom to play against, and how.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Side {
    /// The server under test; a reference server in a process of its own unless given
    #[arg(long, value_name = "FILE")]
    pub(super) target: Option<PathBuf>,
    /// strict: what the oracle warns of is a violation
    #[arg(long, value_name = "MODE", value_enum, default_value_t = Mode::Default)]
    pub(super) mode: Mode,
    /// Play against a reference server with this fault; `devgrant faults` lists them
    #[arg(long, value_name = "ID", conflicts_with = "target", value_parser = faults::parse)]
    pub(super) fault: Vec<&'static Fault>,
    /// A process of the target's server on this machine: its CPU and memory are shown, its children's included
    #[arg(long, value_name = "PID", requires = "target")]
    pub(super) server_pid: Option<u32>,
    /// Threads that play devices; half the cores when the server is on this machine
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(super) shards: Option<u32>,
    /// Cores that the shards are kept on: 0,1
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(super) cores: Vec<usize>,
    /// Cores that the reference server is kept on
    #[arg(long, value_name = "LIST", value_delimiter = ',', conflicts_with = "target")]
    pub(super) server_cores: Vec<usize>,
    /// Keep nobody on cores of their own, as is done beside the reference server
    #[arg(long, conflicts_with_all = ["cores", "server_cores"])]
    pub(super) no_pin: bool,
    /// How long one answer may take
    #[arg(long, value_name = "TIME", default_value = "10 s", value_parser = plain_length)]
    pub(super) timeout: Duration,
    /// You own the target, or its owner lets you load it: needed for anything but this machine
    #[arg(long)]
    pub(super) i_may_load_this_host: bool,
    #[command(flatten)]
    pub(super) wait: Wait,
}

/// From where on an answer is a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Mode {
    Default,
    Strict,
}

impl Mode {
    pub(super) fn is_strict(self) -> bool {
        self == Self::Strict
    }

    /// From this grade on.
    pub(super) const fn violation_from(self) -> Grade {
        match self {
            Self::Default => Grade::Fail,
            Self::Strict => Grade::Warn,
        }
    }
}
