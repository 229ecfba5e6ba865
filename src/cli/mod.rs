//! The commands: flags in, exit code out. One file per subcommand; only `console` prints.

mod check;
pub mod console;
mod exit;
mod files;
mod live;
pub mod login;
mod main;
mod prompt;
mod records;
mod serve;
pub mod show;

pub use exit::Exit;
pub use main::main;
