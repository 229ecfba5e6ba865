//! The embedded server as a child process, so that its CPU and its memory are never mixed with the generator's. Knows
//! its flags and nothing of what it serves.
//!
//! The child writes one line of JSON once it listens, and ends when its standard input closes: also when this process is
//! killed, and on every platform.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::limits;
use super::process::{self, Usage};

/// How much of what the child said is kept for the error message: the end of it, in bytes.
const KEPT: usize = 4096;

/// How long the child may take to end by itself.
const GRACE: Duration = Duration::from_secs(3);

/// How the child is started.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program: this very one, `std::env::current_exe()`.
    pub program: PathBuf,
    /// Its polling interval; its own default where nothing is said.
    pub interval: Option<Duration>,
    /// The lifetime of its codes; its own default where nothing is said.
    pub lifetime: Option<Duration>,
    /// The ids of its faults.
    pub faults: Vec<String>,
    /// The cores that it is kept on; all where there are none.
    pub cores: Vec<usize>,
    /// How long it may take until it listens.
    pub patience: Duration,
}

impl Settings {
    /// The program without any wish, with 10 s to start.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            interval: None,
            lifetime: None,
            faults: Vec::new(),
            cores: Vec::new(),
            patience: Duration::from_secs(10),
        }
    }

    fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> =
            ["serve", "--port", "0", "--ready-file", "-", "--until-stdin-closes"].map(OsString::from).into();
        let length = |length: Duration| format!("{} ms", length.as_millis());
        let mut flag = |name: &str, value: String| arguments.extend([name.into(), value.into()]);
        if let Some(interval) = self.interval {
            flag("--interval", length(interval));
        }
        if let Some(lifetime) = self.lifetime {
            flag("--lifetime", length(lifetime));
        }
        for fault in &self.faults {
            flag("--fault", fault.clone());
        }
        arguments
    }
}

/// A server that is running. Dropping it ends it at once.
#[derive(Debug)]
pub struct Child {
    /// Where it serves, `http://127.0.0.1:40123`.
    pub issuer: String,
    /// Where the hooks are that approve, deny and expire.
    pub admin: String,
    /// Its process.
    pub pid: u32,
    process: tokio::process::Child,
    stdin: ChildStdin,
    // Open, so that what it may still print does not trouble it.
    stdout: BufReader<ChildStdout>,
    said: JoinHandle<String>,
}

/// Why there is no child.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// It ended by itself.
    #[error("run the embedded server: it ended with {status}{}", quoted(said))]
    Ended {
        /// How.
        status: ExitStatus,
        /// What it wrote to its standard error.
        said: String,
    },
    /// It did not listen in time.
    #[error("start the embedded server: it did not listen within {patience:?}{}", quoted(said))]
    Late {
        /// What time it had.
        patience: Duration,
        /// What it wrote to its standard error.
        said: String,
    },
    /// The program could not be started, or not be pinned, or its pipes broke.
    #[error("start the embedded server, {}: {error}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The program speaks another language: another version, or something else altogether.
    #[error("start the embedded server: it says where it listens in words that are not ours: {line}")]
    Unreadable {
        /// What it said.
        line: String,
    },
}

fn quoted(said: &str) -> String {
    let said = said.trim();
    if said.is_empty() { String::new() } else { format!(", and said: {said}") }
}

/// What the child says once it listens: the line of `serve --ready-file -`.
#[derive(Deserialize)]
struct Ready {
    issuer: String,
    admin: String,
    pid: u32,
}

