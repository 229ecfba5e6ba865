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

/// Reads drawn lines back as a camera would: eight pixels a module, dark where the terminal is.
#[cfg(test)]
pub(crate) fn scan(lines: &[&str]) -> String {
    let coloured = lines[0].starts_with("\x1b[38;5;16;48;5;231m");
    let cells: Vec<Vec<char>> = lines
        .iter()
        .map(|line| {
            line.trim_start_matches("\x1b[38;5;16;48;5;231m").trim_end_matches("\x1b[0m").chars().collect()
        })
        .collect();
    let is_dark = |x: usize, y: usize| {
        let inked = match cells[y / 16][x / 8] {
            '█' => true,
            '▀' => y % 16 < 8,
            '▄' => y % 16 >= 8,
            _ => false,
        };
        inked == coloured
    };
    let mut image = rqrr::PreparedImage::prepare_from_bitmap(cells[0].len() * 8, cells.len() * 16, is_dark);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "no QR code found");
    grids[0].decode().unwrap().1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_reads_as_exactly_the_text() {
        for uri in [
            "http://127.0.0.1:9000/activate?user_code=BDFG-HKLM",
            "https://as.example/d?c=%C3%A4&x=1#f",
            "A",
            &format!("https://as.example/{}", "long/".repeat(60)),
        ] {
            let qr = Qr::of(uri).unwrap();
            for ink in [Ink::BlackOnWhite, Ink::Inverted] {
                let lines = qr.lines(ink);
                assert_eq!(scan(&lines.iter().map(String::as_str).collect::<Vec<_>>()), uri, "{ink:?}");
            }
        }
    }

    #[test]
    fn the_quiet_zone_is_light_on_every_side() {
        let qr = Qr::of("https://as.example/").unwrap();
        let lines = qr.lines(Ink::Inverted);
        assert_eq!(lines.len(), qr.columns().div_ceil(2));
        assert!(lines[..2].iter().all(|line| line.chars().all(|c| c == '█')));
        for line in &lines {
            assert!(line.starts_with("████") && line.chars().rev().take(4).all(|c| c == '█' || c == '▀'));
            assert_eq!(line.chars().count(), qr.columns());
        }
    }

    #[test]
    fn a_text_too_long_for_a_code_has_none() {
        assert_eq!(Qr::of(&"x".repeat(3000)), None);
    }
}
