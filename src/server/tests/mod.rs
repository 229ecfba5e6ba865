//! In-process tests of the whole server, in virtual time.

mod client;
mod devices;
mod documents;
mod load;
mod many;
mod pages;
mod requests;
mod running;
mod tokens;
