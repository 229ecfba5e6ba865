//! A mistake in a file that somebody wrote, and how it is drawn. Knows nothing of YAML or of suites.
//!
//! ```text
//! error: unknown outcome "pendng"
//!   --> my-suite.yaml:4:14
//!    |
//!  4 |     outcome: pendng
//!    |              ^^^^^^
//!    = one of: broken, codes, pending
//! help: did you mean "pending"?
//! ```

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many columns of a source line, or of a list of values, are shown at most.
const COLUMNS: usize = 100;
/// How many columns are kept to the right of the caret when a long line is cut.
const CONTEXT: usize = 30;
/// Tabs are drawn as spaces up to the next multiple of this.
const TAB: usize = 4;

/// How bad a mistake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but probably does not do what its author thinks.
    Warning,
}

/// A token in a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The name of the file as the user wrote it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column of the first character, in characters, from 1.
    pub column: usize,
    /// How many characters the token has on this line.
    pub width: usize,
    /// The whole source line, without its line break.
    pub text: String,
}

/// Whether a diagnostic is drawn with terminal colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Text only.
    Plain,
    /// With ANSI escapes.
    Ansi,
}

/// One mistake, with everything that helps to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The kind of mistake as a slug, such as `unknown-word`.
    pub code: &'static str,
    /// What is wrong: a lower-case fragment without a full stop.
    pub message: String,
    /// Where it is, unless the whole file is meant.
    pub place: Option<Place>,
    /// The values that would have been right.
    pub one_of: Vec<String>,
    /// What to do about it, in one line.
    pub help: Option<String>,
    /// Other places that matter, such as the first definition of something defined twice.
    pub notes: Vec<(Place, String)>,
}

impl Diagnostic {
    /// A mistake that makes the file unusable.
    #[must_use]
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message.into())
    }

    /// Something doubtful in a file that can be used.
    #[must_use]
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message.into())
    }

    fn new(severity: Severity, code: &'static str, message: String) -> Self {
        Self { severity, code, message, place: None, one_of: Vec::new(), help: None, notes: Vec::new() }
    }

    /// Says where it is. Takes a [`Place`] or an `Option<Place>`.
    #[must_use]
    pub fn at(mut self, place: impl Into<Option<Place>>) -> Self {
        self.place = place.into();
        self
    }

    /// Lists the values that would have been right.
    #[must_use]
    pub fn one_of<S: Into<String>>(mut self, values: impl IntoIterator<Item = S>) -> Self {
        self.one_of = values.into_iter().map(Into::into).collect();
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds another place that matters, if it is known. Takes a [`Place`] or an `Option<Place>`.
    #[must_use]
    pub fn note(mut self, place: impl Into<Option<Place>>, note: impl Into<String>) -> Self {
        if let Some(place) = place.into() {
            self.notes.push((place, note.into()));
        }
        self
    }

    /// The drawing for a terminal; ends with a line break.
    #[must_use]
    pub fn draw(&self, colour: Colour) -> String {
        let pen = Pen(colour);
        let lines =
            self.place.iter().chain(self.notes.iter().map(|(place, _)| place)).map(|place| place.line);
        let gutter = lines.max().unwrap_or(1).to_string().len();
        let (word, strong) = match self.severity {
            Severity::Error => ("error", RED),
            Severity::Warning => ("warning", YELLOW),
        };
        let mut out = format!(
            "{}{}\n",
            pen.paint(strong, word),
            pen.paint(BOLD, &format!(": {}", visible(&self.message)))
        );
        if let Some(place) = &self.place {
            draw_place(&mut out, pen, gutter, strong, place);
        }
        if !self.one_of.is_empty() {
            draw_values(&mut out, pen, gutter, &self.one_of);
        }
        for (place, note) in &self.notes {
            line(&mut out, format_args!("{}: {}", pen.paint(CYAN, "note"), visible(note)));
            draw_place(&mut out, pen, gutter, CYAN, place);
        }
        if let Some(help) = &self.help {
            line(&mut out, format_args!("{}: {}", pen.paint(CYAN, "help"), visible(help)));
        }
        out
    }
}

