//! Reading and writing big-endian fields. Nothing here can panic: what is not there is [`Short`].

use alloy_primitives::B256;

/// The bytes ended within a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the bytes end within a field")]
pub struct Short;

/// Reads fields from the left; every decoder of this crate is built on it.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether all has been read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// [`Short`] when fewer are left; as for every method below.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], Short> {
        let (head, rest) = self.rest.split_at_checked(n).ok_or(Short)?;
        self.rest = rest;
        Ok(head)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// [`Short`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Short> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(Short)?;
        self.rest = rest;
        Ok(*head)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`Short`].
    pub fn u8(&mut self) -> Result<u8, Short> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    /// Two bytes.
    ///
    /// # Errors
    /// [`Short`].
    pub fn u16(&mut self) -> Result<u16, Short> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// Four bytes.
    ///
    /// # Errors
    /// [`Short`].
    pub fn u32(&mut self) -> Result<u32, Short> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// Six bytes.
    ///
    /// # Errors
    /// [`Short`].
    pub fn u48(&mut self) -> Result<u64, Short> {
        self.uint(6)
    }

    /// Eight bytes.
    ///
    /// # Errors
    /// [`Short`].
    pub fn u64(&mut self) -> Result<u64, Short> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// `n` bytes, at most 8, as a number.
    ///
    /// # Errors
    /// [`Short`].
    pub fn uint(&mut self, n: usize) -> Result<u64, Short> {
        Ok(self.take(n)?.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
    }

    /// 32 bytes.
    ///
    /// # Errors
    /// [`Short`].
    pub fn b256(&mut self) -> Result<B256, Short> {
        Ok(B256::new(self.array()?))
    }
}

/// Appends the low six bytes of `value`.
pub fn put_u48(out: &mut Vec<u8>, value: u64) {
    let [_, _, low @ ..] = value.to_be_bytes();
    out.extend_from_slice(&low);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_big_endian_and_end_where_they_end() {
        let mut reader = Reader::new(&[1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 4, 9]);
        assert_eq!((reader.u8(), reader.u16(), reader.u32(), reader.u48()), (Ok(1), Ok(2), Ok(3), Ok(4)));
        assert_eq!(reader.u16(), Err(Short));
        assert_eq!((reader.rest(), reader.is_empty()), (&[9][..], false));
    }

    #[test]
    fn six_bytes_written_are_the_low_six() {
        let mut out = Vec::new();
        put_u48(&mut out, 0xFFFF_0102_0304_0506);
        assert_eq!(out, [1, 2, 3, 4, 5, 6]);
        assert_eq!(Reader::new(&out).u48(), Ok(0x0102_0304_0506));
    }
}
