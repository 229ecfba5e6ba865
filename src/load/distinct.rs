//! Whether something was there before: device codes over the whole run, user codes among the live, tokens of different
//! codes (INV-8). Kept as fingerprints of 64 bits, shared by all shards.
//!
//! Only what is issued is looked at here, never a poll, so a lock for each part costs nothing that counts. The
//! fingerprint is keyed anew for each run. Among ten million, two of 2^64 are the same by chance once in 370,000 runs.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::{Mutex, PoisonError};

/// How many parts have a lock of their own; small ones also grow at different times.
const PARTS: usize = 64;

/// A fingerprint is evenly spread already.
#[derive(Debug, Default, Clone)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

type Part = HashSet<u64, BuildHasherDefault<AsItIs>>;

/// The key of a run's fingerprints.
#[derive(Debug, Default)]
pub struct Key(RandomState);

impl Key {
    /// The fingerprint of a text.
    #[must_use]
    pub fn fingerprint(&self, text: &[u8]) -> u64 {
        self.0.hash_one(text)
    }
}

/// A set that all shards share.
#[derive(Debug)]
pub struct Distinct {
    parts: Vec<Mutex<Part>>,
}

impl Default for Distinct {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| Mutex::default()).collect() }
    }
}

impl Distinct {
    /// Puts a fingerprint in; false when it was there.
    pub fn insert(&self, fingerprint: u64) -> bool {
        self.with(fingerprint, |part| part.insert(fingerprint)).unwrap_or(true)
    }

    /// Takes a fingerprint out.
    pub fn remove(&self, fingerprint: u64) {
        self.with(fingerprint, |part| part.remove(&fingerprint));
    }

    fn with<R>(&self, fingerprint: u64, act: impl FnOnce(&mut Part) -> R) -> Option<R> {
        // The bits above those that the table itself goes by first.
        let part = self.parts.get((fingerprint >> 40) as usize % PARTS)?;
        Some(act(&mut part.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_of_the_same_is_told_until_the_first_is_gone() {
        let (key, seen) = (Key::default(), Distinct::default());
        let one = key.fingerprint(b"WDJB-MJHT");
        assert!(seen.insert(one));
        assert!(seen.insert(key.fingerprint(b"WDJB-MJHS")));
        assert!(!seen.insert(one));
        seen.remove(one);
        assert!(seen.insert(one));
    }
}
