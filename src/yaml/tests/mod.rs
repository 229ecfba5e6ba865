//! Mistakes of every kind, as users see them.

mod corruption;
mod files;
mod kinds;
mod marks;
mod several;
mod shapes;
mod types;
mod words;
