//! What is signed: EIP-712, so that a wallet shows a person the very fields they sign.
//!
//! Source: docs/spec.md §7. The type strings stand there verbatim; a test holds them.

use crate::envelope::{Envelope, Head};
use crate::event::{self, Event};
use crate::hash::keccak256;
use crate::key::Key;
use alloy_primitives::{Address, B256, Bytes, U256, aliases::U48};
use alloy_sol_types::{Eip712Domain, SolStruct};
use types::{ConsentGrant, ConsentRevoke, PatientBind, PatientPolicy, PrincipalAdd, PrincipalRevoke, PrincipalRotate};

/// Structs as `alloy` derives their type strings.
#[allow(missing_docs, clippy::pedantic)]
mod types {
    alloy_sol_types::sol! {
        struct Envelope { uint32 signer; uint64 nonce; uint48 baseTime; bytes32 payloadsRoot; bytes events; bytes32 identities; }
        struct PatientBind { uint32 signer; uint64 nonce; uint48 baseTime; bytes32 payloadsRoot; uint32 patient; uint32 controller; uint32 proxy; bytes32 identities; }
        struct PatientPolicy { uint32 signer; uint64 nonce; uint48 baseTime; bytes32 payloadsRoot; uint32 patient; uint8 flags; uint32[4] blockedOrgs; bytes32 identities; }
        struct PrincipalAdd { uint32 signer; uint64 nonce; uint48 baseTime; bytes32 payloadsRoot; uint8 role; uint8 keyKind; bytes key; bytes32 sealingKey; bytes32 tag; uint48 validFrom; uint48 validUntil; bytes32 identities; }
        struct PrincipalRotate { uint32 signer; uint64 nonce; uint48 baseTime; bytes32 payloadsRoot; uint32 principal; uint8 keyKind; bytes key; bytes32 sealingKey; bytes32 identities; }
        struct PrincipalRevoke { uint32 signer; uint64 nonce; uint48 baseTime; bytes32 payloadsRoot; uint32 principal; uint8 reason; uint48 compromisedSince; bytes32 identities; }
        struct ConsentGrant { uint32 signer; uint64 nonce; uint48 baseTime; bytes32 payloadsRoot; uint32 patient; uint8 granteeKind; uint32 grantee; uint64 purposes; uint8 actions; uint64 categories; uint48 validFrom; uint48 validUntil; bytes32 identities; }
        struct ConsentRevoke { uint32 signer; uint64 nonce; uint48 baseTime; bytes32 payloadsRoot; uint32 consent; bytes32 identities; }
        struct Receipt { uint64 epoch; bytes32 groupRoot; }
    }
}

/// The chain and contract that signatures are for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Chain {
    id: u64,
    contract: Address,
    separator: B256,
}

impl Chain {
    /// The rollup at `contract` of L1 chain `chain_id`.
    pub fn new(chain_id: u64, contract: Address) -> Self {
        let domain = Eip712Domain {
            name: Some("Chartroll".into()),
            version: Some("1".into()),
            chain_id: Some(U256::from(chain_id)),
            verifying_contract: Some(contract),
            salt: None,
        };
        Self { id: chain_id, contract, separator: domain.hash_struct() }
    }

    /// Id of the L1 chain.
    pub const fn chain_id(&self) -> u64 {
        self.id
    }

    /// Address of the Rollup.
    pub const fn contract(&self) -> Address {
        self.contract
    }

    /// EIP-712's domain separator.
    pub const fn separator(&self) -> B256 {
        self.separator
    }

    /// What is signed for a struct: `keccak(0x1901 ‖ separator ‖ struct hash)`.
    pub fn digest(&self, struct_hash: &B256) -> B256 {
        let mut preimage = [0; 66];
        let parts = [0x19, 0x01].into_iter().chain(self.separator).chain(*struct_hash);
        preimage.iter_mut().zip(parts).for_each(|(place, byte)| *place = byte);
        keccak256(preimage)
    }

    /// What a sequencer signs for a group of receipts.
    pub fn receipt_digest(&self, epoch: u64, group_root: &B256) -> B256 {
        self.digest(&types::Receipt { epoch, groupRoot: *group_root }.eip712_hash_struct())
    }
}

/// Struct hash of an envelope that a system or an officer signs.
pub fn envelope_hash(envelope: &Envelope<'_>, identities: &B256) -> B256 {
    let head = &envelope.head;
    types::Envelope {
        signer: head.signer,
        nonce: head.nonce,
        baseTime: U48::from(head.base_time.millis()),
        payloadsRoot: head.payloads_root,
        events: Bytes::copy_from_slice(envelope.event_bytes()),
        identities: *identities,
    }
    .eip712_hash_struct()
}

/// Struct hash of an envelope that a person signs; `None` unless it is one event of a kind that has a struct.
pub fn person_hash(envelope: &Envelope<'_>, identities: &B256) -> Option<B256> {
    let [event] = envelope.events.as_slice() else { return None };
    let common = Common::new(&envelope.head, *identities);
    Some(match &event.event {
        Event::PatientBind(bind) => common.patient_bind(*bind),
        Event::PatientPolicy(policy) => common.patient_policy(policy),
        Event::PrincipalAdd(add) => common.principal_add(add),
        Event::PrincipalRotate(rotate) => common.principal_rotate(rotate),
        Event::PrincipalRevoke(revoke) => common.principal_revoke(revoke),
        Event::ConsentGrant(grant) => common.consent_grant(grant),
        Event::ConsentRevoke(revoke) => common.consent_revoke(*revoke),
        Event::Access(_) | Event::PatientOpen(_) | Event::PatientLink(_) | Event::Annotate(_) => return None,
    })
}

