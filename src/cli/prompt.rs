//! Asks the person at the terminal, for the `manual` driver.

use std::io::{self, BufRead, IsTerminal};

use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::mpsc;

use super::console::{Console, Notebook};
use crate::approval::{Answer, Errand, Prompt};
use crate::login::{Ink, Qr};
use crate::report::terminal::Colour;

/// Shows questions on stderr and reads answers from stdin.
pub(super) struct StdinPrompt {
    lines: tokio::sync::Mutex<Option<mpsc::Receiver<String>>>,
    notebook: Option<Notebook>,
    /// How wide the terminal is; nothing where a QR code cannot be shown.
    columns: Option<usize>,
    ink: Ink,
}

impl StdinPrompt {
    pub(super) fn new(console: &Console) -> Self {
        let style = console.style();
        Self {
            lines: tokio::sync::Mutex::default(),
            notebook: console.notebook(),
            columns: io::stderr().is_terminal().then_some(style.width),
            ink: if style.colour == Colour::On { Ink::BlackOnWhite } else { Ink::Inverted },
        }
    }

    /// What is to be done, with the address to scan where there is room for it.
    fn shown(&self, errand: Errand<'_>) -> String {
        let fitting = |qr: &Qr| self.columns.is_some_and(|columns| qr.columns() <= columns);
        let qr = Qr::of(errand.address).filter(fitting);
        let drawn = qr.map_or_else(String::new, |qr| format!("\n\n{}", qr.lines(self.ink).join("\n")));
        format!("{}{drawn}\n\n{}", errand.text, errand.answers)
    }
}

/// Lines of stdin, read by a thread of its own: reading cannot be interrupted, waiting for a line can.
fn read_lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

impl Prompt for StdinPrompt {
    fn confirm<'a>(&'a self, errand: Errand<'a>) -> BoxFuture<'a, io::Result<Answer>> {
        async move {
            if !io::stdin().is_terminal() {
                return Err(io::Error::other("stdin is not a terminal"));
            }
            if let Some(notebook) = &self.notebook {
                notebook.note(&self.shown(errand));
            }
            let mut lines = self.lines.lock().await;
            let lines = lines.get_or_insert_with(read_lines);
            match lines.recv().await.as_deref().map(str::trim) {
                Some("d" | "D") => Ok(Answer::CouldNot),
                Some(_) => Ok(Answer::Done),
                None => Err(io::Error::other("stdin was closed")),
            }
        }
        .boxed()
    }
}
