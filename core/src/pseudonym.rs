//! Pseudonyms: identifiers under a key that only their org holds, so that nobody else can open or squat them.
//!
//! Source: docs/spec.md §13.1. L1 never sees an identifier or the key, so these are BLAKE3.

use alloy_primitives::B256;
use zeroize::Zeroizing;

const PATIENT_CONTEXT: &str = "Chartroll v1 patient pseudonym";
const PRINCIPAL_CONTEXT: &str = "Chartroll v1 principal tag";
const COMMITMENT_CONTEXT: &str = "Chartroll v1 pseudonym key commitment";

/// The key of an org's pseudonyms. Cleared from memory when dropped.
#[derive(Clone)]
pub struct PseudonymKey(Zeroizing<[u8; 32]>);

crate::redact::redacted_debug!(PseudonymKey);

impl PseudonymKey {
    /// 32 random bytes of the org.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// What the org's row says of it; binds the org to one key.
    pub fn commitment(&self) -> B256 {
        B256::new(blake3::derive_key(COMMITMENT_CONTEXT, &*self.0))
    }

    /// Pseudonym of the patient with identifier `value` in `system` (FHIR `Identifier`).
    pub fn patient(&self, system: &str, value: &str) -> B256 {
        self.hash(PATIENT_CONTEXT, system, value)
    }

    /// Tag of the principal with identifier `value` in `system`.
    pub fn principal(&self, system: &str, value: &str) -> B256 {
        self.hash(PRINCIPAL_CONTEXT, system, value)
    }

    fn hash(&self, context: &str, system: &str, value: &str) -> B256 {
        let key = Zeroizing::new(blake3::derive_key(context, &*self.0));
        let mut hasher = blake3::Hasher::new_keyed(&key);
        for part in [system, value] {
            // Lengths first: ("a", "bc") is not ("ab", "c"). An identifier over 4 GiB cannot be.
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            hasher.update(&length.to_be_bytes());
            hasher.update(part.as_bytes());
        }
        B256::new(*hasher.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_are_bound_to_key_purpose_and_the_border_between_system_and_value() {
        let key = PseudonymKey::new([1; 32]);
        let one = key.patient("urn:oid:1.2", "3");
        assert_eq!(one, key.patient("urn:oid:1.2", "3"));
        assert_ne!(one, key.patient("urn:oid:1.", "23"));
        assert_ne!(one, key.principal("urn:oid:1.2", "3"));
        assert_ne!(one, PseudonymKey::new([2; 32]).patient("urn:oid:1.2", "3"));
        assert_ne!(key.commitment(), PseudonymKey::new([2; 32]).commitment());
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", PseudonymKey::new([7; 32])), "PseudonymKey(..)");
    }
}
