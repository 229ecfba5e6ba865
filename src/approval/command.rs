//! The `command` driver: a program decides. Knows nothing of what it does; no shell is involved.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process;
use tokio::time::{Instant, timeout, timeout_at};

use super::page::without_password;
use super::{ApprovalError, Ask, Driver, Opened, Opening, Submitted};
use crate::target::CommandSettings;

/// How much of what the program says is kept: the end of it, in bytes.
const KEPT: usize = 4096;

/// How long the end of what it said is waited for, when it left its stderr to somebody else.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs the program once for each decision.
pub(super) struct Command {
    settings: CommandSettings,
}

impl Command {
    pub(super) fn new(settings: &CommandSettings) -> Self {
        Self { settings: settings.clone() }
    }

    async fn run(&self, ask: Ask<'_>) -> Result<Submitted, ApprovalError> {
        ask.start_uri().ok_or(ApprovalError::NoCompleteUri)?;
        let program = self.settings.program.display().to_string();
        let decision = ask.decision;
        let failed = |why: String| ApprovalError::Command { program: program.clone(), decision, why };
        let mut command = process::Command::new(&self.settings.program);
        command
            .args(&self.settings.args)
            .env("DEVGRANT_ACTION", decision.word())
            .env("DEVGRANT_USER_CODE", ask.user_code)
            .env("DEVGRANT_VERIFICATION_URI", ask.verification_uri)
            .env("DEVGRANT_LOGIN", &ask.user.login)
            .env("DEVGRANT_PASSWORD", ask.user.password.expose())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        match ask.verification_uri_complete {
            Some(uri) => command.env("DEVGRANT_VERIFICATION_URI_COMPLETE", uri),
            None => command.env_remove("DEVGRANT_VERIFICATION_URI_COMPLETE"),
        };
        let sent = Instant::now();
        let mut child = command.spawn().map_err(|error| {
            failed(format!("it cannot be started ({error}); is `program` right, and may it be executed?"))
        })?;
        let stderr = child.stderr.take();
        let running = async {
            let said = async {
                match stderr {
                    Some(stderr) => end_of(stderr).await,
                    None => String::new(),
                }
            };
            tokio::pin!(said);
            tokio::select! {
                status = child.wait() => {
                    let said = timeout(LAST_WORDS, said).await.unwrap_or_default();
                    (status, said)
                }
                said = &mut said => (child.wait().await, said),
            }
        };
        let Ok((status, said)) = timeout_at(ask.deadline, running).await else {
            // Waits until it is gone; an error says that it is.
            let _ = child.kill().await;
            return Err(failed("it had not ended when the time was over, and was killed".to_owned()));
        };
        let status: ExitStatus = status.map_err(|error| failed(error.to_string()))?;
        if !status.success() {
            let line = said.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
            let said = if line.is_empty() {
                "said nothing on stderr".to_owned()
            } else {
                format!("said {:?}", without_password(line, ask.user))
            };
            return Err(failed(format!(
                "it ended with {status} and {said}; it is to end with 0 once it is done"
            )));
        }
        Ok(Submitted { sent, done: Instant::now(), status: None, page: None })
    }
}

impl Driver for Command {
    fn decide<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Submitted, ApprovalError>> {
        self.run(ask).boxed()
    }

    fn open<'a>(&'a self, _: Opening<'a>) -> BoxFuture<'a, Result<Opened, ApprovalError>> {
        std::future::ready(Err(ApprovalError::NoPages { who: "the `command` driver" })).boxed()
    }
}

/// The end of what is said, once it is over.
async fn end_of(mut said: impl AsyncRead + Unpin) -> String {
    let (mut kept, mut chunk) = (Vec::new(), [0; KEPT]);
    while let Ok(length @ 1..) = said.read(&mut chunk).await {
        kept.extend_from_slice(chunk.get(..length).unwrap_or_default());
        let over = kept.len().saturating_sub(KEPT);
        kept.drain(..over);
    }
    String::from_utf8_lossy(&kept).into_owned()
}
