//! The words of the device authorization grant: error codes, parameter names, roles. Knows no requirement.

mod codes;
pub(crate) mod words;

pub use codes::{DEVICE_CODE_GRANT, DEVICE_ERRORS, ErrorStanding, REGISTERED_ERRORS, standing};
pub use words::{
    AuthMethod, Capability, CodeFate, Decision, Endpoint, Level, Role, Severity, Tally, UserRole,
};
