//! Requests that differ in one value, ready but for that.

use http::{HeaderName, HeaderValue};
use url::{Position, Url, form_urlencoded};

use crate::compose::Composed;
use crate::http::client::USER_AGENT;

/// A request whose bytes are known but for one form value, such as the device code of a poll. Composed once for each
/// endpoint and client, as every request of the program is.
pub struct RequestTemplate {
    /// To the value of `content-length`, which is the last header.
    head: Vec<u8>,
    /// The body before the value.
    before: Vec<u8>,
    /// The body after it.
    after: Vec<u8>,
}

/// Why a request cannot be a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoTemplate {
    /// The address is none, or has no host, or holds a password.
    #[error("{0:?} is no address of an endpoint")]
    Address(String),
    /// A method or a header that cannot be sent over a connection that frames bodies itself.
    #[error("{0:?} cannot be sent")]
    Header(String),
    /// The value that stands for the variable one is in the body several times, or not at all.
    #[error("the body has the variable value {0} times")]
    Marks(usize),
}

impl RequestTemplate {
    /// A request without a variable value, such as a device authorization request.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub fn fixed(request: &Composed) -> Result<Self, NoTemplate> {
        Ok(Self { head: head(request)?, before: request.body.clone(), after: Vec::new() })
    }

    /// A request that has `mark` where the variable value will be; the mark is made of letters and digits.
    ///
    /// # Errors
    /// When it cannot be sent, or does not have the mark in its body exactly once.
    pub fn around(request: &Composed, mark: &str) -> Result<Self, NoTemplate> {
        let body = String::from_utf8_lossy(&request.body);
        let parts: Vec<&str> = body.split(mark).collect();
        let [before, after] = parts[..] else { return Err(NoTemplate::Marks(parts.len().saturating_sub(1))) };
        Ok(Self { head: head(request)?, before: before.into(), after: after.into() })
    }

    /// Appends the whole request with this value, form-encoded; an empty one for a request without.
    pub fn write(&self, into: &mut Vec<u8>, value: &[u8]) {
        let fixed = self.before.len() + self.after.len();
        let is_plain = value.iter().all(|byte| PLAIN[usize::from(*byte)]);
        let length =
            if is_plain { value.len() } else { form_urlencoded::byte_serialize(value).map(str::len).sum() };
        into.reserve(self.head.len() + fixed + length + 24);
        into.extend_from_slice(&self.head);
        decimal(fixed + length, into);
        into.extend_from_slice(b"\r\n\r\n");
        into.extend_from_slice(&self.before);
        if is_plain {
            into.extend_from_slice(value);
        } else {
            form_urlencoded::byte_serialize(value).for_each(|part| into.extend_from_slice(part.as_bytes()));
        }
        into.extend_from_slice(&self.after);
    }
}

/// The bytes that a form leaves as they are.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < plain.len() {
        let this = byte as u8;
        plain[byte] = this.is_ascii_alphanumeric() || matches!(this, b'*' | b'-' | b'.' | b'_');
        byte += 1;
    }
    plain
};

fn decimal(mut number: usize, into: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    into.extend_from_slice(&digits[first..]);
}

fn head(request: &Composed) -> Result<Vec<u8>, NoTemplate> {
    let url = Url::parse(&request.url).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.username().is_empty());
    let url = url.filter(|url| url.password().is_none());
    let url = url.ok_or_else(|| NoTemplate::Address(request.url.clone()))?;
    if request.method != "POST" {
        return Err(NoTemplate::Header(request.method.clone()));
    }
    let target = &url[Position::BeforePath..Position::AfterQuery];
    let mut head = format!("POST {target} HTTP/1.1\r\n").into_bytes();
    let own = [("host", &url[Position::BeforeHost..Position::AfterPort]), ("user-agent", USER_AGENT)];
    let has = |name: &str| request.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
    let own = own.into_iter().filter(|(name, _)| !has(name));
    let given = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in own.chain(given) {
        let is_framing =
            ["content-length", "transfer-encoding", "connection", "expect", "upgrade"].contains(&name);
        let is_valid =
            HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_str(value).is_ok();
        if is_framing || !is_valid {
            return Err(NoTemplate::Header(name.to_owned()));
        }
        head.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    head.extend_from_slice(b"content-length: ");
    Ok(head)
}
