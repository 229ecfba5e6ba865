//! The suites are part of the binary: a file that is added or taken away must be noticed too.

fn main() {
    println!("cargo:rerun-if-changed=suites");
}
