//! The end of it: a history that is whole, an event that stands in the log, and changed ones that are refused.
//!
//! The verifier is asked, and not believed: everything is checked against a batch that L1 has final.

use crate::board::{check, grouped, short};
use crate::patient::Person;
use alloy_primitives::B256;
use chartroll_client::anchor::{Anchor, Rung};
use chartroll_client::bundle::{Bundle, Proof, Verified};
use chartroll_client::read::Asker;
use chartroll_client::verify::VerifiedCheckpoint;
use chartroll_core::history::History;
use chartroll_core::verdict::{Basis, Verdict};
use chartroll_tests::chain::Chain;
use chartroll_tests::chain::node::Node;

/// Shows all of it; whether everything was as it must be.
pub(crate) async fn show(chain: &Chain, verifier: &Node, person: &Person, pseudonym: &B256, stranger: Asker) -> bool {
    let anchor = Anchor::new(chain.reader().await);
    let reading = verifier.reading().asking_as(person.asker(&chain.chain));
    let patient = reading.resolve_patient(1, pseudonym).await.map_or(0, |found| found.row);
    let others = verifier.reading().asking_as(stranger);
    let refused = others.history(patient, Rung::Final.to_wire()).await.err();
    let words = refused.as_ref().map_or_else(String::new, ToString::to_string);
    let mut held = check(&format!("another hospital's system gets nothing: {words}"), refused.is_some());

    let Ok(bundle) = Bundle::fetch_history(&reading, &chain.chain, Rung::Final, patient).await else {
        return check("the verifier answers him", false);
    };
    let (checkpoint, entries) = match bundle.verify(&anchor, None).await {
        Ok((checkpoint, Verified::History(histories))) => {
            (checkpoint, histories.first().map(|history| history.entries().to_vec()).unwrap_or_default())
        }
        other => return check(&format!("his history holds: {other:?}"), false),
    };
    let batch = checkpoint.batch().header();
    println!("  {} bytes, under batch {}, content hash {}", size(&bundle), batch.number, short(&batch.content_hash()));
    let emergency = entries.iter().find(|entry| entry.verdict.basis() == Some(Basis::Emergency));
    let Some(emergency) = emergency else { return check("the emergency stands in it", false) };
    held &= changed_histories(&bundle, &checkpoint, emergency.sequence);

    let Ok(bundle) = Bundle::fetch_inclusion(&reading, &chain.chain, Rung::Final, emergency.sequence).await else {
        return check("the verifier proves what it has", false);
    };
    let (checkpoint, _) = match bundle.verify(&anchor, None).await {
        Ok(proved) => proved,
        Err(error) => return check(&format!("the inclusion holds: {error}"), false),
    };
    let entry = emergency.encode();
    let stands = bundle.verify_entry(&checkpoint, &entry).is_ok();
    let log = grouped(checkpoint.size());
    held &= check(&format!("event {} stands at its place among {log}, by its path", emergency.sequence), stands);
    held & changed_inclusions(&bundle, &checkpoint, &entry)
}

/// What a hospital might like to be otherwise.
fn changed_histories(bundle: &Bundle, checkpoint: &VerifiedCheckpoint, marked: u64) -> bool {
    let without = changed_history(bundle, |history| history.entries.retain(|entry| entry.sequence != marked));
    let implied = changed_history(bundle, |history| {
        for entry in history.entries.iter_mut().filter(|entry| entry.sequence == marked) {
            let flags = entry.verdict.byte() & (Verdict::LATE | Verdict::ASSERTED);
            entry.verdict = Verdict::new(Basis::Implied as u8 | flags).expect("a verdict");
        }
    });
    let swapped = changed_history(bundle, |history| history.entries.swap(2, 3));
    let mut held = true;
    for (what, changed) in [
        ("without the emergency it is refused", without),
        ("with that access called Implied it is refused", implied),
        ("with two events swapped it is refused", swapped),
    ] {
        let refused = changed.verify_under(checkpoint).err();
        let why = refused.as_ref().map_or_else(String::new, ToString::to_string);
        held &= check(&format!("{what}: {why}"), refused.is_some());
    }
    held
}

/// A path that was changed, and an entry that was.
fn changed_inclusions(bundle: &Bundle, checkpoint: &VerifiedCheckpoint, entry: &[u8]) -> bool {
    let path = changed(bundle, |proof| {
        let Proof::Inclusion { inclusion, .. } = proof else { return };
        let mut bytes = inclusion.to_vec();
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
        *inclusion = bytes.into();
    });
    let refused = path.verify_under(checkpoint).err();
    let why = refused.as_ref().map_or_else(String::new, ToString::to_string);
    let held = check(&format!("with one bit of the path changed it is refused: {why}"), refused.is_some());
    let mut entry = entry.to_vec();
    if let Some(last) = entry.last_mut() {
        *last ^= 1;
    }
    let refused = bundle.verify_entry(checkpoint, &entry).err();
    let why = refused.as_ref().map_or_else(String::new, ToString::to_string);
    held & check(&format!("with one bit of the event changed it is refused: {why}"), refused.is_some())
}

fn changed_history(bundle: &Bundle, change: impl FnOnce(&mut History)) -> Bundle {
    changed(bundle, |proof| {
        let Proof::History { histories, .. } = proof else { return };
        let Some(first) = histories.first_mut() else { return };
        let mut history = History::decode(first).expect("it was verified before");
        change(&mut history);
        *first = history.encode().into();
    })
}

/// The file as somebody might edit it.
fn changed(bundle: &Bundle, change: impl FnOnce(&mut Proof)) -> Bundle {
    let mut file = serde_json::to_value(bundle).expect("a proof is JSON");
    let mut proof = bundle.proof().clone();
    change(&mut proof);
    let fields = file.as_object_mut().expect("an object");
    fields.insert("proof".to_owned(), serde_json::to_value(proof).expect("a proof is JSON"));
    serde_json::from_value(file).expect("its form is kept")
}

fn size(bundle: &Bundle) -> String {
    grouped(bundle.encode().map_or(0, |bytes| bytes.len() as u64))
}
