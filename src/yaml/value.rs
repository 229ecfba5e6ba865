//! A marked tree as a `serde::Deserializer`. Single-key maps and plain words are enums, at any depth.

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Expected, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::error::{Error, Want, What};
use super::tree::{Entry, Id, Kind, Style, Tree};
use super::words::{self, Scalar, name_in_words, with_article};

/// The name of an enum whose variant is chosen by how the value is written: `word`, `list` or `map`.
///
/// ```ignore
/// #[derive(Deserialize)]
/// #[serde(rename = "(by shape)", rename_all = "snake_case")]
/// enum Grades<T> { Word(T), List(Vec<T>), Map(Graded<T>) }
/// ```
pub const BY_SHAPE: &str = "(by shape)";

static NOTHING: Kind = Kind::Scalar { text: String::new(), style: Style::Plain };

/// One node to be read.
#[derive(Clone, Copy)]
pub(super) struct Value<'t> {
    tree: &'t Tree,
    id: Id,
    role: Role,
}

#[derive(Clone, Copy, PartialEq)]
enum Role {
    /// A word that should have something behind it; the node is the word.
    Bare,
    /// What stands behind a word: may be nothing if no key is needed.
    Content,
    Ordinary,
}

impl<'t> Value<'t> {
    pub(super) fn new(tree: &'t Tree, id: Id) -> Self {
        Self { tree, id, role: Role::Ordinary }
    }

    fn kind(self) -> &'t Kind {
        if self.role == Role::Bare { &NOTHING } else { self.tree.kind(self.id) }
    }

    fn scalar(self) -> Option<Scalar<'t>> {
        match self.kind() {
            Kind::Scalar { text, style } => Some(Scalar::read(text, *style)),
            Kind::List { .. } | Kind::Map { .. } => None,
        }
    }

    fn is_nothing(self) -> bool {
        self.scalar() == Some(Scalar::Nothing)
    }

    fn refuse<T>(self, expected: impl Into<String>, want: Want) -> Result<T, Error> {
        let error = Error::expected(expected, want).at(self.id);
        Err(if self.role == Role::Bare { error.found_nothing() } else { error })
    }

    /// Reads a seed and sees to it that its error has a place.
    fn read<'de, S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self).map_err(|error| error.at(self.id))
    }

    fn list<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut items =
            Items { tree: self.tree, items: self.tree.items(self.id).collect::<Vec<_>>().into_iter() };
        let value = visitor.visit_seq(&mut items).map_err(|error| error.at(self.id))?;
        match items.items.next() {
            None => Ok(value),
            Some(extra) => Err(Error::new(What::Other {
                message: "this list has more items than it may have\nhelp: take this one out".to_owned(),
            })
            .at(extra)),
        }
    }

    fn map<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let entries = if self.role == Role::Bare { Vec::new() } else { self.tree.entries(self.id).collect() };
        let entries = Entries { tree: self.tree, entries: entries.into_iter(), value: None };
        visitor.visit_map(entries).map_err(|error| error.at_key(self.tree, self.id).at(self.id))
    }

    /// A map with known keys.
    fn keys<'de, V: Visitor<'de>>(
        self,
        name: Option<&str>,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let empty = self.role != Role::Ordinary && self.is_nothing();
        if !empty && !matches!(self.kind(), Kind::Map { .. }) {
            return self.refuse(name.map_or("a map".to_owned(), with_article), Want::Keys(keys));
        }
        self.map(visitor).map_err(|error| match name {
            Some(name) => error.map_called(self.tree, self.id, name),
            None => error,
        })
    }

    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.kind() {
            Kind::Scalar { text, .. } if !self.is_nothing() => {
                visitor.visit_str(text).map_err(|error: Error| error.at(self.id))
            }
            _ => self.refuse(wanted(&visitor), Want::Text),
        }
    }

    /// A whole number within the bounds of `N`.
    fn whole<'de, V, N>(
        self,
        visitor: V,
        visit: fn(V, N) -> Result<V::Value, Error>,
    ) -> Result<V::Value, Error>
    where
        V: Visitor<'de>,
        N: TryFrom<i128>,
    {
        let Some(Scalar::Whole(number)) = self.scalar() else {
            return self.refuse(wanted(&visitor), Want::Number);
        };
        let Ok(fitting) = N::try_from(number) else {
            let (wrong, right) = if number < 0 { ("small", "larger") } else { ("large", "smaller") };
            let message = format!("the number {number} is too {wrong}\nhelp: write a {right} number");
            return Err(Error::new(What::Other { message }).at(self.id));
        };
        visit(visitor, fitting).map_err(|error| error.at(self.id))
    }

    fn by_shape<'de, V>(self, shapes: &'static [&'static str], visitor: V) -> Result<V::Value, Error>
    where
        V: Visitor<'de>,
    {
        let shape = match self.kind() {
            Kind::Scalar { .. } => "word",
            Kind::List { .. } => "list",
            Kind::Map { .. } => "map",
        };
        if !shapes.contains(&shape) {
            let shapes: Vec<_> = shapes.iter().map(|shape| with_article(shape)).collect();
            return self.refuse(shapes.join(" or "), Want::Other);
        }
        visitor.visit_enum(Shape { value: self, shape }).map_err(|error| error.at(self.id))
    }
}

