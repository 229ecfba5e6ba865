//! devgrant
fn main() {}
