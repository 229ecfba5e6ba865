//! Generated files are fresh.

use devgrant::generated::generated_files;

use crate::repository;

#[test]
fn generated_files_are_fresh() {
    for (name, expected) in generated_files().unwrap() {
        let found = std::fs::read_to_string(repository::path(name)).unwrap_or_default().replace("\r\n", "\n");
        let stale = found.lines().zip(expected.lines()).position(|(found, expected)| found != expected);
        let line = stale.unwrap_or(found.lines().count().min(expected.lines().count())) + 1;
        assert!(
            found == expected,
            "{name} is stale from line {line} on: run  devgrant generate  in the repository"
        );
    }
}
