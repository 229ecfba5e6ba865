//! Every console block of `README.md` is run, and what it shows must be what comes.
//!
//! - `$ devgrant ...` is run with the built binary (`$ cargo run --release -- ...` too), in a directory of its own with
//!   the targets of `fixtures/` and the YAML blocks that begin with `# NAME.yaml`, one after the other.
//! - The exit code must be 0, or N where the command ends with `# exit N`.
//! - The lines below a command are its output, stdout and stderr as a terminal shows them: all lines, in order.
//!   A line `...` stands for any lines, `[..]` for any part of a line, a number for any number (counts, times, ports
//!   and dates change), and any width of a gap for any other.
//! - A command that ends with ` &` runs on beside those that follow. Where a `login` waits for the user, the test plays
//!   the user by the hook of that server.
//! - A block `console slow` takes longer than a test may; `.ci/run` runs those with `-- --ignored`, and with the optimised
//!   binary, whose path is in `DEVGRANT`: a whole run is timed, and wants to be quick.

use std::fs;
use std::io::{PipeReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::repository;

/// The port that the README speaks of, in an address; a free one takes its place.
const PORT: &str = ":8628";

/// How long one command may take, in steps of [`STEP`].
const MOST_STEPS: u32 = 3000;
const STEP: Duration = Duration::from_millis(20);

#[test]
fn every_console_block_shows_what_comes() {
    run_blocks(Speed::Quick);
}

#[test]
#[ignore = "whole runs take half a minute, and want the machine to themselves: .ci/run does it"]
fn every_slow_console_block_shows_what_comes() {
    run_blocks(Speed::Slow);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Speed {
    Quick,
    Slow,
}

/// A fenced block.
struct Block {
    /// What stands behind the fence: `console slow`.
    info: String,
    /// The line of its fence.
    line: usize,
    lines: Vec<String>,
}

/// One command of a console block.
struct Step {
    line: usize,
    words: Vec<String>,
    is_background: bool,
    exit: i32,
    shown: Vec<String>,
}

fn run_blocks(speed: Speed) {
    let blocks = blocks(&repository::text("README.md"));
    let place = Place::new(&blocks);
    let mut servers = Vec::new();
    let mut commands = 0;
    for block in &blocks {
        let Some(tag) = block.info.strip_prefix("console") else { continue };
        if (tag.trim() == "slow") != (speed == Speed::Slow) {
            continue;
        }
        for step in steps(block) {
            commands += 1;
            place.run(&step, &mut servers);
        }
    }
    assert!(commands > 0, "no command of README.md was run");
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_inside = false;
    for (index, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), is_inside) {
            (Some(info), false) => {
                blocks.push(Block { info: info.trim().to_owned(), line: index + 1, lines: Vec::new() });
                is_inside = true;
            }
            (Some(_), true) => is_inside = false,
            (None, true) => blocks.last_mut().unwrap().lines.push(line.to_owned()),
            (None, false) => {}
        }
    }
    blocks
}

fn steps(block: &Block) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (index, line) in block.lines.iter().enumerate() {
        let line_number = block.line + index + 1;
        let Some(command) = line.strip_prefix("$ ") else {
            let step =
                steps.last_mut().unwrap_or_else(|| panic!("README.md:{line_number}: output of no command"));
            step.shown.push(line.clone());
            continue;
        };
        let (command, exit) = match command.rsplit_once("# exit ") {
            Some((command, exit)) => (command, exit.trim().parse().expect("a number after # exit")),
            None => (command, 0),
        };
        let command = command.trim();
        let is_background = command.ends_with(" &");
        let command = command.trim_end_matches(" &");
        let rest =
            command.strip_prefix("devgrant ").or_else(|| command.strip_prefix("cargo run --release -- "));
        let rest =
            rest.unwrap_or_else(|| panic!("README.md:{line_number}: only devgrant can be tested: {command}"));
        steps.push(Step { line: line_number, words: words(rest), is_background, exit, shown: Vec::new() });
    }
    steps
}

/// Words as a shell takes them: at blanks, outside quotes.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in command.chars() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (' ', None) => words.push(String::new()),
            (c, _) => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Where the commands run.
