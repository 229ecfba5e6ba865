//! Reads a file as a type, again and again without the parts that are wrong, until every mistake is known.

use serde::de::DeserializeOwned;

use super::lint::lint;
use super::marks::Marks;
use super::parse::{Parsed, parse};
use super::source::{Lines, Source};
use super::value::Value;
use crate::diagnostic::Diagnostic;

/// What came of a file.
#[derive(Debug, Clone)]
pub struct Loaded<T> {
    /// The value, without the parts that are wrong; nothing if the rest makes no value.
    pub value: Option<T>,
    /// Every mistake, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// Where the parts of the value stand.
    pub marks: Marks,
}

/// Reads a file as a `T` and finds all mistakes in it.
///
/// The value is there even if there are diagnostics, as far as something can be made of the rest, so that its
/// meaning can be checked too; [`Marks::was_pruned_below`] tells what to leave alone.
#[must_use]
pub fn load<T: DeserializeOwned>(source: &Source) -> Loaded<T> {
    let lines = Lines::new(source);
    let Parsed { mut tree, mut diagnostics } = parse(source, &lines);
    diagnostics.extend(lint(&mut tree, &lines));
    let mut value = None;
    if let Some(root) = tree.root() {
        loop {
            let error = match T::deserialize(Value::new(&tree, root)) {
                Ok(read) => {
                    value = Some(read);
                    break;
                }
                Err(error) => error.at(root),
            };
            if !error.is_consequence(&tree) {
                diagnostics.push(error.diagnostic(&tree, &lines, root));
            }
            if !error.place().is_some_and(|id| tree.hide(id)) {
                break;
            }
        }
    }
    diagnostics.sort_by_key(|diagnostic| diagnostic.place.as_ref().map(|place| (place.line, place.column)));
    Loaded { value, diagnostics, marks: Marks::new(tree, lines) }
}
