//! Entries of every kind, verdicts of every basis.

use alloy_primitives::{B256, keccak256};
use chartroll_core::codes::{
    Action, Annotation, Category, GranteeKind, Outcome, Purpose, Relation, RevocationReason, Role,
};
use chartroll_core::event::{
    Access, Annotate, Codes, ConsentGrant, ConsentRevoke, Event, PatientBind, PatientFlags, PatientLink, PatientOpen,
    PatientPolicy, PrincipalAdd, PrincipalRevoke, PrincipalRotate, Scope,
};
use chartroll_core::log::{Entry, blinds};
use chartroll_core::time::Time;
use chartroll_core::verdict::Verdict;

use crate::keys::SigningKey;

/// Clock of the first entry's page.
const CLOCK: u64 = 1_772_344_800_000;

/// The entries, by sequence from 0.
pub(super) fn make() -> Vec<Entry> {
    let others = others().into_iter().map(|event| (event, Verdict::NONE));
    let accesses = accesses();
    let all: Vec<(Event, Verdict)> = others.chain(accesses).collect();
    let entries: Vec<Entry> =
        all.into_iter().zip(0..).map(|((event, verdict), sequence)| entry(sequence, event, verdict)).collect();
    for entry in &entries {
        assert_eq!(Entry::decode(&entry.encode()).as_ref(), Ok(entry));
    }
    entries
}

/// Envelopes of three events each, a minute apart.
fn entry(sequence: u64, event: Event, verdict: Verdict) -> Entry {
    let envelope = sequence / 3;
    let k = u8::try_from(sequence % 3).unwrap();
    let late = if verdict.is_late() { 3_600_000 } else { 0 };
    let hash = |what: &str| keccak256(format!("{what} {envelope}"));
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(hash("r").as_slice());
    signature[32..].copy_from_slice(hash("s").as_slice());
    Entry {
        sequence,
        clock: time(CLOCK + envelope * 60_000),
        time: time(CLOCK + envelope * 60_000 - late - sequence),
        signer: u32::try_from(envelope).unwrap() + 1,
        payloads_root: if envelope.is_multiple_of(2) { B256::ZERO } else { hash("payloads") },
        k,
        blind: blinds(&signature, usize::from(k) + 1)[usize::from(k)],
        verdict,
        event,
    }
}

fn time(millis: u64) -> Time {
    Time::from_millis(millis).unwrap()
}

/// Every kind but access.
fn others() -> [Event; 10] {
    let (valid_from, valid_until) = (time(CLOCK), Time::MAX);
    let key = SigningKey::p256("an entry's practitioner").public();
    let sealing_key = keccak256("sealing key");
    [
        Event::PatientOpen(PatientOpen { pseudonym: keccak256("pseudonym"), controller: 4 }),
        Event::PatientBind(PatientBind { patient: 1, controller: 4, proxy: 5 }),
        Event::PatientPolicy(PatientPolicy {
            patient: 1,
            flags: PatientFlags::EXPLICIT_CONSENT,
            blocked_orgs: [2, 3, 0, 0],
        }),
        Event::PatientLink(PatientLink { patient: 1, other: 2, relation: Relation::ReplacedBy }),
        Event::PrincipalAdd(Box::new(PrincipalAdd {
            role: Role::Practitioner,
            key,
            sealing_key,
            tag: keccak256("tag"),
            valid_from,
            valid_until,
        })),
        Event::PrincipalRotate(Box::new(PrincipalRotate {
            principal: 6,
            key: SigningKey::secp256k1("an entry's practitioner").public(),
            sealing_key,
        })),
        Event::PrincipalRevoke(PrincipalRevoke {
            principal: 6,
            reason: RevocationReason::Superseded,
            compromised_since: Time::ZERO,
        }),
        Event::ConsentGrant(ConsentGrant {
            patient: 1,
            grantee_kind: GranteeKind::Principal,
            grantee: 6,
            scope: Scope::ALL,
            valid_from,
            valid_until,
        }),
        Event::ConsentRevoke(ConsentRevoke { consent: 1 }),
        Event::Annotate(Annotate {
            patient: 1,
            sequence: 0,
            annotation: Annotation::Amended,
            digest: keccak256("amendment"),
        }),
    ]
}

/// An access for each basis, plain or with flags.
fn accesses() -> Vec<(Event, Verdict)> {
    let bytes = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x41, 0x82, 0xC3, 0x47, 0x88, 0xC8];
    let access = |(byte, n): (u8, u8)| {
        let codes = Codes {
            action: Action::new(n % 6).unwrap(),
            outcome: Outcome::new(n % 5).unwrap(),
            purpose: Purpose::new(n * 4).unwrap(),
            category: Category::new(n * 2).unwrap(),
        };
        let (patient, actor, consent) = (u32::from(n) + 1, u32::from(n) * 1_000_000 + 6, u32::from(n % 2));
        (Event::Access(Access { patient, actor, consent, codes }), Verdict::new(byte).unwrap())
    };
    bytes.into_iter().zip(0..).map(access).collect()
}
