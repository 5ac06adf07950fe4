//! The vector code of x86-64.
// Lanes are indexed by counters bounded by the arrays' own lengths.
// What is not inlined is not compiled for the machine.
// Words have the letters of FIPS 202.
#![allow(clippy::indexing_slicing, clippy::inline_always, clippy::many_single_char_names)]

use alloy_primitives::{B256, keccak256};
use core::arch::x86_64::{__m256i, __m512i};
use pulp::bytemuck::cast;
use pulp::x86::{V3, V4};

/// Bytes absorbed between two permutations (Keccak-256: 1,600 bits less 512 of capacity).
const RATE_BYTES: usize = 136;

const ROUND_CONSTANTS: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808A,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808B,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008A,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000A,
    0x0000_0000_8000_808B,
    0x8000_0000_0000_008B,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800A,
    0x8000_0000_8000_000A,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

/// A processor's vectors of 64-bit words, and what Keccak does with them.
pub(super) trait Machine<const LANES: usize>: Copy {
    /// One word of every state.
    type Word: Copy;

    /// Runs `f` compiled for this processor.
    fn run<R>(self, f: impl FnOnce() -> R) -> R;
    fn load(words: [u64; LANES]) -> Self::Word;
    fn store(word: Self::Word) -> [u64; LANES];
    fn splat(self, word: u64) -> Self::Word;
    fn xor(self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// `a ^ b ^ c`.
    fn xor3(self, a: Self::Word, b: Self::Word, c: Self::Word) -> Self::Word;
    /// `a ^ (!b & c)`.
    fn chi(self, a: Self::Word, b: Self::Word, c: Self::Word) -> Self::Word;
    /// Rotates left by `LEFT`; `RIGHT` is 64 − `LEFT`.
    fn rotate<const LEFT: i32, const RIGHT: i32>(self, a: Self::Word) -> Self::Word;
}

impl Machine<8> for V4 {
    type Word = __m512i;

    #[inline(always)]
    fn run<R>(self, f: impl FnOnce() -> R) -> R {
        self.vectorize(f)
    }

    #[inline(always)]
    fn load(words: [u64; 8]) -> __m512i {
        cast(words)
    }

    #[inline(always)]
    fn store(word: __m512i) -> [u64; 8] {
        cast(word)
    }

    #[inline(always)]
    fn splat(self, word: u64) -> __m512i {
        cast([word; 8])
    }

    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        self.avx512f._mm512_xor_si512(a, b)
    }

    #[inline(always)]
    fn xor3(self, a: __m512i, b: __m512i, c: __m512i) -> __m512i {
        self.avx512f._mm512_ternarylogic_epi64::<0x96>(a, b, c)
    }

    #[inline(always)]
    fn chi(self, a: __m512i, b: __m512i, c: __m512i) -> __m512i {
        self.avx512f._mm512_ternarylogic_epi64::<0xD2>(a, b, c)
    }

    #[inline(always)]
    fn rotate<const LEFT: i32, const RIGHT: i32>(self, a: __m512i) -> __m512i {
        self.avx512f._mm512_rol_epi64::<LEFT>(a)
    }
}

impl Machine<4> for V3 {
    type Word = __m256i;

    #[inline(always)]
    fn run<R>(self, f: impl FnOnce() -> R) -> R {
        self.vectorize(f)
    }

    #[inline(always)]
    fn load(words: [u64; 4]) -> __m256i {
        cast(words)
    }

    #[inline(always)]
    fn store(word: __m256i) -> [u64; 4] {
        cast(word)
    }

    #[inline(always)]
    fn splat(self, word: u64) -> __m256i {
        cast([word; 4])
    }

    #[inline(always)]
    fn xor(self, a: __m256i, b: __m256i) -> __m256i {
        self.avx2._mm256_xor_si256(a, b)
    }

    #[inline(always)]
    fn xor3(self, a: __m256i, b: __m256i, c: __m256i) -> __m256i {
        self.xor(self.xor(a, b), c)
    }