/// Starts the server and waits until it listens.
///
/// # Errors
///
/// If it cannot be started, ends, or does not listen in time. It is gone then.
pub async fn start(settings: &Settings) -> Result<Child, ChildError> {
    let failed = |error| ChildError::Start { program: settings.program.clone(), error };
    let mut process = spawn(settings).map_err(failed)?;
    let no_pipe = || failed(io::Error::other("its pipes are missing"));
    let stdin = process.stdin.take().ok_or_else(no_pipe)?;
    let mut stdout = BufReader::new(process.stdout.take().ok_or_else(no_pipe)?);
    let said = tokio::spawn(end_of(process.stderr.take().ok_or_else(no_pipe)?));
    let mut line = String::new();
    match timeout(settings.patience, stdout.read_line(&mut line)).await {
        Ok(Ok(length)) if length > 0 => {}
        Ok(Ok(_)) => {
            let status = process.wait().await.map_err(failed)?;
            return Err(ChildError::Ended { status, said: last_words(said).await });
        }
        Ok(Err(error)) => return Err(failed(error)),
        Err(_) => {
            process.kill().await.map_err(failed)?;
            return Err(ChildError::Late { patience: settings.patience, said: last_words(said).await });
        }
    }
    let ready: Result<Ready, _> = serde_json::from_str(&line);
    let Ok(Ready { issuer, admin, pid }) = ready else {
        return Err(ChildError::Unreadable { line: line.trim().to_owned() });
    };
    Ok(Child { issuer, admin, pid, process, stdin, stdout, said })
}

impl Child {
    /// What it has taken since it started, with whatever it started itself. Nothing on other systems than Linux, and once
    /// it has ended.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        process::of_tree(self.pid)
    }

    /// Whether it has ended by itself, and what it said.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub async fn check(&mut self) -> Result<(), ChildError> {
        let status = self.process.try_wait();
        let Ok(Some(status)) = status else { return Ok(()) };
        let said = std::mem::replace(&mut self.said, tokio::spawn(std::future::ready(String::new())));
        Err(ChildError::Ended { status, said: last_words(said).await })
    }

    /// Closes its standard input, waits until it has ended, and ends it by force if it takes longer than 3 s.
    pub async fn stop(self) {
        let Self { mut process, stdin, stdout, .. } = self;
        drop(stdin);
        if timeout(GRACE, process.wait()).await.is_err() {
            // An error means that it is gone already.
            let _ = process.kill().await;
        }
        drop(stdout);
    }
}

/// A child inherits the cores of the thread that starts it, all its threads from the first instruction on: so this thread
/// goes there for a moment.
fn spawn(settings: &Settings) -> io::Result<tokio::process::Child> {
    let mut command = Command::new(&settings.program);
    command.args(settings.arguments()).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A ctrl-C in the terminal is for this process, which still has requests in flight and a record to write.
    #[cfg(unix)]
    command.process_group(0);
    if settings.cores.is_empty() {
        return command.spawn();
    }
    let home = limits::cores();
    limits::pin(&settings.cores)?;
    let child = command.spawn();
    if let Some(home) = home {
        limits::pin(&home.allowed)?;
    }
    child
}

/// Reads to the end and keeps the last of it.
async fn end_of(mut stream: impl AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..length]);
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// What the child said until its end, which has come.
async fn last_words(said: JoinHandle<String>) -> String {
    // Whatever it started may hold the pipe for longer than it lived itself.
    timeout(GRACE, said).await.ok().and_then(Result::ok).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_become_flags() {
        let plain = Settings::new("devgrant");
        assert!(!plain.arguments().iter().any(|argument| argument == "--interval"));
        let settings = Settings {
            interval: Some(Duration::from_millis(1500)),
            lifetime: Some(Duration::from_secs(60)),
            faults: vec!["a".to_owned(), "b".to_owned()],
            ..plain
        };
        let end: Vec<OsString> = settings.arguments().into_iter().skip(6).collect();
        assert_eq!(
            end,
            ["--interval", "1500 ms", "--lifetime", "60000 ms", "--fault", "a", "--fault", "b"]
                .map(OsString::from)
        );
    }

    #[tokio::test]
    async fn only_the_end_of_what_was_said_is_kept() {
        let text = format!("{}the end", "x".repeat(3 * KEPT));
        let kept = end_of(text.as_bytes()).await;
        assert_eq!(kept.len(), KEPT);
        assert!(kept.ends_with("xthe end"));
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let error = start(&Settings::new("/nowhere/devgrant")).await.unwrap_err();
        assert!(error.to_string().starts_with("start the embedded server, /nowhere/devgrant: "), "{error}");
    }
}
