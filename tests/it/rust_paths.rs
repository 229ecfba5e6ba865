//! The paths that a Rust file names, without a compiler: enough to see who imports whom.
//!
//! ```text
//! use crate::{event::Event, suite};     crate::event::Event, crate::suite
//! let now = tokio::time::Instant::now() tokio::time::Instant::now
//! println!("x")                         println!
//! ```

/// One path and the line it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) path: String,
    pub(crate) line: usize,
    /// How many `mod name { ... }` of the file it stands in.
    pub(crate) depth: usize,
}

/// What a file names outside its tests.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) imports: Vec<Import>,
    /// The modules that are declared `#[cfg(test)] mod name;`.
    pub(crate) test_modules: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Mark(char),
}

/// Reads a file's text.
pub(crate) fn imports(text: &str) -> Found {
    let tokens = tokens(text);
    let mut found = Found::default();
    let mut at = 0;
    // The braces that are open, and for each whether it is a module's.
    let mut braces: Vec<bool> = Vec::new();
    while at < tokens.len() {
        let depth = braces.iter().filter(|is_module| **is_module).count();
        if let Some(after) = after_cfg_test(&tokens, at) {
            if is_word(&tokens, after, "mod")
                && is_mark(&tokens, after + 2, ';')
                && let Some((Token::Word(name), _)) = tokens.get(after + 1)
            {
                found.test_modules.push(name.clone());
            }
            at = end_of_item(&tokens, after);
        } else if is_word(&tokens, at, "use") {
            at = use_tree(
                &tokens,
                at + 1,
                &Import { path: String::new(), line: 0, depth },
                &mut found.imports,
            );
        } else if let Some((Token::Word(word), line)) = tokens.get(at) {
            let mut path = word.clone();
            at += 1;
            while is_mark(&tokens, at, ':') && is_mark(&tokens, at + 1, ':') {
                let Some((Token::Word(next), _)) = tokens.get(at + 2) else { break };
                path = format!("{path}::{next}");
                at += 3;
            }
            if path.contains("::") {
                found.imports.push(Import { path, line: *line, depth });
            } else if is_mark(&tokens, at, '!') && !is_mark(&tokens, at + 1, '=') {
                found.imports.push(Import { path: format!("{path}!"), line: *line, depth });
            }
        } else {
            if is_mark(&tokens, at, '{') {
                braces.push(at >= 2 && is_word(&tokens, at - 2, "mod"));
            } else if is_mark(&tokens, at, '}') {
                braces.pop();
            }
            at += 1;
        }
    }
    found
}

/// Reads one tree of a `use`, and says where it ends.
fn use_tree(tokens: &[(Token, usize)], mut at: usize, prefix: &Import, into: &mut Vec<Import>) -> usize {
    let depth = prefix.depth;
    let mut path = prefix.path.clone();
    let line = tokens.get(at).map_or(0, |(_, line)| *line);
    loop {
        match tokens.get(at) {
            Some((Token::Word(word), _)) if word == "as" => at += 2,
            Some((Token::Word(word), _)) => {
                if word != "self" || path.is_empty() {
                    path = if path.is_empty() { word.clone() } else { format!("{path}::{word}") };
                }
                at += 1;
            }
            Some((Token::Mark('{'), _)) => {
                at += 1;
                let prefix = Import { path, line, depth };
                while at < tokens.len() && !is_mark(tokens, at, '}') {
                    at = use_tree(tokens, at, &prefix, into);
                    if is_mark(tokens, at, ',') {
                        at += 1;
                    }
                }
                return at + 1;
            }
            Some((Token::Mark(':' | '*'), _)) => at += 1,
            _ => {
                into.push(Import { path, line, depth });
                return at;
            }
        }
    }
}

/// Where the item begins that `#[cfg(test)]` at `at` is about.
fn after_cfg_test(tokens: &[(Token, usize)], at: usize) -> Option<usize> {
    let is = is_mark(tokens, at, '#')
        && is_mark(tokens, at + 1, '[')
        && is_word(tokens, at + 2, "cfg")
        && is_mark(tokens, at + 3, '(')
        && is_word(tokens, at + 4, "test")
        && is_mark(tokens, at + 5, ')')
        && is_mark(tokens, at + 6, ']');
    if !is {
        return None;
    }
    let mut after = at + 7;
    while is_mark(tokens, after, '#') {
        after = end_of_item(tokens, after + 1);
    }
    while is_word(tokens, after, "pub") {
        after += 1;
        if is_mark(tokens, after, '(') {
            while after < tokens.len() && !is_mark(tokens, after, ')') {
                after += 1;
            }
            after += 1;
        }
    }
    Some(after)
}

