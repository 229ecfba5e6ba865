//! The integration tests, one module each; `cfg(test)` tells clippy that their helpers are tests, too.

#[cfg(test)]
mod approval;
