//! The only place that prints: results to stdout, progress and remarks to stderr.
//!
//! A thread of its own does the writing, in the order of the calls, so that a slow pipe or a stopped terminal never
//! holds up the runtime and spoils what is being measured.

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::event::Event;
use crate::report::live::{Line, Live};
use crate::report::terminal::{Colour, Kept, Style, Verbosity};

/// The width where there is no terminal to ask.
const DEFAULT_WIDTH: usize = 100;

/// How often the moving line is drawn anew, and how often a line is written where nothing can move.
const MOVING: Duration = Duration::from_millis(200);
const STANDING: Duration = Duration::from_secs(10);

/// The steps of the bar, so that a fraction has a length.
const STEPS: u64 = 1000;

/// Where the program speaks. Dropping it waits until everything is written.
#[derive(Debug)]
pub struct Console {
    style: Style,
    moving: bool,
    closed: Arc<AtomicBool>,
    jobs: Option<Sender<Job>>,
    printer: Option<JoinHandle<()>>,
}

/// What the printing thread does.
enum Job {
    Out(String),
    Note(String),
    Draw(Line),
    Clear,
}

impl Console {
    /// Looks at the terminal and at `NO_COLOR` (<https://no-color.org>).
    #[must_use]
    pub fn new(verbose: Verbosity) -> Self {
        let stdout = std::io::stdout();
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colour = if stdout.is_terminal() && !set("NO_COLOR") && !dumb { Colour::On } else { Colour::Off };
        let width = comfy_table::Table::new().width().map_or(DEFAULT_WIDTH, usize::from);
        let moving = std::io::stderr().is_terminal() && !dumb;
        Self::with(Style { colour, width, verbose, kept: Kept::InAFile }, moving, stdout, std::io::stderr())
    }

    fn with(
        style: Style,
        moving: bool,
        stdout: impl Write + Send + 'static,
        stderr: impl Write + Send + 'static,
    ) -> Self {
        let (jobs, inbox) = channel();
        let closed = Arc::new(AtomicBool::new(false));
        let printer = Printer { stdout, stderr, closed: Arc::clone(&closed), bar: None };
        let printer = std::thread::spawn(move || printer.run(&inbox));
        Self { style, moving, closed, jobs: Some(jobs), printer: Some(printer) }
    }

    /// How text for stdout is to be made.
    #[must_use]
    pub fn style(&self) -> &Style {
        &self.style
    }

    /// Results, to stdout, as they are: with their line ends.
    pub fn out(&self, text: &str) {
        if !text.is_empty() {
            let end = if text.ends_with('\n') { "" } else { "\n" };
            self.send(Job::Out(format!("{text}{end}")));
        }
    }

    /// A remark or an error, to stderr; a line end is added.
    pub fn note(&self, text: &str) {
        self.send(Job::Note(text.to_owned()));
    }

    /// A way to write notes for who must not hold the console itself. The console stays until the last of them is
    /// gone.
    #[must_use]
    pub fn notebook(&self) -> Option<Notebook> {
        self.jobs.clone().map(Notebook)
    }

    /// Does nobody read stdout any more?
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Progress of a run; gone from the screen when dropped.
    #[must_use]
    pub fn progress(&self) -> Progress<'_> {
        Progress { console: self, live: Live::default(), drawn: None }
    }

    /// The line of every second of a load run; gone from the screen when dropped.
    #[must_use]
    pub fn ticker(&self) -> Ticker<'_> {
        Ticker { console: self, shown: 0 }
    }

    fn send(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // The printing thread lives as long as the sender; a word to a dead one is lost, and nobody can be told.
            let _ = jobs.send(job);
        }
    }
}

/// Writes notes from anywhere.
#[derive(Debug, Clone)]
pub struct Notebook(Sender<Job>);

impl Notebook {
    /// A remark, to stderr, above a moving line; a line end is added.
    pub fn note(&self, text: &str) {
        // A word to a console that has gone is lost, and nobody can be told.
        let _ = self.0.send(Job::Note(text.to_owned()));
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(printer) = self.printer.take() {
            // Its panic has already been shown by the panic hook.
            let _ = printer.join();
        }
    }
}

/// The moving lines of a run: a bar and what is being waited for; one line every 10 s where nothing can move.
#[derive(Debug)]
pub struct Progress<'a> {
    console: &'a Console,
    live: Live,
    drawn: Option<Duration>,
}

impl Progress<'_> {
    /// Takes one event in; draws nothing.
    pub fn fold(&mut self, event: &Event) {
        self.live.fold(event);
    }

    /// Draws the state `now` after the run's start, unless it was drawn a moment ago: call it as often as you like.
    pub fn draw(&mut self, now: Duration) {
        let pause = if self.console.moving { MOVING } else { STANDING };
        // Without a moving line the first one comes after a pause: short runs need none.
        let last = self.drawn.or((!self.console.moving).then_some(Duration::ZERO));
        if last.is_some_and(|last| now < last + pause) {
            return;
        }
        self.drawn = Some(now);
        let line = self.live.line(now.as_secs_f64() * 1000.0, self.console.style.width.saturating_sub(2));
        if self.console.moving {
            self.console.send(Job::Draw(line));
        } else {
            let waiting =
                if line.waiting.is_empty() { String::new() } else { format!("   {}", line.waiting) };
            self.console.note(&format!("{}{waiting}", line.counts));
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.console.send(Job::Clear);
    }
}

