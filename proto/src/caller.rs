//! Who asks: a signature over the question, where a client certificate does not say it.
//!
//! EIP-712 in the domain of docs/spec.md §7.1, so that a patient's wallet can ask for its own history. Whoever sees a
//! signed question can repeat it for 60 seconds and read the same answer: keep questions within TLS.

use crate::limits::CALLER_MS_MAX;
use crate::problem::Denial;
use crate::v1::get_receipt_request::By;
use crate::v1::{
    Caller, GetHistoryRequest, GetPagesRequest, GetReceiptRequest, ListConsentsRequest, ResolvePatientRequest,
    ResolvePrincipalRequest,
};
use alloy_primitives::{B256, aliases::U48, keccak256};
use alloy_sol_types::SolStruct;
use chartroll_core::eip712::Chain;
use chartroll_core::key::Key;
use chartroll_core::signature;
use chartroll_core::time::Time;
use prost::bytes::Bytes;

/// The struct as `alloy` derives its type string.
#[allow(missing_docs, clippy::pedantic)]
mod types {
    alloy_sol_types::sol! {
        struct Read { uint32 principal; uint48 time; string method; bytes32 subject; }
    }
}

/// A request that says who asks.
pub trait Asks {
    /// Path of the call, as gRPC writes it.
    const METHOD: &'static str;

    /// What is asked about: the bytes that the `.proto` file names.
    fn subject(&self) -> Vec<u8>;

    /// Who says to ask.
    fn caller(&self) -> Option<&Caller>;

    /// The same request, asked by `caller`.
    #[must_use]
    fn asked_by(self, caller: Caller) -> Self;
}

macro_rules! asks {
    ($request:ident, $method:literal, |$this:ident| $subject:expr) => {
        impl Asks for $request {
            const METHOD: &'static str = $method;

            fn subject(&self) -> Vec<u8> {
                let $this = self;
                $subject
            }

            fn caller(&self) -> Option<&Caller> {
                self.caller.as_ref()
            }

            fn asked_by(self, caller: Caller) -> Self {
                Self { caller: Some(caller), ..self }
            }
        }
    };
}

asks!(GetHistoryRequest, "/chartroll.v1.Reading/GetHistory", |this| this.patient.to_be_bytes().to_vec());
asks!(ListConsentsRequest, "/chartroll.v1.Reading/ListConsents", |this| this.patient.to_be_bytes().to_vec());
asks!(ResolvePrincipalRequest, "/chartroll.v1.Reading/ResolvePrincipal", |this| this.key.to_vec());
asks!(ResolvePatientRequest, "/chartroll.v1.Reading/ResolvePatient", |this| {
    [&this.org.to_be_bytes()[..], &this.pseudonym].concat()
});
asks!(GetReceiptRequest, "/chartroll.v1.Reading/GetReceipt", |this| {
    match &this.by {
        Some(By::SignerNonce(by)) => [&by.signer.to_be_bytes()[..], &by.nonce.to_be_bytes()].concat(),
        Some(By::Digest(digest)) => digest.to_vec(),
        None => Vec::new(),
    }
});
asks!(GetPagesRequest, "/chartroll.v1.Reading/GetPages", |this| {
    [&this.batch.to_be_bytes()[..], &this.first.to_be_bytes(), &this.count.to_be_bytes()].concat()
});

/// What `principal` signs to ask `request` at `time`.
pub fn digest<R: Asks>(chain: &Chain, principal: u32, time: Time, request: &R) -> B256 {
    let read = types::Read {
        principal,
        time: U48::from(time.millis()),
        method: R::METHOD.to_owned(),
        subject: keccak256(request.subject()),
    };
    chain.digest(&read.eip712_hash_struct())
}

/// `request`, asked by `principal` at `time`; `sign` signs the digest, r ‖ s as docs/spec.md §7.5.
///
/// # Errors
/// What `sign` answers.
pub fn signed<R: Asks, E>(
    chain: &Chain,
    principal: u32,
    time: Time,
    request: R,
    sign: impl FnOnce(&B256) -> Result<[u8; 64], E>,
) -> Result<R, E> {
    let signature = sign(&digest(chain, principal, time, &request))?;
    let signature = Bytes::copy_from_slice(&signature);
    Ok(request.asked_by(Caller { principal, time_ms: time.millis(), signature }))
}

