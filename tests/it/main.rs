//! Tests over the whole package.

mod repository;
mod suite_errors;