/// What a visitor says it expects, in our words.
fn wanted<'de, V: Visitor<'de>>(visitor: &V) -> String {
    words::expected(&(visitor as &dyn Expected).to_string())
}

macro_rules! whole_numbers {
    ($($deserialize:ident $visit:ident),*) => {
        $(fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.whole(visitor, V::$visit)
        })*
    };
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = Error;

    whole_numbers! {
        deserialize_i8 visit_i8, deserialize_i16 visit_i16, deserialize_i32 visit_i32, deserialize_i64 visit_i64,
        deserialize_i128 visit_i128, deserialize_u8 visit_u8, deserialize_u16 visit_u16, deserialize_u32 visit_u32,
        deserialize_u64 visit_u64, deserialize_u128 visit_u128
    }

    forward_to_deserialize_any! { bytes byte_buf }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Some(scalar) = self.scalar() else {
            return match self.kind() {
                Kind::List { .. } => self.list(visitor),
                _ => self.map(visitor),
            };
        };
        match scalar {
            Scalar::Nothing => visitor.visit_unit(),
            Scalar::Bool(value) => visitor.visit_bool(value),
            Scalar::Whole(number) => match (u64::try_from(number), i64::try_from(number)) {
                (Ok(number), _) => visitor.visit_u64(number),
                (_, Ok(number)) => visitor.visit_i64(number),
                _ => visitor.visit_i128(number),
            },
            Scalar::Number(number) => visitor.visit_f64(number),
            Scalar::Text(text) => visitor.visit_str(text),
        }
        .map_err(|error: Error| error.at(self.id))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.scalar() {
            Some(Scalar::Bool(value)) => visitor.visit_bool(value).map_err(|error: Error| error.at(self.id)),
            _ => self.refuse(wanted(&visitor), Want::Bool),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match (self.scalar(), self.kind()) {
            (Some(Scalar::Number(number)), _) => visitor.visit_f64(number),
            (Some(Scalar::Whole(_)), Kind::Scalar { text, .. }) => match text.parse() {
                Ok(number) => visitor.visit_f64(number),
                Err(_) => return self.refuse(wanted(&visitor), Want::Number),
            },
            _ => return self.refuse(wanted(&visitor), Want::Number),
        }
        .map_err(|error: Error| error.at(self.id))
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.text(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.text(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.text(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.tree.text(self.id) {
            Some(text) => visitor.visit_str(text).map_err(|error: Error| error.at(self.id)),
            None => self.refuse("a word", Want::Text),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let read = if self.is_nothing() { visitor.visit_none() } else { visitor.visit_some(self) };
        read.map_err(|error: Error| error.at(self.id))
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_nothing() {
            return visitor.visit_unit().map_err(|error: Error| error.at(self.id));
        }
        self.refuse("nothing", Want::Other)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self).map_err(|error| error.at(self.id))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.kind() {
            Kind::List { .. } => self.list(visitor),
            _ => self.refuse(wanted(&visitor), Want::List),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        match self.kind() {
            Kind::List { .. } => self.list(visitor),
            _ => self.refuse(format!("a list of {length}"), Want::List),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.kind() {
            Kind::Map { .. } => self.map(visitor),
            _ => self.refuse(wanted(&visitor), Want::Keys(&[])),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let name = name_in_words(name);
        self.keys(Some(name.as_str()).filter(|name| !name.is_empty()), keys, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        one_of: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == BY_SHAPE {
            return self.by_shape(one_of, visitor);
        }
        let name = name_in_words(name);
        let (word, content) = match self.kind() {
            Kind::Scalar { .. } if !self.is_nothing() => (self.id, None),
            Kind::Map { .. } => {
                let entries: Vec<_> = self.tree.entries(self.id).collect();
                let [Entry { key, value }] = entries[..] else {
                    return Err(Error::new(What::OneKey { name, one_of }).at(self.id));
                };
                (key, Some(value))
            }
            Kind::Scalar { .. } | Kind::List { .. } => {
                return self.refuse(with_article(&name), Want::Word(one_of));
            }
        };
        let word = Word { tree: self.tree, name, word, content };
        visitor.visit_enum(word).map_err(|error| error.at(self.id))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

/// The items of a list.
struct Items<'t> {
    tree: &'t Tree,
    items: std::vec::IntoIter<Id>,
}

impl<'de> SeqAccess<'de> for &mut Items<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.items.next().map(|item| Value::new(self.tree, item).read(seed)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The entries of a map.
struct Entries<'t> {
    tree: &'t Tree,
    entries: std::vec::IntoIter<Entry>,
    value: Option<Id>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some(Entry { key, value }) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        Value::new(self.tree, key).read(seed).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        match self.value.take() {
            Some(value) => Value::new(self.tree, value).read(seed),
            None => Err(serde::de::Error::custom("a value was read before its key")),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// A word, alone or with something behind it.
struct Word<'t> {
    tree: &'t Tree,
    name: String,
    word: Id,
    content: Option<Id>,
}

impl<'t> Word<'t> {
    fn content(&self) -> Value<'t> {
        match self.content {
            Some(id) => Value { tree: self.tree, id, role: Role::Content },
            None => Value { tree: self.tree, id: self.word, role: Role::Bare },
        }
    }
}

impl<'de> EnumAccess<'de> for Word<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let word = Value::new(self.tree, self.word);
        let variant = word.read(seed).map_err(|error| error.word_called(self.word, &self.name))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Word<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        let content = self.content();
        if content.is_nothing() {
            return Ok(());
        }
        let word = self.tree.text(self.word).unwrap_or_default();
        let message = format!("\"{word}\" takes no value\nhelp: write \"{word}\" alone");
        Err(Error::new(What::Other { message }).at(content.id))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        self.content().read(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        self.content().deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.content().keys(self.tree.text(self.word), keys, visitor)
    }
}

/// The same node again, as the variant named by its shape.
struct Shape<'t> {
    value: Value<'t>,
    shape: &'static str,
}

impl<'de> EnumAccess<'de> for Shape<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let shape = serde::de::value::StrDeserializer::<Error>::new(self.shape);
        Ok((seed.deserialize(shape)?, self))
    }
}

impl<'de> VariantAccess<'de> for Shape<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        self.value.read(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        self.value.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.value.keys(None, keys, visitor)
    }
}
