//! A file as a tree of nodes that know where they stand. Parts of it can be hidden, to try again without them.

/// A position in the text: the line from 1, the column from 0, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Spot {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// From the first character to the one behind the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Span {
    pub(super) start: Spot,
    pub(super) end: Spot,
}

impl Span {
    /// One character.
    pub(super) fn one(start: Spot) -> Self {
        Self { start, end: Spot { line: start.line, column: start.column + 1 } }
    }
}

/// The number of a node in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Id(usize);

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes: may be a number, a truth value or nothing.
    Plain,
    /// In quotes or as a block: always text.
    Text,
}

/// How a list or map is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// By indentation.
    Block,
    /// Between brackets.
    Flow,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Scalar { text: String, style: Style },
    List { items: Vec<Id>, layout: Layout },
    Map { entries: Vec<Entry>, layout: Layout },
}

/// A key and its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) key: Id,
    pub(super) value: Id,
}

#[derive(Debug, Clone)]
struct Node {
    kind: Kind,
    span: Span,
    parent: Option<Id>,
    hidden: bool,
}

/// All nodes of one document. The root is the first.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    pub(super) fn root(&self) -> Option<Id> {
        (!self.nodes.is_empty()).then_some(Id(0))
    }

    /// Adds a node below `parent`; the caller adds it to the parent's children by [`Tree::kind_mut`].
    pub(super) fn add(&mut self, kind: Kind, span: Span, parent: Option<Id>) -> Id {
        self.nodes.push(Node { kind, span, parent, hidden: false });
        Id(self.nodes.len() - 1)
    }

    pub(super) fn kind(&self, id: Id) -> &Kind {
        &self.nodes[id.0].kind
    }

    pub(super) fn kind_mut(&mut self, id: Id) -> &mut Kind {
        &mut self.nodes[id.0].kind
    }

    pub(super) fn span(&self, id: Id) -> Span {
        self.nodes[id.0].span
    }

    pub(super) fn end_at(&mut self, id: Id, end: Spot) {
        self.nodes[id.0].span.end = end;
    }

    pub(super) fn parent(&self, id: Id) -> Option<Id> {
        self.nodes[id.0].parent
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        (0..self.nodes.len()).map(Id)
    }

    /// The text of a scalar, or of a key.
    pub(super) fn text(&self, id: Id) -> Option<&str> {
        match self.kind(id) {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The key that a node is the value of.
    pub(super) fn key(&self, id: Id) -> Option<Id> {
        self.all_entries(self.parent(id)?).iter().find(|entry| entry.value == id).map(|entry| entry.key)
    }

    /// All entries of a map, hidden or not; none for anything else.
    pub(super) fn all_entries(&self, id: Id) -> &[Entry] {
        match self.kind(id) {
            Kind::Map { entries, .. } => entries,
            _ => &[],
        }
    }

    /// The entries of a map that are not hidden.
    pub(super) fn entries(&self, id: Id) -> impl Iterator<Item = Entry> + '_ {
        self.all_entries(id).iter().copied().filter(|entry| !self.is_hidden(entry.value))
    }

    /// The items of a list that are not hidden; none for anything else.
    pub(super) fn items(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        let items = match self.kind(id) {
            Kind::List { items, .. } => items.as_slice(),
            _ => &[],
        };
        items.iter().copied().filter(|&item| !self.is_hidden(item))
    }

    pub(super) fn is_hidden(&self, id: Id) -> bool {
        self.nodes[id.0].hidden
    }

    /// Hides a node: an item of a list, or the entry of a map that it is the key or the value of. The root stays.
    ///
    /// Returns whether anything was hidden.
    pub(super) fn hide(&mut self, id: Id) -> bool {
        let Some(parent) = self.parent(id) else { return false };
        let value =
            self.all_entries(parent).iter().find(|entry| entry.key == id).map_or(id, |entry| entry.value);
        !std::mem::replace(&mut self.nodes[value.0].hidden, true)
    }

    /// Hides a node while the tree is built: a key hides its value when that arrives.
    pub(super) fn leave_out(&mut self, id: Id) {
        self.nodes[id.0].hidden = true;
    }

    /// Whether anything directly inside is hidden.
    pub(super) fn lacks_children(&self, id: Id) -> bool {
        self.children(id).any(|child| self.is_hidden(child))
    }

    /// Whether anything inside, however deep, is hidden.
    pub(super) fn lacks_anything(&self, id: Id) -> bool {
        self.children(id).any(|child| self.is_hidden(child) || self.lacks_anything(child))
    }

    /// The values inside, hidden or not.
    pub(super) fn children(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        let items = match self.kind(id) {
            Kind::List { items, .. } => items.as_slice(),
            _ => &[],
        };
        items.iter().copied().chain(self.all_entries(id).iter().map(|entry| entry.value))
    }

    /// What a caret is drawn under: a scalar, a short flow collection, or the start of a block: its first key or dash.
    /// A value that is not there is shown by its key.
    pub(super) fn token(&self, id: Id) -> Span {
        let span = self.span(id);
        match self.kind(id) {
            Kind::Scalar { text, style: Style::Plain } if text.is_empty() => {
                // An item that is not there is shown by its dash, which stands where the list starts.
                let list = self.parent(id).map_or(span, |list| self.span(list));
                let dash = Spot { line: span.start.line, column: list.start.column };
                self.key(id).map_or(Span::one(dash), |key| self.span(key))
            }
            Kind::Map { entries, layout: Layout::Block } => {
                entries.first().map_or(span, |entry| self.span(entry.key))
            }
            Kind::List { layout: Layout::Block, .. } => Span::one(span.start),
            Kind::List { .. } | Kind::Map { .. } if span.end.line != span.start.line => Span::one(span.start),
            _ => span,
        }
    }

    /// The first key of a map, or else its token.
    pub(super) fn first_key(&self, id: Id) -> Span {
        self.all_entries(id).first().map_or_else(|| self.token(id), |entry| self.span(entry.key))
    }
}
