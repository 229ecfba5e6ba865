//! What can be wrong when a tree is read as a type, and how that is said.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::source::Lines;
use super::tree::{Id, Kind, Layout, Tree};
use super::words::{self, Scalar, quoted, with_article};
use crate::diagnostic::{Diagnostic, closest};

/// A mistake and the node it is about, as soon as somebody on the way up knows the node.
#[derive(Debug)]
pub(super) struct Error(Box<Mistake>);

#[derive(Debug)]
struct Mistake {
    what: What,
    at: Option<Id>,
}

#[derive(Debug)]
pub(super) enum What {
    DuplicateKey { key: String },
    Expected { expected: String, found: Option<String>, want: Want },
    MissingKey { owner: Option<String>, key: String },
    OneKey { name: String, one_of: &'static [&'static str] },
    Other { message: String },
    UnknownKey { owner: Option<String>, key: String, one_of: &'static [&'static str] },
    UnknownWord { name: Option<String>, word: String, one_of: &'static [&'static str] },
}

/// What was asked for, so that the help fits.
#[derive(Debug, Clone, Copy)]
pub(super) enum Want {
    Bool,
    Keys(&'static [&'static str]),
    List,
    Number,
    Other,
    Text,
    Word(&'static [&'static str]),
}

impl Error {
    pub(super) fn new(what: What) -> Self {
        Self(Box::new(Mistake { what, at: None }))
    }

    /// `expected …, found …`, with what was found taken from the node.
    pub(super) fn expected(expected: impl Into<String>, want: Want) -> Self {
        Self::new(What::Expected { expected: expected.into(), found: None, want })
    }

    /// The same for a word with nothing behind it.
    pub(super) fn found_nothing(mut self) -> Self {
        if let What::Expected { found, .. } = &mut self.0.what {
            *found = Some("nothing".to_owned());
        }
        self
    }

    /// Says where it is, unless somebody further in has said so.
    pub(super) fn at(mut self, id: Id) -> Self {
        self.0.at.get_or_insert(id);
        self
    }

    /// For what a map's visitor says of a key that it has read itself.
    pub(super) fn at_key(mut self, tree: &Tree, map: Id) -> Self {
        if let What::UnknownKey { key, .. } | What::DuplicateKey { key } = &self.0.what {
            let entry = tree.entries(map).filter(|entry| tree.text(entry.key) == Some(key)).last();
            self.0.at = self.0.at.or(entry.map(|entry| entry.key));
        }
        self
    }

    /// Says what a word is called, if it is the one at `id`.
    pub(super) fn word_called(mut self, id: Id, human: &str) -> Self {
        if let What::UnknownWord { name: name @ None, .. } = &mut self.0.what
            && self.0.at.is_none_or(|at| at == id)
        {
            *name = Some(human.to_owned());
        }
        self
    }

    /// Says what a map is called, if a key of the one at `map` is unknown or missing.
    pub(super) fn map_called(mut self, tree: &Tree, map: Id, human: &str) -> Self {
        let about =
            |at: Option<Id>, of: fn(&Tree, Id) -> Option<Id>| at.is_none_or(|at| of(tree, at) == Some(map));
        let at = self.0.at;
        match &mut self.0.what {
            What::UnknownKey { owner: owner @ None, .. } if about(at, Tree::parent) => {
                *owner = Some(human.to_owned())
            }
            What::MissingKey { owner: owner @ None, .. } if about(at, |_, at| Some(at)) => {
                *owner = Some(human.to_owned());
            }
            _ => {}
        }
        self
    }

    pub(super) fn place(&self) -> Option<Id> {
        self.0.at
    }

    /// Whether this only follows from parts that are hidden because of other mistakes.
    pub(super) fn is_consequence(&self, tree: &Tree) -> bool {
        let Some(at) = self.0.at else { return false };
        match &self.0.what {
            What::MissingKey { key, .. } => tree
                .all_entries(at)
                .iter()
                .filter(|entry| tree.is_hidden(entry.value))
                .filter_map(|entry| tree.text(entry.key))
                .any(|hidden| closest(hidden, [key.as_str()]).is_some()),
            What::Expected { .. } | What::OneKey { .. } | What::Other { .. } => tree.lacks_anything(at),
            What::DuplicateKey { .. } | What::UnknownKey { .. } | What::UnknownWord { .. } => false,
        }
    }

