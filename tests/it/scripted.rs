//! A listener that answers as a script says, byte by byte: what no HTTP library would send.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the script does with one request.
#[derive(Clone)]
pub(crate) enum Act {
    /// These bytes, and the connection is closed.
    Say(Vec<u8>),
    /// Nothing, and the connection is closed.
    Hang,
    /// Nothing, and the connection stays open.
    Silence,
    /// These bytes again and again, until the other side has enough.
    Flood(Vec<u8>),
}

/// A server that plays a script; it ends when this is dropped.
pub(crate) struct Scripted {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The requests so far, whole.
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Plays a script: it is told the request, from its first line to the last byte of its body.
pub(crate) async fn scripted(script: impl Fn(&str) -> Act + Send + Sync + 'static) -> Scripted {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let (script, kept) = (Arc::new(script), requests.clone());
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (script, kept) = (script.clone(), kept.clone());
            tokio::spawn(async move {
                // An error is the other side's leaving, which is what some scripts want.
                let _ = tokio::time::timeout(Duration::from_secs(60), serve(stream, &*script, &kept)).await;
            });
        }
    });
    Scripted { address, requests, task }
}

async fn serve(
    mut stream: TcpStream,
    script: &(dyn Fn(&str) -> Act + Send + Sync),
    kept: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let Some(request) = read_request(&mut stream).await? else { return Ok(()) };
    kept.lock().unwrap().push(request.clone());
    match script(&request) {
        Act::Say(bytes) => {
            stream.write_all(&bytes).await?;
            stream.shutdown().await
        }
        Act::Hang => stream.shutdown().await,
        Act::Silence => std::future::pending().await,
        Act::Flood(bytes) => loop {
            stream.write_all(&bytes).await?;
        },
    }
}

/// One request with its body, as text; nothing when the connection ends before it.
pub(crate) async fn read_request(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or_default() {
                return Ok(Some(text));
            }
        }
        match stream.read(&mut buffer).await? {
            0 => return Ok(None),
            read => bytes.extend(buffer.iter().take(read)),
        }
    }
}

/// A whole answer in JSON.
pub(crate) fn json(status: &str, body: &str) -> Act {
    Act::Say(
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncache-control: no-store\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
    )
}

/// Codes that live long and are polled every second.
pub(crate) fn codes(origin: &str) -> String {
    format!(
        r#"{{"device_code":"GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNh","user_code":"WDJB-MJHT","verification_uri":"{origin}/device","expires_in":1800,"interval":1}}"#
    )
}

/// A poll before the user decides.
pub(crate) const PENDING: &str = r#"{"error":"authorization_pending"}"#;