struct Place {
    directory: tempfile::TempDir,
    /// As [`PORT`] is written: `:40123`.
    port: String,
}

impl Place {
    fn new(blocks: &[Block]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let port = format!(":{free}");
        let targets = directory.path().join("fixtures/targets");
        fs::create_dir_all(&targets).unwrap();
        for name in repository::names("fixtures/targets") {
            let text = repository::text(&format!("fixtures/targets/{name}"));
            fs::write(targets.join(&name), text.replace(PORT, &port)).unwrap();
        }
        for block in blocks.iter().filter(|block| block.info == "yaml") {
            let name = block.lines.first().and_then(|line| line.strip_prefix("# ")).unwrap_or_default();
            if name.ends_with(".yaml") && !name.contains(' ') {
                let text = block.lines.join("\n") + "\n";
                fs::write(directory.path().join(name), text.replace(PORT, &port)).unwrap();
            }
        }
        Self { directory, port }
    }

    fn run(&self, step: &Step, servers: &mut Vec<Running>) {
        let mut running = Running::start(step, self.directory.path(), &self.port);
        let is_login = step.words.first().is_some_and(|word| word == "login");
        let mut is_decided = false;
        for _ in 0..MOST_STEPS {
            let output = running.output().replace(&self.port, PORT);
            if step.is_background && explain(&step.shown, &output).is_none() {
                servers.push(running);
                return;
            }
            if is_login && !is_decided && output.contains("waiting, ") {
                approve(&output, servers);
                is_decided = true;
            }
            if let Some(status) = running.ended() {
                let output = running.output().replace(&self.port, PORT);
                let code = status.code();
                assert!(
                    code == Some(step.exit),
                    "README.md:{}: exit {code:?}, not {}; it said:\n{output}",
                    step.line,
                    step.exit
                );
                if let Some(difference) = explain(&step.shown, &output) {
                    panic!("README.md:{}: {difference}; it said:\n{output}", step.line);
                }
                return;
            }
            std::thread::sleep(STEP);
        }
        panic!("README.md:{}: no end in sight; it said:\n{}", step.line, running.output());
    }
}

