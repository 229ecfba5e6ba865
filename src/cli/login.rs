//! `devgrant login`: the device's side, for a person.
//!
//! ```text
//! On another device open   http://127.0.0.1:9000/activate
//! and enter                BDFG-HKLM
//! ...
//! waiting, 9 min 48 s left · next poll in 3 s
//! signed in · token good for 1 h · refresh token received
//! GET /userinfo → 200 {"sub":"alice"}
//! ```

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::console::{self, Console};
use super::exit::Exit;
use super::files;
use super::wait::Wait;
use crate::http::{Transport, Trust, Wire};
use crate::protocol::Role;
use crate::report::terminal::Colour;
use crate::runner::{Link, Metadata, locate};
use crate::target::Target;

use crate::login::{self, Ended, Event, Ink, Prompt, Said, Screen, Settings, system_browser};

/// How long a device waits for a whole answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Log in as a device: show the code, poll, use the token.
#[derive(Debug, Clone, clap::Args)]
pub struct Login {
    /// The server and its clients
    #[arg(long, value_name = "FILE")]
    pub target: Option<PathBuf>,
    /// Certificates in PEM of authorities to trust beside those of the platform, in place of the target's
    #[arg(long, value_name = "FILE", requires = "target")]
    pub ca: Option<PathBuf>,
    /// Open the verification page in a browser of this machine too
    #[arg(long)]
    pub open: bool,
    /// Draw no QR code
    #[arg(long)]
    pub no_qr: bool,
    /// Whether a server that is starting is waited for
    #[command(flatten)]
    pub wait: Wait,
}

impl Login {
    /// Plays the device once, against the target or a reference server of its own.
    pub(super) async fn run(self, console: &Console) -> Exit {
        let (target, running) = match self.target.as_deref() {
            Some(path) => match files::target(path) {
                Ok(target) => (target, None),
                Err(diagnostics) => {
                    files::show(console, &diagnostics, 1);
                    return Exit::Usage;
                }
            },
            None => match super::check::embedded(crate::server::Config::reference()).await {
                Ok((target, running)) => (target, Some(running)),
                Err(message) => {
                    console.note(&format!("error: the reference server could not be started: {message}"));
                    return Exit::NotJudged;
                }
            },
        };
        let trust = match files::trust(self.ca.as_deref(), self.target.as_deref(), &target) {
            Ok(trust) => trust,
            Err(diagnostic) => {
                files::show(console, &[diagnostic], 1);
                return Exit::Usage;
            }
        };
        if running.is_some() {
            console.note("no target: a reference server of our own; sign in as alice, password wonderland-1");
        }
        let exit = tokio::select! {
            played = self.play(console, &target, trust) => match played {
                Ok(Ended::Granted) => Exit::Good,
                Ok(Ended::Denied) => Exit::Denied,
                Ok(Ended::Expired) => Exit::Expired,
                Ok(Ended::Protocol(_)) => Exit::Protocol,
                Ok(Ended::Ours(_)) => Exit::NotJudged,
                Err(message) => {
                    console.note(&format!("error: {message}"));
                    Exit::NotJudged
                }
            },
            () = console::interrupted() => Exit::Interrupted,
        };
        if let Some(running) = running {
            running.shutdown().await;
        }
        exit
    }

    async fn play(&self, console: &Console, target: &Target, trust: Trust) -> Result<Ended, String> {
        let wire = Wire::trusting(PATIENCE, trust).map_err(|error| error.to_string())?;
        self.wait.until_ready(console, &wire, target).await.map_err(|trouble| trouble.words())?;
        let settings = self.settings(settings_of(target, Arc::new(wire.clone())).await?);
        let look = Look {
            moving: std::io::stderr().is_terminal(),
            colour: console.style().colour == Colour::On,
            qr: !self.no_qr,
            columns: std::io::stdout().is_terminal().then_some(console.style().width),
        };
        let mut terminal = Terminal::new(std::io::stdout(), std::io::stderr(), look);
        Ok(login::play(&settings, &wire, &mut terminal).await)
    }

    /// `settings` as the flags want them.
    #[must_use]
    pub fn settings(&self, settings: Settings) -> Settings {
        Settings { browser: self.open.then_some(system_browser), ..settings }
    }
}

/// Where to log in, by the target file and the server's metadata.
///
/// # Errors
///
/// A text for people: what is missing, what was looked at, and what to do.
pub async fn settings_of(target: &Target, transport: Arc<dyn Transport>) -> Result<Settings, String> {
    let client = target.clients.get(&Role::Tv).ok_or("the target names no client tv")?.clone();
    let link = Link::unheard(transport, target);
    let endpoints = locate(&link, target, Metadata::OfItsIssuer).await.map_err(|trouble| {
        let detail = trouble.detail.as_ref().map_or_else(String::new, |detail| format!("\n{detail}"));
        format!("{trouble}{detail}\nhelp: {}", trouble.help)
    })?;
    let url = |text: &str| Url::parse(text).map_err(|error| format!("{text} is no URL: {error}"));
    let mut settings = Settings::new(url(&endpoints.device_authorization)?, url(&endpoints.token)?, client);
    settings.params.clone_from(&target.params);
    settings.headers = target.headers.clone();
    settings.api = endpoints.api.as_deref().map(url).transpose()?;
    Ok(settings)
}

/// What the terminal is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Lines may be written over: stderr is a terminal.
    pub moving: bool,
    /// Colours may be used on stdout.
    pub colour: bool,
    /// A QR code is wanted.
    pub qr: bool,
    /// How wide it is; without a terminal there is no telling.
    pub columns: Option<usize>,
}

