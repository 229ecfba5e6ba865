//! Breaking lines: at spaces where it can be, after punctuation of JSON and URLs where it must be.

/// Columns of a text without colours; characters of double width count once.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.chars().count()
}

/// The text without anything that could move a terminal's cursor or turn its text round: servers send what they like.
///
/// Line ends stay; other control characters are shown as `\u{1b}`.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\n' => clean.push('\n'),
            '\t' => clean.push_str("    "),
            // Bidirectional overrides and isolates can make a line read as something else.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                clean.extend(c.escape_unicode());
            }
            c if c.is_control() => clean.extend(c.escape_unicode()),
            c => clean.push(c),
        }
    }
    clean
}

/// The lines of a text, cleaned, none wider than `width`.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(16);
    let mut lines = Vec::new();
    for paragraph in clean(text).lines() {
        let mut line = String::new();
        for word in paragraph.split_inclusive(' ') {
            let mut word = word;
            let room = width.saturating_sub(columns(&line));
            // A word that fits on no line is broken here already, when a good part of this line is left for it.
            let starts_here = columns(word.trim_end()) > width && room > width / 2;
            if columns(word.trim_end()) > room && !starts_here && !line.trim_end().is_empty() {
                lines.push(line.trim_end().to_owned());
                line.clear();
            }
            while columns(&line) + columns(word.trim_end()) > width {
                let (head, tail) = word.split_at(break_point(word, width - columns(&line)));
                lines.push(std::mem::take(&mut line) + head);
                word = tail;
            }
            line.push_str(word);
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Where to break a word that is wider than the line: after the last punctuation in its second half, or at the width.
fn break_point(word: &str, width: usize) -> usize {
    let ends = word.char_indices().map(|(at, c)| (at + c.len_utf8(), c)).take(width);
    let (hard, soft) = ends.enumerate().fold((0, None), |(_, soft), (index, (end, c))| {
        let good = index >= width / 2 && matches!(c, ',' | '&' | '/' | ';' | '?');
        (end, if good { Some(end) } else { soft })
    });
    soft.unwrap_or(hard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_long_words_after_punctuation() {
        assert_eq!(wrap("one two three four five", 16), ["one two three", "four five"]);
        assert_eq!(wrap("401  {\"a\":1}", 16), ["401  {\"a\":1}"]);
        assert_eq!(
            wrap("{\"error\":\"x\",\"description\":\"y\"}", 20),
            ["{\"error\":\"x\",", "\"description\":\"y\"}"]
        );
        assert_eq!(wrap("aaaaaaaaaaaaaaaaaaaaaaaa", 20), ["aaaaaaaaaaaaaaaaaaaa", "aaaa"]);
        assert_eq!(wrap("401  aaaaaaaaaaaaaaaaaaaaaaaa", 20), ["401  aaaaaaaaaaaaaaa", "aaaaaaaaa"]);
        assert_eq!(wrap("a\nb", 20), ["a", "b"]);
    }

    #[test]
    fn nothing_a_server_sends_reaches_the_terminal_as_a_command() {
        assert_eq!(clean("a\x1b[2Jb\rc\u{202e}d"), "a\\u{1b}[2Jb\\u{d}c\\u{202e}d");
        assert_eq!(clean("a\r\nb\tc"), "a\nb    c");
    }
}
