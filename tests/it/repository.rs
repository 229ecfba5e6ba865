//! Files of the repository, whatever the directory the tests run in.

use std::fs;
use std::path::{Path, PathBuf};

/// The path of a file.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The text of a file, with the line breaks of every platform as one.
pub(crate) fn text(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}")).replace("\r\n", "\n")
}

/// The names of the files in a directory, sorted.
pub(crate) fn names(directory: &str) -> Vec<String> {
    let entries = fs::read_dir(path(directory)).unwrap_or_else(|error| panic!("{directory}: {error}"));
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| path(directory).join(name).is_file())
        .collect();
    names.sort();
    names
}