/// Behind the next `;` outside brackets, or the first block in braces; for an attribute behind its brackets.
fn end_of_item(tokens: &[(Token, usize)], mut at: usize) -> usize {
    let is_attribute = is_mark(tokens, at, '[');
    let is_use = is_word(tokens, at, "use");
    let mut depth = 0_usize;
    while let Some((token, _)) = tokens.get(at) {
        at += 1;
        match token {
            Token::Mark('(' | '[' | '{') => depth += 1,
            Token::Mark(mark @ (')' | ']' | '}')) => {
                depth = depth.saturating_sub(1);
                if depth == 0 && (is_attribute || *mark == '}' && !is_use) {
                    return at;
                }
            }
            Token::Mark(';') if depth == 0 => return at,
            _ => {}
        }
    }
    at
}

fn is_word(tokens: &[(Token, usize)], at: usize, word: &str) -> bool {
    matches!(tokens.get(at), Some((Token::Word(found), _)) if found == word)
}

fn is_mark(tokens: &[(Token, usize)], at: usize, mark: char) -> bool {
    matches!(tokens.get(at), Some((Token::Mark(found), _)) if *found == mark)
}

/// Words and marks with their lines; comments, texts, characters and lifetimes are left out.
fn tokens(text: &str) -> Vec<(Token, usize)> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    let get = |at: usize| chars.get(at).copied().unwrap_or('\0');
    while at < chars.len() {
        let start = at;
        let c = chars[at];
        if c.is_whitespace() {
            at += 1;
        } else if c == '/' && get(at + 1) == '/' {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
        } else if c == '/' && get(at + 1) == '*' {
            while at < chars.len() && !(chars[at] == '*' && get(at + 1) == '/') {
                at += 1;
            }
            at += 2;
        } else if let Some(hashes) = raw_text(&chars, at) {
            let close: String = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            at += chars[at..].iter().position(|c| *c == '"').unwrap_or(0) + 1;
            while at < chars.len() && !close.chars().enumerate().all(|(n, c)| get(at + n) == c) {
                at += 1;
            }
            at += close.len();
        } else if c == '"' {
            at += 1;
            while at < chars.len() && chars[at] != '"' {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
        } else if c == '\'' && (get(at + 1) == '\\' || get(at + 2) == '\'') {
            at += if get(at + 1) == '\\' { 3 } else { 2 };
            while at < chars.len() && chars[at] != '\'' {
                at += 1;
            }
            at += 1;
        } else if c == '\'' {
            at += 1;
            while get(at).is_alphanumeric() || get(at) == '_' {
                at += 1;
            }
        } else if c.is_alphanumeric() || c == '_' {
            while get(at).is_alphanumeric() || get(at) == '_' {
                at += 1;
            }
            tokens.push((Token::Word(chars[start..at].iter().collect()), line));
        } else {
            tokens.push((Token::Mark(c), line));
            at += 1;
        }
        line += chars[start..at.min(chars.len())].iter().filter(|c| **c == '\n').count();
    }
    tokens
}

/// Whether a raw text begins here (`r"`, `br#"`), and with how many hashes.
fn raw_text(chars: &[char], at: usize) -> Option<usize> {
    if at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_') {
        return None;
    }
    let mut rest = chars[at..].iter().peekable();
    rest.next_if(|c| **c == 'b');
    rest.next_if(|c| **c == 'r')?;
    let mut hashes = 0;
    while rest.next_if(|c| **c == '#').is_some() {
        hashes += 1;
    }
    rest.next_if(|c| **c == '"').map(|_| hashes)
}

#[test]
fn paths_are_found_and_texts_comments_and_tests_are_not() {
    let found = imports(
        r##"
use crate::{event::{self, Event as Happened}, suite::*};
pub(crate) use super::super::a;
// crate::comment /* "
fn f<'a>(x: &'a str) -> crate::plan::Plan<'a> {
    let c = ['"', '\'', '\\', '\u{1F}'];
    let t = "crate::text \" println!()"; let r = r#"crate::raw "quoted" "#;
    println!("{}", a != b);
    std::env::var("X")
}
#[cfg(test)]
use crate::only_tests::{A, B};
#[cfg(test)]
mod virtual_time;
#[cfg(test)]
#[expect(dead_code, reason = "x")]
pub(crate) fn helper() { crate::helper::x() }
mod inner { use super::b; fn f() {} }
use crate::last;
#[cfg(test)]
mod tests { use crate::deep::x; fn f() { { crate::deeper::y } } }
"##,
    );
    let paths: Vec<_> =
        found.imports.iter().map(|import| (import.line, import.depth, import.path.as_str())).collect();
    assert_eq!(
        paths,
        [
            (2, 0, "crate::event"),
            (2, 0, "crate::event::Event"),
            (2, 0, "crate::suite"),
            (3, 0, "super::super::a"),
            (5, 0, "crate::plan::Plan"),
            (8, 0, "println!"),
            (9, 0, "std::env::var"),
            (18, 1, "super::b"),
            (19, 0, "crate::last"),
        ]
    );
    assert_eq!(found.test_modules, ["virtual_time"]);
}