/// Checks that `key`, which the row of the caller's principal holds, signed this question for this chain, near `now`.
///
/// # Errors
/// [`Denial::NoIdentity`], [`Denial::Stale`], [`Denial::BadSignature`], in this order.
pub fn verify<R: Asks>(chain: &Chain, request: &R, key: &Key, now: Time) -> Result<(), Denial> {
    let caller = request.caller().ok_or(Denial::NoIdentity)?;
    let time = Time::from_millis(caller.time_ms).ok_or(Denial::Stale)?;
    if now.since(time).max(time.since(now)) > CALLER_MS_MAX {
        return Err(Denial::Stale);
    }
    let signature = caller.signature.as_ref().try_into().map_err(|_| Denial::BadSignature)?;
    let digest = digest(chain, caller.principal, time, request);
    signature::verify(key, &digest, signature).map_err(|_| Denial::BadSignature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::Address;
    use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
    use std::collections::BTreeSet;
    use std::convert::Infallible;

    fn chain() -> Chain {
        Chain::new(31_337, Address::repeat_byte(7))
    }

    fn at(millis: u64) -> Time {
        Time::from_millis(millis).unwrap()
    }

    fn secret() -> secp256k1::SecretKey {
        secp256k1::SecretKey::from_secret_bytes([5; 32]).unwrap()
    }

    fn key() -> Key {
        let point = secp256k1::PublicKey::from_secret_key(&secret()).serialize_uncompressed();
        Key::Secp256k1(Address::from_word(keccak256(&point[1..])))
    }

    #[allow(clippy::unnecessary_wraps)]
    fn sign(digest: &B256) -> Result<[u8; 64], Infallible> {
        let message = secp256k1::Message::from_digest(digest.0);
        let (id, mut bytes) = RecoverableSignature::sign_ecdsa_recoverable(message, &secret()).serialize_compact();
        bytes[32] |= if id == RecoveryId::One { 0x80 } else { 0 };
        Ok(bytes)
    }

    fn history(patient: u32) -> GetHistoryRequest {
        GetHistoryRequest { caller: None, patient, rung: 2 }
    }

    fn pages(batch: u64, first: u32, count: u32) -> GetPagesRequest {
        GetPagesRequest { caller: None, batch, first, count }
    }

    fn patient(org: u32, pseudonym: u8) -> ResolvePatientRequest {
        ResolvePatientRequest { caller: None, org, pseudonym: Bytes::copy_from_slice(&[pseudonym; 32]) }
    }

    #[test]
    fn the_type_string_is_the_one_of_the_proto_file() {
        let expected = "Read(uint32 principal,uint48 time,string method,bytes32 subject)";
        assert_eq!(types::Read::eip712_encode_type(), expected);
        assert!(include_str!("../chartroll/v1/read.proto").contains(expected));
    }

    #[test]
    fn methods_are_those_of_the_service() {
        let service = crate::v1::reading_server::SERVICE_NAME;
        let paths = [
            (GetHistoryRequest::METHOD, "GetHistory"),
            (GetPagesRequest::METHOD, "GetPages"),
            (GetReceiptRequest::METHOD, "GetReceipt"),
            (ListConsentsRequest::METHOD, "ListConsents"),
            (ResolvePatientRequest::METHOD, "ResolvePatient"),
            (ResolvePrincipalRequest::METHOD, "ResolvePrincipal"),
        ];
        for (path, method) in paths {
            assert_eq!(path, format!("/{service}/{method}"));
            let rpc = format!("rpc {method}(");
            assert!(include_str!("../chartroll/v1/read.proto").contains(&rpc));
        }
    }

    #[test]
    fn the_digest_changes_with_every_field() {
        let (chain, time) = (chain(), at(1_000));
        let elsewhere = [Chain::new(1, Address::repeat_byte(7)), Chain::new(31_337, Address::repeat_byte(8))];
        let key = |byte: u8| ResolvePrincipalRequest { caller: None, key: Bytes::copy_from_slice(&[byte; 20]) };
        let digests = [
            digest(&chain, 3, time, &history(9)),
            digest(&elsewhere[0], 3, time, &history(9)),
            digest(&elsewhere[1], 3, time, &history(9)),
            digest(&chain, 4, time, &history(9)),
            digest(&chain, 3, at(1_001), &history(9)),
            digest(&chain, 3, time, &history(8)),
            digest(&chain, 3, time, &pages(1, 2, 3)),
            digest(&chain, 3, time, &pages(9, 2, 3)),
            digest(&chain, 3, time, &pages(1, 9, 3)),
            digest(&chain, 3, time, &pages(1, 2, 9)),
            digest(&chain, 3, time, &patient(1, 2)),
            digest(&chain, 3, time, &patient(9, 2)),
            digest(&chain, 3, time, &patient(1, 9)),
            digest(&chain, 3, time, &key(1)),
            digest(&chain, 3, time, &key(2)),
            // The same subject under another method.
            digest(&chain, 3, time, &ResolvePrincipalRequest { caller: None, key: history(9).subject().into() }),
        ];
        assert_eq!(digests.iter().collect::<BTreeSet<_>>().len(), digests.len());
    }

    #[test]
    fn a_signed_question_holds_for_sixty_seconds_around_its_time_and_no_longer() {
        let request = signed(&chain(), 3, at(100_000), history(9), sign).unwrap();
        for now in [40_000, 100_000, 160_000] {
            assert_eq!(verify(&chain(), &request, &key(), at(now)), Ok(()));
        }
        for now in [0, 39_999, 160_001] {
            assert_eq!(verify(&chain(), &request, &key(), at(now)), Err(Denial::Stale));
        }
    }

    #[test]
    fn another_question_principal_chain_or_key_is_not_what_was_signed() {
        let (now, request) = (at(100_000), signed(&chain(), 3, at(100_000), history(9), sign).unwrap());
        let denied = Err(Denial::BadSignature);
        assert_eq!(verify(&chain(), &GetHistoryRequest { patient: 8, ..request.clone() }, &key(), now), denied);
        let caller = request.caller.clone().unwrap();
        let other = |caller: Caller| request.clone().asked_by(caller);
        assert_eq!(verify(&chain(), &other(Caller { principal: 4, ..caller.clone() }), &key(), now), denied);
        assert_eq!(verify(&chain(), &other(Caller { time_ms: 100_001, ..caller.clone() }), &key(), now), denied);
        let short = Caller { signature: caller.signature.slice(1..), ..caller.clone() };
        assert_eq!(verify(&chain(), &other(short), &key(), now), denied);
        assert_eq!(verify(&chain(), &other(Caller { time_ms: 1 << 48, ..caller }), &key(), now), Err(Denial::Stale));
        assert_eq!(verify(&Chain::new(1, Address::ZERO), &request, &key(), now), denied);
        assert_eq!(verify(&chain(), &request, &Key::Secp256k1(Address::repeat_byte(1)), now), denied);
        assert_eq!(verify(&chain(), &request, &Key::None, now), denied);
        assert_eq!(verify(&chain(), &history(9), &key(), now), Err(Denial::NoIdentity));
    }
}
