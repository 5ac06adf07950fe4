//! The opening of a page in a blob: one commitment and two values, for all of its 32 elements.
//!
//! The elements of a page stand at the 32 points w with w^32 = h. With P the blob's polynomial and I the one of degree
//! below 32 through the elements, P − I = Q · (X^32 − h) for a polynomial Q, and for none if an element is another. So
//! Q is committed to, and P and Q are shown at a point that nobody can choose before that.
//!
//! Owns nothing. Source: docs/spec.md §12.6, EIP-4844.

use super::{ELEMENT_BYTES, ELEMENTS_PER_PAGE, MODULUS, ROOT, point};
use crate::error::{L1Error, Result};
use alloy::eips::eip4844::c_kzg::{Blob, Bytes32, KzgSettings};
use alloy_primitives::{U256, keccak256};

const ELEMENTS_PER_BLOB: usize = 4_096;
/// Tag of the point's hash.
const POINT: u8 = 0x0a;

/// Opens the page at `place` of a blob: Q's commitment 48 ‖ Q(z) 32 ‖ proof of P(z) 48 ‖ proof of Q(z) 48.
///
/// # Errors
/// [`L1Error::Blob`] for bytes that are no blob, or a place outside of it.
pub(super) fn open(settings: &KzgSettings, blob: &Blob, commitment: &[u8], place: usize) -> Result<Vec<u8>> {
    let first = place * ELEMENTS_PER_PAGE;
    let span = first * ELEMENT_BYTES..(first + ELEMENTS_PER_PAGE) * ELEMENT_BYTES;
    let elements = blob.get(span).ok_or(L1Error::Blob)?;
    let h = point(first).pow_mod(U256::from(ELEMENTS_PER_PAGE), MODULUS);
    let quotient = encode(evaluate(divide(&interpolate(blob.as_slice()), h)))?;
    let shown = settings.blob_to_kzg_commitment(&quotient).map_err(|_| L1Error::Blob)?.to_bytes();
    let z = challenge(commitment, place, elements, shown.as_slice())?;
    let (blob_proof, _) = settings.compute_kzg_proof(blob, &z).map_err(|_| L1Error::Blob)?;
    let (quotient_proof, value) = settings.compute_kzg_proof(&quotient, &z).map_err(|_| L1Error::Blob)?;
    let parts =
        [shown.as_slice(), value.as_slice(), blob_proof.to_bytes().as_slice(), quotient_proof.to_bytes().as_slice()]
            .concat();
    Ok(parts)
}

/// The point at which the polynomials are shown: it follows from all that they are made of.
fn challenge(commitment: &[u8], place: usize, elements: &[u8], quotient: &[u8]) -> Result<Bytes32> {
    let place = u8::try_from(place).map_err(|_| L1Error::Blob)?;
    let hash = keccak256([&[POINT], commitment, &[place], elements, quotient].concat());
    Ok(Bytes32::new((U256::from_be_bytes(hash.0) % MODULUS).to_be_bytes()))
}

/// Coefficients of a blob's polynomial, the lowest first. Its elements stand in the order of their points' exponents,
/// bits reversed: what the transform by decimation in time starts from.
fn interpolate(blob: &[u8]) -> Vec<U256> {
    let mut values: Vec<U256> = blob.as_chunks::<ELEMENT_BYTES>().0.iter().map(|it| U256::from_be_bytes(*it)).collect();
    let mut half = 1;
    while half < values.len() {
        let step = inverse(root_of_order(2 * half));
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            let mut factor = U256::ONE;
            for (a, b) in low.iter_mut().zip(high) {
                let turned = b.mul_mod(factor, MODULUS);
                *b = minus(*a, turned);
                *a = a.add_mod(turned, MODULUS);
                factor = factor.mul_mod(step, MODULUS);
            }
        }
        half *= 2;
    }
    let scale = inverse(U256::from(ELEMENTS_PER_BLOB));
    values.iter().map(|value| value.mul_mod(scale, MODULUS)).collect()
}

/// The way back: values at all points, in a blob's order, of the polynomial with these coefficients.
fn evaluate(mut values: Vec<U256>) -> Vec<U256> {
    let mut half = values.len() / 2;
    while half > 0 {
        let step = root_of_order(2 * half);
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            let mut factor = U256::ONE;
            for (a, b) in low.iter_mut().zip(high) {
                let difference = minus(*a, *b);
                *a = a.add_mod(*b, MODULUS);
                *b = difference.mul_mod(factor, MODULUS);
                factor = factor.mul_mod(step, MODULUS);
            }
        }
        half /= 2;
    }
    values
}

/// What `polynomial` gives divided by X^32 − h, without the rest; padded with zeros to the same length.
fn divide(polynomial: &[U256], h: U256) -> Vec<U256> {
    let zeros = core::iter::repeat_n(&U256::ZERO, ELEMENTS_PER_PAGE);
    let mut quotient: Vec<U256> = polynomial.iter().skip(ELEMENTS_PER_PAGE).chain(zeros).copied().collect();
    // Each coefficient takes h times the one 32 places above it, from the top down.
    let mut above = [U256::ZERO; ELEMENTS_PER_PAGE];
    for block in quotient.chunks_exact_mut(ELEMENTS_PER_PAGE).rev() {
        for (coefficient, above) in block.iter_mut().zip(&mut above) {
            *coefficient = coefficient.add_mod(above.mul_mod(h, MODULUS), MODULUS);
            *above = *coefficient;
        }
    }
    quotient
}