    #[inline(always)]
    fn chi(self, a: __m256i, b: __m256i, c: __m256i) -> __m256i {
        self.xor(a, self.avx2._mm256_andnot_si256(b, c))
    }

    #[inline(always)]
    fn rotate<const LEFT: i32, const RIGHT: i32>(self, a: __m256i) -> __m256i {
        let (left, right) = (self.avx2._mm256_slli_epi64::<LEFT>(a), self.avx2._mm256_srli_epi64::<RIGHT>(a));
        self.avx2._mm256_or_si256(left, right)
    }
}

/// Hashes of all inputs, in order. A permutation of all lanes costs little more than one of one; a lone input goes
/// alone.
pub(super) fn hash_all<M: Machine<LANES>, const LANES: usize>(machine: M, inputs: &[&[u8]]) -> Vec<B256> {
    let mut hashes = Vec::with_capacity(inputs.len());
    for group in inputs.chunks(LANES) {
        if group.len() < 2 {
            hashes.extend(group.iter().map(keccak256));
        } else {
            let lanes = machine.run(
                #[inline(always)]
                || hash_group(machine, group),
            );
            hashes.extend(lanes.into_iter().take(group.len()));
        }
    }
    hashes
}

/// Up to a lane each in lockstep: a lane whose input has ended goes on permuting, its hash was taken before.
#[inline(always)]
fn hash_group<M: Machine<LANES>, const LANES: usize>(machine: M, group: &[&[u8]]) -> [B256; LANES] {
    let mut hashes = [B256::ZERO; LANES];
    let mut state = [[[0; LANES]; 5]; 5];
    let blocks = group.iter().map(|input| input.len() / RATE_BYTES + 1).max().unwrap_or(0);
    for block in 0..blocks {
        for (lane, input) in group.iter().enumerate() {
            absorb(&mut state, lane, input, block);
        }
        permute(machine, &mut state);
        for (lane, input) in group.iter().enumerate() {
            if input.len() / RATE_BYTES == block {
                for (bytes, word) in hashes[lane].as_mut_slice().as_chunks_mut::<8>().0.iter_mut().zip(&state[0]) {
                    *bytes = word[lane].to_le_bytes();
                }
            }
        }
    }
    hashes
}

#[inline(always)]
fn absorb<const LANES: usize>(state: &mut [[[u64; LANES]; 5]; 5], lane: usize, input: &[u8], block: usize) {
    let Some(rest) = input.get(block * RATE_BYTES..) else { return };
    let mut padded = [0; RATE_BYTES];
    let taken = rest.len().min(RATE_BYTES);
    padded[..taken].copy_from_slice(&rest[..taken]);
    if taken < RATE_BYTES {
        padded[taken] ^= 0x01;
        padded[RATE_BYTES - 1] ^= 0x80;
    }
    for (word, bytes) in state.as_flattened_mut().iter_mut().zip(padded.as_chunks::<8>().0) {
        word[lane] ^= u64::from_le_bytes(*bytes);
    }
}

/// Keccak-f[1600] on every state, rows of five words. Source: FIPS 202 §3.
#[inline(always)]
fn permute<M: Machine<LANES>, const LANES: usize>(m: M, state: &mut [[[u64; LANES]; 5]; 5]) {
    let load = |[a, b, c, d, e]: [[u64; LANES]; 5]| [M::load(a), M::load(b), M::load(c), M::load(d), M::load(e)];
    let store = |[a, b, c, d, e]: [M::Word; 5]| [M::store(a), M::store(b), M::store(c), M::store(d), M::store(e)];
    let mut a = [load(state[0]), load(state[1]), load(state[2]), load(state[3]), load(state[4])];
    for constant in ROUND_CONSTANTS {
        let b = theta_rho_pi(m, &a);
        a = [chi(m, b[0]), chi(m, b[1]), chi(m, b[2]), chi(m, b[3]), chi(m, b[4])];
        a[0][0] = m.xor(a[0][0], m.splat(constant));
    }
    *state = [store(a[0]), store(a[1]), store(a[2]), store(a[3]), store(a[4])];
}

