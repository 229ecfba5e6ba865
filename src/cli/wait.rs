//! `--wait-ready`: the server may still be starting.

use std::time::Duration;

use super::console::Console;
use crate::http::Exchanger;
use crate::runner::{Trouble, wait_until_ready};
use crate::target::Target;
use crate::timing::{plain_length, show};

/// Whether a server that is starting is waited for.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Wait {
    /// Wait so long for a server that is starting: until it answers HTTP, and not by 503
    #[arg(long, value_name = "TIME", requires = "target", value_parser = plain_length)]
    wait_ready: Option<Duration>,
}

impl Wait {
    /// Waits, if that is wanted, and says so.
    pub(super) async fn until_ready(
        &self,
        console: &Console,
        exchanger: &dyn Exchanger,
        target: &Target,
    ) -> Result<(), Trouble> {
        let Some(limit) = self.wait_ready else { return Ok(()) };
        console.note(&format!("waiting up to {} for the server", show(limit)));
        wait_until_ready(exchanger, target, limit).await
    }
}
