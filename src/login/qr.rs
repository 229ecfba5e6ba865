//! A QR code drawn with half blocks: two modules to a character.

use qrcode::{Color, EcLevel, QrCode};

/// Modules that stay light around the code, on every side (ISO/IEC 18004).
const QUIET: usize = 4;

/// A QR code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qr {
    dark: Vec<bool>,
    width: usize,
}

/// How to draw on a terminal whose own colours are unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Black on white by colour, whatever the terminal's own.
    BlackOnWhite,
    /// Without colour: light modules are drawn, dark ones are left to the background, as is right on a dark terminal.
    Inverted,
}

impl Qr {
    /// A code of exactly this text; nothing if it is too long for one.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
        Some(Self {
            width: code.width(),
            dark: code.into_colors().into_iter().map(|color| color == Color::Dark).collect(),
        })
    }

    /// How many columns it takes, quiet zone included.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.width + 2 * QUIET
    }

    /// Its lines from top to bottom.
    #[must_use]
    pub fn lines(&self, ink: Ink) -> Vec<String> {
        let blocks = |y: usize| {
            (0..self.columns()).map(move |x| {
                let drawn = |y| self.is_dark(x, y) == (ink == Ink::BlackOnWhite);
                match (drawn(y), drawn(y + 1)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                }
            })
        };
        (0..self.columns())
            .step_by(2)
            .map(|y| match ink {
                // Colours 16 and 231 of the 256 are black and white in every theme.
                Ink::BlackOnWhite => {
                    format!("\x1b[38;5;16;48;5;231m{}\x1b[0m", blocks(y).collect::<String>())
                }
                Ink::Inverted => blocks(y).collect(),
            })
            .collect()
    }

    /// Counted from the corner of the quiet zone.
    fn is_dark(&self, x: usize, y: usize) -> bool {
        let inside = |n: usize| n.checked_sub(QUIET).filter(|n| *n < self.width);
        match (inside(x), inside(y)) {
            (Some(x), Some(y)) => self.dark.get(y * self.width + x).copied().unwrap_or(false),
            _ => false,
        }
    }
}
