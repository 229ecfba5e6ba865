//! Tests over the whole package.

#[cfg(test)]
mod approval;
#[cfg(test)]
mod repository;
#[cfg(test)]
mod suite_errors;
