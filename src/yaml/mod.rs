//! Text to typed values, with every mistake of a file found at once and drawn under the very word that is wrong.
//! Knows nothing of suites: the types that are read name themselves.
//!
//! How it works: `parse` turns the events of `saphyr-parser` into a marked tree, `lint` finds what is wrong whatever
//! the type (keys written twice, text cut at a comma), and `value` is a `serde::Deserializer` over the tree.
//! `load` deserializes again and again: each error is recorded, the smallest part of the tree that can be left
//! out is hidden, and the rest is tried once more, until nothing is wrong or nothing is left. `Marks` leads from a
//! path in the value to a place in the text.
//!
//! The deserializer is our own, not that of `serde_yaml`: that one stops at the first error, gives the place of the
//! surrounding map for most of them, and tells what was wrong only as a sentence with Rust words in it.
//!
//! # Writing types for it
//!
//! - Derive `Deserialize` with `deny_unknown_fields`. No `flatten`, `untagged` or `tag`: they lose every place.
//! - An enum with named fields in a variant needs `deny_unknown_fields` too.
//! - Enums are plain words or single-key maps, at any depth, without any attribute for it.
//! - The type's name is what messages call it, in words: `enum ErrorCode` gives `unknown error code "x"`. Where the
//!   Rust name is not what users say, `#[serde(rename = "…")]` on the type changes it; a struct renamed to
//!   nothing is called by the key that it stands behind.
//! - A value that may be a word, a list or a map is an enum renamed to [`BY_SHAPE`], with any of the variants
//!   `word`, `list` and `map`; places and names survive inside each. A hand-written visitor with `deserialize_any`
//!   works too, but what it reads from a word alone cannot say its name.
//! - A `FromStr` behind `try_from = "String"` is shown at its scalar. If its message has a second line that starts with
//!   `help: ` that becomes the help, and one with `one of: a, b` becomes the values.
//! - Numbers and truth values are taken as text where text is wanted; the reverse is a mistake.

mod error;
mod lint;
mod load;
mod marks;
mod parse;
mod source;
mod spot;
mod syntax;
mod tree;
mod value;
mod words;

#[cfg(test)]
mod tests;

pub use load::{Loaded, load};
pub use marks::{Marks, Path, Segment};
pub use source::Source;
pub use spot::Spot;
pub use value::BY_SHAPE;
