//! QR codes as a camera reads them.

use devgrant::login::{Ink, Qr};

/// Reads drawn lines back as a camera would: eight pixels a module, dark where the terminal is.
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
