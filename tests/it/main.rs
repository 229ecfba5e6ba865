//! Tests over the whole package.

#[cfg(test)]
mod approval;
#[cfg(test)]
mod mangled;
#[cfg(test)]
mod repository;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod suite_errors;
#[cfg(test)]
mod virtual_time;
