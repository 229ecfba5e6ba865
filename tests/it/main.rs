//! Tests over the whole package.

#[cfg(test)]
mod ambiguous;
#[cfg(test)]
mod approval;
#[cfg(test)]
mod approval_browser;
#[cfg(test)]
mod approval_drivers;
#[cfg(test)]
mod behaviour_card;
#[cfg(test)]
mod binary;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod device_properties;
#[cfg(test)]
mod device_tests;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod embedded_child;
#[cfg(test)]
mod fault_matrix;
#[cfg(test)]
mod generated;
#[cfg(test)]
#[cfg(feature = "goose")]
mod goose;
#[cfg(test)]
mod guide;
#[cfg(test)]
mod http2;
#[cfg(test)]
mod init;
#[cfg(test)]
mod judge;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod living_with_failures;
#[cfg(test)]
mod load;
#[cfg(test)]
mod load_checks;
#[cfg(test)]
mod load_guide;
#[cfg(test)]
mod mangled;
#[cfg(test)]
mod many_answers;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod oracle_check;
#[cfg(test)]
mod outside;
#[cfg(test)]
mod over_sockets;
#[cfg(test)]
mod over_tls;
#[cfg(test)]
mod pinned;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod repository;
#[cfg(test)]
mod resume;
#[cfg(test)]
mod rust_paths;
#[cfg(test)]
mod scenario_errors;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod slow_line;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod stops;
#[cfg(test)]
mod suite_errors;
#[cfg(test)]
mod target_features;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod virtual_time;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod yaml;