/// Shows a login: what the person needs on `out`, how it goes on `err`.
#[derive(Debug)]
pub struct Terminal<O, E> {
    out: O,
    err: E,
    look: Look,
    /// A moving line is there, without its end.
    line: bool,
    /// It was said once that we wait.
    waiting: bool,
}

impl<O: Write, E: Write> Terminal<O, E> {
    /// Writes results to `out` and progress to `err`.
    pub fn new(out: O, err: E, look: Look) -> Self {
        Self { out, err, look, line: false, waiting: false }
    }

    /// A result. A terminal that has gone is no reason to stop polling, hence no error.
    fn tell(&mut self, line: &str) {
        self.wipe();
        let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
    }

    /// Progress.
    fn note(&mut self, line: &str) {
        self.wipe();
        let _ = writeln!(self.err, "{line}").and_then(|()| self.err.flush());
    }

    fn wipe(&mut self) {
        if std::mem::take(&mut self.line) {
            let _ = write!(self.err, "\r\x1b[2K").and_then(|()| self.err.flush());
        }
    }

    fn codes(&mut self, prompt: &Prompt) {
        self.tell(&format!("On another device open   {}", prompt.verification_uri));
        self.tell(&format!("and enter                {}", prompt.user_code));
        self.tell("");
        let Some(qr) = prompt.qr.as_ref().filter(|_| self.look.qr) else { return };
        if self.look.columns.is_some_and(|columns| columns < qr.columns()) {
            return self.note(&format!("(no QR code: it needs {} columns)", qr.columns()));
        }
        self.tell("or scan this");
        for line in qr.lines(if self.look.colour { Ink::BlackOnWhite } else { Ink::Inverted }) {
            self.tell(&line);
        }
        self.tell("");
    }

    fn waiting(&mut self, left: Option<Duration>, next_poll: Duration) {
        let left = left.map_or_else(String::new, |left| format!(", {} left", spell(left)));
        let next = if next_poll.is_zero() {
            "polling".to_owned()
        } else {
            format!("next poll in {}", spell(next_poll))
        };
        let line = format!("waiting{left} · {next}");
        if self.look.moving {
            self.line = true;
            let _ = write!(self.err, "\r\x1b[2K{line}").and_then(|()| self.err.flush());
        } else if !std::mem::replace(&mut self.waiting, true) {
            self.note(&line);
        }
    }

    fn ended(&mut self, ended: &Ended, said: Option<&Said>) {
        let words = said.map_or_else(String::new, |said| format!(" ({said})"));
        let (what, help) = match ended {
            Ended::Granted => return self.wipe(),
            Ended::Denied => (
                format!("denied on the other device{words}"),
                "start devgrant login again if that was a mistake",
            ),
            Ended::Expired => (
                format!("the code expired before anybody decided{words}"),
                "start devgrant login again for a new code",
            ),
            Ended::Protocol(what) => {
                (what.clone(), "devgrant check --target FILE judges every step by itself")
            }
            Ended::Ours(what) => return self.note(&format!("error: {what}")),
        };
        self.note(&format!("error: {what}\n  help: {help}"));
    }
}

impl<O: Write, E: Write> Screen for Terminal<O, E> {
    fn show(&mut self, event: Event<'_>) {
        match event {
            Event::Codes(prompt) => self.codes(prompt),
            Event::Browser(Ok(())) => self.note("opened in the browser of this machine"),
            Event::Browser(Err(reason)) => {
                self.note(&format!("cannot open it here: {reason}; open it yourself"))
            }
            Event::Waiting { left, next_poll } => self.waiting(left, next_poll),
            Event::SlowedDown { interval } => {
                self.note(&format!(
                    "the server asks for a slower pace: a poll every {} from now on",
                    spell(interval)
                ));
            }
            Event::NoAnswer { reason, next_poll } => {
                let next = next_poll.map_or_else(
                    || "too late to try again".to_owned(),
                    |wait| format!("next poll in {}", spell(wait)),
                );
                self.note(&format!("the poll failed: {reason}; {next}"));
            }
            Event::Granted { good_for, refresh_token } => {
                let good_for = good_for.map_or_else(
                    || "the server does not say how long the token is good for".to_owned(),
                    |good_for| format!("token good for {}", spell(good_for)),
                );
                let refresh_token = if refresh_token { "refresh token received" } else { "no refresh token" };
                self.tell(&format!("signed in · {good_for} · {refresh_token}"));
            }
            Event::Api { path, answer: Ok((status, body)) } => {
                self.tell(format!("GET {path} → {status} {body}").trim_end());
            }
            Event::Api { path, answer: Err(failure) } => {
                self.note(&format!(
                    "GET {path}: {failure}\n  help: the login itself went well; check endpoints.api"
                ));
            }
            Event::Ended { ended, said } => self.ended(ended, said),
        }
    }
}

/// A length of time for a person, rounded up to whole seconds: `9 min 48 s`, `1 h`.
fn spell(duration: Duration) -> String {
    let seconds = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0));
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let shown: Vec<_> =
        parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).take(2).collect();
    if shown.is_empty() { "0 s".to_owned() } else { shown.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_spelt_for_people() {
        for (ms, text) in [
            (0, "0 s"),
            (1, "1 s"),
            (3000, "3 s"),
            (588_000, "9 min 48 s"),
            (3_600_000, "1 h"),
            (5_430_000, "1 h 30 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(spell(Duration::from_millis(ms)), text);
        }
    }
}
