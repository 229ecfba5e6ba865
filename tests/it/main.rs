//! Tests over the whole package.

#[cfg(test)]
mod approval;
#[cfg(test)]
mod binary;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod fault_matrix;
#[cfg(test)]
mod generated;
#[cfg(test)]
mod guide;
#[cfg(test)]
mod judge;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod mangled;
#[cfg(test)]
mod outside;
#[cfg(test)]
mod pinned;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod repository;
#[cfg(test)]
mod rust_paths;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod suite_errors;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod virtual_time;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod yaml;
