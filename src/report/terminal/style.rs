//! How the terminal wants its text: colour or none, how wide, how much.

use crate::verdict::Verdict;

/// Text never gets wider than this, however wide the terminal is: long lines are hard to read.
const WIDEST: usize = 110;

/// Colour or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    Off,
    /// ANSI colours.
    On,
}

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// What is not green.
    Normal,
    /// What is green, too.
    Verbose,
}

/// Whether the record is kept where commands find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In a file: a finding names the command that shows more.
    InAFile,
    /// In this process only, as in a test: no command would find it.
    Here,
}

/// How the terminal wants its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Colour or none.
    pub colour: Colour,
    /// How many columns there are.
    pub width: usize,
    /// How much is shown.
    pub verbose: Verbosity,
    /// Where the record is.
    pub kept: Kept,
}

/// What a piece of text is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Of less weight: reasons, further commands.
    Dim,
    /// It failed, or we did.
    Fail,
    /// As it should be.
    Pass,
    /// What the eye should find first.
    Strong,
    /// To look at.
    Warn,
}

impl Style {
    /// For a file: 100 columns without colour.
    #[must_use]
    pub const fn plain(verbose: Verbosity) -> Self {
        Self { colour: Colour::Off, width: 100, verbose, kept: Kept::InAFile }
    }

    /// How many columns text may fill.
    #[must_use]
    pub fn text_width(&self) -> usize {
        self.width.clamp(40, WIDEST)
    }

    /// A hint at a command that reads the record; nothing where it would find none.
    #[must_use]
    pub fn hint<'a>(&self, text: &'a str) -> &'a str {
        if self.kept == Kept::InAFile { text } else { "" }
    }

    /// The text in its colour. Pad before painting: the codes have no width on the screen.
    #[must_use]
    pub fn paint(&self, ink: Ink, text: &str) -> String {
        let code = match (self.colour, ink) {
            (Colour::Off, _) => return text.to_owned(),
            (Colour::On, _) if text.is_empty() => return String::new(),
            (Colour::On, Ink::Dim) => "2",
            (Colour::On, Ink::Fail) => "1;31",
            (Colour::On, Ink::Pass) => "32",
            (Colour::On, Ink::Strong) => "1",
            (Colour::On, Ink::Warn) => "33",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

impl Ink {
    /// The colour of a verdict.
    #[must_use]
    pub const fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass | Verdict::Acceptable => Self::Pass,
            Verdict::Fail | Verdict::Error => Self::Fail,
            Verdict::Warn | Verdict::NotExercised | Verdict::Inconclusive => Self::Warn,
            Verdict::Skip => Self::Dim,
        }
    }
}
