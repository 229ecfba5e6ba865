//! The WebDriver: one that runs already, or a chromedriver of our own that is ended with the last of its windows.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use url::Url;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long an answer may take when there is no runtime any more, and how long it may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// What to do when there is none.
const INSTALL: &str = "install it (on Debian the packages chromium and chromium-driver), or name one that runs: \
                       `approval: { browser: { webdriver: http://127.0.0.1:9515 } }`";

/// A WebDriver on this machine.
pub(super) struct Service {
    /// Where it listens.
    url: Url,
    /// Its process, if we started it.
    child: Option<Child>,
    /// Windows that are being closed.
    closing: Mutex<Vec<JoinHandle<()>>>,
}

impl Service {
    /// One that runs.
    pub(super) fn at(url: &str) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|error| format!("{url} is no address ({error})"))?;
        Ok(Self { url, child: None, closing: Mutex::default() })
    }

    /// Starts one on a free port.
    pub(super) async fn start() -> Result<Self, String> {
        let mut command = Command::new("chromedriver");
        command
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!("there is no chromedriver in PATH; {INSTALL}"),
            _ => format!("chromedriver cannot be started ({error}); {INSTALL}"),
        })?;
        let stdout = child.stdout.take().ok_or("chromedriver has no stdout; is there room for its pipes?")?;
        let mut lines = BufReader::new(stdout).lines();
        let port = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(port) = port_of(&line) {
                    return Some(port);
                }
            }
            None
        };
        let port = timeout(PATIENCE, port).await.ok().flatten();
        let port = port.ok_or_else(|| format!("chromedriver did not say where it listens; {INSTALL}"))?;
        // What it says later is read, or it would wait for somebody to read it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let mut service = Self::at(&format!("http://127.0.0.1:{port}"))?;
        service.child = Some(child);
        Ok(service)
    }

    pub(super) const fn url(&self) -> &Url {
        &self.url
    }

    /// Closes a session, with its browser, without waiting for it.
    pub(super) fn close(&self, session: String) {
        let url = self.url.clone();
        let closing = thread::spawn(move || {
            // One that cannot be closed is closed with the service.
            let _ = say(&url, "DELETE", &format!("session/{session}"));
        });
        let mut all = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|thread| !thread.is_finished());
        all.push(closing);
    }
}

impl Drop for Service {
    /// Ends it, with its browsers: killed alone it would leave them behind.
    fn drop(&mut self) {
        let closing = std::mem::take(&mut *self.closing.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in closing {
            let _ = thread.join();
        }
        let Some(child) = &mut self.child else { return };
        if say(&self.url, "GET", "shutdown").is_err() {
            return;
        }
        let mut waited = Duration::ZERO;
        while matches!(child.try_wait(), Ok(None)) && waited < GRACE {
            thread::sleep(LOOK);
            waited += LOOK;
        }
    }
}

/// A request without a runtime: windows are closed when there is none any more, too.
fn say(url: &Url, method: &str, path: &str) -> io::Result<()> {
    let address = url.socket_addrs(|| None)?;
    let mut stream = TcpStream::connect(address.as_slice())?;
    stream.set_read_timeout(Some(GRACE))?;
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let below = url.path().trim_end_matches('/');
    write!(stream, "{method} {below}/{path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n")?;
    // It is done once it is answered.
    stream.read(&mut [0; 64]).map(drop)
}

/// `ChromeDriver was started successfully on port 40123.`
fn port_of(line: &str) -> Option<u16> {
    let (_, port) = line.split_once("started successfully on port ")?;
    port.trim_end_matches('.').trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_out_of_what_it_says() {
        assert_eq!(port_of("ChromeDriver was started successfully on port 40123."), Some(40123));
        assert_eq!(port_of("Starting ChromeDriver 156.0 on port 0"), None);
    }
}
