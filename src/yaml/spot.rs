//! A path into a file on the way through its value.

use super::marks::{Marks, Path, Segment};
use crate::diagnostic::Place;

/// A part of a file.
#[derive(Debug, Clone)]
pub struct Spot<'a> {
    marks: &'a Marks,
    path: Path,
}

impl<'a> Spot<'a> {
    /// The whole file.
    #[must_use]
    pub fn root(marks: &'a Marks) -> Self {
        Self { marks, path: Path::new() }
    }

    /// A part of this part.
    #[must_use]
    pub fn to(&self, segment: impl Into<Segment>) -> Self {
        let mut path = self.path.clone();
        path.push(segment.into());
        Self { marks: self.marks, path }
    }

    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.marks.place(&self.path)
    }

    /// Where its key stands.
    #[must_use]
    pub fn key_place(&self) -> Option<Place> {
        self.marks.key_place(&self.path)
    }

    /// Where a word stands in it.
    #[must_use]
    pub fn find(&self, word: &str) -> Option<Place> {
        self.marks.find_text(&self.path, word)
    }

    /// Was something in it wrong and left out?
    #[must_use]
    pub fn is_pruned(&self) -> bool {
        self.marks.was_pruned_below(&self.path)
    }
}