/// All mistakes of a file as one error. `Display` and `Debug` draw them: a test that unwraps shows them readably.
#[derive(Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Diagnostic>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let drawn: Vec<String> = self.0.iter().map(|mistake| mistake.draw(Colour::Plain)).collect();
        f.write_str(&drawn.join("\n\n"))
    }
}

impl fmt::Debug for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::error::Error for Mistakes {}

/// What is wrong, without the places, as one line.
#[must_use]
pub fn messages(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect::<Vec<_>>().join("; ")
}

/// The last line under all diagnostics: `2 errors in 1 of 9 files; nothing was run`.
///
/// `files` is how many files were read. Says nothing of running if there are only warnings.
#[must_use]
pub fn summary(diagnostics: &[Diagnostic], files: usize) -> String {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    let warnings = diagnostics.len() - errors;
    let mistakes = match (errors, warnings) {
        (0, 0) => return format!("no mistakes in {}", counted(files, "file")),
        (_, 0) => counted(errors, "error"),
        (0, _) => counted(warnings, "warning"),
        _ => format!("{} and {}", counted(errors, "error"), counted(warnings, "warning")),
    };
    let places = diagnostics.iter().filter_map(|diagnostic| diagnostic.place.as_ref());
    let wrong = places.map(|place| place.file.as_str()).collect::<BTreeSet<_>>().len();
    let within = match wrong {
        0 => String::new(),
        _ => format!(" in {wrong} of {}", counted(files.max(wrong), "file")),
    };
    let end = if errors > 0 { "; nothing was run" } else { "" };
    format!("{mistakes}{within}{end}")
}

