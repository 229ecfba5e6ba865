//! Whether something was there before: device codes over the whole run, user codes among the live, tokens of different
//! codes (INV-8). Kept as fingerprints of 64 bits, shared by all shards.
//!
//! Only what is issued is looked at here, never a poll, so a lock for each part costs nothing that counts. The
//! fingerprint is keyed anew for each run. Among ten million, two of 2^64 are the same by chance once in 370,000 runs.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::{Mutex, PoisonError};

/// How many parts have a lock of their own, about; small ones also grow at different times.
const PARTS: u64 = 48;

/// A table takes twice the memory once it holds more than seven eighths of its places; so full parts are to be.
const FULL: f64 = 0.8;

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

impl Distinct {
    /// An empty set in which so many have their place with little memory left over; more can be put in.
    #[must_use]
    pub fn for_about(fingerprints: u64) -> Self {
        let places = (fingerprints as f64 / FULL / PARTS as f64).max(1024.0);
        // Tables have a power of two of places.
        let places = (places as u64).next_power_of_two() as f64;
        let parts = (fingerprints as f64 / FULL / places).ceil().max(16.0);
        Self { parts: (0..parts as usize).map(|_| Mutex::default()).collect() }
    }

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
        let part = self.parts.get((fingerprint >> 20) as usize % self.parts.len())?;
        Some(act(&mut part.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_of_the_same_is_told_until_the_first_is_gone() {
        let (key, seen) = (Key::default(), Distinct::for_about(10));
        let one = key.fingerprint(b"WDJB-MJHT");
        assert!(seen.insert(one));
        assert!(seen.insert(key.fingerprint(b"WDJB-MJHS")));
        assert!(!seen.insert(one));
        seen.remove(one);
        assert!(seen.insert(one));
    }

    #[test]
    fn ten_million_have_their_place_in_few_bytes() {
        for codes in [1_u64, 50_000, 1_000_000, 10_000_000] {
            let set = Distinct::for_about(codes);
            let each = codes as f64 / set.parts.len() as f64;
            let places = (each / FULL).max(1.0);
            let power = (places.ceil() as u64).next_power_of_two() as f64;
            assert!(codes < 100_000 || places / power > 0.9, "{codes}: {} parts", set.parts.len());
            assert!((16..=256).contains(&set.parts.len()), "{codes}: {} parts", set.parts.len());
        }
    }
}
