//! What goes over a real socket, byte for byte. Real time: a paused clock makes every request time out.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::compose::{At, bearer_get};
use crate::protocol::Endpoint;
use crate::suite::Edits;

/// Answers one connection after the other with these bytes and gives the requests as they came.
async fn server(answers: Vec<String>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let requests = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            requests.push(request(&mut socket).await);
            let _ = socket.write_all(answer.as_bytes()).await;
        }
        requests
    });
    (origin, requests)
}

async fn request(socket: &mut tokio::net::TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let n = socket.read(&mut part).await.unwrap();
        bytes.extend_from_slice(&part[..n]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if n == 0 || body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
            return text;
        }
    }
}

fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A GET without a token.
async fn answer_to(wire: &Wire, url: &str) -> Result<Answer, NoAnswer> {
    let none = Edits { without: vec!["access_token".to_owned()], ..Edits::default() };
    wire.send(&bearer_get(At::plain(Endpoint::Api, url), "", &none)).await.answer
}

fn wire() -> Wire {
    Wire::new(Duration::from_secs(30)).unwrap()
}

#[tokio::test]
async fn a_token_goes_out_in_the_header_and_nowhere_else() {
    let (origin, requests) = server(vec![answer("200 OK", "{}")]).await;
    let api =
        bearer_get(At::plain(Endpoint::Api, &format!("{origin}/me?a=b%202&x")), "t0k", &Edits::default());
    wire().send(&api).await.answer.unwrap();
    let host = origin.trim_start_matches("http://");
    let agent = concat!("devgrant/", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        requests.await.unwrap(),
        [format!(
            "GET /me?a=b%202&x HTTP/1.1\r\naccept: application/json\r\nauthorization: Bearer t0k\r\n\
             user-agent: {agent}\r\nhost: {host}\r\n\r\n"
        )]
    );
}

#[tokio::test]
async fn an_answer_of_more_than_a_mebibyte_is_an_error() {
    let body = " ".repeat(LARGEST_BODY);
    let (origin, _requests) =
        server(vec![answer("200 OK", &body), answer("200 OK", &format!("{body} "))]).await;
    let wire = wire();
    assert_eq!(answer_to(&wire, &origin).await.unwrap().body.len(), LARGEST_BODY);
    assert_eq!(answer_to(&wire, &origin).await.err(), Some(NoAnswer::TooLarge(LARGEST_BODY)));
}

#[tokio::test]
async fn what_does_not_answer_is_told_apart() {
    let limit = Duration::from_millis(300);
    let wire = Wire::new(limit).unwrap();
    let stalls = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stalled = format!("http://{}/", stalls.local_addr().unwrap());
    assert_eq!(answer_to(&wire, &stalled).await.err(), Some(NoAnswer::TimedOut(limit)));
    drop(stalls);
    assert_eq!(answer_to(&wire, &stalled).await.err(), Some(NoAnswer::Refused));
    let (origin, _requests) = server(vec![
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_owned(),
        String::new(),
        "SSH-2.0-OpenSSH\r\n".to_owned(),
    ])
    .await;
    for _ in 0..3 {
        let none = answer_to(&wire, &format!("{origin}/?secret=1")).await.err();
        assert!(matches!(&none, Some(NoAnswer::CutOff(reason)) if !reason.contains("secret")), "{none:?}");
    }
}