/// A line that is given anew each second; where nothing can move, every tenth is written.
#[derive(Debug)]
pub struct Ticker<'a> {
    console: &'a Console,
    shown: u64,
}

impl Ticker<'_> {
    /// Shows the line of the next second.
    pub fn show(&mut self, line: Line) {
        self.shown += 1;
        if self.console.moving {
            self.console.send(Job::Draw(line));
        } else if self.shown.is_multiple_of(STANDING.as_secs()) {
            self.console.note(&format!("{}   {}", line.counts, line.waiting));
        }
    }
}

impl Drop for Ticker<'_> {
    fn drop(&mut self) {
        self.console.send(Job::Clear);
    }
}

/// The printing thread.
struct Printer<O, E> {
    stdout: O,
    stderr: E,
    closed: Arc<AtomicBool>,
    bar: Option<ProgressBar>,
}

impl<O: Write, E: Write> Printer<O, E> {
    fn run(mut self, inbox: &Receiver<Job>) {
        for job in inbox {
            match job {
                Job::Out(text) => self.print(|printer| {
                    if printer.closed.load(Ordering::Relaxed) {
                        return;
                    }
                    let written =
                        printer.stdout.write_all(text.as_bytes()).and_then(|()| printer.stdout.flush());
                    match written {
                        Ok(()) => {}
                        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                            printer.closed.store(true, Ordering::Relaxed);
                        }
                        Err(error) => {
                            printer.closed.store(true, Ordering::Relaxed);
                            let _ = writeln!(printer.stderr, "error: cannot write to stdout: {error}");
                        }
                    }
                }),
                // Nobody is left to hear that stderr is gone.
                Job::Note(text) => self.print(|printer| {
                    let _ = writeln!(printer.stderr, "{}", text.trim_end());
                }),
                Job::Draw(line) => draw(self.bar.get_or_insert_with(bar), &line),
                Job::Clear => {
                    if let Some(bar) = self.bar.take() {
                        bar.finish_and_clear();
                    }
                }
            }
        }
    }

    /// Writes above the moving lines.
    fn print(&mut self, write: impl FnOnce(&mut Self)) {
        match self.bar.clone() {
            Some(bar) => bar.suspend(|| write(self)),
            None => write(self),
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr_with_hz(5));
    // The template is a constant, and a wrong one would only lose the bar's looks.
    if let Ok(style) = ProgressStyle::with_template(" {bar:32}  {prefix}\n {wide_msg}") {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar
}

fn draw(bar: &ProgressBar, line: &Line) {
    bar.set_prefix(line.counts.clone());
    bar.set_message(line.waiting.clone());
    // A fraction is from 0 to 1, so the product is from 0 to 1000.
    bar.set_position((line.fraction * STEPS as f64) as u64);
    bar.tick();
}

/// Waits for ctrl-C. Where the signal cannot be listened for, nothing interrupts but the end of the process.
pub(super) async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::Mutex;

    const PLAIN: Style =
        Style { colour: Colour::Off, width: 100, verbose: Verbosity::Normal, kept: Kept::InAFile };

    /// Remembers what is written; refuses everything once it is full.
    #[derive(Clone)]
    struct Pipe {
        text: Arc<Mutex<Vec<u8>>>,
        room: usize,
    }

    impl Pipe {
        fn with_room(room: usize) -> Self {
            Self { text: Arc::default(), room }
        }

        fn text(&self) -> String {
            String::from_utf8(self.text.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut text = self.text.lock().unwrap();
            if text.len() + bytes.len() > self.room {
                return Err(ErrorKind::BrokenPipe.into());
            }
            text.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn everything_is_written_in_order_before_the_console_is_gone() {
        let (out, err) = (Pipe::with_room(usize::MAX), Pipe::with_room(usize::MAX));
        let console = Console::with(PLAIN, false, out.clone(), err.clone());
        (0..100).for_each(|n| console.out(&format!("{n}\n")));
        console.note("done");
        drop(console);
        assert_eq!(out.text(), (0..100).map(|n| format!("{n}\n")).collect::<String>());
        assert_eq!(err.text(), "done\n");
    }

    #[test]
    fn a_reader_who_goes_away_ends_the_output_quietly() {
        let (out, err) = (Pipe::with_room(6), Pipe::with_room(usize::MAX));
        let console = Console::with(PLAIN, false, out.clone(), err.clone());
        ["first\n", "second\n", "x"].iter().for_each(|text| console.out(text));
        let closed = Arc::clone(&console.closed);
        drop(console);
        assert!(closed.load(Ordering::Relaxed));
        assert_eq!((out.text().as_str(), err.text().as_str()), ("first\n", ""));
    }

    #[test]
    fn without_a_terminal_there_is_one_line_every_ten_seconds() {
        let (out, err) = (Pipe::with_room(usize::MAX), Pipe::with_room(usize::MAX));
        let console = Console::with(PLAIN, false, out.clone(), err.clone());
        let mut progress = console.progress();
        (0..250).for_each(|tick| progress.draw(Duration::from_millis(tick * 100)));
        drop(progress);
        drop(console);
        assert_eq!((out.text().as_str(), err.text().as_str()), ("", "0/0   0 failed\n0/0   0 failed\n"));
    }
}