/// Says yes for the user of a login, by the hook of the server that was started last.
fn approve(output: &str, servers: &[Running]) {
    let after = |text: &str, label: &str| {
        let line = text.lines().find_map(|line| line.trim_start().strip_prefix(label)).map(str::trim);
        line.unwrap_or_else(|| panic!("no line \"{label}\" in:\n{text}")).to_owned()
    };
    let user_code = after(output, "and enter");
    let hooks = after(&servers.last().expect("a server runs beside the login").output(), "admin hooks");
    let address = hooks.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    let body = format!("{{\"user_code\": \"{user_code}\"}}");
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(
        stream,
        "POST /approve HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("approved"), "the hook answered {answer}");
}

/// A command that runs; ended when dropped.
struct Running {
    child: Child,
    output: Arc<Mutex<Vec<u8>>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    fn start(step: &Step, directory: &Path, port: &str) -> Self {
        let (reader, writer) = std::io::pipe().unwrap();
        let binary = std::env::var_os("DEVGRANT").unwrap_or_else(|| env!("CARGO_BIN_EXE_devgrant").into());
        let mut command = Command::new(binary);
        command.args(step.words.iter().map(|word| word.replace(PORT, port)));
        if step.words.first().is_some_and(|word| word == "serve") {
            command.args(["--port", port.trim_start_matches(':')]);
        }
        command
            .current_dir(directory)
            .env("XDG_STATE_HOME", directory.join("state"))
            .env("HOME", directory)
            .env_remove("NO_COLOR")
            .stdin(Stdio::null())
            .stdout(writer.try_clone().unwrap())
            .stderr(writer);
        let child = command.spawn().unwrap();
        // The command holds the writing ends of the pipe; ours go with it, so that its end is the end of the pipe.
        drop(command);
        let output = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&output);
        let reader = std::thread::spawn(move || follow(reader, &into));
        Self { child, output, reader: Some(reader) }
    }

    fn output(&self) -> String {
        String::from_utf8_lossy(&self.output.lock().unwrap()).into_owned()
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().unwrap()?;
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        Some(status)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already needs no ending.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn follow(mut pipe: PipeReader, into: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = pipe.read(&mut buffer) {
        into.lock().unwrap().extend_from_slice(&buffer[..length]);
    }
}

/// What does not fit, if anything; a command of which nothing is shown may say what it likes.
fn explain(shown: &[String], output: &str) -> Option<String> {
    let shown: Vec<&str> = trimmed(shown.iter().map(String::as_str));
    let came: Vec<&str> = trimmed(output.lines());
    if shown.is_empty() {
        return None;
    }
    let mut furthest = 0;
    if fits(&shown, &came, &mut furthest, 0) {
        return None;
    }
    Some(match shown.get(furthest) {
        Some(line) => format!("this line does not come where it is shown:\n    {line}\n"),
        None => "more lines come than are shown".to_owned(),
    })
}

/// Without the blank lines at both ends: they set a block apart.
fn trimmed<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut lines: Vec<&str> = lines.skip_while(|line| line.trim().is_empty()).collect();
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    lines
}

fn fits(shown: &[&str], came: &[&str], furthest: &mut usize, at: usize) -> bool {
    *furthest = (*furthest).max(at);
    match shown.split_first() {
        None => came.is_empty(),
        Some((&"...", rest)) => (0..=came.len()).any(|skip| fits(rest, &came[skip..], furthest, at + 1)),
        Some((line, rest)) => came.split_first().is_some_and(|(first, others)| {
            line_fits(&parts(line), &parts(first)) && fits(rest, others, furthest, at + 1)
        }),
    }
}

/// A line in parts that are compared one by one: gaps and numbers are alike, everything else is letter by letter.
fn parts(line: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = line.trim();
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("[..]") {
            parts.push("[..]".to_owned());
            rest = after;
            continue;
        }
        let kind = |c: char| match c {
            '0'..='9' => '0',
            c if c.is_whitespace() => ' ',
            c => c,
        };
        let is_run = matches!(kind(first), '0' | ' ');
        parts.push(kind(first).to_string());
        rest = match is_run {
            true => rest.trim_start_matches(|c| kind(c) == kind(first)),
            false => &rest[first.len_utf8()..],
        };
    }
    // `1.5 ms` and `12 ms` are numbers both.
    let mut whole: Vec<String> = Vec::new();
    for part in parts {
        match &whole[..] {
            [.., number, dot] if number == "0" && dot == "." && part == "0" => {
                whole.truncate(whole.len() - 1)
            }
            _ => whole.push(part),
        }
    }
    whole
}

fn line_fits(shown: &[String], came: &[String]) -> bool {
    match shown.split_first() {
        None => came.is_empty(),
        Some((first, rest)) if first == "[..]" => (0..=came.len()).any(|skip| line_fits(rest, &came[skip..])),
        Some((first, rest)) => came.first() == Some(first) && line_fits(rest, &came[1..]),
    }
}

#[test]
fn shown_lines_fit_as_the_convention_says() {
    let fits = |shown: &str, output: &str| {
        let shown: Vec<String> = shown.lines().map(str::to_owned).collect();
        explain(&shown, output).is_none()
    };
    assert!(fits("a\n...\nd", "a\nb\nc\nd\n"));
    assert!(fits("a\n...\nd", "a\nd\n"));
    assert!(!fits("a\nd", "a\nb\nd\n"));
    assert!(!fits("a", "a\nb\n"));
    assert!(!fits("...\nb\n...\na", "a\nb\n"));
    assert!(fits("code [..] at 1.5 ms", "code QXRT-PLMN at 12 ms"));
    assert!(fits(" total  239  –", " total    7  –"));
    assert!(!fits(" total  239  –", " total    7  1"));
    assert!(!fits("1 failed", "1 passed"));
    assert!(fits("", "whatever"));
    assert_eq!(words("check --check 'a b' \"c\""), ["check", "--check", "a b", "c"]);
}
