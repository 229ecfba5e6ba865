//! Codes and tokens from random numbers. Knows nothing of who gets them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::{Rng, RngExt as _};

use super::policy::Policy;

/// So many random bytes as URL-safe text: device codes (RFC 8628 §5.2), tokens, identifiers.
#[must_use]
pub fn opaque(rng: &mut impl Rng, bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    rng.fill_bytes(&mut buffer);
    URL_SAFE_NO_PAD.encode(buffer)
}

/// A user code, `WDJB-MJHT` (RFC 8628 §6.1). Every character of the alphabet is equally likely.
#[must_use]
pub fn user_code(rng: &mut impl Rng, policy: &Policy) -> String {
    let alphabet: Vec<char> = policy.user_code_alphabet.chars().collect();
    let groups: Vec<String> = policy
        .user_code_groups
        .iter()
        .map(|&length| (0..length).map(|_| alphabet[rng.random_range(0..alphabet.len())]).collect())
        .collect();
    groups.join("-")
}

/// A user code without what people may add or leave out: case, dashes, spaces, dots (RFC 8628 §6.1).
#[must_use]
pub fn canonical(user_code: &str) -> String {
    user_code.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_codes_have_two_groups_of_four_from_twenty_letters() {
        let policy = Policy::reference();
        for _ in 0..100 {
            let code = user_code(&mut rand::rng(), &policy);
            let (left, right) = code.split_once('-').unwrap();
            assert!(left.len() == 4 && right.len() == 4, "{code}");
            assert!(canonical(&code).chars().all(|c| policy.user_code_alphabet.contains(c)), "{code}");
        }
    }

    #[test]
    fn device_codes_carry_256_bits_in_url_safe_characters() {
        let code = opaque(&mut rand::rng(), Policy::reference().device_code_bytes);
        assert_eq!(code.len(), 43);
        assert!(code.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    }

    #[test]
    fn entry_forgives_case_dashes_spaces_and_dots() {
        for entered in ["wdjb-mjht", " WDJBMJHT", "WDJB MJHT ", "wd.jb.mj.ht", "WDJB\u{2013}MJHT"] {
            assert_eq!(canonical(entered), "WDJBMJHT");
        }
    }
}
