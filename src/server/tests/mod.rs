//! In-process tests of the whole server, in virtual time.
