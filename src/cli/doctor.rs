//! `devgrant doctor`: everything that a run needs, looked at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::check::{driver_of, embedded, ours};
use super::console::{self, Console};
use super::exit::Exit;
use super::files;
use super::wait::Wait;
use crate::catalog::{Catalog, Entry};
use crate::diagnosis::Diagnosis;
use crate::diagnostic::messages;
use crate::http::{Trust, Wire};
use crate::plan::{Destructive, Limits};
use crate::report::terminal::{diagnosis_end, diagnosis_line};
use crate::runner::{Link, Look, Told, doctor};
use crate::server::Config;
use crate::target::Target;
use crate::timing::plain_length;

/// Requests at a time: a look is no load.
const AT_ONCE: usize = 4;

/// Look at everything that a run needs, each thing once: names, TLS, metadata, clients, users.
#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    /// The server under test; the embedded reference server unless given
    #[arg(long, value_name = "FILE")]
    target: Option<PathBuf>,
    /// Certificates in PEM of authorities to trust beside those of the platform, in place of the target's
    #[arg(long, value_name = "FILE", requires = "target")]
    ca: Option<PathBuf>,
    /// How long one answer may take
    #[arg(long, value_name = "TIME", default_value = "10 s", value_parser = plain_length)]
    timeout: Duration,
    /// How it is shown
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    wait: Wait,
}

/// How a diagnosis is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Line by line, for people.
    Text,
    /// At the end, for programs.
    Json,
}

/// A target that is looked at.
pub(super) struct Patient<'a> {
    pub(super) target: &'a Target,
    /// Whom to trust beside the platform's authorities.
    pub(super) trust: Trust,
    /// How long one answer may take.
    pub(super) timeout: Duration,
    /// Whether it is waited for.
    pub(super) wait: &'a Wait,
}

impl Doctor {
    pub(super) async fn run(self, console: &Console) -> Exit {
        let (target, running) = match &self.target {
            Some(path) => match files::target(path) {
                Ok(target) => (target, None),
                Err(diagnostics) => {
                    files::show(console, &diagnostics, 1);
                    return Exit::Usage;
                }
            },
            None => match embedded(Config::embedded()).await {
                Ok((target, running)) => (target, Some(running)),
                Err(message) => return ours(console, &message),
            },
        };
        let exit =
            match patient(&target, self.target.as_deref(), self.ca.as_deref(), self.timeout, &self.wait) {
                Ok(patient) => patient.looked_at(console, self.format).await,
                Err(diagnostic) => {
                    files::show(console, &[*diagnostic], 1);
                    Exit::Usage
                }
            };
        if let Some(running) = running {
            running.shutdown().await;
        }
        exit
    }
}

/// A target with whom it trusts.
fn patient<'a>(
    target: &'a Target,
    file: Option<&Path>,
    ca: Option<&Path>,
    timeout: Duration,
    wait: &'a Wait,
) -> Result<Patient<'a>, Box<crate::diagnostic::Diagnostic>> {
    let trust = files::trust(ca, file, target)?;
    Ok(Patient { target, trust, timeout, wait })
}

impl Patient<'_> {
    /// Looks at it and shows what was seen.
    pub(super) async fn looked_at(&self, console: &Console, format: Format) -> Exit {
        let looking = async {
            let catalog = Catalog::builtin().map_err(|diagnostics| messages(&diagnostics))?;
            let entries: Vec<&Entry> = catalog.entries.iter().collect();
            self.look(console, &entries, format).await
        };
        let looked = tokio::select! {
            looked = looking => looked,
            () = console::interrupted() => return Exit::Interrupted,
        };
        let diagnosis = match looked {
            Ok(Some(diagnosis)) => diagnosis,
            Ok(None) => return Exit::NotJudged,
            Err(message) => return ours(console, &message),
        };
        let exit = if diagnosis.has_failed() { Exit::NotJudged } else { Exit::Good };
        match format {
            Format::Text => console.out(&diagnosis_end(&diagnosis, exit.code())),
            Format::Json => match serde_json::to_string_pretty(&diagnosis) {
                Ok(text) => console.out(&text),
                Err(error) => return ours(console, &error.to_string()),
            },
        }
        exit
    }

    /// What was seen; nothing where the server was not ready in time, which was told.
    async fn look(
        &self,
        console: &Console,
        entries: &[&Entry],
        format: Format,
    ) -> Result<Option<Diagnosis>, String> {
        let Self { target, trust, timeout, wait } = self;
        let wire = Wire::trusting(*timeout, trust.clone()).map_err(|error| error.to_string())?;
        if let Err(trouble) = wait.until_ready(console, &wire, target).await {
            console.note(&trouble.text());
            return Ok(None);
        }
        let jobs = Arc::new(Semaphore::new(AT_ONCE));
        let driver = driver_of(console, target, trust, &jobs, *timeout)?;
        let link = Link::unheard(Arc::new(wire), target);
        let look = Look {
            target,
            driver: driver.as_deref(),
            entries,
            limits: Limits { max_wait: None, destructive: Destructive::LeftOut },
        };
        let mut tell = |told: Told<'_>| match told {
            Told::Line(line) if format == Format::Text => console.out(&diagnosis_line(line, console.style())),
            Told::Line(_) => {}
            Told::Progress(what) => console.note(what),
        };
        Ok(Some(doctor(&link, look, &mut tell).await))
    }
}
