//! Codes and tokens from random numbers. Knows nothing of who gets them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use rand::{Rng, RngExt as _};

use super::policy::Policy;

/// What a device code is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceCodeForm {
    /// Random bytes in the characters of plain base64, `+` and `/` among them.
    Base64,
    /// A number that counts up.
    Serial,
    /// The time in milliseconds as hexadecimal digits, then random bytes.
    TimeFirst,
    /// Random bytes in characters that need no escape in a form.
    UrlSafe,
    /// The user code, then random bytes.
    UserCodeFirst,
    /// A UUID of version 7: the time in milliseconds, then 74 random bits (RFC 9562 §5.7).
    UuidV7,
}

/// What a user code is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbols {
    /// Characters; one that stands here several times comes so many times as often.
    Characters(&'static str),
    /// Whole words.
    Words(&'static [&'static str]),
}

/// How the symbols of a user code are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// Each by itself, all equally likely.
    AtRandom,
    /// As the digits of a number that counts up.
    InOrder,
}

/// Where in the server's life codes are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serial {
    /// The how-manieth draw it is.
    pub number: u64,
    /// The time on the wall, in milliseconds since 1970.
    pub wall: u64,
}

/// So many random bytes as URL-safe text: device codes (RFC 8628 §5.2), tokens, identifiers.
#[must_use]
pub fn opaque(rng: &mut impl Rng, bytes: usize) -> String {
    URL_SAFE_NO_PAD.encode(random(rng, bytes))
}

fn random(rng: &mut impl Rng, bytes: usize) -> Vec<u8> {
    let mut buffer = vec![0; bytes];
    rng.fill_bytes(&mut buffer);
    buffer
}

/// A device code for the session that has this user code (RFC 8628 §5.2).
#[must_use]
pub fn device_code(rng: &mut impl Rng, policy: &Policy, serial: Serial, user_code: &str) -> String {
    let bytes = policy.device_code_bytes;
    match policy.device_code_form {
        DeviceCodeForm::Base64 => STANDARD_NO_PAD.encode(random(rng, bytes)),
        DeviceCodeForm::Serial => format!("{:032}", serial.number),
        DeviceCodeForm::TimeFirst => format!("{:012x}{}", serial.wall, opaque(rng, bytes)),
        DeviceCodeForm::UrlSafe => opaque(rng, bytes),
        DeviceCodeForm::UserCodeFirst => format!("{}{}", canonical(user_code), opaque(rng, bytes)),
        DeviceCodeForm::UuidV7 => uuid_v7(rng, serial.wall),
    }
}

/// `0193b2c4-5d6e-7f80-9a1b-2c3d4e5f6071`
fn uuid_v7(rng: &mut impl Rng, wall: u64) -> String {
    let (time, a, b) = (wall & 0xffff_ffff_ffff, rng.random_range(0..0x1000_u16), rng.random::<u64>());
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        time >> 16,
        time & 0xffff,
        0x7000 | a,
        0x8000 | (b >> 48 & 0x3fff),
        b & 0xffff_ffff_ffff
    )
}

/// A user code, `WDJB-MJHT` (RFC 8628 §6.1).
#[must_use]
pub fn user_code(rng: &mut impl Rng, policy: &Policy, serial: Serial) -> String {
    let symbols: Vec<String> = match policy.user_code_symbols {
        Symbols::Characters(characters) => characters.chars().map(String::from).collect(),
        Symbols::Words(words) => words.iter().map(|&word| word.to_owned()).collect(),
    };
    let lengths = policy.user_code_groups;
    let length: usize = lengths.iter().sum();
    let chosen: Vec<&str> = match policy.user_code_draw {
        Draw::AtRandom => (0..length).map(|_| &*symbols[rng.random_range(0..symbols.len())]).collect(),
        Draw::InOrder => {
            let base = symbols.len() as u64;
            let digit = |place: usize| {
                let power =
                    u32::try_from(length - 1 - place).ok().and_then(|exponent| base.checked_pow(exponent));
                // The number is long over before such a place is reached.
                power.map_or(0, |power| serial.number / power % base)
            };
            // Below the number of symbols, which is a usize.
            (0..length).map(|place| &*symbols[digit(place) as usize]).collect()
        }
    };
    let mut rest = &chosen[..];
    let groups: Vec<String> = lengths
        .iter()
        .map(|&length| {
            let (group, after) = rest.split_at(length);
            rest = after;
            group.concat()
        })
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

    const SERIAL: Serial = Serial { number: 421, wall: 1_733_000_000_123 };

    #[test]
    fn every_form_of_a_device_code_is_what_it_says() {
        let of = |form| {
            let policy = Policy { device_code_form: form, ..Policy::reference() };
            device_code(&mut rand::rng(), &policy, SERIAL, "WDJB-MJHT")
        };
        assert_eq!(of(DeviceCodeForm::Serial), "00000000000000000000000000000421");
        assert!(of(DeviceCodeForm::UserCodeFirst).starts_with("WDJBMJHT"));
        assert!(
            of(DeviceCodeForm::TimeFirst).starts_with("01937ed9727b"),
            "{}",
            of(DeviceCodeForm::TimeFirst)
        );
        let uuid = of(DeviceCodeForm::UuidV7);
        assert!(uuid.len() == 36 && uuid.starts_with("01937ed9-727b-7"), "{uuid}");
        assert!("89ab".contains(&uuid[19..20]), "{uuid}");
        let signs = |code: &str| code.contains(['+', '/']);
        assert!((0..100).any(|_| signs(&of(DeviceCodeForm::Base64))));
        assert!(!(0..100).any(|_| signs(&of(DeviceCodeForm::UrlSafe))));
    }

    #[test]
    fn user_codes_in_order_count_up_and_words_stay_whole() {
        let counted = Policy { user_code_draw: Draw::InOrder, ..Policy::reference() };
        let of = |number| user_code(&mut rand::rng(), &counted, Serial { number, wall: 0 });
        assert_eq!([of(0), of(1), of(19), of(20)], ["BBBB-BBBB", "BBBB-BBBC", "BBBB-BBBZ", "BBBB-BBCB"]);
        let words = Policy {
            user_code_symbols: Symbols::Words(&["OAK", "PINE"]),
            user_code_groups: &[1, 2],
            ..Policy::reference()
        };
        let code = user_code(&mut rand::rng(), &words, SERIAL);
        assert_eq!(code.replace("OAK", "").replace("PINE", ""), "-", "{code}");
    }

    #[test]
    fn user_codes_have_two_groups_of_four_from_twenty_letters() {
        let policy = Policy::reference();
        for _ in 0..100 {
            let code = user_code(&mut rand::rng(), &policy, SERIAL);
            let (left, right) = code.split_once('-').unwrap();
            assert!(left.len() == 4 && right.len() == 4, "{code}");
            assert!(canonical(&code).chars().all(|c| "BCDFGHJKLMNPQRSTVWXZ".contains(c)), "{code}");
        }
    }

    #[test]
    fn device_codes_carry_256_bits_in_url_safe_characters() {
        let code = device_code(&mut rand::rng(), &Policy::reference(), SERIAL, "WDJB-MJHT");
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
