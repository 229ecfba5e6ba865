//! How many values there can be, by how few different ones came. Knows nothing of codes.

/// A set of values is called smaller than this bound allows if a larger one shows so few with this probability or less.
const CHANCE: f64 = 1e-12;

/// Beyond so many bits the bound says nothing that a sample of some hundred values could show.
const MOST_BITS: i32 = 40;

/// The most equally likely values, in bits, of which so many draws can show no more than `different` ones; none if there
/// is no bound. Values that are not equally likely show as few as a smaller set of such, and are as easy to guess.
///
/// Exact: the number of different values is a Markov chain from draw to draw (the occupancy problem).
pub(super) fn most_bits(draws: usize, different: usize) -> Option<f64> {
    let (mut below, mut above) = (0.0, f64::from(MOST_BITS));
    if different == draws || chance(draws, different, above) > CHANCE {
        return None;
    }
    // One more than enough halvings for what is shown of the result.
    for _ in 0..24 {
        let middle = (below + above) / 2.0;
        if chance(draws, different, middle) > CHANCE {
            below = middle;
        } else {
            above = middle;
        }
    }
    Some(above)
}

/// How likely so many draws from so many bits of values show no more than `different` ones.
#[expect(clippy::cast_precision_loss, reason = "a sample has some hundred values")]
fn chance(draws: usize, different: usize, bits: f64) -> f64 {
    let values = bits.exp2().max(1.0);
    let mut seen = vec![0.0; different + 1];
    seen[0] = 1.0;
    for _ in 0..draws {
        for now in (0..=different).rev() {
            let repeated = seen[now] * (now as f64 / values).min(1.0);
            let fresh = now
                .checked_sub(1)
                .map_or(0.0, |before| seen[before] * (1.0 - before as f64 / values).max(0.0));
            seen[now] = repeated + fresh;
        }
    }
    seen.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chance_of_repeats_is_that_of_birthdays() {
        // Twenty-three people, 365 days: two share one with a probability of 0.5073.
        assert!((chance(23, 22, 365_f64.log2()) - 0.5073).abs() < 1e-4);
        assert!((chance(2, 1, 3.0) - 0.125).abs() < 1e-12);
        assert!((chance(5, 5, 3.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_bound_is_above_what_there_is_and_not_far() {
        assert_eq!(most_bits(200, 200), None);
        // Thirty-two values, all seen; and four that can be no fewer.
        let all = most_bits(200, 32).unwrap();
        assert!((5.0..6.0).contains(&all), "{all}");
        assert!((2.0..2.4).contains(&most_bits(200, 4).unwrap()), "{:?}", most_bits(200, 4));
        // One repeat among two hundred is what 2^34 values can show.
        assert!(most_bits(200, 199).is_none_or(|bits| bits > 34.0));
        assert!(most_bits(60, 1).unwrap() < 0.7);
    }
}
