//! The judging client on the wire, byte by byte: a client library that is brought up to date changes nothing unseen.

use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use devgrant::compose::{At, Composed, form_post};
use devgrant::http::{Exchanger, Transport, Wire};
use devgrant::protocol::{DEVICE_CODE_GRANT, Endpoint};
use devgrant::secret::Secret;
use devgrant::suite::Edits;
use devgrant::target::Client;

use crate::binary::{Binary, Playing};
use crate::scripted::{Act, PENDING, Scripted, codes, json, scripted};

fn wire() -> Wire {
    Wire::new(Duration::from_secs(10)).unwrap()
}

fn client(secret: Option<&str>) -> Client {
    Client { secret: secret.map(Secret::new), ..Client::public("tv") }
}

fn post(server: &Scripted, path: &str, params: &[(&str, &str)], client: &Client) -> Composed {
    form_post(
        At::plain(Endpoint::Token, &format!("http://{}{path}", server.address)),
        params,
        client,
        &Edits::default(),
    )
}

/// The only request that came, with port and version left out.
fn only_request(server: &Scripted) -> String {
    let requests = server.requests.lock().unwrap();
    assert_eq!(requests.len(), 1, "{requests:?}");
    requests[0]
        .replace(&server.address.to_string(), "HOST")
        .replace(concat!("devgrant/", env!("CARGO_PKG_VERSION")), "devgrant/VERSION")
}

#[tokio::test]
async fn a_device_authorization_request_on_the_wire() {
    let server = scripted(|_| json("200 OK", &codes("http://127.0.0.1"))).await;
    let sent = wire().send(&post(&server, "/code", &[("scope", "openid a/b")], &client(None))).await;
    assert_eq!(sent.answer.unwrap().status, 200);
    assert_eq!(
        only_request(&server),
        "POST /code HTTP/1.1\r\n\
         accept: application/json\r\n\
         content-type: application/x-www-form-urlencoded\r\n\
         user-agent: devgrant/VERSION\r\n\
         host: HOST\r\n\
         content-length: 31\r\n\
         \r\n\
         scope=openid+a%2Fb&client_id=tv"
    );
}

#[tokio::test]
async fn a_poll_of_a_client_with_a_secret_on_the_wire() {
    let server = scripted(|_| json("400 Bad Request", PENDING)).await;
    let params = [("grant_type", DEVICE_CODE_GRANT), ("device_code", "GmRhmhcx")];
    let sent = wire().send(&post(&server, "/token?a=1", &params, &client(Some("s:e cret")))).await;
    assert_eq!(sent.answer.unwrap().status, 400);
    assert_eq!(
        only_request(&server),
        "POST /token?a=1 HTTP/1.1\r\n\
         accept: application/json\r\n\
         content-type: application/x-www-form-urlencoded\r\n\
         authorization: Basic dHY6cyUzQWUrY3JldA==\r\n\
         user-agent: devgrant/VERSION\r\n\
         host: HOST\r\n\
         content-length: 86\r\n\
         \r\n\
         grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=GmRhmhcx"
    );
}

