//! Whatever is typed: no panic, and either a value or a mistake with a place.

use super::types::{Menu, read};

const TEXT: &str = "\
# what there is today
menu: lunch
note: \"soup, then more\"
dishes:
  - id: soup
    rank: first
    hot: true
    tags: [warm, 'very hot']
    prices: { small: 3.5, large: 5 }
    steps:
      - cook: { minutes: 20, expect: [{ taste: salty }] }
      - taste: { is: [salty, sweet], warn: bitter, because: \"the salt, mostly\" }
      - rest
  - id: cake
    rank: last
    portions: 8
    steps:
      - any_of:
          - [{ taste: sweet }]
          - [{ season: { with: sugar } }, { judge: { is: sweet, because: now } }]
";

const CHARACTERS: &[char] = &[
    'a', 'é', '日', '0', ' ', '\t', '\n', '\r', ':', '-', ',', '[', ']', '{', '}', '"', '\'', '#', '&', '*',
    '!', '|', '>', '%', '@', '`', '?', '<', '\\', '/', '~', '\u{0}', '\u{feff}', '\u{2028}', '\u{85}',
];

/// Numbers that look random and are the same each time (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

fn judge(text: &str) {
    let loaded = read::<Menu>(text);
    for diagnostic in &loaded.diagnostics {
        assert!(diagnostic.place.is_some(), "{diagnostic:?} in {text}");
        assert!(!diagnostic.draw(crate::diagnostic::Colour::Plain).contains('\u{1b}'));
    }
    assert!(loaded.value.is_some() || !loaded.diagnostics.is_empty(), "{text}");
}

#[test]
fn the_text_is_right_to_begin_with() {
    let loaded = read::<Menu>(TEXT);
    assert_eq!(loaded.diagnostics, []);
    assert_eq!(loaded.value.unwrap().dishes.len(), 2);
}

#[test]
fn no_single_character_breaks_the_reader() {
    let characters: Vec<char> = TEXT.chars().collect();
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    for round in 0..1500 {
        let mut text = characters.clone();
        let at = numbers.below(text.len());
        let character = CHARACTERS[numbers.below(CHARACTERS.len())];
        match round % 3 {
            0 => text[at] = character,
            1 => text.insert(at, character),
            _ => drop(text.remove(at)),
        }
        judge(&text.into_iter().collect::<String>());
    }
}

#[test]
fn a_file_may_end_anywhere() {
    for (end, _) in TEXT.char_indices() {
        judge(&TEXT[..end]);
    }
}

#[test]
fn many_changes_at_once_do_not_break_it_either() {
    let mut numbers = Numbers(7);
    for _ in 0..300 {
        let mut text: Vec<char> = TEXT.chars().collect();
        for _ in 0..8 {
            let at = numbers.below(text.len());
            text[at] = CHARACTERS[numbers.below(CHARACTERS.len())];
        }
        judge(&text.into_iter().collect::<String>());
    }
}
