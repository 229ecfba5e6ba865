//! The suite language: what a YAML file of checks may say, and what must be true of it before anything is sent.

mod card;
mod expectation;
mod facts;
mod graded;
mod leaves;
mod mentions;
mod model;
mod pages;
mod request;
mod schema;
mod steps;
mod template;
mod validate;
mod values;

pub use card::{Measure, Reading, Threshold};
pub use expectation::{
    BodyTrait, Challenge, Charset, CountRule, Expectation, FilledLists, HeaderRule, JsonType, Jwt, Later,
    Lenient, MemberRule, MildGrade, Near, Never, Number, RequestTrait, ScopeRule, SigningKeys, TargetRule,
    Tokens, UriKind, UriPart, When,
};
pub use graded::{Graded, OneOrMany};
pub use mentions::mentions;
pub use model::{Alone, Check, Over, Sample, SampleKind, Suite, Variant};
pub use pages::{Dropped, EnterCode, OpenPage, Origin, PageMethod, PageRule, Pressed, Reach, Tamper, Typed};
pub use request::{Alteration, Auth, AuthStyle, Edits, Encode, Scheme, SecretChoice, SpaceEncoding, size};
pub use schema::{schema, schema_of};
pub use steps::{
    Authorize, Bound, CallApi, Count, Decide, Discover, MetadataDocument, Offset, OnlyIf, Poll, PollUntil,
    Polls, Race, Refresh, Request, StartUri, Step, Tls, Together, TokenKind, UseToken, Wait,
};
pub use template::{
    ANSWER, ANY_DEVICE_CODE, ClientValue, Misread, Placeholder, SessionValue, TYPED_CODES, TargetValue,
    placeholders,
};
pub use validate::{SuiteFile, validate};
pub use values::{AlphabetRule, Bits, CodeKind, Confusing, Distinct, Entropy, Uniform, Unordered, Unrelated};
