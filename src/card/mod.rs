//! What measurements of a server's behaviour come to, in words: values in, one line of the behaviour card out.
//!
//! Judges nothing, knows no clock and sends nothing.

mod growth;
mod threshold;

pub use growth::{After, growth};
pub use threshold::{Probe, age, gap};

use std::time::Duration;

/// A length of time on the card: in seconds, so that the numbers of a line can be compared.
fn seconds(length: Duration) -> String {
    let text = format!("{:.2}", length.as_secs_f64());
    format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
}

/// `1, 2 and 3`
fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
