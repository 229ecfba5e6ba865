//! How answers and values are shown in a mismatch: short, on one line, and redacted.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::exchange::{Answer, Exchange};
use crate::outcome::{Outcome, lenient_text};
use crate::protocol::Endpoint;
use crate::redact;
use crate::secret;

/// How many characters of an answer are shown.
const LONGEST_ANSWER: usize = 120;
/// How much of a body is looked at for that.
const MOST_BYTES: usize = 4096;
/// How many characters of one value are shown.
const LONGEST_VALUE: usize = 80;
/// How many exchanges a list names.
const MOST_NUMBERS: usize = 5;

/// `401  {"error":"unauthorized_client"}`, or why no answer came.
pub fn answer(exchange: &Exchange) -> String {
    match &exchange.answer {
        Err(reason) => short(&reason.to_string(), LONGEST_ANSWER),
        Ok(answer) if exchange.asked.endpoint == Endpoint::Pages => page(exchange, answer),
        Ok(answer) if answer.body.is_empty() => format!("{}  (empty body)", answer.status),
        Ok(answer) => {
            let start = answer.body.get(..MOST_BYTES).unwrap_or(&answer.body);
            let content_type = answer.header("content-type").next();
            short(&format!("{}  {}", answer.status, redact::body(start, content_type)), LONGEST_ANSWER)
        }
    }
}

/// `200  the page "Sign in" that says "…"`: never its source, which has values that nobody may read.
fn page(exchange: &Exchange, answer: &Answer) -> String {
    let what = match &exchange.page {
        Some(page) => format!("the page \"{}\" that says \"{}\"", page.title, page.text),
        None => match answer.header("location").next() {
            Some(place) => format!("to {}", redact::page_url(place, &|_, _| false)),
            None => "(empty body)".to_owned(),
        },
    };
    short(&format!("{}  {what}", answer.status), LONGEST_ANSWER)
}

/// What an answer says in a word or two: its error word, or what came in its place.
pub fn answer_word(exchange: &Exchange) -> String {
    let error = exchange.error_word();
    match (&exchange.answer, exchange.outcome()) {
        (Err(_), _) => "no answer".to_owned(),
        (Ok(_), Outcome::Granted) => "a token".to_owned(),
        (Ok(_), Outcome::Codes) => "codes".to_owned(),
        (Ok(answer), _) => match error.filter(|word| !word.is_empty()) {
            Some(word) => short(word, LONGEST_VALUE),
            None => format!("status {}", answer.status),
        },
    }
}

/// A member's value with its type: `the string "1800"`.
pub(super) fn member(name: &str, value: &Value) -> String {
    if redact::is_secret(name) && !value.is_null() {
        let text = lenient_text(value).unwrap_or_else(|| value.to_string());
        return format!("the {} {}", kind(value), secret::redact(&text));
    }
    let text = match value {
        Value::String(text) => Value::from(redact::url(text)).to_string(),
        other => redact::body(other.to_string().as_bytes(), None),
    };
    match value {
        Value::Null | Value::Bool(_) => text,
        _ => format!("the {} {}", kind(value), short(&text, LONGEST_VALUE)),
    }
}

/// The type of a value, in words.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// What a template was filled with: redacted when one of its placeholders is a secret.
pub(super) fn filled(template: &str, value: &str) -> String {
    let secret = template.split('{').skip(1).any(|part| {
        let name = part.split('}').next().unwrap_or_default();
        redact::is_secret(name.rsplit('.').next().unwrap_or_default())
    });
    if secret { secret::redact(value) } else { text(value) }
}

/// A text of the answer or the case, in quotes.
pub(super) fn text(text: &str) -> String {
    format!("\"{}\"", short(&redact::url(text), LONGEST_VALUE))
}

