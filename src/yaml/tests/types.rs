//! A small language in the manner of suites, and how its mistakes are drawn.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeOwned, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::diagnostic::Colour;
use crate::yaml::{Loaded, Source, load};

pub(super) fn read<T: DeserializeOwned>(text: &str) -> Loaded<T> {
    load(&Source { name: "my.yaml".to_owned(), text: text.to_owned() })
}

/// All mistakes of a text, drawn.
pub(super) fn mistakes<T: DeserializeOwned>(text: &str) -> String {
    let loaded = read::<T>(text);
    loaded.diagnostics.iter().map(|diagnostic| diagnostic.draw(Colour::Plain)).collect::<Vec<_>>().join("\n")
}

/// The only mistake of a text: its message, what the caret is under, and the help.
pub(super) fn mistake<T: DeserializeOwned>(text: &str) -> String {
    let loaded = read::<T>(text);
    let [diagnostic] = &loaded.diagnostics[..] else { panic!("{:#?}", loaded.diagnostics) };
    let place = diagnostic.place.as_ref().unwrap();
    let token: String = place.text.chars().skip(place.column - 1).take(place.width).collect();
    format!(
        "{}\nat {}:{} `{token}`\n{}",
        diagnostic.message,
        place.line,
        place.column,
        diagnostic.help.as_deref().unwrap_or_default()
    )
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Menu {
    pub(super) menu: String,
    #[serde(default)]
    pub(super) note: Option<String>,
    pub(super) dishes: Vec<Dish>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dish {
    pub(super) id: DishId,
    pub(super) rank: Rank,
    #[serde(default)]
    pub(super) portions: Option<u8>,
    #[serde(default)]
    pub(super) hot: bool,
    #[serde(default)]
    pub(super) tags: Vec<Tag>,
    #[serde(default)]
    pub(super) prices: BTreeMap<String, f64>,
    #[serde(default)]
    pub(super) steps: Vec<Step>,
}

/// Two small words with a blank between them are wrong.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct DishId(pub(super) String);

impl TryFrom<String> for DishId {
    type Error = String;

    fn try_from(id: String) -> Result<Self, String> {
        if id.contains(' ') {
            return Err(format!("the id \"{id}\" contains a blank\nhelp: write {}", id.replace(' ', "-")));
        }
        Ok(Self(id))
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub(super) struct Tag(pub(super) String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Rank {
    First,
    MainCourse,
    Last,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Step {
    AnyOf(Vec<Vec<Self>>),
    Cook(Cook),
    Judge(Judge),
    Rest,
    Season { with: String },
    Taste(Grades<Taste>),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cook {
    #[serde(default)]
    pub(super) minutes: Option<u32>,
    #[serde(default)]
    pub(super) expect: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Taste {
    Bitter,
    Salty,
    Sweet,
}

/// `sweet`, `[sweet, salty]`, or `{ is: sweet, warn: [salty], because: "…" }`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename = "(by shape)", rename_all = "snake_case")]
pub(super) enum Grades<T> {
    Word(T),
    List(Vec<T>),
    Map(Graded<T>),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename = "", deny_unknown_fields)]
pub(super) struct Graded<T> {
    #[serde(default = "Option::default")]
    pub(super) is: Option<OneOrMany<T>>,
    #[serde(default = "Option::default")]
    pub(super) warn: Option<OneOrMany<T>>,
    pub(super) because: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename = "(by shape)", rename_all = "snake_case")]
pub(super) enum OneOrMany<T> {
    Word(T),
    List(Vec<T>),
}

/// The same as [`Grades`] of [`Taste`], by a visitor written by hand.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judge(pub(super) Grades<Taste>);

impl<'de> Deserialize<'de> for Judge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JudgeVisitor(PhantomData)).map(Self)
    }
}

struct JudgeVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for JudgeVisitor<T> {
    type Value = Grades<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word, a list of words or a map")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Self::Value, E> {
        T::deserialize(word.into_deserializer()).map(Grades::Word)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Grades::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Graded::deserialize(MapAccessDeserializer::new(map)).map(Grades::Map)
    }
}