    /// The mistake as users see it; `root` is what it is about if nothing is known.
    pub(super) fn diagnostic(&self, tree: &Tree, lines: &Lines, root: Id) -> Diagnostic {
        let at = self.0.at.unwrap_or(root);
        let here = lines.place(tree.token(at));
        match &self.0.what {
            What::DuplicateKey { key } => {
                Diagnostic::error("duplicate-key", format!("key {} is written twice", quoted(key)))
                    .at(here)
                    .help("keep one of them")
            }
            What::Expected { expected, found, want } => {
                let bare = found.is_some() && !matches!(want, Want::Other);
                let help = match tree.text(at).filter(|_| bare) {
                    Some(word) => format!("write \"{word}: …\""),
                    None => help(*want, expected, tree.kind(at)),
                };
                let found = found.clone().unwrap_or_else(|| words::found(tree.kind(at)));
                let values = if let Want::Word(one_of) = want { one_of } else { &[][..] };
                Diagnostic::error("wrong-kind", format!("expected {expected}, found {found}"))
                    .at(here)
                    .one_of(values.iter().copied())
                    .help(help)
            }
            What::MissingKey { owner, key } => {
                let owner = owner.as_deref().or_else(|| tree.key(at).and_then(|key| tree.text(key)));
                let owner = owner.map(|owner| format!(" in {owner}")).unwrap_or_default();
                Diagnostic::error("missing-key", format!("missing key {}{owner}", quoted(key)))
                    .at(lines.place(tree.first_key(at)))
                    .help(format!("add \"{key}: …\""))
            }
            What::OneKey { name, one_of } => one_key(tree, lines, at, name, one_of),
            What::Other { message } => other(message).at(here),
            What::UnknownKey { owner, key, one_of } => {
                let map = tree.parent(at);
                let owner = owner.as_deref().or_else(|| tree.text(tree.key(map?)?));
                let owner = owner.map(|owner| format!(" in {owner}")).unwrap_or_default();
                let flow =
                    map.is_some_and(|map| matches!(tree.kind(map), Kind::Map { layout: Layout::Flow, .. }));
                let diagnostic =
                    Diagnostic::error("unknown-key", format!("unknown key {}{owner}", quoted(key)))
                        .at(here)
                        .one_of(one_of.iter().copied());
                match closest(key, one_of.iter().copied()) {
                    Some(near) => diagnostic.help(format!("did you mean \"{near}\"?")),
                    None if flow && key.contains(' ') => {
                        diagnostic.help("if this belongs to the text before the comma, quote that text")
                    }
                    None if one_of.is_empty() => diagnostic.help("take it out"),
                    None => diagnostic.help("take it out, or write one of these"),
                }
            }
            What::UnknownWord { name, word, one_of } => {
                let name = name.as_deref().unwrap_or("word");
                unknown_word(name, word, one_of).at(here)
            }
        }
    }
}

fn unknown_word(name: &str, word: &str, one_of: &[&str]) -> Diagnostic {
    let diagnostic = Diagnostic::error("unknown-word", format!("unknown {name} {}", quoted(word)))
        .one_of(one_of.iter().copied());
    match closest(word, one_of.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean \"{near}\"?")),
        None => diagnostic.help("write one of these"),
    }
}

/// A map that stands for a word with a value, but has no key or several.
fn one_key(tree: &Tree, lines: &Lines, at: Id, name: &str, one_of: &[&str]) -> Diagnostic {
    let keys: Vec<_> = tree.entries(at).map(|entry| entry.key).collect();
    let texts: Vec<_> = keys.iter().filter_map(|&key| tree.text(key)).collect();
    let message = match texts.len() {
        0 => format!("expected {} with one key, found none", with_article(name)),
        count => format!("expected {} with one key, found {count}: {}", with_article(name), texts.join(", ")),
    };
    // The key that is too much: the second, unless only that one is known.
    let strange = keys.iter().zip(&texts).find(|(_, text)| !one_of.contains(text)).map(|(&key, _)| key);
    let key = strange.or(keys.get(1).copied());
    let diagnostic = Diagnostic::error("several-keys", message)
        .at(lines.place(key.map_or_else(|| tree.token(at), |key| tree.token(key))));
    let flow = matches!(tree.kind(at), Kind::Map { layout: Layout::Flow, .. });
    match key.and_then(|key| tree.text(key)) {
        None => diagnostic.one_of(one_of.iter().copied()).help("write one of these as its key"),
        Some(text) if one_of.contains(&text) && flow => diagnostic.help("put each into braces of its own"),
        Some(text) if one_of.contains(&text) => {
            diagnostic.help(format!("start another item: \"- {text}: …\""))
        }
        Some(text) => match (closest(text, one_of.iter().copied()), texts.first()) {
            (Some(near), _) => diagnostic.help(format!("did you mean \"{near}\", in an item of its own?")),
            (None, Some(&first)) if first != text => {
                diagnostic.help(format!("indent \"{text}\" more than \"{first}\" if it belongs to it"))
            }
            (None, _) => diagnostic.one_of(one_of.iter().copied()).help("write one of these as its only key"),
        },
    }
}

