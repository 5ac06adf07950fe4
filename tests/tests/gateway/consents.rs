//! Consents that the gateway finds by itself.

use super::{Working, terms, ward};
use alloy_primitives::{B256, keccak256};
use chartroll_client::clock::now;
use chartroll_client::keys::SigningKey;
use chartroll_client::read::Reading;
use chartroll_client::sign::{Identity, Signer};
use chartroll_core::codes::{GranteeKind, Role};
use chartroll_core::event::{ConsentGrant, Event, PatientBind, PatientFlags, PatientPolicy, Scope};
use chartroll_core::history::History;
use chartroll_core::time::Time;
use chartroll_core::verdict::Basis;
use chartroll_gateway::engine::EventRung;
use chartroll_proto::v1::Rung;
use chartroll_tests::chain::gateway::{document, patient, pseudonym_key};
use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::chain::until;

/// Takes a document about patients 7 and 8 in, and waits until its first event is final.
async fn feed(working: &Working, number: u64) {
    let accepted = working.engine.accept(document(number, &[7, 8])).await.unwrap();
    for event in 0..2 {
        let mut watching = working.engine.watch(accepted.first + event);
        let mut last = None;
        while let Some(progress) = watching.next().await {
            last = Some(progress.rung);
        }
        assert_eq!(last, Some(EventRung::Final));
    }
}

async fn row_of(reading: &Reading, hospital: &mut Hospital, number: u64) -> u32 {
    let pseudonym: B256 = pseudonym_key().patient(&patient(number).system, &patient(number).value);
    let row = reading.resolve_patient(hospital.org, &pseudonym).await.unwrap().row;
    hospital.known.learn_patient(row, hospital.org, &pseudonym);
    row
}

/// Cited consents and bases of a patient's accesses.
async fn accesses(reading: &Reading, row: u32) -> Vec<(u32, Option<Basis>)> {
    let (bytes, checkpoint) = reading.history(row, Rung::Executed).await.unwrap();
    let history = History::decode(&bytes).unwrap().verify(&checkpoint.state_root).unwrap();
    let of = |entry: &chartroll_core::log::Entry| match &entry.event {
        Event::Access(access) => Some((access.consent, entry.verdict.basis())),
        _ => None,
    };
    history.entries().iter().filter_map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_a_patient_gave_is_found_and_cited() {
    let (chain, sequencer, mut hospital) = ward().await;
    let ada = hospital.add("ada", Role::Patient).await;
    let clerk = hospital.add("clerk", Role::System).await;
    let signing = |label: &str, row, role| {
        let key = SigningKey::secp256k1(&keccak256(label).0).unwrap();
        Signer::new(chain.chain, Identity { row, org: 1, role }, key, 0)
    };
    let terms = terms(&chain, &hospital);
    let working = Working::start(&terms);
    feed(&working, 1).await;
    working.stop().await;

    // Ada takes hold of her record, wants to be asked, and permits her hospital whatever it does.
    let reading = sequencer.reading().asking_as(hospital.asker(&chain));
    let (hers, other) = (row_of(&reading, &mut hospital, 7).await, row_of(&reading, &mut hospital, 8).await);
    let bind = Event::PatientBind(PatientBind { patient: hers, controller: ada, proxy: 0 });
    let flags = PatientFlags::EXPLICIT_CONSENT;
    let policy = Event::PatientPolicy(PatientPolicy { patient: hers, flags, blocked_orgs: [0; 4] });
    let grant = Event::ConsentGrant(ConsentGrant {
        patient: hers,
        grantee_kind: GranteeKind::Org,
        grantee: hospital.org,
        scope: Scope::ALL,
        valid_from: Time::ZERO,
        valid_until: Time::ZERO,
    });
    let (mut clerk, mut ada) = (signing("clerk", clerk, Role::System), signing("ada", ada, Role::Patient));
    let signed = clerk.sign(&hospital.known, now(), B256::ZERO, &[(now(), bind)]).unwrap();
    let _ = hospital.submit(&signed).await;
    let signed = ada.sign(&hospital.known, now(), B256::ZERO, &[(now(), policy)]).unwrap();
    let _ = hospital.submit(&signed).await;
    let signed = ada.sign(&hospital.known, now(), B256::ZERO, &[(now(), grant)]).unwrap();
    let consent = hospital.submit(&signed).await.new_rows[0].row;
    until("it is executed", async || {
        sequencer.status().await.is_some_and(|status| status.executed == status.sequenced)
    })
    .await;

    // A gateway asks about a patient now and then, and when it starts.
    let working = Working::start(&terms);
    feed(&working, 2).await;
    working.stop().await;
    let implied = (0, Some(Basis::Implied));
    assert_eq!(accesses(&reading, hers).await, [implied, (consent, Some(Basis::Consent))]);
    assert_eq!(accesses(&reading, other).await, [implied, implied]);

    // One that does not ask cites nothing.
    let working = Working::start(&terms.with("finds_consents", false.into()));
    feed(&working, 3).await;
    working.stop().await;
    assert_eq!(accesses(&reading, hers).await.last(), Some(&(0, Some(Basis::NoBasis))));
}