/// Any text on one line without control characters, cut to a length in characters.
pub(super) fn short(text: &str, longest: usize) -> String {
    let mut shown = String::new();
    let mut length = 0;
    let mut gap = 0_usize;
    for c in text.trim_end().chars() {
        // Two blanks stand between status and body; longer runs say nothing.
        let blank = c.is_whitespace();
        gap = if blank { gap + 1 } else { 0 };
        if gap > 2 {
            continue;
        }
        if length == longest {
            shown.push('…');
            return shown;
        }
        length += 1;
        shown.push(match c {
            _ if blank => ' ',
            _ if c.is_control() || is_invisible(c) => char::REPLACEMENT_CHARACTER,
            _ => c,
        });
    }
    shown
}

/// Marks that change how the text around them is drawn.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// `exchange 3`, `exchanges 3, 7, 9, 12, 15 and 20 more`
pub(super) fn numbers(numbers: &BTreeSet<u32>) -> String {
    let named: Vec<_> = numbers.iter().take(MOST_NUMBERS).map(u32::to_string).collect();
    let word = plural(numbers.len(), "exchange", "exchanges");
    match numbers.len().saturating_sub(named.len()) {
        0 => format!("{word} {}", joined(&named, "and")),
        more => format!("{word} {} and {more} more", named.join(", ")),
    }
}

/// `a`, `a or b`, `a, b or c`
pub(super) fn joined(words: &[String], conjunction: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} {conjunction} {last}", most.join(", ")),
    }
}

/// The word for one or for many.
pub(super) const fn plural<'a>(n: usize, one: &'a str, many: &'a str) -> &'a str {
    if n == 1 { one } else { many }
}

/// A number without needless digits.
pub(super) fn number(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stage::{answered, unanswered};
    use super::*;

    #[test]
    fn an_answer_fits_on_one_harmless_line() {
        for (body, shown) in [
            ("", "400  (empty body)"),
            ("<p>\r\n   <b>x\u{1b}[31m\u{202e}</b>\n", "400  <p>  <b>x\u{fffd}[31m\u{fffd}</b>"),
        ] {
            assert_eq!(answer(&answered(1, 400, body)), shown);
        }
        let long = answer(&answered(1, 200, [&b"{\"a\":\"\xff"[..], &b"x".repeat(1 << 20)].concat()));
        assert_eq!((long.chars().count(), long.ends_with('…')), (LONGEST_ANSWER + 1, true));
        assert_eq!(answer(&unanswered(1)), "no answer within 30 s");
    }

    #[test]
    fn a_value_is_shown_with_its_type_and_without_its_secrets() {
        for (name, value, shown) in [
            ("interval", json!("5"), "the string \"5\""),
            ("interval", json!(null), "null"),
            ("active", json!(true), "true"),
            ("aud", json!(["a"]), "the list [\"a\"]"),
            ("token", json!(null), "null"),
        ] {
            assert_eq!(member(name, &value), shown);
        }
        for (name, value) in [
            ("access_token", json!("s3cret-s3cret")),
            ("access_token", json!({ "x": "s3cret-s3cret" })),
            ("data", json!({ "id_token": "s3cret-s3cret" })),
            ("verification_uri_complete", json!("https://x/?device_code=s3cret-s3cret")),
        ] {
            let shown = member(name, &value);
            assert!(!shown.contains("s3cret") && shown.contains('‹'), "{shown}");
        }
        assert!(!filled("{tv.access_token}", "s3cret-s3cret").contains("s3cret"));
        assert_eq!(filled("{tv.user_code}", "WDJB-MJHT"), "\"WDJB-MJHT\"");
    }

    #[test]
    fn lists_of_exchanges_are_capped() {
        for (listed, text) in [
            (vec![3], "exchange 3"),
            (vec![3, 4], "exchanges 3 and 4"),
            (vec![1, 2, 3, 4, 5], "exchanges 1, 2, 3, 4 and 5"),
            ((1..=25).collect(), "exchanges 1, 2, 3, 4, 5 and 20 more"),
        ] {
            assert_eq!(numbers(&listed.into_iter().collect()), text);
        }
        assert_eq!([number(1.0), number(0.25), number(-3.5)], ["1", "0.25", "-3.5"]);
    }
}
