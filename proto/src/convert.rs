//! Fields of messages as core's types, and back. What does not fit is a [`Problem`] that names the field.

use crate::v1::{Problem, Rung, Table};
use alloy_primitives::{Address, B256};
use chartroll_core::row;
use chartroll_core::time::Time;
use prost::bytes::Bytes;

/// 32 bytes.
///
/// # Errors
/// A bad field, as for every function of this module.
pub fn hash(field: &'static str, bytes: &[u8]) -> Result<B256, Problem> {
    array(field, bytes).map(B256::new)
}

/// 32 bytes, or none at all.
///
/// # Errors
/// A bad field.
pub fn optional_hash(field: &'static str, bytes: &[u8]) -> Result<Option<B256>, Problem> {
    if bytes.is_empty() { Ok(None) } else { hash(field, bytes).map(Some) }
}

/// 20 bytes.
///
/// # Errors
/// A bad field.
pub fn address(field: &'static str, bytes: &[u8]) -> Result<Address, Problem> {
    array(field, bytes).map(Address::new)
}

/// Exactly `N` bytes.
///
/// # Errors
/// A bad field.
pub fn array<const N: usize>(field: &'static str, bytes: &[u8]) -> Result<[u8; N], Problem> {
    let wrong = |_| Problem::bad_field(field, format!("{} bytes, expected {N}", bytes.len()));
    bytes.try_into().map_err(wrong)
}

/// Milliseconds since 1970, below 2^48.
///
/// # Errors
/// A bad field.
pub fn time(field: &'static str, millis: u64) -> Result<Time, Problem> {
    Time::from_millis(millis).ok_or_else(|| Problem::bad_field(field, "a time is 2^48 ms or later"))
}

/// A rung that is one of `allowed`; the rungs of [`Rung`] are ordered, each includes those before it.
///
/// # Errors
/// A bad field.
pub fn rung(field: &'static str, number: i32, allowed: &[Rung]) -> Result<Rung, Problem> {
    let known = Rung::try_from(number).ok().filter(|rung| allowed.contains(rung));
    known.ok_or_else(|| Problem::bad_field(field, "this rung cannot be asked for here"))
}

/// A hash as a field.
pub fn bytes(hash: &B256) -> Bytes {
    Bytes::copy_from_slice(hash.as_slice())
}

impl Table {
    /// The table on the wire; meta has none, since no envelope makes its rows.
    pub fn from_core(table: row::Table) -> Self {
        match table {
            row::Table::Meta => Self::Unspecified,
            row::Table::Orgs => Self::Orgs,
            row::Table::Principals => Self::Principals,
            row::Table::Patients => Self::Patients,
            row::Table::Consents => Self::Consents,
        }
    }

    /// The table of the state; `None` where nothing is said.
    pub const fn to_core(self) -> Option<row::Table> {
        match self {
            Self::Unspecified => None,
            Self::Orgs => Some(row::Table::Orgs),
            Self::Principals => Some(row::Table::Principals),
            Self::Patients => Some(row::Table::Patients),
            Self::Consents => Some(row::Table::Consents),
        }
    }
}

impl Rung {
    /// The word for it in a person's view.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Sequenced => "sequenced",
            Self::Executed => "executed",
            Self::Posted => "posted",
            Self::Safe => "safe",
            Self::Final => "final",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::problem::What;

    #[test]
    fn a_field_of_another_length_is_named() {
        assert_eq!(hash("root", &[7; 32]), Ok(B256::repeat_byte(7)));
        assert_eq!((optional_hash("root", &[]), address("key", &[1; 20])), (Ok(None), Ok(Address::repeat_byte(1))));
        let problem = hash("root", &[7; 31]).unwrap_err();
        let Some(What::BadField(bad)) = problem.what else { panic!("another problem") };
        assert_eq!((bad.field.as_str(), bad.message.as_str()), ("root", "31 bytes, expected 32"));
        assert!(optional_hash("root", &[7; 33]).is_err() && address("key", &[1; 21]).is_err());
    }

    #[test]
    fn times_past_six_bytes_and_rungs_that_do_not_stand_there_are_bad_fields() {
        assert_eq!(time("time_ms", 5).map(Time::millis), Ok(5));
        assert!(time("time_ms", 1 << 48).is_err());
        assert_eq!(rung("rung", 5, &[Rung::Executed, Rung::Final]), Ok(Rung::Final));
        for number in [0, 1, 3, 6, -1] {
            assert!(rung("rung", number, &[Rung::Executed, Rung::Final]).is_err(), "{number}");
        }
        assert!(Rung::Sequenced < Rung::Executed && Rung::Safe < Rung::Final);
    }

    #[test]
    fn tables_lead_back() {
        for table in row::Table::ALL {
            let back = Table::from_core(table).to_core();
            assert_eq!(back, (table != row::Table::Meta).then_some(table));
        }
    }
}
