//! The table of subcommands.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::console::Console;
use super::exit::Exit;
use super::{
    capacity, check, compare, coverage, doctor, faults, init, load, login, records, selftest, serve, suites,
};
use crate::report::terminal::Verbosity;

/// Judges OAuth 2.0 device authorization (RFC 8628) servers.
#[derive(Parser)]
#[command(name = "devgrant", version, propagate_version = true, max_term_width = 100)]
struct Devgrant {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Judge a server with the conformance suites; without a target, the embedded reference server
    Check(Box<check::Check>),
    /// Look at everything that a run needs, each thing once, and say what to do about it
    Doctor(doctor::Doctor),
    /// Write a target file for a server, from its metadata and what you know of it
    Init(Box<init::Init>),
    /// Play a load scenario: many devices at once, every answer judged
    Load(Box<load::Load>),
    /// Find the largest number of waiting devices that a server bears
    Capacity(Box<capacity::Capacity>),
    /// Run the reference server, for testing only
    Serve(serve::Serve),
    /// List what the reference server can do wrong on purpose
    Faults(faults::Faults),
    /// Prove that the checks can fail: every fault of the reference server, in virtual time
    Selftest(selftest::Selftest),
    /// Play the device once: get codes, wait for the user, use the token
    Login(login::Login),
    /// List the checks
    List(suites::List),
    /// Show how much of the standards is judged, by what, and why the rest is not
    Coverage(coverage::Coverage),
    /// Explain one check, or one requirement: what it judges, why, how, and what is tolerated
    Explain(suites::Explain),
    /// Find every mistake in suites and target files; sends nothing
    Validate(suites::Validate),
    /// Write the generated files of the repository anew
    #[command(hide = true)]
    Generate(suites::Generate),
    /// Show a record again
    Report(records::Report),
    /// Show one exchange of a record in full
    Show(records::Show),
    /// Show what is different between two records; exit 1 when the second is worse
    Compare(compare::Compare),
}

/// Parses the command line, does what it says, and ends with its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let devgrant = Devgrant::parse();
    let verbose = match &devgrant.command {
        Command::Check(check) if check.verbose => Verbosity::Verbose,
        Command::Report(report) if report.verbose => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    let console = Console::new(verbose);
    run(devgrant.command, &console).into()
}

fn run(command: Command, console: &Console) -> Exit {
    match command {
        Command::Faults(faults) => faults.run(console),
        Command::Selftest(selftest) => selftest.run(console),
        Command::Report(report) => report.run(console),
        Command::Show(show) => show.run(console),
        Command::Compare(compare) => compare.run(console),
        Command::List(list) => list.run(console),
        Command::Coverage(coverage) => coverage.run(console),
        Command::Explain(explain) => explain.run(console),
        Command::Validate(validate) => validate.run(console),
        Command::Generate(generate) => generate.run(console),
        Command::Check(check) => in_runtime(console, check.run(console)),
        Command::Doctor(doctor) => in_runtime(console, doctor.run(console)),
        Command::Init(init) => in_runtime(console, init.run(console)),
        Command::Load(load) => in_runtime(console, load.run(console)),
        Command::Capacity(capacity) => in_runtime(console, capacity.run(console)),
        Command::Serve(serve) => in_runtime(console, serve.run(console)),
        Command::Login(login) => in_runtime(console, login.run(console)),
    }
}

fn in_runtime(console: &Console, command: impl Future<Output = Exit>) -> Exit {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let exit = runtime.block_on(command);
            runtime.shutdown_background();
            exit
        }
        Err(error) => {
            console.note(&format!("error: the runtime could not be started: {error}"));
            Exit::NotJudged
        }
    }
}
