//! Two records beside each other.
