//! What others wrote, made fit for a terminal: no control characters, no secrets, no end of it.

use serde_json::Value;

use crate::secret::Secret;

/// Members of an answer whose values are never shown.
const SECRET_MEMBERS: [&str; 5] =
    ["access_token", "refresh_token", "id_token", "device_code", "client_secret"];

/// The secrets that must not come through in anything that is shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hidden(Vec<Secret>);

impl Hidden {
    /// Takes more of them. The longest go first, or a part of one would keep the rest of it in sight.
    pub(crate) fn add(&mut self, secrets: impl IntoIterator<Item = Secret>) {
        for secret in secrets {
            if !secret.expose().is_empty() && !self.0.contains(&secret) {
                self.0.push(secret);
            }
        }
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
    }

    /// `text` without secrets and control characters, at most `longest` characters of it.
    pub(crate) fn text(&self, text: &str, longest: usize) -> String {
        plain(&self.hide(text), longest)
    }

    /// A body. JSON is read first, so that no spelling of a secret comes through, and shown compact.
    pub(crate) fn body(&self, body: &[u8], longest: usize) -> String {
        match serde_json::from_slice(body) {
            Ok(mut value) => {
                self.hide_in(&mut value);
                plain(&value.to_string(), longest)
            }
            Err(_) => self.text(&String::from_utf8_lossy(body), longest),
        }
    }

    fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.expose()) {
                text.replace(secret.expose(), &secret.redacted())
            } else {
                text
            }
        })
    }

    fn hide_in(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.hide(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide_in(item)),
            Value::Object(members) => {
                *members = std::mem::take(members)
                    .into_iter()
                    .map(|(name, mut value)| {
                        match &value {
                            Value::String(text) if SECRET_MEMBERS.contains(&name.as_str()) => {
                                value = Secret::new(text.as_str()).redacted().into();
                            }
                            _ => self.hide_in(&mut value),
                        }
                        (self.hide(&name), value)
                    })
                    .collect();
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// `text` with everything escaped that moves, hides or turns text on a terminal, cut after `longest` characters.
pub(crate) fn plain(text: &str, longest: usize) -> String {
    let mut shown = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == longest {
            shown.push('…');
            break;
        }
        if is_unfit(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

/// Control characters, and the invisible ones that reorder or join text.
fn is_unfit(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden() -> Hidden {
        let mut hidden = Hidden::default();
        hidden.add(["dev", "dev-code/1", "", "tok3n"].map(Secret::new));
        hidden
    }

    #[test]
    fn control_and_bidi_characters_are_escaped_and_the_rest_is_verbatim() {
        assert_eq!(plain("BDFG-HKLM ü 漢", 99), "BDFG-HKLM ü 漢");
        assert_eq!(plain("a\x1b[2J\r\nb\u{202e}c", 99), "a\\u{1b}[2J\\r\\nb\\u{202e}c");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(plain("äbcdef", 3), "äbc…");
        assert_eq!(plain("äbc", 3), "äbc");
    }

    #[test]
    fn secrets_do_not_come_through_in_text() {
        let shown = hidden().text("no code dev-code/1 or tok3n", 200);
        assert!(shown.starts_with("no code ‹10 chars #") && !shown.contains("tok3n"), "{shown}");
    }

    #[test]
    fn secrets_do_not_come_through_json_however_it_is_spelt() {
        let body = br#"{"a":"dev-code\/1","b":["\u0074ok3n"],"tok3n":{"access_token":"other"},"n":1}"#;
        let shown = hidden().body(body, 500);
        for secret in ["dev-code", "tok3n", "ok3n", "other"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains(r#""n":1"#), "{shown}");
    }
}
