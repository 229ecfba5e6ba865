//! Names and sentences: Rust names in words, articles, and what a scalar is.

use serde::de::Unexpected;

use super::tree::{Kind, Style};

/// What a plain scalar means in the core schema of YAML 1.2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scalar<'a> {
    Nothing,
    Bool(bool),
    Whole(i128),
    Number(f64),
    Text(&'a str),
}

impl<'a> Scalar<'a> {
    /// Reads a scalar. Digits that start with 0 are text: they are codes, and the zero matters.
    pub(super) fn read(text: &'a str, style: Style) -> Self {
        if style == Style::Text {
            return Self::Text(text);
        }
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Self::Nothing,
            "true" | "True" | "TRUE" => return Self::Bool(true),
            "false" | "False" | "FALSE" => return Self::Bool(false),
            _ => {}
        }
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let padded = unsigned.len() > 1 && unsigned.starts_with('0') && !unsigned.starts_with("0.");
        if !unsigned.starts_with(|c: char| c.is_ascii_digit()) || padded {
            return Self::Text(text);
        }
        if let Ok(whole) = text.parse() {
            return Self::Whole(whole);
        }
        if unsigned.chars().all(|c| matches!(c, '0'..='9' | '.' | 'e' | 'E' | '+' | '-'))
            && let Ok(number) = text.parse()
        {
            return Self::Number(number);
        }
        Self::Text(text)
    }
}

/// What stands there, for "expected …, found …".
pub(super) fn found(kind: &Kind) -> String {
    match kind {
        Kind::List { .. } => "a list".to_owned(),
        Kind::Map { .. } => "a map".to_owned(),
        Kind::Scalar { text, style } => match Scalar::read(text, *style) {
            Scalar::Nothing => "nothing".to_owned(),
            Scalar::Bool(value) => value.to_string(),
            Scalar::Whole(_) | Scalar::Number(_) => format!("the number {text}"),
            Scalar::Text(text) => format!("the text {}", quoted(text)),
        },
    }
}

/// What serde found, in our words.
pub(super) fn unexpected(unexpected: &Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Unsigned(number) => format!("the number {number}"),
        Unexpected::Signed(number) => format!("the number {number}"),
        Unexpected::Float(number) => format!("the number {number}"),
        Unexpected::Char(text) => format!("the text {}", quoted(&text.to_string())),
        Unexpected::Str(text) => format!("the text {}", quoted(text)),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a map".to_owned(),
        Unexpected::Enum | Unexpected::UnitVariant => "a word".to_owned(),
        _ => "something else".to_owned(),
    }
}

/// What serde's own visitors say they expect, in our words; what hand-written ones say is left alone.
pub(super) fn expected(text: &str) -> String {
    let number = text.strip_prefix("a nonzero ").unwrap_or(text);
    let whole = matches!(
        number,
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128" | "usize"
    );
    match text {
        _ if whole && number.len() < text.len() => "a whole number other than 0".to_owned(),
        _ if whole => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a string" | "a borrowed string" => "text".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a character" => "one character".to_owned(),
        "unit" => "nothing".to_owned(),
        _ => {
            if let Some(length) = text.strip_prefix("a tuple of size ") {
                return format!("a list of {length}");
            }
            let named = text.strip_prefix("struct ").or_else(|| text.strip_prefix("enum "));
            let named = named.or_else(|| text.strip_prefix("tuple struct "));
            named.map_or_else(|| text.to_owned(), |name| with_article(&name_in_words(name)))
        }
    }
}

/// `ErrorCode` as "error code"; a name with blanks or small letters first is left alone.
pub(super) fn name_in_words(name: &str) -> String {
    if !name.starts_with(char::is_uppercase) || name.contains(' ') {
        return name.to_owned();
    }
    let mut words = String::new();
    let mut previous_small = false;
    for c in name.chars() {
        if c.is_uppercase() && previous_small {
            words.push(' ');
        }
        previous_small = c.is_lowercase() || c.is_ascii_digit();
        words.extend(c.to_lowercase());
    }
    words
}

/// `an outcome`, `a check`; a name that already has an article is left alone.
pub(super) fn with_article(name: &str) -> String {
    match name {
        _ if name.starts_with("a ") || name.starts_with("an ") => name.to_owned(),
        _ if name.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O']) => format!("an {name}"),
        _ => format!("a {name}"),
    }
}

/// A text in quotes, shortened if it is long.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let one_line = text.replace(['\n', '\r'], " ");
    if one_line.chars().count() <= LONGEST {
        return format!("\"{one_line}\"");
    }
    format!("\"{}…\"", one_line.chars().take(LONGEST - 1).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_follow_the_core_schema_but_keep_leading_zeros() {
        let plain = |text| Scalar::read(text, Style::Plain);
        assert_eq!(plain(""), Scalar::Nothing);
        assert_eq!(plain("~"), Scalar::Nothing);
        assert_eq!(plain("true"), Scalar::Bool(true));
        assert_eq!(plain("yes"), Scalar::Text("yes"));
        assert_eq!(plain("-12"), Scalar::Whole(-12));
        assert_eq!(plain("0"), Scalar::Whole(0));
        assert_eq!(plain("007"), Scalar::Text("007"));
        assert_eq!(plain("0.5"), Scalar::Number(0.5));
        assert_eq!(plain("1e3"), Scalar::Number(1000.0));
        for text in ["1.2.3", "3 s", "-", "inf", "NaN", "1e", "0x10", "12-34"] {
            assert_eq!(plain(text), Scalar::Text(text), "{text}");
        }
        assert_eq!(Scalar::read("12", Style::Text), Scalar::Text("12"));
    }

    #[test]
    fn rust_names_become_words() {
        assert_eq!(name_in_words("ErrorCode"), "error code");
        assert_eq!(name_in_words("Outcome"), "outcome");
        assert_eq!(name_in_words("poll_until"), "poll_until");
        assert_eq!(with_article("outcome"), "an outcome");
        assert_eq!(expected("struct CheckFile"), "a check file");
        assert_eq!(expected("a nonzero u32"), "a whole number other than 0");
        assert_eq!(expected("a duration such as 3 s"), "a duration such as 3 s");
    }

    #[test]
    fn long_text_is_shortened() {
        assert_eq!(quoted("a\nb"), "\"a b\"");
        assert_eq!(quoted(&"x".repeat(80)).chars().count(), 62);
    }
}
