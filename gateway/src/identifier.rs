//! Identifiers as audit documents carry them: who somebody is, in whose numbering.

/// A FHIR `Identifier`'s system and value, or what an ATNA message says in their place. `Debug` shows neither.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Identifier {
    /// Whose numbering: a URI, such as `urn:oid:2.16.756.5.30`; empty where the document names none.
    pub system: String,
    /// The number or name.
    pub value: String,
}

impl core::fmt::Debug for Identifier {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Identifier(..)")
    }
}

impl Identifier {
    /// An identifier of these parts.
    pub fn new(system: impl Into<String>, value: impl Into<String>) -> Self {
        Self { system: system.into(), value: value.into() }
    }

    /// As FHIR search parameters write it: `system|value`.
    pub fn token(&self) -> String {
        format!("{}|{}", self.system, self.value)
    }
}
