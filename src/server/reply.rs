//! An answer as data: status, headers and an ordered body; turned into bytes in one place. Knows no protocol.
//!
//! ```json
//! {"error":"authorization_pending","error_description":"The user has not decided yet."}
//! ```

use axum::body::Body as HttpBody;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use maud::Markup;
use serde_json::Value;

use super::policy::Headers;

/// An answer of the public server.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers, in the order they are sent. `Content-Type` is among them.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Body,
}

/// What a reply carries.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Nothing.
    Empty,
    /// One JSON object. The order is kept, and a name could stand twice.
    Json(Vec<(String, Value)>),
    /// Text of any media type: a page, a stylesheet.
    Text(String),
}

impl Reply {
    /// An answer without a body.
    #[must_use]
    pub const fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Body::Empty }
    }

    /// A JSON object without members yet.
    #[must_use]
    pub fn json(status: StatusCode) -> Self {
        Self {
            status,
            headers: vec![(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))],
            body: Body::Json(Vec::new()),
        }
    }

    /// A page.
    #[must_use]
    pub fn html(status: StatusCode, markup: Markup) -> Self {
        Self {
            status,
            headers: vec![(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))],
            body: Body::Text(markup.into_string()),
        }
    }

    /// A stylesheet.
    #[must_use]
    pub fn css(text: &str) -> Self {
        Self {
            status: StatusCode::OK,
            headers: vec![(header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"))],
            body: Body::Text(text.to_owned()),
        }
    }

    /// A redirect that is followed by a GET (RFC 9700 §4.12 prefers 303). `place` is a path of our own.
    #[must_use]
    pub fn see_other(place: &str) -> Self {
        let reply = Self::empty(StatusCode::SEE_OTHER);
        match HeaderValue::from_str(place) {
            Ok(value) => reply.header(header::LOCATION, value),
            // Configured paths and percent-encoded queries are visible ASCII, so there is no other case.
            Err(_) => reply,
        }
    }

    /// The same with one more JSON member at the end. A body of another kind stays as it is.
    #[must_use]
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let Body::Json(members) = &mut self.body {
            members.push((name.to_owned(), value.into()));
        }
        self
    }

    /// The same with one more member where there is a value for it.
    #[must_use]
    pub fn member_if(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.member(name, value),
            None => self,
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same with the headers of a policy behind.
    #[must_use]
    pub fn with_headers(mut self, headers: Headers) -> Self {
        let typed = headers
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        self.headers.extend(typed);
        self
    }

    /// The bytes of the body.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        match &self.body {
            Body::Empty => Vec::new(),
            Body::Json(members) => object(members),
            Body::Text(text) => text.clone().into_bytes(),
        }
    }

    /// The HTTP response.
    #[must_use]
    pub fn into_response(self) -> Response<HttpBody> {
        let mut response = Response::new(HttpBody::from(self.bytes()));
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}

/// A JSON object with its members in this order.
fn object(members: &[(String, Value)]) -> Vec<u8> {
    let mut text = b"{".to_vec();
    for (name, value) in members {
        if text.len() > 1 {
            text.push(b',');
        }
        // Texts and values can always be written, and a vector takes whatever is.
        let _ = serde_json::to_writer(&mut text, name);
        text.push(b':');
        let _ = serde_json::to_writer(&mut text, value);
    }
    text.push(b'}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_may_stand_twice() {
        let reply = Reply::json(StatusCode::OK).member("z", 1).member("a\"", "x\u{e9}\n").member("z", true);
        assert_eq!(String::from_utf8(reply.bytes()).unwrap(), "{\"z\":1,\"a\\\"\":\"xé\\n\",\"z\":true}");
    }
}