fn encode(values: Vec<U256>) -> Result<Blob> {
    let bytes: Vec<u8> = values.into_iter().flat_map(|value| value.to_be_bytes::<ELEMENT_BYTES>()).collect();
    Blob::from_bytes(&bytes).map_err(|_| L1Error::Blob)
}

/// A root of unity of this order, a power of two of at most 4,096.
fn root_of_order(order: usize) -> U256 {
    ROOT.pow_mod(U256::from(ELEMENTS_PER_BLOB / order), MODULUS)
}

/// Fermat: a^(r − 2) · a = 1.
fn inverse(number: U256) -> U256 {
    number.pow_mod(MODULUS - U256::from(2), MODULUS)
}

fn minus(a: U256, b: U256) -> U256 {
    a.add_mod(MODULUS - b, MODULUS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::eips::eip4844::env_settings::EnvKzgSettings;

    fn blob() -> Blob {
        let number = |i: usize| U256::from_be_bytes(keccak256(i.to_be_bytes()).0) >> 3;
        encode((0..ELEMENTS_PER_BLOB).map(number).collect()).unwrap()
    }

    /// As the contract decides: I(z) = Σ e·w·Π(z − w') / (32·h) over the page's points; P(z) = I(z) + Q(z)·(z^32 − h).
    fn value_of_blob(elements: &[u8], place: usize, z: U256, quotient: U256) -> U256 {
        let (mut sum, mut product) = (U256::ZERO, U256::ONE);
        for (j, element) in elements.as_chunks::<ELEMENT_BYTES>().0.iter().enumerate() {
            let w = point(place * ELEMENTS_PER_PAGE + j);
            let away = minus(z, w);
            let part = U256::from_be_bytes(*element).mul_mod(w, MODULUS).mul_mod(product, MODULUS);
            sum = sum.mul_mod(away, MODULUS).add_mod(part, MODULUS);
            product = product.mul_mod(away, MODULUS);
        }
        let h = point(place * ELEMENTS_PER_PAGE).pow_mod(U256::from(ELEMENTS_PER_PAGE), MODULUS);
        let scale = inverse(U256::from(ELEMENTS_PER_PAGE).mul_mod(h, MODULUS));
        sum.mul_mod(scale, MODULUS).add_mod(quotient.mul_mod(product, MODULUS), MODULUS)
    }

    #[test]
    fn a_page_is_shown_by_two_values_at_a_point_that_follows_from_it() {
        let (settings, blob) = (EnvKzgSettings::Default.get(), blob());
        let commitment = settings.blob_to_kzg_commitment(&blob).unwrap().to_bytes();
        for place in [0, 1, 77, 127] {
            let opening = open(settings, &blob, commitment.as_slice(), place).unwrap();
            let [shown, value, proofs] = [&opening[..48], &opening[48..80], &opening[80..]];
            let elements = &blob[place * 1_024..(place + 1) * 1_024];
            let z = challenge(commitment.as_slice(), place, elements, shown).unwrap();
            let at = U256::from_be_slice(z.as_slice());
            let whole = value_of_blob(elements, place, at, U256::from_be_slice(value));
            let holds = |commitment: &[u8], value: &[u8], proof: &[u8]| {
                let (commitment, proof) = (commitment.try_into().unwrap(), proof.try_into().unwrap());
                let value = Bytes32::from_bytes(value).unwrap();
                settings.verify_kzg_proof(&bytes48(commitment), &z, &value, &bytes48(proof)).unwrap()
            };
            assert!(holds(commitment.as_slice(), &whole.to_be_bytes::<32>(), &proofs[..48]), "page {place}");
            assert!(holds(shown, value, &proofs[48..]), "page {place}");
            let mut other = elements.to_vec();
            other[40] ^= 1;
            let wrong = value_of_blob(&other, place, at, U256::from_be_slice(value));
            assert!(!holds(commitment.as_slice(), &wrong.to_be_bytes::<32>(), &proofs[..48]));
        }
        assert_eq!(open(settings, &blob, commitment.as_slice(), 128), Err(L1Error::Blob));
    }

    fn bytes48(bytes: [u8; 48]) -> alloy::eips::eip4844::c_kzg::Bytes48 {
        alloy::eips::eip4844::c_kzg::Bytes48::new(bytes)
    }

    #[test]
    fn values_and_coefficients_lead_to_each_other() {
        let blob = blob();
        let coefficients = interpolate(blob.as_slice());
        assert_eq!(encode(evaluate(coefficients.clone())).unwrap(), blob);
        // By Horner, at the point of element 33.
        let z = point(33);
        let value = coefficients.iter().rev().fold(U256::ZERO, |sum, c| sum.mul_mod(z, MODULUS).add_mod(*c, MODULUS));
        assert_eq!(value, U256::from_be_slice(&blob[33 * 32..34 * 32]));
    }
}
