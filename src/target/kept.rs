//! Secrets of a target file that are kept elsewhere: `{ env: NAME }`, `{ file: PATH }`. Whoever reads the file says how
//! they are got, since nothing here opens files or knows the environment.

use std::borrow::Cow;
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::secret::Secret;

/// Where a secret is kept when it does not stand in the file itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename = "secret", rename_all = "snake_case")]
pub enum Elsewhere {
    /// In this variable of the environment.
    Env(String),
    /// In this file, beside the target file; the end of its last line does not count.
    File(PathBuf),
}

/// Gets a secret from where it is kept; a sentence says why it cannot.
pub type Keeper = Rc<dyn Fn(&Elsewhere) -> Result<String, String>>;

thread_local! {
    /// Who gets secrets for the file that is being read on this thread.
    static KEEPER: RefCell<Option<Keeper>> = const { RefCell::new(None) };
}

/// Reads something with this keeper at hand.
pub(super) fn with_keeper<T>(keeper: Keeper, read: impl FnOnce() -> T) -> T {
    let before = KEEPER.replace(Some(keeper));
    let done = read();
    KEEPER.set(before);
    done
}

/// A secret as a target file has it.
struct Kept(Secret);

#[derive(Deserialize)]
#[serde(rename = "(by shape)", rename_all = "snake_case")]
enum Shape {
    Word(String),
    Map(Elsewhere),
}

impl<'de> Deserialize<'de> for Kept {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let place = match Shape::deserialize(deserializer)? {
            Shape::Word(text) => return Ok(Self(Secret::new(text))),
            Shape::Map(place) => place,
        };
        let keeper = KEEPER.with_borrow(Clone::clone);
        let got = keeper.map_or_else(
            || Err("secrets from elsewhere are read by the command line alone".to_owned()),
            |keeper| keeper(&place),
        );
        got.map(|text| Self(Secret::new(text))).map_err(serde::de::Error::custom)
    }
}

/// For fields that must be there.
pub(super) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    Kept::deserialize(deserializer).map(|kept| kept.0)
}

/// For fields that may be left out.
pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    secret(deserializer).map(Some)
}

/// For maps of secrets by name.
pub(super) fn named<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<std::collections::BTreeMap<String, Secret>, D::Error> {
    let named = std::collections::BTreeMap::<String, Kept>::deserialize(deserializer)?;
    Ok(named.into_iter().map(|(name, kept)| (name, kept.0)).collect())
}

/// The schema of all three: a text, or where it is kept.
pub(super) struct SecretOrPlace;

impl JsonSchema for SecretOrPlace {
    fn schema_name() -> Cow<'static, str> {
        "SecretOrPlace".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let elsewhere = generator.subschema_for::<Elsewhere>();
        json_schema!({
            "description": "the secret itself, or { env: NAME }, or { file: PATH } beside this file",
            "anyOf": [{ "type": "string" }, elsewhere],
        })
    }
}
