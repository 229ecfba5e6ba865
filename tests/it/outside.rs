//! Faults as another process sees them: `serve --fault` in one, `check --target` in the other, over real HTTP. A fault of
//! each family; the exit code is 1, and the first red is a check that is about the fault.

use devgrant::catalog::Catalog;
use devgrant::matrix::Matrix;

use crate::binary::{Binary, Playing};
use crate::repository;

/// So many are played at the same time, so that none waits for its core.
const AT_ONCE: usize = 4;

/// A fault of each family, and the suite whose checks are about it.
const FAULTS: &[(&str, &str)] = &[
    ("pending-status-401", "token-response"),
    ("undecided-code-never-ends", "token-response"),
    ("denied-counts-as-approved", "token-response"),
    ("double-redeem-race", "token-response"),
    ("da-skips-client-auth", "rfc6749-client-authentication"),
    ("verification-url-name", "device-authorization-response"),
    ("token-type-missing", "rfc6749-successful-response"),
    ("broken-escape-500", "device-authorization-request"),
    ("device-code-64-bit", "security"),
    ("metadata-wrong-issuer", "metadata"),
    ("scope-required-at-da", "device-authorization-request"),
    ("complete-uri-approves", "user-interaction"),
    ("api-closed", "rfc6750-bearer-use"),
];

/// Exit code and first red of `check` from outside against a server with this fault.
fn judged(fault: &str, suite: &str) -> Result<String, String> {
    let binary = Binary::new();
    let mut server = Playing::start(binary.command(&["serve", "--short", "--port", "0", "--fault", fault]));
    let line = server.line_with("http://127.0.0.1:");
    let origin = line.split_whitespace().find(|word| word.starts_with("http://127.0.0.1:")).unwrap();
    let origin = origin.trim_end_matches(',');
    let target = repository::text("fixtures/targets/embedded.yaml");
    let (before, after) = target.split_once("issuer: http://127.0.0.1:8628").unwrap();
    // Its endpoints are named, so that the issuer that the metadata give keeps nobody from judging them.
    let target = binary.file(
        "target.yaml",
        &format!(
            "{before}issuer: {origin}\nendpoints: {{ device_authorization: \"{origin}/oauth/device/code\", token: \
             \"{origin}/oauth/token\" }}\n#{after}"
        ),
    );
    let ended = binary.run(&["check", "--target", &target, "--check", suite]);
    let red = ended.out.lines().find_map(|line| line.trim_start().strip_prefix("FAIL"));
    match (ended.code, red) {
        (Some(1), Some(red)) => Ok(red.trim().to_owned()),
        _ => Err(format!("{fault}: exit {:?}\n{}", ended.code, ended.all())),
    }
}

#[test]
fn a_fault_of_each_family_is_caught_from_outside_by_a_check_that_is_about_it() {
    let matrix = Matrix::builtin(&Catalog::builtin().unwrap()).unwrap();
    let some_at_once = |some: &[(&'static str, &'static str)]| -> Vec<_> {
        std::thread::scope(|scope| {
            let play = |&(fault, suite)| scope.spawn(move || (fault, judged(fault, suite)));
            let playing: Vec<_> = some.iter().map(play).collect();
            playing.into_iter().map(|played| played.join().unwrap()).collect()
        })
    };
    for (fault, judged) in FAULTS.chunks(AT_ONCE).flat_map(some_at_once) {
        let red = judged.unwrap_or_else(|wrong| panic!("{wrong}"));
        let about: Vec<String> = matrix.rows[fault].about().map(|(check, _)| check.to_owned()).collect();
        assert!(
            about.iter().any(|check| red.contains(check.as_str())),
            "{fault}: {red}, not one of {about:?}"
        );
    }
}