/// The candidate that `word` was most likely meant to be, if any is near enough to be worth saying.
#[must_use]
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(word);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &fold(candidate)), candidate))
        .filter(|&(distance, candidate)| {
            let longest = word.chars().count().max(candidate.chars().count());
            distance < candidate.chars().count() && distance <= (longest / 3).max(1)
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Spelling differences that are no typing mistakes: case, and `-` for `_`.
fn fold(word: &str) -> String {
    word.chars().flat_map(char::to_lowercase).map(|c| if matches!(c, '-' | ' ') { '_' } else { c }).collect()
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BLUE: &str = "\x1b[1;34m";
const CYAN: &str = "\x1b[1;36m";

#[derive(Clone, Copy)]
struct Pen(Colour);

impl Pen {
    fn paint(self, style: &str, text: &str) -> String {
        match self.0 {
            Colour::Plain => text.to_owned(),
            Colour::Ansi => format!("{style}{text}\x1b[0m"),
        }
    }
}

fn line(out: &mut String, text: fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{text}");
}

fn draw_place(out: &mut String, pen: Pen, gutter: usize, style: &str, place: &Place) {
    let Place { file, line: number, column, .. } = place;
    let pad = " ".repeat(gutter);
    line(out, format_args!("{pad} {} {}:{number}:{column}", pen.paint(BLUE, "-->"), visible(file)));
    let (text, before, width) = excerpt(place);
    let bar = pen.paint(BLUE, &format!(" {pad} |"));
    line(out, format_args!("{bar}"));
    line(out, format_args!("{} {}", pen.paint(BLUE, &format!(" {number:>gutter$} |")), text.trim_end()));
    line(out, format_args!("{bar} {}{}", " ".repeat(before), pen.paint(style, &"^".repeat(width))));
}

fn draw_values(out: &mut String, pen: Pen, gutter: usize, values: &[String]) {
    let head = format!(" {} = one of: ", " ".repeat(gutter));
    let mut row = String::new();
    let mut first = true;
    for (index, value) in values.iter().enumerate() {
        let item = format!("{}{}", visible(value), if index + 1 < values.len() { "," } else { "" });
        if !row.is_empty() && head.len() + row.width() + 1 + item.width() > COLUMNS {
            draw_row(out, pen, &head, first, &row);
            row.clear();
            first = false;
        }
        if !row.is_empty() {
            row.push(' ');
        }
        row.push_str(&item);
    }
    draw_row(out, pen, &head, first, &row);
}

fn draw_row(out: &mut String, pen: Pen, head: &str, first: bool, row: &str) {
    let head = if first { pen.paint(BLUE, head) } else { " ".repeat(head.len()) };
    line(out, format_args!("{head}{row}"));
}

/// The source line as it is drawn, the columns before the caret and the width of the caret.
fn excerpt(place: &Place) -> (String, usize, usize) {
    let cells = cells(&place.text);
    let columns_to = |index: usize| cells.iter().take(index).map(|(_, width)| width).sum::<usize>();
    let from = place.column.saturating_sub(1).min(cells.len());
    let to = (from + place.width).min(cells.len());
    let (start, end) = (columns_to(from), columns_to(to));
    let width = (end - start).max(1);
    let total = columns_to(cells.len());
    if total <= COLUMNS {
        return (cells.into_iter().map(|(text, _)| text).collect(), start, width);
    }
    let right = (end + CONTEXT).min(total).max(COLUMNS - 1).min(start + COLUMNS - 2);
    let left = right.saturating_sub(COLUMNS - 2);
    let mut text = String::new();
    let mut before = start.saturating_sub(left);
    if left > 0 {
        text.push('…');
        before += 1;
    }
    let mut column = 0;
    for (cell, width) in &cells {
        if column >= left && column + width <= right {
            text.push_str(cell);
        } else if column < left && column + width > left {
            // A wide character over the edge: keep the columns right.
            text.push_str(&" ".repeat(column + width - left));
        }
        column += width;
    }
    if right < total {
        text.push('…');
    }
    (text, before, width.min(right.saturating_sub(start)).max(1))
}

/// Each character as it is drawn, with the columns it takes.
fn cells(text: &str) -> Vec<(String, usize)> {
    let mut column = 0;
    text.chars()
        .map(|c| {
            let (text, width) = match (c, c.width()) {
                ('\t', _) => (" ".repeat(TAB - column % TAB), TAB - column % TAB),
                (_, Some(width)) => (c.to_string(), width),
                (_, None) => ("\u{fffd}".to_owned(), 1),
            };
            column += width;
            (text, width)
        })
        .collect()
}

/// Text from a file may hold control characters; a terminal must not obey them.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: usize, column: usize, width: usize, text: &str) -> Place {
        Place { file: "my-suite.yaml".to_owned(), line, column, width, text: text.to_owned() }
    }

    #[test]
    fn a_diagnostic_is_drawn_like_a_compilers() {
        let text = "      - poll: { session: tv, expect: [{ outcome: pendng }] }";
        let diagnostic = Diagnostic::error("unknown-word", "unknown outcome \"pendng\"")
            .at(place(14, 50, 6, text))
            .one_of(["broken", "codes", "pending"])
            .help("did you mean \"pending\"?");
        insta::assert_snapshot!(diagnostic.draw(Colour::Plain), @r#"
        error: unknown outcome "pendng"
           --> my-suite.yaml:14:50
            |
         14 |       - poll: { session: tv, expect: [{ outcome: pendng }] }
            |                                                  ^^^^^^
            = one of: broken, codes, pending
        help: did you mean "pending"?
        "#);
    }

    #[test]
    fn notes_are_drawn_between_the_place_and_the_help() {
        let diagnostic = Diagnostic::warning("twice", "written twice")
            .at(place(12, 1, 2, "id: b"))
            .note(place(3, 1, 2, "id: a"), "first written here")
            .note(None, "nowhere")
            .help("keep one");
        insta::assert_snapshot!(diagnostic.draw(Colour::Plain), @"
        warning: written twice
           --> my-suite.yaml:12:1
            |
         12 | id: b
            | ^^
        note: first written here
           --> my-suite.yaml:3:1
            |
          3 | id: a
            | ^^
        help: keep one
        ");
    }

    #[test]
    fn the_caret_stands_by_display_width() {
        let drawn = |column, width, text| {
            let drawing = Diagnostic::error("x", "x").at(place(1, column, width, text)).draw(Colour::Plain);
            drawing.lines().skip(3).collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(drawn(5, 2, "日本: 東京"), @"
         1 | 日本: 東京
           |       ^^^^
        ");
        insta::assert_snapshot!(drawn(4, 1, "a\t\u{1b}x"), @r"
         1 | a   �x
           |      ^
        ");
        insta::assert_snapshot!(drawn(9, 1, "at: end"), @r"
         1 | at: end
           |        ^
        ");
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        for (before, after) in [(0, 300), (150, 150), (300, 0), (99, 0), (60, 60)] {
            let text = format!("{}WORD{}", "a".repeat(before), "z".repeat(after));
            let drawing = Diagnostic::error("x", "x").at(place(1, before + 1, 4, &text)).draw(Colour::Plain);
            let lines: Vec<_> = drawing.lines().skip(3).collect();
            assert!(lines[0].width() <= COLUMNS + 5, "{drawing}");
            let caret = lines[1].find('^').unwrap();
            let under: String = lines[0].chars().skip(caret).take(4).collect();
            assert_eq!((under.as_str(), lines[1].matches('^').count()), ("WORD", 4), "{drawing}");
        }
        let wide = Diagnostic::error("x", "x").at(place(1, 2, 400, &"a".repeat(500))).draw(Colour::Plain);
        assert!(wide.lines().all(|line| line.width() <= COLUMNS + 5), "{wide}");
    }

    #[test]
    fn many_values_are_wrapped() {
        let values = (0..30).map(|number| format!("value-{number}"));
        insta::assert_snapshot!(Diagnostic::error("x", "no such value").one_of(values).draw(Colour::Plain), @"
        error: no such value
           = one of: value-0, value-1, value-2, value-3, value-4, value-5, value-6, value-7, value-8,
                     value-9, value-10, value-11, value-12, value-13, value-14, value-15, value-16,
                     value-17, value-18, value-19, value-20, value-21, value-22, value-23, value-24,
                     value-25, value-26, value-27, value-28, value-29
        ");
    }

    #[test]
    fn colours_change_nothing_but_colours() {
        let diagnostic =
            Diagnostic::error("x", "wrong").at(place(1, 1, 2, "id: b")).one_of(["a"]).help("write a");
        let coloured = diagnostic.draw(Colour::Ansi);
        assert!(coloured.starts_with("\x1b[1;31merror\x1b[0m"), "{coloured:?}");
        let mut plain = String::new();
        for (index, part) in coloured.split('\x1b').enumerate() {
            plain.push_str(if index == 0 { part } else { part.split_once('m').unwrap().1 });
        }
        assert_eq!(plain, diagnostic.draw(Colour::Plain));
    }

    #[test]
    fn the_summary_counts_files_with_mistakes() {
        let error = Diagnostic::error("x", "x").at(place(1, 1, 1, ""));
        let warning = Diagnostic::warning("x", "x").at(place(2, 1, 1, ""));
        assert_eq!(summary(&[error.clone(), error.clone()], 9), "2 errors in 1 of 9 files; nothing was run");
        assert_eq!(
            summary(&[error, warning.clone()], 1),
            "1 error and 1 warning in 1 of 1 file; nothing was run"
        );
        assert_eq!(summary(&[warning], 2), "1 warning in 1 of 2 files");
        assert_eq!(summary(&[Diagnostic::error("x", "x")], 0), "1 error; nothing was run");
        assert_eq!(summary(&[], 3), "no mistakes in 3 files");
    }

    #[test]
    fn only_near_words_are_suggested() {
        let words = ["pending", "slow_down", "granted", "is"];
        for (word, expected) in [
            ("pendng", Some("pending")),
            ("Slow-Down", Some("slow_down")),
            ("grantde", Some("granted")),
            ("zz", None),
            ("banana", None),
            ("", None),
        ] {
            assert_eq!(closest(word, words), expected, "{word}");
        }
    }
}
