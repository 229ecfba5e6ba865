//! Plain text for people. Each part of the screen is a function, so that findings can be printed when they are known and
//! the rest at the end; [`render`] puts a whole record together.

mod card;
mod diagnosis;
mod finding;
mod render;
mod style;
mod summary;
mod table;
mod wrap;

pub use diagnosis::{diagnosis_end, diagnosis_line};
pub use finding::finding;
pub(super) use render::write;
pub use render::{ending, header, render};
pub use style::{Colour, Ink, Kept, Style, Verbosity};
pub(super) use summary::labelled;
pub use summary::{closing, coverage, left_out, summary};
pub use table::table;
pub use wrap::{clean, columns, wrap};
