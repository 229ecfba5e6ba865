//! `devgrant init` without a terminal: what it writes, and that `check` runs with it.

use std::os::unix::fs::PermissionsExt;

use devgrant::protocol::{Role, UserRole};
use devgrant::target::Target;

use crate::binary::{Binary, Ended};
use crate::cli::run;
use crate::stops::reference;

const USERS: [&str; 4] = ["--user", "alice:wonderland-1", "--user", "bob:looking-glass-2"];

async fn init(binary: Binary, arguments: &[&str]) -> (Binary, Ended) {
    run(binary, &[&["init"], arguments].concat()).await
}

#[tokio::test]
async fn a_server_is_described_by_itself_and_a_client_and_users() {
    let (running, _) = reference().await;
    let issuer = format!("http://{}", running.public());
    let arguments = [&[issuer.as_str(), "--client-id", "tv-public"], &USERS[..]].concat();
    let (binary, ended) = init(Binary::new(), &arguments).await;
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert!(ended.out.starts_with("target.yaml is written\n"), "{}", ended.all());
    assert!(ended.out.contains(" ok    denial "), "{}", ended.all());
    let mode = std::fs::metadata(binary.path("target.yaml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(binary.path("target.yaml")).unwrap();
    insta::assert_snapshot!("init_on_the_reference_server", text.replace(&issuer, "http://127.0.0.1:8628"));
    let target = Target::from_yaml(&text).unwrap();
    assert_eq!(target.clients[&Role::Tv].scope.as_deref(), Some("openid offline_access"));
    assert_eq!(target.users[&UserRole::Bob].login, "bob");

    let checks = ["--check", "token-response/*", "--max-wait", "3 s"];
    let checking = [&["check", "--target", "target.yaml"], &checks[..]].concat();
    let (binary, checked) = run(binary, &checking).await;
    assert_eq!(checked.code, Some(0), "{}", checked.all());
    assert!(!checked.out.contains("not exercised  "), "{}", checked.out);

    // What is there stays, unless it is said otherwise.
    let (binary, again) = init(binary, &arguments).await;
    assert_eq!(again.code, Some(2), "{}", again.all());
    assert!(again.err.contains("--force"), "{}", again.err);
    let (binary, forced) = init(binary, &[&arguments[..], &["--force", "--no-doctor"]].concat()).await;
    assert_eq!(forced.code, Some(0), "{}", forced.all());
    assert!(!forced.out.contains(" ok "), "{}", forced.out);
    assert_eq!(std::fs::read_to_string(binary.path("target.yaml")).unwrap(), text);
    running.shutdown().await;
}

#[tokio::test]
async fn without_a_user_and_with_a_wrong_one_the_file_says_what_is_left_to_do() {
    let (running, _) = reference().await;
    let issuer = format!("http://{}", running.public());
    let client = ["--client-id", "tv-confidential", "--client-secret", "projector-secret-7c1f0b52d9"];
    let (binary, ended) = init(Binary::new(), &[&[issuer.as_str()], &client[..]].concat()).await;
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    let text = std::fs::read_to_string(binary.path("target.yaml")).unwrap();
    assert!(Target::from_yaml(&text).unwrap().approval.is_none(), "{text}");
    assert!(ended.out.contains("no test user"), "{}", ended.out);
    assert!(!ended.all().contains("projector-secret"), "{}", ended.all());

    let wrong = ["--client-id", "tv-public", "--user", "alice:wrong", "--no-doctor"];
    let (binary, ended) = init(Binary::new(), &[&[issuer.as_str()], &wrong[..]].concat()).await;
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert!(ended.out.contains("what was typed was refused"), "{}", ended.out);
    let text = std::fs::read_to_string(binary.path("target.yaml")).unwrap();
    let target = Target::from_yaml(&text).unwrap();
    assert_eq!(target.approval.map(|approval| approval.name()), Some("manual"), "{text}");
    running.shutdown().await;
}

#[tokio::test]
async fn what_is_missing_is_named_and_nothing_is_written() {
    let (running, _) = reference().await;
    let issuer = format!("http://{}", running.public());
    for (arguments, code, said) in [
        (&[][..], 2, "error: ISSUER is missing"),
        (&["tv"], 2, "\"tv\" is no issuer"),
        (&[&issuer], 2, "error: --client-id is missing"),
        (&["http://127.0.0.1:9", "--client-id", "tv"], 3, "error: nobody listens at http://127.0.0.1:9"),
        (&[&format!("{issuer}/nowhere"), "--client-id", "tv"], 3, "publishes no metadata"),
        (&[&issuer, "--client-id", "tv", "--user", "alice"], 2, "write LOGIN:PASSWORD"),
    ] {
        let (binary, ended) = init(Binary::new(), arguments).await;
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.all());
        assert!(ended.err.contains(said), "{arguments:?}: {}", ended.all());
        assert!(!binary.path("target.yaml").exists(), "{arguments:?}");
    }
    running.shutdown().await;
}

#[tokio::test]
async fn a_client_that_is_not_known_is_written_and_named() {
    let (running, _) = reference().await;
    let issuer = format!("http://{}", running.public());
    let (binary, ended) =
        init(Binary::new(), &[&issuer, "--client-id", "nobody", "--user", "alice:wonderland-1"]).await;
    assert_eq!(ended.code, Some(3), "{}", ended.all());
    assert!(ended.err.contains("the client gets no codes (invalid_client)"), "{}", ended.err);
    assert!(ended.out.contains("the server does not know the client \"nobody\""), "{}", ended.out);
    assert!(binary.path("target.yaml").exists());
    running.shutdown().await;
}

#[test]
fn every_target_of_the_guide_is_read() {
    let blocks = crate::guide::blocks("docs/guide/describing-your-server.md");
    let targets: Vec<_> = blocks.iter().filter(|block| block.kind == "yaml target").collect();
    assert!(!targets.is_empty());
    for block in targets {
        assert!(
            Target::from_yaml(&block.text).is_ok(),
            "line {}: {:?}",
            block.line,
            Target::from_yaml(&block.text)
        );
    }
}
