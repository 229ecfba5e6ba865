//! Tests over the whole package.

mod generated;
mod repository;
mod schema;
mod suite_errors;
mod yaml;
