//! Mistakes that show without knowing what the file is about.

use std::collections::HashMap;

use super::source::Lines;
use super::tree::{Entry, Id, Kind, Layout, Span, Style, Tree};
use super::words::quoted;
use crate::diagnostic::Diagnostic;

/// What to hide, and why; the rest of a mistake that is reported already needs no second diagnostic.
type Wrong = Vec<(Id, Option<Diagnostic>)>;

/// Finds them, and hides what is wrong from the reading that follows.
pub(super) fn lint(tree: &mut Tree, lines: &Lines) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for map in tree.ids() {
        let mut wrong = Wrong::new();
        odd_keys(tree, lines, map, &mut wrong);
        if matches!(tree.kind(map), Kind::Map { layout: Layout::Flow, .. }) {
            valueless_keys(tree, lines, map, &mut wrong);
        }
        for (id, diagnostic) in wrong {
            tree.hide(id);
            diagnostics.extend(diagnostic);
        }
    }
    diagnostics
}

/// Keys that are lists or maps, keys written twice, and `<<`.
fn odd_keys(tree: &Tree, lines: &Lines, map: Id, wrong: &mut Wrong) {
    let mut first: HashMap<&str, Id> = HashMap::new();
    for Entry { key, .. } in tree.entries(map) {
        let place = lines.place(tree.token(key));
        let Some(text) = tree.text(key) else {
            let diagnostic = Diagnostic::error("unsupported-yaml", "a key must be a word")
                .at(place)
                .help("quote text that starts with a bracket");
            wrong.push((key, Some(diagnostic)));
            continue;
        };
        if text == "<<" {
            let diagnostic = Diagnostic::error("unsupported-yaml", "merging of maps (<<) is not supported")
                .at(place)
                .help("write the keys out");
            wrong.push((key, Some(diagnostic)));
        } else if let Some(&earlier) = first.get(text) {
            let diagnostic =
                Diagnostic::error("duplicate-key", format!("key {} is written twice", quoted(text)))
                    .at(place)
                    .note(lines.place(tree.span(earlier)), "first written here")
                    .help("keep one of them");
            wrong.push((key, Some(diagnostic)));
        } else {
            first.insert(text, key);
        }
    }
}

/// Keys between braces that have no colon: mostly the rest of a text that a comma cut in two.
fn valueless_keys(tree: &Tree, lines: &Lines, map: Id, wrong: &mut Wrong) {
    let entries = tree.all_entries(map);
    let mut index = 0;
    while index < entries.len() {
        let cut = entries[index..].iter().take_while(|entry| is_valueless(tree, lines, **entry)).count();
        let Some(entry) = entries.get(index).filter(|_| cut > 0) else {
            index += 1;
            continue;
        };
        let rest: Vec<&str> =
            entries[index..index + cut].iter().filter_map(|entry| tree.text(entry.key)).collect();
        let before = index.checked_sub(1).map(|previous| entries[previous]);
        let diagnostic =
            valueless(tree, before, &rest, entries.len() == 1).at(lines.place(tree.token(entry.key)));
        wrong.push((entry.key, Some(diagnostic)));
        wrong.extend(entries[index + 1..index + cut].iter().map(|entry| (entry.key, None)));
        index += cut;
    }
}

fn valueless(tree: &Tree, before: Option<Entry>, rest: &[&str], alone: bool) -> Diagnostic {
    let key = rest.first().copied().unwrap_or_default();
    let plain = before.and_then(|entry| match tree.kind(entry.value) {
        Kind::Scalar { text, style: Style::Plain } if !text.is_empty() => Some((tree.text(entry.key)?, text)),
        _ => None,
    });
    let missing = Diagnostic::error("key-without-value", format!("key {} has no value", quoted(key)));
    match plain {
        Some((name, start)) => {
            let whole = format!("{name}: \"{start}, {}\"", rest.join(", "));
            if rest.iter().any(|part| part.contains(' ')) {
                Diagnostic::error("cut-text", "a comma cuts this text in two")
                    .help(format!("quote text that contains a comma: {whole}"))
            } else {
                missing.help(format!("write \"{key}: …\", or quote text that contains a comma: {whole}"))
            }
        }
        None if alone => missing.help(format!("write \"{key}: …\"; as text, quote it: \"{{{key}}}\"")),
        None => missing.help(format!("write \"{key}: …\"")),
    }
}

/// Whether an entry is a bare word: nothing for a value, and no colon that announces one.
fn is_valueless(tree: &Tree, lines: &Lines, entry: Entry) -> bool {
    let empty =
        matches!(tree.kind(entry.value), Kind::Scalar { text, style: Style::Plain } if text.is_empty());
    let Span { end, .. } = tree.span(entry.key);
    let next = lines.line(end.line).chars().skip(end.column).find(|c| !c.is_whitespace());
    empty && tree.text(entry.key).is_some_and(|text| !text.is_empty()) && next != Some(':')
}
