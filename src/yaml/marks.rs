//! From a path in a value to a place in its file.

use super::source::Lines;
use super::tree::{Id, Kind, Span, Spot, Tree};
use crate::diagnostic::Place;

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// The value of a key; also what stands behind the word of an enum.
    Key(String),
    /// An item of a list, by its index in the value that was read. What was left out does not count.
    Index(usize),
}

impl From<&str> for Segment {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<String> for Segment {
    fn from(key: String) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for Segment {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// The way from the root of a file to a part of it.
pub type Path = Vec<Segment>;

/// Where everything in a file stands.
#[derive(Debug, Clone)]
pub struct Marks {
    tree: Tree,
    lines: Lines,
}

/// How far a path leads.
struct Reached {
    /// The last node on the way.
    id: Id,
    /// How many segments are left, if the rest does not exist.
    left: usize,
}

impl Marks {
    pub(super) fn new(tree: Tree, lines: Lines) -> Self {
        Self { tree, lines }
    }

    /// The place of a value: a scalar, a list, or the first key of a map. Of what does not exist: the nearest thing
    /// around it that does. Nothing only if the file could not be read.
    #[must_use]
    pub fn place(&self, path: &[Segment]) -> Option<Place> {
        let Reached { id, .. } = self.reach(path)?;
        Some(self.lines.place(self.tree.first_key(id)))
    }

    /// The place of a key; of an item of a list, or of what does not exist, the same as [`Marks::place`].
    #[must_use]
    pub fn key_place(&self, path: &[Segment]) -> Option<Place> {
        let Reached { id, left } = self.reach(path)?;
        match self.tree.key(id).filter(|_| left == 0) {
            Some(key) => Some(self.lines.place(self.tree.token(key))),
            None => self.place(path),
        }
    }

    /// The place of a word inside the texts at or below a path: whole words first, then parts of words, else the
    /// same as [`Marks::place`].
    #[must_use]
    pub fn find_text(&self, path: &[Segment], needle: &str) -> Option<Place> {
        let Reached { id, left } = self.reach(path)?;
        if left > 0 || needle.is_empty() {
            return self.place(path);
        }
        let mut scalars = Vec::new();
        self.scalars(id, &mut scalars);
        let find =
            |whole| scalars.iter().find_map(|&scalar| self.find_in(self.tree.span(scalar), needle, whole));
        match find(Match::Word).or_else(|| find(Match::Part)) {
            Some(span) => Some(self.lines.place(span)),
            None => self.place(path),
        }
    }

    /// Whether something at or below a path was wrong and left out of the value, so that it cannot be judged.
    #[must_use]
    pub fn was_pruned_below(&self, path: &[Segment]) -> bool {
        let Some(Reached { id, left }) = self.reach(path) else { return true };
        match path[path.len() - left..].first() {
            None => self.tree.lacks_anything(id),
            Some(Segment::Key(key)) => self
                .tree
                .all_entries(id)
                .iter()
                .any(|entry| self.tree.is_hidden(entry.value) && self.tree.text(entry.key) == Some(key)),
            Some(Segment::Index(_)) => self.tree.lacks_children(id),
        }
    }

    fn reach(&self, path: &[Segment]) -> Option<Reached> {
        let mut id = self.tree.root()?;
        for (index, segment) in path.iter().enumerate() {
            let next = match segment {
                Segment::Key(key) => self
                    .tree
                    .entries(id)
                    .find(|entry| self.tree.text(entry.key) == Some(key))
                    .map(|entry| entry.value),
                Segment::Index(index) => self.tree.items(id).nth(*index),
            };
            let Some(next) = next else { return Some(Reached { id, left: path.len() - index }) };
            id = next;
        }
        Some(Reached { id, left: 0 })
    }

    /// The visible scalars at or below a node, in the order of the file.
    fn scalars(&self, id: Id, into: &mut Vec<Id>) {
        if matches!(self.tree.kind(id), Kind::Scalar { .. }) {
            into.push(id);
        }
        for child in self.tree.children(id).filter(|&child| !self.tree.is_hidden(child)) {
            self.scalars(child, into);
        }
    }

    fn find_in(&self, span: Span, needle: &str, how: Match) -> Option<Span> {
        let wanted: Vec<char> = needle.chars().collect();
        (span.start.line..=span.end.line.min(self.lines.count())).find_map(|line| {
            let text: Vec<char> = self.lines.line(line).chars().collect();
            let from = if line == span.start.line { span.start.column } else { 0 };
            let to = if line == span.end.line { span.end.column.min(text.len()) } else { text.len() };
            let is_word = |index: usize| text.get(index).is_some_and(|&c| is_word(c));
            let column = (from..(to + 1).saturating_sub(wanted.len())).find(|&column| {
                let end = column + wanted.len();
                let joined = (column > from && is_word(column - 1)) || (end < to && is_word(end));
                text[column..end] == wanted[..] && (how == Match::Part || !joined)
            })?;
            let end = Spot { line, column: column + wanted.len() };
            Some(Span { start: Spot { line, column }, end })
        })
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Match {
    Part,
    Word,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}
