//! Scopes: the words of a request and what they mean to people. Knows nothing of who grants them.

use std::fmt;
use std::sync::Arc;

/// A scope of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The scope token.
    pub token: &'static str,
    /// What a person allows with it, as the confirmation page says it.
    pub words: &'static str,
}

/// A set of scope tokens, in the order they were asked for (RFC 6749 §3.3): one text, which a session and its tokens
/// share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Arc<str>);

/// Not a list of scope tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedScope;

impl Scopes {
    /// Reads `scope-token *( SP scope-token )` with `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`.
    ///
    /// # Errors
    ///
    /// For any other character, and for a space too many.
    pub fn parse(text: &str) -> Result<Self, MalformedScope> {
        let mut tokens: Vec<&str> = Vec::new();
        for token in text.split(' ') {
            let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
            if token.is_empty() || !token.bytes().all(allowed) {
                return Err(MalformedScope);
            }
            if !tokens.contains(&token) {
                tokens.push(token);
            }
        }
        Ok(Self(tokens.join(" ").into()))
    }

    /// Whether the token is among them; case matters.
    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        self.iter().any(|known| known == token)
    }

    /// Whether every token is also in `other`.
    #[must_use]
    pub fn within(&self, other: &Self) -> bool {
        self.iter().all(|token| other.contains(token))
    }

    /// The tokens in their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|token| !token.is_empty())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_keep_their_order_and_lose_repetitions() {
        let scopes = Scopes::parse("b a b").unwrap();
        assert_eq!(scopes.to_string(), "b a");
        assert_eq!(scopes.iter().collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(Scopes::default().iter().count(), 0);
        assert!(Scopes::default().within(&scopes) && !scopes.contains(""));
        assert!(Scopes::parse("a").unwrap().within(&Scopes::parse("b a").unwrap()));
        assert!(!Scopes::parse("A").unwrap().within(&Scopes::parse("b a").unwrap()));
    }

    #[test]
    fn characters_outside_the_grammar_are_refused() {
        for text in ["", " a", "a ", "a  b", "a\"b", "a\\b", "a\u{1}", "é"] {
            assert_eq!(Scopes::parse(text), Err(MalformedScope), "{text:?}");
        }
    }
}
