//! The `devgrant` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    devgrant::cli::main()
}