#[tokio::test]
async fn headers_of_an_answer_come_through_as_they_are() {
    let raw = b"HTTP/1.1 400 Whatever\r\nContent-Type: application/json\r\nCache-Control: no-store\r\ncache-control: private\r\nX-Odd: f\xfcr\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    let server = scripted(|_| Act::Say(raw.to_vec())).await;
    let answer = wire().send(&post(&server, "/t", &[], &client(None))).await.answer.unwrap();
    assert_eq!(answer.body, b"{}", "a body is not decompressed");
    assert_eq!(answer.header("cache-control").collect::<Vec<_>>(), ["no-store", "private"]);
    assert_eq!(answer.header("X-ODD").collect::<Vec<_>>(), ["f\u{fffd}r"]);
    assert_eq!(answer.header("content-encoding").collect::<Vec<_>>(), ["gzip"]);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_a_cookie_is_forgotten() {
    let elsewhere = scripted(|_| json("200 OK", "{}")).await;
    let to = format!("http://{}/there", elsewhere.address);
    let server = scripted(move |_| {
        Act::Say(
            format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\nset-cookie: a=b; Path=/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .into_bytes(),
        )
    })
    .await;
    let wire = wire();
    for _ in 0..2 {
        let sent = wire.send(&post(&server, "/code", &[], &client(None))).await;
        assert_eq!(sent.answer.unwrap().status, 302);
    }
    assert_eq!(elsewhere.requests.lock().unwrap().len(), 0);
    let requests = server.requests.lock().unwrap().clone();
    assert_eq!(requests.len(), 2);
    assert!(!requests[1].to_lowercase().contains("cookie"), "{}", requests[1]);
}

#[tokio::test]
async fn no_request_is_sent_twice() {
    let server = scripted(|_| Act::Hang).await;
    let sent = wire().send(&post(&server, "/code", &[], &client(None))).await;
    assert!(sent.answer.is_err());
    assert_eq!(server.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn no_proxy_of_the_environment_is_used() {
    let proxy = scripted(|_| json("200 OK", "{}")).await;
    let server = scripted(|request| match request.split(' ').nth(1) {
        Some("/code") => json("200 OK", &codes("http://127.0.0.1")),
        _ => json("400 Bad Request", PENDING),
    })
    .await;
    let binary = Binary::new();
    let target = binary.target(&format!("http://{}", server.address));
    let mut command = binary.command(&["check", "--target", &target, "--check", "pending-before-decision"]);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"] {
        command.env(name, format!("http://{}", proxy.address));
    }
    command.env_remove("NO_PROXY").env_remove("no_proxy");
    let ended = tokio::task::spawn_blocking(|| Playing::start(command).end()).await.unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert_eq!(*proxy.requests.lock().unwrap(), Vec::<String>::new());
    assert!(server.requests.lock().unwrap().len() >= 3);
}

/// What was seen of a race: of each connection, whether its last byte came before all had come but for theirs.
#[derive(Default)]
struct Seen {
    standing: usize,
    hasty: usize,
    done: usize,
}

const RACERS: usize = 8;

/// Takes `RACERS` connections, each on a thread of its own, and answers when the last body is complete.
fn race_course(listener: std::net::TcpListener) -> std::thread::JoinHandle<Seen> {
    std::thread::spawn(move || {
        let seen = Arc::new((Mutex::new(Seen::default()), Condvar::new()));
        let racers: Vec<_> = (0..RACERS)
            .map(|_| {
                let (stream, _) = listener.accept().unwrap();
                let seen = seen.clone();
                std::thread::spawn(move || one_racer(stream, &seen))
            })
            .collect();
        for racer in racers {
            racer.join().unwrap();
        }
        std::mem::take(&mut *seen.0.lock().unwrap())
    })
}

fn one_racer(mut stream: std::net::TcpStream, (seen, changed): &(Mutex<Seen>, Condvar)) {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut bytes = Vec::new();
    let mut stands = false;
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let left = length.parse::<usize>().unwrap() - body.len();
        let mut seen = seen.lock().unwrap();
        if left == 1 {
            seen.standing += 1;
            stands = true;
        } else if left == 0 {
            assert!(stands);
            seen.hasty += usize::from(seen.standing < RACERS);
            seen.done += 1;
            changed.notify_all();
            // Nobody is answered before all are complete: so they were in flight together.
            let wait = Duration::from_secs(30);
            let (_all, waited) = changed.wait_timeout_while(seen, wait, |seen| seen.done < RACERS).unwrap();
            assert!(!waited.timed_out(), "the others never came");
            break;
        }
    }
    let answer = "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}";
    stream.write_all(answer.as_bytes()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_race_holds_every_last_byte_until_all_are_there() {
    // A machine that is very busy may read late and see both at once; a client that does not wait never does it right.
    for attempt in 1.. {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let course = race_course(listener);
        let params = [("grant_type", DEVICE_CODE_GRANT), ("device_code", "GmRhmhcx")];
        let poll = form_post(
            At::plain(Endpoint::Token, &format!("http://{address}/token")),
            &params,
            &client(None),
            &Edits::default(),
        );
        let sent = wire().race(&vec![poll; RACERS]).await;
        let seen = tokio::task::spawn_blocking(|| course.join().unwrap()).await.unwrap();
        assert_eq!((sent.len(), seen.standing, seen.done), (RACERS, RACERS, RACERS));
        assert!(sent.iter().all(|sent| sent.answer.as_ref().is_ok_and(|answer| answer.status == 400)));
        assert!(sent.iter().all(|one| one.sent == sent[0].sent), "they start at one moment");
        if seen.hasty == 0 {
            return;
        }
        assert!(attempt < 5, "{} last bytes came before all others were there", seen.hasty);
    }
}
