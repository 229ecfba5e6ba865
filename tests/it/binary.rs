//! The real binary, with a state directory of its own, bounded in time.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The longest that any command may take: far more than it does.
const BOUND: Duration = Duration::from_secs(90);

/// The binary and the files it works with; gone with this value.
pub(crate) struct Binary {
    /// Files of the test, and `state` for the binary's own.
    pub(crate) directory: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) took: Duration,
}

impl Ended {
    /// Everything a person saw.
    pub(crate) fn all(&self) -> String {
        format!("{}\n{}", self.out, self.err)
    }
}

impl Binary {
    pub(crate) fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    /// A file for the binary to read.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.name(name)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn name(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// A target with one client, and its approval and users left out.
    pub(crate) fn target(&self, origin: &str) -> String {
        self.file("target.yaml", &format!("target: odd\nendpoints: {{ device_authorization: \"{origin}/code\", token: \"{origin}/token\" }}\nclients: {{ tv: {{ id: tv }} }}\n"))
    }

    /// The records in the state directory, oldest first.
    pub(crate) fn records(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        collect(&self.path("state"), &mut found);
        found.sort();
        found
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_devgrant"));
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .env("XDG_STATE_HOME", self.path("state"))
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Playing::start(self.command(arguments)).end()
    }
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// A command that is running; killed when this is dropped.
pub(crate) struct Playing {
    child: Child,
    out: mpsc::Receiver<String>,
    read: String,
    err: Option<std::thread::JoinHandle<String>>,
    start: Instant,
}

impl Drop for Playing {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Playing {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (sender, out) = mpsc::channel();
        let lines = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut stderr = child.stderr.take().unwrap();
        let err = std::thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        });
        Self { child, out, read: String::new(), err: Some(err), start: now() }
    }

    /// The first line of stdout from here on that contains this.
    pub(crate) fn line_with(&mut self, wanted: &str) -> String {
        loop {
            let line = self.out.recv_timeout(BOUND).unwrap_or_else(|_| panic!("no {wanted}: {}", self.read));
            self.read.push_str(&line);
            self.read.push('\n');
            if line.contains(wanted) {
                return line;
            }
        }
    }

    /// Ctrl-C.
    pub(crate) fn interrupt(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Ended {
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            assert!(self.start.elapsed() < BOUND, "it does not end: {}", self.read);
            std::thread::sleep(Duration::from_millis(10));
        };
        let took = self.start.elapsed();
        while let Ok(line) = self.out.recv_timeout(BOUND) {
            self.read.push_str(&line);
            self.read.push('\n');
        }
        let err = self.err.take().unwrap().join().unwrap();
        Ended { code, out: std::mem::take(&mut self.read), err, took }
    }
}

#[expect(clippy::disallowed_methods, reason = "a process takes real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
