//! The command line: one file per subcommand.

pub mod console;
pub mod show;
