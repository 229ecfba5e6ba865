//! The protocol endpoints: from a request to a reply. Every answer of the public server goes through [`answer`].

mod device_authorization;
mod dispatch;
mod introspect;
mod metadata;
mod parameters;
mod revoke;
mod token;
mod userinfo;

pub(super) use dispatch::answer;