/// Fields that every person's struct has, under the names that a wallet shows.
#[allow(non_snake_case)]
struct Common {
    signer: u32,
    nonce: u64,
    baseTime: U48,
    payloadsRoot: B256,
    identities: B256,
}

#[allow(non_snake_case)]
impl Common {
    fn new(head: &Head, identities: B256) -> Self {
        let Head { signer, nonce, payloads_root, .. } = *head;
        Self { signer, nonce, baseTime: U48::from(head.base_time.millis()), payloadsRoot: payloads_root, identities }
    }

    fn patient_bind(self, bind: event::PatientBind) -> B256 {
        let Self { signer, nonce, baseTime, payloadsRoot, identities } = self;
        let event::PatientBind { patient, controller, proxy } = bind;
        PatientBind { signer, nonce, baseTime, payloadsRoot, patient, controller, proxy, identities }
            .eip712_hash_struct()
    }

    fn patient_policy(self, policy: &event::PatientPolicy) -> B256 {
        let Self { signer, nonce, baseTime, payloadsRoot, identities } = self;
        let (patient, flags, blockedOrgs) = (policy.patient, policy.flags.bits(), policy.blocked_orgs);
        PatientPolicy { signer, nonce, baseTime, payloadsRoot, patient, flags, blockedOrgs, identities }
            .eip712_hash_struct()
    }

    fn principal_add(self, add: &event::PrincipalAdd) -> B256 {
        PrincipalAdd {
            signer: self.signer,
            nonce: self.nonce,
            baseTime: self.baseTime,
            payloadsRoot: self.payloadsRoot,
            role: add.role.number(),
            keyKind: add.key.kind().number(),
            key: key_bytes(&add.key),
            sealingKey: add.sealing_key,
            tag: add.tag,
            validFrom: U48::from(add.valid_from.millis()),
            validUntil: U48::from(add.valid_until.millis()),
            identities: self.identities,
        }
        .eip712_hash_struct()
    }

    fn principal_rotate(self, rotate: &event::PrincipalRotate) -> B256 {
        PrincipalRotate {
            signer: self.signer,
            nonce: self.nonce,
            baseTime: self.baseTime,
            payloadsRoot: self.payloadsRoot,
            principal: rotate.principal,
            keyKind: rotate.key.kind().number(),
            key: key_bytes(&rotate.key),
            sealingKey: rotate.sealing_key,
            identities: self.identities,
        }
        .eip712_hash_struct()
    }

    fn principal_revoke(self, revoke: &event::PrincipalRevoke) -> B256 {
        let Self { signer, nonce, baseTime, payloadsRoot, identities } = self;
        let (principal, reason) = (revoke.principal, revoke.reason.number());
        let compromisedSince = U48::from(revoke.compromised_since.millis());
        PrincipalRevoke { signer, nonce, baseTime, payloadsRoot, principal, reason, compromisedSince, identities }
            .eip712_hash_struct()
    }

    fn consent_grant(self, grant: &event::ConsentGrant) -> B256 {
        ConsentGrant {
            signer: self.signer,
            nonce: self.nonce,
            baseTime: self.baseTime,
            payloadsRoot: self.payloadsRoot,
            patient: grant.patient,
            granteeKind: grant.grantee_kind.number(),
            grantee: grant.grantee,
            purposes: grant.scope.purposes,
            actions: grant.scope.actions,
            categories: grant.scope.categories,
            validFrom: U48::from(grant.valid_from.millis()),
            validUntil: U48::from(grant.valid_until.millis()),
            identities: self.identities,
        }
        .eip712_hash_struct()
    }

    fn consent_revoke(self, revoke: event::ConsentRevoke) -> B256 {
        let Self { signer, nonce, baseTime, payloadsRoot, identities } = self;
        ConsentRevoke { signer, nonce, baseTime, payloadsRoot, consent: revoke.consent, identities }
            .eip712_hash_struct()
    }
}

/// Type strings of every struct, as they are hashed.
pub fn type_strings() -> [(&'static str, String); 9] {
    [
        ("Envelope", types::Envelope::eip712_encode_type().into_owned()),
        ("PatientBind", PatientBind::eip712_encode_type().into_owned()),
        ("PatientPolicy", PatientPolicy::eip712_encode_type().into_owned()),
        ("PrincipalAdd", PrincipalAdd::eip712_encode_type().into_owned()),
        ("PrincipalRotate", PrincipalRotate::eip712_encode_type().into_owned()),
        ("PrincipalRevoke", PrincipalRevoke::eip712_encode_type().into_owned()),
        ("ConsentGrant", ConsentGrant::eip712_encode_type().into_owned()),
        ("ConsentRevoke", ConsentRevoke::eip712_encode_type().into_owned()),
        ("Receipt", types::Receipt::eip712_encode_type().into_owned()),
    ]
}

fn key_bytes(key: &Key) -> Bytes {
    Bytes::copy_from_slice(key.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_strings_stand_in_the_specification() {
        let spec = include_str!("../../docs/spec.md");
        for (name, string) in type_strings() {
            assert!(spec.lines().any(|line| line == string), "{name}: {string}");
        }
    }

    #[test]
    fn a_digest_is_bound_to_chain_and_contract() {
        let here = Chain::new(1, Address::repeat_byte(1));
        let hash = B256::repeat_byte(7);
        assert_eq!((here.chain_id(), here.contract()), (1, Address::repeat_byte(1)));
        assert_ne!(here.digest(&hash), Chain::new(2, Address::repeat_byte(1)).digest(&hash));
        assert_ne!(here.digest(&hash), Chain::new(1, Address::repeat_byte(2)).digest(&hash));
        let preimage = [&[0x19, 0x01][..], here.separator().as_slice(), hash.as_slice()].concat();
        assert_eq!(here.digest(&hash), keccak256(preimage));
    }
}
