//! What kind of URI a text is. Reads the text itself, because a lenient parser repairs what a device would trip over.

use url::{Host, Url};

use crate::suite::{UriKind, UriPart};

/// What is wrong with a text as a URI of this kind (RFC 3986); nothing when it is one.
pub(super) fn fault(kind: UriKind, text: &str) -> Option<String> {
    if let Some(c) = text.chars().find(|c| !is_allowed(*c)) {
        return Some(format!("{c:?} has no place in a URI"));
    }
    if broken_escape(text) {
        return Some("a percent sign without two hexadecimal digits".to_owned());
    }
    match kind {
        UriKind::Absolute => {
            let Some((scheme, rest)) = text.split_once("://") else {
                return Some("no scheme://authority".to_owned());
            };
            if !is_scheme(scheme) {
                return Some("no scheme".to_owned());
            }
            if rest.split(['/', '?', '#']).next().is_none_or(str::is_empty) {
                return Some("no authority".to_owned());
            }
            Url::parse(text).err().map(|error| error.to_string())
        }
        UriKind::Reference => {
            let base = Url::parse("https://base.invalid/").ok()?;
            base.join(text).err().map(|error| error.to_string())
        }
    }
}

/// `unreserved`, `reserved` and the percent sign (RFC 3986 §2).
fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

fn broken_escape(text: &str) -> bool {
    text.split('%').skip(1).any(|behind| {
        !behind.as_bytes().first_chunk::<2>().is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Whether the target is on this machine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TargetPlace {
    /// On loopback.
    Loopback,
    /// Anywhere else.
    Elsewhere,
}

/// Why a browser would not come over https; nothing when it does, or when the server is one for tests on loopback.
///
/// An address on loopback that a server elsewhere hands out leads the user to his own device.
pub(super) fn not_https(text: &str, target: TargetPlace) -> Option<String> {
    let Ok(url) = Url::parse(text) else { return Some("no https URI".to_owned()) };
    match (url.scheme(), is_loopback(&url), target) {
        ("https", _, _) | ("http", true, TargetPlace::Loopback) => None,
        ("http", true, TargetPlace::Elsewhere) => {
            Some("http to the user's own device, though the server is elsewhere".to_owned())
        }
        (scheme, _, _) => Some(format!("{scheme}, not https")),
    }
}

/// 127.0.0.0/8, ::1, `localhost` and below (RFC 6761 §6.3).
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}

/// Does the text have this part?
pub(super) fn has_part(part: UriPart, text: &str) -> bool {
    let (before_fragment, fragment) = match text.split_once('#') {
        Some((before, fragment)) => (before, Some(fragment)),
        None => (text, None),
    };
    match part {
        UriPart::Fragment => fragment.is_some(),
        UriPart::Query => before_fragment.contains('?'),
        UriPart::Userinfo => {
            let rest = before_fragment.split_once("://").map_or("", |(_, rest)| rest);
            rest.split(['/', '?']).next().is_some_and(|authority| authority.contains('@'))
        }
        UriPart::PercentEscape => text.contains('%'),
    }
}

/// The host of a URI.
pub(super) fn host(text: &str) -> Option<String> {
    Some(Url::parse(text).ok()?.host_str()?.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_uri_is_absolute() {
        for text in
            ["https://example.com/device", "http://[::1]:8080/a?b=c#d", "app+x://host", "HTTPS://EXAMPLE.com"]
        {
            assert_eq!(fault(UriKind::Absolute, text), None, "{text}");
        }
        for text in [
            "",
            "/device",
            "example.com/device",
            "https:/device",
            "https:device",
            "https:///device",
            "://x",
            "1a://x",
            "https://exa mple.com/",
            "https://example.com/\n",
            "https://example.com/é",
            "https:\\\\example.com\\",
            "https://example.com/%zz",
            "https://example.com/%",
            "https://[::1",
            "https://x:99999/",
            "https://a<b>/",
        ] {
            assert!(fault(UriKind::Absolute, text).is_some(), "{text}");
        }
        for text in ["", "/errors#e1", "https://example.com/e", "../e?x=%20", "errors/e1"] {
            assert_eq!(fault(UriKind::Reference, text), None, "{text}");
        }
        for text in ["/a b", "/a\u{7f}", "http://[", "/%1"] {
            assert!(fault(UriKind::Reference, text).is_some(), "{text}");
        }
    }

    #[test]
    fn http_is_let_pass_on_loopback_only() {
        for text in [
            "https://x/",
            "http://127.8.0.1/",
            "http://[::1]:1/",
            "http://localhost/",
            "http://a.localhost./",
        ] {
            assert_eq!(not_https(text, TargetPlace::Loopback), None, "{text}");
        }
        for text in ["http://example.com/", "http://localhost.evil.com/", "ftp://x/", "x", "http://10.0.0.1/"]
        {
            assert!(not_https(text, TargetPlace::Loopback).is_some(), "{text}");
        }
        assert!(not_https("http://localhost/", TargetPlace::Elsewhere).is_some());
        assert_eq!(not_https("https://localhost/", TargetPlace::Elsewhere), None);
    }

    #[test]
    fn parts_are_found_in_the_text() {
        let uri = "https://me:pw@example.com/a?b=%20#c?d";
        assert!(UriPart::ALL.iter().all(|part| has_part(*part, uri)));
        let bare = "https://example.com/a@b";
        assert!(!UriPart::ALL.iter().any(|part| has_part(*part, bare)));
        assert!(!has_part(UriPart::Query, "https://x/#a?b"));
        assert_eq!(host("https://Example.com:1/"), Some("example.com".to_owned()));
        assert_eq!(host("x"), None);
    }
}
