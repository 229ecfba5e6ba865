//! What goes over a real socket, byte for byte. Real time: a paused clock makes every request time out.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::login::{Ended, Event, Screen, Settings, play};
use crate::secret::Secret;
use crate::target::Client;

struct Nobody;

impl Screen for Nobody {
    fn show(&mut self, _: Event<'_>) {}
}

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
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn get(origin: &str) -> Request {
    Request { url: origin.parse().unwrap(), authorization: None, form: None }
}

#[tokio::test]
async fn the_bytes_of_a_whole_login_are_these() {
    let (origin, requests) = server(vec![
        answer(
            "200 OK",
            r#"{"device_code":"d/1","user_code":"u","verification_uri":"v","expires_in":30,"interval":1}"#,
        ),
        answer("200 OK", r#"{"access_token":"t0k","token_type":"Bearer"}"#),
        answer("200 OK", "{}"),
    ])
    .await;
    let client = Client {
        id: "tv app".to_owned(),
        secret: Some(Secret::new("p:ö")),
        auth: None,
        scope: Some("openid".to_owned()),
    };
    let url = |path: &str| format!("{origin}/{path}").parse().unwrap();
    let login = Settings {
        api: Some(url("me?a=b")),
        ..Settings::new(url("device"), url("token?tenant=1%202&x"), client)
    };
    let start = tokio::time::Instant::now();
    assert_eq!(play(&login, &Wire::new().unwrap(), &mut Nobody).await, Ended::Granted);
    assert!(start.elapsed() >= Duration::from_secs(1), "one interval in real time");
    let host = origin.trim_start_matches("http://");
    let agent = concat!("devgrant/", env!("CARGO_PKG_VERSION"));
    let post = |path: &str, body: &str| {
        format!(
            "POST /{path} HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded\r\naccept: application/json\r\n\
             authorization: Basic dHYrYXBwOnAlM0ElQzMlQjY=\r\nuser-agent: {agent}\r\nhost: {host}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let requests = requests.await.unwrap();
    assert_eq!(requests[0], post("device", "scope=openid&client_id=tv+app"));
    let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";
    let body = format!("{grant}&device_code=d%2F1&client_id=tv+app");
    assert_eq!(requests[1], post("token?tenant=1%202&x", &body));
    assert_eq!(
        requests[2],
        format!(
            "GET /me?a=b HTTP/1.1\r\naccept: application/json\r\nauthorization: Bearer t0k\r\n\
             user-agent: {agent}\r\nhost: {host}\r\n\r\n"
        )
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (origin, requests) = server(vec![
        "HTTP/1.1 302 Found\r\nlocation: /x\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n".to_owned(),
    ])
    .await;
    let reply = Wire::new().unwrap().send(&get(&origin)).await.unwrap();
    assert_eq!((reply.status, reply.retry_after.as_deref()), (302, Some("7")));
    assert_eq!(requests.await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_answer_of_more_than_a_mebibyte_is_an_error() {
    let body = " ".repeat(LONGEST_BODY);
    let (origin, _requests) =
        server(vec![answer("200 OK", &body), answer("200 OK", &format!("{body} "))]).await;
    let wire = Wire::new().unwrap();
    assert_eq!(wire.send(&get(&origin)).await.unwrap().body.len(), LONGEST_BODY);
    assert_eq!(wire.send(&get(&origin)).await.unwrap_err(), Failure::TooLong);
}

#[tokio::test]
async fn what_does_not_answer_is_told_apart() {
    let wire = Wire::with_timeouts(Duration::from_millis(300), Duration::from_millis(300)).unwrap();
    let stalls = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stalled = format!("http://{}/?secret=1", stalls.local_addr().unwrap());
    assert_eq!(wire.send(&get(&stalled)).await.unwrap_err(), Failure::TimedOut);
    drop(stalls);
    let refused = wire.send(&get(&stalled)).await.unwrap_err();
    assert!(matches!(&refused, Failure::Connect(reason) if !reason.contains("secret")), "{refused}");
    let (origin, _requests) = server(vec![
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_owned(),
        String::new(),
        "SSH-2.0-OpenSSH\r\n".to_owned(),
    ])
    .await;
    for _ in 0..3 {
        let broken = wire.send(&get(&origin)).await.unwrap_err();
        assert!(matches!(broken, Failure::CutOff(_)), "{broken}");
    }
}
