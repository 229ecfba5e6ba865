//! The commands: flags in, exit code out. One file per subcommand.

pub mod console;
pub mod login;
pub mod show;
