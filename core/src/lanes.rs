//! Keccak-256 over several inputs at a time, a 64-bit lane each.
//!
//! The tree work of a page is hundreds of independent short hashes. One Keccak permutation keeps a processor's vector
//! unit idle; eight side by side fill it. Left to itself the compiler unrolls loops over lanes into scalar code, so the
//! vector instructions are named: AVX-512 takes eight lanes, AVX2 four; `pulp` finds out at run time which the machine
//! has, and checks that they are only used there. On other machines inputs are hashed one by one. No result depends on
//! it.

use alloy_primitives::{B256, keccak256};

/// Hashes of all inputs, in order.
pub(crate) fn hash_all(inputs: &[&[u8]]) -> Vec<B256> {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(machine) = pulp::x86::V4::try_new() {
            return x86::hash_all(machine, inputs);
        }
        if let Some(machine) = pulp::x86::V3::try_new() {
            return x86::hash_all(machine, inputs);
        }
    }
    inputs.iter().map(keccak256).collect()
}

#[cfg(target_arch = "x86_64")]
mod x86;

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