/// A message of a type's own, with `help: ` and `one of: ` lines below it.
fn other(message: &str) -> Diagnostic {
    let mut diagnostic = Diagnostic::error("bad-value", "");
    let mut said = Vec::new();
    for line in message.lines() {
        if let Some(help) = line.strip_prefix("help: ") {
            diagnostic = diagnostic.help(help);
        } else if let Some(values) = line.strip_prefix("one of: ") {
            diagnostic = diagnostic.one_of(values.split(", "));
        } else {
            said.push(line.trim());
        }
    }
    diagnostic.message = said.join(" ");
    diagnostic
}

fn help(want: Want, expected: &str, kind: &Kind) -> String {
    let (text, scalar) = match kind {
        Kind::Scalar { text, style } => (text.as_str(), Some(Scalar::read(text, *style))),
        Kind::List { .. } | Kind::Map { .. } => ("", None),
    };
    match (want, scalar) {
        (Want::Word(_), _) => "write one of these".to_owned(),
        (Want::Keys(keys), _) if !keys.is_empty() => {
            format!("write a map with these keys: {}", keys.join(", "))
        }
        (Want::Keys(_), _) => "write it as a map: { key: value }".to_owned(),
        (_, Some(Scalar::Nothing)) if !text.is_empty() => {
            format!("to write it as text, quote it: \"{text}\"")
        }
        (_, Some(Scalar::Nothing)) => format!("write {expected} here"),
        (Want::List, Some(_)) => format!("write it as a list: [{text}]"),
        (Want::List, None) => "start each item with \"- \"".to_owned(),
        (Want::Bool, Some(Scalar::Text("yes" | "on"))) => "write true".to_owned(),
        (Want::Bool, Some(Scalar::Text("no" | "off"))) => "write false".to_owned(),
        (Want::Number, Some(Scalar::Text(text))) if text.parse::<f64>().is_ok() => {
            format!("write {text} without quotes")
        }
        (Want::Other, Some(Scalar::Bool(_) | Scalar::Whole(_) | Scalar::Number(_)))
            if expected.contains("text") || expected.contains("word") =>
        {
            format!("quote it: \"{text}\"")
        }
        (Want::Text, None) => "write text; quote it if it starts with a bracket".to_owned(),
        _ => format!("write {expected}"),
    }
}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(What::Other { message: message.to_string() })
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = Some(words::unexpected(&found));
        Self::new(What::Expected {
            expected: words::expected(&expected.to_string()),
            found,
            want: Want::Other,
        })
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        let found = Some(format!("{length} item{}", if length == 1 { "" } else { "s" }));
        Self::new(What::Expected {
            expected: words::expected(&expected.to_string()),
            found,
            want: Want::Other,
        })
    }

    fn unknown_variant(word: &str, one_of: &'static [&'static str]) -> Self {
        Self::new(What::UnknownWord { name: None, word: word.to_owned(), one_of })
    }

    fn unknown_field(key: &str, one_of: &'static [&'static str]) -> Self {
        Self::new(What::UnknownKey { owner: None, key: key.to_owned(), one_of })
    }

    fn missing_field(key: &'static str) -> Self {
        Self::new(What::MissingKey { owner: None, key: key.to_owned() })
    }

    fn duplicate_field(key: &'static str) -> Self {
        Self::new(What::DuplicateKey { key: key.to_owned() })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Only seen if a type wraps an error of ours into one of its own.
        match &self.0.what {
            What::Other { message } => f.write_str(message),
            What::UnknownKey { key, .. } => write!(f, "unknown key {}", quoted(key)),
            What::UnknownWord { word, .. } => write!(f, "unknown word {}", quoted(word)),
            What::MissingKey { key, .. } => write!(f, "missing key {}", quoted(key)),
            What::DuplicateKey { key } => write!(f, "key {} is written twice", quoted(key)),
            What::Expected { expected, .. } => write!(f, "expected {expected}"),
            What::OneKey { name, .. } => write!(f, "expected {} with one key", with_article(name)),
        }
    }
}

impl std::error::Error for Error {}
