//! Keccak-256 over eight inputs at a time, a 64-bit lane each.
//!
//! The tree work of a page is hundreds of independent short hashes. One Keccak permutation keeps a processor's vector
//! unit idle; eight side by side fill it. Plain arrays that the compiler vectorizes: `pulp` picks the widest
//! instructions the machine has at run time, and without any the same code runs scalar. No result depends on it.
// Lanes are indexed by counters bounded by the arrays' own lengths; `get` would keep the compiler from vectorizing.
#![allow(clippy::indexing_slicing, clippy::needless_range_loop)]
// The whole of a permutation has to be compiled for the instructions that `dispatch` found.
#![allow(clippy::inline_always)]

use alloy_primitives::{B256, keccak256};

/// Inputs hashed side by side.
const LANES: usize = 8;
/// Bytes absorbed between two permutations (Keccak-256: 1,600 bits less 512 of capacity).
const RATE_BYTES: usize = 136;
/// 64-bit words of a block.
const RATE_WORDS: usize = RATE_BYTES / 8;

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

/// One 64-bit word of eight states.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Word([u64; LANES]);

impl Word {
    const ZERO: Self = Self([0; LANES]);

    #[inline(always)]
    fn map2(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        let mut out = [0; LANES];
        for lane in 0..LANES {
            out[lane] = f(self.0[lane], other.0[lane]);
        }
        Self(out)
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self.map2(other, |a, b| a ^ b)
    }

    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        self.map2(other, |a, b| !a & b)
    }

    #[inline(always)]
    fn rotate<const BITS: u32>(self) -> Self {
        self.map2(self, |a, _| a.rotate_left(BITS))
    }
}

/// Hashes of all inputs, in order. Short runs go one by one: a permutation of eight lanes costs about two of one.
pub(crate) fn hash_all(inputs: &[&[u8]]) -> Vec<B256> {
    let arch = pulp::Arch::new();
    let mut hashes = Vec::with_capacity(inputs.len());
    for group in inputs.chunks(LANES) {
        if group.len() < 3 {
            hashes.extend(group.iter().map(keccak256));
        } else {
            hashes.extend(
                arch.dispatch(
                    #[inline(always)]
                    || hash_group(group),
                )
                .into_iter()
                .take(group.len()),
            );
        }
    }
    hashes
}

/// Up to eight inputs in lockstep: a lane whose input has ended goes on permuting, its hash was taken before.
#[inline(always)]
fn hash_group(group: &[&[u8]]) -> [B256; LANES] {
    let mut hashes = [B256::ZERO; LANES];
    let mut state = [Word::ZERO; 25];
    let blocks = group.iter().map(|input| input.len() / RATE_BYTES + 1).max().unwrap_or(0);
    for block in 0..blocks {
        for (lane, input) in group.iter().enumerate() {
            absorb(&mut state, lane, input, block);
        }
        permute(&mut state);
        for (lane, input) in group.iter().enumerate() {
            if input.len() / RATE_BYTES == block {
                for word in 0..4 {
                    hashes[lane][word * 8..word * 8 + 8].copy_from_slice(&state[word].0[lane].to_le_bytes());
                }
            }
        }
    }
    hashes
}

#[inline(always)]
fn absorb(state: &mut [Word; 25], lane: usize, input: &[u8], block: usize) {
    let Some(rest) = input.get(block * RATE_BYTES..) else { return };
    let mut padded = [0; RATE_BYTES];
    let taken = rest.len().min(RATE_BYTES);
    padded[..taken].copy_from_slice(&rest[..taken]);
    if taken < RATE_BYTES {
        padded[taken] ^= 0x01;
        padded[RATE_BYTES - 1] ^= 0x80;
    }
    for (word, bytes) in padded.as_chunks::<8>().0.iter().enumerate().take(RATE_WORDS) {
        state[word].0[lane] ^= u64::from_le_bytes(*bytes);
    }
}

/// Keccak-f[1600] on eight states. Source: FIPS 202 §3; rotations and the order of pi unrolled as in its tables.
#[inline(always)]
fn permute(a: &mut [Word; 25]) {
    for constant in ROUND_CONSTANTS {
        let mut c = [Word::ZERO; 5];
        for x in 0..5 {
            c[x] = a[x].xor(a[x + 5]).xor(a[x + 10]).xor(a[x + 15]).xor(a[x + 20]);
        }
        for x in 0..5 {
            let d = c[(x + 4) % 5].xor(c[(x + 1) % 5].rotate::<1>());
            for y in 0..5 {
                a[x + 5 * y] = a[x + 5 * y].xor(d);
            }
        }
        let b = rho_pi(a);
        for y in 0..5 {
            for x in 0..5 {
                a[5 * y + x] = b[5 * y + x].xor(b[5 * y + (x + 1) % 5].and_not(b[5 * y + (x + 2) % 5]));
            }
        }
        a[0] = a[0].xor(Word([constant; LANES]));
    }
}

#[inline(always)]
fn rho_pi(a: &[Word; 25]) -> [Word; 25] {
    [
        a[0],
        a[6].rotate::<44>(),
        a[12].rotate::<43>(),
        a[18].rotate::<21>(),
        a[24].rotate::<14>(),
        a[3].rotate::<28>(),
        a[9].rotate::<20>(),
        a[10].rotate::<3>(),
        a[16].rotate::<45>(),
        a[22].rotate::<61>(),
        a[1].rotate::<1>(),
        a[7].rotate::<6>(),
        a[13].rotate::<25>(),
        a[19].rotate::<8>(),
        a[20].rotate::<18>(),
        a[4].rotate::<27>(),
        a[5].rotate::<36>(),
        a[11].rotate::<10>(),
        a[17].rotate::<15>(),
        a[23].rotate::<56>(),
        a[2].rotate::<62>(),
        a[8].rotate::<55>(),
        a[14].rotate::<39>(),
        a[15].rotate::<41>(),
        a[21].rotate::<2>(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_equal_the_scalar_hash_at_every_length_around_a_block() {
        let bytes: Vec<u8> = (0..=255).cycle().take(600).collect();
        let inputs: Vec<&[u8]> = (0..600).map(|length| &bytes[..length]).collect();
        let expected: Vec<B256> = inputs.iter().map(keccak256).collect();
        assert_eq!(hash_all(&inputs), expected);
    }

    #[test]
    fn lanes_of_mixed_lengths_and_partial_groups_are_right() {
        for count in 0..20 {
            let inputs: Vec<Vec<u8>> = (0..count).map(|i| vec![i as u8; (i * 71) % 400]).collect();
            let views: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
            let expected: Vec<B256> = inputs.iter().map(keccak256).collect();
            assert_eq!(hash_all(&views), expected);
        }
    }
}
