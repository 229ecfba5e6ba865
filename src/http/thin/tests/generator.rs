//! Answers for the differential test: good ones, and good ones with something broken in them.

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::http::LARGEST_BODY;

/// What a server sends, and how.
#[derive(Clone)]
pub(super) struct Script {
    pub(super) bytes: Vec<u8>,
    /// Where the bytes are cut into pieces, ascending.
    pub(super) cuts: Vec<usize>,
    /// Is the connection closed at the end?
    pub(super) closes: bool,
}

impl Script {
    pub(super) fn pieces(&self) -> Vec<&[u8]> {
        let ends = self.cuts.iter().copied().chain([self.bytes.len()]);
        let mut start = 0;
        let pieces = ends.map(|end| {
            let piece = &self.bytes[start..end];
            start = end;
            piece
        });
        pieces.filter(|piece| !piece.is_empty()).collect()
    }
}

pub(super) struct Generator {
    random: SmallRng,
}

impl Generator {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: SmallRng::seed_from_u64(seed) }
    }

    pub(super) fn script(&mut self) -> Script {
        let mut bytes = self.answer();
        if self.one_in(8) {
            bytes.truncate(self.below(bytes.len() + 1));
        }
        if self.one_in(8) {
            let surplus =
                self.pick(&["\r\n", "x", "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n"]);
            bytes.extend_from_slice(surplus.as_bytes());
        }
        if self.one_in(8) {
            self.mutate(&mut bytes);
        }
        self.cut(bytes)
    }

    /// Bytes that are no answer, or were one once.
    pub(super) fn garbage(&mut self) -> Script {
        let mut bytes = self.answer();
        match self.below(4) {
            0 => bytes = (0..self.below(300)).map(|_| self.random.random()).collect(),
            1 => {
                let other = self.answer();
                let at = self.below(bytes.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[self.below(other.len())..]);
            }
            2 => {
                let part = bytes[self.below(bytes.len())..].to_vec();
                let times = self.below(40);
                bytes.extend_from_slice(&part[..part.len().min(2000)].repeat(times));
            }
            _ => {}
        }
        for _ in 0..self.below(8) {
            self.mutate(&mut bytes);
        }
        self.cut(bytes)
    }

    fn cut(&mut self, bytes: Vec<u8>) -> Script {
        let mut cuts: Vec<usize> = match self.below(8) {
            0..3 => Vec::new(),
            3 if bytes.len() < 2000 => (1..bytes.len()).collect(),
            _ => (0..self.below(6)).map(|_| self.below(bytes.len() + 1)).collect(),
        };
        cuts.sort_unstable();
        Script { bytes, cuts, closes: self.one_in(3) }
    }

    fn answer(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.one_in(16) {
            bytes.extend_from_slice(self.pick(&["\r\n", "\n", "\r\n\r\n", "\r", " "]).as_bytes());
        }
        while self.one_in(8) {
            let interim =
                self.pick(&["100 Continue", "102 Processing", "103 Early Hints", "199 ", "101 Switching"]);
            let header = self.pick(&["", "link: </x>\r\n", "content-length: 3\r\n", "connection: close\r\n"]);
            bytes.extend_from_slice(format!("HTTP/1.1 {interim}\r\n{header}\r\n").as_bytes());
        }
        let body = self.body();
        let (framing, framed) = self.framed(&body);
        let mut lines = self.headers();
        for line in framing {
            lines.insert(self.below(lines.len() + 1), line);
        }
        lines.insert(0, self.status_line());
        let end = if self.one_in(12) { "\n" } else { "\r\n" };
        for line in lines {
            bytes.extend_from_slice(&line);
            bytes.extend_from_slice(if self.one_in(60) { b"\n" } else { end.as_bytes() });
        }
        bytes.extend_from_slice(end.as_bytes());
        bytes.extend_from_slice(&framed);
        bytes
    }

    fn status_line(&mut self) -> Vec<u8> {
        let version = match self.below(12) {
            0..9 => "HTTP/1.1",
            9 | 10 => "HTTP/1.0",
            _ => self.pick(&["HTTP/1.2", "HTTP/2", "http/1.1", "HTTP/1.1 ", "HTTP/0.9", "", "ICY"]),
        };
        let status = match self.below(16) {
            0..12 => self.pick(&["200", "400", "401", "403", "429", "500", "503"]),
            12 | 13 => self.pick(&["204", "304", "205", "302"]),
            14 => self.pick(&["100", "101", "199", "600", "999"]),
            _ => self.pick(&["000", "099", "20", "2000", "-20", "2x0", ""]),
        };
        let reason = match self.below(8) {
            0..4 => " OK",
            4 => " ",
            5 => "",
            _ => self.pick(&[" Bad Request", "  two", " na\u{ef}ve", " a\tb", " a\u{1}b", "OK", " \r"]),
        };
        format!("{version} {status}{reason}").into_bytes()
    }

    fn headers(&mut self) -> Vec<Vec<u8>> {
        const GOOD: [&str; 11] = [
            "content-type: application/json",
            "Content-Type: application/json; charset=utf-8",
            "retry-after: 5",
            "Cache-Control: no-store",
            "date: Fri, 27 Nov 2026 04:11:07 GMT",
            "connection: keep-alive",
            "connection: upgrade",
            "x-empty:",
            "x-blank:   a b \t",
            "set-cookie: a=b; Path=/",
            "vary:Origin",
        ];
        const BAD: [&str; 11] = [
            " folded: a",
            "\tfolded",
            "no colon",
            "space : a",
            ": nameless",
            "na\u{ef}me: a",
            "x: na\u{ef}ve",
            "x: a\u{1}b",
            "x: a\u{7f}b",
            "connection: cl\u{f6}se, close",
            "x: a\rb: c",
        ];
        let many = if self.one_in(200) { 96 } else { 6 };
        let mut lines: Vec<Vec<u8>> =
            (0..self.below(many)).map(|_| self.pick(&GOOD).as_bytes().to_vec()).collect();
        if many > 6 {
            lines.resize(self.below(8) + 95, b"x: y".to_vec());
        }
        if self.one_in(5) {
            let line = self.pick(&["Connection: close", "connection: Keep-Alive, Close"]).as_bytes().to_vec();
            lines.insert(self.below(lines.len() + 1), line);
        }
        if self.one_in(12) {
            let line = self.pick(&BAD).as_bytes().to_vec();
            lines.insert(self.below(lines.len() + 1), line);
        }
        if self.one_in(150) {
            let length = [100, 5_000, 20_000, 50_000][self.below(4)];
            lines.push([&b"x: "[..], &vec![b'y'; length]].concat());
        }
        lines
    }

    fn body(&mut self) -> Vec<u8> {
        let length = match self.below(400) {
            0 => LARGEST_BODY - 1 + self.below(3),
            1..8 => 10_000 + self.below(40_000),
            8..60 => 0,
            _ => self.below(300),
        };
        match self.below(3) {
            0 => vec![b'x'; length],
            1 => b"\r\n0\r\n\r\n{HTTP/1.1 200 OK".iter().copied().cycle().take(length).collect(),
            _ => {
                let mut bytes = vec![0; length];
                self.random.fill(&mut bytes[..]);
                bytes
            }
        }
    }

    /// The headers that frame this body, and the body in its frame.
    fn framed(&mut self, body: &[u8]) -> (Vec<Vec<u8>>, Vec<u8>) {
        let right = body.len();
        let length = |value: String| format!("Content-Length: {value}").into_bytes();
        let plain = |headers: Vec<Vec<u8>>| (headers, body.to_vec());
        match self.below(16) {
            0..5 => plain(vec![length(right.to_string())]),
            5 => plain(vec![length((right + self.below(4)).saturating_sub(2).to_string())]),
            6 => plain(vec![length(right.to_string()), length((right + self.below(2)).to_string())]),
            7 => {
                let second = right + self.below(2);
                let value = self.pick(&[
                    "{r}, {s}",
                    "+{r}",
                    "-{r}",
                    "{r} ",
                    "0{r}",
                    "{r},",
                    "",
                    "{r} {s}",
                    "0x{r}",
                    "18446744073709551614",
                    "18446744073709551616",
                    "{r}\u{b2}",
                    "1048577",
                    "99999999999",
                ]);
                plain(vec![length(
                    value.replace("{r}", &right.to_string()).replace("{s}", &second.to_string()),
                )])
            }
            8 => plain(Vec::new()),
            9..14 => (vec![b"transfer-encoding: chunked".to_vec()], self.chunked(body)),
            14 => {
                let codings = self.pick(&[
                    "Chunked",
                    "gzip, chunked",
                    "chunked, gzip",
                    "identity",
                    "",
                    "chunked,",
                    "chunked\u{e9}",
                    "chunked;q=1",
                    "xchunked",
                    "chunked , chunked",
                ]);
                let header = format!("Transfer-Encoding: {codings}").into_bytes();
                let more = self.pick(&["transfer-encoding: chunked", "transfer-encoding: gzip", "x: y"]);
                let mut headers = vec![header];
                if self.one_in(3) {
                    headers.insert(self.below(2), more.as_bytes().to_vec());
                }
                (headers, self.chunked(body))
            }
            _ => {
                let value = if self.one_in(2) { right.to_string() } else { "x".to_owned() };
                (vec![length(value), b"transfer-encoding: chunked".to_vec()], self.chunked(body))
            }
        }
    }

    fn chunked(&mut self, body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut rest = body;
        while !rest.is_empty() {
            let (chunk, behind) = rest.split_at(self.random.random_range(1..=rest.len()));
            rest = behind;
            let size = match self.below(20) {
                0 => format!("{:X}", chunk.len()),
                1 => format!("000{:x}", chunk.len()),
                2 => format!("{:x}", chunk.len() + 1),
                3 if self.one_in(6) => "fffffffffffffffff".to_owned(),
                3 if self.one_in(6) => "ffffffffffffffff".to_owned(),
                3 if self.one_in(3) => self.pick(&["", " ", "-1", "0x1", "g", ";"]).to_owned(),
                _ => format!("{:x}", chunk.len()),
            };
            bytes.extend_from_slice(size.as_bytes());
            bytes.extend_from_slice(&self.chunk_line_end());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(if self.one_in(100) { b"\n" } else { b"\r\n" });
        }
        if !self.one_in(20) {
            bytes.extend_from_slice(self.pick(&["0", "0", "0", "00"]).as_bytes());
            bytes.extend_from_slice(&self.chunk_line_end());
            if self.one_in(6) {
                let trailer = self.pick(&[
                    "x: y\r\n",
                    "x: y\r\nz: \r\n",
                    "x: y\n",
                    "no colon\r\n",
                    " x: y\r\n",
                    "\n",
                    "x: y\nz: a\r\n",
                    "x\r",
                    "a b: c\r\n",
                    "content-length: 4\r\n",
                    "x: \u{e9}\r\n",
                ]);
                let times = if self.one_in(20) { [99, 100, 101, 4000][self.below(4)] } else { 1 };
                bytes.extend_from_slice(trailer.repeat(times).as_bytes());
            }
            bytes.extend_from_slice(if self.one_in(60) { b"\n" } else { b"\r\n" });
        }
        bytes
    }

    fn chunk_line_end(&mut self) -> Vec<u8> {
        let end = match self.below(40) {
            0 => ";name=value\r\n",
            1 => " ;\u{1}\"quo\"\r\n",
            2 => " \t\r\n",
            3 => self.pick(&["\n", "\r", ";a\nb\r\n", " 1\r\n", "\r\r\n", ";\rx\n", "\r\n\r\n"]),
            4 if self.one_in(4) => {
                return [&b";"[..], &vec![b'e'; [2_000, 9_000, 16_383, 16_384][self.below(4)]], b"\r\n"]
                    .concat();
            }
            _ => "\r\n",
        };
        end.as_bytes().to_vec()
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        const TOKENS: [&str; 10] =
            ["\r\n", "\n", "\r", "\r\n\r\n", ":", " ", "0", "chunked", "HTTP/1.1 ", "content-length: 1\r\n"];
        let at = self.below(bytes.len() + 1);
        match self.below(4) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 if at < bytes.len() => bytes[at] = self.random.random(),
            _ => drop(bytes.splice(at..at, self.pick(&TOKENS).bytes())),
        }
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from.choose(&mut self.random).unwrap()
    }

    fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { self.random.random_range(0..end) }
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }
}
