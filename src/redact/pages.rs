//! What may be shown of requests for pages: of their fields only those that are said to be harmless.

use super::{form_decoded, header, redact, without_password};

/// The fields of a form or a query as they may be shown: every value is redacted but those that `is_open`, asked with
/// name and value.
#[must_use]
pub fn fields(text: &str, is_open: &dyn Fn(&str, &str) -> bool) -> String {
    let pairs = text.split('&').map(|pair| {
        let Some((name, value)) = pair.split_once('=') else { return pair.to_owned() };
        let decoded = form_decoded(value);
        if decoded.is_empty() || is_open(&form_decoded(name), &decoded) {
            pair.to_owned()
        } else {
            format!("{name}={}", redact(&decoded))
        }
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// An address as it may be shown: of its query what [`fields`] shows, and no fragment.
#[must_use]
pub fn page_url(text: &str, is_open: &dyn Fn(&str, &str) -> bool) -> String {
    let text = text.split('#').next().unwrap_or(text);
    match text.split_once('?') {
        Some((place, query)) => format!("{}?{}", without_password(place), fields(query, is_open)),
        None => without_password(text),
    }
}

/// Headers as they may be shown: like those of any request, with addresses as [`page_url`] shows them.
#[must_use]
pub fn page_headers(
    headers: &[(String, String)],
    is_open: &dyn Fn(&str, &str) -> bool,
) -> Vec<(String, String)> {
    let shown = |name: &str, value: &str| match name.to_ascii_lowercase().as_str() {
        "location" | "content-location" | "referer" | "refresh" => page_url(value, is_open),
        _ => header(name, value),
    };
    headers.iter().map(|(name, value)| (name.clone(), shown(name, value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_said_to_be_harmless_is_shown() {
        let open = |name: &str, value: &str| name == "decision" || value == "BCDF-GHJK";
        let shown = fields("csrf=GmRhmhcxhwAz&user_code=BCDF-GHJK&pw=a%20b&decision=approve&x=&flag", &open);
        assert!(shown.starts_with("csrf=‹12 chars"), "{shown}");
        assert!(shown.contains("&user_code=BCDF-GHJK&pw=‹3 chars"), "{shown}");
        assert!(shown.ends_with("&decision=approve&x=&flag"), "{shown}");
        let url = page_url("https://me:secret-word@h/p?state=GmRhmhcx&code=BCDF-GHJK#access_token=x", &open);
        assert!(
            !url.contains("GmRhmhcx") && !url.contains("secret-word") && !url.contains("access_token"),
            "{url}"
        );
        assert!(url.ends_with("&code=BCDF-GHJK"), "{url}");
        let headers = [("location".to_owned(), "/login?next=abcdefgh".to_owned())];
        assert!(page_headers(&headers, &open)[0].1.starts_with("/login?next=‹8 chars"), "{headers:?}");
    }
}
