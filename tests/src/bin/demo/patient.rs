//! Ada, a patient with a key of her own: admitted, read, in control of who may read, and read again.

use alloy_primitives::{B256, keccak256};
use chartroll_client::clock::now;
use chartroll_client::keys::SigningKey;
use chartroll_client::read::Asker;
use chartroll_client::sign::{Identity, Signer};
use chartroll_core::codes::{GranteeKind, Role};
use chartroll_core::eip712::Chain;
use chartroll_core::event::{
    Access, Codes, ConsentGrant, Event, PatientFlags, PatientOpen, PatientPolicy, PrincipalAdd, Scope,
};
use chartroll_core::time::Time;
use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::keys;
use chartroll_tests::ward::{codes, treatment};

/// Names her keys and rows in the fixtures.
const LABEL: &str = "ada";
/// An emergency, as HL7 v3 codes the purpose.
const EMERGENCY: u8 = 58;

/// A practitioner of another hospital.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doctor {
    org: u32,
    row: u32,
}

/// A patient who reads her own history.
pub(crate) struct Ada {
    /// Row of the patient.
    pub(crate) patient: u32,
    /// Sequence number of the access that she had forbidden.
    pub(crate) blocked: u64,
    asker: Asker,
}

impl Doctor {
    /// The first of a hospital.
    pub(crate) fn of(hospital: &Hospital) -> Self {
        Self { org: hospital.org, row: practitioner(hospital, 0) }
    }
}

impl Ada {
    /// Asks nodes as herself.
    pub(crate) fn asker(&self) -> Asker {
        self.asker.clone()
    }

    /// Everything that happens to her record. Each hospital logs for its own patients, whoever acts.
    pub(crate) async fn visit(chain: &Chain, home: &mut Hospital, [trusted, barred]: [Doctor; 2]) -> Self {
        for doctor in [trusted, barred] {
            home.known.learn_org(doctor.org, keccak256(format!("hospital {}", doctor.org)));
            home.known.learn_principal(doctor.row, doctor.org, &keccak256(format!("practitioner {} 0", doctor.org)));
        }
        let principal = admit_her(home).await;
        let open = PatientOpen { pseudonym: keccak256("ada's pseudonym"), controller: principal };
        let patient = made(home, Event::PatientOpen(open)).await;
        let key = SigningKey::secp256k1(&keccak256(LABEL).0).expect("a hash is a key");
        let identity = Identity { row: principal, org: home.org, role: Role::Patient };
        let mut ada = Signer::new(*chain, identity, key.clone(), 0);
        let (doctor, nurse) = (practitioner(home, 0), practitioner(home, 1));

        log(home, patient, (doctor, 0), treatment()).await;
        log(home, patient, (nurse, 0), codes(2, 1, 54, 3)).await;
        let grant = ConsentGrant {
            patient,
            grantee_kind: GranteeKind::Principal,
            grantee: trusted.row,
            scope: Scope::ALL,
            valid_from: Time::ZERO,
            valid_until: Time::ZERO,
        };
        let consent = signed_by_her(home, &mut ada, Event::ConsentGrant(grant)).await;
        log(home, patient, (trusted.row, consent), treatment()).await;
        let policy =
            PatientPolicy { patient, flags: PatientFlags::EMERGENCY_ALLOWED, blocked_orgs: [barred.org, 0, 0, 0] };
        signed_by_her(home, &mut ada, Event::PatientPolicy(policy)).await;
        let blocked = log(home, patient, (barred.row, 0), treatment()).await;
        log(home, patient, (nurse, 0), codes(2, 1, EMERGENCY, 2)).await;
        log(home, patient, (principal, 0), codes(2, 1, 54, 8)).await;
        Self { patient, blocked, asker: Asker { chain: *chain, principal, key } }
    }
}

fn practitioner(home: &Hospital, number: usize) -> u32 {
    home.practitioners.get(number).copied().expect("a hospital has practitioners")
}

/// Her admin gives her a row with her own key.
async fn admit_her(home: &mut Hospital) -> u32 {
    let add = PrincipalAdd {
        role: Role::Patient,
        key: keys::SigningKey::secp256k1(LABEL).public(),
        sealing_key: B256::ZERO,
        tag: keccak256(LABEL),
        valid_from: Time::ZERO,
        valid_until: Time::ZERO,
    };
    let events = [(now(), Event::PrincipalAdd(Box::new(add)))];
    let Hospital { admin, known, .. } = &mut *home;
    let signed = admin.sign(known, now(), B256::ZERO, &events).expect("an envelope");
    home.submit(&signed).await.new_rows.first().map(|row| row.row).expect("a new row")
}

/// An event of the hospital's system that makes a row: its number.
async fn made(home: &mut Hospital, event: Event) -> u32 {
    let at = now();
    let Hospital { system, known, .. } = &mut *home;
    let signed = system.sign(known, at, B256::ZERO, &[(at, event)]).expect("an envelope");
    home.submit(&signed).await.new_rows.first().map(|row| row.row).expect("a new row")
}

/// The hospital's system logs that `actor` read her record, citing a consent (0: none). The sequence number.
async fn log(home: &mut Hospital, patient: u32, (actor, consent): (u32, u32), codes: Codes) -> u64 {
    let at = now();
    let event = Event::Access(Access { patient, actor, consent, codes });
    let Hospital { system, known, .. } = &mut *home;
    let signed = system.sign(known, at, keccak256("a sealed document"), &[(at, event)]).expect("an envelope");
    home.submit(&signed).await.receipt.place().first_sequence
}

/// She signs with her own key; the row that it made, 0 if none.
async fn signed_by_her(home: &mut Hospital, ada: &mut Signer, event: Event) -> u32 {
    let at = now();
    let signed = ada.sign(&home.known, at, B256::ZERO, &[(at, event)]).expect("an envelope");
    home.submit(&signed).await.new_rows.first().map_or(0, |row| row.row)
}