/// Rotations and the order of pi written out: constant indices keep the state in registers.
#[inline(always)]
fn theta_rho_pi<M: Machine<LANES>, const LANES: usize>(m: M, a: &[[M::Word; 5]; 5]) -> [[M::Word; 5]; 5] {
    let column = |x: usize| m.xor3(m.xor3(a[0][x], a[1][x], a[2][x]), a[3][x], a[4][x]);
    let c = [column(0), column(1), column(2), column(3), column(4)];
    let mixed = |left: usize, right: usize| m.xor(c[left], m.rotate::<1, 63>(c[right]));
    let d = [mixed(4, 1), mixed(0, 2), mixed(1, 3), mixed(2, 4), mixed(3, 0)];
    [
        [
            m.xor(a[0][0], d[0]),
            m.rotate::<44, 20>(m.xor(a[1][1], d[1])),
            m.rotate::<43, 21>(m.xor(a[2][2], d[2])),
            m.rotate::<21, 43>(m.xor(a[3][3], d[3])),
            m.rotate::<14, 50>(m.xor(a[4][4], d[4])),
        ],
        [
            m.rotate::<28, 36>(m.xor(a[0][3], d[3])),
            m.rotate::<20, 44>(m.xor(a[1][4], d[4])),
            m.rotate::<3, 61>(m.xor(a[2][0], d[0])),
            m.rotate::<45, 19>(m.xor(a[3][1], d[1])),
            m.rotate::<61, 3>(m.xor(a[4][2], d[2])),
        ],
        [
            m.rotate::<1, 63>(m.xor(a[0][1], d[1])),
            m.rotate::<6, 58>(m.xor(a[1][2], d[2])),
            m.rotate::<25, 39>(m.xor(a[2][3], d[3])),
            m.rotate::<8, 56>(m.xor(a[3][4], d[4])),
            m.rotate::<18, 46>(m.xor(a[4][0], d[0])),
        ],
        [
            m.rotate::<27, 37>(m.xor(a[0][4], d[4])),
            m.rotate::<36, 28>(m.xor(a[1][0], d[0])),
            m.rotate::<10, 54>(m.xor(a[2][1], d[1])),
            m.rotate::<15, 49>(m.xor(a[3][2], d[2])),
            m.rotate::<56, 8>(m.xor(a[4][3], d[3])),
        ],
        [
            m.rotate::<62, 2>(m.xor(a[0][2], d[2])),
            m.rotate::<55, 9>(m.xor(a[1][3], d[3])),
            m.rotate::<39, 25>(m.xor(a[2][4], d[4])),
            m.rotate::<41, 23>(m.xor(a[3][0], d[0])),
            m.rotate::<2, 62>(m.xor(a[4][1], d[1])),
        ],
    ]
}

#[inline(always)]
fn chi<M: Machine<LANES>, const LANES: usize>(m: M, [a, b, c, d, e]: [M::Word; 5]) -> [M::Word; 5] {
    [m.chi(a, b, c), m.chi(b, c, d), m.chi(c, d, e), m.chi(d, e, a), m.chi(e, a, b)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The machine that runs the tests uses its widest vectors alone; the others must be right too.
    fn check<M: Machine<LANES>, const LANES: usize>(machine: M) {
        let inputs: Vec<Vec<u8>> = (0..300).map(|i| vec![i as u8; (i * 71) % 500]).collect();
        let views: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
        let expected: Vec<B256> = inputs.iter().map(keccak256).collect();
        assert_eq!(hash_all(machine, &views), expected);
    }

    #[test]
    fn every_kind_of_vector_gives_the_scalar_hash() {
        V3::try_new().into_iter().for_each(check);
        V4::try_new().into_iter().for_each(check);
    }
}
