//! Chance that can be repeated: what somebody draws follows from the seed, who he is and his number, and from nothing else.

use rand::Rng as _;
use rand_pcg::Pcg64Mcg;

/// What is drawn for, so that two things of one device have nothing to do with each other.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Arrival,
    Device,
    Stranger,
}

/// A source of numbers that belongs to one (seed, name, number).
///
/// Making one costs no more than a few multiplications and needs no memory of those before it, so that any shard can
/// make that of any device.
#[derive(Debug, Clone)]
pub struct Draw(Pcg64Mcg);

/// The part of the key that all of one group have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stream(u64);

impl Stream {
    /// What draws for this purpose under this name; the name and not its place in the file, so that a group may move.
    pub(super) fn new(seed: u64, name: &str, purpose: Purpose) -> Self {
        let name = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(mixed(mixed(seed) ^ name).wrapping_add(mixed(purpose as u64)))
    }

    pub(super) fn draw(self, number: u64) -> Draw {
        let high = mixed(self.0 ^ mixed(number));
        let low = mixed(high ^ self.0);
        Draw(Pcg64Mcg::new(u128::from(high) << 64 | u128::from(low)))
    }
}

impl Draw {
    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from 0 up to 1, which it never is.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A text of these letters; empty where there are none.
    pub fn text(&mut self, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        let nth = |unit: f64| letters.get((unit * letters.len() as f64) as usize).copied();
        (0..length).filter_map(|_| nth(self.unit())).collect()
    }

    /// A number of the normal distribution (Box and Muller).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// How long until the next of what comes so often, in seconds, when nobody knows of the others.
    pub(super) fn gap(&mut self, rate: f64) -> f64 {
        -(1.0 - self.unit()).ln() / rate
    }

    /// One of several by weight.
    pub(super) fn pick<'a, T>(&mut self, choices: &'a [(u32, T)]) -> Option<&'a T> {
        let total: u64 = choices.iter().map(|(weight, _)| u64::from(*weight)).sum();
        let mut left = (self.unit() * total as f64) as u64;
        let picked = choices.iter().find(|(weight, _)| {
            let is_it = left < u64::from(*weight);
            left = left.saturating_sub(u64::from(*weight));
            is_it
        });
        picked.map(|(_, choice)| choice)
    }
}

/// Spreads any two numbers as if they had nothing to do with each other (the finish of SplitMix64).
const fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_have_nothing_in_common() {
        let stream = Stream::new(1, "households", Purpose::Device);
        let mean = |of: &dyn Fn(u64) -> f64| (0..20_000).map(of).sum::<f64>() / 20_000.0;
        assert!((mean(&|n| stream.draw(n).unit()) - 0.5).abs() < 0.01);
        assert!(mean(&|n| stream.draw(n).normal()).abs() < 0.03);
        let squared = mean(&|n| stream.draw(n).normal().powi(2));
        assert!((squared - 1.0).abs() < 0.05, "{squared}");
        let together = mean(&|n| (stream.draw(n).unit() - 0.5) * (stream.draw(n + 1).unit() - 0.5));
        assert!(together.abs() < 0.003, "{together}");
        assert!((mean(&|n| stream.draw(n).gap(4.0)) - 0.25).abs() < 0.01);
    }

    #[test]
    fn seed_name_and_purpose_all_matter() {
        let bits = |seed, name, purpose, n| Stream::new(seed, name, purpose).draw(n).bits();
        let one = bits(1, "a", Purpose::Device, 1);
        assert_eq!(one, bits(1, "a", Purpose::Device, 1));
        for other in [
            bits(2, "a", Purpose::Device, 1),
            bits(1, "b", Purpose::Device, 1),
            bits(1, "a", Purpose::Arrival, 1),
            bits(1, "a", Purpose::Device, 2),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn weights_are_kept() {
        let stream = Stream::new(1, "a", Purpose::Device);
        let choices = [(3, "yes"), (0, "never"), (1, "no")];
        let yes = (0..10_000).filter(|n| stream.draw(*n).pick(&choices) == Some(&"yes")).count();
        assert!((7_300..7_700).contains(&yes), "{yes}");
        assert!((0..10_000).all(|n| stream.draw(n).pick(&choices) != Some(&"never")));
        assert_eq!(stream.draw(1).pick::<u8>(&[]), None);
        assert_eq!(stream.draw(1).text("ab", 43).len(), 43);
        assert_eq!(stream.draw(1).text("", 43), "");
    }
}
