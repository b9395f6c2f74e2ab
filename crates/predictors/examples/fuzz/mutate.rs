//! Makes new inputs of old ones.

#![allow(clippy::cast_possible_truncation, reason = "random numbers, of which some bits are taken")]

/// Numbers at which lengths and indices go wrong.
const NUMBERS: [u64; 14] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x10_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];

/// Pieces of the formats: opcodes of pickles, markers of UBJSON, JSON of requests.
const PIECES: [&[u8]; 45] = [
    b"\x80\x04",
    b"(",
    b")",
    b"]",
    b"}",
    b"t",
    b"e",
    b"u",
    b"b",
    b"R",
    b"\x81",
    b"\x93",
    b"\x94",
    b"h\x00",
    b"h\x01",
    b"j\x00\x01\x00\x00",
    b"K\x01",
    b"J\xff\xff\xff\x7f",
    b"2",
    b"0",
    b"N",
    b"\x8a\x02\xff\xff",
    b"\x8f(\x90",
    b"l",
    b"d",
    b"s",
    b"a",
    b"[$d#L\x00\x00\x00\x00\x00\x00\x00\x05",
    b"[#i\x7f",
    b"[$l#i\x03",
    b"{i\x01a",
    b"SL\x00\x00\x00\x00\x00\x00\x00\x02ab",
    b"Z",
    b"d\x7f\xc0\x00\x00",
    b"{\"instances\":[",
    b"{\"inputs\":[{",
    b"\"name\":\"a\",",
    b"\"shape\":[2,1],",
    b"\"datatype\":\"INT8\",",
    b"\"data\":[",
    b"[1,2],",
    b"null,",
    b"1e999,",
    b"\"parameters\":{\"binary_data_size\":1},",
    b"{\"a\":1,\"b\":2}",
];

/// A seeded source of mutations.
pub(crate) struct Mutator(u64);

impl Mutator {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound.max(1) as u128) >> 64) as usize
    }

    /// A few mutations of one of the inputs.
    pub(crate) fn mutate(&mut self, pool: &[Vec<u8>]) -> Vec<u8> {
        let mut input = pool[self.below(pool.len())].clone();
        for _ in 0..=self.below(4) {
            self.mutate_once(&mut input, pool);
        }
        input.truncate(1 << 16);
        input
    }

    fn mutate_once(&mut self, input: &mut Vec<u8>, pool: &[Vec<u8>]) {
        let at = self.below(input.len());
        let len = self.below(input.len().saturating_sub(at).min(64));
        match self.below(9) {
            0 if !input.is_empty() => input[at] ^= 1 << self.below(8),
            1 if !input.is_empty() => input[at] = self.next() as u8,
            2 => self.write_number(input, at),
            3 => drop(input.drain(at..at + len)),
            4 => {
                let piece = input[at..at + len].to_vec();
                input.splice(at..at, piece);
            }
            5 => {
                let piece = PIECES[self.below(PIECES.len())];
                input.splice(at..at, piece.iter().copied());
            }
            6 => input.truncate(at),
            7 => self.splice_other(input, at, pool),
            _ => {
                let piece = PIECES[self.below(PIECES.len())];
                let end = (at + piece.len()).min(input.len());
                input.splice(at..end, piece.iter().copied());
            }
        }
    }

    /// Overwrites some bytes by a number at an edge.
    fn write_number(&mut self, input: &mut [u8], at: usize) {
        let number = NUMBERS[self.below(NUMBERS.len())];
        let width = 1 << self.below(4);
        let bytes = number.to_le_bytes();
        let is_big_endian = self.below(2) == 0;
        for (index, byte) in input.iter_mut().skip(at).take(width).enumerate() {
            *byte = bytes[if is_big_endian { width - 1 - index } else { index }];
        }
    }

    /// Replaces the rest by a part of another input.
    fn splice_other(&mut self, input: &mut Vec<u8>, at: usize, pool: &[Vec<u8>]) {
        let other = &pool[self.below(pool.len())];
        let from = self.below(other.len());
        let len = self.below(other.len() - from.min(other.len()));
        let end = (at + self.below(64)).min(input.len());
        input.splice(at..end, other[from..from + len].iter().copied());
    }
}
