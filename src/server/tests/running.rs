//! The server on real sockets, in real time.

use std::net::SocketAddr;

use super::client::authorize;
use crate::server::{Config, app, start};

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[tokio::test]
async fn it_listens_on_free_loopback_ports_until_it_is_shut_down() {
    let running = start(Config::embedded(), address("127.0.0.1:0"), address("127.0.0.1:0")).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/oauth/device/code", running.public());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let request = client.post(&url).header(form[0].0, form[0].1).body("client_id=tv-public");
    let answer: serde_json::Value =
        serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap();
    let page = answer["verification_uri"].as_str().unwrap();
    assert_eq!(page, format!("http://{}/activate", running.public()));
    let hook = format!("http://{}/approve", running.admin());
    let body = format!(r#"{{"user_code":{}}}"#, answer["user_code"]);
    let hooked =
        client.post(hook).header("content-type", "application/json").body(body).send().await.unwrap();
    assert_eq!(hooked.status(), 200);
    running.shutdown().await;
    assert!(client.get(&url).send().await.is_err());
}

#[tokio::test]
async fn it_refuses_to_listen_for_others() {
    let error = start(Config::reference(), address("0.0.0.0:0"), address("127.0.0.1:0")).await.unwrap_err();
    assert!(error.to_string().contains("loopback only"), "{error}");
    let error = start(Config::reference(), address("127.0.0.1:0"), address("192.0.2.1:0")).await.unwrap_err();
    assert!(error.to_string().contains("loopback only"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_sessions_have_distinct_codes() {
    let app = app(Config::embedded(), "http://127.0.0.1:1");
    let mut user_codes = std::collections::HashSet::new();
    let mut device_codes = std::collections::HashSet::new();
    for _ in 0..10_000 {
        let codes = authorize(&app, "client_id=tv-public").await;
        assert!(user_codes.insert(codes.user_code) && device_codes.insert(codes.device_code));
    }
}
