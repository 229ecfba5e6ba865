//! The rim: one file per subcommand. May use everything; nothing uses it.

pub mod login;
