//! Reads choices from a fuzzer's bytes. Where they end, every choice is the first.

use alloy_primitives::B256;

/// Bytes not yet used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// All that is left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((byte, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *byte
    }

    /// A number below `choices`, at most 256.
    pub(crate) fn below(&mut self, choices: u32) -> u32 {
        u32::from(self.byte()) % choices.max(1)
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    /// True for one byte in eight, never at the end.
    pub(crate) fn rarely(&mut self) -> bool {
        self.byte() & 7 == 7
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    pub(crate) fn u64(&mut self) -> u64 {
        (0..8).fold(0, |sum, _| sum << 8 | u64::from(self.byte()))
    }

    /// 32 bytes of few kinds, so that equal ones are met.
    pub(crate) fn hash(&mut self) -> B256 {
        B256::repeat_byte(self.byte())
    }

    /// At most `n` bytes.
    pub(crate) fn take(&mut self, n: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(n.min(self.rest.len()));
        self.rest = rest;
        taken
    }
}

/// Changes `bytes` as `input` says: a few bytes set, flipped, cut off, inserted or removed.
pub(crate) fn mutate(bytes: &mut Vec<u8>, input: &mut Input<'_>) {
    for _ in 0..4 {
        let choice = input.byte();
        if choice == 0 || bytes.is_empty() {
            return;
        }
        let place = usize::from(input.u16()) % bytes.len();
        match choice % 6 {
            0 => bytes[place] = input.byte(),
            1 => bytes.truncate(place),
            2 => bytes.insert(place, input.byte()),
            3 => drop(bytes.remove(place)),
            4 => bytes.push(input.byte()),
            _ => bytes[place] ^= 1 << (input.byte() & 7),
        }
    }
}
