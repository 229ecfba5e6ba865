//! Text that is not YAML at all, explained to somebody who does not know the grammar.

use saphyr_parser::ScanError;

use super::source::Lines;
use super::tree::{Span, Spot};
use crate::diagnostic::Diagnostic;

const MISFIT: &str = "this line does not fit what stands above it";

/// What the parser says in part, what we say, and what to do.
const EXPLANATIONS: &[(&str, &str, &str)] = &[
    ("byte order mark", "there is an invisible character (a byte order mark) here", "delete it"),
    ("unprintable", "there is a character here that cannot be seen", "delete it"),
    ("recursion limit", "this is nested too deep", "look for a bracket that is not meant"),
    ("tab", "there is a tab here", "indent with spaces"),
    ("unknown anchor", "text may not start with \"*\" here", "quote text that starts with \"*\""),
    (
        "anchor or alias",
        "text may not start with \"&\" or \"*\" here",
        "quote text that starts with \"&\" or \"*\"",
    ),
    (
        "indentation in quoted scalar",
        "a quote that is opened here is not closed on its line",
        "close it, or indent the lines that go on",
    ),
    ("unexpected end of stream", "a quote that is opened here is never closed", "close it"),
    ("document indicator", "a quote is not closed before the end of the document", "close it"),
    (
        "escape",
        "a backslash in double quotes starts a special character, but not this one",
        "write \\\\ for a backslash, or use single quotes",
    ),
    (
        "hexadecimal",
        "a backslash in double quotes starts a special character, but not this one",
        "write \\\\ for a backslash, or use single quotes",
    ),
    (
        "trailing content after double-quoted",
        "there is something behind the closing quote",
        "put the whole text into quotes",
    ),
    (
        "mapping values are not allowed",
        "a \": \" is not allowed here",
        "quote text that contains \": \", or check the indentation",
    ),
    (
        "illegal placement of ':'",
        "a \": \" is not allowed here",
        "quote text that contains \": \", or check the indentation",
    ),
    (
        "simple key expect",
        "this line is neither \"key: value\" nor \"- item\"",
        "add the \":\" behind the key, or check the indentation",
    ),
    (
        "block sequence entries are not allowed",
        "a \"- \" is not allowed here",
        "start the list on a line of its own, or quote the text",
    ),
    (
        "only valid inside a block",
        "a \"- \" is not allowed between brackets",
        "separate items by commas, or quote the text",
    ),
    (
        "expected '-'",
        "this line does not belong to the list above it",
        "start it with \"- \", or check the indentation",
    ),
    ("block mapping, did not find expected key", MISFIT, "check the indentation and the quotes"),
    (
        "',' or '}'",
        "a comma or \"}\" is missing here",
        "close the bracket, or quote text that contains brackets or \": \"",
    ),
    (
        "',' or ']'",
        "a comma or \"]\" is missing here",
        "close the bracket, or quote text that contains brackets or \": \"",
    ),
    (
        "flow construct",
        "this line stands too far left for the bracket that is still open",
        "close the bracket, or indent the line",
    ),
    ("expected node content", "something is missing here", "write a value, or take out the comma or bracket"),
    ("misplaced bracket", "there is a bracket too many", "take it out, or quote the text"),
    ("unexpected character", "text may not start with this character", "quote the text"),
    ("tag", "text may not start with \"!\" here", "quote text that starts with \"!\""),
    ("handle", "text may not start with \"!\" here", "quote text that starts with \"!\""),
    ("directive", "text may not start with \"%\" here", "quote text that starts with \"%\""),
    (
        "block scalar",
        "\"|\" and \">\" start a text of several lines, and this is not one",
        "quote text that starts with \"|\" or \">\"",
    ),
    ("indent", "the indentation does not fit", "indent with spaces, the same for all keys of a map"),
];

/// What a backslash may stand before in double quotes.
const ESCAPES: &str = "0abtnvfre \"/\\\tN_LPxuU";

/// One diagnostic for the place where the parser gave up. `bracket` is where the innermost open bracket stands.
pub(super) fn explain(error: &ScanError, lines: &Lines, bracket: Option<Span>) -> Diagnostic {
    let info = error.info();
    let marker = error.marker();
    let mut spot = last_written(lines, Spot { line: marker.line(), column: marker.col() });
    if info.contains("simple key expect") && indentation(lines.line(spot.line)) >= spot.column {
        // It takes the next line to see that a line is no key.
        spot = last_written(lines, Spot { line: spot.line.saturating_sub(1), column: 0 });
    }
    let line = lines.line(spot.line);
    let span = if info.split(' ').any(|word| word.starts_with("tab")) {
        tab(lines, spot)
    } else if info.contains("escape") {
        escape(line, spot)
    } else if info.contains("simple key expect") {
        Span { start: Spot { column: indentation(line), ..spot }, end: Spot { column: usize::MAX, ..spot } }
    } else {
        Span::one(spot)
    };
    let place = lines.place(span);
    let code = if info.contains("recursion limit") { "too-deep" } else { "yaml-syntax" };
    let explanation = EXPLANATIONS.iter().find(|(part, ..)| info.contains(part));
    let diagnostic = match explanation {
        Some((_, message, _)) if *message == MISFIT && follows_bracket(line, spot) => {
            Diagnostic::error(code, "there is something behind the closing bracket")
                .help("put the whole text into quotes")
        }
        Some((_, message, help)) => Diagnostic::error(code, *message).help(*help),
        None => Diagnostic::error(code, format!("this is not YAML: {info}"))
            .help("check the indentation, quotes and brackets around it"),
    };
    let note = bracket.map(|span| lines.place(span)).filter(|opened| opened.line != place.line);
    diagnostic.at(place).note(note, "inside the bracket opened here")
}

/// The parser notices some mistakes only at the start of a later line, or at the end of the file: that is the end of
/// the last line with something on it.
fn last_written(lines: &Lines, spot: Spot) -> Spot {
    let blank = |number: usize| lines.line(number).trim().is_empty();
    if !blank(spot.line) {
        return spot;
    }
    let written = (1..spot.line).rev().find(|&number| !blank(number));
    written.map_or(spot, |line| Spot { line, column: lines.line(line).trim_end().chars().count() })
}

/// The first tab among the blanks that start a line, from the one where the parser gave up.
fn tab(lines: &Lines, from: Spot) -> Span {
    let found = (from.line..=lines.count()).find_map(|line| {
        let text = lines.line(line);
        text.chars().take(indentation(text)).position(|c| c == '\t').map(|column| Spot { line, column })
    });
    Span::one(found.unwrap_or(from))
}

/// The first backslash in double quotes that means nothing.
fn escape(line: &str, from: Spot) -> Span {
    let characters: Vec<char> = line.chars().collect();
    let mut column = from.column;
    while let Some([c, next]) = characters.get(column..column + 2) {
        match (c, ESCAPES.contains(*next)) {
            ('\\', true) => column += 2,
            ('\\', false) => {
                let start = Spot { line: from.line, column };
                return Span { start, end: Spot { line: from.line, column: column + 2 } };
            }
            _ => column += 1,
        }
    }
    Span::one(from)
}

fn follows_bracket(line: &str, spot: Spot) -> bool {
    line.chars().take(spot.column).collect::<String>().trim_end().ends_with(['}', ']'])
}

fn indentation(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).count()
}
