//! Form parameters, decoded to the letter (RFC 6749 App. B). Knows no parameter by name.

/// The parameters of a request, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

/// Bytes that are no form: a broken percent-escape, or not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl Form {
    /// Decodes `a=1&b=two+words`.
    ///
    /// # Errors
    ///
    /// For a percent-escape without two hexadecimal digits, and for text that is not UTF-8.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let pairs = bytes.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty());
        let decoded = pairs.map(|pair| {
            let (name, value) = match pair.iter().position(|&byte| byte == b'=') {
                Some(at) => (&pair[..at], &pair[at + 1..]),
                None => (pair, &[][..]),
            };
            Ok((decode(name)?, decode(value)?))
        });
        decoded.collect::<Result<_, _>>().map(Self)
    }

    /// The same with the parameters of `other` behind.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Only the parameters that have a value (RFC 6749 §3.2: one without counts as omitted).
    #[must_use]
    pub fn without_empty(mut self) -> Self {
        self.0.retain(|(_, value)| !value.is_empty());
        self
    }

    /// The first value of a parameter.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|(found, value)| (found == name).then_some(value.as_str()))
    }

    /// Every value of a parameter.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Whether any parameter but those in `except` stands more than once.
    #[must_use]
    pub fn repeats(&self, except: &[&str]) -> bool {
        let names = self.0.iter().map(|(name, _)| name.as_str());
        let mut names: Vec<&str> = names.filter(|name| !except.contains(name)).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| pair[0] == pair[1])
    }
}

/// Decodes one name or value.
///
/// # Errors
///
/// As [`Form::parse`].
pub fn decode(bytes: &[u8]) -> Result<String, Malformed> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(&byte) = rest.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (rest.next().ok_or(Malformed)?, rest.next().ok_or(Malformed)?);
                (digit(*high)? << 4) | digit(*low)?
            }
            other => other,
        });
    }
    String::from_utf8(decoded).map_err(|_| Malformed)
}

fn digit(byte: u8) -> Result<u8, Malformed> {
    match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        b'A'..=b'F' => Ok(byte - b'A' + 10),
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded() {
        let form = Form::parse(b"a=1+2&%62=%C3%A9&&empty=&bare&c=x=y").unwrap();
        assert_eq!(form.first("a"), Some("1 2"));
        assert_eq!(form.first("b"), Some("é"));
        assert_eq!(form.first("empty"), Some(""));
        assert_eq!(form.first("bare"), Some(""));
        assert_eq!(form.first("c"), Some("x=y"));
        assert_eq!(form.without_empty().first("bare"), None);
    }

    #[test]
    fn broken_escapes_and_broken_utf8_are_no_form() {
        for bytes in [&b"a=%ZZ"[..], b"a=%4", b"a=%", b"a=%+1", b"a=%C3", b"\xff=1"] {
            assert_eq!(Form::parse(bytes), Err(Malformed), "{bytes:?}");
        }
    }

    #[test]
    fn repetition_is_seen_except_where_it_is_allowed() {
        let form = Form::parse(b"resource=a&resource=b&x=1").unwrap();
        assert!(!form.repeats(&["resource"]));
        assert!(form.repeats(&[]));
        assert!(Form::parse(b"a=1&b=2&a=3").unwrap().repeats(&["resource"]));
    }
}
