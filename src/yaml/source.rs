//! The text of one file, and the lines that places are cut from.

use std::path::Path;
use std::{fs, io};

use super::tree::Span;
use crate::diagnostic::{Diagnostic, Place};

const BYTE_ORDER_MARK: char = '\u{feff}';

/// A file that somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name that messages use.
    pub name: String,
    /// What it says.
    pub text: String,
}

impl Source {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// A drawn-ready diagnostic if the file cannot be read or is not UTF-8.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Diagnostic> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let bytes = fs::read(path).map_err(|error| unreadable(&name, path, &error))?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { name, text }),
            Err(error) => Err(not_utf8(&name, error.as_bytes(), error.utf8_error().valid_up_to())),
        }
    }
}

fn unreadable(name: &str, path: &Path, error: &io::Error) -> Diagnostic {
    if path.is_dir() {
        return Diagnostic::error("unreadable-file", format!("{name} is a directory, not a file"))
            .help("name a file inside it");
    }
    let (message, help) = match error.kind() {
        io::ErrorKind::NotFound => {
            (format!("there is no file {name}"), "check the spelling and the directory you are in")
        }
        io::ErrorKind::PermissionDenied => {
            (format!("{name} may not be read"), "give yourself the right to read it")
        }
        _ => (format!("{name} cannot be read: {error}"), "try to open it with another program"),
    };
    Diagnostic::error("unreadable-file", message).help(help)
}

fn not_utf8(name: &str, bytes: &[u8], valid: usize) -> Diagnostic {
    let diagnostic =
        Diagnostic::error("not-utf8", format!("{name} is not UTF-8 text")).help("save the file as UTF-8");
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return diagnostic.help("it looks like UTF-16: save the file as UTF-8");
    }
    let start = bytes[..valid].iter().rposition(|&byte| byte == b'\n').map_or(0, |index| index + 1);
    let end =
        bytes[valid..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |index| valid + index);
    diagnostic.at(Place {
        file: name.to_owned(),
        line: bytes[..start].iter().filter(|&&byte| byte == b'\n').count() + 1,
        column: String::from_utf8_lossy(&bytes[start..valid]).chars().count() + 1,
        width: 1,
        text: String::from_utf8_lossy(&bytes[start..end]).trim_end_matches('\r').to_owned(),
    })
}

/// The lines of a source, numbered as the parser numbers them.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    name: String,
    lines: Vec<String>,
}

impl Lines {
    pub(super) fn new(source: &Source) -> Self {
        let text = without_mark(&source.text).replace("\r\n", "\n");
        Self { name: source.name.clone(), lines: text.split(['\n', '\r']).map(str::to_owned).collect() }
    }

    /// The part of a span that lies on its first line.
    pub(super) fn place(&self, span: Span) -> Place {
        let last = self.lines.len().max(1);
        let (line, column) = match span.start.line {
            line if line <= last => (line.max(1), span.start.column),
            _ => (last, usize::MAX),
        };
        let text = self.line(line).to_owned();
        let length = text.chars().count();
        let column = column.min(length);
        let end = if span.end.line == line { span.end.column.min(length) } else { length };
        let token = text.chars().skip(column).take(end.saturating_sub(column)).collect::<String>();
        let width = token.trim_end().chars().count().max(1);
        Place { file: self.name.clone(), line, column: column + 1, width, text }
    }

    /// One line, counted from 1; empty beyond the end.
    pub(super) fn line(&self, number: usize) -> &str {
        number.checked_sub(1).and_then(|index| self.lines.get(index)).map_or("", String::as_str)
    }

    pub(super) fn count(&self) -> usize {
        self.lines.len()
    }
}

/// The text without the byte order mark that some editors write.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}
