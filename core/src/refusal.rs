//! Why an envelope is not admitted: one list for intake, forced pages and INVALID.

/// A refusal: the reason, and the event it concerns (from 0; `None` when it concerns the envelope).
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{reason}{}", place(*event))]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// Which event, from 0.
    pub event: Option<u8>,
}

impl Refusal {
    /// A refusal of the whole envelope.
    pub const fn of_envelope(reason: Reason) -> Self {
        Self { reason, event: None }
    }

    /// A refusal of event `index`, from 0. Envelopes carry at most 255.
    pub fn of_event(reason: Reason, index: usize) -> Self {
        Self { reason, event: Some(u8::try_from(index).unwrap_or(u8::MAX)) }
    }
}

fn place(event: Option<u8>) -> String {
    event.map_or_else(String::new, |index| format!(" (event {index})"))
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $code:literal $name:ident $({ $($field:ident : $type:ty),+ })? $message:literal,)+) => {
        /// The reasons, in the order of the stages of admission. The codes are part of the protocol.
        ///
        /// Source: docs/spec.md §6.
        #[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* #[error($message)] $name $({
                $(#[allow(missing_docs)] $field: $type),+
            })?,)+
        }

        impl Reason {
            /// The number on the wire and on L1; its high nibble is the stage.
            pub const fn code(self) -> u8 {
                match self { $(Self::$name $({ $($field: _),+ })? => $code,)+ }
            }

            /// The name in the specification and in the vectors.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name $({ $($field: _),+ })? => stringify!($name),)+ }
            }
        }
    };
}

reasons! {
    /// More bytes than an envelope may have.
    0x10 Length "longer than 953 bytes",
    /// A field runs past the end.
    0x11 Truncated "the bytes end within a field",
    /// Bytes are left after the last event.
    0x12 Trailing "bytes are left after the last event",
    /// No event has this head byte.
    0x13 UnknownKind "unknown event kind",
    /// A number that its code table does not have.
    0x14 UnknownCode "unknown code",
    /// A bit that has no meaning is set.
    0x15 UnknownBits "unknown bits are set",
    /// A field is written that equals the one before.
    0x16 Same "a written field equals the one before",
    /// Patients, or blocked orgs, do not ascend.
    0x17 Order "numbers do not ascend",
    /// A time offset starts with a zero byte.
    0x18 LeadingZero "a time offset starts with a zero byte",
    /// A time reaches 2^48 ms.
    0x19 Time "a time is 2^48 ms or later",
    /// No events.
    0x1A Count "no events",
    /// A public key that no one can hold.
    0x1B Key "not a public key",
    /// An interval that ends before it starts.
    0x1C Interval "the interval ends before it starts",
    /// Signer 0 is reserved.
    0x1D Signer "signer 0 is reserved",
    /// More than 127 events.
    0x20 TooManyEvents "more than 127 events",
    /// More than 96 rows would be touched.
    0x21 TooManyRows "more than 96 rows",
    /// The signer's row does not exist.
    0x30 NoSigner "the signer does not exist",
    /// The signer is revoked.
    0x40 SignerRevoked "the signer is revoked",
    /// The signer's validity has not begun.
    0x41 SignerNotYetValid "the signer is not valid yet",
    /// The signer's validity is over.
    0x42 SignerExpired "the signer has expired",
    /// The signer's org is suspended.
    0x43 OrgSuspended "the signer's org is suspended",
    /// The signer has no key.
    0x44 NoKey "the signer has no key",
    /// The nonce is not the signer's next one: a gap or a repeat.
    0x50 Nonce { expected: u64, actual: u64 } "nonce {actual}, expected {expected}",
    /// Row 0 stands where a row is needed.
    0x60 Reserved "row 0 is reserved",
    /// A row that does not exist.
    0x61 NoRow "the row does not exist",
    /// A table or the log has no number left.
    0x62 Full "no number is left",
    /// A person's envelope is not one event that has a struct to show.
    0x70 Form "a person signs one event of a kind that has a struct",
    /// r or s is out of range, or s is high.
    0x71 Malformed "r or s is out of range, or s is high",
    /// The signature is not the signer's over these bytes, rows and identities.
    0x72 Wrong "the signature does not verify",
    /// The signer's role may not sign this kind of event.
    0x80 Role "the signer's role may not sign this",
    /// The patient or principal belongs to another org.
    0x81 Org "not of the signer's org",
    /// The signer is not the one entitled.
    0x82 NotEntitled "the signer is not entitled",
    /// The patient is open already.
    0x83 Taken "the patient is open already",
    /// A named principal has a role it may not have there.
    0x84 WrongRole "a named principal has the wrong role",
    /// A controller cleared a proposal less than 90 days ago.
    0x85 Barred "proposals are barred",
    /// A proposal that proposes nothing, or more than a controller.
    0x86 EmptyProposal "a proposal names another controller and nothing else",
    /// A link to itself, or a replacement across orgs.
    0x87 Link "the link is not allowed",
    /// The principal or consent is revoked already.
    0x88 AlreadyRevoked "revoked already",
    /// The event lies more than ten minutes after the page's clock.
    0x90 Future "the event lies in the future",
}

impl From<crate::bytes::Short> for Reason {
    fn from(_: crate::bytes::Short) -> Self {
        Self::Truncated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_event_and_its_code() {
        let refusal = Refusal::of_event(Reason::Nonce { expected: 2, actual: 5 }, 3);
        assert_eq!(refusal.to_string(), "nonce 5, expected 2 (event 3)");
        assert_eq!((refusal.reason.code(), refusal.reason.name()), (0x50, "Nonce"));
        assert_eq!(Refusal::of_envelope(Reason::Wrong).to_string(), "the signature does not verify");
    }
}
