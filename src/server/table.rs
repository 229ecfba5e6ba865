//! A table of many entries that grows in small parts: nobody waits while a million entries move to a larger place.
//! Knows nothing of what it holds.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// So many parts grow by themselves, one for each value of a byte: at a million entries, each moves four thousand at once.
const PARTS: usize = 256;

/// Values by texts.
#[derive(Debug)]
pub struct Table<K, V>(Vec<HashMap<K, V>>);

impl<K: Borrow<str> + Eq + Hash, V> Table<K, V> {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&V> {
        self.0[part(key)].get(key)
    }

    /// The value of a key, to change it.
    #[must_use]
    pub fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.0[part(key)].get_mut(key)
    }

    /// Whether there is a value for a key.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Puts a value in, in place of the one that the key had, and gives it back to be looked at.
    pub fn insert(&mut self, key: K, value: V) -> &mut V {
        let part = part(key.borrow());
        self.0[part].entry(key).insert_entry(value).into_mut()
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: &str) -> Option<V> {
        self.0[part(key)].remove(key)
    }

    /// All keys, in an order that differs from run to run.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().flat_map(HashMap::keys)
    }

    /// All values, in an order that differs from run to run.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().flat_map(HashMap::values)
    }
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self((0..PARTS).map(|_| HashMap::new()).collect())
    }
}

/// Where a key belongs: FNV-1a of its end, which in codes is as random as the rest.
fn part(key: &str) -> usize {
    let end = key.bytes().rev().take(8);
    let hash = end.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // The upper bits depend on all bytes, the last one among them: the prime is a little more than 2^40.
    usize::from((hash >> 40) as u8)
}

#[cfg(test)]
mod tests {
    use super::super::codes;
    use super::*;

    #[test]
    fn what_was_put_in_is_found_until_it_is_taken_out() {
        let mut table = Table::default();
        let key = |number: usize| format!("{number:06}");
        for number in 0..5000 {
            assert_eq!(*table.insert(key(number), number), number);
        }
        *table.get_mut("000007").unwrap() = 8;
        table.insert(key(9), 10);
        assert_eq!((table.get("000007"), table.get("000009")), (Some(&8), Some(&10)));
        assert_eq!((table.keys().count(), table.values().count()), (5000, 5000));
        assert_eq!(table.remove("000007"), Some(8));
        assert!(!table.contains_key("000007") && table.contains_key("000008"));
    }

    #[test]
    fn keys_spread_over_the_parts() {
        let forms: [fn(usize) -> String; 3] = [
            |number| format!("{number:032}"),
            |number| format!("code-{number}"),
            |_| codes::opaque(&mut rand::rng(), 32),
        ];
        for form in forms {
            let mut table = Table::default();
            for number in 0..25_600 {
                table.insert(form(number), ());
            }
            let largest = table.0.iter().map(HashMap::len).max();
            assert!(largest < Some(200), "{}: {largest:?}", form(1));
        }
    }
}
