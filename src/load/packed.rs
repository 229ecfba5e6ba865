//! Device codes in less memory than their text takes: almost all are written in the 64 characters of base64url
//! (RFC 4648 §5), hexadecimal ones and UUIDs among them, so that four characters fit into three bytes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How many characters a group has, and how many bytes it takes.
const GROUP: (usize, usize) = (4, 3);

/// How the codes of a server are kept: as the first one allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    /// The most characters that a code may have to be kept so.
    pub(super) longest: usize,
    /// Whole groups of four characters are packed, what is left stands as it is.
    is_packed: bool,
}

impl Form {
    /// The form for codes like this one.
    pub(super) fn like(code: &[u8]) -> Self {
        let longest = code.len().clamp(1, 255);
        let is_packed = Self { longest, is_packed: true }.write(code, &mut vec![0; longest]);
        Self { longest, is_packed }
    }

    /// The bytes that a code of so many characters takes.
    pub(super) const fn bytes(self, characters: usize) -> usize {
        if self.is_packed { characters / GROUP.0 * GROUP.1 + characters % GROUP.0 } else { characters }
    }

    /// Writes a code to the front of `into`; false when it does not fit or has other characters.
    pub(super) fn write(self, code: &[u8], into: &mut [u8]) -> bool {
        let bytes = self.bytes(code.len());
        let Some(into) = into.get_mut(..bytes).filter(|_| code.len() <= self.longest) else { return false };
        let (groups, rest) =
            if self.is_packed { code.split_at(code.len() / GROUP.0 * GROUP.0) } else { (&[] as &[u8], code) };
        let (packed, plain) = into.split_at_mut(bytes - rest.len());
        plain.copy_from_slice(rest);
        URL_SAFE_NO_PAD.decode_slice(groups, packed).is_ok_and(|written| written == packed.len())
    }

    /// The code of so many characters that was written.
    pub(super) fn read(self, kept: &[u8], characters: usize) -> Option<Vec<u8>> {
        let kept = kept.get(..self.bytes(characters))?;
        if !self.is_packed {
            return Some(kept.to_vec());
        }
        let (packed, plain) = kept.split_at(characters / GROUP.0 * GROUP.1);
        let mut code = vec![0; characters];
        let written = URL_SAFE_NO_PAD.encode_slice(packed, &mut code).ok()?;
        code.get_mut(written..)?.copy_from_slice(plain);
        Some(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_comes_back_as_it_was_and_takes_three_quarters() {
        for code in [
            "wZ0-_kQ3vYt7mB1xLc9Rj2Hs5Nf8Gd4Pa6Ue0Io_QzX",
            "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "0",
            "ab",
            "abc",
            "abcd",
        ] {
            let form = Form::like(code.as_bytes());
            let mut kept = vec![0; form.bytes(code.len())];
            assert!(form.write(code.as_bytes(), &mut kept), "{code}");
            assert_eq!(form.read(&kept, code.len()).unwrap(), code.as_bytes());
        }
        assert_eq!(Form::like(&[b'a'; 43]).bytes(43), 33);
    }

    #[test]
    fn other_characters_are_kept_as_they_are_and_never_packed() {
        let form = Form::like(b"a.b:c/d+e");
        assert_eq!(form.bytes(9), 9);
        let mut kept = [0; 9];
        assert!(form.write(b"+++++++++", &mut kept));
        assert_eq!(form.read(&kept, 9).unwrap(), b"+++++++++");
        assert!(!form.write(&[b'a'; 10], &mut [0; 20]));
        let packed = Form::like(b"abcdefgh");
        assert!(!packed.write(b"abcd.fgh", &mut [0; 8]));
    }
}
