//! Public keys of principals.

use crate::bytes::Reader;
use crate::codes::KeyKind;
use crate::refusal::Reason;
use alloy_primitives::{Address, U256, uint};

/// Field prime of P-256. Source: SEC 2 §2.4.2.
const P256_PRIME: U256 = uint!(0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff_U256);
/// Coefficient b of P-256.
const P256_B: U256 = uint!(0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b_U256);

/// A key that verifies a principal's signatures.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Key {
    /// The principal cannot sign.
    None,
    /// Ethereum address of a secp256k1 key; never zero.
    Secp256k1(Address),
    /// Affine point x ‖ y on P-256.
    P256([u8; 64]),
}

impl Key {
    /// Its kind.
    pub const fn kind(&self) -> KeyKind {
        match self {
            Self::None => KeyKind::None,
            Self::Secp256k1(_) => KeyKind::Secp256k1,
            Self::P256(_) => KeyKind::P256,
        }
    }

    /// Its bytes: 0, 20 or 64.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::None => &[],
            Self::Secp256k1(address) => address.as_slice(),
            Self::P256(point) => point,
        }
    }

    /// Reads the key's kind and the key.
    ///
    /// # Errors
    /// [`Reason::Truncated`], [`Reason::UnknownCode`] for the kind, [`Reason::Key`] for the zero address and for what
    /// is no point of P-256.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Reason> {
        let key = Self::read_held(reader)?;
        if key.is_valid() { Ok(key) } else { Err(Reason::Key) }
    }

    /// Reads a key that a row holds: it was checked before it came into the state, and L1 does not check it again.
    ///
    /// # Errors
    /// As [`Key::read`], without [`Reason::Key`].
    pub(crate) fn read_held(reader: &mut Reader<'_>) -> Result<Self, Reason> {
        Ok(match KeyKind::new(reader.u8()?).ok_or(Reason::UnknownCode)? {
            KeyKind::None => Self::None,
            KeyKind::Secp256k1 => Self::Secp256k1(Address::new(reader.array()?)),
            KeyKind::P256 => Self::P256(reader.array()?),
        })
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.push(self.kind().number());
        out.extend_from_slice(self.bytes());
    }

    /// Whether someone can hold it. Zero and infinity are no points: x = y = 0 is not on the curve.
    fn is_valid(&self) -> bool {
        match self {
            Self::None => true,
            Self::Secp256k1(address) => !address.is_zero(),
            Self::P256(point) => {
                let (x, y) = point.split_at(32);
                is_on_p256(U256::from_be_slice(x), U256::from_be_slice(y))
            }
        }
    }
}

fn is_on_p256(x: U256, y: U256) -> bool {
    if x >= P256_PRIME || y >= P256_PRIME {
        return false;
    }
    let cube = x.mul_mod(x, P256_PRIME).mul_mod(x, P256_PRIME);
    let minus_three_x = (P256_PRIME - x).mul_mod(U256::from(3), P256_PRIME);
    let right = cube.add_mod(minus_three_x, P256_PRIME).add_mod(P256_B, P256_PRIME);
    y.mul_mod(y, P256_PRIME) == right
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Key, Reason> {
        Key::read(&mut Reader::new(bytes))
    }

    /// The generator of P-256. Source: SEC 2 §2.4.2.
    const GENERATOR: [u8; 64] = alloy_primitives::hex!(
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    );

    #[test]
    fn points_on_the_curve_are_keys_and_others_are_not() {
        assert_eq!(read(&[&[2][..], &GENERATOR].concat()), Ok(Key::P256(GENERATOR)));
        let mut off = GENERATOR;
        off[63] ^= 1;
        assert_eq!(read(&[&[2][..], &off].concat()), Err(Reason::Key));
        assert_eq!(read(&[2; 65]), Err(Reason::Key));
        assert_eq!(read(&[&[2][..], &[0; 64]].concat()), Err(Reason::Key));
    }

    #[test]
    fn coordinates_past_the_prime_are_refused_even_where_they_reduce_to_a_point() {
        let y = U256::from_be_slice(&GENERATOR[32..]);
        assert!(is_on_p256(U256::from_be_slice(&GENERATOR[..32]), y));
        assert!(is_on_p256(U256::from_be_slice(&GENERATOR[..32]), P256_PRIME - y));
        // x = 0 has a point, since b is a square; x = p must not stand for it.
        let root = uint!(0x66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4_U256);
        assert!(is_on_p256(U256::ZERO, root));
        assert!(!is_on_p256(P256_PRIME, root));
    }

    #[test]
    fn addresses_are_twenty_bytes_and_not_zero() {
        assert_eq!(read(&[1; 21]).map(|key| key.bytes().len()), Ok(20));
        assert_eq!(read(&[&[1][..], &[0; 20]].concat()), Err(Reason::Key));
        assert_eq!(read(&[1; 20]), Err(Reason::Truncated));
        assert_eq!(read(&[3; 65]), Err(Reason::UnknownCode));
        assert_eq!(read(&[0]), Ok(Key::None));
    }
}
