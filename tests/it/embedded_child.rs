//! The embedded server as a child process: found by its line of JSON, and gone with whoever started it.

use std::time::Duration;

use devgrant::machine::child::{ChildError, Settings, start};
use devgrant::machine::{limits, process};
use serde_json::Value;

use crate::binary::{Binary, Playing};

fn settings() -> Settings {
    Settings { patience: Duration::from_secs(60), ..Settings::new(env!("CARGO_BIN_EXE_devgrant")) }
}

#[tokio::test]
async fn a_child_serves_with_the_wishes_it_was_given_until_it_is_stopped() {
    let settings = Settings { interval: Some(Duration::from_secs(7)), ..settings() };
    let mut child = start(&settings).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = client.post(format!("{}/oauth/device/code", child.issuer)).body("client_id=tv-public");
    let answer = ask.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
    let codes: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(codes["interval"], 7, "{codes}");
    let order = serde_json::json!({ "user_code": codes["user_code"] }).to_string();
    let approve = client.post(format!("{}/approve", child.admin)).body(order);
    let approved = approve.header("content-type", "application/json").send().await.unwrap();
    assert_eq!(approved.status(), 200);
    child.check().await.unwrap();
    let pid = child.pid;
    if cfg!(target_os = "linux") {
        assert!(child.usage().unwrap().memory > 0);
        assert_eq!(process::is_alive(pid), Some(true));
    }
    child.stop().await;
    assert_ne!(process::is_alive(pid), Some(true));
}

#[tokio::test]
async fn a_child_that_ends_says_why() {
    let error =
        start(&Settings { faults: vec!["no-such-fault".to_owned()], ..settings() }).await.unwrap_err();
    assert!(matches!(error, ChildError::Ended { .. }), "{error:?}");
    assert!(error.to_string().contains("no-such-fault"), "{error}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_child_stays_on_its_core_and_this_process_goes_back_to_all_of_its() {
    let before = limits::cores().unwrap().allowed;
    let core = *before.last().unwrap();
    let child = start(&Settings { cores: vec![core], ..settings() }).await.unwrap();
    assert_eq!(limits::cores().unwrap().allowed, before);
    for thread in std::fs::read_dir(format!("/proc/{}/task", child.pid)).unwrap() {
        let status = std::fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
        assert!(status.contains(&format!("Cpus_allowed_list:\t{core}\n")), "{status}");
    }
    child.stop().await;
}

#[test]
fn the_ready_file_appears_whole_and_the_server_ends_with_its_stdin() {
    let binary = Binary::new();
    let arguments = ["serve", "--port", "0", "--ready-file", "ready.json", "--until-stdin-closes"];
    // Its stdin is empty: it serves for no longer than it takes to see that.
    let ended = Playing::start(binary.command(&arguments)).end();
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.all());
    assert!(ended.out.contains("for testing only"), "{}", ended.out);
    let ready: Value = serde_json::from_slice(&std::fs::read(binary.path("ready.json")).unwrap()).unwrap();
    for name in ["issuer", "admin"] {
        assert!(ready[name].as_str().unwrap().starts_with("http://127.0.0.1:"), "{ready}");
    }
    assert!(ready["pid"].as_u64().unwrap() > 0, "{ready}");
    let left: Vec<_> = std::fs::read_dir(binary.directory.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_ready_file_that_cannot_be_written_ends_the_server() {
    let ended = Binary::new().run(&["serve", "--port", "0", "--ready-file", "nowhere/ready.json"]);
    assert_eq!(ended.code, Some(3), "{}", ended.all());
    assert!(ended.err.starts_with("error: write nowhere/ready.json: "), "{}", ended.err);
}
