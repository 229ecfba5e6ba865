//! The poll that every generator of the benchmark sends.

/// The form of a poll: a device code of 43 characters and a public client (RFC 8628 §3.4).
pub const POLL: [(&str, &str); 3] = [
    ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
    ("device_code", "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS7Q"),
    ("client_id", "tv"),
];
