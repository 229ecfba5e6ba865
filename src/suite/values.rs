//! The matchers over the values of many answers: codes of a sample, refresh tokens of a case.

use schemars::JsonSchema;
use serde::Deserialize;

use super::graded::many;
use crate::protocol::words::words;

words! {
    /// A value that must be another one each time.
    CodeKind {
        /// `device_code`.
        DeviceCode = "device_code",
        /// `user_code`.
        UserCode = "user_code",
        /// `refresh_token`, of the answers to the refreshes of a case.
        RefreshToken = "refresh_token",
    }
}

/// `distinct: { of: user_code }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Distinct {
    /// Of which value, over the sample.
    pub of: CodeKind,
}

/// `entropy: { of: user_code, is: 34 bits, acceptable: guess_budget, because: "..." }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entropy {
    /// Of which value, over the sample.
    pub of: CodeKind,
    /// At least so many bits pass.
    pub is: Bits,
    /// At least so many pass with a remark.
    #[serde(default)]
    pub acceptable: Option<Bits>,
    /// At least so many warn.
    #[serde(default)]
    pub warn: Option<Bits>,
    /// Why there is more than `is`.
    #[serde(default)]
    pub because: Option<String>,
}

/// `34 bits`, or `guess_budget` (20 bits).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bits(
    /// How many.
    pub f64,
);

/// `alphabet: { of: user_code, lacks: vowels }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlphabetRule {
    /// Of which value, over the sample.
    pub of: CodeKind,
    /// What its characters must not have.
    #[serde(deserialize_with = "many")]
    #[schemars(with = "super::graded::OneOrMany<Confusing>")]
    pub lacks: Vec<Confusing>,
}

words! {
    /// Characters that make codes hard to type.
    Confusing {
        /// A, E, I, O and U: they make words, some of them bad ones.
        Vowels = "vowels",
        /// Two characters that look the same to many: 0 and O, 1 and I or L.
        LookAlikes = "look-alikes",
    }
}

/// `uniform: { of: user_code }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Uniform {
    /// Of which value, over the sample.
    pub of: CodeKind,
}

/// `unordered: { of: device_code, acceptable: 128 bits, because: "..." }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unordered {
    /// Of which value, over the sample.
    pub of: CodeKind,
    /// Values in order pass with a remark if so many bits follow what orders them.
    #[serde(default)]
    pub acceptable: Option<Bits>,
    /// They warn if so many bits follow.
    #[serde(default)]
    pub warn: Option<Bits>,
    /// Why some order is tolerated.
    #[serde(default)]
    pub because: Option<String>,
}

/// `unrelated: { of: device_code, to: user_code, acceptable: 128 bits, because: "..." }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unrelated {
    /// The value that must stay unknown, over the sample.
    pub of: CodeKind,
    /// The value of the same answer that somebody knows.
    pub to: CodeKind,
    /// A value that has the other in it passes with a remark if the rest of it has so many bits.
    #[serde(default)]
    pub acceptable: Option<Bits>,
    /// It warns if the rest has so many bits.
    #[serde(default)]
    pub warn: Option<Bits>,
    /// Why some of it may be known.
    #[serde(default)]
    pub because: Option<String>,
}
