//! Requests from templates, against the same requests composed one by one.

use proptest::prelude::*;

use crate::compose::{At, Composed, form_post};
use crate::http::thin::{NoTemplate, RequestTemplate};
use crate::protocol::Endpoint;
use crate::secret::Secret;
use crate::suite::Edits;
use crate::target::Client;

const POLL: &str = "urn:ietf:params:oauth:grant-type:device_code";
const URL: &str = "http://as.example:8080/t/token?tenant=a%20b";
const MARK: &str = "MARK0MARK";

fn client(secret: Option<&str>) -> Client {
    Client { secret: secret.map(Secret::new), ..Client::public("my tv") }
}

fn poll(url: &str, device_code: &str, secret: Option<&str>) -> Composed {
    let params = [("grant_type", POLL), ("device_code", device_code)];
    form_post(At::plain(Endpoint::Token, url), &params, &client(secret), &Edits::default())
}

/// What the template appends.
fn written(template: &RequestTemplate, value: &[u8]) -> Vec<u8> {
    let mut bytes = b"before".to_vec();
    template.write(&mut bytes, value);
    bytes.split_off("before".len())
}

#[test]
fn a_poll_is_the_composed_request_with_its_own_code() {
    let template = RequestTemplate::around(&poll(URL, MARK, Some("s3")), MARK).unwrap();
    let agent = concat!("devgrant/", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        String::from_utf8(written(&template, b"GmRh-._*")).unwrap(),
        format!(
            "POST /t/token?tenant=a%20b HTTP/1.1\r\nhost: as.example:8080\r\nuser-agent: {agent}\r\naccept: \
             application/json\r\ncontent-type: application/x-www-form-urlencoded\r\nauthorization: Basic \
             bXkrdHY6czM=\r\ncontent-length: 86\r\n\r\n\
             grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=GmRh-._*"
        )
    );
}

#[test]
fn a_device_authorization_request_is_the_same_every_time() {
    let request = form_post(
        At::plain(Endpoint::Token, "https://[::1]/code"),
        &[("scope", "a b")],
        &client(None),
        &Edits::default(),
    );
    let template = RequestTemplate::fixed(&request).unwrap();
    let bytes = String::from_utf8(written(&template, b"")).unwrap();
    assert!(bytes.starts_with("POST /code HTTP/1.1\r\nhost: [::1]\r\n"), "{bytes}");
    assert!(bytes.ends_with("content-length: 25\r\n\r\nscope=a+b&client_id=my+tv"), "{bytes}");
}

#[test]
fn what_cannot_be_a_template_is_refused() {
    let refused = |request: Composed| RequestTemplate::around(&request, MARK).err();
    let poll = |url: &str, code: &str| poll(url, code, None);
    assert_eq!(refused(poll(URL, "other")), Some(NoTemplate::Marks(0)));
    assert_eq!(refused(poll(URL, &MARK.repeat(2))), Some(NoTemplate::Marks(2)));
    for url in ["as.example/token", "ftp://as.example/", "http://user@as.example/", "http://:pw@as.example/"]
    {
        assert_eq!(refused(poll(url, MARK)), Some(NoTemplate::Address(url.to_owned())));
    }
    for (name, value) in [("content-length", "1"), ("connection", "close"), ("x y", "1"), ("x", "1\r\ny: 2")]
    {
        let mut request = poll(URL, MARK);
        request.headers.push((name.to_owned(), value.to_owned()));
        assert_eq!(refused(request), Some(NoTemplate::Header(name.to_owned())));
    }
    let get = Composed { method: "GET".to_owned(), ..poll(URL, MARK) };
    assert_eq!(refused(get), Some(NoTemplate::Header("GET".to_owned())));
}

#[test]
fn headers_of_a_step_take_the_place_of_ours() {
    let mut request = poll(URL, MARK, None);
    request.headers.push(("user-agent".to_owned(), "tv/1".to_owned()));
    let template = RequestTemplate::around(&request, MARK).unwrap();
    let bytes = String::from_utf8(written(&template, b"x")).unwrap();
    assert_eq!(bytes.matches("user-agent").count(), 1, "{bytes}");
    assert!(bytes.contains("user-agent: tv/1\r\n"), "{bytes}");
}

proptest! {
    #[test]
    fn any_code_is_encoded_as_compose_encodes_it(code in "\\PC{0,80}") {
        let template = RequestTemplate::around(&poll(URL, MARK, None), MARK).unwrap();
        let bytes = written(&template, code.as_bytes());
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        prop_assert_eq!(body.as_bytes(), poll(URL, &code, None).body);
        let length = format!("content-length: {}", body.len());
        prop_assert!(head.ends_with(&length), "{}", head);
    }
}
