//! The commands: flags in, exit code out. One file per subcommand; only `console` prints.

mod capacity;
mod check;
mod compare;
pub mod console;
pub mod coverage;
mod doctor;
mod exit;
pub mod explain;
mod faults;
mod files;
mod init;
mod known_failures;
pub mod list;
mod live;
mod load;
pub mod login;
mod main;
mod pages;
mod prompt;
mod records;
mod select;
mod selftest;
mod serve;
pub mod show;
mod suites;
pub mod validate;
pub mod wait;

pub use exit::Exit;
pub use main::main;
