//! Values that must never be printed. Knows nothing of where they come from or go to.
//!
//! `Debug` and `Display` print a redaction that keeps the length and a short keyed fingerprint, so that equal
//! values stay comparable within one process and nothing can be computed back from a record.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// The key of this process' fingerprints: drawn once, never written anywhere.
static FINGERPRINT_KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A secret string: a device code, a token, a client secret, a password.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Secret(String);

impl Secret {
    /// Takes a value that must not be printed from now on.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for sending it or judging it; never for showing it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What may be shown: the length and a fingerprint, `‹43 chars #1f3a›`.
    #[must_use]
    pub fn redacted(&self) -> String {
        redact(&self.0)
    }
}

/// The redaction of a secret text: its length in characters and a 16-bit keyed fingerprint.
#[must_use]
pub fn redact(text: &str) -> String {
    let fingerprint = FINGERPRINT_KEY.hash_one(text) & 0xffff;
    format!("‹{} chars #{fingerprint:04x}›", text.chars().count())
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

impl serde::Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.redacted())
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_its_length_and_a_stable_fingerprint_only() {
        let secret = Secret::new("hunter2-hunter2");
        let shown = format!("{secret:?} {secret} {}", serde_json::to_string(&secret).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("15 chars"), "{shown}");
        assert_eq!(secret.redacted(), Secret::new("hunter2-hunter2").redacted());
    }
}
