//! From text to the marked tree, by the events of `saphyr-parser`.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use super::source::{Lines, Source, without_mark};
use super::syntax;
use super::tree::{Entry, Id, Kind, Layout, Span, Spot, Style, Tree};
use crate::diagnostic::Diagnostic;

/// Nobody nests deeper by hand, and recursion over the tree needs a bound.
const DEEPEST: usize = 64;

/// The tree of a file, empty if the file cannot be read, and what was found wrong on the way.
pub(super) struct Parsed {
    pub(super) tree: Tree,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Reads the one document of a file.
pub(super) fn parse(source: &Source, lines: &Lines) -> Parsed {
    let mut builder = Builder { lines, tree: Tree::default(), open: Vec::new(), diagnostics: Vec::new() };
    if let Err(fatal) = builder.read(without_mark(&source.text)) {
        builder.diagnostics.push(fatal);
        builder.tree = Tree::default();
    }
    Parsed { tree: builder.tree, diagnostics: builder.diagnostics }
}

struct Builder<'a> {
    lines: &'a Lines,
    tree: Tree,
    open: Vec<Open>,
    diagnostics: Vec<Diagnostic>,
}

/// A list or map whose end has not been reached.
struct Open {
    id: Id,
    /// The key whose value comes next.
    key: Option<Id>,
}

impl Builder<'_> {
    fn read(&mut self, text: &str) -> Result<(), Diagnostic> {
        let mut documents = 0;
        for event in Parser::new_from_str(text) {
            let (event, span) =
                event.map_err(|error| syntax::explain(&error, self.lines, self.open_bracket()))?;
            let span = Span { start: spot(&span.start), end: spot(&span.end) };
            if matches!(event, Event::DocumentStart(_)) {
                documents += 1;
                if documents > 1 {
                    self.report(
                        Diagnostic::error("several-documents", "a second document starts here")
                            .help("put it into a file of its own; \"---\" may stand in the first line only"),
                        span,
                    );
                    break;
                }
            }
            self.take(event, span)?;
        }
        let root = self.tree.root().map(|root| self.tree.kind(root));
        match root {
            None => Err(self.empty()),
            Some(Kind::Scalar { text, style: Style::Plain }) if text.is_empty() => Err(self.empty()),
            Some(_) => Ok(()),
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Diagnostic> {
        match event {
            Event::Alias(_) => {
                let id = self.add(Kind::Scalar { text: String::new(), style: Style::Text }, span);
                let message = "references to other parts of the file (*) are not supported";
                self.unsupported(id, span, message, "write it out; quote text that starts with \"*\"");
            }
            Event::Scalar(text, style, anchor, tag) => {
                let style = if style == ScalarStyle::Plain { Style::Plain } else { Style::Text };
                let id = self.add(Kind::Scalar { text: text.into_owned(), style }, span);
                self.refuse_properties(id, span, anchor, tag.is_some());
            }
            Event::SequenceStart(anchor, tag) => {
                let layout = self.layout(span, '[');
                self.enter(Kind::List { items: Vec::new(), layout }, span, anchor, tag.is_some())?;
            }
            Event::MappingStart(anchor, tag) => {
                let layout = self.layout(span, '{');
                self.enter(Kind::Map { entries: Vec::new(), layout }, span, anchor, tag.is_some())?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    self.tree.end_at(open.id, span.end);
                }
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn enter(&mut self, kind: Kind, span: Span, anchor: usize, tagged: bool) -> Result<(), Diagnostic> {
        if self.open.len() == DEEPEST {
            return Err(Diagnostic::error(
                "too-deep",
                format!("this is nested more than {DEEPEST} levels deep"),
            )
            .at(self.lines.place(Span::one(span.start)))
            .help("look for a bracket or an indentation that is not meant"));
        }
        let id = self.add(kind, span);
        self.refuse_properties(id, span, anchor, tagged);
        self.open.push(Open { id, key: None });
        Ok(())
    }

    /// Adds a node where the last opened list or map goes on.
    fn add(&mut self, kind: Kind, span: Span) -> Id {
        let id = self.tree.add(kind, span, self.open.last().map(|open| open.id));
        if let Some(open) = self.open.last_mut() {
            match self.tree.kind_mut(open.id) {
                Kind::List { items, .. } => items.push(id),
                Kind::Map { entries, .. } => match open.key.take() {
                    None => open.key = Some(id),
                    Some(key) => {
                        entries.push(Entry { key, value: id });
                        if self.tree.is_hidden(key) {
                            self.tree.hide(id);
                        }
                    }
                },
                // Only lists and maps are opened.
                Kind::Scalar { .. } => {}
            }
        }
        id
    }

    /// Anchors and tags are features of YAML that suites do without; mostly they are text that lacks quotes.
    fn refuse_properties(&mut self, id: Id, span: Span, anchor: usize, tagged: bool) {
        let (sigil, message) = match (anchor > 0, tagged) {
            (true, _) => ('&', "names for parts of the file (&) are not supported"),
            (_, true) => ('!', "type tags (!) are not supported"),
            (false, false) => return,
        };
        let help = format!("leave it out; quote text that starts with \"{sigil}\"");
        let line: Vec<char> = self.lines.line(span.start.line).chars().take(span.start.column + 1).collect();
        let column = line.iter().rposition(|&c| c == sigil);
        let place = column.map_or(span, |column| Span::one(Spot { line: span.start.line, column }));
        self.unsupported(id, place, message, &help);
    }

    fn unsupported(&mut self, id: Id, span: Span, message: &str, help: &str) {
        self.tree.leave_out(id);
        self.report(Diagnostic::error("unsupported-yaml", message).help(help), span);
    }

    fn report(&mut self, diagnostic: Diagnostic, span: Span) {
        self.diagnostics.push(diagnostic.at(self.lines.place(span)));
    }

    fn empty(&self) -> Diagnostic {
        Diagnostic::error("empty-file", "the file is empty")
            .at(self.lines.place(Span::one(Spot { line: 1, column: 0 })))
            .help("write something into it, or delete it")
    }

    fn layout(&self, span: Span, bracket: char) -> Layout {
        let first = self.lines.line(span.start.line).chars().nth(span.start.column);
        if first == Some(bracket) { Layout::Flow } else { Layout::Block }
    }

    /// Where the innermost bracket was opened that is still open.
    fn open_bracket(&self) -> Option<Span> {
        let innermost = self.open.iter().rev().map(|open| open.id).find(|&id| {
            matches!(
                self.tree.kind(id),
                Kind::List { layout: Layout::Flow, .. } | Kind::Map { layout: Layout::Flow, .. }
            )
        });
        innermost.map(|id| Span::one(self.tree.span(id).start))
    }
}

fn spot(marker: &Marker) -> Spot {
    Spot { line: marker.line(), column: marker.col() }
}
